// SPDX-License-Identifier: Apache-2.0
#include "core/math/summation.hpp"

#include <bit>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {
namespace {

/// Numbers over many magnitudes and signs, so that another order of additions shows in the last bits.
Vector rough_values(Index n) {
  Stream stream(7, "summation_test");
  Vector values(n);
  stream.fill_normal(values);
  for (Index i = 0; i < n; ++i) values[i] *= std::exp2(static_cast<double>(i % 40) - 20);
  return values;
}

/// Cuts \p values into chunks of pseudo-random lengths and feeds them one after the other.
template <class Sum>
double chunked(const Vector& values, std::uint64_t longest, std::uint64_t seed) {
  Stream stream(seed, "chunks");
  Sum sum;
  for (Index i = 0; i < values.size();) {
    const Index n = std::min<Index>(static_cast<Index>(1 + stream.integer(longest)), values.size() - i);
    sum.add(values.data() + i, n);
    i += n;
  }
  return sum.sum();
}

/// The broken twin: sums each chunk, then the chunks.
class ChunkDependentSum {
 public:
  void add(const double* data, Index n) {
    double chunk = 0;
    for (Index i = 0; i < n; ++i) chunk += data[i];
    total_ += chunk;
  }
  [[nodiscard]] double sum() const { return total_; }

 private:
  double total_ = 0;
};

template <class Sum>
bool depends_on_chunks(const Vector& values) {
  Sum whole;
  whole.add(values.data(), values.size());
  const auto expected = std::bit_cast<std::uint64_t>(whole.sum());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const std::uint64_t longest : {1U, 7U, 300U, 5000U}) {
      if (std::bit_cast<std::uint64_t>(chunked<Sum>(values, longest, seed)) != expected) return true;
    }
  }
  return false;
}

TEST(TreeSum, DoesNotDependOnChunks) {
  for (const Index n : {1, 2, 31, 255, 256, 257, 511, 4096, 10007}) {
    EXPECT_FALSE(depends_on_chunks<TreeSum>(rough_values(n))) << n;
  }
}

TEST(TreeSum, CheckCatchesAChunkDependentSum) {
  EXPECT_TRUE(depends_on_chunks<ChunkDependentSum>(rough_values(10007)));
}

TEST(TreeSum, DoesNotDependOnAlignment) {
  const Vector values = rough_values(5000);
  Vector shifted(values.size() + 8);
  for (Index offset = 0; offset < 8; ++offset) {
    shifted.segment(offset, values.size()) = values;
    EXPECT_EQ(tree_sum(shifted.segment(offset, values.size())), tree_sum(values));
  }
}

TEST(TreeSum, SmallCases) {
  EXPECT_EQ(TreeSum().sum(), 0.0);
  EXPECT_EQ(tree_sum(Vector()), 0.0);
  TreeSum one;
  one.add(2.5);
  EXPECT_EQ(one.sum(), 2.5);
  EXPECT_EQ(one.sum(), 2.5);  // asking does not change it
  one.add(-1.0);
  EXPECT_EQ(one.sum(), 1.5);
  EXPECT_EQ(one.count(), 2);
  for (const Index n : {1, 100, 256, 1000, 100000}) {
    const Vector numbers = Vector::LinSpaced(n, 1, static_cast<double>(n));
    EXPECT_EQ(tree_sum(numbers), static_cast<double>(n) * static_cast<double>(n + 1) / 2);  // exact in double
  }
}

