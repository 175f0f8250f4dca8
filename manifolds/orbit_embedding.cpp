// SPDX-License-Identifier: Apache-2.0
#include "manifolds/orbit_embedding.hpp"

#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/decompositions.hpp"
#include "core/math/portable.hpp"
#include "core/math/summation.hpp"
#include "manifolds/safe_norm.hpp"

namespace onmanifold {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr Index circle_modes = 8;

double dot(const double* a, const double* b, Index n) {
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// The reach of an orbit with kernel K(theta) = sum cosines_m cos m theta.
double orbit_reach(const Vector& cosines) {
  double fourth = 0;
  for (Index m = 0; m < cosines.size(); ++m) fourth += cosines[m] * portable::power(static_cast<double>(m), 4);
  double result = 1 / std::sqrt(fourth);  // the limit of the quotient at angle 0
  const auto quotient = [&](double angle) {
    double square = 0;   // |f(w) - f(u)|^2 = 2 (K(0) - K)
    double tangent = 0;  // its part along the tangent: -K'
    for (Index m = 1; m < cosines.size(); ++m) {
      const auto order = static_cast<double>(m);
      const double half = portable::sin(order * angle / 2);
      square += 4 * cosines[m] * half * half;
      tangent += order * cosines[m] * portable::sin(order * angle);
    }
    return square / (2 * std::sqrt(square - tangent * tangent));
  };
  // Below 0.05 the difference under the root loses digits, and the limit is as good.
  constexpr int steps = 4000;
  for (int i = 0; i <= steps; ++i) result = std::min(result, quotient(0.05 + (M_PI - 0.05) * i / steps));
  return result;
}

/// Exponents of the 19 monomials of degree 1 to 3 in three variables.
constexpr std::array<std::array<int, 3>, 19> exponents = {{{1, 0, 0},
                                                           {0, 1, 0},
                                                           {0, 0, 1},
                                                           {2, 0, 0},
                                                           {0, 2, 0},
                                                           {0, 0, 2},
                                                           {1, 1, 0},
                                                           {0, 1, 1},
                                                           {1, 0, 1},
                                                           {3, 0, 0},
                                                           {0, 3, 0},
                                                           {0, 0, 3},
                                                           {2, 1, 0},
                                                           {2, 0, 1},
                                                           {1, 2, 0},
                                                           {0, 2, 1},
                                                           {1, 0, 2},
                                                           {0, 1, 2},
                                                           {1, 1, 1}}};
constexpr Index monomials = 19;

/// Powers 0 … 3 of three variables, and derivatives of monomials from them.
struct Powers {
  explicit Powers(const Vector& u) {
    for (std::size_t i = 0; i < 3; ++i) {
      power[i][0] = 1;
      for (std::size_t e = 1; e < 4; ++e) power[i][e] = power[i][e - 1] * u[static_cast<Index>(i)];
    }
  }
  /// Derivative of monomial \p m, \p order[i] times in variable i.
  [[nodiscard]] double derivative(Index m, const std::array<int, 3>& order) const {
    double value = 1;
    for (std::size_t i = 0; i < 3; ++i) {
      int e = exponents[static_cast<std::size_t>(m)][i];
      for (int k = 0; k < order[i]; ++k) value *= e--;
      if (e < 0) return 0;
      value *= power[i][static_cast<std::size_t>(e)];
    }
    return value;
  }
  std::array<std::array<double, 4>, 3> power;
};

Index monomial(int x, int y, int z) {
  for (Index m = 0; m < monomials; ++m) {
    if (exponents[static_cast<std::size_t>(m)] == std::array<int, 3>{x, y, z}) return m;
  }
  return -1;
}

/// Two orthonormal tangents of S^2 at u.
Eigen::Matrix<double, 3, 2> sphere_tangents(const Vector& u) {
  // Perpendicular to the axis that u leans on least.
  Index axis = 0;
  for (Index i = 1; i < 3; ++i) {
    if (std::abs(u[i]) < std::abs(u[axis])) axis = i;
  }
  const Index b = (axis + 1) % 3;
  const Index c = (axis + 2) % 3;
  const double length = portable::hypot(u[b], u[c]);
  Eigen::Matrix<double, 3, 2> result;
  result(axis, 0) = 0;
  result(b, 0) = -u[c] / length;
  result(c, 0) = u[b] / length;
  for (Index i = 0; i < 3; ++i) {  // u × first
    result(i, 1) = u[(i + 1) % 3] * result((i + 2) % 3, 0) - u[(i + 2) % 3] * result((i + 1) % 3, 0);
  }
  return result;
}

Points fibonacci_sphere(Index count) {
  const double golden = (1 + std::sqrt(5.0)) / 2;
  Points result(3, count);
  for (Index i = 0; i < count; ++i) {
    const double z = 1 - (2 * static_cast<double>(i) + 1) / static_cast<double>(count);
    const double angle = 2 * M_PI * static_cast<double>(i) / golden;
    const double sine = std::sqrt(1 - z * z);
    result.col(i) << sine * portable::cos(angle), sine * portable::sin(angle), z;
  }
  return result;
}

Points circle_grid(Index count) {
  Points result(2, count);
  for (Index i = 0; i < count; ++i) {
    const double angle = 2 * M_PI * static_cast<double>(i) / static_cast<double>(count);
    result.col(i) << portable::cos(angle), portable::sin(angle);
  }
  return result;
}

double circle_weight(Index m) {
  const auto order = static_cast<double>(m);
  return std::ldexp(1.0, -static_cast<int>(m)) /
         (order * order * (1 - std::ldexp(1.0, -static_cast<int>(circle_modes))));
}

/// P1 = cos, P2 = 1/4 + 3/4 cos 2, P3 = 3/8 cos + 5/8 cos 3.
Vector sphere_kernel() {
  return Vector{{1.0 / 48, 1.0 / 2 + 3.0 / 192, 3.0 / 48, 5.0 / 192}};
}

Vector circle_kernel() {
  Vector result = Vector::Zero(circle_modes + 1);
  for (Index m = 1; m <= circle_modes; ++m) result[m] = circle_weight(m);
  return result;
}

}  // namespace

OrbitEmbedding::OrbitEmbedding(Points grid, Vector cosines, double spread, std::string spec)
    : grid_(std::move(grid)),
      cosines_(std::move(cosines)),
      spread_(spread),
      radius_(std::sqrt(tree_sum(cosines_))),
      reach_(orbit_reach(cosines_)),
      spec_(std::move(spec)) {}

void OrbitEmbedding::tabulate() {
  table_ = embed(grid_);
}

Points OrbitEmbedding::embed(const PointsRef& u) const {
  check_dimension(u, grid_.rows(), "parameters of an embedding");
  Points result(ambient_dimension(), u.cols());
  for (Index j = 0; j < u.cols(); ++j) result.col(j) = do_embed(u.col(j));
  return result;
}

Points OrbitEmbedding::parameters(const PointsRef& x) const {
  check_dimension(x, ambient_dimension(), "parameters");
  Points result(grid_.rows(), x.cols());
  Vector u(grid_.rows());
  for (Index j = 0; j < x.cols(); ++j) {
    if (!nearest(x.col(j), u)) u.setConstant(nan);
    result.col(j) = u;
  }
  return result;
}

bool OrbitEmbedding::nearest(const Vector& x, Vector& u) const {
  if (!x.allFinite()) return false;
  const double largest = x.cwiseAbs().maxCoeff();
  if (!(largest > 0)) return false;
  const Vector scaled = x / largest;  // only the direction counts
  const Index count = grid_.cols();
  Vector values(count);
  Index best = 0;
  for (Index g = 0; g < count; ++g) {
    values[g] = dot(&table_.coeffRef(0, g), scaled.data(), x.size());
    if (values[g] > values[best]) best = g;
  }
  u = grid_.col(best);
  if (!do_ascend(scaled, u)) return false;
  // Another maximum that the grid shows as a little lower may be the higher one.
  const double closeness = portable::cos(spread_);
  Index second = -1;
  for (Index g = 0; g < count; ++g) {
    if (dot(&grid_.coeffRef(0, g), u.data(), u.size()) > closeness) continue;
    if (second < 0 || values[g] > values[second]) second = g;
  }
  const double height = do_embed(u).dot(scaled);
  const double doubt = 0.1 * radius_ * scaled.norm();
  if (second >= 0 && values[second] > height - doubt) {
    Vector other = grid_.col(second);
    if (do_ascend(scaled, other) && do_embed(other).dot(scaled) > height) u = other;
  }
  return true;
}

Projection OrbitEmbedding::do_project(const PointsRef& x) const {
  Projection result{x, Vector(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  Vector u(grid_.rows());
  for (Index j = 0; j < x.cols(); ++j) {
    result.converged(j) = nearest(x.col(j), u);
    result.distance(j) = nan;
    if (!result.converged(j)) continue;
    const Vector point = do_embed(u);
    const Vector moved = x.col(j) - point;
    result.distance(j) = detail::safe_norm(moved.data(), moved.size());
    result.points.col(j) = point;
  }
  return result;
}

Points OrbitEmbedding::do_residual(const PointsRef& x) const {
  Points result(x.rows(), x.cols());
  Vector u(grid_.rows());
  for (Index j = 0; j < x.cols(); ++j) {
    if (nearest(x.col(j), u)) {
      result.col(j) = x.col(j) - do_embed(u);
    } else if (x.col(j).allFinite()) {
      result.col(j) = x.col(j) - table_.col(0);  // 0 is as far from every point
    } else {
      result.col(j).setConstant(nan);
    }
  }
  return result;
}

Points OrbitEmbedding::do_tangent_bases(const PointsRef& y) const {
  const Index d = dimension();
  Points result = Points::Constant(y.rows(), d * y.cols(), nan);
  Vector u(grid_.rows());
  for (Index j = 0; j < y.cols(); ++j) {
    if (nearest(y.col(j), u)) result.middleCols(d * j, d) = do_tangents(u);
  }
  return result;
}

Points OrbitEmbedding::do_normal_bases(const PointsRef& y) const {
  const Index d = dimension();
  const Index k = codimension();
  const Points tangents = tangent_bases(y);
  Points result = Points::Constant(y.rows(), k * y.cols(), nan);
  for (Index j = 0; j < y.cols(); ++j) {
    if (!tangents.middleCols(d * j, d).allFinite()) continue;
    result.middleCols(k * j, k) = full_qr(tangents.middleCols(d * j, d)).q.rightCols(k);
  }
  return result;
}

Points OrbitEmbedding::do_random_points(Index n, Stream stream) const {
  Points u = stream.normal(grid_.rows(), n);
  u.colwise().normalize();
  return embed(u);
}

SphereIn16d::SphereIn16d()
    : OrbitEmbedding(fibonacci_sphere(200), sphere_kernel(), 0.8, "sphere_in_16d"),
      coefficients_(Eigen::MatrixXd::Zero(16, monomials)) {
  Eigen::MatrixXd& c = coefficients_;
  const auto set = [&](Index row, int x, int y, int z, double value) { c(row, monomial(x, y, z)) = value; };
  const double a1 = std::sqrt(1.0 / 2);
  const double a2 = std::sqrt(1.0 / 12);
  const double a3 = std::sqrt(1.0 / 24);
  set(0, 1, 0, 0, a1);
  set(1, 0, 1, 0, a1);
  set(2, 0, 0, 1, a1);
  // Degree 2; -1 in (3z^2 - 1)/2 is -(x^2 + y^2 + z^2) on the sphere.
  const double root3 = std::sqrt(3.0);
  set(3, 1, 1, 0, a2 * root3);
  set(4, 0, 1, 1, a2 * root3);
  set(5, 1, 0, 1, a2 * root3);
  set(6, 2, 0, 0, a2 * root3 / 2);
  set(6, 0, 2, 0, -a2 * root3 / 2);
  set(7, 0, 0, 2, a2);
  set(7, 2, 0, 0, -a2 / 2);
  set(7, 0, 2, 0, -a2 / 2);
  // Degree 3.
  const double r58 = std::sqrt(5.0 / 8);
  const double r38 = std::sqrt(3.0 / 8);
  const double r15 = std::sqrt(15.0);
  set(8, 2, 1, 0, 3 * a3 * r58);
  set(8, 0, 3, 0, -a3 * r58);
  set(9, 1, 1, 1, a3 * r15);
  set(10, 0, 1, 2, 4 * a3 * r38);
  set(10, 2, 1, 0, -a3 * r38);
  set(10, 0, 3, 0, -a3 * r38);
  set(11, 0, 0, 3, a3);
  set(11, 2, 0, 1, -1.5 * a3);
  set(11, 0, 2, 1, -1.5 * a3);
  set(12, 1, 0, 2, 4 * a3 * r38);
  set(12, 3, 0, 0, -a3 * r38);
  set(12, 1, 2, 0, -a3 * r38);
  set(13, 2, 0, 1, a3 * r15 / 2);
  set(13, 0, 2, 1, -a3 * r15 / 2);
  set(14, 3, 0, 0, a3 * r58);
  set(14, 1, 2, 0, -3 * a3 * r58);
  // The reflection O = I - 11^T/8 leaves no coordinate constant.
  for (Index m = 0; m < monomials; ++m) {
    const double share = tree_sum(Vector(c.col(m))) / 8;
    for (Index i = 0; i < 16; ++i) c(i, m) -= share;
  }
  tabulate();
}

Vector SphereIn16d::do_embed(const Vector& u) const {
  const Powers powers(u);
  Vector values(monomials);
  for (Index m = 0; m < monomials; ++m) values[m] = powers.derivative(m, {0, 0, 0});
  // Written out: a product of Eigen fuses operations where the machine has them.
  Vector result(coefficients_.rows());
  for (Index i = 0; i < result.size(); ++i) {
    double sum = 0;
    for (Index m = 0; m < monomials; ++m) sum += coefficients_(i, m) * values[m];
    result[i] = sum;
  }
  return result;
}

Eigen::MatrixXd SphereIn16d::do_tangents(const Vector& u) const {
  const Powers powers(u);
  Eigen::Matrix<double, monomials, 3> gradients;
  for (Index m = 0; m < monomials; ++m) {
    gradients(m, 0) = powers.derivative(m, {1, 0, 0});
    gradients(m, 1) = powers.derivative(m, {0, 1, 0});
    gradients(m, 2) = powers.derivative(m, {0, 0, 1});
  }
  return coefficients_ * (gradients * sphere_tangents(u));
}

bool SphereIn16d::do_ascend(const Vector& x, Vector& u) const {
  const Vector weights = coefficients_.transpose() * x;
  const auto derivative = [&](const Powers& powers, const std::array<int, 3>& order) {
    double sum = 0;
    for (Index m = 0; m < monomials; ++m) sum += weights[m] * powers.derivative(m, order);
    return sum;
  };
  const double size = x.norm();
  double previous = std::numeric_limits<double>::infinity();
  for (int step = 0; step < 100; ++step) {
    const Powers powers(u);
    const Eigen::Matrix<double, 3, 2> t = sphere_tangents(u);
    Eigen::Vector3d gradient(derivative(powers, {1, 0, 0}), derivative(powers, {0, 1, 0}),
                             derivative(powers, {0, 0, 1}));
    Eigen::Matrix3d hessian;
    hessian << derivative(powers, {2, 0, 0}), derivative(powers, {1, 1, 0}), derivative(powers, {1, 0, 1}),
        derivative(powers, {1, 1, 0}), derivative(powers, {0, 2, 0}), derivative(powers, {0, 1, 1}),
        derivative(powers, {1, 0, 1}), derivative(powers, {0, 1, 1}), derivative(powers, {0, 0, 2});
    // Along the sphere: gradient P g, Hessian P H P - (u·g) P.
    const double radial = dot(gradient.data(), u.data(), 3);
    const Eigen::Vector2d g(dot(&t(0, 0), gradient.data(), 3), dot(&t(0, 1), gradient.data(), 3));
    Eigen::Matrix2d h = t.transpose() * hessian * t;
    h(0, 0) -= radial;
    h(1, 1) -= radial;
    const double slope = portable::hypot(g[0], g[1]);
    const double determinant = h(0, 0) * h(1, 1) - h(0, 1) * h(1, 0);
    const double trace = h(0, 0) + h(1, 1);
    const bool concave = trace < 0 && determinant > 1e-13 * trace * trace;
    if (slope <= 2 * epsilon * size || (slope <= 64 * epsilon * size && slope >= previous)) return concave;
    previous = slope;
    Eigen::Vector2d move = g / slope * 0.1;  // ascent where the Newton step is not one
    if (concave) {
      move = {-(h(1, 1) * g[0] - h(0, 1) * g[1]) / determinant, -(h(0, 0) * g[1] - h(1, 0) * g[0]) / determinant};
      const double length = portable::hypot(move[0], move[1]);
      if (length > 0.3) move *= 0.3 / length;
    }
    for (Index i = 0; i < 3; ++i) u[i] += t(i, 0) * move[0] + t(i, 1) * move[1];
    u /= std::sqrt(dot(u.data(), u.data(), 3));
  }
  return false;
}

CircleIn16d::CircleIn16d() : OrbitEmbedding(circle_grid(128), circle_kernel(), 0.3, "circle_in_16d") {
  tabulate();
}

Vector CircleIn16d::do_embed(const Vector& u) const {
  Vector result(2 * circle_modes);
  double cosine = 1;
  double sine = 0;
  for (Index m = 1; m <= circle_modes; ++m) {
    const double next = cosine * u[0] - sine * u[1];
    sine = sine * u[0] + cosine * u[1];
    cosine = next;
    const double weight = std::sqrt(circle_weight(m));
    result[2 * m - 2] = weight * cosine;
    result[2 * m - 1] = weight * sine;
  }
  return result;
}

Eigen::MatrixXd CircleIn16d::do_tangents(const Vector& u) const {
  const Vector f = do_embed(u);
  Eigen::MatrixXd result(2 * circle_modes, 1);
  for (Index m = 1; m <= circle_modes; ++m) {
    const auto order = static_cast<double>(m);
    result(2 * m - 2, 0) = -order * f[2 * m - 1];
    result(2 * m - 1, 0) = order * f[2 * m - 2];
  }
  return result;
}

bool CircleIn16d::do_ascend(const Vector& x, Vector& u) const {
  const double size = x.norm();
  double previous = std::numeric_limits<double>::infinity();
  for (int step = 0; step < 100; ++step) {
    const Vector f = do_embed(u);
    double slope = 0;
    double bend = 0;
    for (Index m = 1; m <= circle_modes; ++m) {
      const auto order = static_cast<double>(m);
      slope += order * (f[2 * m - 2] * x[2 * m - 1] - f[2 * m - 1] * x[2 * m - 2]);
      bend -= order * order * (f[2 * m - 2] * x[2 * m - 2] + f[2 * m - 1] * x[2 * m - 1]);
    }
    const bool concave = bend < -1e-13 * size;
    const double steepness = std::abs(slope);
    if (steepness <= 2 * epsilon * size || (steepness <= 64 * epsilon * size && steepness >= previous)) {
      return concave;
    }
    previous = steepness;
    double move = concave ? -slope / bend : std::copysign(0.02, slope);
    move = std::clamp(move, -0.1, 0.1);
    const double angle = portable::atan2(u[1], u[0]) + move;
    u[0] = portable::cos(angle);
    u[1] = portable::sin(angle);
  }
  return false;
}

}  // namespace onmanifold
