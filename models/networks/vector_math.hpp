// SPDX-License-Identifier: Apache-2.0
#pragma once
// exp and log of whole vectors of floats, beside those of doubles under the same names, for kernels written
// once for both.

#include <cmath>

#include "models/networks/panels.hpp"

namespace onmanifold::vector_math {

using panels::Bits;
using panels::Vec;

/// e^x with relative error below 5e-6 for |x| < 80 (the product with log2(e) is rounded); x is
/// clamped to ±87 first. 2^f by its interpolant of
/// degree 5.
ONMANIFOLD_INLINE Vec exp(Vec x) {
  Vec y = x * 1.44269504F;
  constexpr float magic = 12582912.0F;  // 1.5 · 2^23: adding it rounds to an integer, kept in the low bits
  y = y > 126.0F ? Vec{} + 126.0F : y;
  y = y < -126.0F ? Vec{} - 126.0F : y;
  const Vec shifted = y + magic;
  const Vec f = y - (shifted - magic);
  Vec p = f * 1.33908634e-3F + 9.67603192e-3F;
  p = p * f + 5.55035711e-2F;
  p = p * f + 2.40221075e-1F;
  p = p * f + 6.93147188e-1F;
  p = p * f + 1.0F;
  return std::bit_cast<Vec>(std::bit_cast<Bits>(p) + (std::bit_cast<Bits>(shifted) << 23));
}
ONMANIFOLD_INLINE double exp(double x) {
  return std::exp(x);
}

/// log x for positive normal numbers, with error below 1e-6 (1 + |log x|). x = m 2^k, m in [sqrt(1/2),
/// sqrt(2)).
ONMANIFOLD_INLINE Vec log(Vec x) {
  const Bits shifted = std::bit_cast<Bits>(x) - 0x3F3504F3;
  const Bits exponent = shifted >> 23;
  const Vec k = __builtin_convertvector(exponent, Vec);
  const Vec f = std::bit_cast<Vec>(std::bit_cast<Bits>(x) - (exponent << 23)) - 1.0F;
  Vec p = f * -0x1.38b574p-4F + 0x1.0565bcp-3F;
  p = p * f - 0x1.0d8a0ap-3F;
  p = p * f + 0x1.22d910p-3F;
  p = p * f - 0x1.5471b4p-3F;
  p = p * f + 0x1.99a00ep-3F;
  p = p * f - 0x1.000228p-2F;
  p = p * f + 0x1.555554p-2F;
  constexpr float log2_high = 0x1.62e400p-1F;  // 16 bits: a product with k is exact
  constexpr float log2_low = 0x1.7f7d1cp-20F;
  const Vec square = f * f;
  return k * log2_high + (f + ((square * f) * p - 0.5F * square + k * log2_low));
}
ONMANIFOLD_INLINE double log(double x) {
  return std::log(x);
}

ONMANIFOLD_INLINE Vec logistic(Vec x) {
  return panels::sigmoid(x);
}
ONMANIFOLD_INLINE double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

/// log(1 + e^x).
template <class T>
ONMANIFOLD_INLINE T softplus(T x) {
  const T zero{};
  return (x > zero ? x : zero) + log(1 + exp(x > zero ? -x : x));
}

template <class T>
ONMANIFOLD_INLINE T larger(T a, T b) {
  return a > b ? a : b;
}
template <class T>
ONMANIFOLD_INLINE T smaller(T a, T b) {
  return a < b ? a : b;
}

}  // namespace onmanifold::vector_math
