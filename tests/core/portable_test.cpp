// SPDX-License-Identifier: Apache-2.0
#include "core/math/portable.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <boost/multiprecision/cpp_bin_float.hpp>
#include <gtest/gtest.h>

#include "core/random/stream.hpp"

namespace onmanifold {
namespace {

// 113 bits; arithmetic in integers, so that nothing of it is the C library's.
using Quad = boost::multiprecision::cpp_bin_float_quad;
using Function = std::function<double(double)>;
using Reference = std::function<Quad(const Quad&)>;

/// Units in the last place of the exact value between it and \p value.
double error_in_ulp(double value, const Quad& exact) {
  const auto rounded = static_cast<double>(exact);
  if (std::isinf(rounded) || std::isinf(value)) return value == rounded ? 0 : 1e9;
  const int exponent = rounded == 0 ? -1074 : std::max(std::ilogb(rounded) - 52, -1074);
  return static_cast<double>(abs(Quad(value) - exact) * ldexp(Quad(1), -exponent));
}

/// Largest error over \p count arguments, uniform on [low, high] or, if \p logarithmic, ±2 to the power of such a
/// number.
double largest_error(const Function& f, const Reference& g, double low, double high, bool logarithmic = false,
                     int count = 1500) {
  Stream stream(0, "portable");
  double worst = 0;
  for (int i = 0; i < count; ++i) {
    double x = low + (high - low) * stream.uniform();
    if (logarithmic) {
      const double whole = std::floor(x);
      x = std::ldexp(1 + stream.uniform(), static_cast<int>(whole)) * (stream.uniform() < 0.5 ? -1 : 1);
    }
    worst = std::max(worst, error_in_ulp(f(x), g(Quad(x))));
  }
  return worst;
}

Quad expm1_of(const Quad& x) {
  if (abs(x) > 0.1) return exp(x) - 1;
  Quad sum = 0;
  for (int n = 30; n > 0; --n) sum = (sum + 1) * x / n;
  return sum;
}

Quad log1p_of(const Quad& x) {
  const Quad s = x / (2 + x);
  if (abs(s) > 0.05) return log(1 + x);
  Quad sum = 0;
  for (int n = 41; n > 0; n -= 2) sum = sum * s * s + Quad(1) / n;
  return 2 * s * sum;
}

Quad erf_of(const Quad& x) {
  Quad term = x;
  Quad sum = x;
  for (int n = 1; n < 400; ++n) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / sqrt(acos(Quad(-1))) * exp(-x * x) * sum;
}

Quad erfc_of(const Quad& x) {
  if (x < 1) return 1 - erf_of(x);
  Quad fraction = x;
  for (int n = 900; n > 0; --n) fraction = Quad(n) / 2 / fraction + x;
  return exp(-x * x) / sqrt(acos(Quad(-1))) / fraction;
}

TEST(Portable, ExponentialsAreWithinHalfAUnit) {
  const Reference reference = [](const Quad& x) { return Quad(exp(x)); };
  EXPECT_LT(largest_error(portable::exp, reference, -708, 709), 0.51);
  EXPECT_LT(largest_error(portable::exp, reference, -1, 1), 0.51);
  EXPECT_LT(largest_error(portable::exp, reference, -60, 0, true), 0.51);
  EXPECT_LT(largest_error(portable::exp, reference, -745, -708), 0.51);
  EXPECT_LT(largest_error(portable::expm1, expm1_of, -40, 700), 0.51);
  EXPECT_LT(largest_error(portable::expm1, expm1_of, -1, 1), 0.501);
  EXPECT_LT(largest_error(portable::expm1, expm1_of, -60, 0, true), 0.501);
}

TEST(Portable, LogarithmsAreWithinHalfAUnit) {
  const Reference reference = [](const Quad& x) { return Quad(log(x)); };
  EXPECT_LT(largest_error(portable::log, reference, 0, 3), 0.501);
  EXPECT_LT(largest_error(portable::log, reference, 0.99, 1.01), 0.501);
  EXPECT_LT(largest_error([](double x) { return portable::log(std::abs(x)); },
                          [](const Quad& x) { return Quad(log(abs(x))); }, -1074, 1023, true),
            0.501);
  EXPECT_LT(largest_error(portable::log1p, log1p_of, -1, 3), 0.501);
  EXPECT_LT(largest_error(portable::log1p, log1p_of, -70, -4, true), 0.501);
}

TEST(Portable, AnglesAreWithinHalfAUnit) {
  const Reference sine = [](const Quad& x) { return Quad(sin(x)); };
  const Reference cosine = [](const Quad& x) { return Quad(cos(x)); };
  for (const auto& [f, g] :
       {std::pair<Function, Reference>{portable::sin, sine}, std::pair<Function, Reference>{portable::cos, cosine}}) {
    EXPECT_LT(largest_error(f, g, -10, 10), 0.501);
    EXPECT_LT(largest_error(f, g, -1000, 1000), 0.501);
    EXPECT_LT(largest_error(f, g, -70, 3, true), 0.501);
  }
  const Reference arc = [](const Quad& x) { return Quad(asin(x)); };
  const Reference other = [](const Quad& x) { return Quad(acos(x)); };
  EXPECT_LT(largest_error(portable::asin, arc, -1, 1), 0.501);
  EXPECT_LT(largest_error(portable::asin, arc, -40, -1, true), 0.501);
  EXPECT_LT(largest_error(portable::acos, other, -1, 1), 0.501);
  EXPECT_LT(largest_error(portable::acos, other, 0.9999, 1), 0.501);
}

TEST(Portable, FunctionsOfTwoNumbersAreWithinHalfAUnit) {
  Stream stream(0, "pairs");
  double worst_angle = 0;
  double worst_length = 0;
  for (int i = 0; i < 4000; ++i) {
    const int range = i % 2 == 0 ? 3 : 60;
    const auto draw = [&] {
      const int exponent = static_cast<int>(stream.integer(static_cast<std::uint64_t>(2 * range + 1))) - range;
      return std::ldexp(1 + stream.uniform(), exponent) * (stream.uniform() < 0.5 ? -1 : 1);
    };
    const double x = draw();
    const double y = draw();
    worst_angle = std::max(worst_angle, error_in_ulp(portable::atan2(y, x), Quad(atan2(Quad(y), Quad(x)))));
    worst_length = std::max(worst_length, error_in_ulp(portable::hypot(x, y), Quad(sqrt(Quad(x) * x + Quad(y) * y))));
  }
  EXPECT_LT(worst_angle, 0.501);
  EXPECT_LT(worst_length, 0.501);
}

TEST(Portable, TanhAndErrorFunctions) {
  const Reference tangent = [](const Quad& x) {
    const Quad change = expm1_of(2 * x);
    return Quad(change / (change + 2));
  };
  EXPECT_LT(largest_error(portable::tanh, tangent, -20, 20), 0.501);
  EXPECT_LT(largest_error(portable::tanh, tangent, -60, 0, true), 0.501);
  EXPECT_LT(largest_error(portable::erf, erf_of, -6, 6, false, 500), 0.8);
  EXPECT_LT(largest_error(portable::erf, erf_of, -60, -1, true, 500), 0.8);
  EXPECT_LT(largest_error(portable::erfc, erfc_of, -5, 1, false, 500), 0.8);
  EXPECT_LT(largest_error(portable::erfc, erfc_of, 1, 6, false, 500), 0.8);
  EXPECT_LT(largest_error(portable::erfc, erfc_of, 6, 27, false, 300), 4);
}

TEST(Portable, PowersAreThoseOfIntegers) {
  EXPECT_EQ(portable::power(3, 5), 243);
  EXPECT_EQ(portable::power(-2, 7), -128);
  EXPECT_EQ(portable::power(2, -10), 1.0 / 1024);
  EXPECT_EQ(portable::power(7, 0), 1);
  EXPECT_LT(largest_error([](double x) { return portable::power(x, 8); },
                          [](const Quad& x) {
                            const Quad square = x * x;
                            return Quad(square * square * square * square);
                          },
                          0.5, 2),
            8);
}

TEST(Portable, SpecialValuesAreThoseOfTheCLibrary) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values = {0.0, -0.0, 1.0, -1.0, infinity, -infinity, nan, 5e-324, -5e-324, 800.0, -800.0};
  const auto expect_same = [](double found, double expected, const std::string& what) {
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(found)) << what;
    } else {
      EXPECT_TRUE(std::abs(found - expected) <= 1e-15 * std::abs(expected) || found == expected) << what;
      EXPECT_EQ(std::signbit(found), std::signbit(expected)) << what;
    }
  };
  const auto check = [&](const std::string& name, double (*f)(double), double (*g)(double)) {
    for (const double x : values) expect_same(f(x), g(x), name + " of " + std::to_string(x));
  };
  check("exp", portable::exp, std::exp);
  check("expm1", portable::expm1, std::expm1);
  check("log", portable::log, std::log);
  check("log1p", portable::log1p, std::log1p);
  check("sin", portable::sin, std::sin);
  check("cos", portable::cos, std::cos);
  check("acos", portable::acos, std::acos);
  check("asin", portable::asin, std::asin);
  check("tanh", portable::tanh, std::tanh);
  check("erf", portable::erf, std::erf);
  check("erfc", portable::erfc, std::erfc);
  for (const double x : values) {
    for (const double y : values) {
      const std::string what = std::to_string(y) + ", " + std::to_string(x);
      expect_same(portable::atan2(y, x), std::atan2(y, x), "atan2 of " + what);
      expect_same(portable::hypot(y, x), std::hypot(y, x), "hypot of " + what);
    }
  }
  EXPECT_TRUE(std::isnan(portable::sin(1e10)));
  EXPECT_TRUE(std::isnan(portable::cos(-1e10)));
  EXPECT_EQ(portable::hypot(3e300, 4e300), 5e300);
  EXPECT_EQ(portable::hypot(3e-320, 4e-320), 5e-320);
  EXPECT_EQ(portable::exp(710), infinity);
  EXPECT_EQ(portable::exp(-746), 0);
}

/// The bits themselves, so that another compiler or machine that makes others is told from one that is only as exact.
TEST(Portable, BitsAreTheSameEverywhere) {
  Stream stream(0, "bits");
  std::uint64_t sum = 0;
  const auto add = [&](double value) { sum = std::rotl(sum, 7) ^ std::bit_cast<std::uint64_t>(value); };
  for (int i = 0; i < 20000; ++i) {
    const double u = stream.uniform();
    const double x = 20 * u - 10;
    const double y = 6 * stream.uniform() - 3;
    for (const auto f : {portable::exp, portable::expm1, portable::sin, portable::cos, portable::tanh, portable::erf,
                         portable::erfc}) {
      add(f(x));
    }
    add(portable::log(u));
    add(portable::log1p(u));
    add(portable::acos(2 * u - 1));
    add(portable::asin(2 * u - 1));
    add(portable::atan2(y, x));
    add(portable::hypot(y, x));
    add(portable::power(y, 5));
  }
  EXPECT_EQ(sum, 0x9c72fb00e6dac7ecU);
}

}  // namespace
}  // namespace onmanifold
