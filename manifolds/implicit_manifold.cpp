// SPDX-License-Identifier: Apache-2.0
#include "manifolds/implicit_manifold.hpp"

#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/math/decompositions.hpp"
#include "manifolds/safe_norm.hpp"

namespace onmanifold {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double step_tolerance = 1e-9;  // of the scale: the step after it is 1e-18
constexpr int most_gauss_newton_steps = 50;
constexpr int most_newton_steps = 100;

/// Normal and tangent basis at a point: J^T = normals · r.
struct Frame {
  Eigen::MatrixXd normals;   // D×k
  Eigen::MatrixXd tangents;  // D×d
  Eigen::MatrixXd r;         // k×k, upper triangular, positive diagonal
};

/// Nothing where the Jacobian is not finite or loses rank.
std::optional<Frame> frame_at(const ImplicitFunction& function, const Vector& x) {
  const Eigen::MatrixXd jacobian = function.jacobian(x);
  if (!jacobian.allFinite()) return std::nullopt;
  const Index k = jacobian.rows();
  const Index ambient = jacobian.cols();
  auto [q, r] = full_qr(jacobian.transpose());
  Frame frame;
  frame.r = std::move(r);
  frame.normals = q.leftCols(k);
  frame.tangents = q.rightCols(ambient - k);
  double largest = 0;
  for (Index i = 0; i < k; ++i) {
    largest = std::max(largest, frame.r.col(i).norm());
    if (frame.r(i, i) >= 0) continue;
    frame.r.row(i) *= -1;
    frame.normals.col(i) *= -1;
  }
  if (!(frame.r.diagonal().minCoeff() > 1e-13 * largest)) return std::nullopt;
  return frame;
}

/// Coordinates of J^+ h in the normals.
Vector correction(const Frame& frame, const Vector& h) {
  return frame.r.transpose().triangularView<Eigen::Lower>().solve(h);
}

struct Landing {
  Vector point;
  int steps = 0;
};

std::optional<Landing> land(const ImplicitFunction& function, const Vector& start, double tolerance) {
  Landing landing{start, 0};
  while (landing.steps < most_gauss_newton_steps) {
    const std::optional<Frame> frame = frame_at(function, landing.point);
    if (!frame) return std::nullopt;
    const Vector h = function.value(landing.point);
    if (!h.allFinite()) return std::nullopt;
    const Vector step = frame->normals * correction(*frame, h);
    landing.point -= step;
    ++landing.steps;
    if (!landing.point.allFinite()) return std::nullopt;
    if (step.norm() <= tolerance) return landing;
  }
  return std::nullopt;
}

struct Nearest {
  Vector point;
  int steps = 0;
};

std::optional<Nearest> nearest_point(const ImplicitFunction& function, const Vector& x, double scale) {
  const double tolerance = step_tolerance * scale;
  const std::optional<Landing> start = land(function, x, tolerance);
  if (!start) return std::nullopt;
  Nearest result{start->point, 0};
  double previous = std::numeric_limits<double>::infinity();
  for (; result.steps < most_newton_steps; ++result.steps) {
    const std::optional<Frame> frame = frame_at(function, result.point);
    if (!frame) return std::nullopt;
    const Vector move = result.point - x;
    const Vector gradient = frame->tangents.transpose() * move;
    const double size = std::max({scale, x.norm(), result.point.norm()});
    const double slope = gradient.norm();
    // At rounding, or at its edge without further progress.
    if (slope <= 2 * epsilon * size || (slope <= 64 * epsilon * size && slope >= previous)) return result;
    previous = slope;

    const Vector multipliers = -frame->r.triangularView<Eigen::Upper>().solve(frame->normals.transpose() * move);
    Eigen::MatrixXd lagrangian = function.weighted_hessian(result.point, multipliers);
    lagrangian.diagonal().array() += 1;
    const Eigen::MatrixXd hessian = frame->tangents.transpose() * lagrangian * frame->tangents;
    const std::optional<Vector> newton = cholesky_solve(hessian, gradient);
    const Vector step = newton && newton->allFinite() && newton->norm() <= 10 * size ? -*newton : -gradient;
    const double descent = gradient.dot(step);
    const double before = 0.5 * move.squaredNorm();
    bool accepted = false;
    double length = 1;
    for (int half = 0; half < 40 && !accepted; ++half, length /= 2) {
      const std::optional<Landing> next = land(function, result.point + length * (frame->tangents * step), tolerance);
      if (!next) continue;
      const double after = 0.5 * (next->point - x).squaredNorm();
      // Differences below rounding decide nothing.
      if (after <= before + 1e-4 * length * descent + 8 * epsilon * size * size) {
        result.point = next->point;
        accepted = true;
      }
    }
    if (!accepted) return std::nullopt;
  }
  return std::nullopt;
}

ImplicitProjection nothing_found(const PointsRef& x) {
  const Index n = x.cols();
  ImplicitProjection result;
  result.points = x;
  result.converged = Eigen::Array<bool, Eigen::Dynamic, 1>::Constant(n, false);
  result.iterations = Eigen::ArrayXi::Zero(n);
  result.constraint = Vector::Constant(n, nan);
  result.tangential = Vector::Constant(n, nan);
  result.certified = Eigen::Array<bool, Eigen::Dynamic, 1>::Constant(n, false);
  return result;
}

class EllipsoidFunction final : public ImplicitFunction {
 public:
  explicit EllipsoidFunction(Vector axes) : inverse_squares_(axes.cwiseAbs2().cwiseInverse()) {}
  [[nodiscard]] Index ambient_dimension() const override { return inverse_squares_.size(); }
  [[nodiscard]] Index codimension() const override { return 1; }
  [[nodiscard]] Vector value(const Vector& x) const override {
    return Vector::Constant(1, (x.array().square() * inverse_squares_.array()).sum() - 1);
  }
  [[nodiscard]] Eigen::MatrixXd jacobian(const Vector& x) const override {
    return 2 * x.cwiseProduct(inverse_squares_).transpose();
  }
  [[nodiscard]] Eigen::MatrixXd weighted_hessian(const Vector& /*x*/, const Vector& weights) const override {
    return (2 * weights[0] * inverse_squares_).asDiagonal();
  }

