// SPDX-License-Identifier: Apache-2.0
#include "core/math/summation.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

constexpr Index lane_count = 32;
using Lanes = Eigen::Array<double, lane_count, 1>;

// The one place that fixes the order within a block: lane by lane, then halving. Written over fixed-size
// arrays, so that every instruction set adds the same pairs.
double block_sum(const double* data, Index size) {
  Lanes lanes = Eigen::Map<const Lanes>(data);
  for (Index i = lane_count; i < size; i += lane_count) lanes += Eigen::Map<const Lanes>(data + i);
  for (Index half = lane_count / 2; half > 0; half /= 2) {
    for (Index l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  }
  return lanes[0];
}

constexpr Index column_lanes = 8;
constexpr Index column_block = 128;

}  // namespace

void TreeSum::carry(double block) {
  std::size_t level = 0;
  for (std::uint64_t bits = blocks_; (bits & 1U) != 0; bits >>= 1U) block = levels_[level++] + block;
  levels_[level] = block;
  ++blocks_;
}

void TreeSum::flush() {
  carry(block_sum(buffer_.data(), static_cast<Index>(block_size)));
  filled_ = 0;
}

void TreeSum::add(const double* data, Index n) {
  if (filled_ > 0) {
    const Index head = std::min<Index>(n, static_cast<Index>(block_size - filled_));
    std::copy_n(data, head, buffer_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += static_cast<std::uint64_t>(head);
    if (filled_ == block_size) flush();
    data += head;
    n -= head;
  }
  constexpr auto size = static_cast<Index>(block_size);
  for (; n >= size; n -= size, data += size) carry(block_sum(data, size));
  if (n > 0) {
    std::copy_n(data, n, buffer_.begin());
    filled_ = static_cast<std::uint64_t>(n);
  }
}

double TreeSum::sum() const {
  double total = 0;
  if (filled_ > 0) {
    std::array<double, block_size> padded{};
    std::copy_n(buffer_.begin(), filled_, padded.begin());
    total = block_sum(padded.data(), static_cast<Index>(block_size));
  }
  for (std::uint64_t bits = blocks_; bits != 0; bits &= bits - 1) {
    total = levels_[static_cast<std::size_t>(std::countr_zero(bits))] + total;
  }
  return total;
}

TreeVectorSum::TreeVectorSum(Index dimension) : lanes_(Points::Zero(dimension, column_lanes)) {}

void TreeVectorSum::add(const PointsRef& points) {
  check_dimension(points, lanes_.rows(), "TreeVectorSum");
  Index j = 0;
  while (j < points.cols()) {
    const Index lane = count_ % column_lanes;
    const Index width = std::min(column_lanes - lane, points.cols() - j);
    lanes_.middleCols(lane, width) += points.middleCols(j, width);
    j += width;
    count_ += width;
    if (count_ % column_block == 0) finish_block();
  }
}

void TreeVectorSum::finish_block() {
  for (Index half = column_lanes / 2; half > 0; half /= 2) lanes_.leftCols(half) += lanes_.middleCols(half, half);
  Index level = 0;
  for (Index before = count_ / column_block - 1; before % 2 == 1; before /= 2) {
    lanes_.col(0) = levels_.col(level++) + lanes_.col(0);
  }
  if (level >= levels_.cols()) levels_.conservativeResize(lanes_.rows(), level + 1);
  levels_.col(level) = lanes_.col(0);
  lanes_.setZero();
}

Vector TreeVectorSum::sum() const {
  Points rest = lanes_;
  for (Index half = column_lanes / 2; half > 0; half /= 2) rest.leftCols(half) += rest.middleCols(half, half);
  Vector total = rest.col(0);
  Index level = 0;
  for (Index blocks = count_ / column_block; blocks > 0; blocks /= 2, ++level) {
    if (blocks % 2 == 1) total = levels_.col(level) + total;
  }
  return total;
}

double tree_sum(const VectorRef& values) {
  TreeSum sum;
  sum.add(values.data(), values.size());
  return sum.sum();
}

double tree_sum_of(std::span<const double> values) {
  TreeSum sum;
  sum.add(values.data(), static_cast<Index>(values.size()));
  return sum.sum();
}

double tree_mean_of(const VectorRef& values) {
  if (values.size() == 0) throw InvalidInput("mean of no values");
  return tree_sum(values) / static_cast<double>(values.size());
}

Vector tree_mean(const PointsRef& points) {
  if (points.cols() == 0) throw InvalidInput("mean of no points");
  TreeVectorSum sum(points.rows());
  sum.add(points);
  return sum.sum() / static_cast<double>(points.cols());
}

}  // namespace onmanifold
