// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/lyapunov.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
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

}  // namespace onmanifold
