// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sums of a function of the squared distance over all pairs of two sets, tile by tile: no array of all pairs
// is ever made, and the order of the additions is fixed by constants, so it depends on no worker count and no
// memory limit.

#include <array>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/points.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {

/// exp(-x) for n values x >= 0 in place, vectorised. Relative error below 2.5e-16 for x <= 690 (Chebyshev
/// polynomial of degree 11 on |r| <= ln 2 / 2, truncation 4e-18); above 690 the result is exp(-690) < 1e-299
/// instead of less.
void exp_minus(double* values, Index n);

/// A mean of radial kernels k(d) = 1/G sum_g exp(-gamma_g d^2).
class RadialKernel {
 public:
  /// \throw InvalidInput unless every gamma is positive and finite, and there is one.
  explicit RadialKernel(std::vector<double> gammas);
  /// Values from squared distances, in place. Where a gamma is ten times the one before it, the tenth power
  /// is taken in place of an exponential, at most four times in a row: relative error of a value below 4e-13.
  /// A power multiplies the error of exp, 1.1e-16 where high powers count at all, by up to 10^4, in a mean
  /// of five.
  void apply(double* squared_distances, Index n) const;
  [[nodiscard]] const std::vector<double>& gammas() const { return gammas_; }
  /// Text that tells kernels apart, exact.
  [[nodiscard]] std::string key() const;

 private:
  std::vector<double> gammas_;
  std::vector<bool> power_;  // from the previous gamma
};

/// A pair function: one of the families the metrics sum.
struct PairFunction {
  enum class Kind { radial, distance };
  Kind kind = Kind::distance;
  const RadialKernel* kernel = nullptr;  ///< for radial
  double radius = 0;  ///< if positive: the distance is the great-circle one on a sphere of this radius
  /// Values from squared distances, in place.
  void apply(double* squared_distances, Index n) const;
};

/// sum_{i<j} f(x_i, x_j). Cost O(N^2 D); memory O(N D).
[[nodiscard]] double sum_over_pairs(const Points& x, const PairFunction& f);
/// sum_{i,j} f(x_i, y_j). \throw InvalidInput unless dimensions agree.
[[nodiscard]] double sum_over_pairs(const Points& x, const Points& y, const PairFunction& f);

/// Sums of f over the pairs of a pooled set, by point, and by random labels.
struct PairRows {
  Vector own;    ///< sum_{j != i} f(x_i, x_j)
  double total;  ///< sum_{i<j}
};
/// The same pass as sum_over_pairs(x, f), with the sum of every point kept.
[[nodiscard]] PairRows rows_over_pairs(const Points& x, const PairFunction& f);
/// sum_j f(x_i, y_j) for every i and sum_i f(x_i, y_j) for every j.
[[nodiscard]] std::pair<Vector, Vector> rows_over_pairs(const Points& x, const Points& y, const PairFunction& f);

/// Sums inside and across two groups of a pooled set.
struct GroupSums {
  double first = 0;   ///< pairs i<j in the first group
  double second = 0;  ///< pairs i<j in the second
  double cross = 0;
};
/// The sums of the split (first \p n columns, the rest) and of \p permutations random splits of the same
/// sizes, from one pass over the pairs: each tile of f is multiplied by a matrix of labels. O(N^2 (D +
/// permutations)), memory O(N permutations).
[[nodiscard]] std::vector<GroupSums> group_sums(const Points& pooled, Index n, const PairFunction& f,
                                                Index permutations, const Stream& stream);
/// (1 + #{T_b >= T_0}) / (B + 1) of T_0 and T_1 … T_B; rounding differences count as equal.
[[nodiscard]] double permutation_p(const Vector& statistics);

/// The same where \p statistic is a function of the sums of a split: that of \p x against \p y first, then
/// \p permutations random ones of the pooled set.
[[nodiscard]] double permutation_p(const Points& x, const Points& y, const PairFunction& f, Index permutations,
                                   const Stream& stream, const std::function<double(const GroupSums&)>& statistic);

