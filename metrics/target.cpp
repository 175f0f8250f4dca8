// SPDX-License-Identifier: Apache-2.0
#include "metrics/target.hpp"

#include <algorithm>
#include <span>

namespace onmanifold {

FiniteColumns::FiniteColumns(const Points& points, Order order) : points_(&points) {
  const bool all = points.allFinite();
  if (all && order == Order::given) return;
  std::vector<Index> finite;
  for (Index c = 0; c < points.cols(); ++c) {
    if (all || points.col(c).allFinite()) finite.push_back(c);
  }
  nonfinite_ = points.cols() - static_cast<Index>(finite.size());
  if (order == Order::canonical) {
    const Index rows = points.rows();
    const auto column = [&](Index c) {
      return std::span<const double>(points.col(c).data(), static_cast<std::size_t>(rows));
    };
    std::sort(finite.begin(), finite.end(),
              [&](Index a, Index b) { return std::ranges::lexicographical_compare(column(a), column(b)); });
    for (std::size_t i = 1; i < finite.size(); ++i) {
      if (std::ranges::equal(column(finite[i - 1]), column(finite[i]))) ++duplicates_;
    }
    const std::vector<Index> shuffle = Stream(0, "metrics/order").permutation(static_cast<Index>(finite.size()));
    std::vector<Index> shuffled;
    for (const Index i : shuffle) shuffled.push_back(finite[static_cast<std::size_t>(i)]);
    finite = std::move(shuffled);
  }
  kept_ = points(Eigen::all, finite);
  points_ = &kept_;
}

}  // namespace onmanifold
