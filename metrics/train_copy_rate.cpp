// SPDX-License-Identifier: Apache-2.0
#include "metrics/train_copy_rate.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "metrics/neighbours.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

class TrainCopyRate final : public Metric {
 public:
  explicit TrainCopyRate(Settings& settings)
      : p_(settings.number("p", 0.01, 1e-6, 0.999999,
                           "quantile of the distances of true draws below which a sample counts as a copy")) {}

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "ambient, after projection";
    parameters["p"] = p_;
    parameters["null_method"] = "p and its binomial spread";
    MetricRecord record = make_record("train_copy_rate", "target", parameters, input);
    record.target = p_;
    // Both evaluations look at projected samples: a raw sample off the manifold would only seem less of a
    // copy.
    Points projected;
    const Points* samples = input.samples;
    if (!input.projected && input.projection != nullptr) {
      samples = &input.projection->points;
      if (samples->cols() != input.samples->cols() || samples->rows() != input.samples->rows()) {
        throw InvalidInput(fmt::format("{} projections for {} samples", samples->cols(), input.samples->cols()));
      }
    } else if (!input.projected && input.target.manifold != nullptr) {
      projected = input.target.manifold->project(*input.samples).points;
      samples = &projected;
    }
    const FiniteColumns finite(*samples);
    record.n_nonfinite = finite.nonfinite();
    if (input.training == nullptr) return {not_applicable(record, "no training points")};
    const Sampler* law = input.target.sampler != nullptr ? input.target.sampler : input.target.held_out;
    if (law == nullptr) return {not_applicable(record, "no sampler of the true law")};
    const FiniteColumns& training = input.training->finite();
    if (training.size() == 0) return {not_applicable(record, "no finite training point")};
    if (finite.size() == 0) return {failed(record, "no finite sample")};

    const Index draws = input.samples->cols();
    parameters["n_oracle"] = static_cast<std::int64_t>(draws);
    parameters["n_training"] = static_cast<std::int64_t>(training.size());
    const std::string key = fmt::format("train_copy_rate/{}/{}", p_, draws);
    const auto threshold = input.training->memo().get<double>(key, [&] {
      const Points fresh = law->sample(draws, input.target.evaluation.at("train_copy_rate/oracle"));
      Vector distances = NeighbourIndex(training.points()).nearest(fresh).squared_distance;
      const auto rank = static_cast<Index>(std::ceil(p_ * static_cast<double>(draws) - 1e-9));
      const auto middle = distances.begin() + std::max<Index>(rank, 1) - 1;
      std::nth_element(distances.begin(), middle, distances.end());
      return *middle;
    });
    record.parameters = to_json(parameters);
    if (!(*threshold > 0)) return {not_applicable(record, "fresh draws coincide with training points")};

    const Memo& memo = input.after_projection == nullptr ? input.memo() : input.after_projection->memo();
    const Vector distances = *memo.get<Vector>(
        "train_copy_rate", [&] { return NeighbourIndex(training.points()).nearest(finite.points()).squared_distance; });
    record.value = static_cast<double>((distances.array() < *threshold).count()) / static_cast<double>(finite.size());
    record.se = share_error(record.value, finite.size());
    record.null = p_;
    record.null_sd =
        std::sqrt(p_ * (1 - p_) * (1 / static_cast<double>(finite.size()) + 1 / static_cast<double>(draws)));
    return {record};
  }

  double p_;
};

}  // namespace

std::unique_ptr<Metric> make_train_copy_rate(Settings& settings) {
  return std::make_unique<TrainCopyRate>(settings);
}

}  // namespace onmanifold
