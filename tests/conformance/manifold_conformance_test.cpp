// SPDX-License-Identifier: Apache-2.0
// One suite for every registered manifold, and broken manifolds that it must catch.
#include "tests/support/manifold_conformance.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <set>

#include <Eigen/SVD>
#include <gtest/gtest.h>

#include "core/files/temporary_directory.hpp"
#include "manifolds/affine.hpp"
#include "manifolds/backbone.hpp"
#include "manifolds/mesh_files.hpp"
#include "manifolds/registry.hpp"
#include "manifolds/rotation_group.hpp"
#include "manifolds/sphere.hpp"
#include "manifolds/triangle_mesh.hpp"
#include "tests/support/test_meshes.hpp"

namespace onmanifold {
namespace {

using test::ConformanceOptions;
using test::Regime;
using test::Violation;
using test::violations;

constexpr Regime regimes[] = {Regime::zero, Regime::tiny, Regime::random, Regime::cut_locus};

// Base points of a mesh: middles of faces that an offset of 1e-3 of the scale keeps inside, and points 1e-6
// of the scale beside the middles of edges. On the convex cube every inner point is safe on the outside; on
// the inside the medial axis is farther than the offset for middles of faces.
ConformanceOptions mesh_options(const TriangleMesh& mesh) {
  ConformanceOptions options;
  options.polyhedron = true;
  const Index faces = std::min<Index>(60, mesh.faces().cols());
  options.inner_points.resize(3, faces);
  options.edge_points.resize(3, faces);
  for (Index j = 0; j < faces; ++j) {
    const Index f = j * mesh.faces().cols() / faces;
    const Points corners = mesh.vertices()(Eigen::all, mesh.faces().col(f));
    options.inner_points.col(j) = corners * Eigen::Vector3d(0.3, 0.3, 0.4);
    options.edge_points.col(j) = corners * Eigen::Vector3d(0.5 - 1e-6, 0.5, 1e-6);
  }
  return options;
}

TEST(ManifoldConformance, EveryRegisteredManifold) {
  const TemporaryDirectory directory;
  const auto save = [&](const char* name, const test::MeshArrays& mesh) {
    write_off(directory.file(name), mesh.vertices, mesh.faces);
    return directory.file(name);
  };
  const std::vector<std::string> specs = {
      "sphere:dim=1,radius=1",
      "sphere:dim=2,radius=1",
      "sphere:dim=2,radius=1e-05,centre=0:0:1",
      "sphere:dim=15,radius=3",
      "plane:normal=1:2:3,offset=1",
      "plane:normal=1:0,offset=-2",
      "flux:dim=50,total=10",
      "affine:rows=1:1:1:1/1:-2:1:0,values=3:0",
      "subspace:dim=2,ambient=64",
      "sphere_in:dim=1,ambient=2",
      "sphere_in:dim=2,ambient=64",
      "ellipsoid:axes=1:1:0.25",
      "flux:dim=50,total=10,nonnegative=true",
      "flux:dim=2,total=0.001,nonnegative=true",
      "so3",
      "stiefel:n=5,p=2",
      "stiefel:n=3,p=3",
      "torus:dim=1",
      "torus:dim=7",
      "donut:major=2,minor=0.6",
      "donut:major=1,minor=0.8",
      "ellipsoid:axes=1:1:4",
      "ellipsoid:axes=0.5:2:1:1",
      "finite:atoms=-1:0/1:0",
      "finite:atoms=0:0:1/3:0:0/0:0.5:0/1:1:1",
      "one_hot:classes=16",
      "cube:dim=5",
      "product:factors=one_hot:classes=4^3",
      "product:factors=so3*sphere:dim=2,radius=2*cube:dim=2",
      "sphere_in_16d",
      "circle_in_16d",
      "backbone:residues=2",
      "backbone:residues=4,geometry=foldingdiff",
      "backbone:residues=8,frame=middle",
      "backbone:residues=2,planar=true",
      "backbone:residues=8,frame=middle,planar=true",
      "mesh:path=" + save("cube.off", test::cube()),
      "mesh:path=" + save("sphere.off", test::octasphere(2)),
      "mesh:area=12.566370614359172,path=" + save("torus.off", test::torus(1, 0.3, 24, 12)),
  };
  std::set<std::string> covered;
  for (const std::string& spec : specs) {
    const std::shared_ptr<const Manifold> manifold = make_manifold(spec);
    covered.insert(spec.substr(0, spec.find(':')));
    ConformanceOptions options;
    if (const auto* mesh = dynamic_cast<const TriangleMesh*>(manifold.get())) options = mesh_options(*mesh);
    options.residual_is_distance = dynamic_cast<const Backbone*>(manifold.get()) == nullptr;
    for (const Regime regime : regimes) {
      const std::vector<Violation> found = violations(*manifold, regime, Stream(1, spec), options);
      EXPECT_TRUE(found.empty()) << spec << ", regime " << to_string(regime) << ": " << describe(found);
    }
  }
  for (const std::string& name : manifold_registry().names()) {
    EXPECT_TRUE(covered.contains(name)) << "manifold '" << name << "' is registered and not in this suite";
  }
}

TEST(ManifoldConformance, NonFiniteColumnsAreCountedByEveryManifold) {
  for (const char* spec :
       {"sphere:dim=2,radius=1", "plane:normal=1:2:3,offset=1", "flux:dim=3,total=1", "affine:rows=1:1:1,values=3"}) {
    const std::shared_ptr<const Manifold> manifold = make_manifold(spec);
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      Points x = Points::Ones(3, 2);
      x(2, 0) = bad;
      const Projection projection = manifold->project(x);
      EXPECT_FALSE(projection.converged(0)) << spec;
      EXPECT_TRUE(projection.converged(1)) << spec;
      EXPECT_TRUE(std::isnan(projection.distance(0))) << spec;
      EXPECT_FALSE(std::isfinite(projection.points(2, 0))) << spec;
    }
  }
}

// The derivative of h along v is the normal's: central differences of step 1e-6 leave 1e-9 by rounding and
// 1e-12 by curvature, on spheres and planes of size 1.
TEST(ManifoldConformance, ResidualDifferentiatesToTheNormals) {
  for (const char* spec : {"sphere:dim=2,radius=1", "sphere:dim=4,radius=2", "plane:normal=1:2:3,offset=1",
                           "affine:rows=1:1:1:1/1:-2:1:0,values=3:0"}) {
    const std::shared_ptr<const Manifold> manifold = make_manifold(spec);
    const Index n = 20;
    const Points y = manifold->random_points(n, Stream(2, "differences"));
    const Points v = Stream(3, "differences").normal(manifold->ambient_dimension(), n);
    const Points difference = (manifold->residual(y + 1e-6 * v) - manifold->residual(y - 1e-6 * v)) / 2e-6;
    const Points normals = manifold->normal_bases(y);
    const Index k = manifold->codimension();
    for (Index j = 0; j < n; ++j) {
      const Vector expected = normals.middleCols(k * j, k).transpose() * v.col(j);
      EXPECT_LT((difference.col(j) - expected).norm(), 1e-8) << spec;
    }
  }
}

// A sphere of radius 1 on which one thing at a time can be broken.
class Breakable : public Manifold {
 public:
  std::function<void(const PointsRef&, Projection&)> spoil_projection = [](const PointsRef&, Projection&) {};
  std::function<void(Points&)> spoil_residual = [](Points&) {};
  std::function<void(Points&)> spoil_normals = [](Points&) {};
  std::function<void(const PointsRef&, Points&)> spoil_component = [](const PointsRef&, Points&) {};
  std::function<void(Points&)> spoil_points = [](Points&) {};

