// SPDX-License-Identifier: Apache-2.0
#include "suite/score_scale.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "core/error.hpp"
#include "core/files/point_files.hpp"
#include "models/registry.hpp"

namespace onmanifold {
namespace {

template <class Wanted>
const MethodRegistry::Entry& method_that(const Wanted& wanted) {
  const auto& entries = method_registry().entries();
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return wanted(entry.info); });
  if (found == entries.end()) throw InvalidInput("the registry of methods lacks an end of the scale");
  return *found;
}

Score score_of(const MethodRegistry::Entry& entry, const TaskContext& shared, Index n, const PointsToScore& asked) {
  const Task& task = shared.task();
  const Stream stream(shared.seed(), task.name + "/scale/" + entry.name);
  const std::unique_ptr<TrainingSource> training =
      make_training_source(asked.train->points(), *task.manifold, Lift{}, stream.at("training"));
  Settings settings(Value(Value::Table{}), entry.name);
  const std::unique_ptr<GenerativeModel> model = entry.factory(settings);
  model->fit({.training = training.get(),
              .manifold = task.manifold.get(),
              .sampler = task.sampler.get(),
              .smallest_noise = task.smallest_noise,
              .lift_scale = task.preregistered_sigma,
              .initialisation = stream.at("initialisation"),
              .training_noise = stream.at("noise"),
              .progress = {},
              .task = task.name});
  PointsToScore request = asked;
  request.name = entry.name;
  return score_points(model->sample(n, stream.at("sampling")), shared, request);
}

}  // namespace

ScoreScale score_scale(const TaskContext& shared, Index n_samples, const PointsToScore& asked) {
  const auto is_floor = [](const MethodInfo& info) { return info.floor; };
  const auto is_ceiling = [](const MethodInfo& info) { return info.role == MethodRole::oracle; };
  return {.floor = score_of(method_that(is_floor), shared, n_samples, asked),
          .ceiling = score_of(method_that(is_ceiling), shared, n_samples, asked)};
}

ScoreScale score_scale(const ScoreRequest& request, const Score& score) {
  if (request.task.empty())
    throw InvalidInput("a place on the scale needs a task: a file has neither floor nor ceiling");
  const TaskContext context(task_from_text(request.task), request.seed, request.reference_size, request.memory_bytes);
  const Points train = request.train.empty() ? training_points(context.task(), request.seed, 0, score.n_samples)
                                             : read_points(request.train);
  const TrainingPoints training(train);
  return score_scale(context, score.n_samples, {.name = score.name, .metrics = request.metrics, .train = &training});
}

double place_on_scale(const MetricRecord& value, const MetricRecord& floor, const MetricRecord& ceiling) {
  const auto as_loss = [&](double number) { return loss(value.direction, value.target, number); };
  const double perfect = as_loss(std::isnan(value.null) ? ceiling.value : value.null);
  const double distance = as_loss(floor.value) - perfect;
  const double noise = std::isfinite(value.null_sd) ? 2 * value.null_sd : 0;
  if (!std::isfinite(distance) || !(distance > 0) || distance < noise) return std::numeric_limits<double>::quiet_NaN();
  return (as_loss(floor.value) - as_loss(value.value)) / distance;
}

const MetricRecord* find_same(const Score& score, const ScoredMetric& metric) {
  const auto found = std::find_if(score.metrics.begin(), score.metrics.end(), [&](const ScoredMetric& other) {
    return other.samples == metric.samples && other.record.name == metric.record.name &&
           other.record.parameters == metric.record.parameters;
  });
  return found == score.metrics.end() ? nullptr : &found->record;
}

double place_on_scale(const ScoredMetric& metric, const ScoreScale& scale) {
  const MetricRecord* floor = find_same(scale.floor, metric);
  const MetricRecord* ceiling = find_same(scale.ceiling, metric);
  if (floor == nullptr || ceiling == nullptr) return std::numeric_limits<double>::quiet_NaN();
  return place_on_scale(metric.record, *floor, *ceiling);
}

Value to_value(const Score& score, const ScoreScale& scale) {
  const auto number_or_null = [](double number) { return std::isnan(number) ? Value() : Value(number); };
  const auto value_of = [&](const MetricRecord* record) {
    return record == nullptr ? Value() : number_or_null(record->value);
  };
  Value result = to_value(score);
  auto& rows = *result.get_if<Value::Table>()->at("metrics").get_if<Value::Array>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ScoredMetric& metric = score.metrics[i];
    rows[i].get_if<Value::Table>()->insert({{"floor", value_of(find_same(scale.floor, metric))},
                                            {"ceiling", value_of(find_same(scale.ceiling, metric))},
                                            {"place", number_or_null(place_on_scale(metric, scale))}});
  }
  return result;
}

}  // namespace onmanifold
