// SPDX-License-Identifier: Apache-2.0
// Costs of many magnitudes, small sets, offsets: what other people's files hold.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "metrics/kid.hpp"
#include "metrics/one_dimensional.hpp"
#include "metrics/sinkhorn.hpp"
#include "metrics/transport.hpp"
#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

Points normal(Index d, Index n, const char* name) {
  return Stream(3, "hostile").at(name).normal(d, n);
}

MetricRecord record_of(const std::string& metric, const Points& reference, const Points& samples) {
  return evaluate(metric, Given{.samples = &samples, .reference = &reference, .evaluation = Stream(1, "hostile")});
}

// ---- exact transport

double by_permutations(const Points& x, const Points& y, int p) {
  std::vector<Index> order(static_cast<std::size_t>(x.cols()));
  std::iota(order.begin(), order.end(), 0);
  long double best = std::numeric_limits<long double>::infinity();
  do {
    long double sum = 0;
    for (Index i = 0; i < x.cols(); ++i) {
      const double square = (x.col(i) - y.col(order[static_cast<std::size_t>(i)])).squaredNorm();
      sum += p == 2 ? square : std::sqrt(square);
    }
    best = std::min(best, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return static_cast<double>(best / static_cast<long double>(x.cols()));
}

TEST(ExactTransport, IsThatOfAllPermutations) {
  for (int draw = 0; draw < 60; ++draw) {
    Stream stream = Stream(5, "permutations").at(static_cast<std::uint64_t>(draw));
    Points x = stream.normal(2, 6);
    Points y = stream.normal(2, 6);
    // A third of the draws have an outlier in both sets, a third coordinates of very different sizes.
    if (draw % 3 == 1) x.col(0).setConstant(std::pow(10.0, draw % 11)), y.col(3) = x.col(0);
    if (draw % 3 == 2) {
      for (Index i = 0; i < 6; ++i) x.col(i) *= std::pow(10.0, 2 * i), y.col(i) *= std::pow(10.0, 2 * i);
    }
    for (const int p : {1, 2}) {
      const double exact = by_permutations(x, y, p);
      EXPECT_NEAR(exact_transport(x, y, p), exact, 2e-9 * exact) << "draw " << draw << " p " << p;
    }
  }
}

TEST(ExactTransport, IsThatOfALineWhateverTheOutlier) {
  for (const double outlier : {0.0, 1e7, 1e8, 1e10, 1e12}) {
    Points x = normal(1, 80, "line x");
    Points y = normal(1, 80, "line y");
    x(0, 3) = y(0, 70) = outlier;
    for (const int p : {1, 2}) {
      const double exact = line_transport(x.row(0).transpose(), y.row(0).transpose(), p);
      EXPECT_NEAR(exact_transport(x, y, p), exact, 2e-9 * exact) << outlier;
    }
  }
}

// ---- entropic transport

TEST(SinkhornConvergence, OnTheCasesThatFailed) {
  Points x(2, 2);
  Points y(2, 2);
  x << 0, 1, 0, 0;
  y << 0.2, 1.5, 0, 0.3;
  EXPECT_TRUE(sinkhorn(x, y, 0.1).converged);
  for (int draw = 0; draw < 24; ++draw) {
    Stream stream = Stream(6, "sinkhorn").at(static_cast<std::uint64_t>(draw));
    const Index n = 2 + draw % 5;
    const Points a = stream.normal(2, n);
    const Points b = stream.normal(2, n + draw % 3);
    const Sinkhorn result = sinkhorn(a, b, 0.1);
    EXPECT_TRUE(result.converged) << draw << ": " << result.sweeps;
    // The dual value bounds the cost from above by the entropy at most.
    EXPECT_GE(result.value, result.cost - 1e-9);
    EXPECT_GE(result.cost, exact_transport(a, b, 2) - 1e-9);
  }
}

TEST(SinkhornConvergence, EqualSetsAreAtZero) {
  for (const Index d : {1, 3, 40}) {
    const Points x = normal(d, 90, "equal");
    for (const char* metric : {"sinkhorn_div", "sinkhorn_cost_div", "sinkhorn_div(eps=0.1)"}) {
      EXPECT_EQ(record_of(metric, x, x).value, 0) << metric << " " << d;
    }
  }
}

TEST(SinkhornConvergence, InManyDimensions) {
  const Points x = 0.1 * normal(784, 100, "wide x");
  const Points y = 0.1 * normal(784, 100, "wide y");
  EXPECT_TRUE(sinkhorn(x, y, 1).converged);
}

// ---- cancellation

TEST(Offsets, MultiplyTheDifferencesThatKidSees) {
  const Points x = normal(3, 40, "kid x");
  const Points y = normal(3, 50, "kid y").array() + 0.3;
  for (const double offset : {0.0, 1.0, 1e3, 1e6, 1e8}) {
    const Points a = x.array() + offset;
    const Points b = y.array() + offset;
    // In 113 bits, as defined.
    __extension__ using Quad = __float128;
    const auto mean = [](const Points& s, const Points& t, bool own) {
      Quad sum = 0;
      for (Index i = 0; i < s.cols(); ++i) {
        for (Index j = 0; j < t.cols(); ++j) {
          if (own && i == j) continue;
          Quad product = 0;
          for (Index c = 0; c < s.rows(); ++c) product += static_cast<Quad>(s(c, i)) * static_cast<Quad>(t(c, j));
          const Quad base = product / static_cast<Quad>(s.rows()) + 1;
          sum += base * base * base;
        }
      }
      return sum / (static_cast<Quad>(s.cols()) * static_cast<Quad>(own ? t.cols() - 1 : t.cols()));
    };
    const auto exact = static_cast<double>(mean(a, a, true) + mean(b, b, true) - 2 * mean(a, b, false));
    EXPECT_NEAR(kid(a, b).unbiased, exact, 1e-7 * std::abs(exact)) << offset;
  }
}

}  // namespace
}  // namespace onmanifold::test
