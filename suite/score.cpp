// SPDX-License-Identifier: Apache-2.0
#include "suite/score.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/point_files.hpp"
#include "core/provenance.hpp"
#include "datasets/task.hpp"
#include "manifolds/registry.hpp"
#include "metrics/registry.hpp"
#include "suite/pipeline.hpp"

namespace onmanifold {
namespace {

constexpr Index reference_size = 10000;
/// Metrics that need no task: a finite reference is enough.
constexpr const char* general_metrics = "coverage(k=5),cov_match,mmd2_rbf_biased,mmd2_rbf_unbiased";
constexpr const char* manifold_metrics =
    ",constraint_mean,constraint_max,projection_distance,projection_fail_rate";

Task make_task(const std::string& name) {
  Settings none(Value::Table{}, name);
  return task_registry().get(name).factory(none);
}

/// Points of a file, checked for what every metric needs.
Points read_checked(const std::string& file, bool allow_nonfinite) {
  Points points = read_points(file);
  if (points.cols() == 0) throw InvalidInput(fmt::format("{}: has no rows", file));
  const Index bad = first_nonfinite_column(points);
  if (bad >= 0 && !allow_nonfinite) {
    throw InvalidInput(fmt::format("{}: row {} (counted from 0) is not finite; --allow-nonfinite counts such rows and leaves them out",
                                   file, bad));
  }
  return points;
}

void check_columns(const Points& points, Index dimension, const std::string& file, const std::string& against) {
  if (points.rows() != dimension) {
    throw InvalidInput(fmt::format("{}: rows have {} numbers, but {} has {}", file, points.rows(), against, dimension));
  }
}

/// Metrics that look at the projected samples say nothing without a manifold.
void evaluate(const MetricSpec& spec, const MetricInput& input, std::vector<ScoredMetric>& out) {
  for (MetricRecord& record : make_metric(spec)->evaluate(input)) {
    out.push_back({input.projected ? "projected" : "raw", std::move(record)});
  }
}

}  // namespace

Score score_samples(const ScoreRequest& request) {
  if (request.task.empty() == request.reference.empty()) {
    throw InvalidInput("score needs either a task or a reference file");
  }
  std::optional<Task> task;
  std::shared_ptr<const Manifold> manifold;
  Points reference;
  std::string metrics = request.metrics;
  Stream evaluation(0, "score/evaluation");
  const Points samples = read_checked(request.samples, request.allow_nonfinite);
  if (!request.task.empty()) {
    if (!request.manifold.empty()) throw InvalidInput("--manifold goes with --reference; a task has its own");
    task = make_task(request.task);
    manifold = task->manifold;
    check_columns(samples, manifold->ambient_dimension(), request.samples, "the task " + task->name);
    reference = task->sampler->sample(reference_size, reference_stream(*task, 0));
    evaluation = evaluation_stream(*task, 0);
    if (metrics.empty()) metrics = task->metrics;
  } else {
    reference = read_checked(request.reference, false);
    check_columns(samples, reference.rows(), request.samples, request.reference);
    if (!request.manifold.empty()) manifold = make_manifold(request.manifold);
    if (manifold) check_columns(samples, manifold->ambient_dimension(), request.samples, "the manifold");
    if (metrics.empty()) metrics = std::string(general_metrics) + (manifold ? manifold_metrics : "");
  }
  const std::vector<MetricSpec> specs = parse_metric_list(metrics);
  if (specs.empty()) throw InvalidInput("--metrics names no metric");
  std::optional<Points> training;
  if (!request.train.empty()) {
    training = read_checked(request.train, false);
    check_columns(*training, samples.rows(), request.train, request.samples);
  }

  std::optional<Projection> projection;
  if (manifold) projection = manifold->project(samples);
  MetricInput input{.samples = &samples,
                    .reference = &reference,
                    .training = training ? &*training : nullptr,
                    .manifold = manifold.get(),
                    .projection = projection ? &*projection : nullptr,
                    .partition = task ? task->partition.get() : nullptr,
                    .masses = task && task->masses.size() > 0 ? &task->masses : nullptr,
                    .sampler = task ? task->sampler.get() : nullptr,
                    .projected = false,
                    .evaluation = evaluation};
  Score score;
  score.n_reference = reference.cols();
  score.n_samples = samples.cols();
  score.dimension = samples.rows();
  for (const MetricSpec& spec : specs) {
    input.projected = false;
    input.samples = &samples;
    evaluate(spec, input, score.metrics);
    if (!projection) continue;
    input.projected = true;
    input.samples = &projection->points;
    evaluate(spec, input, score.metrics);
  }
  return score;
}

Value to_value(const Score& score) {
  const auto number_or_null = [](double number) { return std::isnan(number) ? Value() : Value(number); };
  Value::Array metrics;
  for (const ScoredMetric& metric : score.metrics) {
    const MetricRecord& record = metric.record;
    metrics.push_back(Value::Table{{"name", record.name},
                                   {"samples", metric.samples},
                                   {"value", number_or_null(record.value)},
                                   {"direction", record.direction},
                                   {"target", number_or_null(record.target)},
                                   {"null", number_or_null(record.null)},
                                   {"null_sd", number_or_null(record.null_sd)},
                                   {"se", number_or_null(record.se)},
                                   {"unit", record.unit},
                                   {"version", record.version},
                                   {"n_reference", static_cast<std::int64_t>(record.n_reference)},
                                   {"n_samples", static_cast<std::int64_t>(record.n_samples)},
                                   {"n_nonfinite", static_cast<std::int64_t>(record.n_nonfinite)},
                                   {"status", record.status},
                                   {"parameters", parse_json(record.parameters, record.name)}});
  }
  return Value::Table{{"onmanifold", version()},
                      {"n_reference", static_cast<std::int64_t>(score.n_reference)},
                      {"n_samples", static_cast<std::int64_t>(score.n_samples)},
                      {"dimension", static_cast<std::int64_t>(score.dimension)},
                      {"metrics", std::move(metrics)}};
}

Points exported_points(const std::string& name, Index n, int replicate, const std::string& lift_spec) {
  if (n < 1) throw InvalidInput(fmt::format("export: -n {} is not positive", n));
  if (replicate < 0) throw InvalidInput(fmt::format("export: --seed {} is negative", replicate));
  const Task task = make_task(name);
  Points points = training_points(task, 0, replicate, n);
  if (lift_spec.empty()) return points;

  const std::size_t colon = lift_spec.find(':');
  Lift lift;
  lift.type = parse_lift_type(lift_spec.substr(0, colon));
  if (lift.type != LiftType::none) lift.sigma = task.preregistered_sigma;
  if (colon != std::string::npos) {
    const std::string rest = lift_spec.substr(colon + 1);
    constexpr std::string_view key = "sigma=";
    const char* const begin = rest.data() + std::min(key.size(), rest.size());
    const char* const end = rest.data() + rest.size();
    const auto [stop, error] = std::from_chars(begin, end, lift.sigma);
    if (!rest.starts_with(key) || error != std::errc() || stop != end || !(lift.sigma > 0) ||
        lift.type == LiftType::none) {
      throw InvalidInput(fmt::format("--lift '{}' is not none, normal[:sigma=S] or isotropic[:sigma=S] with S > 0", lift_spec));
    }
  }
  return lift.apply(points, *task.manifold, training_stream(task, 0, replicate).at("export"));
}

}  // namespace onmanifold
