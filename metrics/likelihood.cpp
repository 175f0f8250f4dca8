// SPDX-License-Identifier: Apache-2.0
#include "metrics/likelihood.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "metrics/support.hpp"

namespace onmanifold {
namespace {

class Nll final : public Metric {
 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    const bool floor = input.intrinsic_density && input.target.density != nullptr && input.target.reference != nullptr;
    parameters["measure"] = input.intrinsic_density ? "volume of the manifold" : "volume of the ambient space";
    parameters["null_method"] = floor ? "the exact density at the same points" : "none";
    MetricRecord record = make_record("nll", "lower", parameters, input);
    record.target = MetricRecord::unknown;
    record.unit = "nats";
    const FiniteColumns& samples = input.finite();
    record.n_nonfinite = samples.nonfinite();
    if (input.projected) return {not_applicable(record, "the density is that of the samples before projection")};
    if (input.reference_log_density == nullptr || input.reference_log_density->size() == 0)
      return {not_applicable(record, "no stored log-densities")};
    const Vector& density = *input.reference_log_density;
    record.n_reference = density.size();
    if (samples.size() == 0) return {failed(record, "no finite sample")};
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const Index bad = (density.array().isNaN() || density.array() == infinity).count();
    if (bad > 0) return {failed(record, fmt::format("{} of {} log-densities are not numbers", bad, density.size()))};
    if ((density.array() == -infinity).any()) {
      record.value = infinity;
      return {record};
    }
    const NullMoments moments = moments_of(density);
    record.value = -moments.mean;
    const double root = std::sqrt(static_cast<double>(density.size()));
    record.se = moments.sd / root;
    if (floor) {
      const NullMoments exact = moments_of(input.target.density->log_density(*input.target.reference));
      record.null = -exact.mean;
      record.null_sd = exact.sd / root;
    }
    return {record};
  }
};

}  // namespace

std::unique_ptr<Metric> make_nll(Settings&) {
  return std::make_unique<Nll>();
}

}  // namespace onmanifold
