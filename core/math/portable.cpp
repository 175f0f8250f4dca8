// SPDX-License-Identifier: Apache-2.0
// Compiled with -ffp-contract=off (see CMakeLists.txt): the products below must not be fused with the sums.
#include "core/math/portable.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>

namespace onmanifold::portable {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// The number high + low, |low| <= ulp(high)/2: 106 bits or so. Algorithms of Dekker and of Joldes, Muller and Popescu.
struct Pair {
  double high;
  double low;
};

/// a + b, for |a| >= |b| or a = 0.
constexpr Pair ordered_sum(double a, double b) {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}

constexpr Pair exact_sum(double a, double b) {
  const double sum = a + b;
  const double of_b = sum - a;
  return {sum, (a - (sum - of_b)) + (b - of_b)};
}

/// \pre |a|, |b| < 2^995
constexpr Pair exact_product(double a, double b) {
  constexpr double splitter = 0x1p27 + 1;
  const double wide_a = splitter * a;
  const double a1 = wide_a - (wide_a - a);
  const double a2 = a - a1;
  const double wide_b = splitter * b;
  const double b1 = wide_b - (wide_b - b);
  const double b2 = b - b1;
  const double product = a * b;
  return {product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2};
}

constexpr Pair operator-(Pair a) {
  return {-a.high, -a.low};
}

constexpr Pair operator+(Pair a, Pair b) {
  const Pair high = exact_sum(a.high, b.high);
  const Pair low = exact_sum(a.low, b.low);
  const Pair sum = ordered_sum(high.high, high.low + low.high);
  return ordered_sum(sum.high, sum.low + low.low);
}

constexpr Pair operator+(Pair a, double b) {
  const Pair high = exact_sum(a.high, b);
  return ordered_sum(high.high, high.low + a.low);
}

constexpr Pair operator*(Pair a, Pair b) {
  const Pair product = exact_product(a.high, b.high);
  return ordered_sum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

constexpr Pair operator*(Pair a, double b) {
  const Pair product = exact_product(a.high, b);
  return ordered_sum(product.high, product.low + a.low * b);
}

constexpr Pair operator/(Pair a, Pair b) {
  const double first = a.high / b.high;
  Pair rest = a + -(b * first);
  const double second = rest.high / b.high;
  rest = rest + -(b * second);
  return ordered_sum(first, second) + rest.high / b.high;
}

/// \p a times a power of two, exactly unless it underflows.
constexpr Pair scaled(Pair a, double power) {
  return {a.high * power, a.low * power};
}

Pair square_root(Pair a) {
  if (!(a.high > 0)) return {0, 0};
  const double root = std::sqrt(a.high);
  const Pair rest = a + -exact_product(root, root);
  return ordered_sum(root, rest.high / (2 * root));
}

// Constants, from 120 digits.
constexpr Pair pi = {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53};
constexpr Pair half_pi = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
constexpr double half_pi_rest = -0x1.f1976b7ed8fbcp-110;
constexpr double log2_first = 0x1.62e42fefa2000p-1;  // 40 bits: a product with an exponent is exact
constexpr Pair log2_rest = {0x1.9ef35793c7673p-41, 0x1.f97b57a079a19p-103};
constexpr int steps = 128;                           // of the tables of exp and log, to a factor of two
constexpr double step_first = 0x1.62e42fef80000p-8;  // log(2)/128: 35 bits
constexpr Pair step_rest = {0x1.1cf79abc9e3b4p-43, -0x1.9ff0342542fc3p-97};

/// The nearest integer, ties to even, for |x| < 2^51.
constexpr double nearest(double x) {
  constexpr double shift = 0x1.8p52;
  return (x + shift) - shift;
}

constexpr double power_of_two(int exponent) {  // -1022 … 1023
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52U);
}

int exponent_of(double x) {  // of a positive number; -1023 of a subnormal one
  return static_cast<int>(std::bit_cast<std::uint64_t>(x) >> 52U) - 1023;
}

/// x 2^exponent, for |exponent| <= 2044: in two steps, as one factor may lie outside the range.
double shifted(double x, int exponent) {
  return x * power_of_two(exponent / 2) * power_of_two(exponent - exponent / 2);
}

/// a 2^exponent in one rounding, for 0 < a < 4.
double rounded(Pair a, int exponent) {
  if (exponent < -1080) return 0;
  if (exponent + exponent_of(a.high) >= -1022) return shifted(a.high, exponent);
  // 2^(-1074 - exponent) becomes the last place of the result: it is that of a sum with 2^52 of it.
  const double grid = power_of_two(-1074 - exponent);
  const double anchor = 0x1p52 * grid;
  const Pair sum = exact_sum(anchor, a.high);
  return ((sum.high + (sum.low + a.low)) - anchor) / grid * 0x1p-1074;
}

// ---- exp

constexpr std::size_t exp_terms = 26;

/// 2^(i/128) by the series of exp.
constexpr std::array<Pair, steps> make_exp_table() {
  std::array<Pair, steps> table{};
  for (int i = 0; i < steps; ++i) {
    const double k = i;
    const Pair x = Pair{k * step_first, 0} + step_rest * k;
    Pair sum = {1, 0};
    for (std::size_t n = exp_terms; n > 0; --n) sum = sum * x / Pair{static_cast<double>(n), 0} + 1.0;
    table[static_cast<std::size_t>(i)] = sum;
  }
  return table;
}
constexpr std::array<Pair, steps> exp_table = make_exp_table();

/// exp(x) = 2^exponent (factor + factor·change).
struct ExpParts {
  int exponent;
  Pair factor;  // in [1, 2)
  Pair change;  // expm1 of the rest, at most log(2)/256
};

ExpParts split_exp(double x) {
  const double k = nearest(x * 0x1.71547652b82fep+7);
  const Pair rest = Pair{x - k * step_first, 0} + -(step_rest * k);
  // The square in full, what follows it in double: 2^-75 of the whole.
  const double r = rest.high;
  const double tail =
      r * r * r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720 + r * (1.0 / 5040 + r / 40320)))));
  const Pair change = (rest + scaled(rest * rest, 0.5)) + tail;
  const int whole = static_cast<int>(k);
  const int index = whole & (steps - 1);
  return {(whole - index) / steps, exp_table[static_cast<std::size_t>(index)], change};
}

