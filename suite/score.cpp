// SPDX-License-Identifier: Apache-2.0
#include "suite/score.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/point_files.hpp"
#include "core/files/points_hash.hpp"
#include "datasets/task.hpp"
#include "manifolds/chain_view.hpp"
#include "manifolds/registry.hpp"
#include "metrics/registry.hpp"
#include "results/provenance.hpp"
#include "suite/pipeline.hpp"
#include "suite/task_features.hpp"

namespace onmanifold {
namespace {

/// Metrics that need no task: a finite reference is enough.
constexpr const char* general_metrics = "coverage(k=5),cov_match,mmd2_rbf_biased,mmd2_rbf_unbiased";
constexpr const char* manifold_metrics = ",constraint_mean,constraint_max,projection_distance,projection_fail_rate";

constexpr std::uint64_t default_limit = 1'000'000'000;

/// A file that cannot be opened is the caller's fault, whatever the reason.
PointReader open_points(const std::string& file) {
  try {
    return PointReader(file);
  } catch (const IoError& error) {
    throw InvalidInput(error.what());
  }
}

std::uint64_t bytes_of(const PointReader& reader) {
  return static_cast<std::uint64_t>(reader.size()) * static_cast<std::uint64_t>(reader.dimension()) * sizeof(double);
}

void check_rows(const PointsRef& points, Index first, const std::string& file, bool allow_nonfinite) {
  const Index bad = allow_nonfinite ? -1 : first_nonfinite_column(points);
  if (bad >= 0) {
    throw InvalidInput(
        fmt::format("{}: row {} (counted from 0) is not finite; with --allow-nonfinite such rows are "
                    "counted and left out",
                    file, first + bad));
  }
}

/// All points of \p reader.
Points read_all(PointReader& reader, const std::string& file, bool allow_nonfinite) {
  Points points(reader.dimension(), reader.size());
  (void)reader.read(points);
  check_rows(points, 0, file, allow_nonfinite);
  return points;
}

void check_columns(Index found, Index dimension, const std::string& file, const std::string& against) {
  if (found != dimension) {
    throw InvalidInput(fmt::format("{}: rows have {} numbers, but {} has {}", file, found, against, dimension));
  }
}

/// A reference or training file: always in memory.
Points read_whole(const std::string& file, std::uint64_t limit) {
  PointReader reader = open_points(file);
  if (reader.size() == 0) throw InvalidInput(fmt::format("{}: has no rows", file));
  if (bytes_of(reader) > limit) {
    throw InvalidInput(fmt::format("{}: {} points of {} numbers do not fit in --memory; {} do", file, reader.size(),
                                   reader.dimension(), limit / (8 * static_cast<std::uint64_t>(reader.dimension()))));
  }
  Points points(reader.dimension(), reader.size());
  (void)reader.read(points);
  const Index bad = first_nonfinite_column(points);
  if (bad >= 0) throw InvalidInput(fmt::format("{}: row {} (counted from 0) is not finite", file, bad));
  return points;
}

struct NamedMetric {
  MetricSpec spec;
  std::unique_ptr<Metric> metric;
};

bool applicable(const ScoredMetric& metric) {
  return metric.record.status.state != RecordState::not_applicable;
}

void append(std::vector<MetricRecord> records, const char* samples, std::vector<ScoredMetric>& out) {
  for (MetricRecord& record : records) out.push_back({samples, std::move(record)});
}

/// Adds what metric \p name gave on raw and projected samples. Inapplicable to all of them: left out if it
/// came from a default list, an error if it was asked for.
void collect(std::vector<ScoredMetric> found, const std::string& name, bool asked_for, std::vector<ScoredMetric>& out) {
  if (std::none_of(found.begin(), found.end(), applicable)) {
    if (asked_for && !found.empty()) {
      throw InvalidInput(fmt::format("metric {}: {}", name, found.front().record.status.message));
    }
    return;
  }
  for (ScoredMetric& metric : found) out.push_back(std::move(metric));
}

std::vector<ScoredMetric> score_in_memory(const std::vector<NamedMetric>& metrics, const Points& samples,
                                          MetricInput input, bool asked_for) {
  std::optional<Projection> projection;
  if (input.manifold != nullptr) projection = input.manifold->project(samples);
  input.projection = projection ? &*projection : nullptr;
  std::vector<ScoredMetric> result;
  for (const NamedMetric& metric : metrics) {
    std::vector<ScoredMetric> found;
    input.projected = false;
    input.samples = &samples;
    append(metric.metric->evaluate(input), "raw", found);
    if (projection) {
      input.projected = true;
      input.samples = &projection->points;
      append(metric.metric->evaluate(input), "projected", found);
    }
    collect(std::move(found), metric.spec.name, asked_for, result);
  }
  return result;
}

/// As score_in_memory, with a few chunks of \p request.samples in memory at a time.
std::vector<ScoredMetric> score_in_chunks(const std::vector<NamedMetric>& metrics, const ScoreRequest& request,
                                          Index dimension, const MetricInput& input, std::uint64_t limit,
                                          bool asked_for) {
  // A chunk, its projection and the temporaries of a metric: far below a 64th of the limit each.
  const std::uint64_t fitting = limit / (64 * sizeof(double) * static_cast<std::uint64_t>(dimension));
  Points chunk(dimension, static_cast<Index>(std::clamp<std::uint64_t>(fitting, 256, 65536)));
  MetricInput raw = input;
  MetricInput projected = input;
  projected.projected = true;
  std::vector<std::unique_ptr<MetricStream>> raw_streams;
  std::vector<std::unique_ptr<MetricStream>> projected_streams;
  int passes = 0;
  for (const NamedMetric& metric : metrics) {
    raw_streams.push_back(metric.metric->stream(raw));
    if (input.manifold != nullptr) projected_streams.push_back(metric.metric->stream(projected));
    passes = std::max(passes, raw_streams.back()->passes());
  }
  for (int pass = 0; pass < passes; ++pass) {
    PointReader reader = open_points(request.samples);
    Index first = 0;
    while (const Index n = reader.read(chunk)) {
      // Only the last chunk is shorter than the others.
      if (n < chunk.cols()) chunk.conservativeResize(Eigen::NoChange, n);
      if (pass == 0) check_rows(chunk, first, request.samples, request.allow_nonfinite);
      std::optional<Projection> projection;
      if (input.manifold != nullptr) projection = input.manifold->project(chunk);
      const Projection* given = projection ? &*projection : nullptr;
      for (std::size_t m = 0; m < metrics.size(); ++m) {
        if (pass >= raw_streams[m]->passes()) continue;
        raw_streams[m]->add(pass, chunk, given);
        if (projection) projected_streams[m]->add(pass, projection->points, given);
      }
      first += n;
    }
    chunk.resize(dimension, static_cast<Index>(std::clamp<std::uint64_t>(fitting, 256, 65536)));
  }
  std::vector<ScoredMetric> result;
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    std::vector<ScoredMetric> found;
    append(raw_streams[m]->finish(), "raw", found);
    if (input.manifold != nullptr) append(projected_streams[m]->finish(), "projected", found);
    collect(std::move(found), metrics[m].spec.name, asked_for, result);
  }
  return result;
}

}  // namespace

