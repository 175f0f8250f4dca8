// SPDX-License-Identifier: Apache-2.0
#pragma once
// Exact closest points on a set of triangles, in about O(log F) a query: a hierarchy of boxes, eight a node,
// over blocks of eight triangles. docs/decisions/closest-point.md says why it is our own.

#include <memory>

#include "core/points.hpp"

namespace onmanifold {

/// The nearest point of one triangle to a query x.
struct TrianglePoint {
  double squared_distance;
  Eigen::Vector3d barycentric;  ///< weights of the face's three vertices, in the face's order; sum 1
};

/// An immutable index over triangles; safe for concurrent use.
///
/// Definition. For a face with vertices sorted by index, d^2(x, face) is the smallest of three squared
/// distances to vertices, three to edges (where the foot lies strictly inside) and one to the plane (where
/// the foot lies strictly inside). Vertices and edges that faces share give the same bits in all of them, so
/// that ties are exact. The answer is the lexicographic minimum of (d^2, face number): on a tie the lowest
/// face. Boxes are in single precision, padded so that they never lose a face; every distance that decides is
/// in double precision, without fused multiply-add, so that the result is that of a search through all faces,
/// bit for bit, on any machine.
class ClosestPointIndex {
 public:
  /// \p vertices 3×V, \p faces 3×F, F >= 1. \pre indices in range, no degenerate face. O(F log F).
  ClosestPointIndex(const Points& vertices, const Eigen::MatrixXi& faces);

  /// Number of the nearest face to each column of \p x (3×N); -1 where the column is not finite or beyond
  /// 1e150. A batch is visited along a space-filling curve, which is about twice as fast as one by one; the
  /// answers do not depend on it.
  [[nodiscard]] Eigen::VectorXi nearest_faces(const PointsRef& x) const;

  /// The same for one point.
  [[nodiscard]] int nearest_face(const Eigen::Vector3d& x) const;

  /// Nearest point of face \p face, with the same bits that decide nearest_face.
  [[nodiscard]] TrianglePoint evaluate(const Eigen::Vector3d& x, Index face) const;

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
};

}  // namespace onmanifold
