// SPDX-License-Identifier: Apache-2.0
#include "metrics/mean_shift.hpp"

#include "metrics/support.hpp"

namespace onmanifold {
namespace {

class MeanShift final : public Metric {
  [[nodiscard]] std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    MetricRecord record = make_record("mean_shift", "lower", {}, input);
    record.unit = "length";
    const FinitePair pair(input, record);
    if (const auto obstacle = pair.obstacle(record)) return {*obstacle};
    record.value = (pair.samples().rowwise().mean() - pair.reference().rowwise().mean()).norm();
    return {record};
  }
};

}  // namespace

std::unique_ptr<Metric> make_mean_shift(Settings&) {
  return std::make_unique<MeanShift>();
}

}  // namespace onmanifold