 private:
  Index do_ambient_dimension() const override { return 3; }
  Index do_dimension() const override { return 2; }
  double do_reach() const override { return 1; }
  double do_scale() const override { return 1; }
  double do_constraint_tolerance() const override { return 1e-12; }
  std::string do_spec() const override { return "broken"; }
  Projection do_project(const PointsRef& x) const override {
    Projection result = sphere_.project(x);
    spoil_projection(x, result);
    return result;
  }
  Points do_residual(const PointsRef& x) const override {
    Points result = sphere_.residual(x);
    spoil_residual(result);
    return result;
  }
  Points do_normal_bases(const PointsRef& y) const override {
    Points result = sphere_.normal_bases(y);
    spoil_normals(result);
    return result;
  }
  Points do_normal_component(const PointsRef& y, const PointsRef& v) const override {
    Points result = normal_bases(y);
    for (Index j = 0; j < v.cols(); ++j) result.col(j) *= result.col(j).dot(v.col(j));
    spoil_component(v, result);
    return result;
  }
  Points do_random_points(Index n, Stream stream) const override {
    Points result = sphere_.random_points(n, stream);
    spoil_points(result);
    return result;
  }

  Sphere sphere_{2};
};

// Identities violated in any regime.
std::set<int> caught(const Manifold& manifold, const ConformanceOptions& options = {}) {
  std::set<int> numbers;
  for (const Regime regime : regimes) {
    for (const Violation& v : violations(manifold, regime, Stream(5, "broken"), options)) numbers.insert(v.identity);
  }
  return numbers;
}

TEST(ManifoldConformance, TheUnbrokenSpherePasses) {
  EXPECT_TRUE(caught(Breakable()).empty());
}

TEST(ManifoldConformance, CatchesTheWrongSign) {
  Breakable broken;
  broken.spoil_projection = [](const PointsRef&, Projection& p) { p.points *= -1; };
  const std::set<int> found = caught(broken);
  EXPECT_TRUE(found.contains(1) && found.contains(2) && found.contains(4) && found.contains(8));
}

TEST(ManifoldConformance, CatchesAProjectionThatStopsShort) {
  // As an iteration that ends too early: 99 % of the way.
  Breakable broken;
  broken.spoil_projection = [](const PointsRef& x, Projection& p) {
    p.points = 0.99 * p.points + 0.01 * x;
    p.distance *= 0.99;
  };
  const std::set<int> found = caught(broken);
  EXPECT_TRUE(found.contains(2) && found.contains(3));
}

TEST(ManifoldConformance, CatchesAnObliqueProjection) {
  // Tangential leak of 1e-3 of the distance, put back on the sphere.
  Breakable broken;
  broken.spoil_projection = [](const PointsRef& x, Projection& p) {
    for (Index j = 0; j < x.cols(); ++j) {
      const Eigen::Vector3d y = p.points.col(j);
      const Eigen::Vector3d tangent = y.unitOrthogonal();
      p.points.col(j).head<3>() = (y + 1e-3 * p.distance(j) * tangent).normalized();
      p.distance(j) = (x.col(j) - p.points.col(j)).norm();
    }
  };
  const std::set<int> found = caught(broken);
  EXPECT_TRUE(found.contains(5) && found.contains(8));
  EXPECT_FALSE(found.contains(1));
}

TEST(ManifoldConformance, CatchesNormalsThatAreNotOrthonormal) {
  Breakable longer;
  longer.spoil_normals = [](Points& normals) { normals *= 1.001; };
  EXPECT_TRUE(caught(longer).contains(6));
}

TEST(ManifoldConformance, CatchesTiltedNormals) {
  // Unit normals, 1e-3 away from the true ones.
  Breakable tilted;
  tilted.spoil_normals = [](Points& normals) {
    for (Index j = 0; j < normals.cols(); ++j) {
      const Eigen::Vector3d n = normals.col(j);
      normals.col(j).head<3>() = (n + 1e-3 * n.unitOrthogonal()).normalized();
    }
  };
  const std::set<int> found = caught(tilted);
  EXPECT_TRUE(found.contains(5) && found.contains(8));
  EXPECT_FALSE(found.contains(6));
}

TEST(ManifoldConformance, CatchesATangentialLeak) {
  // P_N v with 1e-3 of v itself.
  Breakable leaky;
  leaky.spoil_component = [](const PointsRef& v, Points& component) { component += 1e-3 * v; };
  EXPECT_TRUE(caught(leaky).contains(7));
}

TEST(ManifoldConformance, CatchesAWrongDistance) {
  Breakable squared;  // the square is right at 0 and 1 only
  squared.spoil_projection = [](const PointsRef&, Projection& p) { p.distance = p.distance.array().square(); };
  EXPECT_EQ(caught(squared), std::set<int>{4});
}

TEST(ManifoldConformance, CatchesAResidualThatIsZeroEverywhere) {
  Breakable zero;
  zero.spoil_residual = [](Points& h) { h.setZero(); };
  EXPECT_EQ(caught(zero), std::set<int>{3});
}

TEST(ManifoldConformance, CatchesAnAlgebraicResidual) {
  Breakable squared;  // |x|^2 - 1 instead of |x| - 1
  squared.spoil_residual = [](Points& h) { h = h.array() * (h.array() + 2); };
  EXPECT_EQ(caught(squared), std::set<int>{3});
}

TEST(ManifoldConformance, CatchesPointsOffTheManifold) {
  Breakable off;
  off.spoil_points = [](Points& points) { points *= 1 + 1e-6; };
  EXPECT_TRUE(caught(off).contains(9));
}

TEST(ManifoldConformance, CatchesSilentFailures) {
  Breakable failing;
  failing.spoil_projection = [](const PointsRef&, Projection& p) { p.converged(0) = false; };
  EXPECT_EQ(caught(failing), std::set<int>{0});
  Breakable nan;
  nan.spoil_projection = [](const PointsRef&, Projection& p) {
    p.points.col(0).setConstant(std::numeric_limits<double>::quiet_NaN());
  };
  EXPECT_TRUE(caught(nan).contains(1));
}

// A mesh that projects to the nearest vertex instead of the surface.
class VertexMesh : public Manifold {
 public:
  explicit VertexMesh(const TriangleMesh& mesh) : mesh_(mesh) {}

