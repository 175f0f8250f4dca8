// SPDX-License-Identifier: Apache-2.0
#include "reports/picture.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <set>
#include <unordered_map>

#include <Eigen/Eigenvalues>
#include <fmt/format.h>

#include "core/error.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

constexpr double quantum = 32767.0;
constexpr std::int16_t outside_mark = -32768;

void append_u16(std::string& bytes, std::uint16_t value) {
  bytes += static_cast<char>(value & 0xFFU);
  bytes += static_cast<char>(value >> 8U);
}

bool inside(const Eigen::Vector3d& x, const PictureFrame& frame) {
  // Written so that NaN is outside.
  return ((x - frame.centre).array().abs() <= frame.half).all();
}

PictureMesh cluster(const PointsRef& vertices, const Eigen::Ref<const Eigen::MatrixXi>& faces, int resolution) {
  const Eigen::Vector3d low = vertices.rowwise().minCoeff();
  const double side = (vertices.rowwise().maxCoeff() - low).maxCoeff();
  const double scale = side > 0.0 ? resolution / side : 0.0;
  std::unordered_map<std::int64_t, int> cluster_of_cell;
  std::vector<int> cluster_of_vertex;
  std::vector<Eigen::Vector3d> sums;
  std::vector<int> counts;
  for (Index v = 0; v < vertices.cols(); ++v) {
    std::int64_t cell = 0;
    for (int axis = 0; axis < 3; ++axis) {
      const auto i = static_cast<std::int64_t>(std::floor((vertices(axis, v) - low(axis)) * scale));
      cell = cell * (resolution + 1) + std::min<std::int64_t>(i, resolution);
    }
    const auto [place, added] = cluster_of_cell.try_emplace(cell, static_cast<int>(sums.size()));
    if (added) {
      sums.emplace_back(Eigen::Vector3d::Zero());
      counts.push_back(0);
    }
    const auto c = static_cast<std::size_t>(place->second);
    sums[c] += vertices.col(v);
    ++counts[c];
    cluster_of_vertex.push_back(place->second);
  }
  PictureMesh mesh;
  mesh.vertices.resize(3, static_cast<Index>(sums.size()));
  for (std::size_t c = 0; c < sums.size(); ++c) mesh.vertices.col(static_cast<Index>(c)) = sums[c] / counts[c];
  std::set<std::array<int, 3>> seen;
  std::vector<std::array<int, 3>> kept;
  for (Index f = 0; f < faces.cols(); ++f) {
    std::array<int, 3> face{};
    for (int k = 0; k < 3; ++k) {
      face[static_cast<std::size_t>(k)] = cluster_of_vertex[static_cast<std::size_t>(faces(k, f))];
    }
    if (face[0] == face[1] || face[1] == face[2] || face[2] == face[0]) continue;
    std::array<int, 3> sorted = face;
    std::sort(sorted.begin(), sorted.end());
    if (seen.insert(sorted).second) kept.push_back(face);
  }
  mesh.faces.resize(3, static_cast<Index>(kept.size()));
  for (std::size_t f = 0; f < kept.size(); ++f) {
    for (int k = 0; k < 3; ++k) mesh.faces(k, static_cast<Index>(f)) = kept[f][static_cast<std::size_t>(k)];
  }
  return mesh;
}

}  // namespace

PictureFrame make_frame(const PointsRef& reference) {
  check_dimension(reference, 3, "reference points of a picture");
  check_finite(reference, "reference points of a picture");
  if (reference.cols() == 0) throw InvalidInput("a picture needs at least one reference point");
  PictureFrame frame;
  const Eigen::Vector3d low = reference.rowwise().minCoeff();
  const Eigen::Vector3d high = reference.rowwise().maxCoeff();
  frame.centre = 0.5 * (low + high);
  frame.half = 1.3 * 0.5 * (high - low).maxCoeff();
  if (!(frame.half > 0.0)) frame.half = 1.0;

  const Eigen::Vector3d mean = reference.rowwise().mean();
  const Points centred = reference.colwise() - mean;
  const Eigen::Matrix3d covariance = centred * centred.transpose() / static_cast<double>(reference.cols());
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(covariance);
  const Eigen::Vector3d spectrum = solver.eigenvalues();
  if (reference.cols() >= 3 && spectrum(1) > 1e-12 * spectrum(2) && spectrum(0) <= 1e-12 * spectrum(2)) {
    frame.flat = true;
    frame.toward = solver.eigenvectors().col(0);
    // Eigenvectors have no sign: the eye is on the side of the positive diagonal.
    if (frame.toward.sum() < 0.0) frame.toward = -frame.toward;
    // "Up" is the axis of space that is nearest to the plane's, so that repeated runs look the same.
    Index axis = 0;
    frame.toward.cwiseAbs().minCoeff(&axis);
    frame.up = Eigen::Vector3d::Unit(axis) - frame.toward(axis) * frame.toward;
    frame.up.normalize();
    frame.axis = frame.up;
  } else {
    frame.toward = Eigen::Vector3d(0.55, 0.35, 1.0).normalized();
    frame.up = (frame.axis - frame.axis.dot(frame.toward) * frame.toward).normalized();
  }
  frame.right = frame.up.cross(frame.toward);
  return frame;
}