Pair expm1_pair(double x) {  // |x| < 700
  const ExpParts parts = split_exp(x);
  if (parts.exponent == 0 && parts.factor.high == 1) return parts.change;
  const double scale = power_of_two(parts.exponent);
  const Pair factor = scaled(parts.factor, scale);
  return (factor + -1.0) + factor * parts.change;
}

// ---- log

constexpr int log_first = 90;  // floor(128 sqrt(1/2))
constexpr int log_last = 182;  // ceil(128 sqrt(2))
struct LogEntry {
  double inverse;  // 128/i, rounded
  Pair minus_log;  // of that
};

constexpr std::array<LogEntry, log_last - log_first + 1> make_log_table() {
  std::array<LogEntry, log_last - log_first + 1> table{};
  for (int i = log_first; i <= log_last; ++i) {
    const double inverse = 128.0 / i;
    // log c = 2 atanh((c - 1)/(c + 1))
    const Pair s = exact_sum(inverse, -1) / exact_sum(inverse, 1);
    const Pair z = s * s;
    Pair sum = {0, 0};
    for (int n = 51; n > 0; n -= 2) sum = sum * z + Pair{1, 0} / Pair{static_cast<double>(n), 0};
    table[static_cast<std::size_t>(i - log_first)] = {inverse, -scaled(sum * s, 2)};
  }
  return table;
}
constexpr std::array<LogEntry, log_last - log_first + 1> log_table = make_log_table();

/// log of a positive normal number.
Pair log_pair(Pair x) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x.high);
  int exponent = static_cast<int>(bits >> 52U) - 1023;
  double mantissa = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFU) | 0x3FF0000000000000U);
  if (mantissa > std::numbers::sqrt2) {
    mantissa *= 0.5;
    ++exponent;
  }
  // In two steps: 2^-exponent may lie outside the range.
  const double low = x.low * power_of_two(-(exponent / 2)) * power_of_two(-(exponent - exponent / 2));
  const LogEntry& entry = log_table[static_cast<std::size_t>(static_cast<int>(nearest(mantissa * 128)) - log_first)];
  const Pair product = exact_product(mantissa, entry.inverse);
  const Pair rest = exact_sum(product.high - 1, product.low) + low * entry.inverse;
  const double r = rest.high;
  double tail = 1.0 / 11;
  for (int n = 10; n > 2; --n) tail = 1.0 / n - r * tail;
  const Pair change = (rest + -scaled(rest * rest, 0.5)) + r * r * r * tail;
  const double k = exponent;
  return (Pair{k * log2_first, 0} + log2_rest * k) + (entry.minus_log + change);
}

// ---- sin and cos

struct Reduced {
  Pair angle;  // |angle| <= pi/4 and a little
  int quarter;
};

