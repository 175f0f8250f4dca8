// SPDX-License-Identifier: Apache-2.0
#include "manifolds/simplex.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/decompositions.hpp"
#include "core/math/portable.hpp"
#include "manifolds/safe_norm.hpp"

namespace onmanifold {
namespace {

/// max(x - theta, 0) with sum \p total. \p x must be finite.
void project_column(const Vector& x, double total, Vector& sorted, Vector& result) {
  const Index n = x.size();
  // theta is sought for x - max x: a large common shift costs no digits. Entries <= -total are 0 in the
  // result.
  const double top = x.maxCoeff();
  for (Index i = 0; i < n; ++i) sorted[i] = x[i] - top;
  result = sorted;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  double sum = 0;
  double theta = -total;
  for (Index i = 0; i < n; ++i) {
    sum += sorted[i];
    const double candidate = (sum - total) / static_cast<double>(i + 1);
    if (!(sorted[i] > candidate)) break;
    theta = candidate;
  }
  // One Newton step on the sum over the support takes the rounding of the running sum away.
  for (int pass = 0; pass < 2; ++pass) {
    double mass = 0;
    double count = 0;
    for (Index i = 0; i < n; ++i) {
      if (result[i] <= theta) continue;
      mass += result[i] - theta;
      ++count;
    }
    theta += (mass - total) / count;
  }
  for (Index i = 0; i < n; ++i) result[i] = std::max(result[i] - theta, 0.0);
}

}  // namespace

Simplex::Simplex(Index dimension, double total) : size_(dimension), total_(total) {
  if (dimension < 2) throw InvalidInput(fmt::format("flux: dim = {} must be at least 2", dimension));
  if (!(total > 0) || !std::isfinite(total)) {
    throw InvalidInput(fmt::format("flux: total = {} must be positive where pixels cannot be negative", total));
  }
}

double Simplex::do_reach() const {
  return std::numeric_limits<double>::infinity();
}

std::string Simplex::do_spec() const {
  return fmt::format("flux:dim={},total={},nonnegative=true", size_, total_);
}

Projection Simplex::do_project(const PointsRef& x) const {
  Projection result{x, Vector(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  Vector point(size_);
  Vector sorted(size_);
  Vector nearest(size_);
  for (Index j = 0; j < x.cols(); ++j) {
    point = x.col(j);
    result.converged(j) = false;
    result.distance(j) = std::numeric_limits<double>::quiet_NaN();
    if (!point.allFinite() || !std::isfinite(point.sum())) continue;
    project_column(point, total_, sorted, nearest);
    point -= nearest;
    const double distance = detail::safe_norm(point.data(), size_);
    if (!std::isfinite(distance) || !nearest.allFinite()) continue;
    result.converged(j) = true;
    result.distance(j) = distance;
    result.points.col(j) = nearest;
  }
  return result;
}

Points Simplex::do_residual(const PointsRef& x) const {
  Points result(2, x.cols());
  const double root = std::sqrt(static_cast<double>(size_));
  Vector point(size_);
  Vector sorted(size_);
  Vector nearest(size_);
  for (Index j = 0; j < x.cols(); ++j) {
    point = x.col(j);
    if (!point.allFinite()) {
      result.col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    project_column(point, total_, sorted, nearest);
    // x - Pi(x) = (flux error) · 1/sqrt(D) + a part inside the hyperplane; differences of near numbers first.
    point -= nearest;
    double sum = 0;
    for (Index i = 0; i < size_; ++i) sum += point[i];
    double square = 0;
    for (Index i = 0; i < size_; ++i) {
      const double inside = point[i] - sum / static_cast<double>(size_);
      square += inside * inside;
    }
    result(0, j) = sum / root;
    result(1, j) = std::sqrt(square);
  }
  return result;
}

Points Simplex::do_normal_bases(const PointsRef& y) const {
  return Points::Constant(size_, y.cols(), 1 / std::sqrt(static_cast<double>(size_)));
}

Points Simplex::do_tangent_bases(const PointsRef& y) const {
  const Points normal = Points::Constant(size_, 1, 1 / std::sqrt(static_cast<double>(size_)));
  return full_qr(normal).q.rightCols(size_ - 1).replicate(1, y.cols());
}

Points Simplex::do_normal_component(const PointsRef& /*y*/, const PointsRef& v) const {
  Points result(size_, v.cols());
  for (Index j = 0; j < v.cols(); ++j) {
    double sum = 0;
    for (Index i = 0; i < size_; ++i) sum += v(i, j);
    result.col(j).setConstant(sum / static_cast<double>(size_));
  }
  return result;
}

Points Simplex::do_random_points(Index n, Stream stream) const {
  const Points uniform = stream.uniform(size_, n);
  Points result(size_, n);
  for (Index j = 0; j < n; ++j) {
    double sum = 0;
    for (Index i = 0; i < size_; ++i) sum += result(i, j) = -portable::log(uniform(i, j));
    for (Index i = 0; i < size_; ++i) result(i, j) *= total_ / sum;
  }
  return result;
}

}  // namespace onmanifold
