// SPDX-License-Identifier: Apache-2.0
#include "tests/support/manifold_conformance.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace onmanifold::test {
namespace {

class Report {
 public:
  // The largest of the values must be at most the bound; NaN violates.
  void at_most(int identity, const std::string& what, double value, double bound) {
    if (value <= bound) return;
    if (std::any_of(found_.begin(), found_.end(), [&](const Violation& v) { return v.identity == identity; })) return;
    found_.push_back({identity, what, value, bound});
  }
  [[nodiscard]] std::vector<Violation> sorted() {
    std::sort(found_.begin(), found_.end(),
              [](const Violation& a, const Violation& b) { return a.identity < b.identity; });
    return std::move(found_);
  }

 private:
  std::vector<Violation> found_;
};

// Largest norm of a column; NaN if there is one.
double worst(const Points& columns) {
  double result = 0;
  for (Index j = 0; j < columns.cols(); ++j) {
    const double norm = columns.col(j).norm();
    if (!(norm <= result)) result = norm;
    if (std::isnan(result)) return result;
  }
  return result;
}

// Distances from M along the normal for the regime.
double offset(const Manifold& manifold, Regime regime, bool polyhedron, double uniform, Index j) {
  const double scale = manifold.scale();
  const double reach = manifold.reach();
  switch (regime) {
    case Regime::zero:
      return 0;
    case Regime::tiny:
      return 1e-8 * scale;
    case Regime::random:
      if (polyhedron) return 1e-3 * scale * uniform;
      return std::isinf(reach) ? 3 * scale * uniform : reach * uniform;
    case Regime::cut_locus:
      if (polyhedron) return 1e-4 * scale * uniform;
      if (std::isinf(reach)) return 1e6 * scale * uniform;
      return reach * (1 - std::pow(10.0, -6.0 - 2.0 * static_cast<double>(j % 2)));
  }
  return 0;
}

}  // namespace

std::string to_string(Regime regime) {
  switch (regime) {
    case Regime::zero:
      return "zero";
    case Regime::tiny:
      return "tiny";
    case Regime::random:
      return "random";
    case Regime::cut_locus:
      return "cut_locus";
  }
  return "";
}

std::string describe(const std::vector<Violation>& found) {
  std::string text;
  for (const Violation& v : found) {
    text += fmt::format("identity {} ({}): {}, at most {}; ", v.identity, v.what, v.value, v.bound);
  }
  return text;
}