Reduced reduce(double x) {
  const double k = nearest(x * 0x1.45f306dc9c883p-1);
  if (k == 0) return {{x, 0}, 0};
  const Pair first = exact_product(k, half_pi.high);
  Pair angle = exact_sum(x, -first.high) + -first.low;
  angle = angle + -exact_product(k, half_pi.low);
  angle = angle + -(k * half_pi_rest);
  return {angle, static_cast<int>(static_cast<std::int64_t>(k) & 3)};
}

constexpr Pair sixth = {0x1.5555555555555p-3, 0x1.5555555555555p-57};
constexpr Pair one_24th = {0x1.5555555555555p-5, 0x1.5555555555555p-59};
constexpr Pair one_120th = {0x1.1111111111111p-7, 0x1.1111111111111p-63};
constexpr Pair one_720th = {0x1.6c16c16c16c17p-10, -0x1.f49f49f49f49fp-65};

/// Series on |x| <= 0.79: three terms in full, the others in double, where they are 2^-15 of the whole.
Pair sin_pair(Pair x) {
  const Pair square = x * x;
  const double z = square.high;
  double tail = 1.0 / 355687428096000;  // 1/17!
  tail = -1.0 / 1307674368000 + z * tail;
  tail = 1.0 / 6227020800 + z * tail;
  tail = -1.0 / 39916800 + z * tail;
  tail = 1.0 / 362880 + z * tail;
  tail = -1.0 / 5040 + z * tail;
  const Pair factor = (one_120th + z * tail) * square + -sixth;
  return x + x * (square * factor);
}

Pair cos_pair(Pair x) {
  const Pair square = x * x;
  const double z = square.high;
  double tail = -1.0 / 6402373705728000;  // 1/18!
  tail = 1.0 / 20922789888000 + z * tail;
  tail = -1.0 / 87178291200 + z * tail;
  tail = 1.0 / 479001600 + z * tail;
  tail = -1.0 / 3628800 + z * tail;
  tail = 1.0 / 40320 + z * tail;
  const Pair factor = (-one_720th + z * tail) * square + one_24th;
  return (square * (square * factor + -0.5)) + 1.0;
}

// ---- atan2

constexpr int arcs = 64;  // steps of the table of atan on [0, 1]

constexpr Pair atan_series(Pair t, int terms) {
  const Pair z = t * t;
  Pair sum = {0, 0};
  for (int n = 2 * terms - 1; n > 0; n -= 2) sum = Pair{1, 0} / Pair{static_cast<double>(n), 0} + -(sum * z);
  return sum * t;
}

constexpr std::array<Pair, arcs + 1> make_atan_table() {
  std::array<Pair, arcs + 1> table{};
  for (int i = 1; i <= arcs; ++i) {
    const double a = static_cast<double>(i - 1) / arcs;
    const double b = static_cast<double>(i) / arcs;
    const Pair between = Pair{1.0 / arcs, 0} / (exact_product(a, b) + 1.0);
    table[static_cast<std::size_t>(i)] = table[static_cast<std::size_t>(i - 1)] + atan_series(between, 10);
  }
  return table;
}
constexpr std::array<Pair, arcs + 1> atan_table = make_atan_table();

/// atan of a number in [0, 1].
Pair atan_pair(Pair q) {
  const double i = nearest(q.high * arcs);
  Pair t = q;
  if (i > 0) t = (q + -i / arcs) / (q * (i / arcs) + 1.0);
  const double z = t.high * t.high;
  const double tail = t.high * z * (-1.0 / 3 + z * (1.0 / 5 + z * (-1.0 / 7 + z * (1.0 / 9 + z * (-1.0 / 11)))));
  return atan_table[static_cast<std::size_t>(i)] + (t + tail);
}

/// The angle of (x, y), y >= 0, from 0 to pi; the larger one is near 1.
Pair angle_of(Pair y, Pair x) {
  const bool left = x.high < 0;
  const Pair along = left ? -x : x;
  Pair angle{};
  if (y.high <= along.high) {
    angle = atan_pair(y / along);
  } else {
    angle = half_pi + -atan_pair(along / y);
  }
  return left ? pi + -angle : angle;
}

// ---- erf and erfc

constexpr int cells = 32;  // a unit
constexpr int last_cell = 28 * cells;
constexpr Pair two_over_root_pi = {0x1.20dd750429b6dp+0, 0x1.1ae3a914fed80p-56};