Score score_samples(const ScoreRequest& request) {
  if (request.task.empty() && request.reference.empty()) {
    throw InvalidInput("score needs --task or --reference");
  }
  if (!request.task.empty() && !request.reference.empty()) {
    throw InvalidInput("--task and --reference exclude each other: a task has its own reference");
  }
  if (!request.task.empty() && !request.manifold.empty()) {
    throw InvalidInput("--manifold goes with --reference; a task has its own");
  }
  if (request.reference_size < 2) {
    throw InvalidInput(fmt::format("--reference-size {} is below 2", request.reference_size));
  }
  // What is cheap to check comes first.
  std::optional<Task> task;
  std::shared_ptr<const Manifold> manifold;
  std::string list = request.metrics;
  const bool asked_for = !list.empty();
  if (!request.task.empty()) {
    task = task_from_text(request.task);
    manifold = task->manifold;
    if (!asked_for) list = task->metrics;
  } else {
    if (!request.manifold.empty()) manifold = make_manifold(request.manifold);
    if (!asked_for) list = std::string(general_metrics) + (manifold ? manifold_metrics : "");
  }
  std::vector<NamedMetric> metrics;
  for (const MetricSpec& spec : parse_metric_list(list)) metrics.push_back({spec, make_metric(spec)});

  const std::uint64_t limit = request.memory_bytes == 0 ? default_limit : request.memory_bytes;
  PointReader reader = open_points(request.samples);
  if (reader.size() == 0) throw InvalidInput(fmt::format("{}: has no rows", request.samples));
  const Index dimension = reader.dimension();
  if (manifold) {
    check_columns(dimension, manifold->ambient_dimension(), request.samples,
                  task ? "the task " + task->name : "the manifold");
  }
  Points reference;
  Stream evaluation(0, "score/evaluation");
  if (task) {
    reference = sample_reference(*task, request.reference_size, reference_stream(*task, 0));
    evaluation = evaluation_stream(*task, 0);
  } else {
    reference = read_whole(request.reference, limit);
    check_columns(dimension, reference.rows(), request.samples, request.reference);
  }
  std::optional<Points> training;
  if (!request.train.empty()) {
    training = read_whole(request.train, limit);
    check_columns(training->rows(), dimension, request.train, request.samples);
  }
  const MetricInput input{.reference = &reference,
                          .training = training ? &*training : nullptr,
                          .manifold = manifold.get(),
                          .partition = task ? task->partition.get() : nullptr,
                          .masses = task && task->masses.size() > 0 ? &task->masses : nullptr,
                          .sampler = task ? simulation_sampler(*task) : nullptr,
                          .held_out = task ? task->sampler.get() : nullptr,
                          .evaluation = evaluation,
                          .memory_bytes = request.memory_bytes,
                          .feature_maps = task ? &features_of(*task) : nullptr};

  std::string whole_only;  // metrics that need all samples at once
  for (const NamedMetric& metric : metrics) {
    if (metric.metric->stream(input) != nullptr) continue;
    whole_only += (whole_only.empty() ? "" : ", ") + metric.spec.name;
  }
  const std::uint64_t bytes = bytes_of(reader);
  if (bytes > limit && !whole_only.empty()) {
    throw InvalidInput(
        fmt::format("{}: {} points of {} numbers are {} bytes, more than --memory ({}); these metrics need "
                    "all points at once: {}. "
                    "{} points fit; or choose others with --metrics",
                    request.samples, reader.size(), dimension, bytes, limit, whole_only,
                    limit / (sizeof(double) * static_cast<std::uint64_t>(dimension))));
  }
  Score score;
  score.n_reference = reference.cols();
  score.n_samples = reader.size();
  score.dimension = dimension;
  score.name = request.name.empty()
                   ? std::filesystem::path(request.samples.substr(0, request.samples.rfind(".h5:"))).stem().string()
                   : request.name;
  if (task) {
    score.task = task->name;
    score.task_version = task->version;
    score.data_hash = task->data_hash;
    score.reference_hash = points_hash(kept_reference(*task, 0, request.reference_size));
  }
  // Samples, their projection and temporaries are up to four times the file.
  if (whole_only.empty() && bytes > limit / 4) {
    score.metrics = score_in_chunks(metrics, request, dimension, input, limit, asked_for);
    score.samples_hash = points_file_hash(request.samples);
  } else {
    const Points samples = read_all(reader, request.samples, request.allow_nonfinite);
    score.samples_hash = points_hash(samples);
    score.metrics = score_in_memory(metrics, samples, input, asked_for);
  }
  const bool nothing = std::all_of(score.metrics.begin(), score.metrics.end(), [](const ScoredMetric& metric) {
    return metric.record.n_nonfinite > 0 && metric.record.n_nonfinite == metric.record.n_samples;
  });
  if (nothing && !score.metrics.empty()) {
    throw InvalidInput(fmt::format("{}: no row is finite", request.samples));
  }
  if (score.metrics.empty()) throw InvalidInput("no metric can be computed from what was given");
  return score;
}

