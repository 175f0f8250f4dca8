// SPDX-License-Identifier: Apache-2.0
#pragma once
// Closed, oriented triangle surfaces in R^3.

#include <string>

#include "core/points.hpp"
#include "manifolds/closest_point.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// The nearest point of a mesh to a query.
struct ClosestPoint {
  Eigen::Vector3d point;        ///< the query itself where there is none
  Index face = -1;              ///< on ties the lowest; -1: the query is not finite
  Eigen::Vector3d barycentric;  ///< weights of the face's vertices; zero where there is none
  double distance = 0;          ///< |x - point|; NaN where there is none
};

/// The same for a batch, a column or an entry a query.
struct ClosestPoints {
  Points points;          ///< 3×N
  Eigen::VectorXi faces;  ///< N
  Points barycentric;     ///< 3×N
  Vector distances;       ///< N
};

/// Points on a mesh.
struct SurfacePoints {
  Points points;          ///< 3×N
  Eigen::VectorXi faces;  ///< N
  Points barycentric;     ///< 3×N
};

/// A closed, oriented 2-manifold of triangles, faces counter-clockwise seen from the side of their normals.
///
/// Pi(x) is the nearest point by search (ClosestPointIndex); a column that is not finite or beyond 1e150 does
/// not converge. h(x) is the unsigned distance. The normal at y is the normal of the face nearest to y, on
/// edges and vertices of the lowest face there; so x - Pi(x) is normal, and Pi(y + n) = y, inside faces only,
/// for n shorter than half the distance to the medial axis, which shrinks to 0 at edges. Reach 0, scale the
/// diagonal of the bounding box, constraint tolerance 1e-9 times that. Thread-safe.
class TriangleMesh : public Manifold {
 public:
  /// \p vertices 3×V, \p faces 3×F of numbers 0 … V-1. \p path: "path=FILE", how to read it again, for spec().
  /// \throw InvalidInput naming what, how many and the first one: no triangles, a vertex that is not finite
  /// or beyond 1e100, an index out of range, a degenerate face (repeated vertex, or twice its area below
  /// 1e-12 of its longest edge squared), an edge of one face (open) or of more than two (non-manifold), two
  /// faces that run along an edge in the same direction (flipped), a vertex of no face, a vertex whose faces
  /// are not one fan.
  TriangleMesh(Points vertices, Eigen::MatrixXi faces, std::string path = {});

  [[nodiscard]] const Points& vertices() const { return vertices_; }
  [[nodiscard]] const Eigen::MatrixXi& faces() const { return faces_; }
  [[nodiscard]] const Points& face_normals() const { return normals_; }  ///< 3×F, unit
  [[nodiscard]] const Vector& face_areas() const { return areas_; }
  [[nodiscard]] double area() const { return area_; }
  /// V - E + F: 2 for a sphere, 0 for a torus.
  [[nodiscard]] Index euler_characteristic() const;
  /// Diagonal of the bounding box.
  [[nodiscard]] double diagonal() const { return diagonal_; }

  /// The mesh scaled about the origin so that its area is \p area (up to rounding). \throw InvalidInput
  /// unless > 0.
  [[nodiscard]] TriangleMesh scaled_to_area(double area) const;

  [[nodiscard]] ClosestPoint closest_point(const Eigen::Vector3d& x) const;
  /// \p x 3×N. Faster than one by one.
  [[nodiscard]] ClosestPoints closest_points(const PointsRef& x) const;
  [[nodiscard]] const ClosestPointIndex& index() const { return index_; }

  /// \p n points uniform with respect to area. Uniforms of column j of one 3×n draw: face by the first,
  /// sorted uniforms s <= t of the others give the weights (s, t - s, 1 - t).
  [[nodiscard]] SurfacePoints sample_uniform(Index n, Stream stream) const;
  /// The same with faces drawn in proportion to \p face_weights (F numbers >= 0, not all 0), uniform within
  /// faces.
  [[nodiscard]] SurfacePoints sample(Index n, const Vector& face_weights, Stream stream) const;

 private:
  [[nodiscard]] Index do_ambient_dimension() const override { return 3; }
  [[nodiscard]] Index do_dimension() const override { return 2; }
  [[nodiscard]] double do_reach() const override { return 0; }
  [[nodiscard]] double do_scale() const override { return diagonal_; }
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-9 * diagonal_; }
  [[nodiscard]] std::string do_spec() const override;
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;

  // Out of line, so that single queries and batches round alike.
  [[nodiscard, gnu::noinline]] ClosestPoint locate(const Eigen::Vector3d& x, int face) const;

  Points vertices_;
  Eigen::MatrixXi faces_;
  std::string path_;
  double scaled_area_ = 0;  // 0: as in the file
  Points normals_;
  Vector areas_;
  double area_ = 0;
  double diagonal_ = 0;
  ClosestPointIndex index_;
};

}  // namespace onmanifold
