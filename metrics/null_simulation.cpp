// SPDX-License-Identifier: Apache-2.0
#include "metrics/null_simulation.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace onmanifold {
namespace {

using Pair = std::pair<Points, Points>;

void reduce(const Points& values, double scale, Vector* mean, Vector* sd) {
  for (Index s = 0; s < values.rows(); ++s) {
    const NullMoments moments = moments_of(Vector(values.row(s).transpose()));
    if (mean != nullptr) (*mean)[s] = moments.mean;
    if (sd != nullptr) (*sd)[s] = moments.sd * scale;
  }
}

Points collect(Index draws, Index statistics, const PairStatistic& statistic, const std::function<Pair(Index)>& draw) {
  Points values(statistics, draws);
  for (Index d = 0; d < draws; ++d) {
    const Pair pair = draw(d);
    values.col(d) = statistic(pair.first, pair.second);
  }
  return values;
}

}  // namespace

std::shared_ptr<const SimulatedNull> simulated_null(const MetricInput& input, const std::string& name, Index n, Index m,
                                                    Index statistics, const NullPlan& plan,
                                                    const PairStatistic& statistic) {
  const bool sampled = input.target.sampler != nullptr;
  return input.target.memo().get<SimulatedNull>(fmt::format("{}/{}/{}", name, n, m), [&]() -> SimulatedNull {
    SimulatedNull result;
    result.mean = Vector::Constant(statistics, MetricRecord::unknown);
    result.sd = result.mean;
    result.full_sd = result.mean;
    const auto total = static_cast<double>(n + m);
    if (!sampled) {
      result.method = result.full_method = "none: no sampler";
      if (input.target.reference == nullptr) return result;
      const FiniteColumns& finite = input.target.finite();
      const Points& reference = finite.points();
      // Twenty disjoint pairs for the spread, one pair of all points for the mean.
      const auto cut = [&](Index draws) {
        const double share = static_cast<double>(n) / total;
        const Index size = reference.cols() / draws;
        const Index first = static_cast<Index>(std::lround(share * static_cast<double>(size)));
        return std::pair<Index, Index>(first, size - first);
      };
      const auto take = [&](const std::pair<Index, Index>& sizes) {
        return [&reference, sizes](Index d) -> Pair {
          const Index begin = d * (sizes.first + sizes.second);
          return {reference.middleCols(begin, sizes.first), reference.middleCols(begin + sizes.first, sizes.second)};
        };
      };
      constexpr Index blocks = 20;
      const auto whole = cut(1);
      const auto part = cut(blocks);
      if (plan.points > 0 && std::min(whole.first, whole.second) >= plan.smallest) {
        reduce(collect(1, statistics, statistic, take(whole)), 1, &result.mean, nullptr);
        result.method = fmt::format("reference split into {} and {}", whole.first, whole.second);
        result.full_method = result.method;
      }
      if (std::min(part.first, part.second) >= plan.smallest) {
        const double scale = std::sqrt(static_cast<double>(part.first + part.second) / total);
        reduce(collect(blocks, statistics, statistic, take(part)), scale, nullptr, &result.sd);
        if (plan.points <= 0) result.method = fmt::format("spread from {} parts of the reference, scaled", blocks);
      }
      return result;
    }
    const Stream stream = input.target.evaluation.at("null").at(name);
    const auto draw = [&](const char* part, Index size_x, Index size_y) {
      const Stream base = stream.at(part);
      return [&input, base, size_x, size_y](Index d) -> Pair {
        const Stream own = base.at(static_cast<std::uint64_t>(d));
        return {input.target.sampler->sample(size_x, own.at("reference")),
                input.target.sampler->sample(size_y, own.at("samples"))};
      };
    };
    const double shrink = std::min(1.0, static_cast<double>(plan.small_total) / total);
    const auto small = [&](Index size) {
      const auto scaled = static_cast<Index>(std::lround(static_cast<double>(size) * shrink));
      return std::min(size, std::max(scaled, plan.smallest));
    };
    const Index small_n = small(n);
    const Index small_m = small(m);
    const bool whole = small_n == n && small_m == m;
    const double scale = std::sqrt(static_cast<double>(small_n + small_m) / total);
    reduce(collect(plan.small_draws, statistics, statistic, draw("small", small_n, small_m)), scale,
           whole ? &result.mean : nullptr, &result.sd);
    result.method = fmt::format("{} simulated pairs", plan.small_draws);
    if (whole) {
      result.full_sd = result.sd;  // the scale is 1
      result.full_method = result.method;
      return result;
    }
    result.method =
        fmt::format("spread from {} simulated pairs of {} and {}, scaled", plan.small_draws, small_n, small_m);
    if (plan.points > 0) {
      const Index draws = std::clamp<Index>(plan.points / (n + m), 4, plan.small_draws);
      reduce(collect(draws, statistics, statistic, draw("full", n, m)), 1, &result.mean, &result.full_sd);
      result.full_method = fmt::format("{} simulated pairs", draws);
      result.method = fmt::format("{} simulated pairs; {}", draws, result.method);
    }
    return result;
  });
}

}  // namespace onmanifold
