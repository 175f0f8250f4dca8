// SPDX-License-Identifier: Apache-2.0
#include "manifolds/rotation_group.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include <Eigen/LU>

#include "core/math/decompositions.hpp"
#include "core/math/portable.hpp"
#include "core/math/statistics.hpp"
#include "manifolds/fisher_moments.hpp"
#include "manifolds/geodesics.hpp"
#include "manifolds/heat_kernel.hpp"
#include "manifolds/normal_lift.hpp"
#include "manifolds/safe_norm.hpp"
#include "manifolds/uniform_posterior.hpp"

namespace onmanifold {
namespace {

using Eigen::Matrix3d;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct NearestRotation {
  Matrix3d rotation;
  double gap;  // s2 + e s3 as a share of s1; negative or NaN: no unique nearest rotation
};

NearestRotation nearest_rotation(const Matrix3d& x) {
  if (!x.allFinite()) return {x, nan};
  auto [u, s, v] = jacobi_svd3(x);
  const double sign = u.determinant() * v.determinant() < 0 ? -1 : 1;
  u.col(2) *= sign;
  return {u * v.transpose(), s[0] > 0 ? (s[1] + sign * s[2]) / s[0] : 0};
}

double distance(const Matrix3d& a, const Matrix3d& b) {
  const Matrix3d difference = a - b;
  return detail::safe_norm(difference.data(), 9);
}

class RotationGeodesics final : public Geodesics {
 public:
  explicit RotationGeodesics(const Manifold& manifold) : Geodesics(manifold) {}
  /// 8 pi^2 in rotation vectors, whose lengths the metric of R^9 stretches by sqrt(2).
  [[nodiscard]] double log_volume() const override {
    return std::log(8 * std::numbers::pi * std::numbers::pi) + 1.5 * std::log(2.0);
  }

 private:
  [[nodiscard]] Points do_exp(const PointsRef& y, const PointsRef& v) const override {
    Points result(9, y.cols());
    for (Index j = 0; j < y.cols(); ++j) {
      const Eigen::Matrix3d r = rotation_matrix(y.col(j));
      const Eigen::Matrix3d a = r.transpose() * rotation_matrix(v.col(j));
      set_rotation(result, j,
                   r * rotation_exp(0.5 * Eigen::Vector3d(a(2, 1) - a(1, 2), a(0, 2) - a(2, 0), a(1, 0) - a(0, 1))));
    }
    return result;
  }
  [[nodiscard]] Points do_log(const PointsRef& y, const PointsRef& z) const override {
    Points result(9, y.cols());
    for (Index j = 0; j < y.cols(); ++j) {
      const Eigen::Matrix3d r = rotation_matrix(y.col(j));
      const Eigen::Vector3d w = rotation_log(r.transpose() * rotation_matrix(z.col(j)));
      Eigen::Matrix3d skew;
      skew << 0, -w[2], w[1], w[2], 0, -w[0], -w[1], w[0], 0;
      set_rotation(result, j, r * skew);
    }
    return result;
  }
  /// II(RA, RA) = R A^2, and the sum of A^2 over the three axes with |A| = 1 is -I.
  [[nodiscard]] Points do_mean_curvature(const PointsRef& y) const override { return -y; }
};

class RotationPosterior final : public UniformPosterior {
 public:
  [[nodiscard]] Index dimension() const override { return 9; }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double sigma) const override {
    Points result(9, x.cols());
    for (Index j = 0; j < x.cols(); ++j) {
      const Eigen::Matrix3d f = a / (sigma * sigma) * rotation_matrix(x.col(j));
      if (f.allFinite()) {
        set_rotation(result, j, fisher_moments(f).mean);
      } else {
        result.col(j).setConstant(nan);
      }
    }
    return result;
  }
};

constexpr Index rotation_pairs = 200000;

/// prod_{i<j} (a_i + a_j)/2 = det((tr A) I - A)/8 for the eigenvalues a of A = I + S.
double log_rotation_factor(const Eigen::Matrix3d& s) {
  const Eigen::Matrix3d a = Eigen::Matrix3d::Identity() + s;
  const Eigen::Matrix3d sums = a.trace() * Eigen::Matrix3d::Identity() - a;
  return std::log(std::abs(sums.determinant()) / 8);
}

TubeFactor rotation_tube_factor(double sigma) {
  // Normal noise: the entries of sym(E), variance sigma² on the diagonal and sigma²/2 off it.
  const Points draws = Stream(0, "tube factor of rotations").normal(6, rotation_pairs);
  const double off = sigma / std::numbers::sqrt2;
  Vector values(rotation_pairs);
  for (Index j = 0; j < rotation_pairs; ++j) {
    Eigen::Matrix3d s;
    s << sigma * draws(0, j), off * draws(3, j), off * draws(4, j),  //
        off * draws(3, j), sigma * draws(1, j), off * draws(5, j),   //
        off * draws(4, j), off * draws(5, j), sigma * draws(2, j);
    values[j] = (log_rotation_factor(s) + log_rotation_factor(-s)) / 2;
  }
  return {mean(values), standard_error(values)};
}

}  // namespace