/// exp(c²) erfc(c) at multiples of 1/32.
std::array<Pair, last_cell + 1> make_erfc_table() {
  std::array<Pair, last_cell + 1> table{};
  for (int i = 0; i <= last_cell; ++i) {
    const double c = static_cast<double>(i) / cells;
    Pair value{};
    if (c <= 2) {
      // exp(c²) erf(c) = 2/sqrt(pi) sum 2^n c^(2n+1)/(1·3···(2n+1))
      Pair term = two_over_root_pi * c;
      Pair sum = term;
      for (int n = 1; n <= 60; ++n) {
        term = term * (2 * c * c) / Pair{2.0 * n + 1, 0};
        sum = sum + term;
      }
      value = expm1_pair(c * c) + 1.0 + -sum;
    } else {
      Pair fraction = {c, 0};
      for (int n = 8 + static_cast<int>(400 / (c * c)); n > 0; --n) {
        fraction = Pair{0.5 * n, 0} / fraction + c;
      }
      value = scaled(two_over_root_pi, 0.5) / fraction;
    }
    table[static_cast<std::size_t>(i)] = value;
  }
  return table;
}

/// 1/(n + 1)
constexpr std::array<double, 19> reciprocals = [] {
  std::array<double, 19> values{};
  for (std::size_t n = 0; n < values.size(); ++n) values[n] = 1.0 / static_cast<double>(n + 1);
  return values;
}();

/// erfc(x) = 2^exponent · value
struct ErfcParts {
  Pair value;
  int exponent;
};

/// For 0 <= x < 28, by Taylor's series about the nearest multiple c of 1/32:
/// exp(c²) (erfc(c) - erfc(c + t)) = 2/sqrt(pi) times the integral of exp(-2ct - t²).
ErfcParts split_erfc(double x) {
  static const std::array<Pair, last_cell + 1> table = make_erfc_table();
  const double i = nearest(x * cells);
  const double c = i / cells;
  const double t = x - c;
  double before = 1;
  double now = -2 * c;
  double power = t;
  double sum = 0;
  const std::size_t terms = c <= 6 ? 12 : 18;
  for (std::size_t n = 1; n <= terms; ++n) {
    power *= t;
    sum += now * power * reciprocals[n];
    const double next = -2 * (c * now + before) * reciprocals[n];
    before = now;
    now = next;
  }
  const Pair fall = two_over_root_pi * t + sum * two_over_root_pi.high;
  const ExpParts parts = split_exp(-c * c);
  const Pair scale = parts.factor + parts.factor * parts.change;
  return {(table[static_cast<std::size_t>(i)] + -fall) * scale, parts.exponent};
}

/// erf(x) for |x| <= 1/2.
Pair small_erf(double x) {
  const double z = x * x;
  double factorial = 6227020800;  // 13!
  double tail = 0;
  for (int n = 13; n > 0; --n) {
    tail = ((n % 2 == 0 ? 1 : -1) / (factorial * (2 * n + 1)) + tail) * z;
    factorial /= n;
  }
  return two_over_root_pi * x + two_over_root_pi.high * x * tail;
}

}  // namespace

double exp(double x) {
  if (std::isnan(x)) return x;
  if (x > 709.79) return infinity;
  if (x < -745.2) return 0;
  // As split_exp, in double where that adds less than 0.01 units in the last place.
  const double k = nearest(x * 0x1.71547652b82fep+7);
  const double r = (x - k * step_first) - k * step_rest.high;
  const int whole = static_cast<int>(k);
  const int index = whole & (steps - 1);
  const Pair& factor = exp_table[static_cast<std::size_t>(index)];
  const double change = r + r * r * (0.5 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r / 720))));
  const Pair value = {factor.high, factor.low + factor.high * change};
  const int exponent = (whole - index) / steps;
  if (exponent >= -1021 && exponent <= 1023) return (value.high + value.low) * power_of_two(exponent);
  return rounded(ordered_sum(value.high, value.low), exponent);
}

double expm1(double x) {
  if (std::isnan(x) || std::abs(x) < 0x1p-60) return x;
  if (x > 600) return exp(x);
  if (x < -40) return -1;
  return expm1_pair(x).high;
}

double log(double x) {
  if (std::isnan(x) || x == infinity) return x;
  if (x < 0) return nan;
  if (x == 0) return -infinity;
  if (x >= 0x1p-1022) return log_pair({x, 0}).high;
  return (log_pair({x * 0x1p54, 0}) + -(Pair{54 * log2_first, 0} + log2_rest * 54)).high;
}

double log1p(double x) {
  if (std::isnan(x) || x == infinity || std::abs(x) < 0x1p-60) return x;
  if (x < -1) return nan;
  if (x == -1) return -infinity;
  return log_pair(exact_sum(1, x)).high;
}

