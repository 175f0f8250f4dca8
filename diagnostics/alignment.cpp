// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/alignment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/linear_algebra.hpp"
#include "core/math/statistics.hpp"
#include "diagnostics/flow_step.hpp"
#include "manifolds/sphere.hpp"

namespace onmanifold {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double right_angle = std::numbers::pi / 2;

/// Principal angles between orthonormal \p t and \p q of equal width, rising: cosines and sines, so that none
/// is lost to rounding.
Vector principal_angles(const PointsRef& t, const PointsRef& q) {
  const Points inner = t.transpose() * q;
  const Points rest = q - t * inner;
  const Vector cosines = singular_values(inner);
  const Vector sines = singular_values(rest);
  const Index d = q.cols();
  Vector angles(d);
  // Fewer rows than vectors: the sines that are missing are 0.
  for (Index i = 0; i < d; ++i) {
    const Index falling = d - 1 - i;
    angles[i] = std::atan2(falling < sines.size() ? sines[falling] : 0, cosines[i]);
  }
  return angles;
}

/// Frames [T N] at the nearest points of \p y, D×(D N); false in \p usable where there is none.
Points frames_at(const Manifold& manifold, const Points& y, Eigen::Array<bool, Eigen::Dynamic, 1>& usable) {
  const Index dimension = y.rows();
  const Index d = manifold.dimension();
  const Index k = dimension - d;
  const Projection foot = manifold.project(y);
  usable = usable && foot.converged;
  Points frames(dimension, dimension * y.cols());
  for (Index c = 0; c < y.cols(); ++c) {
    auto frame = frames.middleCols(dimension * c, dimension);
    if (!usable[c]) {
      frame.setIdentity();
      continue;
    }
    frame.leftCols(d) = manifold.tangent_bases(foot.points.col(c));
    frame.rightCols(k) = manifold.normal_bases(foot.points.col(c));
  }
  return frames;
}

/// Tangent of the largest angle between the span of the columns of \p c (D×d) and the first d axes.
double tangent_of_largest_angle(const Points& c) {
  const Index d = c.cols();
  const Vector cosines = singular_values(c.topRows(d));
  const Vector sines = singular_values(c.bottomRows(c.rows() - d));
  return sines[0] / cosines[d - 1];
}

/// The tangent of an angle and its bounds, carried from step to step.
struct TangentBounds {
  explicit TangentBounds(double start) : linear(start), full(start) {}
  /// Norms of the blocks of the step's Jacobian, for tt the least singular value.
  void step(double tt, double tn, double nt, double nn) {
    linear = (nt + nn * linear) / tt;
    const double left = tt - tn * full;
    full = left > 0 ? (nt + nn * full) / left : std::numeric_limits<double>::infinity();
  }
  double linear;
  double full;
};

double angle_of(double tangent) {
  return std::isfinite(tangent) ? std::atan(tangent) : right_angle;
}

void orthonormalise(Points& w) {
  for (Index j = 0; j < w.cols(); ++j) {
    for (int pass = 0; pass < 2; ++pass) {
      for (Index i = 0; i < j; ++i) w.col(j) -= w.col(i).dot(w.col(j)) * w.col(i);
    }
    w.col(j).normalize();
  }
}

}  // namespace

Points tangents_at(const Manifold& manifold, const PointsRef& x) {
  const Index d = manifold.dimension();
  Points result = Points::Constant(x.rows(), d * x.cols(), nan);
  const Projection foot = manifold.project(x);
  for (Index c = 0; c < x.cols(); ++c) {
    if (foot.converged[c]) result.middleCols(d * c, d) = manifold.tangent_bases(foot.points.col(c));
  }
  return result;
}

Points local_tangents(const PointsRef& cloud, const PointsRef& x, Index d, Index neighbours) {
  check_dimension(x, cloud.rows(), "local tangents: points");
  const Index dimension = cloud.rows();
  if (d < 1 || d > dimension || neighbours <= d || neighbours > cloud.cols()) {
    throw InvalidInput(fmt::format("local tangents: {} directions of {} from {} neighbours of {}", d, dimension,
                                   neighbours, cloud.cols()));
  }
  Points result = Points::Constant(dimension, d * x.cols(), nan);
  std::vector<Index> order(static_cast<std::size_t>(cloud.cols()));
  Points near(dimension, neighbours);
  for (Index c = 0; c < x.cols(); ++c) {
    if (!x.col(c).allFinite()) continue;
    const Vector squares = (cloud.colwise() - x.col(c)).colwise().squaredNorm().transpose();
    std::iota(order.begin(), order.end(), Index{0});
    std::partial_sort(order.begin(), order.begin() + neighbours, order.end(),
                      [&](Index a, Index b) { return squares[a] != squares[b] ? squares[a] < squares[b] : a < b; });
    for (Index i = 0; i < neighbours; ++i) near.col(i) = cloud.col(order[static_cast<std::size_t>(i)]);
    const SymmetricEigen axes = symmetric_eigen(covariance(near));
    result.middleCols(d * c, d) = axes.vectors.rightCols(d).rowwise().reverse();
  }
  return result;
}

