// SPDX-License-Identifier: Apache-2.0
#include "manifolds/registry.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "manifolds/mesh_files.hpp"
#include "manifolds/sphere.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/test_meshes.hpp"

namespace onmanifold {
namespace {

TEST(ManifoldRegistryTest, SpecsRoundTrip) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("a,b=c:d.off");  // path takes the rest, whatever is in it
  const test::MeshArrays mesh = test::cube();
  write_off(path, mesh.vertices, mesh.faces);
  for (const std::string& spec : {std::string("sphere:dim=2,radius=1"),
                                  std::string("sphere:dim=7,radius=0.1,centre=1:2:3:4:5:6:7:8"),
                                  std::string("plane:normal=1:2:3,offset=1"),
                                  std::string("plane:normal=0.1:-1e-05:3,offset=-0.3"),
                                  std::string("flux:dim=784,total=100"),
                                  std::string("affine:rows=1:1:1/1:-2:1,values=3:0"),
                                  std::string("flux:dim=7,total=2.5,nonnegative=true"),
                                  std::string("so3"),
                                  std::string("stiefel:n=5,p=2"),
                                  std::string("torus:dim=3"),
                                  std::string("donut:major=2,minor=0.6"),
                                  std::string("ellipsoid:axes=1:0.5:2"),
                                  std::string("finite:atoms=-1:0/1:0.25"),
                                  std::string("one_hot:classes=5"),
                                  std::string("cube:dim=4"),
                                  std::string("product:factors=so3*sphere:dim=2,radius=1^2*one_hot:classes=3"),
                                  std::string("sphere_in_16d"),
                                  std::string("circle_in_16d"),
                                  std::string("affine:rows=0.1:0.2,values=0.30000000000000004"),
                                  "mesh:path=" + path,
                                  "mesh:area=12.5,path=" + path}) {
    const std::shared_ptr<const Manifold> manifold = make_manifold(spec);
    EXPECT_EQ(manifold->spec(), spec);
    const std::shared_ptr<const Manifold> again = make_manifold(manifold->spec());
    const Points x = Stream(1, "spec").normal(manifold->ambient_dimension(), 5);
    EXPECT_EQ(manifold->project(x).points, again->project(x).points) << spec;
  }
}

TEST(ManifoldRegistryTest, DefaultsAndOrder) {
  EXPECT_EQ(make_manifold("sphere")->spec(), "sphere:dim=2,radius=1");
  EXPECT_EQ(make_manifold("sphere:radius=2.50,dim=3")->spec(), "sphere:dim=3,radius=2.5");
  EXPECT_EQ(make_manifold("plane:normal=0:1")->spec(), "plane:normal=0:1,offset=0");
  const TemporaryDirectory directory;
  const test::MeshArrays mesh = test::cube();
  write_off(directory.file("cube.off"), mesh.vertices, mesh.faces);
  EXPECT_NEAR(
      dynamic_cast<const TriangleMesh&>(*make_manifold("mesh:area=6,path=" + directory.file("cube.off"))).area(), 6,
      1e-14);
}

TEST(ManifoldRegistryTest, ErrorsNameWhatIsKnown) {
  const auto fails = [](const char* spec, const std::vector<std::string>& parts) {
    return throws_message<InvalidInput>([&] { (void)make_manifold(spec); }, parts);
  };
  EXPECT_TRUE(fails("sfere:dim=2", {"unknown manifold 'sfere'", "sphere, plane, flux, affine"}));
  EXPECT_TRUE(fails("", {"unknown manifold ''"}));
  EXPECT_TRUE(fails("sphere:dims=2",
                    {"manifold 'sphere:dims=2': dims: unknown key: did you mean 'dim'? (known: centre, dim, radius)"}));
  EXPECT_TRUE(fails("sphere:dim=2.5", {"dim: expected an integer, got a number"}));
  EXPECT_TRUE(fails("sphere:dim=two", {"dim: expected an integer, got a string"}));
  EXPECT_TRUE(fails("sphere:dim=0", {"dim: 0 is outside"}));
  EXPECT_TRUE(fails("sphere:radius=-1", {"radius: -1 is outside"}));
  EXPECT_TRUE(fails("sphere:radius=0", {"radius = 0 must be positive"}));
  EXPECT_TRUE(fails("sphere:radius=nan", {"'nan' is not a finite number"}));
  EXPECT_TRUE(fails("sphere:dim=2,dim=3", {"dim is given twice"}));
  EXPECT_TRUE(fails("sphere:dim", {"expected key=value, found 'dim'"}));
  EXPECT_TRUE(fails("sphere:dim,radius=1", {"expected key=value, found 'dim'"}));
  EXPECT_TRUE(fails("sphere:=2", {"expected key=value, found '=2'"}));
  EXPECT_TRUE(fails("sphere:dim=2,", {"it ends with a comma"}));
  EXPECT_TRUE(fails("sphere:dim=2,centre=1:2", {"centre (1, 2) must be 3 finite numbers"}));
  EXPECT_TRUE(fails("plane", {"normal: missing"}));
  EXPECT_TRUE(fails("plane:normal=1:x:3", {"normal: expected numbers split by ':', found 'x'"}));
  EXPECT_TRUE(fails("plane:normal=1:inf:3", {"found 'inf'"}));
  EXPECT_TRUE(fails("plane:normal=0:0:0", {"normal (0, 0, 0) must"}));
  EXPECT_TRUE(fails("flux:dim=3", {"total: missing"}));
  EXPECT_TRUE(fails("affine:rows=1:2/3,values=1:2", {"rows: rows of 2 and 1 numbers"}));
  EXPECT_TRUE(fails("affine:rows=1:2:3/2:4:6,values=1:2", {"2 constraints of rank 1"}));
  EXPECT_TRUE(fails("stiefel:n=2,p=3", {"3 orthonormal columns in R^2"}));
  EXPECT_TRUE(fails("stiefel:n=2", {"p"}));
  EXPECT_TRUE(fails("so3:dim=3", {"dim: unknown key"}));
  EXPECT_TRUE(fails("donut:major=1,minor=1", {"0 < minor < major"}));
  EXPECT_TRUE(fails("ellipsoid", {"axes: missing"}));
  EXPECT_TRUE(fails("flux:dim=3,total=1,nonnegative=maybe", {"nonnegative: expected true or false, got a string"}));
  EXPECT_TRUE(fails("finite:atoms=1:0/1:0", {"atoms 0 and 1 are the same"}));
  EXPECT_TRUE(fails("product", {"factors: missing"}));
  EXPECT_TRUE(fails("product:factors=so3^0", {"expected a power", "'^0'"}));
  EXPECT_TRUE(fails("product:factors=so3*sfere", {"unknown manifold 'sfere'"}));
  EXPECT_TRUE(fails("product:factors=product:factors=so3", {"a product cannot be a factor"}));
  EXPECT_TRUE(fails("mesh", {"path: missing"}));
  EXPECT_TRUE(fails("mesh:path=x.step", {"x.step: a mesh file ends in"}));
  EXPECT_TRUE(
      throws_message<IoError>([] { (void)make_manifold("mesh:path=/none/x.off"); }, {"/none/x.off: cannot open"}));
}

}  // namespace
}  // namespace onmanifold
