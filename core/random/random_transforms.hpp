// SPDX-License-Identifier: Apache-2.0
#pragma once
// Random bits to uniform numbers, to integers, and to standard normals by the transform of Box and Muller
// \cite boxmuller1958, written without tables or library calls so that loops over it vectorise. Only + - * /
// and square roots are used, each rounded as IEEE 754 says: with contraction to fused operations off, every
// instruction set gives the same bits.
//
// radius = sqrt(-2 log u), u = (bits + 1/2) / 2^w, w = 64 (double) or 32 (float) bits; where u > sqrt(1/2)
// the logarithm is taken of 1 - (2^w - bits - 1/2) / 2^w, so nothing is lost near u = 1. Largest radius: 9.49
// and 6.76. angle = 2 pi (bits + 1/2) / 2^w, reduced to the nearest quarter turn in integers. Polynomials:
// minimax fits in relative error (Remez), 2^-58 or better in double, 2^-27 in float.

#include <bit>
#include <cmath>
#include <cstdint>

namespace onmanifold::detail {

/// \p bits - (\p magic - 2^84) as a double, rounded once.
[[gnu::always_inline]] inline double wide_to_double(std::uint64_t bits, double magic) {
  // 0x453… is the double 2^84 with the high word in the last 32 of its bits, 0x433… the same with 2^52.
  const auto high = std::bit_cast<double>((bits >> 32U) | 0x4530000000000000U);
  const auto low = std::bit_cast<double>((bits & 0xFFFFFFFFU) | 0x4330000000000000U);
  return (high - magic) + (low - 0x1p52);
}

/// A uniform number in the open interval (0, 1): the upper 52 bits are k in (k + 1/2) / 2^52, without
/// rounding.
[[gnu::always_inline]] inline double to_unit(std::uint64_t bits) {
  return std::bit_cast<double>((bits >> 12U) | 0x3FF0000000000000U) - (1 - 0x1p-53);
}

/// \p bits mapped to {0, …, bound - 1} without bias \cite lemire2019: false (draw again) for the fewer than
/// \p bound of the 2^64 values that are one too many.
[[gnu::always_inline]] inline bool to_integer(std::uint64_t bits, std::uint64_t bound, std::uint64_t& result) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(bits) * bound;
  result = static_cast<std::uint64_t>(product >> 64U);
  const auto low = static_cast<std::uint64_t>(product);
  return low >= bound || low >= -bound % bound;
}

/// sqrt(-2 log((bits + 1/2) / 2^64)).
[[gnu::always_inline]] inline double normal_radius(std::uint64_t bits) {
  const double wide = wide_to_double(bits, 0x1p84) + 0.5;
  const double complement = wide_to_double(~bits, 0x1p84) + 0.5;
  // wide = m 2^(k + 64) with m in [sqrt(1/2), sqrt(2)).
  constexpr std::uint64_t root_half = 0x3FE6A09E00000000U;
  const std::uint64_t shifted = std::bit_cast<std::uint64_t>(wide) - root_half + (std::uint64_t{1024} << 52U);
  const std::uint64_t exponent = shifted >> 52U;  // k + 64 + 1024
  const auto mantissa =
      std::bit_cast<double>(std::bit_cast<std::uint64_t>(wide) - (exponent << 52U) + (std::uint64_t{1024} << 52U));
  const double k = std::bit_cast<double>(exponent | 0x4330000000000000U) - (0x1p52 + 1088);
  const double f = exponent == 1088 ? complement * -0x1p-64 : mantissa - 1;
  // log(1 + f) = f - (f^2/2 - s (f^2/2 + z P(z))), s = f / (2 + f), z = s^2 from the series of 2 atanh(s).
  const double s = f / (2 + f);
  const double z = s * s;
  const double half_square = 0.5 * f * f;
  double p = 0x1.2f070aeed304ep-3;
  p = p * z + 0x1.39a192a90afccp-3;
  p = p * z + 0x1.74664061c3d5cp-3;
  p = p * z + 0x1.c71c520292835p-3;
  p = p * z + 0x1.24924941f901bp-2;
  p = p * z + 0x1.999999997fd32p-2;
  p = p * z + 0x1.5555555555592p-1;
  constexpr double log2_high = 0x1.62e42fee00000p-1;  // 32 bits: a product with k is exact
  constexpr double log2_low = 0x1.a39ef35793c76p-33;
  const double log_u = k * log2_high - ((half_square - (s * (half_square + z * p) + k * log2_low)) - f);
  return std::sqrt(-2 * log_u);
}

