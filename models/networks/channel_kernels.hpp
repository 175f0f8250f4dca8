// SPDX-License-Identifier: Apache-2.0
#pragma once
// What lies between the convolutions: group normalisation with SiLU, halving and doubling of the grid. One
// image at a time, channels last, channels a multiple of 16; all sums in a fixed order.

#include <array>
#include <cmath>

#include "models/networks/panels.hpp"

namespace onmanifold::channels {

using panels::lanes;
using panels::load;
using panels::store;
using panels::Vec;

inline constexpr Index groups = 8;
inline constexpr Index most = 256;  ///< channels
inline constexpr float epsilon = 1e-5F;
using PerChannel = std::array<float, static_cast<std::size_t>(most)>;

/// mean and 1/sqrt(variance + epsilon) of the groups, repeated for each of their channels.
struct Statistics {
  alignas(64) PerChannel mean;
  alignas(64) PerChannel inverse;
};

/// total[c] <- sum of total over the channels of the group of c, times \p share.
inline void sum_over_groups(PerChannel& total, Index count, float share) {
  const Index width = count / groups;
  for (Index g = 0; g < count; g += width) {
    float sum = 0;
    for (Index c = g; c < g + width; ++c) sum += total[static_cast<std::size_t>(c)];
    for (Index c = g; c < g + width; ++c) total[static_cast<std::size_t>(c)] = sum * share;
  }
}

/// x <- x + shift (where \p shift is not null), then a = silu(gain · (x - mean) / deviation + offset). \p x
/// and \p a pixels×count. Two passes for the moments: one pass would cancel where the mean is large.
inline void norm_silu(const float* gain, const float* offset, Index pixels, Index count, const float* shift, float* x,
                      float* a, Statistics& statistics) {
  const float share = static_cast<float>(1.0 / static_cast<double>(pixels * (count / groups)));
  for (Index c = 0; c < count; c += lanes) {
    std::array<Vec, 4> sum{};  // additions have a latency
    if (shift != nullptr) {
      const Vec add = load(shift + c);
      for (Index p = 0; p < pixels; ++p) {
        const Vec value = load(x + p * count + c) + add;
        store(x + p * count + c, value);
        sum[static_cast<std::size_t>(p % 4)] += value;
      }
    } else {
      for (Index p = 0; p < pixels; ++p) sum[static_cast<std::size_t>(p % 4)] += load(x + p * count + c);
    }
    store(statistics.mean.data() + c, (sum[0] + sum[1]) + (sum[2] + sum[3]));
  }
  sum_over_groups(statistics.mean, count, share);
  for (Index c = 0; c < count; c += lanes) {
    const Vec mean = load(statistics.mean.data() + c);
    std::array<Vec, 4> sum{};
    for (Index p = 0; p < pixels; ++p) {
      const Vec centred = load(x + p * count + c) - mean;
      sum[static_cast<std::size_t>(p % 4)] += centred * centred;
    }
    store(statistics.inverse.data() + c, (sum[0] + sum[1]) + (sum[2] + sum[3]));
  }
  sum_over_groups(statistics.inverse, count, share);
  for (Index c = 0; c < count; ++c) {
    float& value = statistics.inverse[static_cast<std::size_t>(c)];
    value = 1.0F / std::sqrt(value + epsilon);
  }
  for (Index c = 0; c < count; c += lanes) {
    const Vec scale = load(gain + c) * load(statistics.inverse.data() + c);
    const Vec base = load(offset + c) - load(statistics.mean.data() + c) * scale;
    for (Index p = 0; p < pixels; ++p) {
      const Vec z = load(x + p * count + c) * scale + base;
      store(a + p * count + c, z * panels::sigmoid(z));
    }
  }
}

/// For \p da = dL/da of norm_silu, with \p x as it left it: adds dL/dgain and dL/doffset to their sums and
/// writes dL/dx, plus \p add where that is not null, to \p dx (may be \p da, which is overwritten in any
/// case). Where \p dshift is not null, it becomes dL/dshift.
inline void norm_silu_backward(const float* gain, const float* offset, Index pixels, Index count, const float* x,
                               const Statistics& statistics, float* da, const float* add, float* dx, float* dgain,
                               float* doffset, float* dshift) {
  const float share = static_cast<float>(1.0 / static_cast<double>(pixels * (count / groups)));
  alignas(64) PerChannel first;   // sums of gain · dL/dz over pixels, then means over groups
  alignas(64) PerChannel second;  // the same times the normalised x
  for (Index c = 0; c < count; c += lanes) {
    const Vec inverse = load(statistics.inverse.data() + c);
    const Vec mean = load(statistics.mean.data() + c);
    const Vec g = load(gain + c);
    const Vec o = load(offset + c);
    std::array<Vec, 2> s1{};
    std::array<Vec, 2> s2{};
    for (Index p = 0; p < pixels; ++p) {
      const Vec normal = (load(x + p * count + c) - mean) * inverse;
      const Vec z = normal * g + o;
      const Vec s = panels::sigmoid(z);
      const Vec dz = load(da + p * count + c) * (s + z * s * (1.0F - s));
      store(da + p * count + c, dz);
      s1[static_cast<std::size_t>(p % 2)] += dz;
      s2[static_cast<std::size_t>(p % 2)] += dz * normal;
    }
    const Vec total1 = s1[0] + s1[1];
    const Vec total2 = s2[0] + s2[1];
    store(doffset + c, load(doffset + c) + total1);
    store(dgain + c, load(dgain + c) + total2);
    store(first.data() + c, total1 * g);
    store(second.data() + c, total2 * g);
  }
  sum_over_groups(first, count, share);
  sum_over_groups(second, count, share);
  for (Index c = 0; c < count; c += lanes) {
    const Vec inverse = load(statistics.inverse.data() + c);
    const Vec mean = load(statistics.mean.data() + c);
    const Vec g = load(gain + c);
    const Vec m1 = load(first.data() + c);
    const Vec m2 = load(second.data() + c);
    std::array<Vec, 4> sum{};
    for (Index p = 0; p < pixels; ++p) {
      const Vec normal = (load(x + p * count + c) - mean) * inverse;
      Vec value = inverse * (g * load(da + p * count + c) - m1 - normal * m2);
      sum[static_cast<std::size_t>(p % 4)] += value;
      if (add != nullptr) value += load(add + p * count + c);
      store(dx + p * count + c, value);
    }
    if (dshift != nullptr) store(dshift + c, (sum[0] + sum[1]) + (sum[2] + sum[3]));
  }
}

/// The change \p da of norm_silu's result for the change \p dx of its argument, with \p x as it left it:
/// dn = (dx - mean(dx) - n mean(n dx))/deviation for the normalised n, da = silu'(z) gain dn.
inline void norm_silu_tangent(const float* gain, const float* offset, Index pixels, Index count, const float* x,
                              const Statistics& statistics, const float* dx, float* da) {
  const float share = static_cast<float>(1.0 / static_cast<double>(pixels * (count / groups)));
  alignas(64) PerChannel first;   // mean(dx)
  alignas(64) PerChannel second;  // mean(n dx)
  for (Index c = 0; c < count; c += lanes) {
    const Vec inverse = load(statistics.inverse.data() + c);
    const Vec mean = load(statistics.mean.data() + c);
    std::array<Vec, 4> s1{};
    std::array<Vec, 4> s2{};
    for (Index p = 0; p < pixels; ++p) {
      const Vec change = load(dx + p * count + c);
      s1[static_cast<std::size_t>(p % 4)] += change;
      s2[static_cast<std::size_t>(p % 4)] += change * ((load(x + p * count + c) - mean) * inverse);
    }
    store(first.data() + c, (s1[0] + s1[1]) + (s1[2] + s1[3]));
    store(second.data() + c, (s2[0] + s2[1]) + (s2[2] + s2[3]));
  }
  sum_over_groups(first, count, share);
  sum_over_groups(second, count, share);
  for (Index c = 0; c < count; c += lanes) {
    const Vec inverse = load(statistics.inverse.data() + c);
    const Vec mean = load(statistics.mean.data() + c);
    const Vec g = load(gain + c);
    const Vec o = load(offset + c);
    const Vec m1 = load(first.data() + c);
    const Vec m2 = load(second.data() + c);
    for (Index p = 0; p < pixels; ++p) {
      const Vec normal = (load(x + p * count + c) - mean) * inverse;
      const Vec z = normal * g + o;
      const Vec s = panels::sigmoid(z);
      const Vec dz = g * inverse * (load(dx + p * count + c) - m1 - normal * m2);
      store(da + p * count + c, dz * (s + z * s * (1.0F - s)));
    }
  }
}

/// to (side/2)^2×count: the sum of 2×2 pixels of \p from, side^2×count, times \p share.
inline void halve(const float* from, Index side, Index count, float share, float* to) {
  const Index row = side * count;
  for (Index r = 0; r < side / 2; ++r) {
    for (Index c = 0; c < side / 2; ++c) {
      const float* const corner = from + 2 * r * row + 2 * c * count;
      float* const out = to + (r * (side / 2) + c) * count;
      for (Index v = 0; v < count; v += lanes) {
        const Vec top = load(corner + v) + load(corner + count + v);
        const Vec bottom = load(corner + row + v) + load(corner + row + count + v);
        store(out + v, (top + bottom) * share);
      }
    }
  }
}

/// to = base + share · from with every pixel of \p from, (side/2)^2×count, repeated 2×2. \p to and \p base
/// side^2×count; may be the same.
inline void add_doubled(const float* from, Index side, Index count, float share, const float* base, float* to) {
  for (Index r = 0; r < side; ++r) {
    for (Index c = 0; c < side; ++c) {
      const float* const in = from + (r / 2 * (side / 2) + c / 2) * count;
      const Index at = (r * side + c) * count;
      for (Index v = 0; v < count; v += lanes) store(to + at + v, load(base + at + v) + load(in + v) * share);
    }
  }
}

}  // namespace onmanifold::channels
