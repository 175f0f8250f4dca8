// SPDX-License-Identifier: Apache-2.0
#include "suite/score.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/files/point_files.hpp"
#include "core/files/points_hash.hpp"
#include "datasets/task.hpp"
#include "manifolds/chain_view.hpp"
#include "manifolds/registry.hpp"
#include "metrics/registry.hpp"
#include "results/provenance.hpp"
#include "results/result_set.hpp"
#include "suite/evaluation.hpp"
#include "suite/measure.hpp"
#include "suite/pipeline.hpp"

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

/// What \p measured says, metric by metric.
std::vector<ScoredMetric> collect_all(const std::vector<NamedMetric>& metrics, std::vector<Measured> measured,
                                      bool asked_for) {
  std::vector<ScoredMetric> result;
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    std::vector<ScoredMetric> found;
    append(std::move(measured[m].raw), "raw", found);
    append(std::move(measured[m].projected), "projected", found);
    collect(std::move(found), metrics[m].spec.name, asked_for, result);
  }
  return result;
}

/// A few chunks of \p request.samples in memory at a time.
ChunkedSamples chunks_of(const ScoreRequest& request, Index dimension, std::uint64_t limit) {
  return [&request, dimension, limit](int pass, const std::function<void(const Points&)>& use) {
    // A chunk, its projection and the temporaries of a metric: far below a 64th of the limit each.
    const std::uint64_t fitting = limit / (64 * sizeof(double) * static_cast<std::uint64_t>(dimension));
    Points chunk(dimension, static_cast<Index>(std::clamp<std::uint64_t>(fitting, 256, 65536)));
    PointReader reader = open_points(request.samples);
    Index first = 0;
    while (const Index n = reader.read(chunk)) {
      // Only the last chunk is shorter than the others.
      if (n < chunk.cols()) chunk.conservativeResize(Eigen::NoChange, n);
      if (pass == 0) check_rows(chunk, first, request.samples, request.allow_nonfinite);
      use(chunk);
      first += n;
    }
  };
}

void check_reference_size(const ScoreRequest& request) {
  if (request.reference_size < 2) {
    throw InvalidInput(fmt::format("--reference-size {} is below 2", request.reference_size));
  }
}

void check_request(const ScoreRequest& request) {
  if (request.task.empty() && request.reference.empty()) throw InvalidInput("score needs --task or --reference");
  if (!request.task.empty() && !request.reference.empty()) {
    throw InvalidInput("--task and --reference exclude each other: a task has its own reference");
  }
  if (!request.task.empty() && !request.manifold.empty()) {
    throw InvalidInput("--manifold goes with --reference; a task has its own");
  }
  check_reference_size(request);
}

std::vector<NamedMetric> metrics_of(const ScoreRequest& request, const Task* task, const Manifold* manifold) {
  std::string list = request.metrics;
  if (list.empty()) list = task ? task->metrics : std::string(general_metrics) + (manifold ? manifold_metrics : "");
  return make_metrics(parse_metric_list(list));
}

/// What samples are scored against: a task, or files.
class ScoreTarget {
 public:
  ScoreTarget(const ScoreRequest& request, const Task* task, const Manifold* manifold, Index dimension,
              std::uint64_t limit) {
    if (task != nullptr) {
      shared_.emplace(*task, request.seed, request.reference_size, request.memory_bytes);
    } else {
      reference_ = read_whole(request.reference, limit);
      check_columns(dimension, reference_.rows(), request.samples, request.reference);
      of_files_.emplace(Target{.reference = &reference_,
                               .manifold = manifold,
                               .evaluation = Stream(0, "score/evaluation"),
                               .memory_bytes = request.memory_bytes});
    }
    if (request.train.empty()) return;
    training_ = read_whole(request.train, limit);
    check_columns(training_.rows(), dimension, request.train, request.samples);
    training_points_.emplace(training_);
  }
  ScoreTarget(const ScoreTarget&) = delete;
  ScoreTarget& operator=(const ScoreTarget&) = delete;
  [[nodiscard]] const PreparedTarget& target() const { return shared_ ? shared_->target() : *of_files_; }
  [[nodiscard]] const TrainingPoints* training() const { return training_points_ ? &*training_points_ : nullptr; }

