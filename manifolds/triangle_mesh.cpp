// SPDX-License-Identifier: Apache-2.0
#include "manifolds/triangle_mesh.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <Eigen/Geometry>
#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Counts offences of one kind and keeps the first.
struct Offence {
  Index count = 0;
  std::string first;
  template <class... Args>
  void add(fmt::format_string<Args...> text, Args&&... args) {
    if (count++ == 0) first = fmt::format(text, std::forward<Args>(args)...);
  }
  void check(std::string_view what) const {
    if (count > 0) throw InvalidInput(fmt::format("mesh: {} ({} in all): {}", what, count, first));
  }
};

struct HalfEdge {
  int low;
  int high;
  int corner;  // 3 · face + place of the edge's first vertex
  bool forward;
};

void check_arrays(const Points& vertices, const Eigen::MatrixXi& faces) {
  if (vertices.rows() != 3 || faces.rows() != 3) {
    throw InvalidInput(
        fmt::format("mesh: vertices have {} rows and faces {}, expected 3 and 3", vertices.rows(), faces.rows()));
  }
  if (faces.cols() == 0) throw InvalidInput("mesh: it has no triangles");
  if (faces.cols() > std::numeric_limits<int>::max() / 8) throw InvalidInput("mesh: too many triangles");
  Offence bad_vertex;
  for (Index v = 0; v < vertices.cols(); ++v) {
    if (!(vertices.col(v).cwiseAbs().maxCoeff<Eigen::PropagateNaN>() <= 1e100)) bad_vertex.add("vertex {}", v);
  }
  bad_vertex.check("a vertex is not finite or beyond 1e100");
  Offence bad_index;
  for (Index f = 0; f < faces.cols(); ++f) {
    for (int i = 0; i < 3; ++i) {
      if (faces(i, f) < 0 || faces(i, f) >= vertices.cols()) {
        bad_index.add("face {} names vertex {} of {}", f, faces(i, f), vertices.cols());
      }
    }
  }
  bad_index.check("an index is out of range");
}

// A power of two, so that nothing is rounded, that brings the largest coordinate near 1: squares and products of it
// neither overflow nor vanish.
double unit_scale(const Points& vertices) {
  const double largest = vertices.cwiseAbs().maxCoeff();
  return largest > 0 ? std::ldexp(1.0, -std::ilogb(largest)) : 1;
}

void check_faces(const Points& vertices, const Eigen::MatrixXi& faces) {
  const double scale = unit_scale(vertices);
  Offence degenerate;
  for (Index f = 0; f < faces.cols(); ++f) {
    if (faces(0, f) == faces(1, f) || faces(1, f) == faces(2, f) || faces(2, f) == faces(0, f)) {
      degenerate.add("face {} repeats a vertex ({}, {}, {})", f, faces(0, f), faces(1, f), faces(2, f));
      continue;
    }
    const Eigen::Vector3d ab = scale * (vertices.col(faces(1, f)) - vertices.col(faces(0, f)));
    const Eigen::Vector3d ac = scale * (vertices.col(faces(2, f)) - vertices.col(faces(0, f)));
    const double longest = std::max({ab.squaredNorm(), ac.squaredNorm(), (ac - ab).squaredNorm()});
    const double twice_area = ab.cross(ac).norm();
    if (!(twice_area > 1e-12 * longest) || !(twice_area * twice_area > 1e-280)) {
      degenerate.add("face {} has area {}", f, twice_area / 2 / scale / scale);
    }
  }
  degenerate.check("a face is degenerate");
}

