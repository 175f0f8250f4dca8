// SPDX-License-Identifier: Apache-2.0
#include "core/stream.hpp"

#include <array>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include <Random123/philox.h>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/sha256.hpp"

namespace onmanifold {
namespace {

using Block = std::array<std::uint32_t, 4>;

Block philox(std::uint64_t key, std::uint64_t low, std::uint64_t high) {
  const r123::Philox4x32::ctr_type counter = {{static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32U),
                                               static_cast<std::uint32_t>(high),
                                               static_cast<std::uint32_t>(high >> 32U)}};
  const r123::Philox4x32::key_type words = {{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32U)}};
  const r123::Philox4x32::ctr_type out = r123::Philox4x32()(counter, words);
  return {out[0], out[1], out[2], out[3]};
}

std::uint64_t join(std::uint32_t low, std::uint32_t high) { return low | (static_cast<std::uint64_t>(high) << 32U); }

double to_unit(std::uint64_t bits) { return (static_cast<double>(bits >> 11U) + 0.5) * 0x1p-53; }

std::uint64_t little_endian(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = (value << 8U) | bytes[i];
  return value;
}

}  // namespace

Stream::Stream(std::uint64_t seed, std::string_view path) {
  const Digest digest = sha256(fmt::format("onmanifold/stream/1\n{}\n{}", seed, path));
  key_ = little_endian(digest.data());
  salt_ = little_endian(digest.data() + 8);
}

Stream Stream::at(std::string_view name) const {
  const Digest digest = sha256(fmt::format("onmanifold/stream/1/at\n{:016x}{:016x}\n{}", key_, salt_, name));
  return {little_endian(digest.data()), little_endian(digest.data() + 8)};
}

Stream Stream::at(std::uint64_t index) const {
  // The last counter word tells derivation apart from drawing: salt is mixed into the key here.
  const Block block = philox(key_ ^ 0x9E3779B97F4A7C15U, index, salt_);
  return {join(block[0], block[1]), join(block[2], block[3])};
}

double Stream::uniform() {
  const Block block = philox(key_, block_++, salt_);
  return to_unit(join(block[0], block[1]));
}

double Stream::normal() {
  double value = 0;
  Eigen::Map<Points> one(&value, 1, 1);
  fill_normal(one);
  return value;
}

std::uint64_t Stream::integer(std::uint64_t bound) {
  if (bound == 0) throw InvalidInput("integer: bound is 0");
  const std::uint64_t limit = -bound % bound;  // 2^64 mod bound: below it a value would be drawn once too often
  while (true) {
    const Block block = philox(key_, block_++, salt_);
    const std::uint64_t bits = join(block[0], block[1]);
    if (bits >= limit) return bits % bound;
  }
}

void Stream::fill_uniform(Eigen::Ref<Points> out) {
  Index i = 0;
  for (Index c = 0; c < out.cols(); ++c) {
    for (Index r = 0; r < out.rows(); ++r, ++i) {
      const Block block = philox(key_, block_ + static_cast<std::uint64_t>(i / 2), salt_);
      out(r, c) = to_unit(i % 2 == 0 ? join(block[0], block[1]) : join(block[2], block[3]));
    }
  }
  block_ += static_cast<std::uint64_t>((i + 1) / 2);
}

void Stream::fill_normal(Eigen::Ref<Points> out) {
  Index i = 0;
  for (Index c = 0; c < out.cols(); ++c) {
    for (Index r = 0; r < out.rows(); ++r, ++i) {
      const Block block = philox(key_, block_ + static_cast<std::uint64_t>(i / 2), salt_);
      const double radius = std::sqrt(-2 * std::log(to_unit(join(block[0], block[1]))));
      const double angle = 2 * M_PI * to_unit(join(block[2], block[3]));
      out(r, c) = radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle));
    }
  }
  block_ += static_cast<std::uint64_t>((i + 1) / 2);
}

void Stream::fill_normal(Eigen::Ref<Eigen::MatrixXf> out) {
  Points wide(out.rows(), out.cols());
  fill_normal(wide);
  out = wide.cast<float>();
}

Points Stream::uniform(Index rows, Index cols) {
  Points out(rows, cols);
  fill_uniform(out);
  return out;
}

Points Stream::normal(Index rows, Index cols) {
  Points out(rows, cols);
  fill_normal(out);
  return out;
}

std::vector<Index> Stream::permutation(Index n) {
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[integer(i)]);
  return order;
}

}  // namespace onmanifold