 private:
  Vector inverse_squares_;
};

const Vector& checked_axes(const Vector& axes) {
  if (axes.size() < 2 || !axes.allFinite() || !(axes.minCoeff() > 0)) {
    throw InvalidInput(fmt::format("ellipsoid: the semi-axes ({}) must be two or more positive, finite numbers",
                                   fmt::join(axes.begin(), axes.end(), ", ")));
  }
  return axes;
}

}  // namespace

Eigen::MatrixXd ImplicitFunction::weighted_hessian(const Vector& x, const Vector& weights) const {
  const double step = 1e-6 * std::max(1.0, x.norm());
  Eigen::MatrixXd result(x.size(), x.size());
  Vector moved = x;
  for (Index i = 0; i < x.size(); ++i) {
    moved[i] = x[i] + step;
    const Vector ahead = jacobian(moved).transpose() * weights;
    moved[i] = x[i] - step;
    const Vector behind = jacobian(moved).transpose() * weights;
    moved[i] = x[i];
    result.col(i) = (ahead - behind) / (2 * step);
  }
  return 0.5 * (result + result.transpose());
}

ImplicitManifold::ImplicitManifold(std::shared_ptr<const ImplicitFunction> function, double reach, double scale,
                                   std::string spec)
    : function_(std::move(function)), reach_(reach), scale_(scale), spec_(std::move(spec)) {
  if (function_ == nullptr) throw InvalidInput("implicit manifold: no function");
  if (function_->codimension() < 1 || function_->codimension() >= function_->ambient_dimension()) {
    throw InvalidInput(fmt::format("implicit manifold: {} equations in {} dimensions, expected 1 to D - 1",
                                   function_->codimension(), function_->ambient_dimension()));
  }
  if (!(reach >= 0) || !(scale > 0) || !std::isfinite(scale)) {
    throw InvalidInput(fmt::format("implicit manifold: reach = {}, scale = {}", reach, scale));
  }
}

ImplicitProjection ImplicitManifold::gauss_newton(const PointsRef& x) const {
  check_dimension(x, ambient_dimension(), "gauss_newton");
  ImplicitProjection result = nothing_found(x);
  for (Index j = 0; j < x.cols(); ++j) {
    const Vector point = x.col(j);
    if (!point.allFinite()) continue;
    const std::optional<Landing> landing = land(*function_, point, step_tolerance * scale_);
    result.iterations(j) = landing ? landing->steps : most_gauss_newton_steps;
    if (!landing) continue;
    const std::optional<Frame> frame = frame_at(*function_, landing->point);
    if (!frame) continue;
    result.converged(j) = true;
    result.points.col(j) = landing->point;
    result.constraint(j) = correction(*frame, function_->value(landing->point)).norm();
    result.tangential(j) = (frame->tangents.transpose() * (point - landing->point)).norm();
  }
  return result;
}