Alignment alignment(const PointsRef& tangents, Index d, const PointsRef& vectors, Index q, const PointsRef& score) {
  const Index n = score.cols();
  if (d < 1 || q < d || tangents.rows() != score.rows() || vectors.rows() != score.rows() || tangents.cols() != d * n ||
      vectors.cols() != q * n) {
    throw InvalidInput(fmt::format("alignment: {}x{} tangents ({} a point), {}x{} vectors ({} a point) for {} points",
                                   tangents.rows(), tangents.cols(), d, vectors.rows(), vectors.cols(), q, n));
  }
  Alignment result;
  result.a1 = Vector::Constant(n, nan);
  result.a2 = result.a1;
  result.a3 = result.a1;
  result.angles = Points::Constant(d, n, nan);
  for (Index c = 0; c < n; ++c) {
    const Points t = tangents.middleCols(d * c, d);
    const Points top = vectors.middleCols(q * c, d);
    if (!t.allFinite() || !top.allFinite()) continue;
    result.a1[c] = (t.transpose() * top).squaredNorm() / static_cast<double>(d);
    result.a2[c] = (top.transpose() * score.col(c)).cwiseAbs().mean() / score.col(c).norm();
    result.angles.col(c) = principal_angles(t, top);
    result.a3[c] = std::sin(result.angles(d - 1, c));
  }
  return result;
}

double random_alignment(Index d, Index ambient_dimension) {
  return static_cast<double>(d) / static_cast<double>(ambient_dimension);
}

double plane_alignment(double gap) {
  // With c = e^(2 gap) - 1 the integral is (1 + 1/c) atan(sqrt c)/sqrt c - 1/c; the series 2/3 - 2 c/15 near
  // 0.
  const double c = std::expm1(2 * gap);
  if (c < 1e-4) return 1 - 0.5 * (2.0 / 3 - 2 * c / 15);
  const double root = std::sqrt(c);
  return 1 - 0.5 * ((1 + 1 / c) * std::atan(root) / root - 1 / c);
}