/// \throw NumericalFailure that starts with \p what if squares of coordinates of \p points may overflow (above 2^500),
/// or underflow beside those of others.
void check_squares(const Points& points, const char* what);

/// Squared distances between the columns \p begin … \p begin + count - 1 of a fixed set and one point, by
/// direct differences for D <= 24 and from centred scalar products above, where these do not cancel.
class SquaredDistances {
 public:
  static constexpr Index block = 512;
  /// Share of |x|^2 + |y|^2, both from the centre, below which products cancel and differences are taken: what is
  /// above has a relative error below 1e-12.
  static constexpr double cancelling = 1e-3;
  /// \p x outlives the object; \p centre (D numbers) is subtracted from all points that enter scalar products. \throw
  /// NumericalFailure, as visit(), for coordinates whose squares overflow.
  SquaredDistances(const Points& x, const Vector& centre);
  [[nodiscard]] Index size() const { return n_; }
  /// Whether scalar products are in use.
  [[nodiscard]] bool products() const { return products_; }
  /// Calls visit(query, begin, count, d2) for all blocks and queries in a fixed order; d2 has block entries,
  /// the first count are set and may be overwritten. \p limit(query): only points with a smaller number are
  /// asked for.
  template <class Limit, class Visit>
  void visit(const Points& queries, const Limit& limit, const Visit& visit) const;

 private:
  void direct(const double* query, Index begin, Index count, double* d2) const;

  const Points& points_;
  Index n_ = 0;
  Index stride_ = 0;
  bool products_ = false;
  Vector centre_;
  std::vector<double> coordinates_;  // D rows of stride_, coordinate-major, for direct differences
  Points centred_;                   // D×N for products
  Vector norms_;
};

/// Median of the distances of distinct pairs of the columns of \p x: the mean of the two middle values where
/// their number is even, or the lower one. Exact, by counting leading bits; memory O(N D + 10^6). \throw
/// InvalidInput for fewer than two columns.
[[nodiscard]] double median_distance(const Points& x, bool lower_middle = false);

template <class Limit, class Visit>
void SquaredDistances::visit(const Points& queries, const Limit& limit, const Visit& visit) const {
  alignas(64) std::array<double, block> d2;
  check_squares(queries, "squared distances");
  if (!products_) {
    for (Index j = 0; j < queries.cols(); ++j) {
      const Index end = std::min(limit(j), n_);
      for (Index begin = 0; begin < end; begin += block) {
        const Index count = std::min(block, end - begin);
        direct(queries.col(j).data(), begin, count, d2.data());
        visit(j, begin, count, d2.data());
      }
    }
    return;
  }
  constexpr Index query_block = 128;
  Points shifted;
  Points products;
  for (Index first = 0; first < queries.cols(); first += query_block) {
    const Index width = std::min(query_block, queries.cols() - first);
    shifted = queries.middleCols(first, width).colwise() - centre_;
    const Vector norms = shifted.colwise().squaredNorm();
    for (Index begin = 0; begin < n_; begin += block) {
      const Index height = std::min(block, n_ - begin);
      Index needed = 0;
      for (Index j = 0; j < width; ++j) needed = std::max(needed, std::min(limit(first + j), n_) - begin);
      if (needed <= 0) continue;
      products.noalias() = centred_.middleCols(begin, height).transpose() * shifted;
      for (Index j = 0; j < width; ++j) {
        const Index count = std::min(height, std::min(limit(first + j), n_) - begin);
        if (count <= 0) continue;
        Eigen::Map<Eigen::ArrayXd>(d2.data(), count) =
            (norms_.segment(begin, count).array() + norms[j] - 2 * products.col(j).head(count).array()).max(0.0);
        for (Index i = 0; i < count; ++i) {
          double& square = d2[static_cast<std::size_t>(i)];
          if (square < cancelling * (norms_[begin + i] + norms[j])) {
            square = (points_.col(begin + i) - queries.col(first + j)).squaredNorm();
          }
        }
        visit(first + j, begin, count, d2.data());
      }
    }
  }
}

}  // namespace onmanifold
