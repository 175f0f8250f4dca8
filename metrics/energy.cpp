// SPDX-License-Identifier: Apache-2.0
#include "metrics/energy.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/math/summation.hpp"
#include "metrics/mmd.hpp"
#include "metrics/pairwise.hpp"
#include "metrics/point_space.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

class Energy final : public Metric {
 public:
  Energy(bool biased, Settings& settings)
      : biased_(biased),
        space_(settings),
        permutations_(settings.integer("permutations", 0, 0, 100'000, "random relabellings for a p-value; 0: none")) {}

 private:
  [[nodiscard]] double estimate(const GroupSums& sums, double n, double m) const {
    const double cross = 2 * sums.cross / (n * m);
    return biased_ ? cross - 2 * sums.first / (n * n) - 2 * sums.second / (m * m)
                   : cross - 2 * sums.first / (n * (n - 1)) - 2 * sums.second / (m * (m - 1));
  }

  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = space_.name();
    parameters["distance"] = space_.distance();
    parameters["estimator"] = biased_ ? "biased" : "unbiased";
    parameters["permutations"] = static_cast<std::int64_t>(permutations_);
    parameters["null_method"] = "centred distance moments of the reference";
    MetricRecord record = make_record(biased_ ? "energy" : "energy_u", "lower", parameters, input);
    record.version = 2;  // distances do not cancel far from the origin
    record.unit = space_.unit("length");
    const FinitePair sets(input, record, 2, 2);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    if (const std::string why = space_.obstacle(input); !why.empty()) return {not_applicable(record, why)};
    const Points x = space_.embed(sets.reference(), input);
    const Points y = space_.embed(sets.samples(), input);
    PairFunction f;
    f.radius = space_.radius(input);
    const auto n = static_cast<double>(x.cols());
    const auto m = static_cast<double>(y.cols());
    const Memo& of_reference = input.target.memo();
    const std::string key = fmt::format("distance/{}", space_.name());
    const auto xx = of_reference.get<PairRows>(key, [&] { return rows_over_pairs(x, f); });
    const auto yy = input.memo().get<PairRows>(key, [&] { return rows_over_pairs(y, f); });
    const auto xy = input.memo().get<std::pair<Vector, Vector>>(key, [&] { return rows_over_pairs(x, y, f); });
    const GroupSums sums{xx->total, yy->total, tree_sum(xy->second)};
    record.value = estimate(sums, n, m);
    if (biased_) record.value = std::max(0.0, record.value);  // never negative but for rounding
    record.se = first_order_error(xx->own, yy->own, xy->first, xy->second);
    const auto moments = of_reference.get<KernelMoments>(
        key, [&] { return kernel_moments(space_.embed(kernel_moments_points(input.target.finite()), input), f); });
    record.null = biased_ ? (1 / n + 1 / m) * 2 * sums.first / (n * (n - 1)) : 0.0;
    record.null_sd = mmd2_null_sd(*moments, x.cols(), y.cols(), biased_);
    if (permutations_ > 0) {
      record.p_value = permutation_p(space_.embed(input.target.finite().sorted(), input),
                                     space_.embed(input.finite().sorted(), input), f, permutations_,
                                     input.target.evaluation.at("permutation"),
                                     [&](const GroupSums& split) { return estimate(split, n, m); });
    }
    return {record};
  }

  [[nodiscard]] std::optional<int> do_degree() const override {
    return space_.kind() == PointSpace::Kind::ambient ? std::optional<int>(1) : std::nullopt;
  }

  bool biased_;
  PointSpace space_;
  Index permutations_;
};

}  // namespace

std::unique_ptr<Metric> make_energy(Settings& settings) {
  return std::make_unique<Energy>(true, settings);
}
std::unique_ptr<Metric> make_energy_u(Settings& settings) {
  return std::make_unique<Energy>(false, settings);
}

}  // namespace onmanifold