// Every edge once forward and once backward. Returns for each corner 3f + i the corner of the face on the
// other side of the edge from place i to place i + 1.
std::vector<int> check_edges(const Eigen::MatrixXi& faces) {
  std::vector<HalfEdge> edges;
  edges.reserve(static_cast<std::size_t>(3 * faces.cols()));
  for (Index f = 0; f < faces.cols(); ++f) {
    for (int i = 0; i < 3; ++i) {
      const int u = faces(i, f);
      const int v = faces((i + 1) % 3, f);
      edges.push_back({std::min(u, v), std::max(u, v), static_cast<int>(3 * f + i), u < v});
    }
  }
  std::sort(edges.begin(), edges.end(), [](const HalfEdge& a, const HalfEdge& b) {
    if (a.low != b.low) return a.low < b.low;
    return a.high != b.high ? a.high < b.high : a.corner < b.corner;
  });
  std::vector<int> opposite(edges.size(), -1);
  Offence open;
  Offence crowded;
  Offence flipped;
  for (std::size_t begin = 0; begin < edges.size();) {
    std::size_t end = begin + 1;
    while (end < edges.size() && edges[end].low == edges[begin].low && edges[end].high == edges[begin].high) ++end;
    const HalfEdge& e = edges[begin];
    if (end - begin == 1) {
      open.add("edge {}-{} belongs to face {} alone", e.low, e.high, e.corner / 3);
    } else if (end - begin > 2) {
      crowded.add("edge {}-{} belongs to {} faces, the first is {}", e.low, e.high, end - begin, e.corner / 3);
    } else if (e.forward == edges[begin + 1].forward) {
      flipped.add("faces {} and {} run along edge {}-{} in the same direction", e.corner / 3,
                  edges[begin + 1].corner / 3, e.low, e.high);
    } else {
      opposite[static_cast<std::size_t>(e.corner)] = edges[begin + 1].corner;
      opposite[static_cast<std::size_t>(edges[begin + 1].corner)] = e.corner;
    }
    begin = end;
  }
  crowded.check("an edge is not manifold");
  open.check("the surface is open");
  flipped.check("a face is flipped");
  return opposite;
}

void check_vertices(const Points& vertices, const Eigen::MatrixXi& faces, const std::vector<int>& opposite) {
  std::vector<int> degree(static_cast<std::size_t>(vertices.cols()), 0);
  std::vector<int> some_corner(static_cast<std::size_t>(vertices.cols()), -1);
  for (Index f = 0; f < faces.cols(); ++f) {
    for (int i = 0; i < 3; ++i) {
      const auto v = static_cast<std::size_t>(faces(i, f));
      ++degree[v];
      some_corner[v] = static_cast<int>(3 * f + i);
    }
  }
  Offence unused;
  Offence pinched;
  for (std::size_t v = 0; v < degree.size(); ++v) {
    if (degree[v] == 0) {
      unused.add("vertex {}", v);
      continue;
    }
    int corner = some_corner[v];
    int met = 0;
    do {  // cross the edge that leaves v: on the other side it arrives at v, and the next corner there is v's
      const int other = opposite[static_cast<std::size_t>(corner)];
      corner = other - other % 3 + (other + 1) % 3;
      ++met;
    } while (corner != some_corner[v] && met <= degree[v]);
    if (met != degree[v]) pinched.add("vertex {} has {} faces, {} of them in the first fan", v, degree[v], met);
  }
  unused.check("a vertex belongs to no face");
  pinched.check("the faces around a vertex are not one fan");
}

// Checks before anything is computed from the arrays; used in the initialiser list.
const Eigen::MatrixXi& checked(const Points& vertices, const Eigen::MatrixXi& faces) {
  check_arrays(vertices, faces);
  check_faces(vertices, faces);
  check_vertices(vertices, faces, check_edges(faces));
  return faces;
}

}  // namespace

TriangleMesh::TriangleMesh(Points vertices, Eigen::MatrixXi faces, std::string path)
    : vertices_(std::move(vertices)),
      faces_(std::move(faces)),
      path_(std::move(path)),
      index_(vertices_, checked(vertices_, faces_)) {
  normals_.resize(3, faces_.cols());
  areas_.resize(faces_.cols());
  const double scale = unit_scale(vertices_);
  for (Index f = 0; f < faces_.cols(); ++f) {
    const Eigen::Vector3d a = vertices_.col(faces_(0, f));
    const Eigen::Vector3d ab = scale * (vertices_.col(faces_(1, f)) - a);
    const Eigen::Vector3d ac = scale * (vertices_.col(faces_(2, f)) - a);
    const Eigen::Vector3d cross = ab.cross(ac);
    const double norm = cross.norm();
    normals_.col(f).head<3>() = cross / norm;
    areas_(f) = norm / 2 / scale / scale;
    area_ += areas_(f);
  }
  const Eigen::Vector3d box = vertices_.rowwise().maxCoeff() - vertices_.rowwise().minCoeff();
  diagonal_ = box.norm();
}

Index TriangleMesh::euler_characteristic() const {
  return vertices_.cols() - faces_.cols() / 2;  // a closed surface has 3F/2 edges
}

TriangleMesh TriangleMesh::scaled_to_area(double area) const {
  if (!(area > 0) || !std::isfinite(area)) {
    throw InvalidInput(fmt::format("mesh: area = {} must be positive and finite", area));
  }
  TriangleMesh result(vertices_ * std::sqrt(area / area_), faces_, path_);
  result.scaled_area_ = area;
  return result;
}

