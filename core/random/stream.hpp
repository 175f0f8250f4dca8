// SPDX-License-Identifier: Apache-2.0
#pragma once
// Named random streams: randomness is addressed, not consumed. A stream is a hash of a seed and a path of
// names, plus a counter; what is drawn depends on nothing else, so no job order, worker count or resume can
// change it.

#include <cstdint>
#include <string_view>
#include <vector>

#include <Eigen/Core>

#include "core/points.hpp"

namespace onmanifold {

/// A stream of the counter-based generator Philox4x32-10 \cite salmon2011.
///
/// Address. key (64 bits) and salt (64 bits) are the first 16 bytes, little-endian, of
/// SHA-256("onmanifold/stream/1\n" + decimal seed + "\n" + path). Block b of the stream is
/// Philox4x32-10(counter = (b low, b high, salt low, salt high), key).
///
/// Draws. Every call starts at a fresh block and advances the stream; two calls of n and m values are not one
/// call of n + m. A stream is a value: a copy gives the same numbers again.
///
/// Fills. Values are numbered column by column; value i of a double fill comes from block i / 2, of a float
/// fill from block i / 4 of the stream, so a shorter fill is the prefix of a longer one. The first value of
/// fill_uniform and fill_normal (double) is that of uniform() and normal().
///
/// Transforms are our own (core/random/random_transforms.hpp), never std::*_distribution, whose output the standard
/// leaves open, and use no fused operation or library function: the same bits on every instruction set.
/// Normals are those of Box and Muller within 4 units in the last place; |z| <= 9.5 in double (64-bit
/// words), 6.8 in float (32-bit).
class Stream {
 public:
  Stream(std::uint64_t seed, std::string_view path);

  /// The stream at this address followed by "/name". Does not depend on what was drawn from *this.
  [[nodiscard]] Stream at(std::string_view name) const;
  /// The stream number \p index below this address, without hashing text: for steps, blocks and points.
  [[nodiscard]] Stream at(std::uint64_t index) const;

  /// One uniform number in the open interval (0, 1): multiples of 2^-52 shifted by 2^-53.
  [[nodiscard]] double uniform();
  /// One standard normal number.
  [[nodiscard]] double normal();
  /// One integer, uniform on {0, …, bound - 1} without bias. \pre bound >= 1
  [[nodiscard]] std::uint64_t integer(std::uint64_t bound);

  /// Fills with independent uniforms in (0, 1).
  void fill_uniform(Eigen::Ref<Points> out);
  /// Fills with independent standard normals.
  void fill_normal(Eigen::Ref<Points> out);
  /// Fills with independent standard normals in single precision (another sequence than the double one).
  void fill_normal(Eigen::Ref<Eigen::MatrixXf> out);

  [[nodiscard]] Points uniform(Index rows, Index cols);
  [[nodiscard]] Points normal(Index rows, Index cols);
  /// A uniform random permutation of 0 … n-1 (Fisher–Yates).
  [[nodiscard]] std::vector<Index> permutation(Index n);

 private:
  Stream(std::uint64_t key, std::uint64_t salt) : key_(key), salt_(salt) {}

  std::uint64_t key_ = 0;
  std::uint64_t salt_ = 0;
  std::uint64_t block_ = 0;
};

}  // namespace onmanifold