ImplicitProjection ImplicitManifold::nearest(const PointsRef& x) const {
  check_dimension(x, ambient_dimension(), "nearest");
  ImplicitProjection result = nothing_found(x);
  for (Index j = 0; j < x.cols(); ++j) {
    const Vector point = x.col(j);
    if (!point.allFinite()) continue;
    const std::optional<Nearest> nearest = nearest_point(*function_, point, scale_);
    result.iterations(j) = nearest ? nearest->steps : most_newton_steps;
    if (!nearest) continue;
    const std::optional<Frame> frame = frame_at(*function_, nearest->point);
    if (!frame) continue;
    result.converged(j) = true;
    result.points.col(j) = nearest->point;
    result.constraint(j) = correction(*frame, function_->value(nearest->point)).norm();
    result.tangential(j) = (frame->tangents.transpose() * (point - nearest->point)).norm();
    result.certified(j) = (point - nearest->point).norm() < reach_;
  }
  return result;
}

Projection ImplicitManifold::do_project(const PointsRef& x) const {
  ImplicitProjection found = nearest(x);
  Projection result{std::move(found.points), Vector(x.cols()), std::move(found.converged)};
  for (Index j = 0; j < x.cols(); ++j) {
    result.distance(j) = result.converged(j) ? (x.col(j) - result.points.col(j)).norm() : nan;
  }
  return result;
}

Points ImplicitManifold::do_residual(const PointsRef& x) const {
  const Index k = codimension();
  Points result = Points::Constant(k, x.cols(), nan);
  for (Index j = 0; j < x.cols(); ++j) {
    const Vector point = x.col(j);
    if (!point.allFinite()) continue;
    const std::optional<Nearest> nearest = nearest_point(*function_, point, scale_);
    const Vector& foot = nearest ? nearest->point : point;
    const std::optional<Frame> frame = frame_at(*function_, foot);
    if (!frame) continue;
    result.col(j) = correction(*frame, function_->value(foot));
    if (nearest) result.col(j) += frame->normals.transpose() * (point - foot);
  }
  return result;
}

Points ImplicitManifold::do_normal_bases(const PointsRef& y) const {
  const Index k = codimension();
  Points result = Points::Constant(y.rows(), k * y.cols(), nan);
  for (Index j = 0; j < y.cols(); ++j) {
    const std::optional<Frame> frame = frame_at(*function_, y.col(j));
    if (frame) result.middleCols(k * j, k) = frame->normals;
  }
  return result;
}

Points ImplicitManifold::do_tangent_bases(const PointsRef& y) const {
  const Index d = dimension();
  Points result = Points::Constant(y.rows(), d * y.cols(), nan);
  for (Index j = 0; j < y.cols(); ++j) {
    const std::optional<Frame> frame = frame_at(*function_, y.col(j));
    if (frame) result.middleCols(d * j, d) = frame->tangents;
  }
  return result;
}

Points ImplicitManifold::do_random_points(Index n, Stream stream) const {
  Points result(ambient_dimension(), n);
  for (Index j = 0; j < n; ++j) {
    Stream draws = stream.at(static_cast<std::uint64_t>(j));
    bool found = false;
    for (int attempt = 0; attempt < 1000 && !found; ++attempt) {
      const Projection projection = project(scale_ * draws.normal(ambient_dimension(), 1));
      found = projection.converged(0);
      result.col(j) = projection.points.col(0);
    }
    if (!found) throw NumericalFailure("implicit manifold: no random point could be projected");
  }
  return result;
}

Ellipsoid::Ellipsoid(const Vector& axes)
    : ImplicitManifold(std::make_shared<const EllipsoidFunction>(checked_axes(axes)),
                       axes.minCoeff() * axes.minCoeff() / axes.maxCoeff(), axes.maxCoeff(),
                       fmt::format("ellipsoid:axes={}", fmt::join(axes.begin(), axes.end(), ":"))),
      axes_(axes) {}