Eigen::Matrix3d rotation_matrix(const VectorRef& x) {
  Matrix3d result;
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) result(i, j) = x[3 * i + j];
  }
  return result;
}

void set_rotation(Points& points, Index j, const Eigen::Matrix3d& matrix) {
  for (Index i = 0; i < 3; ++i) {
    for (Index k = 0; k < 3; ++k) points(3 * i + k, j) = matrix(i, k);
  }
}

Eigen::Matrix3d rotation_from_quaternion(const Eigen::Vector4d& q) {
  double square = 0;
  for (Index i = 0; i < 4; ++i) square += q[i] * q[i];
  const double norm = std::sqrt(square);
  const double w = q[0] / norm;
  const double x = q[1] / norm;
  const double y = q[2] / norm;
  const double z = q[3] / norm;
  Matrix3d result;
  result << 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),  //
      2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),        //
      2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y);
  return result;
}

Eigen::Vector4d quaternion_from_rotation(const Eigen::Matrix3d& rotation) {
  // Four times the squares of the entries; the largest is at least 1, so that no digit is lost in the
  // division.
  const Matrix3d& r = rotation;
  const Eigen::Vector4d squares(1 + r(0, 0) + r(1, 1) + r(2, 2), 1 + r(0, 0) - r(1, 1) - r(2, 2),
                                1 - r(0, 0) + r(1, 1) - r(2, 2), 1 - r(0, 0) - r(1, 1) + r(2, 2));
  Index largest = 0;
  for (Index i = 1; i < 4; ++i) {
    if (squares[i] > squares[largest]) largest = i;
  }
  // Row i of 4 q q^T.
  Eigen::Matrix4d product;
  product << squares[0], r(2, 1) - r(1, 2), r(0, 2) - r(2, 0), r(1, 0) - r(0, 1),  //
      0, squares[1], r(0, 1) + r(1, 0), r(0, 2) + r(2, 0),                         //
      0, 0, squares[2], r(1, 2) + r(2, 1),                                         //
      0, 0, 0, squares[3];
  Eigen::Vector4d q;
  double total = 0;
  for (Index i = 0; i < 4; ++i) {
    q[i] = product(std::min(i, largest), std::max(i, largest));
    total += q[i] * q[i];
  }
  return q / std::sqrt(total);
}

Eigen::Matrix3d rotation_exp(const Eigen::Vector3d& v) {
  const double square = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
  const double angle = std::sqrt(square);
  // sin(angle/2)/angle; the series is exact to rounding below 1e-3.
  const double factor = angle < 1e-3 ? 0.5 - square / 48 : portable::sin(angle / 2) / angle;
  return rotation_from_quaternion({portable::cos(angle / 2), factor * v[0], factor * v[1], factor * v[2]});
}

