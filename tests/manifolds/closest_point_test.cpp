// SPDX-License-Identifier: Apache-2.0
#include "manifolds/closest_point.hpp"

#include <cmath>
#include <limits>

#include <Eigen/Geometry>
#include <gtest/gtest.h>

#include "core/random/stream.hpp"
#include "manifolds/triangle_mesh.hpp"
#include "tests/support/test_meshes.hpp"

namespace onmanifold {
namespace {

using test::MeshArrays;

struct Found {
  double square = std::numeric_limits<double>::infinity();
  int face = -1;
};

// The definition, face by face.
Found search_all(const ClosestPointIndex& index, Index faces, const Eigen::Vector3d& x) {
  Found best;
  for (Index f = 0; f < faces; ++f) {
    const double square = index.evaluate(x, f).squared_distance;
    if (square < best.square) best = {square, static_cast<int>(f)};
  }
  return best;
}

// An independent distance: the smallest over a quadratic programme's candidate sets, in long double, by
// solving the normal equations of plane and edges and clamping.
long double reference_distance(const Eigen::Vector3d& query, const Eigen::Vector3d& pa, const Eigen::Vector3d& pb,
                               const Eigen::Vector3d& pc) {
  using V = Eigen::Matrix<long double, 3, 1>;
  const V x = query.cast<long double>();
  const V a = pa.cast<long double>();
  const V b = pb.cast<long double>();
  const V c = pc.cast<long double>();
  const V n = (b - a).cross(c - a);
  const V foot = x - n * (n.dot(x - a) / n.squaredNorm());
  const bool inside =
      n.dot((b - a).cross(foot - a)) >= 0 && n.dot((c - b).cross(foot - b)) >= 0 && n.dot((a - c).cross(foot - c)) >= 0;
  if (inside) return std::abs(n.dot(x - a)) / n.norm();
  long double best = std::numeric_limits<long double>::infinity();
  const auto edge = [&](const V& u, const V& v) {
    const V e = v - u;
    const long double t = std::clamp<long double>(e.dot(x - u) / e.squaredNorm(), 0, 1);
    best = std::min(best, (x - u - t * e).norm());
  };
  edge(a, b);
  edge(b, c);
  edge(c, a);
  return best;
}

void expect_exact(const MeshArrays& mesh, const Points& x, const char* what) {
  const ClosestPointIndex index(mesh.vertices, mesh.faces);
  const Eigen::VectorXi batch = index.nearest_faces(x);
  for (Index j = 0; j < x.cols(); ++j) {
    const Found expected = search_all(index, mesh.faces.cols(), x.col(j));
    ASSERT_EQ(batch(j), expected.face) << what << ", query " << j << ": " << x.col(j).transpose();
    ASSERT_EQ(index.nearest_face(x.col(j)), expected.face) << what << ", query " << j << " alone";
    ASSERT_EQ(index.evaluate(x.col(j), batch(j)).squared_distance, expected.square);
  }
}

Points uniform_in(const MeshArrays& mesh, double margin, Index n, Stream stream) {
  const Eigen::Vector3d low = mesh.vertices.rowwise().minCoeff();
  const Eigen::Vector3d size = mesh.vertices.rowwise().maxCoeff() - mesh.vertices.rowwise().minCoeff();
  Points x = stream.uniform(3, n);
  for (Index j = 0; j < n; ++j) {
    x.col(j).head<3>() =
        low + ((1 + 2 * margin) * x.col(j).head<3>() - Eigen::Vector3d::Constant(margin)).cwiseProduct(size);
  }
  return x;
}

class ClosestPointTest : public testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] static MeshArrays mesh() {
    const std::string name = GetParam();
    if (name == "tetrahedron") return test::tetrahedron();
    if (name == "cube") return test::cube();
    if (name == "sheet") return test::box(1, 1, 1e-9);
    if (name == "torus") return test::torus(1, 0.3, 40, 20);
    if (name == "shifted") {
      MeshArrays arrays = test::octasphere(3);
      arrays.vertices = (1e-3 * arrays.vertices).colwise() + Eigen::Vector3d(1e3, -2e3, 5e2);
      return arrays;
    }
    return test::octasphere(4);
  }
};

TEST_P(ClosestPointTest, EqualsTheSearchThroughAllFaces) {
  const MeshArrays arrays = mesh();
  const Stream stream(11, "closest");
  expect_exact(arrays, uniform_in(arrays, 0.05, 300, stream.at("box")), "around the box");
  expect_exact(arrays, uniform_in(arrays, 20, 100, stream.at("far")), "far away");
  expect_exact(arrays, uniform_in(arrays, 1e12, 20, stream.at("very far")), "very far away");

  const TriangleMesh manifold(arrays.vertices, arrays.faces);
  const Points on = manifold.sample_uniform(200, stream.at("on")).points;
  expect_exact(arrays, on, "on the surface");
  expect_exact(arrays, on + 1e-3 * manifold.scale() * stream.at("near").normal(3, 200), "near the surface");
}

