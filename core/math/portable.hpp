// SPDX-License-Identifier: Apache-2.0
#pragma once
// Elementary functions with the same bits on every machine. Those of a C library are not: glibc has one variant for
// processors with fused operations and one for those without, and its next release may have a third.

namespace onmanifold::portable {

/// Everything here is computed from +, -, *, / and sqrt, which IEEE 754 rounds in one way only, in pairs of doubles
/// (\cite dekker1971), and compiled without contraction. Error, measured against quadruple precision by
/// tests/core/portable_test.cpp: below .51 units in the last place of exp and .501 of the others, but for erf and erfc
/// (below .8, and 4 for erfc beyond 6) and power. Infinities, NaN, zeros and their signs are those of the C library.
/// Cost: exp about that of the C library, the others 5 to 20 times as much.
///
/// Used by all that makes data. Where numbers are judged or trained, the C library and vectors are faster.
[[nodiscard]] double exp(double x);
[[nodiscard]] double expm1(double x);
[[nodiscard]] double log(double x);
[[nodiscard]] double log1p(double x);
/// NaN for |x| > 2^31, where angles have no digits left that mean anything.
[[nodiscard]] double sin(double x);
[[nodiscard]] double cos(double x);
[[nodiscard]] double atan2(double y, double x);
[[nodiscard]] double acos(double x);
[[nodiscard]] double asin(double x);
[[nodiscard]] double tanh(double x);
/// sqrt(x² + y²) without overflow on the way.
[[nodiscard]] double hypot(double x, double y);
[[nodiscard]] double erf(double x);
[[nodiscard]] double erfc(double x);
/// x to an integer power by repeated squaring; error below |exponent| units in the last place.
[[nodiscard]] double power(double x, int exponent);

}  // namespace onmanifold::portable
