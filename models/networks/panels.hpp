// SPDX-License-Identifier: Apache-2.0
#pragma once
// Vector kernels of the dense layers. Every matrix is cut into panels of 32 rows; a panel keeps its columns
// one after the other, 32 floats each, so that one micro-kernel serves forward, data gradient and weight
// gradient without packing. Written with compiler vector types: the widest registers that the target has, no
// other code path.

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "core/points.hpp"

namespace onmanifold::panels {

#if defined(__AVX512F__)
inline constexpr int vector_bytes = 64;
inline constexpr int tile_columns = 8;  // 16 accumulators of 32 registers
#elif defined(__AVX__)
inline constexpr int vector_bytes = 32;
inline constexpr int tile_columns = 2;  // 8 accumulators of 16 registers
#else
inline constexpr int vector_bytes = 16;
inline constexpr int tile_columns = 1;  // 8 accumulators of 16 registers
#endif
inline constexpr Index height = 32;  ///< rows of a panel
inline constexpr int lanes = vector_bytes / 4;
inline constexpr int vectors = static_cast<int>(height) / lanes;  ///< vectors in a panel column

using Vec = float __attribute__((vector_size(vector_bytes)));
using Bits = std::int32_t __attribute__((vector_size(vector_bytes)));

#define ONMANIFOLD_INLINE inline __attribute__((always_inline))

ONMANIFOLD_INLINE Vec load(const float* from) {
  Vec v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
ONMANIFOLD_INLINE void store(float* to, Vec v) {
  std::memcpy(to, &v, sizeof v);
}

/// 1 / (1 + e^-x): absolute error below 2e-7 for every x, relative error below 1.5e-6 for x > -16 (the
/// product with log2(e) is rounded). NaN stays NaN. e^-x = 2^(n + f) with |f| <= 1/2; 2^f by its interpolant
/// of degree 5 at Chebyshev nodes (relative error 1e-7).
ONMANIFOLD_INLINE Vec sigmoid(Vec x) {
  Vec y = x * -1.44269504F;
  constexpr float magic = 12582912.0F;  // 1.5 · 2^23: adding it rounds to an integer, kept in the low bits
#if defined(__AVX512F__)                // one instruction each; NaN in the second operand is kept
  y = std::bit_cast<Vec>(_mm512_maskz_min_ps(0xFFFF, _mm512_set1_ps(126.0F), std::bit_cast<__m512>(y)));
  y = std::bit_cast<Vec>(_mm512_maskz_max_ps(0xFFFF, _mm512_set1_ps(-126.0F), std::bit_cast<__m512>(y)));
#else
  y = y > 126.0F ? Vec{} + 126.0F : y;
  y = y < -126.0F ? Vec{} - 126.0F : y;
#endif
  const Vec shifted = y + magic;
  const Vec n = shifted - magic;
  const Vec f = y - n;
  Vec p = f * 1.33908634e-3F + 9.67603192e-3F;
  p = p * f + 5.55035711e-2F;
  p = p * f + 2.40221075e-1F;
  p = p * f + 6.93147188e-1F;
  p = p * f + 1.0F;
  const Vec power = std::bit_cast<Vec>(std::bit_cast<Bits>(p) + (std::bit_cast<Bits>(shifted) << 23));
  return 1.0F / (1.0F + power);
}

/// A tile of Columns panel columns in registers.
template <int Columns>
using Tile = std::array<std::array<Vec, vectors>, Columns>;

/// tile[j] += sum_k a(k) b(k, j): a(k) = 32 floats at a + 32 k, b(k, j) = b[k StepB + j ColumnB].
template <int Columns>
ONMANIFOLD_INLINE void accumulate(Tile<Columns>& tile, const float* a, const float* b, Index steps, Index step_b,
                                  Index column_b) {
#pragma GCC unroll 4
  for (Index k = 0; k < steps; ++k) {
    std::array<Vec, vectors> left;
    for (int v = 0; v < vectors; ++v) left[v] = load(a + k * height + v * lanes);
    for (int j = 0; j < Columns; ++j) {
      const float right = b[k * step_b + j * column_b];
      for (int v = 0; v < vectors; ++v) tile[j][v] += left[v] * right;
    }
  }
}

}  // namespace onmanifold::panels