bool Ellipsoid::foot(const Vector& x, Vector& y, bool& unique) const {
  const Index size = axes_.size();
  if (!x.allFinite() || !((x.array() / axes_.array()).abs().maxCoeff() < 1e140)) return false;
  const double shortest = axes_.minCoeff();
  // With u = 1 + t/min a², r_i = (a_i/min a)² and z_i = x_i/a_i: sum (r_i z_i / (u + r_i - 1))² = 1, u > 0.
  Vector pull(size);  // r_i z_i
  Vector gap(size);   // r_i - 1, exactly 0 on the shortest axes
  double low = 0;     // |z| over the shortest axes: the sum is >= 1 there
  for (Index i = 0; i < size; ++i) {
    const double ratio = axes_[i] / shortest;
    gap[i] = (ratio - 1) * (ratio + 1);
    pull[i] = ratio * (x[i] / shortest);
    if (gap[i] == 0) low = std::hypot(low, pull[i]);
  }
  double u = low;
  unique = true;
  if (low == 0) {
    double rest = 0;
    for (Index i = 0; i < size; ++i) rest += gap[i] > 0 ? std::pow(pull[i] / gap[i], 2) : 0.0;
    unique = rest >= 1;
  }
  y.resize(size);
  if (unique) {
    double change = std::numeric_limits<double>::infinity();
    for (int step = 0; step < 2000 && change > 2 * epsilon * u; ++step) {
      double value = -1;
      double slope = 0;
      for (Index i = 0; i < size; ++i) {
        if (pull[i] == 0) continue;
        const double term = pull[i] / (u + gap[i]);
        value += term * term;
        slope += 2 * term * (term / (u + gap[i]));
      }
      if (!(value > 0)) break;  // at the root, up to rounding: from the left it is never passed
      change = value / slope;
      u += change;
    }
    for (Index i = 0; i < size; ++i) y[i] = pull[i] == 0 ? 0.0 : axes_[i] * (pull[i] / (u + gap[i]));
  } else {
    // Between the branches: what the longer axes leave goes to one of the shortest, in either direction.
    double rest = 1;
    Index first = -1;
    for (Index i = 0; i < size; ++i) {
      if (gap[i] == 0 && first < 0) first = i;
      const double share = gap[i] > 0 ? pull[i] / gap[i] : 0.0;
      y[i] = axes_[i] * share;
      rest -= share * share;
    }
    y[first] = shortest * std::sqrt(std::max(rest, 0.0));
  }
  double square = 0;  // onto M to the last digit
  for (Index i = 0; i < size; ++i) square += (y[i] / axes_[i]) * (y[i] / axes_[i]);
  const double norm = std::sqrt(square);
  for (Index i = 0; i < size; ++i) y[i] /= norm;
  return true;
}

Projection Ellipsoid::do_project(const PointsRef& x) const {
  Projection result{x, Vector(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  Vector point(x.rows());
  Vector y(x.rows());
  for (Index j = 0; j < x.cols(); ++j) {
    for (Index i = 0; i < x.rows(); ++i) point[i] = x(i, j);
    bool unique = false;
    result.converged(j) = foot(point, y, unique) && unique;
    result.distance(j) = nan;
    if (!result.converged(j)) continue;
    for (Index i = 0; i < x.rows(); ++i) point[i] -= y[i];
    result.distance(j) = detail::safe_norm(point.data(), point.size());
    result.points.col(j) = y;
  }
  return result;
}

Points Ellipsoid::do_residual(const PointsRef& x) const {
  Points result(1, x.cols());
  Vector point(x.rows());
  Vector y(x.rows());
  for (Index j = 0; j < x.cols(); ++j) {
    for (Index i = 0; i < x.rows(); ++i) point[i] = x(i, j);
    bool unique = false;
    result(0, j) = nan;
    if (!point.allFinite()) continue;
    if (!foot(point, y, unique)) {
      result(0, j) = detail::safe_norm(point.data(), point.size());  // so far out that the axes are lost in rounding
      continue;
    }
    double outside = -1;
    for (Index i = 0; i < x.rows(); ++i) outside += (point[i] / axes_[i]) * (point[i] / axes_[i]);
    for (Index i = 0; i < x.rows(); ++i) point[i] -= y[i];
    result(0, j) = std::copysign(detail::safe_norm(point.data(), point.size()), outside);
  }
  return result;
}

Points Ellipsoid::do_random_points(Index n, Stream stream) const {
  Points result(axes_.size(), n);
  const double shortest = axes_.minCoeff();
  for (Index j = 0; j < n; ++j) {
    Stream draws = stream.at(static_cast<std::uint64_t>(j));
    Vector u;
    do {
      u = draws.normal(axes_.size(), 1);
      u /= u.norm();
    } while (draws.uniform() > shortest * u.cwiseQuotient(axes_).norm());
    result.col(j) = axes_.cwiseProduct(u);
  }
  return result;
}

}  // namespace onmanifold
