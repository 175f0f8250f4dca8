// SPDX-License-Identifier: Apache-2.0
#include "manifolds/polygon.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <Eigen/Geometry>

namespace onmanifold {
namespace {

// An outline of more corners is damage: the test for crossings looks at all pairs of sides.
constexpr std::size_t most_corners = 10000;
// Of the square of the polygon's size: less is a straight line.
constexpr double flat = 1e-12;

using Plane = Eigen::Matrix<double, 2, Eigen::Dynamic>;

// Twice the signed area of a b c.
double turn(const Eigen::Vector2d& a, const Eigen::Vector2d& b, const Eigen::Vector2d& c) {
  return (b - a).x() * (c - a).y() - (b - a).y() * (c - a).x();
}

// The corners in the plane of best fit, within the unit square, counter-clockwise; nothing if there is no such plane.
Plane flattened(const Points& vertices, const std::vector<int>& corners) {
  Eigen::Matrix<double, 3, Eigen::Dynamic> x(3, static_cast<Index>(corners.size()));
  for (std::size_t i = 0; i < corners.size(); ++i) x.col(static_cast<Index>(i)) = vertices.col(corners[i]);
  const double size = (x.rowwise().maxCoeff() - x.rowwise().minCoeff()).maxCoeff();
  if (!(size > 0) || !std::isfinite(size)) return {};
  const Eigen::Vector3d origin = x.col(0);
  x = (x.colwise() - origin) / size;
  Eigen::Vector3d normal = Eigen::Vector3d::Zero();
  for (Index i = 0; i < x.cols(); ++i) {
    normal += Eigen::Vector3d(x.col(i)).cross(Eigen::Vector3d(x.col((i + 1) % x.cols())));
  }
  if (!(normal.norm() > flat)) return {};
  normal.normalize();
  const Eigen::Vector3d first = normal.unitOrthogonal();
  Plane plane(2, x.cols());
  plane.row(0) = first.transpose() * x;
  plane.row(1) = normal.cross(first).transpose() * x;
  return plane;
}

// All corners turn left or go straight on, and once around in all.
bool is_convex(const Plane& x) {
  const Index n = x.cols();
  double angle = 0;
  for (Index i = 0; i < n; ++i) {
    const Eigen::Vector2d in = x.col((i + 1) % n) - x.col(i);
    const Eigen::Vector2d out = x.col((i + 2) % n) - x.col((i + 1) % n);
    const double cross = in.x() * out.y() - in.y() * out.x();
    if (cross < -flat || (std::abs(cross) <= flat && in.dot(out) <= 0)) return false;
    angle += std::atan2(cross, in.dot(out));
  }
  return angle < 3 * M_PI;
}

bool on_segment(const Eigen::Vector2d& p, const Eigen::Vector2d& a, const Eigen::Vector2d& b) {
  return std::abs(turn(a, b, p)) <= flat && (p - a).dot(p - b) <= 0;
}

bool sides_meet(const Eigen::Vector2d& a, const Eigen::Vector2d& b, const Eigen::Vector2d& c,
                const Eigen::Vector2d& d) {
  const bool apart_of_ab = (turn(a, b, c) > 0) == (turn(a, b, d) > 0);
  const bool apart_of_cd = (turn(c, d, a) > 0) == (turn(c, d, b) > 0);
  return (!apart_of_ab && !apart_of_cd) || on_segment(c, a, b) || on_segment(d, a, b) || on_segment(a, c, d) ||
         on_segment(b, c, d);
}

bool is_simple(const Plane& x) {
  const Index n = x.cols();
  for (Index i = 0; i < n; ++i) {
    // Back along the side before it.
    const Eigen::Vector2d side = x.col((i + 1) % n) - x.col(i);
    const Eigen::Vector2d next = x.col((i + 2) % n) - x.col((i + 1) % n);
    if (std::abs(side.x() * next.y() - side.y() * next.x()) <= flat && side.dot(next) <= 0) return false;
    for (Index j = i + 2; j < n; ++j) {
      if (i == 0 && j == n - 1) continue;  // neighbours
      if (sides_meet(x.col(i), x.col(i + 1), x.col(j), x.col((j + 1) % n))) return false;
    }
  }
  return true;
}

bool fan_covers(const Plane& x) {
  for (Index i = 1; i + 1 < x.cols(); ++i) {
    if (turn(x.col(0), x.col(i), x.col(i + 1)) <= flat) return false;
  }
  return true;
}

// Whether the corner at place \p k of \p left can be cut off: it turns left, and no other corner lies in its triangle.
bool is_ear(const Plane& x, const std::vector<int>& left, std::size_t k) {
  const std::size_t n = left.size();
  const Eigen::Vector2d a = x.col(left[(k + n - 1) % n]);
  const Eigen::Vector2d b = x.col(left[k]);
  const Eigen::Vector2d c = x.col(left[(k + 1) % n]);
  if (turn(a, b, c) <= flat) return false;
  for (std::size_t i = 2; i + 1 < n; ++i) {
    const Eigen::Vector2d p = x.col(left[(k + i) % n]);
    if (turn(a, b, p) >= -flat && turn(b, c, p) >= -flat && turn(c, a, p) >= -flat) return false;
  }
  return true;
}

bool clip_ears(const Plane& x, const std::vector<int>& corners, std::vector<int>& triangles) {
  std::vector<int> left(corners.size());
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = static_cast<int>(i);
  std::vector<int> cut;
  std::size_t k = 1;
  for (std::size_t tried = 0; left.size() > 3; ++tried) {
    const std::size_t n = left.size();
    if (tried == n) return false;  // only slivers are left
    k %= n;
    if (!is_ear(x, left, k)) {
      ++k;
      continue;
    }
    for (const std::size_t place : {(k + n - 1) % n, k, (k + 1) % n}) {
      cut.push_back(corners[static_cast<std::size_t>(left[place])]);
    }
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(k));
    tried = static_cast<std::size_t>(-1);
  }
  if (turn(x.col(left[0]), x.col(left[1]), x.col(left[2])) <= flat) return false;
  for (const int place : left) cut.push_back(corners[static_cast<std::size_t>(place)]);
  triangles.insert(triangles.end(), cut.begin(), cut.end());
  return true;
}

}  // namespace

bool triangulate_polygon(const Points& vertices, const std::vector<int>& corners, std::vector<int>& triangles) {
  if (corners.size() == 3) {
    triangles.insert(triangles.end(), corners.begin(), corners.end());
    return true;
  }
  if (corners.size() < 3 || corners.size() > most_corners) return false;
  const Plane x = flattened(vertices, corners);
  if (x.cols() == 0 || !(is_convex(x) || is_simple(x))) return false;
  if (!fan_covers(x)) return clip_ears(x, corners, triangles);
  for (std::size_t i = 1; i + 1 < corners.size(); ++i) {
    for (const int corner : {corners[0], corners[i], corners[i + 1]}) triangles.push_back(corner);
  }
  return true;
}

}  // namespace onmanifold
