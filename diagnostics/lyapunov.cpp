// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/lyapunov.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "diagnostics/alignment.hpp"
#include "diagnostics/cell_input.hpp"
#include "diagnostics/flow_step.hpp"

namespace onmanifold {
namespace {

/// w = Q R with diag R > 0 by Gram and Schmidt, twice: \p w becomes Q, the result is R.
Points orthonormalise(Eigen::Ref<Points> w) {
  const Index q = w.cols();
  Points r = Points::Zero(q, q);
  for (Index j = 0; j < q; ++j) {
    for (int pass = 0; pass < 2; ++pass) {
      for (Index i = 0; i < j; ++i) {
        const double along = w.col(i).dot(w.col(j));
        w.col(j) -= along * w.col(i);
        r(i, j) += along;
      }
    }
    r(j, j) = w.col(j).norm();
    w.col(j) /= r(j, j);
  }
  return r;
}

/// Logarithms of the singular values of \p a, falling, by one-sided Jacobi rotations of its rows, which are
/// graded: the relative error depends on the condition of the rows after scaling only \cite demmel1992.
Vector log_singular_values(const Points& a) {
  Points b = a.transpose();
  const Index q = b.cols();
  bool turned = true;
  for (int sweep = 0; sweep < 60 && turned; ++sweep) {
    turned = false;
    for (Index i = 0; i + 1 < q; ++i) {
      for (Index j = i + 1; j < q; ++j) {
        const double ni = b.col(i).norm();
        const double nj = b.col(j).norm();
        // Squares of small columns would underflow: cosines of unit vectors do not.
        const double cosine = ni > 0 && nj > 0 ? (b.col(i) / ni).dot(b.col(j) / nj) : 0;
        if (!(std::abs(cosine) > 1e-12)) continue;  // the error of a norm is its square
        turned = true;
        const double ratio = nj / ni;
        const double zeta = (ratio - 1 / ratio) / (2 * cosine);
        const double t = (zeta >= 0 ? 1 : -1) / (std::abs(zeta) + std::hypot(1, zeta));
        const double c = 1 / std::hypot(1, t);
        const Vector kept = b.col(i);
        b.col(i) = c * (kept - t * b.col(j));
        b.col(j) = c * (t * kept + b.col(j));
      }
    }
  }
  Vector logs(q);
  for (Index i = 0; i < q; ++i) logs[i] = std::log(b.col(i).norm());
  std::sort(logs.begin(), logs.end(), std::greater<>());
  return logs;
}

}  // namespace

LyapunovResult lyapunov(const ScoreField& field, const PointsRef& start, const LyapunovOptions& options,
                        const Stream& stream) {
  check_dimension(start, field.dimension(), "lyapunov: points");
  const Index dimension = start.rows();
  const Index n = start.cols();
  const Index q = options.vectors == 0 ? dimension : options.vectors;
  const Index last = options.last_level < 0 ? field.levels().size() - 1 : options.last_level;
  if (n == 0 || q < 1 || q > dimension || last < 1 || last >= field.levels().size()) {
    throw InvalidInput(fmt::format("lyapunov: {} points, {} vectors in dimension {}, last level {} of {}", n, q,
                                   dimension, last, field.levels().size()));
  }
  LyapunovResult result;
  result.count = q;
  result.s_max = field.levels()[0];
  result.s_min = field.levels()[last];
  result.end = start;
  result.vectors = stream.at("vectors").normal(dimension, q * n);
  result.qr_exponents = Points::Zero(q, n);
  result.exponents.resize(q, n);
  Points products(q, q * n);
  for (Index c = 0; c < n; ++c) {
    orthonormalise(result.vectors.middleCols(q * c, q));
    products.middleCols(q * c, q).setIdentity();
  }
  const Stream path = stream.at("path");
  for (Index k = 0; k < last; ++k) {
    if (options.path == LyapunovPath::flow) {
      flow_step(field, k, q, result.end, result.vectors);
    } else {
      const Points noise = path.at(static_cast<std::uint64_t>(k)).normal(dimension, n);
      frozen_noise_step(field, k, noise, q, result.end, result.vectors);
    }
    for (Index c = 0; c < n; ++c) {
      const Points r = orthonormalise(result.vectors.middleCols(q * c, q));
      for (Index i = 0; i < q; ++i) result.qr_exponents(i, c) += std::log(r(i, i));
      const Points before = products.middleCols(q * c, q);
      products.middleCols(q * c, q) = r * before;
    }
  }
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (Index c = 0; c < n; ++c) {
    const bool finite = result.end.col(c).allFinite() && result.vectors.middleCols(q * c, q).allFinite() &&
                        result.qr_exponents.col(c).allFinite();
    if (finite) {
      result.exponents.col(c) = log_singular_values(products.middleCols(q * c, q));
    } else {
      ++result.failures;
      result.end.col(c).setConstant(nan);
      result.vectors.middleCols(q * c, q).setConstant(nan);
      result.exponents.col(c).setConstant(nan);
      result.qr_exponents.col(c).setConstant(nan);
    }
  }
  return result;
}

Vector spectral_gaps(const LyapunovResult& result, Index d) {
  if (d < 1 || d >= result.count) {
    throw InvalidInput(fmt::format("lyapunov: no gap after {} of {} exponents", d, result.count));
  }
  return (result.exponents.row(d - 1) - result.exponents.row(d)).transpose();
}

DimensionEstimates lyapunov_dimension(const LyapunovResult& result) {
  const Index n = result.exponents.cols();
  if (result.count < 2 || result.failures == n) {
    throw InvalidInput(fmt::format("lyapunov: no dimension from {} exponents and {} finite trajectories", result.count,
                                   n - result.failures));
  }
  DimensionEstimates estimates;
  estimates.values.resize(n - result.failures);
  Index used = 0;
  for (Index c = 0; c < n; ++c) {
    if (!result.exponents.col(c).allFinite()) continue;
    estimates.values[used++] = static_cast<double>(values_before_largest_gap(result.exponents.col(c)));
  }
  estimates.mean = mean(estimates.values);
  estimates.se = used > 1 ? standard_error(estimates.values) : std::numeric_limits<double>::quiet_NaN();
  estimates.median = median(estimates.values);
  return estimates;
}

double gaussian_exponent(double w, double s_max, double s_min) {
  return std::log(std::hypot(w, s_min) / std::hypot(w, s_max));
}

double variance_preserving_shift(double s_max, double s_min, double scale) {
  return std::log(std::hypot(scale, s_max) / std::hypot(scale, s_min));
}

double flow_matching_shift(double s_max, double s_min, double scale) {
  return std::log((scale + s_max) / (scale + s_min));
}

namespace {

class Lyapunov final : public Diagnostic {
 public:
  explicit Lyapunov(Settings& settings)
      : field_(settings),
        points_(settings.integer("points", 100, 2, 1'000'000, "points that are looked at")),
        vectors_(settings.integer("vectors", 0, 0, 1'000'000, "Lyapunov vectors; 0: all up to D = 32, d + 8 above")),
        frozen_(settings.choice("path", "flow", {"flow", "frozen_noise"},
                                "from noise to data by the flow, or by the ancestral sampler with frozen noise") ==
                "frozen_noise"),
        condition_points_(settings.integer("condition_points", 50, 0, 400,
                                           "paths on which the condition for alignment is checked; 0: none")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    std::unique_ptr<ScoreField> own;
    const ScoreField& field = field_.get(input, own);
    const Manifold& manifold = *input.manifold;
    const Index d = manifold.dimension();
    if (d == 0 || manifold.codimension() == 0) throw Unsupported(manifold.spec() + " has no tangents, or no normals");
    LyapunovOptions options;
    options.path = frozen_ ? LyapunovPath::frozen_noise : LyapunovPath::flow;
    const Index usual = field.dimension() <= 32 ? field.dimension() : std::min(field.dimension(), d + 8);
    options.vectors = vectors_ > 0 ? std::clamp(vectors_, d + 1, field.dimension()) : usual;
    const LyapunovResult r = lyapunov(field, noised_points(input, points_, field.levels()[0]), options, input.stream);
    const Alignment found =
        alignment(tangents_at(manifold, r.end), d, r.vectors, r.count, field.score(r.end, field.levels().size() - 1));
    const Vector gaps = spectral_gaps(r, d);
    Vector exponents(r.count);
    for (Index i = 0; i < r.count; ++i) exponents[i] = median_of_finite(r.exponents.row(i).transpose());
    Curves numbers = {{"gap", scalar(median_of_finite(gaps))},
                      {"alignment", scalar(median_of_finite(found.a1))},
                      {"alignment_random", scalar(random_alignment(d, field.dimension()))},
                      {"score_alignment", scalar(median_of_finite(found.a2))},
                      {"largest_sine", scalar(median_of_finite(found.a3))},
                      {"dimension_estimate", scalar(lyapunov_dimension(r).median)},
                      {"dimension", scalar(static_cast<double>(d))},
                      {"failures", scalar(static_cast<double>(r.failures))},
                      {"evaluations", scalar((frozen_ ? 1.0 : 2.0) * static_cast<double>(field.levels().size()) *
                                             (1 + static_cast<double>(r.count)))},
                      {"exponents", exponents}};
    // It takes all D directions of every path.
    if (condition_points_ > 0 && field.dimension() <= most_of_condition) {
      add_condition(input, field, numbers);
    }
    return numbers;
  }