std::string encode_points(const PointsRef& points, Index n, const PictureFrame& frame, Index& n_outside) {
  std::string bytes;
  n_outside = 0;
  for (Index i = 0; i < std::min(n, points.cols()); ++i) {
    const Eigen::Vector3d x = points.col(i);
    std::array<std::int16_t, 3> q = {outside_mark, 0, 0};
    if (inside(x, frame)) {
      for (int k = 0; k < 3; ++k) {
        q[static_cast<std::size_t>(k)] =
            static_cast<std::int16_t>(std::lround((x(k) - frame.centre(k)) / frame.half * quantum));
      }
    } else {
      ++n_outside;
    }
    for (const std::int16_t value : q) append_u16(bytes, static_cast<std::uint16_t>(value));
  }
  return base64(bytes);
}

std::string encode_floats(const VectorRef& values) {
  std::string bytes;
  for (const double value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    append_u16(bytes, static_cast<std::uint16_t>(bits & 0xffffU));
    append_u16(bytes, static_cast<std::uint16_t>(bits >> 16U));
  }
  return base64(bytes);
}

PictureMesh decimate_mesh(const PointsRef& vertices, const Eigen::Ref<const Eigen::MatrixXi>& faces, Index max_faces) {
  if (faces.cols() <= max_faces && vertices.cols() <= 65536) return {vertices, faces};
  // A surface in a grid of n³ cells meets about n² of them, with two faces a vertex.
  int resolution = 16;
  PictureMesh best = cluster(vertices, faces, resolution);
  while (resolution > 1 && best.faces.cols() > max_faces) best = cluster(vertices, faces, resolution /= 2);
  for (int step = 64; step >= 4; step /= 2) {
    PictureMesh finer = cluster(vertices, faces, resolution + step);
    if (finer.faces.cols() > max_faces || finer.vertices.cols() > 65536) continue;
    best = std::move(finer);
    resolution += step;
  }
  return best;
}

std::string encode_faces(const Eigen::Ref<const Eigen::MatrixXi>& faces) {
  std::string bytes;
  for (Index f = 0; f < faces.cols(); ++f) {
    for (int k = 0; k < 3; ++k) append_u16(bytes, static_cast<std::uint16_t>(faces(k, f)));
  }
  return base64(bytes);
}

std::string scatter_svg(const PointsRef& points, Index n, const PictureFrame& frame, std::string_view label) {
  std::string front;
  std::string back;
  for (Index i = 0; i < std::min(n, points.cols()); ++i) {
    const Eigen::Vector3d x = points.col(i);
    if (!inside(x, frame)) continue;
    const Eigen::Vector3d relative = (x - frame.centre) / frame.half;
    const double u = frame.right.dot(relative);
    const double v = frame.up.dot(relative);
    // The cube seen from a slant is wider than its side: what falls outside the square is left out as well.
    if (std::abs(u) > 1.0 || std::abs(v) > 1.0) continue;
    const bool behind = !frame.flat && frame.toward.dot(relative) < 0.0;
    (behind ? back : front) += fmt::format("M{} {}h0", std::lround(250.0 * (1.0 + u)), std::lround(250.0 * (1.0 - v)));
  }
  std::string svg =
      fmt::format("<svg class=\"scatter\" viewBox=\"0 0 500 500\" role=\"img\" aria-label=\"{}\">", escape_html(label));
  if (!back.empty()) svg += fmt::format("<path class=\"back\" d=\"{}\"/>", back);
  if (!front.empty()) svg += fmt::format("<path class=\"front\" d=\"{}\"/>", front);
  return svg + "</svg>";
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = (group << 8U) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k > bytes.size() ? '=' : digits[(group >> (18U - 6U * k)) & 63U];
    }
  }
  return text;
}

}  // namespace onmanifold