/// cos and sin of 2 pi (bits + 1/2) / 2^64.
[[gnu::always_inline]] inline void turn(std::uint64_t bits, double& cosine, double& sine) {
  const std::uint64_t rounded = bits + (std::uint64_t{1} << 61U);  // its top two bits: the nearest quarter turn
  // The rest, from -2^61 to 2^61 - 1, as a signed number: flipping the top bit of the two's complement adds
  // 2^63.
  const std::uint64_t rest = (rounded & ((std::uint64_t{1} << 62U) - 1)) + (std::uint64_t{3} << 61U);
  const double t = (wide_to_double(rest, 0x1p84 + 0x1p63) + 0.5) * 0x1p-64;
  const double z = t * t;
  double p = 0x1.e3eed62bb5017p+1;
  p = p * z - 0x1.e30063a1b8c00p+3;
  p = p * z + 0x1.50782fca3af0ap+5;
  p = p * z - 0x1.32d2cce2d538ap+6;
  p = p * z + 0x1.466bc67758700p+6;
  p = p * z - 0x1.4abbce625be41p+5;
  p = p * z + 0x1.921fb54442d18p+2;
  const double sin_rest = t * p;
  double q = -0x1.b263c3fd34338p+0;
  q = q * z + 0x1.f9cc40afcca53p+2;
  q = q * z - 0x1.a6d1ec7e10e0ap+4;
  q = q * z + 0x1.e1f5068367badp+5;
  q = q * z - 0x1.55d3c7e3c9280p+6;
  q = q * z + 0x1.03c1f081b5aaep+6;
  q = q * z - 0x1.3bd3cc9be45dep+4;
  const double cos_rest = 1 + z * q;
  constexpr std::uint64_t sign = std::uint64_t{1} << 63U;
  const bool odd = ((rounded >> 62U) & 1U) != 0;
  const std::uint64_t c = std::bit_cast<std::uint64_t>(odd ? sin_rest : cos_rest);
  const std::uint64_t s = std::bit_cast<std::uint64_t>(odd ? cos_rest : sin_rest);
  cosine = std::bit_cast<double>(c ^ ((rounded ^ (rounded << 1U)) & sign));
  sine = std::bit_cast<double>(s ^ (rounded & sign));
}

/// sqrt(-2 log((bits + 1/2) / 2^32)).
[[gnu::always_inline]] inline float normal_radius(std::uint32_t bits) {
  const float wide = static_cast<float>(bits) + 0.5F;
  const float complement = static_cast<float>(~bits) + 0.5F;
  constexpr std::uint32_t root_half = 0x3F3504F3U;
  const std::uint32_t shifted = std::bit_cast<std::uint32_t>(wide) - root_half + (std::uint32_t{128} << 23U);
  const std::uint32_t exponent = shifted >> 23U;  // k + 32 + 128
  const auto mantissa =
      std::bit_cast<float>(std::bit_cast<std::uint32_t>(wide) - (exponent << 23U) + (std::uint32_t{128} << 23U));
  const float k = static_cast<float>(static_cast<std::int32_t>(exponent) - 160);
  const float f = exponent == 160 ? complement * -0x1p-32F : mantissa - 1;
  // log(1 + f) = f - f^2/2 + f^3 P(f).
  float p = -0x1.38b574p-4F;
  p = p * f + 0x1.0565bcp-3F;
  p = p * f - 0x1.0d8a0ap-3F;
  p = p * f + 0x1.22d910p-3F;
  p = p * f - 0x1.5471b4p-3F;
  p = p * f + 0x1.99a00ep-3F;
  p = p * f - 0x1.000228p-2F;
  p = p * f + 0x1.555554p-2F;
  constexpr float log2_high = 0x1.62e400p-1F;  // 16 bits: a product with k is exact
  constexpr float log2_low = 0x1.7f7d1cp-20F;
  const float square = f * f;
  const float log_u = k * log2_high + (f + ((square * f) * p - 0.5F * square + k * log2_low));
  return std::sqrt(-2 * log_u);
}

/// cos and sin of 2 pi (bits + 1/2) / 2^32.
[[gnu::always_inline]] inline void turn(std::uint32_t bits, float& cosine, float& sine) {
  const std::uint32_t rounded = bits + (std::uint32_t{1} << 29U);
  const std::int32_t rest =
      static_cast<std::int32_t>(rounded & ((std::uint32_t{1} << 30U) - 1)) - (std::int32_t{1} << 29U);
  const float t = (static_cast<float>(rest) + 0.5F) * 0x1p-32F;
  const float z = t * t;
  float p = -0x1.2d9302p+6F;
  p = p * z + 0x1.465e92p+6F;
  p = p * z - 0x1.4abbbap+5F;
  p = p * z + 0x1.921fb6p+2F;
  const float sin_rest = t * p;
  float q = 0x1.d9d57ep+5F;
  q = q * z - 0x1.55c5e0p+6F;
  q = q * z + 0x1.03c1dep+6F;
  q = q * z - 0x1.3bd3ccp+4F;
  const float cos_rest = 1 + z * q;
  constexpr std::uint32_t sign = std::uint32_t{1} << 31U;
  const bool odd = ((rounded >> 30U) & 1U) != 0;
  const std::uint32_t c = std::bit_cast<std::uint32_t>(odd ? sin_rest : cos_rest);
  const std::uint32_t s = std::bit_cast<std::uint32_t>(odd ? cos_rest : sin_rest);
  cosine = std::bit_cast<float>(c ^ ((rounded ^ (rounded << 1U)) & sign));
  sine = std::bit_cast<float>(s ^ (rounded & sign));
}

}  // namespace onmanifold::detail
