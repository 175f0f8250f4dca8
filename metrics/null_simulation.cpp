// SPDX-License-Identifier: Apache-2.0
#include "metrics/null_simulation.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

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

// Draws from a finite set, with replacement.
class Resampled final : public Sampler {
 public:
  explicit Resampled(const Points& points) : points_(points) {}
  [[nodiscard]] Index dimension() const override { return points_.rows(); }
  [[nodiscard]] Points sample(Index n, Stream stream) const override {
    const Points u = stream.uniform(1, n);
    std::vector<Index> order;
    for (Index i = 0; i < n; ++i) {
      const auto at = static_cast<Index>(u(0, i) * static_cast<double>(points_.cols()));
      order.push_back(std::min(at, points_.cols() - 1));
    }
    return points_(Eigen::all, order);
  }

 private:
  const Points& points_;
};

// Random pairs of disjoint parts of a set, in the proportion of \p n to \p m.
class Splits {
 public:
  Splits(const Points& points, const Stream& stream, Index n, Index m)
      : points_(points), stream_(stream), share_(static_cast<double>(n) / static_cast<double>(n + m)) {}
  // Sizes of a pair of which \p parts fit into the set.
  [[nodiscard]] std::pair<Index, Index> sizes(Index parts) const {
    const Index size = points_.cols() / parts;
    const auto first = static_cast<Index>(std::lround(share_ * static_cast<double>(size)));
    return {first, size - first};
  }
  // Pair d: every \p parts pairs are disjoint, then all points are dealt out anew.
  [[nodiscard]] std::function<Pair(Index)> pairs(Index parts) const {
    return [this, parts](Index d) -> Pair {
      const auto [first, second] = sizes(parts);
      Stream own = stream_.at(static_cast<std::uint64_t>(parts)).at(static_cast<std::uint64_t>(d / parts));
      const std::vector<Index> order = own.permutation(points_.cols());
      const auto begin = order.begin() + d % parts * (first + second);
      const auto middle = begin + first;
      return {points_(Eigen::all, std::vector<Index>(begin, middle)),
              points_(Eigen::all, std::vector<Index>(middle, middle + second))};
    };
  }

 private:
  const Points& points_;
  Stream stream_;
  double share_;
};

// What N + M points of the law would show, from the finite reference alone.
SimulatedNull from_reference(const Points& reference, const Stream& stream, Index n, Index m, Index statistics,
                             const NullPlan& plan, const PairStatistic& statistic) {
  SimulatedNull result;
  result.mean = Vector::Constant(statistics, MetricRecord::unknown);
  result.sd = result.full_sd = result.mean;
  result.method = result.full_method = "none: no sampler, and too few reference points to split";
  const Splits splits(reference, stream, n, m);
  const auto usable = [&](Index parts) {
    const auto [first, second] = splits.sizes(parts);
    return std::min(first, second) >= plan.smallest;
  };
  if (!usable(1)) return result;
  const auto total = static_cast<double>(n + m);
  const auto [first, second] = splits.sizes(1);
  const double growth = total / static_cast<double>(first + second);
  constexpr Index budget = 40'000;
  const Index draws = std::clamp<Index>(budget / reference.cols(), 4, 20);
  Vector split_sd = result.sd;
  result.method.clear();
  if (plan.points > 0) {
    // Splits share their points: for sums of nearest distances, which a few of these carry, their spread would be too
    // small. full_sd stays unknown.
    reduce(collect(draws, statistics, statistic, splits.pairs(1)), 1, &result.mean, &split_sd);
    result.method = fmt::format("reference split into {} and {}, {} times", first, second, draws);
    if (plan.vanishing && growth > 1) {
      if (usable(2)) {
        Vector halves = result.mean;
        reduce(collect(draws, statistics, statistic, splits.pairs(2)), 1, &halves, nullptr);
        for (Index s = 0; s < statistics; ++s) {
          // By what doubling the sizes multiplies the mean.
          const double power = halves[s] > 0 ? std::clamp(result.mean[s] / halves[s], 0.25, 1.0) : 1;
          result.mean[s] *= std::pow(power, std::log2(growth));
        }
        result.method += fmt::format(", carried on to {} and {}", n, m);
      } else {
        result.method += "; an upper bound";
      }
    }
    result.full_method = result.method;
  }
  // Disjoint parts tell the spread; where they would be too small, splits of all points do.
  constexpr Index blocks = 20;
  if (usable(blocks)) {
    const auto [part_first, part_second] = splits.sizes(blocks);
    const double scale = std::sqrt(static_cast<double>(part_first + part_second) / total);
    reduce(collect(blocks, statistics, statistic, splits.pairs(blocks)), scale, nullptr, &result.sd);
    result.method +=
        fmt::format("{}spread from {} parts of the reference, scaled", plan.points > 0 ? "; " : "", blocks);
  } else {
    if (plan.points <= 0) reduce(collect(blocks, statistics, statistic, splits.pairs(1)), 1, nullptr, &split_sd);
    result.sd = split_sd / std::sqrt(growth);
    result.method += fmt::format("{}spread from {} splits of the reference, scaled", plan.points > 0 ? "; " : "",
                                 plan.points > 0 ? draws : blocks);
  }
  return result;
}

}  // namespace

std::shared_ptr<const SimulatedNull> simulated_null(const MetricInput& input, const std::string& name, Index n, Index m,
                                                    Index statistics, const NullPlan& plan,
                                                    const PairStatistic& statistic) {
  // A reference of mostly repeated points stands for its law: what is drawn from it again has its ties. Not for
  // distances to nearest points, which the points make that are rare: drawn again they would always have their like.
  std::optional<Resampled> resampled;
  if (input.target.sampler == nullptr && input.target.reference != nullptr && !plan.vanishing) {
    const FiniteColumns& finite = input.target.finite();
    if (2 * finite.duplicates() >= finite.size() && finite.size() > 0) resampled.emplace(finite.sorted());
  }
  const Sampler* const sampler = resampled ? &*resampled : input.target.sampler;
  const bool sampled = sampler != nullptr;
  return input.target.memo().get<SimulatedNull>(fmt::format("{}/{}/{}", name, n, m), [&]() -> SimulatedNull {
    SimulatedNull result;
    result.mean = Vector::Constant(statistics, MetricRecord::unknown);
    result.sd = result.mean;
    result.full_sd = result.mean;
    const auto total = static_cast<double>(n + m);
    if (!sampled) {
      result.method = result.full_method = "none: no sampler";
      if (input.target.reference == nullptr) return result;
      return from_reference(input.target.finite().sorted(), input.target.evaluation.at("null").at(name), n, m,
                            statistics, plan, statistic);
    }
    const Stream stream = input.target.evaluation.at("null").at(name);
    const auto draw = [&](const char* part, Index size_x, Index size_y) {
      const Stream base = stream.at(part);
      return [sampler, base, size_x, size_y](Index d) -> Pair {
        const Stream own = base.at(static_cast<std::uint64_t>(d));
        return {sampler->sample(size_x, own.at("reference")), sampler->sample(size_y, own.at("samples"))};
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
