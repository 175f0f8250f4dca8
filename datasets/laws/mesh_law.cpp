// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/mesh_law.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include <Eigen/Eigenvalues>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"
#include "core/math/portable.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {
namespace {

Points face_centroids(const TriangleMesh& mesh) {
  const Points& vertices = mesh.vertices();
  const Eigen::MatrixXi& faces = mesh.faces();
  Points result(3, faces.cols());
  for (Index f = 0; f < faces.cols(); ++f) {
    for (Index i = 0; i < 3; ++i) {
      result(i, f) = (vertices(i, faces(0, f)) + vertices(i, faces(1, f)) + vertices(i, faces(2, f))) / 3;
    }
  }
  return result;
}

/// Direction of largest area-weighted spread of the centroids of some faces.
Eigen::Vector3d principal_axis(const Points& centroids, const Vector& areas, const std::vector<int>& faces) {
  double mass = 0;
  double mean[3] = {0, 0, 0};
  for (const int f : faces) {
    mass += areas[f];
    for (Index i = 0; i < 3; ++i) mean[i] += areas[f] * centroids(i, f);
  }
  for (double& value : mean) value /= mass;
  Eigen::Matrix3d spread = Eigen::Matrix3d::Zero();
  for (const int f : faces) {
    for (Index i = 0; i < 3; ++i) {
      for (Index j = 0; j <= i; ++j) {
        spread(i, j) += areas[f] * (centroids(i, f) - mean[i]) * (centroids(j, f) - mean[j]);
      }
    }
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(spread);  // reads the lower triangle, ascending
  Eigen::Vector3d axis = solver.eigenvectors().col(2);
  Index largest = 0;
  for (Index i = 1; i < 3; ++i) {
    if (std::abs(axis[i]) > std::abs(axis[largest])) largest = i;
  }
  if (axis[largest] < 0) axis = -axis;
  return axis;
}

void split(const Points& centroids, const Vector& areas, std::vector<int> faces, Index count, int& next,
           Eigen::VectorXi& patches) {
  if (count == 1) {
    for (const int f : faces) patches[f] = next;
    ++next;
    return;
  }
  const Eigen::Vector3d axis = principal_axis(centroids, areas, faces);
  std::vector<std::pair<double, int>> order;
  order.reserve(faces.size());
  double total = 0;
  for (const int f : faces) {
    order.emplace_back(axis[0] * centroids(0, f) + axis[1] * centroids(1, f) + axis[2] * centroids(2, f), f);
    total += areas[f];
  }
  std::sort(order.begin(), order.end());
  const Index lower_count = count / 2;
  const double quantile = total * static_cast<double>(lower_count) / static_cast<double>(count);
  const std::size_t least = static_cast<std::size_t>(lower_count);
  const std::size_t most = order.size() - static_cast<std::size_t>(count - lower_count);
  std::size_t cut = 0;
  double below = 0;
  while (cut < most && (cut < least || below + areas[order[cut].second] <= quantile)) {
    below += areas[order[cut].second];
    ++cut;
  }
  std::vector<int> lower;
  std::vector<int> upper;
  for (std::size_t i = 0; i < order.size(); ++i) (i < cut ? lower : upper).push_back(order[i].second);
  faces = {};
  order = {};
  split(centroids, areas, std::move(lower), lower_count, next, patches);
  split(centroids, areas, std::move(upper), count - lower_count, next, patches);
}

}  // namespace

FaceLaw::FaceLaw(std::shared_ptr<const TriangleMesh> mesh, const Vector& weights) : mesh_(std::move(mesh)) {
  if (weights.size() != mesh_->faces().cols() || !weights.allFinite() || !(weights.minCoeff() >= 0)) {
    throw InvalidInput(fmt::format("face law: {} weights, all finite and >= 0, are needed", mesh_->faces().cols()));
  }
  const double total = tree_sum(weights);
  if (!(total > 0)) throw InvalidInput("face law: all weights are 0");
  probabilities_ = weights / total;
}

Points FaceLaw::sample(Index n, Stream stream) const {
  return mesh_->sample(n, probabilities_, stream).points;
}

Vector FaceLaw::log_density(const PointsRef& points) const {
  const Eigen::VectorXi faces = mesh_->closest_points(points).faces;
  Vector result(points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    result[j] = faces[j] < 0 ? std::numeric_limits<double>::quiet_NaN()
                             : portable::log(probabilities_[faces[j]] / mesh_->face_areas()[faces[j]]);
  }
  return result;
}

std::optional<double> FaceLaw::entropy() const {
  return tree_sum_over(probabilities_.size(), [&](Index f) {
    const double p = probabilities_[f];
    return p > 0 ? -p * portable::log(p / mesh_->face_areas()[f]) : 0.0;
  });
}

double FaceLaw::standard_deviation() const {
  const Points& vertices = mesh_->vertices();
  const Eigen::MatrixXi& faces = mesh_->faces();
  double variance = 0;
  for (Index i = 0; i < 3; ++i) {
    TreeSum first;
    TreeSum second;
    for (Index f = 0; f < faces.cols(); ++f) {
      const double a = vertices(i, faces(0, f));
      const double b = vertices(i, faces(1, f));
      const double c = vertices(i, faces(2, f));
      const double sum = a + b + c;
      first.add(probabilities_[f] * sum / 3);
      second.add(probabilities_[f] * (a * a + b * b + c * c + sum * sum) / 12);
    }
    variance += second.sum() - first.sum() * first.sum();
  }
  return std::sqrt(variance / 3);
}

MeshPatches::MeshPatches(std::shared_ptr<const TriangleMesh> mesh, Index count)
    : mesh_(std::move(mesh)), count_(count) {
  const Index face_count = mesh_->faces().cols();
  if (count < 1 || count > face_count) {
    throw InvalidInput(fmt::format("{} patches of a mesh with {} faces", count, face_count));
  }
  patches_.resize(face_count);
  std::vector<int> faces(static_cast<std::size_t>(face_count));
  std::iota(faces.begin(), faces.end(), 0);
  int next = 0;
  split(face_centroids(*mesh_), mesh_->face_areas(), std::move(faces), count, next, patches_);
  Sha256 hash;
  hash.update(patches_.data(), static_cast<std::size_t>(patches_.size()) * sizeof(int));
  hash_ = to_hex(hash.finish());
}

Eigen::VectorXi MeshPatches::assign(const PointsRef& points) const {
  const Eigen::VectorXi faces = mesh_->closest_points(points).faces;
  Eigen::VectorXi cells(points.cols());
  for (Index j = 0; j < points.cols(); ++j) cells[j] = faces[j] < 0 ? -1 : patches_[faces[j]];
  return cells;
}

std::string MeshPatches::description() const {
  return fmt::format("{} area-balanced patches, sha256 {}", count_, hash_.substr(0, 16));
}

Vector MeshPatches::sums(const VectorRef& face_values) const {
  if (face_values.size() != patches_.size()) {
    throw InvalidInput(fmt::format("{} values for {} faces", face_values.size(), patches_.size()));
  }
  Vector result = Vector::Zero(count_);
  for (Index f = 0; f < patches_.size(); ++f) result[patches_[f]] += face_values[f];
  return result;
}

}  // namespace onmanifold
