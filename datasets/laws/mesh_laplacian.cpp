// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/mesh_laplacian.hpp"

#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/laws/vector3.hpp"

namespace onmanifold {
namespace {

Eigen::Vector3d cross3(const Eigen::Vector3d& a, const Eigen::Vector3d& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

Eigen::Vector3d vertex(const PointsRef& vertices, int i) {
  return {vertices(0, i), vertices(1, i), vertices(2, i)};
}

}  // namespace

Vector face_areas(const PointsRef& vertices, const Eigen::MatrixXi& faces) {
  check_dimension(vertices, 3, "vertices");
  Vector areas(faces.cols());
  for (Index f = 0; f < faces.cols(); ++f) {
    for (Index c = 0; c < 3; ++c) {
      if (faces(c, f) < 0 || faces(c, f) >= vertices.cols()) {
        throw InvalidInput(fmt::format("face {} names vertex {} of {}", f, faces(c, f), vertices.cols()));
      }
    }
    const Eigen::Vector3d a = vertex(vertices, faces(0, f));
    areas[f] = norm3(cross3(vertex(vertices, faces(1, f)) - a, vertex(vertices, faces(2, f)) - a)) / 2;
  }
  return areas;
}

MeshLaplacian mesh_laplacian(const PointsRef& vertices, const Eigen::MatrixXi& faces) {
  const Vector areas = face_areas(vertices, faces);
  std::vector<Eigen::Triplet<double>> entries;
  entries.reserve(static_cast<std::size_t>(12 * faces.cols()));
  MeshLaplacian result;
  result.mass = Vector::Zero(vertices.cols());
  for (Index f = 0; f < faces.cols(); ++f) {
    if (!(areas[f] > 0)) throw InvalidInput(fmt::format("face {} has no area", f));
    double dots[3];     // at corner c: product of the two edges that leave it, 2 area cot(angle)
    double lengths[3];  // square of the edge opposite to corner c
    for (int c = 0; c < 3; ++c) {
      const Eigen::Vector3d corner = vertex(vertices, faces(c, f));
      const Eigen::Vector3d next = vertex(vertices, faces((c + 1) % 3, f));
      const Eigen::Vector3d last = vertex(vertices, faces((c + 2) % 3, f));
      dots[c] = dot3(next - corner, last - corner);
      lengths[c] = dot3(last - next, last - next);
    }
    const bool obtuse = dots[0] < 0 || dots[1] < 0 || dots[2] < 0;
    for (int c = 0; c < 3; ++c) {
      const int i = faces((c + 1) % 3, f);
      const int j = faces((c + 2) % 3, f);
      const double half_cotangent = dots[c] / (4 * areas[f]);
      entries.emplace_back(i, i, half_cotangent);
      entries.emplace_back(j, j, half_cotangent);
      entries.emplace_back(i, j, -half_cotangent);
      entries.emplace_back(j, i, -half_cotangent);
      if (obtuse) {
        result.mass[faces(c, f)] += areas[f] * (dots[c] < 0 ? 0.5 : 0.25);
      } else {
        // The edge opposite to c gives |e|² cot(angle at c)/8 to both of its ends.
        result.mass[i] += lengths[c] * half_cotangent / 4;
        result.mass[j] += lengths[c] * half_cotangent / 4;
      }
    }
  }
  result.stiffness.resize(vertices.cols(), vertices.cols());
  result.stiffness.setFromTriplets(entries.begin(), entries.end());
  return result;
}

}  // namespace onmanifold
