// SPDX-License-Identifier: Apache-2.0
#include "manifolds/triangle_mesh.hpp"

#include <cmath>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/test_meshes.hpp"

namespace onmanifold {
namespace {

using test::MeshArrays;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

TriangleMesh make(const MeshArrays& arrays) {
  return {arrays.vertices, arrays.faces};
}

TEST(TriangleMeshTest, AreasNormalsAndTopology) {
  const TriangleMesh cube = make(test::cube());
  EXPECT_DOUBLE_EQ(cube.area(), 24);
  EXPECT_EQ(cube.euler_characteristic(), 2);
  EXPECT_DOUBLE_EQ(cube.diagonal(), std::sqrt(12.0));
  EXPECT_EQ(cube.dimension(), 2);
  EXPECT_EQ(cube.ambient_dimension(), 3);
  EXPECT_EQ(cube.reach(), 0);
  EXPECT_EQ(cube.constraint_tolerance(), 1e-9 * cube.scale());
  for (Index f = 0; f < 12; ++f) {
    EXPECT_DOUBLE_EQ(cube.face_areas()(f), 2);
    // Outward: the normal of a face of the cube is the axis on which its three vertices agree.
    EXPECT_EQ(cube.face_normals().col(f).dot(cube.vertices().col(cube.faces()(0, f))), 1);
  }
  EXPECT_DOUBLE_EQ(make(test::tetrahedron()).area(), 8 * std::sqrt(3.0));
  EXPECT_EQ(make(test::torus(1, 0.3, 20, 10)).euler_characteristic(), 0);
  EXPECT_NEAR(make(test::octasphere(5)).area(), 4 * M_PI, 0.01);
  EXPECT_NEAR(make(test::torus(2, 0.5, 200, 100)).area(), 4 * M_PI * M_PI, 0.02);
}

TEST(TriangleMeshTest, ScalesToAnArea) {
  const TriangleMesh scaled = make(test::torus(1, 0.3, 20, 10)).scaled_to_area(4 * M_PI);
  EXPECT_NEAR(scaled.area(), 4 * M_PI, 1e-13);
  EXPECT_THAT([&] { (void)scaled.scaled_to_area(0); }, ThrowsMessage<InvalidInput>(HasSubstr("area = 0")));
}

TEST(TriangleMeshTest, ClosestPointsOfACube) {
  const TriangleMesh cube = make(test::cube());
  // Inside a face, beyond an edge, beyond a corner.
  const ClosestPoint face = cube.closest_point(Eigen::Vector3d(0.3, -0.2, 4));
  EXPECT_LT((face.point - Eigen::Vector3d(0.3, -0.2, 1)).norm(), 1e-15);
  EXPECT_EQ(face.distance, 3);
  EXPECT_NEAR(face.barycentric.sum(), 1, 1e-15);
  const ClosestPoint edge = cube.closest_point(Eigen::Vector3d(4, 0.25, 5));
  EXPECT_LT((edge.point - Eigen::Vector3d(1, 0.25, 1)).norm(), 1e-15);
  EXPECT_EQ(edge.distance, 5);
  EXPECT_EQ((edge.barycentric.array() == 0).count(), 1);
  const ClosestPoint corner = cube.closest_point(Eigen::Vector3d(-2, -3, -3));
  EXPECT_EQ(corner.point, Eigen::Vector3d(-1, -1, -1));
  EXPECT_EQ(corner.distance, 3);
  // The inside counts like the outside.
  EXPECT_NEAR(cube.residual(Eigen::Vector3d(0.5, 0, 0))(0, 0), 0.5, 1e-16);
  // At the centre all six sides tie: the lowest face.
  EXPECT_EQ(cube.closest_point(Eigen::Vector3d::Zero()).face, 0);
}

TEST(TriangleMeshTest, ProjectionCountsWhatIsNotFinite) {
  const TriangleMesh cube = make(test::cube());
  Points x = Points::Constant(3, 3, 2);
  x(1, 1) = std::numeric_limits<double>::quiet_NaN();
  const Projection projection = cube.project(x);
  EXPECT_EQ(projection.failures(), 1);
  EXPECT_FALSE(projection.converged(1));
  EXPECT_EQ(projection.points(0, 1), 2);
  EXPECT_TRUE(std::isnan(projection.distance(1)));
  EXPECT_TRUE(std::isnan(cube.residual(x)(0, 1)));
  EXPECT_EQ(projection.points.col(0), Eigen::Vector3d(1, 1, 1));
}

TEST(TriangleMeshTest, ProjectionOnASphereIsRadial) {
  // Chords of the finest level are 1 - 1.5e-3 away from the centre at worst.
  const TriangleMesh sphere = make(test::octasphere(5));
  const Points x = Stream(1, "radial").normal(3, 500);
  const Projection projection = sphere.project(x);
  for (Index j = 0; j < x.cols(); ++j) {
    EXPECT_NEAR(projection.points.col(j).norm(), 1, 2e-3);
    EXPECT_NEAR(projection.distance(j), std::abs(x.col(j).norm() - 1), 2e-3);
  }
}

TEST(TriangleMeshTest, SamplesAreUniform) {
  // 800 faces of unequal area. Chi-square with 799 degrees of freedom, upper 1e-3 quantile 930.0
  // (Wilson-Hilferty).
  const TriangleMesh torus = make(test::torus(1, 0.6, 20, 20));
  const Index n = 80000;
  const SurfacePoints sample = torus.sample_uniform(n, Stream(21, "uniform"));
  Vector counts = Vector::Zero(800);
  for (Index j = 0; j < n; ++j) counts(sample.faces(j)) += 1;
  const Vector expected = torus.face_areas() * (static_cast<double>(n) / torus.area());
  EXPECT_LT(((counts - expected).array().square() / expected.array()).sum(), 930.0);
  // Within faces: each barycentric weight w has P(w > 1/2) = 1/4, P(w > 3/4) = 1/16; three deviations and a
  // half.
  for (int i = 0; i < 3; ++i) {
    const auto w = sample.barycentric.row(i).array();
    EXPECT_NEAR(static_cast<double>((w > 0.5).count()) / n, 0.25, 3.5 * std::sqrt(0.1875 / n));
    EXPECT_NEAR(static_cast<double>((w > 0.75).count()) / n, 0.0625, 3.5 * std::sqrt(0.0586 / n));
    EXPECT_GE(w.minCoeff(), 0);
  }
  // Negative control: weights that ignore the area are caught by the same statistic.
  const SurfacePoints wrong = torus.sample(n, Vector::Ones(800), Stream(21, "uniform"));
  counts.setZero();
  for (Index j = 0; j < n; ++j) counts(wrong.faces(j)) += 1;
  EXPECT_GT(((counts - expected).array().square() / expected.array()).sum(), 2000.0);
}

TEST(TriangleMeshTest, SampleHonoursZeroWeights) {
  const TriangleMesh cube = make(test::cube());
  Vector weights = Vector::Zero(12);
  weights(3) = 1;
  weights(7) = 3;
  const SurfacePoints sample = cube.sample(4000, weights, Stream(22, "weights"));
  const double share = static_cast<double>((sample.faces.array() == 7).count()) / 4000;
  EXPECT_EQ((sample.faces.array() == 3).count() + (sample.faces.array() == 7).count(), 4000);
  EXPECT_NEAR(share, 0.75, 3.5 * std::sqrt(0.1875 / 4000));
  EXPECT_THAT([&] { (void)cube.sample(1, Vector::Zero(12), Stream(1, "")); },
              ThrowsMessage<InvalidInput>(HasSubstr("all face weights are zero")));
  weights(0) = -1;
  EXPECT_THAT([&] { (void)cube.sample(1, weights, Stream(1, "")); },
              ThrowsMessage<InvalidInput>(HasSubstr("weight -1 of face 0")));
  EXPECT_THAT([&] { (void)cube.sample(1, Vector::Ones(3), Stream(1, "")); },
              ThrowsMessage<InvalidInput>(HasSubstr("3 weights for 12 faces")));
}

TEST(TriangleMeshTest, ConcurrentQueriesAgree) {
  const TriangleMesh sphere = make(test::octasphere(3));
  const Points x = 2 * Stream(2, "threads").normal(3, 2000);
  Projection results[2];
  std::thread other([&] { results[1] = sphere.project(x); });
  results[0] = sphere.project(x);
  other.join();
  EXPECT_EQ(results[0].points, results[1].points);
}

// What is not a closed, oriented 2-manifold.
void expect_rejected(const MeshArrays& arrays, const char* what, const char* where) {
  EXPECT_THAT([&] { TriangleMesh(arrays.vertices, arrays.faces); },
              ThrowsMessage<InvalidInput>(AllOf(HasSubstr(what), HasSubstr(where))));
}

MeshArrays joined(const MeshArrays& a, const MeshArrays& b) {
  MeshArrays result{Points(3, a.vertices.cols() + b.vertices.cols()),
                    Eigen::MatrixXi(3, a.faces.cols() + b.faces.cols())};
  result.vertices << a.vertices, b.vertices;
  result.faces << a.faces, b.faces.array() + static_cast<int>(a.vertices.cols());
  return result;
}

TEST(TriangleMeshTest, RejectsOpenMeshes) {
  MeshArrays arrays = test::cube();
  arrays.faces = arrays.faces.leftCols(11).eval();
  expect_rejected(arrays, "the surface is open (3 in all)", "edge 1-5 belongs to face 4 alone");
}

TEST(TriangleMeshTest, RejectsFlippedFaces) {
  MeshArrays arrays = test::cube();
  std::swap(arrays.faces(0, 4), arrays.faces(1, 4));
  expect_rejected(arrays, "a face is flipped (3 in all)", "faces 1 and 4 run along edge 0-1");
}

TEST(TriangleMeshTest, RejectsEdgesOfMoreThanTwoFaces) {
  MeshArrays arrays = joined(test::cube(), test::tetrahedron());
  // Glue an edge of the tetrahedron to an edge of the cube.
  arrays.faces = (arrays.faces.array() == 8).select(0, arrays.faces);
  arrays.faces = (arrays.faces.array() == 9).select(1, arrays.faces);
  expect_rejected(arrays, "an edge is not manifold (1 in all)", "edge 0-1 belongs to 4 faces, the first is 1");
}

TEST(TriangleMeshTest, RejectsPinchedVertices) {
  MeshArrays arrays = joined(test::cube(), test::tetrahedron());
  arrays.faces = (arrays.faces.array() == 8).select(0, arrays.faces);
  arrays.faces = (arrays.faces.array() == 11).select(8, arrays.faces);
  arrays.vertices = arrays.vertices.leftCols(11).eval();
  expect_rejected(arrays, "the faces around a vertex are not one fan (1 in all)", "vertex 0 has");
}

TEST(TriangleMeshTest, RejectsUnusedVertices) {
  MeshArrays arrays = test::cube();
  arrays.vertices.conservativeResize(3, 9);
  arrays.vertices.col(8).setZero();
  expect_rejected(arrays, "a vertex belongs to no face (1 in all)", "vertex 8");
}

TEST(TriangleMeshTest, RejectsDegenerateFaces) {
  MeshArrays repeated = test::cube();
  repeated.faces(1, 5) = repeated.faces(0, 5);
  expect_rejected(repeated, "a face is degenerate (1 in all)", "face 5 repeats a vertex");
  MeshArrays flat = test::tetrahedron();
  flat.vertices.col(3) = (flat.vertices.col(0) + flat.vertices.col(1)) / 2;
  expect_rejected(flat, "a face is degenerate (1 in all)", "has area");
}

TEST(TriangleMeshTest, RejectsBadNumbers) {
  MeshArrays range = test::cube();
  range.faces(2, 7) = 8;
  expect_rejected(range, "an index is out of range (1 in all)", "face 7 names vertex 8 of 8");
  range.faces(2, 7) = -1;
  expect_rejected(range, "an index is out of range (1 in all)", "face 7 names vertex -1 of 8");
  MeshArrays infinite = test::cube();
  infinite.vertices(1, 3) = std::numeric_limits<double>::quiet_NaN();
  infinite.vertices(1, 5) = std::numeric_limits<double>::infinity();
  expect_rejected(infinite, "a vertex is not finite or beyond 1e100 (2 in all)", "vertex 3");
  expect_rejected({Points(3, 0), Eigen::MatrixXi(3, 0)}, "no triangles", "mesh");
  expect_rejected({Points::Zero(2, 4), Eigen::MatrixXi::Zero(3, 4)}, "vertices have 2 rows", "mesh");
}

}  // namespace
}  // namespace onmanifold