std::vector<Violation> violations(const Manifold& manifold, Regime regime, Stream stream,
                                  const ConformanceOptions& options) {
  Report report;
  const Index ambient = manifold.ambient_dimension();
  const Index d = manifold.dimension();
  const Index k = manifold.codimension();
  const Index n = options.points;
  const double scale = manifold.scale();
  const bool at_edges = options.polyhedron && regime == Regime::cut_locus;

  // Identity 9, on the manifold's own points in every regime.
  const Points own = manifold.random_points(n, stream.at("points"));
  if (own.rows() != ambient || own.cols() != n || d + k != ambient) {
    report.at_most(0, "shapes", 1, 0);
    return report.sorted();
  }
  report.at_most(9, "residual of random points", worst(manifold.residual(own)), manifold.constraint_tolerance());

  Points base = own;
  if (options.polyhedron) base = at_edges ? options.edge_points : options.inner_points;
  const Index m = base.cols();

  const Points normals = manifold.normal_bases(base);
  const Points tangents = manifold.tangent_bases(base);
  const Points coefficients = stream.at("normals").normal(k, m);
  const Points uniforms = stream.at("offsets").uniform(1, m);
  Points x = base;
  Vector lengths(m);
  for (Index j = 0; j < m; ++j) {
    // Sides alternate: towards the inside and the outside.
    const double side = j % 2 == 0 ? 1 : -1;
    lengths(j) = offset(manifold, regime, options.polyhedron, uniforms(0, j), j);
    Vector direction = normals.middleCols(k * j, k) * coefficients.col(j);
    direction *= side * (coefficients(0, j) < 0 ? -1 : 1) / direction.norm();
    x.col(j) += lengths(j) * direction;
  }

  // Rounding: a projection from distance |n| with coordinates of size |x| is good to a few eps of both.
  // Towards the cut locus at distance q = reach - |n| it magnifies what was lost in forming x by reach / q.
  double size = scale;
  double magnification = 1;
  for (Index j = 0; j < m; ++j) {
    size = std::max({size, x.col(j).norm(), base.col(j).norm()});
    if (std::isfinite(manifold.reach()) && manifold.reach() > 0) {
      magnification = std::max(magnification, manifold.reach() / (manifold.reach() - lengths(j)));
    }
  }
  const double rounding = 64 * 2.3e-16 * size;

  const Projection on = manifold.project(base);
  const Projection projected = manifold.project(x);
  report.at_most(0, "failed projections", static_cast<double>(on.failures() + projected.failures()), 0);
  report.at_most(1, "movement of points on M", worst(on.points - base), rounding);
  report.at_most(2, "movement of projected points", worst(manifold.project(projected.points).points - projected.points),
                 rounding);
  report.at_most(3, "residual of projected points", worst(manifold.residual(projected.points)),
                 std::max(manifold.constraint_tolerance(), rounding));

  // h is not zero off M: it is the distance, up to rounding, for every manifold here.
  const Points h = manifold.residual(x);
  double residual_error = 0;
  double distance_error = 0;
  double excess = 0;
  double tilt = 0;
  for (Index j = 0; j < m; ++j) {
    const double moved = (x.col(j) - projected.points.col(j)).norm();
    residual_error = std::max(residual_error, options.residual_is_distance ? std::abs(h.col(j).norm() - moved)
                                                                           : 1e-3 * moved - h.col(j).norm());
    distance_error = std::max(distance_error, std::abs(projected.distance(j) - moved));
    // 4. No other point of M is nearer: the base point, the manifold's own points, and neighbours of the
    // projection.
    excess = std::max(excess, moved - (x.col(j) - base.col(j)).norm());
    for (Index i = 0; i < n; ++i) excess = std::max(excess, moved - (x.col(j) - own.col(i)).norm());
  }
  for (const double step : {1e-1, 1e-3, 1e-5}) {
    const Points neighbours =
        manifold.project(projected.points + step * scale * stream.at("neighbours").normal(ambient, m)).points;
    for (Index j = 0; j < m; ++j) {
      const double moved = (x.col(j) - projected.points.col(j)).norm();
      excess = std::max(excess, moved - (x.col(j) - neighbours.col(j)).norm());
    }
  }
  report.at_most(3, "difference of |h| and the distance moved", residual_error, rounding);
  report.at_most(4, "difference of the distance told and moved", distance_error, rounding);
  report.at_most(4, "how much nearer another point of M is", excess, rounding);

  if (!at_edges) {
    // 5. Relative to the distance once that is far above rounding.
    const Points move = x - projected.points;
    const Points leak = manifold.tangent_component(projected.points, move);
    for (Index j = 0; j < m; ++j) tilt = std::max(tilt, leak.col(j).norm() - 1e-9 * move.col(j).norm());
    report.at_most(5, "tangential part of x - Pi(x)", tilt, rounding);
    // 8.
    report.at_most(8, "distance of Pi(y + n) from y", worst(projected.points - base), rounding * magnification);
  }

  // 6. Entries of orthonormal matrices of order D: D eps, with room.
  const double orthogonality = 1e-14 * static_cast<double>(ambient);
  double basis_error = 0;
  if (normals.cols() != k * m || tangents.cols() != d * m) {
    report.at_most(6, "number of basis vectors", 1, 0);
  } else {
    for (Index j = 0; j < m; ++j) {
      Points basis(ambient, ambient);
      basis << normals.middleCols(k * j, k), tangents.middleCols(d * j, d);
      const double error = (basis.transpose() * basis - Points::Identity(ambient, ambient)).cwiseAbs().maxCoeff();
      if (!(error <= basis_error)) basis_error = error;
    }
    report.at_most(6, "deviation of [U_N U_T] from orthogonal", basis_error, orthogonality);
  }

  // U_N c by its own function.
  if (normals.cols() == k * m) {
    const Points combined = manifold.from_normal_coordinates(base, coefficients);
    double combination_error = 0;
    for (Index j = 0; j < m; ++j) {
      const double error =
          (combined.col(j) - normals.middleCols(k * j, k) * coefficients.col(j)).norm() / coefficients.col(j).norm();
      if (!(error <= combination_error)) combination_error = error;
    }
    report.at_most(6, "difference of U_N c and from_normal_coordinates", combination_error, orthogonality);
  }

  // 7.
  const Points v = stream.at("vectors").normal(ambient, m);
  const Points along = manifold.normal_component(base, v);
  const Points within = manifold.tangent_component(base, v);
  const double vector_rounding = 1e-14 * static_cast<double>(ambient) * worst(v);
  report.at_most(7, "sum of the components", worst(along + within - v), vector_rounding);
  report.at_most(7, "idempotence of P_N", worst(manifold.normal_component(base, along) - along), vector_rounding);
  report.at_most(7, "idempotence of P_T", worst(manifold.tangent_component(base, within) - within), vector_rounding);
  report.at_most(7, "inner product of the components",
                 (along.array() * within.array()).colwise().sum().abs().maxCoeff(), vector_rounding * worst(v));
  for (Index j = 0; j < m && normals.cols() == k * m; ++j) {
    const double error =
        (along.col(j) - normals.middleCols(k * j, k) * (normals.middleCols(k * j, k).transpose() * v.col(j))).norm();
    report.at_most(7, "difference of P_N v and the normal basis", error, vector_rounding);
  }
  return report.sorted();
}

}  // namespace onmanifold::test
