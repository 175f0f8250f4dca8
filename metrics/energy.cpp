// SPDX-License-Identifier: Apache-2.0
#include "metrics/energy.hpp"

#include <fmt/format.h>

#include "metrics/mmd.hpp"
#include "metrics/pairwise.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

double distance_pairs(const Points& x) {
  return *remember<double>("distance-pairs/" + fingerprint(x),
                           [&] { return sum_over_pairs(x, PairFunction{}); });
}

class Energy final : public Metric {
 public:
  explicit Energy(bool biased) : biased_(biased) {}

 private:
  std::vector<MetricRecord> do_evaluate(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "ambient";
    parameters["distance"] = "euclidean";
    parameters["estimator"] = biased_ ? "biased" : "unbiased";
    parameters["null_method"] = "centred distance moments of the reference";
    MetricRecord record = make_record(biased_ ? "energy" : "energy_u", "lower", parameters, input);
    record.unit = "length";
    const FiniteColumns samples(*input.samples);
    record.n_nonfinite = samples.nonfinite();
    if (input.reference == nullptr) return {not_applicable(record, "no reference")};
    const FiniteColumns reference(*input.reference);
    record.n_reference = reference.size();
    if (reference.size() < 2) return {not_applicable(record, "fewer than two reference points")};
    if (samples.size() < 2) return {failed(record, "fewer than two finite samples")};
    const Points& x = reference.points();
    const Points& y = samples.points();
    const auto n = static_cast<double>(x.cols());
    const auto m = static_cast<double>(y.cols());
    const double xx = distance_pairs(x);
    const double yy = distance_pairs(y);
    const double xy = *remember<double>(fmt::format("distance-cross/{}/{}", fingerprint(x), fingerprint(y)),
                                        [&] { return sum_over_pairs(x, y, PairFunction{}); });
    const double cross = 2 * xy / (n * m);
    record.value = biased_ ? cross - 2 * xx / (n * n) - 2 * yy / (m * m)
                           : cross - 2 * xx / (n * (n - 1)) - 2 * yy / (m * (m - 1));
    const auto moments = remember<KernelMoments>("distance-moments/" + fingerprint(x),
                                                 [&] { return kernel_moments(x, PairFunction{}); });
    record.null = biased_ ? (1 / n + 1 / m) * 2 * xx / (n * (n - 1)) : 0.0;
    record.null_sd = mmd2_null_sd(*moments, x.cols(), y.cols(), biased_);
    return {record};
  }

  bool biased_;
};

}  // namespace

std::unique_ptr<Metric> make_energy(Settings&) {
  return std::make_unique<Energy>(true);
}
std::unique_ptr<Metric> make_energy_u(Settings&) {
  return std::make_unique<Energy>(false);
}

}  // namespace onmanifold
