// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/files/shipped_file.hpp"
#include "core/files/temporary_directory.hpp"
#include "datasets/laws/mesh_eigenfunctions.hpp"
#include "datasets/laws/mesh_law.hpp"
#include "datasets/readers/missing_data.hpp"
#include "goodness_of_fit.hpp"
#include "manifolds/mesh_files.hpp"
#include "tasks_under_test.hpp"
#include "tests/support/test_meshes.hpp"

namespace onmanifold {
namespace {

using testing::default_task;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Task mesh_task(const Value::Table& table) {
  Settings settings(Value(table), "test");
  Task task = task_registry().get("mesh-eigen").factory(settings);
  settings.finish();
  return task;
}

TEST(ElephantEigen, ShippedEigenfunctionsSolveTheEigenproblem) {
  const Hdf5Reader file(shipped_file("datasets/data/elephant.h5"));
  EXPECT_EQ(check_file_digest(file.path()), "");
  EXPECT_THAT(file.text("/origin"), HasSubstr("CC0"));
  const Points vertices = file.matrix("/vertices", 3, 2775);
  const Eigen::MatrixXi faces = file.integer_matrix("/faces");
  ASSERT_EQ(faces.cols(), 5558);
  const double scale = std::sqrt(4 * M_PI / face_areas(vertices, faces).sum());
  const MeshLaplacian laplacian = mesh_laplacian(scale * vertices, faces);
  const Vector values = file.vector("/eigenfunctions/values", 3);
  const Points functions = file.matrix("/eigenfunctions/functions", 2775, 3);
  for (Index k = 0; k < 3; ++k) {
    const Vector phi = functions.col(k);
    const auto residual = [&](double value) {
      const Vector rest = laplacian.stiffness * phi - value * laplacian.mass.cwiseProduct(phi);
      return std::sqrt((rest.array().square() / laplacian.mass.array()).sum());
    };
    EXPECT_LE(residual(values[k]), 1e-9);
    EXPECT_GT(residual(values[k] * 1.001), 1e-3) << "a wrong eigenvalue must be seen";
    EXPECT_NEAR(laplacian.mass.dot(phi), 0, 1e-9);
    EXPECT_NEAR(phi.dot(laplacian.mass.cwiseProduct(phi)), 1, 1e-9);
  }
}

TEST(ElephantEigen, HasGenusThreeAndTheStatedArea) {
  const Task task = default_task("elephant-eigen");
  const auto mesh = std::dynamic_pointer_cast<const TriangleMesh>(task.manifold);
  ASSERT_NE(mesh, nullptr);
  EXPECT_EQ(mesh->euler_characteristic(), -4);  // 2 - 2·3
  EXPECT_NEAR(mesh->area(), 4 * M_PI, 1e-10);
  EXPECT_EQ(mesh->vertices().cols(), 2775);
  EXPECT_EQ(task.partition->size(), 400);
}

TEST(MeshEigen, EigenfunctionsOfATorusAreThoseOfItsSymmetry) {
  const test::MeshArrays mesh = test::torus(1, 0.4, 24, 12);
  const Eigenfunctions eigen = lowest_eigenfunctions(mesh_laplacian(mesh.vertices, mesh.faces), 4);
  EXPECT_NEAR(eigen.values[0], 0, 1e-10);
  // The lowest one goes once around the long way: a pair, by symmetry.
  EXPECT_NEAR(eigen.values[1], eigen.values[2], 1e-9 * eigen.values[1]);
  EXPECT_GT(eigen.values[3], 1.5 * eigen.values[2]);
  EXPECT_THROW((void)lowest_eigenfunctions(mesh_laplacian(mesh.vertices, mesh.faces), 0), InvalidInput);
}

TEST(MeshEigen, AnyClosedMeshIsATask) {
  const TemporaryDirectory directory;
  test::MeshArrays mesh = test::torus(1, 0.4, 24, 12);
  // Three axes of different length, so that no two eigenvalues agree.
  mesh.vertices.row(0) *= 1.3;
  mesh.vertices.row(1) *= 0.9;
  const std::string path = directory.file("My torus_1.off");
  write_off(path, mesh.vertices, mesh.faces);
  const Task task = mesh_task({{"path", path}, {"eigenfunctions", "3:7"}});
  EXPECT_EQ(task.name, "mesh-my-torus-1");
  const auto surface = std::dynamic_pointer_cast<const TriangleMesh>(task.manifold);
  EXPECT_NEAR(surface->area(), 4 * M_PI, 1e-11);
  EXPECT_EQ(surface->euler_characteristic(), 0);
  EXPECT_NEAR(task.masses.sum(), 1, 1e-12);
  const Points points = task.sampler->sample(20000, Stream(1, "mesh"));
  EXPECT_GT(testing::chi_square_p_value(*task.partition, task.masses, points), testing::alpha);
  const Task other = mesh_task({{"path", path}, {"eigenfunctions", 3}, {"area", 1.0}});
  EXPECT_NE(other.data_hash, task.data_hash);
  EXPECT_EQ(mesh_task({{"path", path}, {"eigenfunctions", "3:7"}}).data_hash, task.data_hash);
  EXPECT_LT(testing::chi_square_p_value(
                *task.partition, task.masses,
                mesh_task({{"path", path}, {"eigenfunctions", "3:8"}}).sampler->sample(20000, Stream(1, "mesh"))),
            1e-6)
      << "another law must be seen";
}

TEST(MeshEigen, RefusesWhatIsNoClosedMeshInOneLine) {
  const TemporaryDirectory directory;
  EXPECT_THROW((void)mesh_task({}), InvalidInput);
  EXPECT_THROW((void)mesh_task({{"path", directory.file("none.off")}}), MissingData);
  test::MeshArrays open = test::cube();
  const Eigen::MatrixXi fewer = open.faces.leftCols(open.faces.cols() - 1);
  write_off(directory.file("open.off"), open.vertices, fewer);
  EXPECT_THAT(
      [&] {
        (void)mesh_task({{"path", directory.file("open.off")}, {"eigenfunctions", 2}});
      },
      ThrowsMessage<InvalidInput>(HasSubstr("open.off")));
  const test::MeshArrays round = test::torus(1, 0.4, 24, 12);
  write_off(directory.file("round.off"), round.vertices, round.faces);
  EXPECT_THAT(
      [&] {
        (void)mesh_task({{"path", directory.file("round.off")}, {"eigenfunctions", "1"}});
      },
      ThrowsMessage<InvalidInput>(HasSubstr("share the eigenvalue")));
  EXPECT_THAT(
      [&] {
        (void)mesh_task({{"path", directory.file("round.off")}, {"eigenfunctions", "5000"}});
      },
      ThrowsMessage<InvalidInput>(HasSubstr("288 vertices")));
  for (const char* numbers : {"0", "1:", "x", "1,2", "-3"}) {
    EXPECT_THROW((void)mesh_task({{"path", directory.file("round.off")}, {"eigenfunctions", numbers}}), InvalidInput)
        << numbers;
  }
}

}  // namespace
}  // namespace onmanifold