ClosestPoint TriangleMesh::locate(const Eigen::Vector3d& x, int face) const {
  if (face < 0) return {x, -1, Eigen::Vector3d::Zero(), nan};
  const TrianglePoint nearest = index_.evaluate(x, face);
  // Sum in a fixed order over the face's vertices; a weight of 1 gives the vertex itself.
  Eigen::Vector3d point = Eigen::Vector3d::Zero();
  for (int i = 0; i < 3; ++i) {
    if (nearest.barycentric(i) != 0) point += nearest.barycentric(i) * vertices_.col(faces_(i, face));
  }
  return {point, face, nearest.barycentric, std::sqrt(nearest.squared_distance)};
}

ClosestPoint TriangleMesh::closest_point(const Eigen::Vector3d& x) const {
  return locate(x, index_.nearest_face(x));
}

ClosestPoints TriangleMesh::closest_points(const PointsRef& x) const {
  check_dimension(x, 3, "closest_points");
  ClosestPoints result{Points(3, x.cols()), index_.nearest_faces(x), Points(3, x.cols()), Vector(x.cols())};
  for (Index j = 0; j < x.cols(); ++j) {
    const ClosestPoint one = locate(x.col(j), result.faces(j));
    result.points.col(j).head<3>() = one.point;
    result.barycentric.col(j).head<3>() = one.barycentric;
    result.distances(j) = one.distance;
  }
  return result;
}

SurfacePoints TriangleMesh::sample_uniform(Index n, Stream stream) const {
  return sample(n, areas_, stream);
}

SurfacePoints TriangleMesh::sample(Index n, const Vector& face_weights, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("mesh: n = {} is negative", n));
  if (face_weights.size() != faces_.cols()) {
    throw InvalidInput(fmt::format("mesh: {} weights for {} faces", face_weights.size(), faces_.cols()));
  }
  Vector cumulative(face_weights.size());
  double total = 0;
  Index last = -1;  // last face with weight: where rounding at the upper end must stop
  for (Index f = 0; f < face_weights.size(); ++f) {
    if (!(face_weights(f) >= 0) || !std::isfinite(face_weights(f))) {
      throw InvalidInput(fmt::format("mesh: weight {} of face {} is negative or not finite", face_weights(f), f));
    }
    if (face_weights(f) > 0) last = f;
    total += face_weights(f);
    cumulative(f) = total;
  }
  if (last < 0) throw InvalidInput("mesh: all face weights are zero");
  const Points uniforms = stream.uniform(3, n);
  SurfacePoints result{Points(3, n), Eigen::VectorXi(n), Points(3, n)};
  for (Index j = 0; j < n; ++j) {
    const double* found =
        std::upper_bound(cumulative.data(), cumulative.data() + cumulative.size(), uniforms(0, j) * total);
    const Index f = std::min<Index>(found - cumulative.data(), last);
    const double s = std::min(uniforms(1, j), uniforms(2, j));
    const double t = std::max(uniforms(1, j), uniforms(2, j));
    result.faces(j) = static_cast<int>(f);
    result.barycentric.col(j).head<3>() = Eigen::Vector3d(s, t - s, 1 - t);
    Eigen::Vector3d point = Eigen::Vector3d::Zero();
    for (int i = 0; i < 3; ++i) point += result.barycentric(i, j) * vertices_.col(faces_(i, f));
    result.points.col(j).head<3>() = point;
  }
  return result;
}

std::string TriangleMesh::do_spec() const {
  if (path_.empty()) return fmt::format("mesh:vertices={},faces={}", vertices_.cols(), faces_.cols());
  if (scaled_area_ > 0) return fmt::format("mesh:area={},{}", scaled_area_, path_);
  return "mesh:" + path_;
}

Projection TriangleMesh::do_project(const PointsRef& x) const {
  ClosestPoints nearest = closest_points(x);
  Projection result;
  result.converged = nearest.faces.array() >= 0;
  result.points = std::move(nearest.points);
  result.distance = std::move(nearest.distances);
  return result;
}

Points TriangleMesh::do_residual(const PointsRef& x) const {
  return closest_points(x).distances.transpose();
}

Points TriangleMesh::do_normal_bases(const PointsRef& y) const {
  const Eigen::VectorXi nearest = index_.nearest_faces(y);
  Points result(3, y.cols());
  for (Index j = 0; j < y.cols(); ++j) {
    if (nearest(j) >= 0) {
      result.col(j).head<3>() = normals_.col(nearest(j)).head<3>();
    } else {
      result.col(j).setConstant(nan);
    }
  }
  return result;
}

Points TriangleMesh::do_random_points(Index n, Stream stream) const {
  return sample_uniform(n, stream).points;
}

}  // namespace onmanifold