 private:
  Points reference_;
  std::optional<PreparedTarget> of_files_;
  std::optional<TaskContext> shared_;
  Points training_;
  std::optional<TrainingPoints> training_points_;
};

/// A specification of PointReader without its folder.
std::string file_name(const std::string& spec) {
  const std::size_t slash = split_point_file_name(spec).path.rfind('/');
  return slash == std::string::npos ? spec : spec.substr(slash + 1);
}

void describe(const ScoreRequest& request, const Task* task, const ScoreTarget& target, Score& score) {
  score.samples_file = file_name(request.samples);
  if (target.training() != nullptr) {
    score.train_file = file_name(request.train);
    score.train_hash = points_hash(target.training()->points());
  }
  score.name = request.name.empty() ? std::filesystem::path(split_point_file_name(request.samples).path).stem().string()
                                    : request.name;
  if (task == nullptr) return;
  score.task = task->name;
  score.task_version = task->version;
  score.data_hash = task->data_hash;
  score.reference_hash = points_hash(kept_reference(*task, request.seed, request.reference_size));
}

void check_useful(const ScoreRequest& request, const Score& score) {
  const bool nothing = std::all_of(score.metrics.begin(), score.metrics.end(), [](const ScoredMetric& metric) {
    return metric.record.n_nonfinite > 0 && metric.record.n_nonfinite == metric.record.n_samples;
  });
  if (nothing && !score.metrics.empty()) throw InvalidInput(fmt::format("{}: no row is finite", request.samples));
  if (score.metrics.empty()) throw InvalidInput("no metric can be computed from what was given");
}

Score score_against(const ScoreRequest& request, const Task* task, const std::shared_ptr<const Manifold>& manifold) {
  const std::vector<NamedMetric> metrics = metrics_of(request, task, manifold.get());
  const bool asked_for = !request.metrics.empty();

  const std::uint64_t limit = request.memory_bytes == 0 ? default_limit : request.memory_bytes;
  PointReader reader = open_points(request.samples);
  if (reader.size() == 0) throw InvalidInput(fmt::format("{}: has no rows", request.samples));
  const Index dimension = reader.dimension();
  if (manifold) {
    check_columns(dimension, manifold->ambient_dimension(), request.samples,
                  task ? "the task " + task->name : "the manifold");
  }
  const ScoreTarget against(request, task, manifold.get(), dimension, limit);
  const PreparedTarget& target = against.target();

  const std::vector<std::string> whole_only = not_streaming(metrics, target);
  const std::uint64_t bytes = bytes_of(reader);
  if (bytes > limit && !whole_only.empty()) {
    throw InvalidInput(
        fmt::format("{}: {} points of {} numbers are {} bytes, more than --memory ({}); these metrics need "
                    "all points at once: {}. "
                    "{} points fit; or choose others with --metrics",
                    request.samples, reader.size(), dimension, bytes, limit, fmt::join(whole_only, ", "),
                    limit / (sizeof(double) * static_cast<std::uint64_t>(dimension))));
  }
  Score score;
  score.n_reference = target.reference->cols();
  score.n_samples = reader.size();
  score.dimension = dimension;
  describe(request, task, against, score);
  Samples given{.training = against.training()};
  std::vector<Measured> measured;
  // Samples, their projection and temporaries are up to four times the file.
  if (whole_only.empty() && bytes > limit / 4) {
    measured = measure_in_chunks(metrics, target, given, chunks_of(request, dimension, limit), OnFailure::propagate);
    score.samples_hash = points_file_hash(request.samples);
  } else {
    const Points samples = read_all(reader, request.samples, request.allow_nonfinite);
    score.samples_hash = points_hash(samples);
    std::optional<Projection> projection;
    if (manifold) projection = manifold->project(samples);
    given.samples = &samples;
    measured = measure(metrics, target, given, projection ? &*projection : nullptr, OnFailure::propagate);
  }
  score.metrics = collect_all(metrics, std::move(measured), asked_for);
  check_useful(request, score);
  return score;
}

}  // namespace

