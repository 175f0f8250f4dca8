// SPDX-License-Identifier: Apache-2.0
#include "contracts/distribution.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

void check_arguments(const PointsRef& x, Index dimension, double a, double sigma) {
  check_dimension(x, dimension, "diffused score");
  if (!(a >= 0) || !(sigma > 0) || !std::isfinite(a) || !std::isfinite(sigma)) {
    throw InvalidInput(fmt::format("diffused score: a = {}, sigma = {}", a, sigma));
  }
}

}  // namespace

Points DiffusedScore::score(const PointsRef& x, double a, double sigma) const {
  check_arguments(x, dimension(), a, sigma);
  Points result(x.rows(), x.cols());
  do_evaluate(x, a, sigma, &result, nullptr);
  return result;
}

Vector DiffusedScore::log_density(const PointsRef& x, double a, double sigma) const {
  check_arguments(x, dimension(), a, sigma);
  Vector result(x.cols());
  do_evaluate(x, a, sigma, nullptr, &result);
  return result;
}

}  // namespace onmanifold
