// SPDX-License-Identifier: Apache-2.0
#include "suite/pipeline.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/fresh_source.hpp"
#include "metrics/neighbours.hpp"
#include "models/external.hpp"
#include "results/provenance.hpp"
#include "suite/measure.hpp"

namespace onmanifold {
namespace {

/// Seconds since the last call, for /timing.
class Lap {
 public:
  double operator()() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - start_).count();
    start_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The speed of the machine just before a cell: measured anew once the last measurement of this worker is a second old,
/// so that cells of a millisecond do not pay three for it.
double recent_probe_seconds() {
  using Clock = std::chrono::steady_clock;
  static Clock::time_point measured;
  static double seconds = 0;
  if (seconds == 0 || Clock::now() - measured > std::chrono::seconds(1)) {
    seconds = speed_probe_seconds();
    measured = Clock::now();
  }
  return seconds;
}

Stream method_stream(const SuiteSpec& suite, const Cell& cell, const char* use) {
  return {suite.seed, fmt::format("{}/{}/{}/{}/{}", cell.key.task, cell.key.method, cell.key.lift, cell.key.seed, use)};
}

void project_samples(const Manifold& manifold, RawCell& cell) {
  Projection projection = manifold.project(cell.raw);
  cell.projected = std::move(projection.points);
  cell.projection_distance = std::move(projection.distance);
  cell.projection_converged = std::move(projection.converged);
}

/// For the pictures of a report, which has no training data: of each of the first samples the training point nearest to
/// it, by Euclidean distance. Empty where one of them is not finite.
Points nearest_training(const Points& training, const Points& samples) {
  constexpr Index shown = 10;
  const Points first = samples.leftCols(std::min(shown, samples.cols()));
  if (first.cols() == 0 || !first.allFinite()) return {};
  return training(Eigen::all, NeighbourIndex(training).nearest(first).index);
}

/// Asks the diagnostics of the cell. One that breaks down says so, and takes nothing with it.
void ask_diagnostics(const SuiteSpec& suite, const Cell& cell, DiagnosticInput input, RawCell& result) {
  const std::unique_ptr<ScoreField> learned = cell.diagnostics.empty() ? nullptr : input.model->score_field();
  input.learned = learned.get();
  for (const DiagnosticSpec& spec : cell.diagnostics) {
    DiagnosticRecord& record = result.diagnostics[spec.name];
    try {
      Settings settings(spec.settings, spec.name);
      DiagnosticInput asked = input;
      asked.stream = input.stream.at(spec.name);
      record.numbers = suite.diagnostic_types->get(spec.type).factory(settings)->run(asked);
    } catch (const std::bad_alloc&) {
      record.status = {RecordState::failed, "out of memory"};
    } catch (const Unsupported& error) {
      record.status = {RecordState::unsupported, error.what()};
    } catch (const std::exception& error) {
      record.status = {RecordState::failed, error.what()};
    }
  }
}

void train_and_sample(const SuiteSpec& suite, const Cell& cell, TaskContext& shared, RawCell& result) {
  const Task& task = cell.task->task;
  Lap lap;
  const Points& clean = shared.training(cell.key.seed, cell.n_train).points();
  const Stream draws = training_stream(task, suite.seed, cell.key.seed);
  const std::unique_ptr<TrainingSource> training =
      cell.fresh ? make_fresh_source(clean, *task.sampler, *task.manifold, cell.lift, draws)
                 : make_training_source(clean, *task.manifold, cell.lift, draws);
  const std::shared_ptr<const DiffusedScore> score = task.diffused_score(cell.lift);
  result.timing["data_s"] = lap();

  Settings settings(cell.method->settings, cell.key.text());
  const std::unique_ptr<GenerativeModel> model = suite.method_types->get(cell.method->type).factory(settings);
  const FitContext context{.training = training.get(),
                           .manifold = task.manifold.get(),
                           .sampler = task.sampler.get(),
                           .diffused_score = score.get(),
                           .image = task.image ? &*task.image : nullptr,
                           .smallest_noise = task.smallest_noise,
                           .lift_scale = task.preregistered_sigma,
                           .initialisation = method_stream(suite, cell, "initialisation"),
                           .training_noise = method_stream(suite, cell, "training"),
                           .progress = {},
                           .task = task.name,
                           .lift = cell.lift.type,
                           .lift_sigma = cell.lift.sigma,
                           .replicate = cell.key.seed};
  model->fit(context);
  result.timing["fit_s"] = lap();
  result.training = model->curves();
  result.model_state = model->state();

  try {
    result.raw = model->sample(sizes_of(suite, *cell.task).samples, method_stream(suite, cell, "sampling"));
  } catch (...) {
    result.log = model->log();
    throw;
  }
  result.log = model->log();
  result.timing["sample_s"] = lap();
  project_samples(*task.manifold, result);
  result.timing["project_s"] = lap();
  if (task.image) {
    result.nearest_training = nearest_training(training->clean_points(), result.raw);
    result.timing["pictures_s"] = lap();
  }
  result.reference_log_density = model->log_density(shared.reference());
  result.intrinsic_density = model->density_is_intrinsic();
  result.timing["likelihood_s"] = lap();
  ask_diagnostics(suite, cell,
                  {.manifold = task.manifold.get(),
                   .training = training.get(),
                   .model = model.get(),
                   .exact = score.get(),
                   .sampler = task.sampler.get(),
                   .entropy = task.entropy,
                   .lift = cell.lift,
                   .smallest_noise = task.smallest_noise,
                   .sigma_grid = task.sigma_grid,
                   .scale = standardisation(*training).scale,
                   .stream = method_stream(suite, cell, "diagnostics")},
                  result);
  result.timing["diagnostics_s"] = lap();
}

/// A cell that did not end well keeps its message and nothing else: no half result can be mistaken for one.
void fail(RawCell& cell, CellState state, std::string_view message) {
  cell.status = {state, std::string(message)};
  cell.raw.resize(0, 0);
  cell.projected.resize(0, 0);
  cell.projection_distance.resize(0);
  cell.projection_converged.resize(0);
  cell.nearest_training.resize(0, 0);
  cell.training.clear();
  cell.diagnostics.clear();
  cell.model_state.clear();
  cell.reference_log_density.reset();
}

}  // namespace

RawCell compute_raw_cell(const SuiteSpec& suite, const Cell& cell, TaskContext& shared) {
  RawCell result;
  result.config = cell.config();
  result.sample_hash = cell.sample_hash;
  result.method = cell.described();
  result.timing["probe_s"] = recent_probe_seconds();
  const double cpu_before = cpu_seconds();
  reset_peak_memory();
  try {
    train_and_sample(suite, cell, shared, result);
  } catch (const NumericalFailure& error) {
    fail(result, CellState::diverged, error.what());
  } catch (const TimeLimitExceeded& error) {
    fail(result, CellState::timeout, error.what());
  } catch (const Unsupported& error) {
    fail(result, CellState::unsupported, error.what());
  } catch (const std::bad_alloc&) {
    fail(result, CellState::failed, "out of memory");
  } catch (const std::exception& error) {
    fail(result, CellState::failed, error.what());
  }
  result.timing["cpu_s"] = cpu_seconds() - cpu_before;
  result.timing["peak_memory_bytes"] = peak_memory_bytes();
  return result;
}

MetricsCell compute_metrics(const Cell& cell, const RawCell& raw, const std::string& raw_digest, TaskContext& shared) {
  const double cpu_before = cpu_seconds();
  const Projection projection{raw.projected, raw.projection_distance, raw.projection_converged};
  const Samples samples{.samples = &raw.raw,
                        .training = &shared.training(cell.key.seed, cell.n_train),
                        .reference_log_density = raw.reference_log_density ? &*raw.reference_log_density : nullptr,
                        .intrinsic_density = raw.intrinsic_density};
  MetricsCell result;
  result.config = cell.metric_config();
  result.metric_hash = cell.metric_hash;
  result.raw_digest = raw_digest;
  const std::vector<NamedMetric> metrics = make_metrics(cell.task->metrics);
  std::vector<Measured> measured = measure(metrics, shared.target(), samples, &projection, OnFailure::record);
  for (std::size_t m = 0; m < measured.size(); ++m) {
    for (const auto* records : {&measured[m].raw, &measured[m].projected}) {
      for (const MetricRecord& record : *records) {
        if (record.status.state == RecordState::failed) continue;
        MetricInfo info = metric_registry().get(metrics[m].spec.name).info;
        info.unit = record.unit;  // some settings change it
        result.metrics.emplace(record.name, std::move(info));
      }
    }
    std::move(measured[m].raw.begin(), measured[m].raw.end(), std::back_inserter(result.raw));
    std::move(measured[m].projected.begin(), measured[m].projected.end(), std::back_inserter(result.projected));
  }
  result.timing["cpu_s"] = cpu_seconds() - cpu_before;
  return result;
}

namespace {

Value published_numbers(const Task& task) {
  Value::Array rows;
  for (const PublishedNumber& number : task.published) {
    rows.push_back(Value::Table{{"metric", number.metric},
                                {"method", number.method},
                                {"value", number.value},
                                {"spread", number.spread},
                                {"source", number.source},
                                {"verified", number.verified}});
  }
  return rows;
}

}  // namespace

Points kept_reference(const Task& task, std::uint64_t seed, Index n) {
  constexpr Index shown = 2000;  // enough for a picture
  return sample_reference(task, std::min(shown, n), reference_stream(task, seed));
}

TaskFile describe_task(const SuiteSpec& suite, const TaskSpec& spec, TaskContext& shared) {
  const Task& task = spec.task;
  const SampleSizes sizes = sizes_of(suite, spec);
  TaskFile file;
  file.name = task.name;
  file.description = task.description;
  file.version = task.version;
  file.data_hash = task.data_hash;
  file.manifold_spec = task.manifold->spec();
  file.reference = kept_reference(task, suite.seed, sizes.reference);
  file.masses = task.masses;
  if (task.partition) file.partition = task.partition->description();
  if (task.surface) {
    file.mesh_vertices = task.surface->vertices;
    file.mesh_faces = task.surface->faces;
  }
  file.image = task.image;
  file.entropy = task.entropy;
  const ReplicateRange replicates = replicates_of(suite, spec);
  const std::unique_ptr<TrainingSource> training =
      make_training_source(shared.training(replicates.first, sizes.train).points(), *task.manifold, Lift{},
                           training_stream(task, suite.seed, replicates.first));
  Value::Array grid(task.sigma_grid.begin(), task.sigma_grid.end());
  Value::Table details = {{"suite", suite.name},
                          {"purpose", std::string(name_of(suite.purpose))},
                          {"claims", suite.claims},
                          {"primary_metric", spec.metrics.empty() ? "" : spec.metrics.front().name},
                          {"seed", static_cast<std::int64_t>(suite.seed)},
                          {"seeds", replicates.last - replicates.first + 1},
                          {"n_train", static_cast<std::int64_t>(training->size())},
                          {"n_samples", static_cast<std::int64_t>(sizes.samples)},
                          {"n_reference", static_cast<std::int64_t>(shared.reference().cols())},
                          {"s_min", task.smallest_noise},
                          {"scale", standardisation(*training).scale},
                          {"preregistered_sigma", task.preregistered_sigma},
                          {"sigma_grid", std::move(grid)},
                          {"dimension", static_cast<std::int64_t>(task.manifold->dimension())},
                          {"ambient_dimension", static_cast<std::int64_t>(task.manifold->ambient_dimension())},
                          {"reach", task.manifold->reach()},
                          {"constraint_tolerance", task.manifold->constraint_tolerance()},
                          {"metrics", task.metrics},
                          {"published", published_numbers(task)},
                          {"published_note", task.published_note},
                          {"published_comparable", task.published_comparable},
                          {"source", task.source},
                          {"licence", task.licence},
                          {"settings", spec.settings}};
  // Absent elsewhere.
  if (suite.tuning) details.emplace("tuning", suite.tuning->record(family_of(task)));
  file.details = std::move(details);
  return file;
}

}  // namespace onmanifold
