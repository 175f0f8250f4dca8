// SPDX-License-Identifier: Apache-2.0
#include "metrics/target.hpp"

#include <algorithm>
#include <numeric>
#include <span>

namespace onmanifold {
namespace {

std::span<const double> column(const Points& points, Index c) {
  return {points.col(c).data(), static_cast<std::size_t>(points.rows())};
}

}  // namespace

FiniteColumns::FiniteColumns(const Points& points, std::string name) : points_(&points), name_(std::move(name)) {
  if (points.allFinite()) return;
  std::vector<Index> finite;
  for (Index c = 0; c < points.cols(); ++c) {
    if (points.col(c).allFinite()) finite.push_back(c);
  }
  nonfinite_ = points.cols() - static_cast<Index>(finite.size());
  kept_ = points(Eigen::all, finite);
  points_ = &kept_;
}

double FiniteColumns::largest() const {
  return points().size() == 0 ? 0 : *memo_.get<double>("largest", [&] { return points().cwiseAbs().maxCoeff(); });
}

const Points& FiniteColumns::sorted() const {
  return *memo_.get<Points>("sorted", [&]() -> Points {
    std::vector<Index> order(static_cast<std::size_t>(size()));
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](Index a, Index b) {
      return std::ranges::lexicographical_compare(column(points(), a), column(points(), b));
    });
    return points()(Eigen::all, order);
  });
}

Points FiniteColumns::drawn(Index size) const {
  if (size <= 0 || size >= points().cols()) return points();
  Stream stream = Stream(0, "metrics/drawn").at(name_);
  std::vector<Index> order = stream.permutation(points().cols());
  order.resize(static_cast<std::size_t>(size));
  return sorted()(Eigen::all, order);
}

Index FiniteColumns::duplicates() const {
  return *memo_.get<Index>("duplicates", [&] {
    Index equal = 0;
    for (Index i = 1; i < size(); ++i) equal += sorted().col(i - 1) == sorted().col(i) ? 1 : 0;
    return equal;
  });
}

}  // namespace onmanifold
