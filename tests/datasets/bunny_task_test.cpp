// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/files/shipped_file.hpp"
#include "datasets/laws/mesh_laplacian.hpp"
#include "datasets/laws/mesh_law.hpp"
#include "goodness_of_fit.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

/// A unit cube of 12 triangles.
std::shared_ptr<const TriangleMesh> cube() {
  Points vertices(3, 8);
  for (Index i = 0; i < 8; ++i) {
    vertices.col(i) << static_cast<double>(i & 1), static_cast<double>((i >> 1) & 1), static_cast<double>((i >> 2) & 1);
  }
  Eigen::MatrixXi faces(3, 12);
  faces << 0, 0, 4, 4, 0, 0, 2, 2, 0, 0, 1, 1,  //
      3, 2, 5, 7, 1, 5, 7, 6, 6, 4, 3, 7,       //
      1, 3, 7, 6, 5, 4, 3, 7, 2, 6, 7, 5;
  return std::make_shared<const TriangleMesh>(vertices, faces);
}

TEST(MeshLaplacian, IsTheCotangentOperator) {
  // Two right isosceles triangles: the diagonal has weight cot 90° = 0, each side cot(45°)/2.
  Points square(3, 4);
  square << 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0;
  Eigen::MatrixXi faces(3, 2);
  faces << 0, 0, 1, 2, 2, 3;
  const MeshLaplacian laplacian = mesh_laplacian(square, faces);
  const Eigen::MatrixXd dense(laplacian.stiffness);
  EXPECT_NEAR(dense(0, 2), 0, 1e-15);
  EXPECT_NEAR(dense(0, 1), -0.5, 1e-15);
  EXPECT_NEAR(dense(1, 1), 1, 1e-15);
  EXPECT_LE((dense * Vector::Ones(4)).norm(), 1e-15);
  EXPECT_LE((laplacian.mass - Vector::Constant(4, 0.25)).norm(), 1e-15);
  // The energy of a linear function is its squared slope times the area.
  EXPECT_NEAR(square.row(0) * dense * square.row(0).transpose(), 1, 1e-15);

  // An obtuse triangle: half its area to the obtuse corner.
  Points obtuse(3, 3);
  obtuse << 0, 2, 1, 0, 0, 0.1, 0, 0, 0;
  Eigen::MatrixXi one(3, 1);
  one << 0, 1, 2;
  EXPECT_LE((mesh_laplacian(obtuse, one).mass - Eigen::Vector3d(0.025, 0.025, 0.05)).norm(), 1e-15);
  one(2, 0) = 3;
  EXPECT_THROW((void)mesh_laplacian(obtuse, one), InvalidInput);
  one(2, 0) = 1;
  EXPECT_THROW((void)mesh_laplacian(obtuse, one), InvalidInput);
}

TEST(FaceLaw, MatchesACubeWithKnownProbabilities) {
  const auto mesh = cube();
  Vector weights = Vector::Zero(12);
  weights[0] = 3;
  weights[5] = 1;
  const FaceLaw law(mesh, weights);
  EXPECT_NEAR(law.entropy().value(), -0.75 * std::log(1.5) - 0.25 * std::log(0.5), 1e-14);
  const Points points = law.sample(4000, Stream(91, "cube"));
  const double on_first = (law.log_density(points).array() > 0).cast<double>().mean();
  EXPECT_NEAR(on_first, 0.75, 4 * std::sqrt(0.75 * 0.25 / 4000));
  EXPECT_EQ(law.log_density(Eigen::Vector3d(1, 0.6, 0.5))[0], -std::numeric_limits<double>::infinity());

  // Variance of the uniform law on the surface: a coordinate is 0 or 1 on a third of it and uniform on the
  // rest.
  EXPECT_NEAR(FaceLaw(mesh, mesh->face_areas()).standard_deviation(), std::sqrt(1.0 / 12 + 1.0 / 18), 1e-14);
  EXPECT_THROW(FaceLaw(mesh, Vector::Zero(12)), InvalidInput);
  EXPECT_THROW(FaceLaw(mesh, Vector::Ones(11)), InvalidInput);
  EXPECT_THROW(FaceLaw(mesh, -Vector::Ones(12)), InvalidInput);
}

TEST(MeshPatches, SplitACubeEvenly) {
  const auto mesh = cube();
  for (const Index count : {1, 2, 3, 4, 6, 12}) {
    const MeshPatches patches(mesh, count);
    const Vector areas = patches.sums(mesh->face_areas());
    EXPECT_NEAR(areas.sum(), 6, 1e-14);
    EXPECT_LE((areas - Vector::Constant(count, 6.0 / static_cast<double>(count))).cwiseAbs().maxCoeff(), 0.5 + 1e-12);
  }
  EXPECT_THROW(MeshPatches(mesh, 0), InvalidInput);
  EXPECT_THROW(MeshPatches(mesh, 13), InvalidInput);
}