Value to_value(const Score& score) {
  const auto number_or_null = [](double number) { return std::isnan(number) ? Value() : Value(number); };
  Value::Array metrics;
  for (const ScoredMetric& metric : score.metrics) {
    const MetricRecord& record = metric.record;
    metrics.push_back(Value::Table{{"name", record.name},
                                   {"samples", metric.samples},
                                   {"value", record.value},
                                   {"direction", direction_text(record.direction)},
                                   {"target", number_or_null(record.target)},
                                   {"null", number_or_null(record.null)},
                                   {"null_sd", number_or_null(record.null_sd)},
                                   {"se", number_or_null(record.se)},
                                   {"p", number_or_null(record.p_value)},
                                   {"unit", record.unit},
                                   {"version", record.version},
                                   {"n_reference", static_cast<std::int64_t>(record.n_reference)},
                                   {"n_samples", static_cast<std::int64_t>(record.n_samples)},
                                   {"n_nonfinite", static_cast<std::int64_t>(record.n_nonfinite)},
                                   {"status", record.status.text()},
                                   {"parameters", parse_json(record.parameters, record.name)}});
  }
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Value() : Value(text); };
  return Value::Table{{"onmanifold", version()},
                      {"name", score.name},
                      {"task", text_or_null(score.task)},
                      {"task_version", score.task.empty() ? Value() : Value(score.task_version)},
                      {"data_hash", text_or_null(score.data_hash)},
                      {"reference_hash", text_or_null(score.reference_hash)},
                      {"samples_hash", score.samples_hash},
                      {"n_reference", static_cast<std::int64_t>(score.n_reference)},
                      {"n_samples", static_cast<std::int64_t>(score.n_samples)},
                      {"dimension", static_cast<std::int64_t>(score.dimension)},
                      {"metrics", std::move(metrics)}};
}

