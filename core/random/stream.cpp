// SPDX-License-Identifier: Apache-2.0
#include "core/random/stream.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"
#include "core/random/philox.hpp"
#include "core/random/random_transforms.hpp"

namespace onmanifold {
namespace {

using detail::WordPairs;

constexpr std::size_t batch = 32;  // blocks: 64 doubles or 128 floats, enough to fill any vector unit
using Batch = std::array<std::uint64_t, batch>;

// Fills out, column by column, with the values of consecutive batches. make(first, data) writes those of the
// blocks first … first + batch - 1. The last batch is cut off, so a shorter fill is a prefix of a longer one,
// and there is one code path for every length. Returns the number of values.
template <class Scalar, std::size_t values, class Matrix, class Make>
std::uint64_t fill_batches(Matrix& out, std::uint64_t first, const Make& make) {
  const Index n = out.size();
  constexpr auto size = static_cast<Index>(values);
  alignas(64) std::array<Scalar, values> buffer;
  const bool contiguous = out.outerStride() == out.rows() || out.cols() <= 1;
  Index row = 0;
  Index column = 0;
  for (Index i = 0; i < n; i += size, first += batch) {
    if (contiguous && n - i >= size) {
      make(first, out.data() + i);
      continue;
    }
    make(first, buffer.data());
    const Index left = std::min(size, n - i);
    if (contiguous) {
      std::copy_n(buffer.begin(), left, out.data() + i);
      continue;
    }
    for (Index k = 0; k < left; ++k) {
      out(row, column) = buffer[static_cast<std::size_t>(k)];
      if (++row == out.rows()) {
        row = 0;
        ++column;
      }
    }
  }
  return static_cast<std::uint64_t>(n);
}

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
  // Another key than the draws of this stream use: a derived address is never a draw.
  std::uint64_t key = 0;
  std::uint64_t salt = 0;
  detail::philox_blocks<1, WordPairs::neighbours>(key_ ^ 0x9E3779B97F4A7C15U, salt_, index, &key, &salt);
  return {key, salt};
}

double Stream::uniform() {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  detail::philox_blocks<1, WordPairs::neighbours>(key_, salt_, block_++, &a, &b);
  return detail::to_unit(a);
}

double Stream::normal() {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  detail::philox_blocks<1, WordPairs::neighbours>(key_, salt_, block_++, &a, &b);
  double cosine = 0;
  double sine = 0;
  detail::turn(b, cosine, sine);
  return detail::normal_radius(a) * cosine;
}

std::uint64_t Stream::integer(std::uint64_t bound) {
  if (bound == 0) throw InvalidInput("integer: bound is 0");
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t result = 0;
  do {
    detail::philox_blocks<1, WordPairs::neighbours>(key_, salt_, block_++, &a, &b);
  } while (!detail::to_integer(a, bound, result));
  return result;
}

void Stream::fill_uniform(Eigen::Ref<Points> out) {
  const std::uint64_t n = fill_batches<double, 2 * batch>(out, block_, [&](std::uint64_t first, double* data) {
    alignas(64) Batch a;
    alignas(64) Batch b;
    detail::philox_blocks<batch, WordPairs::neighbours>(key_, salt_, first, a.data(), b.data());
    for (std::size_t i = 0; i < batch; ++i) {
      data[2 * i] = detail::to_unit(a[i]);
      data[2 * i + 1] = detail::to_unit(b[i]);
    }
  });
  block_ += (n + 1) / 2;
}

void Stream::fill_normal(Eigen::Ref<Points> out) {
  const std::uint64_t n = fill_batches<double, 2 * batch>(out, block_, [&](std::uint64_t first, double* data) {
    alignas(64) Batch a;
    alignas(64) Batch b;
    detail::philox_blocks<batch, WordPairs::neighbours>(key_, salt_, first, a.data(), b.data());
    for (std::size_t i = 0; i < batch; ++i) {
      const double radius = detail::normal_radius(a[i]);
      double cosine = 0;
      double sine = 0;
      detail::turn(b[i], cosine, sine);
      data[2 * i] = radius * cosine;
      data[2 * i + 1] = radius * sine;
    }
  });
  block_ += (n + 1) / 2;
}

void Stream::fill_normal(Eigen::Ref<Eigen::MatrixXf> out) {
  const std::uint64_t n = fill_batches<float, 4 * batch>(out, block_, [&](std::uint64_t first, float* data) {
    alignas(64) Batch wide_a;
    alignas(64) Batch wide_b;
    detail::philox_blocks<batch, WordPairs::alternate>(key_, salt_, first, wide_a.data(), wide_b.data());
    static_assert(std::endian::native == std::endian::little);
    const auto a = std::bit_cast<std::array<std::uint32_t, 2 * batch>>(wide_a);
    const auto b = std::bit_cast<std::array<std::uint32_t, 2 * batch>>(wide_b);
    for (std::size_t i = 0; i < 2 * batch; ++i) {
      const float radius = detail::normal_radius(a[i]);
      float cosine = 0;
      float sine = 0;
      detail::turn(b[i], cosine, sine);
      data[2 * i] = radius * cosine;
      data[2 * i + 1] = radius * sine;
    }
  });
  block_ += (n + 3) / 4;
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
  // 64-bit words in the order of a fill: two of each block, a batch of blocks at a time.
  alignas(64) Batch a;
  alignas(64) Batch b;
  std::uint64_t used = 0;
  const auto next_word = [&] {
    const std::size_t i = used % (2 * batch);
    if (i == 0) {
      detail::philox_blocks<batch, WordPairs::neighbours>(key_, salt_, block_ + used / 2, a.data(), b.data());
    }
    ++used;
    return i % 2 == 0 ? a[i / 2] : b[i / 2];
  };
  for (std::size_t i = order.size(); i > 1; --i) {
    std::uint64_t j = 0;
    while (!detail::to_integer(next_word(), i, j)) continue;
    std::swap(order[i - 1], order[j]);
  }
  block_ += (used + 1) / 2;
  return order;
}

}  // namespace onmanifold