TEST(BunnyEigen, ShippedEigenfunctionsSolveTheEigenproblem) {
  const Hdf5Reader file(shipped_file("datasets/data/bunny00.h5"));
  EXPECT_EQ(check_file_digest(file.path()), "");
  EXPECT_THAT(file.text("/origin"), ::testing::HasSubstr("CC0"));
  const Points vertices = file.matrix("/vertices", 3, 37706);
  const Eigen::MatrixXi faces = file.integer_matrix("/faces");
  ASSERT_EQ(faces.cols(), 75408);
  const double scale = std::sqrt(4 * M_PI / face_areas(vertices, faces).sum());
  EXPECT_NEAR(scale, 2.310330, 5e-7);
  const MeshLaplacian laplacian = mesh_laplacian(scale * vertices, faces);
  EXPECT_NEAR(laplacian.mass.sum(), 4 * M_PI, 1e-10);

  const Vector values = file.vector("/eigenfunctions/values", 3);
  const Points functions = file.matrix("/eigenfunctions/functions", 37706, 3);
  // Weyl: the k-th eigenvalue of a surface of area 4π is near k.
  EXPECT_NEAR(values[0] / 10, 1, 0.2);
  EXPECT_NEAR(values[1] / 50, 1, 0.1);
  EXPECT_NEAR(values[2] / 100, 1, 0.1);
  const auto residual = [&](const Vector& phi, double value) {
    const Vector rest = laplacian.stiffness * phi - value * laplacian.mass.cwiseProduct(phi);
    return std::sqrt((rest.array().square() / laplacian.mass.array()).sum());
  };
  for (Index k = 0; k < 3; ++k) {
    const Vector phi = functions.col(k);
    // Computed to 2.4e-10 at worst; neighbouring eigenvalues are 0.4 apart, so that phi is right to 1e-9.
    EXPECT_LE(residual(phi, values[k]), 1e-9);
    EXPECT_GT(residual(phi, values[k] * 1.001), 1e-3) << "a wrong eigenvalue must be seen";
    Index top = 0;
    phi.cwiseAbs().maxCoeff(&top);
    EXPECT_GT(phi[top], 0);
    EXPECT_NEAR(laplacian.mass.dot(phi), 0, 1e-9);
  }
  const Eigen::Matrix3d gram = functions.transpose() * laplacian.mass.asDiagonal() * functions;
  EXPECT_LE((gram - Eigen::Matrix3d::Identity()).cwiseAbs().maxCoeff(), 1e-9);
}

TEST(BunnyEigen, TaskHasTheStatedGeometryAndItsSamplerMatchesTheDensity) {
  const auto start = std::chrono::steady_clock::now();
  const Task task = default_task("bunny-eigen");
  const auto mesh = std::dynamic_pointer_cast<const TriangleMesh>(task.manifold);
  ASSERT_NE(mesh, nullptr);
  EXPECT_NEAR(mesh->area(), 4 * M_PI, 1e-10);
  const Vector box = mesh->vertices().rowwise().maxCoeff() - mesh->vertices().rowwise().minCoeff();
  EXPECT_NEAR(box[0], 2.306, 5e-4);
  EXPECT_NEAR(box[1], 2.281, 5e-4);
  EXPECT_NEAR(box[2], 1.785, 5e-4);
  EXPECT_NEAR(task.preregistered_sigma, 0.018728, 5e-7);
  EXPECT_EQ(task.surface->faces.cols(), 75408);
  EXPECT_EQ(task.diffused_score({}), nullptr);
  EXPECT_NEAR(FaceLaw(mesh, mesh->face_areas()).standard_deviation(), 0.556, 1e-3);
  EXPECT_NEAR(FaceLaw(mesh, mesh->face_areas()).entropy().value(), std::log(4 * M_PI), 1e-12);

  // Patches: area 0.958 to 1.075 of the mean, 10 to 587 faces.
  const auto patches = std::dynamic_pointer_cast<const MeshPatches>(task.partition);
  const Vector areas = patches->sums(mesh->face_areas()) * 400 / mesh->area();
  EXPECT_NEAR(areas.minCoeff(), 0.958, 5e-4);
  EXPECT_NEAR(areas.maxCoeff(), 1.075, 5e-4);
  const Vector counts = patches->sums(Vector::Ones(75408));
  EXPECT_EQ(counts.minCoeff(), 10);
  EXPECT_EQ(counts.maxCoeff(), 587);
  EXPECT_EQ(patches->hash(), "f4945e0121f8c7055df082f8778c35efd4419ac0e79b9cabdf731e50d6bba32c");
  EXPECT_EQ(task.data_hash, "555280b7e8d4e42212b68377ed1df824fef732d46cddd7fe52e6cda3e4c30260");
  // Floor of the total variation for the uniform law.
  EXPECT_NEAR(testing::total_variation_floor(areas / 400, 1e4), 0.0797, 5e-5);

  // A law with another mixture of eigenfunctions, and points snapped to vertices, are told apart.
  const Points points = task.sampler->sample(100000, Stream(92, "bunny"));
  EXPECT_GT(testing::chi_square_p_value(*task.partition, task.masses, points), testing::alpha);
  const FaceLaw tempered(mesh, std::dynamic_pointer_cast<const FaceLaw>(task.density)->probabilities().array() +
                                   0.02 * mesh->face_areas().array() / mesh->area());
  EXPECT_LT(testing::chi_square_p_value(*task.partition, task.masses, tempered.sample(100000, Stream(92, "bunny"))),
            1e-6);

  // Cached: the second task of a process costs next to nothing.
  const auto loaded = std::chrono::steady_clock::now();
  (void)default_task("bunny-eigen");
  EXPECT_LT(std::chrono::steady_clock::now() - loaded, (loaded - start) / 2);
}

}  // namespace
}  // namespace onmanifold
