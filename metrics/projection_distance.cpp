// SPDX-License-Identifier: Apache-2.0
#include "metrics/projection_distance.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

enum class Kind { mean, rms, max, fail_rate };

// What projections in chunks say.
class Summary {
 public:
  explicit Summary(Kind kind) : kind_(kind) {}

  void add(int pass, const Projection& projection) {
    if (pass == 0) {
      all_ += projection.converged.size();
      failures_ += projection.failures();
    }
    if (kind_ == Kind::fail_rate) return;
    std::vector<Index> good;
    for (Index i = 0; i < projection.converged.size(); ++i) {
      if (projection.converged[i]) good.push_back(i);
    }
    if (good.empty()) return;
    const Vector distance = projection.distance(good);
    switch (kind_) {
      case Kind::mean:
        moments_.add(pass, distance);
        break;
      case Kind::rms:
        moments_.add(pass, distance.cwiseAbs2());
        break;
      default:
        largest_ = std::max(largest_, distance.maxCoeff());
    }
  }
  [[nodiscard]] Index all() const { return all_; }
  [[nodiscard]] Index failures() const { return failures_; }
  [[nodiscard]] double value() const {
    if (kind_ == Kind::fail_rate) {
      return all_ == 0 ? MetricRecord::unknown : static_cast<double>(failures_) / static_cast<double>(all_);
    }
    if (failures_ == all_) return MetricRecord::unknown;
    if (kind_ == Kind::max) return largest_;
    return kind_ == Kind::mean ? moments_.mean() : std::sqrt(moments_.mean());
  }
  // Of one column's contribution, for the mean and the rate.
  [[nodiscard]] double spread() const {
    if (kind_ == Kind::mean) return moments_.sd();
    return kind_ == Kind::fail_rate ? std::sqrt(value() * (1 - value())) : MetricRecord::unknown;
  }

 private:
  Kind kind_;
  Index all_ = 0;
  Index failures_ = 0;
  double largest_ = 0;
  StreamedMoments moments_;
};

struct Null {
  double value = MetricRecord::unknown;
  double spread = MetricRecord::unknown;
};

class ProjectionStream final : public MetricStream {
 public:
  // \p given: use the projections that come with the chunks, else project every chunk.
  ProjectionStream(Kind kind, const MetricInput& input, bool given)
      : kind_(kind), input_(input), given_(given), own_(kind) {}

  [[nodiscard]] int passes() const override { return kind_ == Kind::mean ? 2 : 1; }

  void add(int pass, const Points& chunk, const Projection* projection) override {
    if (pass == 0) {
      n_samples_ += chunk.cols();
      n_nonfinite_ += FiniteColumns(chunk).nonfinite();
    }
    const bool stored = projection != nullptr && given_;
    if (!stored && input_.target.manifold == nullptr) {
      applicable_ = false;
      return;
    }
    std::optional<Projection> computed;
    if (!stored) computed = input_.target.manifold->project(chunk);
    const Projection& used = stored ? *projection : *computed;
    if (used.converged.size() != chunk.cols()) {
      throw InvalidInput(fmt::format("{} projections for {} samples", used.converged.size(), chunk.cols()));
    }
    own_.add(pass, used);
  }

  std::vector<MetricRecord> finish() override {
    static constexpr const char* names[] = {"projection_distance", "projection_distance_rms", "projection_distance_max",
                                            "projection_fail_rate"};
    Value::Table parameters;
    parameters["space"] = "ambient";
    if (input_.target.manifold != nullptr) parameters["manifold"] = input_.target.manifold->spec();
    parameters["null_method"] = "the reference's own value";
    MetricRecord record = make_record(names[static_cast<int>(kind_)], "lower", parameters, input_);
    if (kind_ != Kind::fail_rate) record.unit = "length";
    record.n_samples = n_samples_;
    record.n_nonfinite = n_nonfinite_;
    if (!applicable_) return {not_applicable(record, "neither a projection nor a manifold")};
    record.parameters = to_json(parameters);
    record.value = own_.value();
    if (std::isnan(record.value)) return {failed(record, "no sample could be projected")};
    const double root = std::sqrt(static_cast<double>(n_samples_));
    record.se = own_.spread() / root;
    if (input_.target.reference != nullptr && input_.target.manifold != nullptr) {
      const FiniteColumns& reference = input_.target.finite();
      record.n_reference = reference.size();
      // Projecting the reference is dear on a mesh and the same for all cells of a task.
      const std::string key = fmt::format("projection/{}", static_cast<int>(kind_));
      const auto null = input_.target.memo().get<Null>(key, [&]() -> Null {
        const Projection projection = input_.target.manifold->project(reference.points());
        Summary summary(kind_);
        for (int pass = 0; pass < passes(); ++pass) summary.add(pass, projection);
        return {summary.value(), summary.spread()};
      });
      record.null = null->value;
      record.null_sd = null->spread / root;
    }
    return {record};
  }

 private:
  Kind kind_;
  const MetricInput& input_;
  bool given_;
  Summary own_;
  Index n_samples_ = 0;
  Index n_nonfinite_ = 0;
  bool applicable_ = true;
};

class ProjectionDistance final : public Metric {
 public:
  explicit ProjectionDistance(Kind kind) : kind_(kind) {}

  [[nodiscard]] std::unique_ptr<MetricStream> do_stream(const MetricInput& input) const override {
    return std::make_unique<ProjectionStream>(kind_, input, of_raw(input));
  }

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    if (of_raw(input) || input.target.manifold == nullptr) return measure_as_one_chunk(*do_stream(input), input);
    const Projection again = input.target.manifold->project(*input.samples);
    ProjectionStream whole(kind_, input, true);
    for (int pass = 0; pass < whole.passes(); ++pass) whole.add(pass, *input.samples, &again);
    return whole.finish();
  }
  // The stored projection is of the raw samples; whether it converged is also said of the projected ones.
  [[nodiscard]] bool of_raw(const MetricInput& input) const { return !input.projected || kind_ == Kind::fail_rate; }

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
