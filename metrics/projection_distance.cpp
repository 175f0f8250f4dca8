// SPDX-License-Identifier: Apache-2.0
#include "metrics/projection_distance.hpp"

#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/summation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

enum class Kind { mean, rms, max, fail_rate };

struct Summary {
  double value = MetricRecord::unknown;
  double spread = MetricRecord::unknown;  // of one column's contribution, for the mean and the rate
};

Summary summarise(const Projection& projection, Kind kind) {
  Summary summary;
  const Index all = projection.converged.size();
  if (kind == Kind::fail_rate) {
    if (all == 0) return summary;
    summary.value = static_cast<double>(projection.failures()) / static_cast<double>(all);
    summary.spread = std::sqrt(summary.value * (1 - summary.value));
    return summary;
  }
  std::vector<Index> good;
  for (Index i = 0; i < all; ++i) {
    if (projection.converged[i]) good.push_back(i);
  }
  if (good.empty()) return summary;
  const Vector distance = projection.distance(good);
  switch (kind) {
    case Kind::mean: {
      const NullMoments moments = moments_of(distance);
      summary.value = moments.mean;
      summary.spread = moments.sd;
      break;
    }
    case Kind::rms:
      summary.value = std::sqrt(tree_mean_of(distance.cwiseAbs2()));
      break;
    default:
      summary.value = distance.maxCoeff();
  }
  return summary;
}

class ProjectionDistance final : public Metric {
 public:
  explicit ProjectionDistance(Kind kind) : kind_(kind) {}

 private:
  std::vector<MetricRecord> do_evaluate(const MetricInput& input) const override {
    static constexpr const char* names[] = {"projection_distance", "projection_distance_rms",
                                            "projection_distance_max", "projection_fail_rate"};
    Value::Table parameters;
    parameters["space"] = "ambient";
    if (input.manifold != nullptr) parameters["manifold"] = input.manifold->spec();
    parameters["null_method"] = "the reference's own value";
    MetricRecord record = make_record(names[static_cast<int>(kind_)], "lower", parameters, input);
    if (kind_ != Kind::fail_rate) record.unit = "length";
    record.n_nonfinite = FiniteColumns(*input.samples).nonfinite();

    const bool stored = input.projection != nullptr && (!input.projected || kind_ == Kind::fail_rate);
    if (!stored && input.manifold == nullptr)
      return {not_applicable(record, "neither a projection nor a manifold")};
    std::optional<Projection> computed;
    if (!stored) computed = input.manifold->project(*input.samples);
    const Projection& projection = stored ? *input.projection : *computed;
    if (projection.converged.size() != input.samples->cols()) {
      throw InvalidInput(
          fmt::format("{} projections for {} samples", projection.converged.size(), input.samples->cols()));
    }
    parameters["failures"] = static_cast<std::int64_t>(projection.failures());
    record.parameters = to_json(parameters);
    const Summary own = summarise(projection, kind_);
    if (std::isnan(own.value)) return {failed(record, "no sample could be projected")};
    record.value = own.value;
    const double root = std::sqrt(static_cast<double>(input.samples->cols()));
    record.se = own.spread / root;
    if (input.reference != nullptr && input.manifold != nullptr) {
      const FiniteColumns reference(*input.reference);
      record.n_reference = reference.size();
      // Projecting the reference is dear on a mesh and the same for all cells of a task.
      const std::string key = fmt::format("projection-null/{}/{}/{}", static_cast<int>(kind_),
                                          input.manifold->spec(), fingerprint(reference.points()));
      const Manifold& manifold = *input.manifold;
      const auto null =
          remember<Summary>(key, [&] { return summarise(manifold.project(reference.points()), kind_); });
      record.null = null->value;
      record.null_sd = null->spread / root;
    }
    return {record};
  }

  Kind kind_;
};

}  // namespace

std::unique_ptr<Metric> make_projection_distance(Settings&) {
  return std::make_unique<ProjectionDistance>(Kind::mean);
}
std::unique_ptr<Metric> make_projection_distance_rms(Settings&) {
  return std::make_unique<ProjectionDistance>(Kind::rms);
}
std::unique_ptr<Metric> make_projection_distance_max(Settings&) {
  return std::make_unique<ProjectionDistance>(Kind::max);
}
std::unique_ptr<Metric> make_projection_fail_rate(Settings&) {
  return std::make_unique<ProjectionDistance>(Kind::fail_rate);
}

}  // namespace onmanifold
