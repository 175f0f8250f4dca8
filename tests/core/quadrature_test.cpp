// SPDX-License-Identifier: Apache-2.0
#include "core/math/quadrature.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

TEST(GaussLegendre, IsExactForPolynomials) {
  for (const Index n : {1, 2, 3, 16, 64, 256}) {
    const QuadratureRule rule = gauss_legendre(n);
    EXPECT_NEAR(rule.weights.sum(), 2, 1e-13);
    for (const Index degree : {Index{2}, 2 * n - 2}) {
      if (degree > 2 * n - 1) continue;
      double sum = 0;
      for (Index i = 0; i < n; ++i) sum += rule.weights[i] * std::pow(rule.nodes[i], static_cast<double>(degree));
      EXPECT_NEAR(sum, 2.0 / static_cast<double>(degree + 1), 1e-13) << n << " " << degree;  // a few hundred ulp
    }
    // Not exact one degree further (by the known error term, visible for small n only).
    if (n <= 3) {
      double sum = 0;
      for (Index i = 0; i < n; ++i) sum += rule.weights[i] * std::pow(rule.nodes[i], static_cast<double>(2 * n));
      EXPECT_GT(std::abs(sum - 2.0 / static_cast<double>(2 * n + 1)), 1e-3);
    }
  }
}

TEST(GaussLegendre, MapsToAnInterval) {
  const QuadratureRule rule = gauss_legendre(20, 1, 3);
  double sum = 0;
  for (Index i = 0; i < 20; ++i) sum += rule.weights[i] * std::exp(rule.nodes[i]);
  EXPECT_NEAR(sum, std::exp(3) - std::exp(1), 1e-13 * std::exp(3));
  EXPECT_THROW((void)gauss_legendre(0), InvalidInput);
}

TEST(NormalMass, KeepsBothTails) {
  EXPECT_NEAR(normal_mass(-1, 1), 0.6826894921370859, 1e-15);
  EXPECT_NEAR(normal_mass(8, 9) / 6.219831985865866e-16, 1, 1e-12);  // Q(8) - Q(9) by erfc
  EXPECT_EQ(normal_mass(8, 9), normal_mass(-9, -8));
  EXPECT_EQ(normal_mass(-INFINITY, INFINITY), 1);
}

}  // namespace
}  // namespace onmanifold