Task task_from_text(const std::string& text) {
  Spec spec = parse_spec(text, {.kind = "task", .is_text = nullptr, .takes_rest = nullptr});
  const auto factory = task_registry().get(spec.name).factory;
  Settings settings(Value(std::move(spec.settings)), "task " + spec.name);
  Task task = factory(settings);
  settings.finish();
  return task;
}

Points full_points(const Task& task, const Points& points) {
  if (const ChainView* chains = task.manifold->chain_view()) return chains->full_coordinates(points);
  if (task.image && static_cast<Index>(task.image->pixels.size()) < task.image->height * task.image->width) {
    return full_images(*task.image, points);
  }
  throw InvalidInput(fmt::format("--full: task '{}' leaves no constant coordinates out", task.name));
}

Points exported_reference(const Task& task, Index n) {
  if (n < 1) throw InvalidInput(fmt::format("export: -n {} is not positive", n));
  return sample_reference(task, n, reference_stream(task, 0));
}

Points exported_points(const Task& task, Index n, int replicate, const std::string& lift_spec) {
  if (n < 1) throw InvalidInput(fmt::format("export: -n {} is not positive", n));
  if (replicate < 0) throw InvalidInput(fmt::format("export: --seed {} is negative", replicate));
  Points points = training_points(task, 0, replicate, n);
  if (lift_spec.empty()) return points;

  const Spec spec = parse_spec(lift_spec, {.kind = "lift", .is_text = nullptr, .takes_rest = nullptr});
  Lift lift;
  lift.type = parse_named<LiftType>(spec.name);
  Settings settings(Value(spec.settings), fmt::format("lift '{}'", lift_spec));
  if (lift.type != LiftType::none) {
    lift.sigma = settings.number("sigma", task.preregistered_sigma, std::numeric_limits<double>::min(),
                                 std::numeric_limits<double>::max(), "level of the noise in data units");
  }
  settings.finish();
  return lift.apply(points, *task.manifold, training_stream(task, 0, replicate).at("export"));
}

}  // namespace onmanifold