 private:
  static constexpr Index most_of_condition = 32;

  void add_condition(const DiagnosticInput& input, const ScoreField& field, Curves& numbers) const {
    // From afar the quadratic term is too large on curved M, and nothing is said.
    AlignmentConditionOptions options;
    const Index last = field.levels().size() - 1;
    while (options.first_level + 1 < last && field.levels()[options.first_level] > 0.1 * input.manifold->reach()) {
      ++options.first_level;
    }
    const double s = field.levels()[options.first_level];
    const AlignmentCondition c = alignment_condition(field, *input.manifold, noised_points(input, condition_points_, s),
                                                     options, input.stream.at("condition"));
    double finite = 0;
    double bounded = 0;
    double linear = 0;
    double vacuous = 0;
    for (Index i = 0; i < c.measured.size(); ++i) {
      if (!std::isfinite(c.measured[i])) continue;
      // Both sides are sums of rounding errors of some 100 steps.
      constexpr double rounding = 1e-9;
      finite += 1;
      bounded += c.measured[i] <= c.bound[i] + rounding ? 1 : 0;
      linear += c.measured[i] <= c.predicted[i] + rounding ? 1 : 0;
      vacuous += c.vacuous[i] ? 1 : 0;
    }
    // 0/0 is NaN: no path, no share.
    numbers["bound_holds"] = scalar(bounded / finite);
    numbers["linear_holds"] = scalar(linear / finite);
    numbers["bound_vacuous"] = scalar(vacuous / finite);
    numbers["condition_level"] = scalar(s);
    numbers["condition_failures"] = scalar(static_cast<double>(c.failures));
    const AlignmentCondition control = thick_circle_condition(100, input.stream.at("control"));
    numbers["control_vacuous"] =
        scalar(static_cast<double>(control.vacuous.count()) / static_cast<double>(control.vacuous.size()));
  }

  /// NaN for none.
  static double median_of_finite(const Vector& values) {
    Vector kept(values.size());
    Index n = 0;
    for (const double value : values) {
      if (std::isfinite(value)) kept[n++] = value;
    }
    return n > 0 ? median(kept.head(n)) : std::numeric_limits<double>::quiet_NaN();
  }

  FieldChoice field_;
  Index points_;
  Index vectors_;
  bool frozen_;
  Index condition_points_;
};

}  // namespace

std::unique_ptr<Diagnostic> make_lyapunov(Settings& settings) {
  return std::make_unique<Lyapunov>(settings);
}

}  // namespace onmanifold
