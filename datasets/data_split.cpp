// SPDX-License-Identifier: Apache-2.0
#include "datasets/data_split.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

SplitSampler::SplitSampler(Points points, std::string name) : points_(std::move(points)), name_(std::move(name)) {
  if (points_.cols() == 0) throw InvalidInput(fmt::format("{}: it has no points", name_));
}

Points SplitSampler::sample(Index n, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("{}: sample: n = {} is negative", name_, n));
  Points result(dimension(), n);
  for (Index begin = 0; begin < n; begin += size()) {
    const std::vector<Index> order = stream.at(static_cast<std::uint64_t>(begin / size())).permutation(size());
    const Index count = std::min(size(), n - begin);
    for (Index j = 0; j < count; ++j) {
      result.col(begin + j) = points_.col(order[static_cast<std::size_t>(j)]);
    }
  }
  return result;
}

}  // namespace onmanifold
