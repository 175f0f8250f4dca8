// SPDX-License-Identifier: Apache-2.0
#include "manifolds/random_frame.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {

Points random_frame(Index dimension) {
  if (dimension < 1 || dimension > 256) {
    throw InvalidInput(fmt::format("random frame: dimension {} is outside 1 … 256", dimension));
  }
  Points frame = Stream(0, fmt::format("frame/{}", dimension)).normal(dimension, dimension);
  const auto dot = [&](Index a, Index b) {
    double sum = 0;
    for (Index i = 0; i < dimension; ++i) sum += frame(i, a) * frame(i, b);
    return sum;
  };
  for (Index j = 0; j < dimension; ++j) {
    for (int pass = 0; pass < 2; ++pass) {
      for (Index k = 0; k < j; ++k) {
        const double along = dot(k, j);
        for (Index i = 0; i < dimension; ++i) frame(i, j) -= along * frame(i, k);
      }
      const double length = std::sqrt(dot(j, j));
      for (Index i = 0; i < dimension; ++i) frame(i, j) /= length;
    }
  }
  return frame;
}

}  // namespace onmanifold
