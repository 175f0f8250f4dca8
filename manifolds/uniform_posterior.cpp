// SPDX-License-Identifier: Apache-2.0
#include "manifolds/uniform_posterior.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include <boost/math/tools/fraction.hpp>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/scaled_bessel.hpp"

namespace onmanifold {
namespace {

/// sqrt(2 pi x) exp(-x) I_order(x) by its asymptotic series. \pre x large against order^2
double asymptotic_bessel(double order, double x) {
  const double mu = 4 * order * order;
  double term = 1;
  double sum = 1;
  for (int k = 1; k <= 30; ++k) {
    const double next = term * -(mu - (2.0 * k - 1) * (2.0 * k - 1)) / (8.0 * k * x);
    if (std::abs(next) > std::abs(term)) break;
    term = next;
    sum += term;
  }
  return sum;
}

/// The denominators 2 (nu + j)/kappa of I_nu/I_{nu-1} = 1/(2 nu/kappa + 1/(2 (nu + 1)/kappa + …)).
struct BesselFraction {
  using result_type = std::pair<double, double>;
  double order;
  double kappa;
  result_type operator()() { return {1.0, 2 * (order++) / kappa}; }
};

}  // namespace

double mean_resultant_length(Index ambient_dimension, double kappa) {
  if (ambient_dimension == 2) return scaled_bessel_i1(kappa) / scaled_bessel_i0(kappa);
  if (ambient_dimension == 3) {
    if (kappa < 0.2) {  // coth kappa - 1/kappa cancels here; the next term of its series is below 3e-15
      const double s = kappa * kappa;
      return kappa / 3 * (1 - s / 15 * (1 - s * 2 / 21 * (1 - s / 10 * (1 - s * 10 / 99 * (1 - s * 1382 / 13650)))));
    }
    return 1 / std::tanh(kappa) - 1 / kappa;
  }
  const double order = 0.5 * static_cast<double>(ambient_dimension);
  if (!(kappa > 0)) return kappa;  // 0, and NaN as it is
  if (kappa > 50 + 4 * order * order) return asymptotic_bessel(order, kappa) / asymptotic_bessel(order - 1, kappa);
  BesselFraction fraction{order, kappa};
  return boost::math::tools::continued_fraction_a(fraction, std::numeric_limits<double>::epsilon());
}

Points UniformPosterior::mean(const PointsRef& x, double a, double sigma) const {
  check_dimension(x, dimension(), "points");
  if (!(a >= 0 && std::isfinite(a) && sigma > 0 && std::isfinite(sigma))) {
    throw InvalidInput(fmt::format("uniform posterior: a = {}, sigma = {}", a, sigma));
  }
  return do_mean(x, a, sigma);
}

}  // namespace onmanifold