Score score_samples(const ScoreRequest& request) {
  // What is cheap to check comes first.
  check_request(request);
  if (!request.task.empty()) {
    const Task task = task_from_text(request.task);
    return score_against(request, &task, task.manifold);
  }
  return score_against(request, nullptr, request.manifold.empty() ? nullptr : make_manifold(request.manifold));
}

Score score_samples(const ScoreRequest& request, const Task& task) {
  check_reference_size(request);
  return score_against(request, &task, task.manifold);
}

namespace {

ChunkedSamples pieces_of(const PointsRef& samples, const std::function<void()>& checkpoint) {
  return [&samples, &checkpoint](int, const std::function<void(const Points&)>& use) {
    constexpr Index piece = 65536;
    for (Index first = 0; first < samples.cols(); first += piece) {
      if (checkpoint) checkpoint();
      use(samples.middleCols(first, std::min(piece, samples.cols() - first)));
    }
  };
}

std::vector<Measured> measure_points(const PointsRef& samples, const std::vector<NamedMetric>& metrics,
                                     const PreparedTarget& target, const PointsToScore& asked) {
  Samples given{.training = asked.train};
  if (samples.size() * static_cast<Index>(sizeof(double)) > asked.whole_bytes &&
      not_streaming(metrics, target).empty()) {
    return measure_in_chunks(metrics, target, given, pieces_of(samples, asked.checkpoint), OnFailure::propagate);
  }
  const Points whole = samples;
  const Projection projection = target.manifold->project(whole);
  given.samples = &whole;
  return measure(metrics, target, given, &projection, OnFailure::propagate, asked.checkpoint);
}

}  // namespace

Score score_points(const PointsRef& samples, const TaskContext& shared, const PointsToScore& asked) {
  const Task& task = shared.task();
  if (samples.cols() == 0) throw InvalidInput(fmt::format("{}: has no rows", asked.name));
  check_columns(samples.rows(), task.manifold->ambient_dimension(), asked.name, "the task " + task.name);
  const Index bad = asked.allow_nonfinite ? -1 : first_nonfinite_column(samples);
  if (bad >= 0) throw InvalidInput(fmt::format("{}: row {} (counted from 0) is not finite", asked.name, bad));
  const std::vector<NamedMetric> metrics =
      make_metrics(parse_metric_list(asked.metrics.empty() ? task.metrics : asked.metrics));
  Score score;
  score.name = asked.name;
  score.task = task.name;
  score.task_version = task.version;
  score.data_hash = task.data_hash;
  score.reference_hash = points_hash(kept_reference(task, shared.seed(), shared.reference().cols()));
  score.samples_hash = points_hash(samples);
  if (asked.train != nullptr) score.train_hash = points_hash(asked.train->points());
  score.n_reference = shared.reference().cols();
  score.n_samples = samples.cols();
  score.dimension = samples.rows();
  score.metrics =
      collect_all(metrics, measure_points(samples, metrics, shared.target(), asked), !asked.metrics.empty());
  ScoreRequest named;
  named.samples = asked.name;
  check_useful(named, score);
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
                      {"samples_file", score.samples_file},
                      {"train_hash", text_or_null(score.train_hash)},
                      {"train_file", text_or_null(score.train_file)},
                      {"n_reference", static_cast<std::int64_t>(score.n_reference)},
                      {"n_samples", static_cast<std::int64_t>(score.n_samples)},
                      {"dimension", static_cast<std::int64_t>(score.dimension)},
                      {"metrics", std::move(metrics)}};
}

Task task_from_text(const std::string& text) {
  return make_task_spec(text).task;
}

Task task_from_file(const TaskFile& file) {
  const Value* stored = find_value(file.details, "settings");
  Settings settings(stored == nullptr ? Value(Value::Table{}) : *stored, "task " + file.name);
  Task task = task_registry().get(file.name).factory(settings);
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
