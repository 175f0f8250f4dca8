// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sums that are stored go through here. The order of the additions is a fixed tree over the sequence of
// values, so a result does not depend on how the sequence was cut into chunks, on workers or on where a
// buffer starts.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/points.hpp"

namespace onmanifold {

/// The sum of a sequence by a fixed tree.
///
/// Order. Blocks of 256 consecutive values: 32 lanes, lane l adds the values l, l + 32, … in turn, then the
/// lanes are added pairwise by halving; the last block is filled up with zeros. Blocks are merged pairwise
/// like the digits of a binary counter.
///
/// Error. |sum - exact| <= (12 + log2(n / 256)) u sum |x_i| to first order, u = 2^-53: 8 additions in a lane,
/// 5 over lanes, then one a level. NaN and infinities go through as in any sum. Cost: O(1) a value
/// (vectorised), 2.6 kB.
class TreeSum {
 public:
  void add(double value) {
    buffer_[filled_++] = value;
    if (filled_ == block_size) flush();
  }
  /// The same as add(data[0]), …, add(data[n-1]), but fast.
  void add(const double* data, Index n);
  /// Sum of everything so far; 0 for nothing.
  [[nodiscard]] double sum() const;
  /// How many values were added.
  [[nodiscard]] Index count() const { return static_cast<Index>(blocks_ * block_size + filled_); }

 private:
  static constexpr std::uint64_t block_size = 256;
  void flush();
  void carry(double block);

  alignas(64) std::array<double, block_size> buffer_;  // the first filled_ entries are in use
  std::array<double, 56> levels_;                      // levels_[k] holds 2^k blocks where bit k of blocks_ is set
  std::uint64_t filled_ = 0;
  std::uint64_t blocks_ = 0;
};

/// The sum of a sequence of vectors of one length by a fixed tree, without a copy of the sequence: 8 lanes,
/// blocks of 128 columns, then as TreeSum.
class TreeVectorSum {
 public:
  explicit TreeVectorSum(Index dimension);
  /// Adds the columns of \p points, D×n, in order. \throw InvalidInput unless D is the dimension.
  void add(const PointsRef& points);
  /// D numbers; zeros for nothing.
  [[nodiscard]] Vector sum() const;
  [[nodiscard]] Index count() const { return count_; }

 private:
  void finish_block();

  Points lanes_;     // D×8, the block under way
  Points levels_;    // D×levels
  Index count_ = 0;  // columns
};

/// Fixed-tree sum of \p values.
[[nodiscard]] double tree_sum(const VectorRef& values);
/// The same for partial sums of tiles. Cut the work into tiles by a constant, never by the number of workers,
/// sum each tile, put the partial sums in the order of the tiles: the result then does not depend on who
/// summed what.
[[nodiscard]] double tree_sum_of(std::span<const double> values);
/// Sum of term(0) + … + term(n-1), the bits of tree_sum over those values.
template <class Term>
[[nodiscard]] double tree_sum_over(Index n, const Term& term) {
  TreeSum sum;
  for (Index i = 0; i < n; ++i) sum.add(term(i));
  return sum.sum();
}
/// Mean of \p values. \throw InvalidInput if there is none.
[[nodiscard]] double tree_mean_of(const VectorRef& values);
/// Mean of the columns of \p points (D×N), D numbers. \throw InvalidInput if there is no column.
[[nodiscard]] Vector tree_mean(const PointsRef& points);

}  // namespace onmanifold