 private:
  Index do_ambient_dimension() const override { return 3; }
  Index do_dimension() const override { return 2; }
  double do_reach() const override { return 0; }
  double do_scale() const override { return mesh_.scale(); }
  double do_constraint_tolerance() const override { return mesh_.constraint_tolerance(); }
  std::string do_spec() const override { return "broken"; }
  Projection do_project(const PointsRef& x) const override {
    Projection result = mesh_.project(x);
    for (Index j = 0; j < x.cols(); ++j) {
      Index nearest = 0;
      result.distance(j) =
          std::sqrt((mesh_.vertices().colwise() - x.col(j)).colwise().squaredNorm().minCoeff(&nearest));
      result.points.col(j) = mesh_.vertices().col(nearest);
    }
    return result;
  }
  Points do_residual(const PointsRef& x) const override { return mesh_.residual(x); }
  Points do_normal_bases(const PointsRef& y) const override { return mesh_.normal_bases(y); }
  Points do_random_points(Index n, Stream stream) const override { return mesh_.random_points(n, stream); }

  const TriangleMesh& mesh_;
};

// Any manifold with another projection; the distance told is that moved.
class OtherProjection : public Manifold {
 public:
  OtherProjection(const std::string& spec, std::function<Vector(const Vector&)> nearest)
      : manifold_(make_manifold(spec)), nearest_(std::move(nearest)) {}

