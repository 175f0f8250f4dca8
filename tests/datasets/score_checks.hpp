// SPDX-License-Identifier: Apache-2.0
#pragma once
// Checks that any DiffusedScore can be put through.

#include <algorithm>
#include <cmath>

#include "contracts/distribution.hpp"

namespace onmanifold::testing {

/// Largest difference of the score from fourth-order differences of the log-density at \p x, times sigma. The
/// step is a hundredth of sigma, or of sigma² where that is less: between two far parts of the law the
/// posterior changes over sigma². That leaves 1e-9 by the formula and about 1e-9 by rounding of log p.
inline double gradient_error(const DiffusedScore& law, const Points& x, double a, double sigma) {
  const double step = 0.01 * std::min(sigma, sigma * sigma);
  Points difference(x.rows(), x.cols());
  for (Index i = 0; i < x.rows(); ++i) {
    const auto shifted = [&](double h) {
      Points moved = x;
      moved.row(i).array() += h;
      return law.log_density(moved, a, sigma);
    };
    difference.row(i) =
        ((8 * (shifted(step) - shifted(-step)) - (shifted(2 * step) - shifted(-2 * step))) / (12 * step)).transpose();
  }
  return (difference - law.score(x, a, sigma)).cwiseAbs().maxCoeff() * sigma;
}

/// How many standard errors p_t(x) is away from the mean of its Gaussian kernel over \p draws of the (lifted)
/// law; the largest over the columns of \p x.
inline double monte_carlo_deviation(const DiffusedScore& law, const Points& draws, const Points& x, double a,
                                    double sigma) {
  const Vector log_p = law.log_density(x, a, sigma);
  double worst = 0;
  for (Index j = 0; j < x.cols(); ++j) {
    const Eigen::ArrayXd kernel =
        ((a * draws).colwise() - x.col(j)).colwise().squaredNorm().transpose().array() / (-2 * sigma * sigma);
    const double constant = -0.5 * static_cast<double>(x.rows()) * std::log(2 * M_PI * sigma * sigma);
    const Eigen::ArrayXd values = (kernel + (constant - log_p[j])).exp();  // mean 1
    const double mean = values.mean();
    const double error = std::sqrt((values - mean).square().mean() / static_cast<double>(values.size()));
    worst = std::max(worst, std::abs(mean - 1) / error);
  }
  return worst;
}

}  // namespace onmanifold::testing