Eigen::Vector3d rotation_log(const Eigen::Matrix3d& rotation) {
  Eigen::Vector4d q = quaternion_from_rotation(rotation);
  if (q[0] < 0) q = -q;
  const double sine = std::sqrt(q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
  if (sine == 0) return Eigen::Vector3d::Zero();
  double factor = 2 * std::atan2(sine, q[0]) / sine;
  if (q[0] == 0) {
    for (Index i = 1; i < 4; ++i) {
      if (q[i] == 0) continue;
      if (q[i] < 0) factor = -factor;
      break;
    }
  }
  return {factor * q[1], factor * q[2], factor * q[3]};
}

double rotation_angle(const Eigen::Matrix3d& rotation) {
  const Eigen::Vector4d q = quaternion_from_rotation(rotation);
  return 2 * std::atan2(std::sqrt(q[1] * q[1] + q[2] * q[2] + q[3] * q[3]), std::abs(q[0]));
}

double RotationGroup::do_reach() const {
  return std::sqrt(2.0);
}

double RotationGroup::do_scale() const {
  return std::sqrt(3.0);
}

Projection RotationGroup::do_project(const PointsRef& x) const {
  Projection result{x, Vector(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  for (Index j = 0; j < x.cols(); ++j) {
    const Matrix3d point = rotation_matrix(x.col(j));
    const NearestRotation nearest = nearest_rotation(point);
    result.converged(j) = nearest.gap > 8 * std::numeric_limits<double>::epsilon();
    result.distance(j) = result.converged(j) ? distance(point, nearest.rotation) : nan;
    if (result.converged(j)) set_rotation(result.points, j, nearest.rotation);
  }
  return result;
}

Points RotationGroup::do_residual(const PointsRef& x) const {
  Points result(6, x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    const Matrix3d point = rotation_matrix(x.col(j));
    const Matrix3d rotation = nearest_rotation(point).rotation;
    // R^T (X - R), not R^T X - I: the difference of near numbers comes first.
    const Matrix3d s = rotation.transpose() * (point - rotation);
    const double root = std::sqrt(0.5);
    result.col(j) << s(0, 0), s(1, 1), s(2, 2), root * (s(0, 1) + s(1, 0)), root * (s(0, 2) + s(2, 0)),
        root * (s(1, 2) + s(2, 1));
  }
  return result;
}

Points RotationGroup::do_normal_bases(const PointsRef& y) const {
  Points result(9, 6 * y.cols());
  const double root = std::sqrt(0.5);
  for (Index j = 0; j < y.cols(); ++j) {
    const Matrix3d r = rotation_matrix(y.col(j));
    for (Index i = 0; i < 3; ++i) {
      Matrix3d diagonal = Matrix3d::Zero();  // R e_i e_i^T
      diagonal.col(i) = r.col(i);
      set_rotation(result, 6 * j + i, diagonal);
    }
    Index column = 3;
    for (Index a = 0; a < 3; ++a) {
      for (Index b = a + 1; b < 3; ++b) {
        Matrix3d mixed = Matrix3d::Zero();  // R (e_a e_b^T + e_b e_a^T)/sqrt(2)
        mixed.col(b) = root * r.col(a);
        mixed.col(a) = root * r.col(b);
        set_rotation(result, 6 * j + column++, mixed);
      }
    }
  }
  return result;
}

Points RotationGroup::do_tangent_bases(const PointsRef& y) const {
  Points result(9, 3 * y.cols());
  const double root = std::sqrt(0.5);
  for (Index j = 0; j < y.cols(); ++j) {
    const Matrix3d r = rotation_matrix(y.col(j));
    for (Index axis = 0; axis < 3; ++axis) {
      const Index a = (axis + 1) % 3;
      const Index b = (axis + 2) % 3;
      Matrix3d turn = Matrix3d::Zero();  // R (e_b e_a^T - e_a e_b^T)/sqrt(2)
      turn.col(a) = root * r.col(b);
      turn.col(b) = -root * r.col(a);
      set_rotation(result, 3 * j + axis, turn);
    }
  }
  return result;
}

Points RotationGroup::do_normal_component(const PointsRef& y, const PointsRef& v) const {
  Points result(9, y.cols());
  for (Index j = 0; j < y.cols(); ++j) {
    const Matrix3d r = rotation_matrix(y.col(j));
    const Matrix3d product = r.transpose() * rotation_matrix(v.col(j));
    const Matrix3d symmetric = 0.5 * (product + product.transpose());
    set_rotation(result, j, r * symmetric);
  }
  return result;
}

Points RotationGroup::do_random_points(Index n, Stream stream) const {
  const Points quaternions = stream.normal(4, n);
  Points result(9, n);
  for (Index j = 0; j < n; ++j) set_rotation(result, j, rotation_from_quaternion(quaternions.col(j)));
  return result;
}

std::unique_ptr<Geodesics> RotationGroup::do_geodesics() const {
  return std::make_unique<RotationGeodesics>(*this);
}

std::unique_ptr<UniformPosterior> RotationGroup::do_uniform_posterior() const {
  return std::make_unique<RotationPosterior>();
}

std::vector<HeatFactor> RotationGroup::do_heat_factors() const {
  return {rotation_factor()};
}

std::optional<TubeFactor> RotationGroup::do_mean_log_tube_factor(double sigma) const {
  return rotation_tube_factor(sigma);
}

}  // namespace onmanifold