double sin(double x) {
  if (!(std::abs(x) <= 0x1p31)) return nan;
  if (std::abs(x) < 0x1p-40) return x;
  const Reduced reduced = reduce(x);
  const double value = (reduced.quarter % 2 == 0 ? sin_pair(reduced.angle) : cos_pair(reduced.angle)).high;
  return reduced.quarter >= 2 ? -value : value;
}

double cos(double x) {
  if (!(std::abs(x) <= 0x1p31)) return nan;
  const Reduced reduced = reduce(x);
  const double value = (reduced.quarter % 2 == 0 ? cos_pair(reduced.angle) : sin_pair(reduced.angle)).high;
  return reduced.quarter == 1 || reduced.quarter == 2 ? -value : value;
}

double atan2(double y, double x) {
  if (std::isnan(x) || std::isnan(y)) return nan;
  double a = std::abs(y);
  double b = std::abs(x);
  const bool left = std::signbit(x);
  if (a == infinity && b == infinity) a = b = 1;
  const bool steep = a > b;
  const double smaller = steep ? b : a;
  const double larger = steep ? a : b;
  double result = 0;
  if (smaller == 0 || larger == infinity || smaller / larger < 0x1p-70) {
    // The quotient itself, rounded once, or an axis. 0/0 counts as 0.
    result = steep ? half_pi.high : left ? pi.high : a == 0 ? 0 : a / b;
  } else {
    const int exponent = -exponent_of(larger);
    const double along = shifted(b, exponent);
    result = angle_of({shifted(a, exponent), 0}, {left ? -along : along, 0}).high;
  }
  return std::copysign(result, y);
}

double acos(double x) {
  if (!(std::abs(x) <= 1)) return nan;
  return angle_of(square_root(exact_sum(1, -x) * exact_sum(1, x)), {x, 0}).high;
}

double asin(double x) {
  if (!(std::abs(x) <= 1)) return nan;
  const double a = std::abs(x);
  if (a < 0x1p-32) return x;
  return std::copysign(angle_of({a, 0}, square_root(exact_sum(1, -a) * exact_sum(1, a))).high, x);
}

double tanh(double x) {
  if (std::isnan(x) || std::abs(x) < 0x1p-32) return x;
  if (std::abs(x) > 22) return std::copysign(1.0, x);
  const Pair change = expm1_pair(2 * std::abs(x));
  return std::copysign((change / (change + 2.0)).high, x);
}

double hypot(double x, double y) {
  if (std::isinf(x) || std::isinf(y)) return infinity;
  if (std::isnan(x) || std::isnan(y)) return nan;
  double larger = std::max(std::abs(x), std::abs(y));
  double smaller = std::min(std::abs(x), std::abs(y));
  if (smaller <= larger * 0x1p-60) return larger;
  int exponent = 0;
  if (larger < 0x1p-900) {  // its digits may be fewer than 53
    larger *= 0x1p200;
    smaller *= 0x1p200;
    exponent = -200;
  }
  const int own = exponent_of(larger);
  larger = shifted(larger, -own);
  smaller = shifted(smaller, -own);
  return rounded(square_root(exact_product(larger, larger) + exact_product(smaller, smaller)), exponent + own);
}

double erf(double x) {
  if (std::isnan(x)) return x;
  const double a = std::abs(x);
  if (a <= 0.5) return x == 0 ? x : small_erf(x).high;
  if (a >= 6) return std::copysign(1.0, x);
  const ErfcParts parts = split_erfc(a);
  return std::copysign((-scaled(parts.value, power_of_two(parts.exponent)) + 1.0).high, x);
}

double erfc(double x) {
  if (std::isnan(x)) return x;
  if (x <= -6) return 2;
  if (x >= 28) return 0;
  if (std::abs(x) <= 0.5) return (-small_erf(x) + 1.0).high;
  const ErfcParts parts = split_erfc(std::abs(x));
  if (x < 0) return (-scaled(parts.value, power_of_two(parts.exponent)) + 2.0).high;
  return rounded(parts.value, parts.exponent);
}

double power(double x, int exponent) {
  double result = 1;
  double square = x;
  for (unsigned rest = exponent < 0 ? 0U - static_cast<unsigned>(exponent) : static_cast<unsigned>(exponent); rest > 0;
       rest >>= 1U) {
    if ((rest & 1U) != 0) result *= square;
    square *= square;
  }
  return exponent < 0 ? 1 / result : result;
}

}  // namespace onmanifold::portable