 private:
  Index do_ambient_dimension() const override { return manifold_->ambient_dimension(); }
  Index do_dimension() const override { return manifold_->dimension(); }
  double do_reach() const override { return manifold_->reach(); }
  double do_scale() const override { return manifold_->scale(); }
  double do_constraint_tolerance() const override { return manifold_->constraint_tolerance(); }
  std::string do_spec() const override { return "broken"; }
  Projection do_project(const PointsRef& x) const override {
    Projection result = manifold_->project(x);
    for (Index j = 0; j < x.cols(); ++j) {
      result.points.col(j) = nearest_(x.col(j));
      result.distance(j) = (x.col(j) - result.points.col(j)).norm();
    }
    return result;
  }
  Points do_residual(const PointsRef& x) const override { return manifold_->residual(x); }
  Points do_normal_bases(const PointsRef& y) const override { return manifold_->normal_bases(y); }
  Points do_tangent_bases(const PointsRef& y) const override { return manifold_->tangent_bases(y); }
  Points do_random_points(Index n, Stream stream) const override { return manifold_->random_points(n, stream); }

  std::shared_ptr<const Manifold> manifold_;
  std::function<Vector(const Vector&)> nearest_;
};

TEST(ManifoldConformance, CatchesOrthogonalMatricesForRotations) {
  // U V^T without the sign of the determinant: right wherever det X > 0, which is most of the tube.
  const auto orthogonal = [](const Vector& x) -> Vector {
    const Eigen::Matrix3d m = rotation_matrix(x);
    const Eigen::JacobiSVD<Eigen::Matrix3d> svd(m, Eigen::ComputeFullU | Eigen::ComputeFullV);
    Points result(9, 1);
    set_rotation(result, 0, svd.matrixU() * svd.matrixV().transpose());
    return result;
  };
  ConformanceOptions options;
  options.points = 400;
  const std::set<int> found = caught(OtherProjection("so3", orthogonal), options);
  EXPECT_TRUE(found.contains(3) && found.contains(8));
  EXPECT_FALSE(found.contains(1));
}

TEST(ManifoldConformance, CatchesGramSchmidtForTheNearestRotation) {
  // A rotation, idempotent, and the identity on M: only nearness is lost.
  const auto gram_schmidt = [](const Vector& x) -> Vector {
    Eigen::Matrix3d m = rotation_matrix(x);
    m.col(0).normalize();
    m.col(1) = (m.col(1) - m.col(0) * m.col(0).dot(m.col(1))).normalized().eval();
    m.col(2) = m.col(0).cross(m.col(1)).eval();
    Points result(9, 1);
    set_rotation(result, 0, m);
    return result;
  };
  const std::set<int> found = caught(OtherProjection("so3", gram_schmidt));
  EXPECT_TRUE(found.contains(4) && found.contains(5) && found.contains(8));
}

TEST(ManifoldConformance, CatchesOneLengthForAllPairsOfATorus) {
  const auto whole = [](const Vector& x) -> Vector { return x * (std::sqrt(3.0) / x.norm()); };
  const std::set<int> found = caught(OtherProjection("torus:dim=3", whole));
  EXPECT_TRUE(found.contains(3) && found.contains(8));
}

TEST(ManifoldConformance, CatchesClippingAndRescalingForTheSimplex) {
  const auto clip = [](const Vector& x) -> Vector {
    const Vector positive = x.cwiseMax(0);
    return positive * (10 / positive.sum());
  };
  const std::set<int> found = caught(OtherProjection("flux:dim=50,total=10,nonnegative=true", clip));
  EXPECT_TRUE(found.contains(4) && found.contains(8));
}

TEST(ManifoldConformance, CatchesTheSecondNearestAtom) {
  const auto second = [](const Vector& x) -> Vector {
    Index best = 0;
    x.maxCoeff(&best);
    Vector rest = x;
    rest[best] = -std::numeric_limits<double>::infinity();
    if (x[best] < 0.9) rest.maxCoeff(&best);  // right near the atoms only
    return Vector::Unit(x.size(), best);
  };
  const std::set<int> found = caught(OtherProjection("one_hot:classes=4", second));
  EXPECT_TRUE(found.contains(4) && found.contains(8));
  EXPECT_FALSE(found.contains(1));
}

TEST(ManifoldConformance, CatchesBentPeptidesOnFlatBackbones) {
  // The nearest chain whatever its omega: bonds and angles are right.
  const std::shared_ptr<const Manifold> bent = make_manifold("backbone:residues=3,frame=middle");
  const auto nearest = [&](const Vector& x) -> Vector { return bent->project(x).points.col(0); };
  ConformanceOptions options;
  options.residual_is_distance = false;
  const std::string spec = "backbone:residues=3,frame=middle,planar=true";
  EXPECT_TRUE(caught(*make_manifold(spec), options).empty());
  const std::set<int> found = caught(OtherProjection(spec, nearest), options);
  EXPECT_TRUE(found.contains(3) && found.contains(8));
}

TEST(ManifoldConformance, CatchesAProjectionToVertices) {
  const test::MeshArrays arrays = test::octasphere(2);
  const TriangleMesh mesh(arrays.vertices, arrays.faces);
  const ConformanceOptions options = mesh_options(mesh);
  EXPECT_TRUE(caught(mesh, options).empty());
  const std::set<int> found = caught(VertexMesh(mesh), options);
  EXPECT_TRUE(found.contains(1) && found.contains(4) && found.contains(8));
}

}  // namespace
}  // namespace onmanifold