TEST(TreeSum, StaysWithinItsErrorBound) {
  // The terms cancel: 1e16 comes and goes, so only the bound on sum |x| holds. long double has 11 bits more,
  // and pairs are added so that its own error is negligible.
  for (const Index n : {1000, 50000}) {
    Vector values = rough_values(n);
    for (Index i = 0; i + 1 < n; i += 2) {
      values[i] = (i % 4 == 0 ? 1e16 : -1e16) * (1 + 1e-3 * static_cast<double>(i % 7));
    }
    long double exact = 0;
    long double magnitude = 0;
    __extension__ using Quad = __float128;
    Quad sum = 0;
    for (const double value : values) {
      sum += value;
      magnitude += std::abs(value);
    }
    exact = static_cast<long double>(sum);
    const double bound =
        (12 + std::log2(std::max(1.0, static_cast<double>(n) / 256)) + 1) * 0x1p-53 * static_cast<double>(magnitude);
    EXPECT_LE(std::abs(static_cast<double>(tree_sum(values) - exact)), bound);
  }
}

TEST(TreeSum, ErrorGrowsWithTheLogarithm) {
  // 0.1 a million times. The rounded term is what is summed, so the exact sum is n times it. A running sum
  // errs by about 1e-11 relative here, the tree by (12 + 12) u = 2.7e-15 at most.
  const Index n = 1000000;
  const Vector tenths = Vector::Constant(n, 0.1);
  const long double exact = static_cast<long double>(0.1) * static_cast<long double>(n);
  double running = 0;
  for (const double value : tenths) running += value;
  EXPECT_LE(std::abs(static_cast<double>((tree_sum(tenths) - exact) / exact)), 2.7e-15);
  EXPECT_GT(std::abs(static_cast<double>((running - exact) / exact)), 2.7e-15);  // the bound would catch it
}

TEST(TreeSum, PassesNanAndInfinity) {
  Vector values = Vector::Ones(1000);
  values[700] = std::numeric_limits<double>::infinity();
  EXPECT_EQ(tree_sum(values), std::numeric_limits<double>::infinity());
  values[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(tree_sum(values)));
}

TEST(TreeSum, HelpersGiveTheSameBits) {
  const Vector values = rough_values(3333);
  const double expected = tree_sum(values);
  EXPECT_EQ(tree_sum_of({values.data(), 3333}), expected);
  EXPECT_EQ(tree_sum_over(3333, [&](Index i) { return values[i]; }), expected);
  EXPECT_EQ(tree_mean_of(values), expected / 3333);
  TreeSum one_by_one;
  for (const double value : values) one_by_one.add(value);
  EXPECT_EQ(one_by_one.sum(), expected);
  EXPECT_THROW((void)tree_mean_of(Vector()), InvalidInput);
}

TEST(TreeVectorSum, DoesNotDependOnChunks) {
  const Index d = 5;
  for (const Index n : {1, 7, 8, 127, 128, 129, 1000, 2049}) {
    const Points points = rough_values(d * n).reshaped(d, n);
    TreeVectorSum whole(d);
    whole.add(points);
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      Stream stream(seed, "columns");
      TreeVectorSum parts(d);
      for (Index j = 0; j < n;) {
        const Index width = std::min<Index>(static_cast<Index>(1 + stream.integer(seed < 5 ? 9 : 400)), n - j);
        parts.add(points.middleCols(j, width));
        j += width;
      }
      EXPECT_EQ(parts.count(), n);
      EXPECT_EQ(parts.sum(), whole.sum()) << n << " " << seed;
    }
  }
}

TEST(TreeVectorSum, IsTheSumOfTheColumns) {
  const Points counting = Vector::LinSpaced(3 * 1000, 0, 2999).reshaped(3, 1000);
  TreeVectorSum sum(3);
  EXPECT_EQ(sum.sum(), Vector::Zero(3));
  sum.add(counting);
  EXPECT_EQ(sum.sum(), Vector(counting.rowwise().sum()));  // whole numbers: exact in any order
  EXPECT_EQ(tree_mean(counting), Vector(Eigen::Vector3d(1498.5, 1499.5, 1500.5)));
  EXPECT_EQ(tree_mean(counting.middleRows(1, 2)), Vector(Eigen::Vector2d(1499.5, 1500.5)));  // with a stride
  EXPECT_THROW((void)tree_mean(Points(3, 0)), InvalidInput);
  EXPECT_THROW(sum.add(Points::Zero(2, 4)), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
