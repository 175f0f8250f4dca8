// SPDX-License-Identifier: Apache-2.0
#pragma once
// Statistics over seeds and of samples: location, spread, intervals, quantiles, and the tests by which
// methods are compared. Exact null distributions wherever they can be counted. All sums are fixed trees
// (core/math/summation.hpp).

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/points.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {

// --- one sample
// -----------------------------------------------------------------------------------------------

/// Arithmetic mean. \throw InvalidInput for no values.
[[nodiscard]] double mean(const VectorRef& values);
/// Standard deviation with ddof 1 (divisor n - 1), two passes. \throw InvalidInput below two values.
[[nodiscard]] double standard_deviation(const VectorRef& values);
/// standard_deviation / sqrt(n).
[[nodiscard]] double standard_error(const VectorRef& values);
/// Quantile of type 7 \cite hyndman1996 (the default of R and NumPy): linear between order statistics at
/// (n - 1) p. \pre 0 <= p <= 1, no NaN. \throw InvalidInput otherwise. O(n).
[[nodiscard]] double quantile(const VectorRef& values, double p);
/// quantile(values, 1/2).
[[nodiscard]] double median(const VectorRef& values);
/// The \p k-th smallest value, k = 1 … n. \throw InvalidInput otherwise. O(n).
[[nodiscard]] double order_statistic(const VectorRef& values, Index k);
/// Ranks 1 … n with mid-ranks for ties; values closer than \p tolerance to their neighbour in order count as
/// tied.
[[nodiscard]] Vector mid_ranks(const VectorRef& values, double tolerance = 0);

// --- intervals
// ------------------------------------------------------------------------------------------------

struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

/// Half the width of the t interval of the mean: t((1 + level)/2; n - 1) sd / sqrt(n). \pre n >= 2, 0 < level
/// < 1.
[[nodiscard]] double t_half_width(const VectorRef& values, double level = 0.95);
/// mean -+ t_half_width.
[[nodiscard]] Interval t_interval(const VectorRef& values, double level = 0.95);
/// Percentile bootstrap \cite efron1993: type-7 quantiles of \p statistic over \p replicates resamples with
/// replacement; resample b draws from stream.at(b). Not for statistics that suffer from duplicates (k-NN,
/// unbiased kernels) and, with seeds as values, not below n = 5: use t_interval there. \pre replicates >=
/// 2000. \throw InvalidInput otherwise or for no values.
[[nodiscard]] Interval bootstrap_interval(const VectorRef& values,
                                          const std::function<double(const VectorRef&)>& statistic,
                                          const Stream& stream, double level = 0.95, Index replicates = 2000);

// --- distributions (thin wrappers of Boost.Math)
// --------------------------------------------------------------

[[nodiscard]] double normal_cdf(double x);
[[nodiscard]] double normal_quantile(double p);        ///< 0 < p < 1
[[nodiscard]] double t_cdf(double x, double degrees);  ///< degrees > 0
[[nodiscard]] double t_quantile(double p, double degrees);
[[nodiscard]] double chi_squared_cdf(double x, double degrees);
[[nodiscard]] double chi_squared_survival(double x, double degrees);  ///< 1 - cdf, accurate in the tail
[[nodiscard]] double chi_squared_quantile(double p, double degrees);
/// P(|N(0,1)| >= |z|).
[[nodiscard]] double normal_p_two_sided(double z);
/// P(|t| >= |t0|).
[[nodiscard]] double t_p_two_sided(double t, double degrees);
/// P(D_n >= d) of the two-sided one-sample Kolmogorov–Smirnov statistic of a continuous law. Up to n = 1000
/// the matrix power of \cite marsaglia2003, with their tail formula (absolute error 1e-6) where n d^2 > 7.24,
/// or > 3.76 and n > 99; above, the limit law at d (sqrt(n) + 0.12 + 0.11/sqrt(n)) \cite stephens1970, good
/// to 2 % of p.
[[nodiscard]] double kolmogorov_smirnov_p(Index n, double d);

// --- tests
// ----------------------------------------------------------------------------------------------------

/// The outcome of a test.
struct TestResult {
  double statistic = std::numeric_limits<double>::quiet_NaN();
  double p = std::numeric_limits<double>::quiet_NaN();
  double degrees = std::numeric_limits<double>::quiet_NaN();  ///< degrees of freedom where the law has them
  std::string method;  ///< what was computed, with "exact" or the approximation in its name
};

/// What the alternative says of the first sample (or of the differences): not equal, smaller, greater.
enum class Alternative { two_sided, less, greater };

/// One-sample Kolmogorov–Smirnov test of \p values against a continuous \p cdf. O(n log n).
[[nodiscard]] TestResult kolmogorov_smirnov_test(const VectorRef& values, const std::function<double(double)>& cdf);
/// Goodness of fit: sum (O - E)^2 / E with E = \p probabilities × sum of \p counts; degrees = cells - 1 -
/// fitted. Cells of probability 0 must be empty and do not count. The usual condition E >= 5 is the caller's.
[[nodiscard]] TestResult chi_squared_test(const VectorRef& counts, const VectorRef& probabilities, Index fitted = 0);

/// Paired t test of mean(differences) = 0. Constant differences: statistic ±infinity and p 0 (or, all zero,
/// statistic 0 and p 1).
[[nodiscard]] TestResult paired_t_test(const VectorRef& differences, Alternative alternative = Alternative::two_sided);
/// Welch's t test of equal means with the degrees of freedom of Welch and Satterthwaite.
[[nodiscard]] TestResult welch_t_test(const VectorRef& first, const VectorRef& second,
                                      Alternative alternative = Alternative::two_sided);
/// Sign-flip permutation test of differences that are symmetric about 0; statistic: their mean. Exact over
/// all 2^n signs up to n = 24 (floor 2^-n one-sided, 2^(1-n) two-sided), else 200,000 random flips from a
/// fixed stream, p = (hits + 1) / 200,001. Sums closer than 1e-12 sum |d| count as equal.
[[nodiscard]] TestResult sign_flip_test(const VectorRef& differences, Alternative alternative = Alternative::two_sided);
/// Wilcoxon signed-rank test: zeros are left out, mid-ranks for ties (within 1e-12 max |d|); statistic: the
/// smaller of the two rank sums. Exact over all signs up to n = 50, ties included; else the tie-corrected
/// normal.
[[nodiscard]] TestResult wilcoxon_signed_rank_test(const VectorRef& differences,
                                                   Alternative alternative = Alternative::two_sided);
/// Mann–Whitney U test; statistic: pairs with first > second, ties one half. Exact where n1 n2 <= 400 (with
/// ties: over all arrangements of the mid-ranks), else the tie-corrected normal with continuity correction.
/// Two-sided p: twice the smaller tail, at most 1.
[[nodiscard]] TestResult mann_whitney_test(const VectorRef& first, const VectorRef& second,
                                           Alternative alternative = Alternative::two_sided);

/// Holm's adjustment \cite holm1979 for a family: adjusted p-values in the order given.
/// \throw InvalidInput unless all are in [0, 1].
[[nodiscard]] Vector holm_adjusted(const VectorRef& p_values);

}  // namespace onmanifold
