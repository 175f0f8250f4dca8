// SPDX-License-Identifier: Apache-2.0
#pragma once
// Philox4x32-10 \cite salmon2011 for many counters at once: the loop over blocks is plain integer arithmetic
// on 64-bit lanes, which the compiler turns into vector code on every instruction set. Bit for bit Random123.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace onmanifold::detail {

/// How the four 32-bit words w0 … w3 of a block become two 64-bit ones.
enum class WordPairs {
  neighbours,  ///< (w0 | w1 << 32, w2 | w3 << 32): two numbers of 64 bits
  alternate,   ///< (w0 | w2 << 32, w1 | w3 << 32): two arrays of 32-bit numbers
};

/// Blocks \p first … first + Count - 1 of the stream (\p key, \p salt): counter = (block low, block high,
/// salt low, salt high). Writes Count numbers to \p a and to \p b.
template <std::size_t Count, WordPairs Pairs>
inline void philox_blocks(std::uint64_t key, std::uint64_t salt, std::uint64_t first, std::uint64_t* __restrict a,
                          std::uint64_t* __restrict b) {
  constexpr std::uint64_t mask = 0xFFFFFFFFU;
  const auto key0 = static_cast<std::uint32_t>(key);
  const auto key1 = static_cast<std::uint32_t>(key >> 32U);
  for (std::size_t i = 0; i < Count; ++i) {
    const std::uint64_t block = first + i;
    // Only the low half of each lane counts: a multiplication reads no more, so nothing has to be masked
    // between.
    std::uint64_t x0 = block;
    std::uint64_t x1 = block >> 32U;
    std::uint64_t x2 = salt;
    std::uint64_t x3 = salt >> 32U;
    const auto round = [&](std::uint32_t r) {
      const std::uint64_t product0 = (x0 & mask) * 0xD2511F53U;
      const std::uint64_t product1 = (x2 & mask) * 0xCD9E8D57U;
      x0 = (product1 >> 32U) ^ x1 ^ static_cast<std::uint32_t>(key0 + r * 0x9E3779B9U);
      x1 = product1;
      x2 = (product0 >> 32U) ^ x3 ^ static_cast<std::uint32_t>(key1 + r * 0xBB67AE85U);
      x3 = product0;
    };
    [&]<std::uint32_t... R>(std::integer_sequence<std::uint32_t, R...>) {
      (round(R), ...);
    }
    (std::make_integer_sequence<std::uint32_t, 10>{});
    if constexpr (Pairs == WordPairs::neighbours) {
      a[i] = (x0 & mask) | (x1 << 32U);
      b[i] = (x2 & mask) | (x3 << 32U);
    } else {
      a[i] = (x0 & mask) | (x2 << 32U);
      b[i] = (x1 & mask) | (x3 << 32U);
    }
  }
}

}  // namespace onmanifold::detail
