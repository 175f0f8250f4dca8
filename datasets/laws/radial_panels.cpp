// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/radial_panels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace onmanifold {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double reach = 8.5;          // in √v: the Gaussian is 2e-16 of its maximum there
constexpr double panel_length = 18.0;  // in √v: 64 nodes keep 1e-14

}  // namespace

void list_radial_panels(double minus, double plus, double width, double slope, double largest_kappa,
                        std::vector<RadialPanel>& panels) {
  const double low = minus - reach * width;
  const double high = plus + reach * width;
  const double middle = slope > 0 ? 4 * largest_kappa / slope : infinity;
  std::array<RadialPanel, 3> parts = {RadialPanel{low, minus + reach * width},
                                      RadialPanel{std::max(low, -middle), std::min(high, middle)},
                                      RadialPanel{plus - reach * width, high}};
  std::sort(parts.begin(), parts.end(), [](const RadialPanel& p, const RadialPanel& q) { return p.low < q.low; });
  panels.clear();
  RadialPanel merged = parts[0];
  const auto flush = [&] {
    const double span = merged.high - merged.low;
    if (!(span > 0)) return;
    const auto count = std::max<Index>(1, static_cast<Index>(std::ceil(span / (panel_length * width))));
    for (Index i = 0; i < count; ++i) {
      const auto share = [&](Index k) {
        return merged.low + span * static_cast<double>(k) / static_cast<double>(count);
      };
      panels.push_back({share(i), share(i + 1)});
    }
  };
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (!(parts[i].high > parts[i].low)) continue;
    if (parts[i].low <= merged.high) {
      merged.high = std::max(merged.high, parts[i].high);
    } else {
      flush();
      merged = parts[i];
    }
  }
  flush();
  const auto home = std::find_if(panels.begin(), panels.end(), [&](const RadialPanel& p) { return plus <= p.high; });
  if (home != panels.end()) std::iter_swap(panels.begin(), home);
}

}  // namespace onmanifold