AlignmentCondition alignment_condition(const ScoreField& field, const Manifold& manifold, const PointsRef& start,
                                       const AlignmentConditionOptions& options, const Stream& stream) {
  check_dimension(start, field.dimension(), "alignment condition: points");
  check_dimension(start, manifold.ambient_dimension(), "alignment condition: points");
  const Index dimension = start.rows();
  const Index n = start.cols();
  const Index d = manifold.dimension();
  const Index k = dimension - d;
  const Index last = options.last_level < 0 ? field.levels().size() - 1 : options.last_level;
  if (!(options.widest_start > 0 && options.widest_start < 90)) {
    throw InvalidInput(fmt::format("alignment condition: start at {} degrees", options.widest_start));
  }
  if (n == 0 || d == 0 || k == 0 || options.first_level < 0 || last <= options.first_level ||
      last >= field.levels().size()) {
    throw InvalidInput(fmt::format("alignment condition: {} points, {} tangents and {} normals, levels {} to {} of {}",
                                   n, d, k, options.first_level, last, field.levels().size()));
  }
  Points y = start;
  AlignmentCondition result;
  Eigen::Array<bool, Eigen::Dynamic, 1> usable = Eigen::Array<bool, Eigen::Dynamic, 1>::Constant(n, true);
  Points frames = frames_at(manifold, y, usable);
  const Points random = stream.at("vectors").normal(dimension, d * n);
  Points carried(dimension, d * n);  // coordinates in the frames
  std::vector<TangentBounds> bounds;
  bounds.reserve(static_cast<std::size_t>(n));
  for (Index c = 0; c < n; ++c) {
    Points w = frames.middleCols(dimension * c, dimension).transpose() * random.middleCols(d * c, d);
    orthonormalise(w);
    carried.middleCols(d * c, d) = w;
    bounds.emplace_back(tangent_of_largest_angle(w));
  }
  std::vector<TangentBounds> widest(static_cast<std::size_t>(n),
                                    TangentBounds(std::tan(options.widest_start * std::numbers::pi / 180)));
  result.contraction = Vector::Zero(n);
  for (Index step = options.first_level; step < last; ++step) {
    Points images = frames;
    flow_step(field, step, dimension, y, images);
    for (Index c = 0; c < n; ++c)
      usable[c] = usable[c] && y.col(c).allFinite() && images.middleCols(dimension * c, dimension).allFinite();
    Points next = frames_at(manifold, y, usable);
    for (Index c = 0; c < n; ++c) {
      if (!usable[c]) continue;
      const Points p =
          next.middleCols(dimension * c, dimension).transpose() * images.middleCols(dimension * c, dimension);
      const Vector tt = singular_values(p.topLeftCorner(d, d));
      const double least = tt[d - 1];
      const double nn = singular_values(p.bottomRightCorner(k, k))[0];
      const double nt = singular_values(p.bottomLeftCorner(k, d))[0];
      const double tn = singular_values(p.topRightCorner(d, k))[0];
      result.contraction[c] += std::log(least / nn);
      bounds[static_cast<std::size_t>(c)].step(least, tn, nt, nn);
      widest[static_cast<std::size_t>(c)].step(least, tn, nt, nn);
      Points w = p * carried.middleCols(d * c, d);
      orthonormalise(w);
      carried.middleCols(d * c, d) = w;
    }
    frames = std::move(next);
  }
  result.measured.resize(n);
  result.predicted.resize(n);
  result.bound.resize(n);
  result.widest.resize(n);
  result.widest_bound.resize(n);
  result.vacuous.resize(n);
  for (Index c = 0; c < n; ++c) {
    if (!usable[c]) {
      ++result.failures;
      for (Vector* each : {&result.measured, &result.predicted, &result.bound, &result.widest, &result.widest_bound,
                           &result.contraction}) {
        (*each)[c] = nan;
      }
      result.vacuous[c] = true;
      continue;
    }
    result.measured[c] = std::atan(tangent_of_largest_angle(carried.middleCols(d * c, d)));
    result.predicted[c] = angle_of(bounds[static_cast<std::size_t>(c)].linear);
    result.bound[c] = angle_of(bounds[static_cast<std::size_t>(c)].full);
    result.widest[c] = angle_of(widest[static_cast<std::size_t>(c)].linear);
    result.widest_bound[c] = angle_of(widest[static_cast<std::size_t>(c)].full);
    result.vacuous[c] = !(result.widest_bound[c] <= right_angle / 2) || !(result.contraction[c] > 0);
  }
  return result;
}

ThickCircle::ThickCircle() : centres_(2, 400) {
  Vector xi(20);
  for (Index i = 0; i < 20; ++i) xi[i] = 0.3 * normal_quantile((static_cast<double>(i) + 0.5) / 20);
  for (Index j = 0; j < 400; ++j) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(j) / 400;
    centres_(0, j) = (1 + xi[j % 20]) * std::cos(angle);
    centres_(1, j) = (1 + xi[j % 20]) * std::sin(angle);
  }
}

void ThickCircle::do_evaluate(const PointsRef& x, double a, double sigma, Points* score, Vector* log_density) const {
  if (log_density != nullptr) throw InvalidInput("thick circle: it gives no density");
  for (Index c = 0; c < x.cols(); ++c) {
    const Vector squares = ((a * centres_).colwise() - x.col(c)).colwise().squaredNorm().transpose();
    const Vector weights = ((squares.minCoeff() - squares.array()) / (2 * sigma * sigma)).exp().matrix();
    score->col(c) = (a * centres_ * weights / weights.sum() - x.col(c)) / (sigma * sigma);
  }
}

AlignmentCondition thick_circle_condition(Index n, const Stream& stream) {
  const ThickCircle law;
  if (n < 1 || n > law.centres().cols()) throw InvalidInput(fmt::format("thick circle: {} starts", n));
  const auto field = make_exact_score_field(law, geometric_levels(0.3, 0.1, 40));
  Points start(2, n);
  // 7 has no factor in common with 400: no centre twice.
  for (Index c = 0; c < n; ++c) start.col(c) = law.centres().col(7 * c % 400);
  start += 0.3 * stream.at("circle").normal(2, n);
  return alignment_condition(*field, Sphere(1), start, {}, stream);
}

}  // namespace onmanifold