TEST_P(ClosestPointTest, TiesOnVerticesAndEdgesGoToTheLowestFace) {
  const MeshArrays arrays = mesh();
  const ClosestPointIndex index(arrays.vertices, arrays.faces);
  const Index step = std::max<Index>(1, arrays.vertices.cols() / 100);
  for (Index v = 0; v < arrays.vertices.cols(); v += step) {
    Index lowest = 0;
    while ((arrays.faces.col(lowest).array() != static_cast<int>(v)).all()) ++lowest;
    EXPECT_EQ(index.nearest_face(arrays.vertices.col(v)), lowest) << "vertex " << v;
    EXPECT_EQ(index.evaluate(arrays.vertices.col(v), lowest).squared_distance, 0);
  }
  // Beyond an edge of a convex mesh every point of a wedge is nearest to that edge: both faces must give
  // equal bits.
  const std::string name = GetParam();
  if (name == "torus" || name == "sheet") return;
  Points beyond(3, 3 * 100);
  const Eigen::Vector3d centre = arrays.vertices.rowwise().mean();
  for (Index i = 0; i < beyond.cols(); ++i) {
    const Index f = i % arrays.faces.cols();
    const Eigen::Vector3d u = arrays.vertices.col(arrays.faces(i % 3, f));
    const Eigen::Vector3d w = arrays.vertices.col(arrays.faces((i + 1) % 3, f));
    const Eigen::Vector3d middle = 0.3 * u + 0.7 * w;
    beyond.col(i).head<3>() = middle + 0.37 * (middle - centre);
  }
  expect_exact(arrays, beyond, "beyond edges");
}

TEST_P(ClosestPointTest, DistanceAgreesWithAnIndependentOne) {
  const MeshArrays arrays = mesh();
  const ClosestPointIndex index(arrays.vertices, arrays.faces);
  const Points x = uniform_in(arrays, 0.5, 60, Stream(12, "independent"));
  const double size = arrays.vertices.cwiseAbs().maxCoeff();
  for (Index j = 0; j < x.cols(); ++j) {
    const Index step = std::max<Index>(1, arrays.faces.cols() / 50);
    for (Index f = 0; f < arrays.faces.cols(); f += step) {
      const double mine = std::sqrt(index.evaluate(x.col(j), f).squared_distance);
      const auto reference = static_cast<double>(reference_distance(x.col(j), arrays.vertices.col(arrays.faces(0, f)),
                                                                    arrays.vertices.col(arrays.faces(1, f)),
                                                                    arrays.vertices.col(arrays.faces(2, f))));
      // Ten roundings of the difference vectors; where the distance is small beside them, ten of those
      // lengths.
      EXPECT_NEAR(mine, reference,
                  1e-15 * (4 * reference + 4 * (x.col(j) - arrays.vertices.col(arrays.faces(0, f))).norm()))
          << "face " << f << ", size " << size;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Meshes, ClosestPointTest,
                         testing::Values("tetrahedron", "cube", "sheet", "torus", "octasphere", "shifted"),
                         [](const auto& mesh) { return std::string(mesh.param); });

TEST(ClosestPointIndexTest, HasNoAnswerForNonFiniteQueries) {
  const MeshArrays arrays = test::cube();
  const ClosestPointIndex index(arrays.vertices, arrays.faces);
  const double bad[] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                        -std::numeric_limits<double>::infinity(), 1e160};
  for (int axis = 0; axis < 3; ++axis) {
    for (const double value : bad) {
      Points x = Points::Zero(3, 3);
      x(axis, 1) = value;
      const Eigen::VectorXi faces = index.nearest_faces(x);
      EXPECT_EQ(faces(1), -1);
      EXPECT_GE(faces(0), 0);
      EXPECT_GE(faces(2), 0);
      EXPECT_EQ(index.nearest_face(x.col(1)), -1);
    }
  }
}

TEST(ClosestPointIndexTest, BatchesDoNotDependOnTheirCompany) {
  const MeshArrays arrays = test::octasphere(3);
  const ClosestPointIndex index(arrays.vertices, arrays.faces);
  const Points x = 2 * Stream(13, "company").normal(3, 2000);
  const Eigen::VectorXi all = index.nearest_faces(x);
  EXPECT_EQ(index.nearest_faces(x.leftCols(700)), all.head(700));
  EXPECT_EQ(index.nearest_faces(x.rowwise().reverse()), all.reverse());
}

}  // namespace
}  // namespace onmanifold
