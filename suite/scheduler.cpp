// SPDX-License-Identifier: Apache-2.0
#include "suite/scheduler.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <set>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/hdf5_file.hpp"
#include "results/provenance.hpp"
#include "suite/cell_lock.hpp"
#include "suite/pipeline.hpp"
#include "suite/progress.hpp"
#include "suite/task_features.hpp"
#include "suite/worker_pool.hpp"

namespace onmanifold {

/// What became of a job: the cell has a file with some status, another run has the cell or has finished it meanwhile,
/// or the machine is at fault.
enum class JobResult { done, busy, found, environment };
template <>
struct EnumNames<JobResult> {
  static constexpr const char* kind = "answer of a worker";
  static constexpr std::array<EnumName<JobResult>, 4> names = {{{JobResult::done, "done"},
                                                                {JobResult::busy, "busy"},
                                                                {JobResult::found, "found"},
                                                                {JobResult::environment, "environment"}}};
};

namespace {

namespace fs = std::filesystem;

/// What is left to do for a cell.
enum class Work { nothing, metrics, everything };

/// What a worker tells its parent.
struct Answer {
  JobResult result = JobResult::done;
  CellStatus status;  ///< of the cell if done; what went wrong in the environment

  /// Three parts, of which the last may have lines of its own.
  [[nodiscard]] std::string text() const {
    return fmt::format("{}\n{}\n{}", name_of(result), name_of(status.state), status.message);
  }
};

Answer parse_answer(std::string_view text) {
  const std::size_t first = std::min(text.find('\n'), text.size());
  const std::size_t second = std::min(text.find('\n', first + 1), text.size());
  if (second == text.size()) throw IoError(fmt::format("a worker answered '{}'", text));
  return {.result = parse_named<JobResult>(text.substr(0, first)),
          .status = {.state = parse_named<CellState>(text.substr(first + 1, second - first - 1)),
                     .message = std::string(text.substr(second + 1))}};
}

/// Whether the metrics on disk belong to these samples and settings.
bool metrics_are_current(const std::string& directory, const Cell& cell, const std::string& digest) {
  const std::string path = cell.key.metrics_path(directory);
  if (!is_there(path)) return false;
  try {
    const MetricsStamp metrics = read_metrics_stamp(path);
    return metrics.metric_hash == cell.metric_hash && metrics.raw_digest == digest;
  } catch (const std::exception&) {
    return false;  // metrics are derived: a file that cannot be read is computed again
  }
}

/// Samples in the file, and how many there were: fewer are kept where the suite says so.
struct StoredSamples {
  Index kept = 0;
  Index all = 0;
};
StoredSamples stored_samples(const std::string& path) {
  const Hdf5Reader file(path);
  const Index kept = file.has("samples/raw") ? file.shape("samples/raw").at(0) : 0;
  const Value config = read_cell_head(path).config;
  const auto* table = config.get_if<Value::Table>();
  if (table == nullptr) return {kept, kept};
  const auto asked = table->find("n_samples");
  const auto* all = asked == table->end() ? nullptr : asked->second.get_if<std::int64_t>();
  return {kept, all == nullptr ? kept : static_cast<Index>(*all)};
}

/// What is to be done where the metrics are not those that are asked for.
Work remaining_metrics(const std::string& directory, const Cell& cell, const RunOptions& options) {
  const std::string path = cell.key.raw_path(directory);
  const StoredSamples samples = stored_samples(path);
  if (samples.kept == samples.all) return Work::metrics;
  // A run that was stopped between the two files left no metrics: nothing is lost by doing it again.
  if (!options.metrics_only && (options.force || !is_there(cell.key.metrics_path(directory)))) return Work::everything;
  throw InvalidInput(fmt::format(
      "{}: {} of {} samples were kept (keep_samples), too few for new metrics; {}", path, samples.kept, samples.all,
      options.metrics_only ? "run it without --metrics-only and with --force" : "use --force to compute it again"));
}

/// The first samples of a cell and nothing that needs them all.
RawCell thinned(const RawCell& cell, Index keep) {
  RawCell result = cell;
  result.raw = cell.raw.leftCols(keep);
  result.projected = cell.projected.leftCols(keep);
  result.projection_distance = cell.projection_distance.head(keep);
  result.projection_converged = cell.projection_converged.head(keep);
  result.reference_log_density.reset();
  return result;
}

/// \throw InvalidInput if the cell on disk is a result of another configuration.
Work remaining(const std::string& directory, const Cell& cell, const RunOptions& options) {
  const std::string path = cell.key.raw_path(directory);
  if (options.recompute) return Work::everything;
  if (!is_there(path)) return options.metrics_only ? Work::nothing : Work::everything;
  CellStamp head;
  Value config;  // of the file, where it is another one
  try {
    head = read_cell_stamp(path);
    if (head.sample_hash != cell.sample_hash) config = read_cell_head(path).config;
  } catch (const std::exception& error) {
    if (options.force) return Work::everything;
    throw InvalidInput(fmt::format("{} (remove the file, or compute it again with --force)", error.what()));
  }
  const bool usable = head.status.ok() || head.status.state == CellState::unsupported;
  if (head.sample_hash != cell.sample_hash) {
    if (usable && !options.force) {
      throw InvalidInput(
          fmt::format("{} has another configuration ({}); use --force to compute it again, or -o for "
                      "another directory",
                      path, fmt::join(describe_difference(config, cell.config()), "; ")));
    }
    return Work::everything;
  }
  if (!usable) return options.metrics_only ? Work::nothing : Work::everything;
  if (head.status.state == CellState::unsupported) return Work::nothing;
  if (!options.metrics_only && metrics_are_current(directory, cell, head.raw_digest)) return Work::nothing;
  return remaining_metrics(directory, cell, options);
}

/// What became of a job, also where its worker could not say.
Answer answer_of(const JobOutcome& outcome) {
  switch (outcome.kind) {
    case JobOutcome::Kind::finished:
      return parse_answer(outcome.message);
    case JobOutcome::Kind::timeout:
      return {.result = JobResult::done, .status = {CellState::timeout, outcome.message}};
    case JobOutcome::Kind::exception:
    case JobOutcome::Kind::crashed:
      break;
  }
  return {.result = JobResult::done, .status = {CellState::failed, outcome.message}};
}

void count(const Answer& answer, Work work, RunSummary& summary) {
  if (answer.result == JobResult::busy) {
    ++summary.busy;
  } else if (answer.result == JobResult::found) {
    ++summary.skipped;
  } else if (answer.status.ok()) {
    ++(work == Work::metrics ? summary.measured : summary.computed);
  } else if (answer.status.state == CellState::unsupported) {
    ++summary.unsupported;
  } else {
    ++summary.failed;
  }
}

/// The work of one cell, in a worker process.
Answer work_on(const SuiteSpec& suite, const Cell& cell, const RunOptions& options, const Value& provenance,
               TaskContexts& contexts) {
  try {
    const CellLock lock(options.directory, cell.key);
    if (!lock.owned()) return {.result = JobResult::busy, .status = {}};
    // Another run may have finished the cell since this one looked.
    const Work work = remaining(options.directory, cell, options);
    if (work == Work::nothing) return {.result = JobResult::found, .status = {}};
    RawCell raw;
    std::string digest;  // of what is in the file
    if (work == Work::everything) {
      fs::remove(cell.key.metrics_path(options.directory));
      raw = compute_raw_cell(suite, cell, contexts.of(suite, *cell.task));
      raw.provenance = provenance;
      const auto write = [&](const RawCell& stored) {
        write_raw_cell(cell.key.raw_path(options.directory), stored);
        digest = raw_digest(stored);
      };
      if (suite.keep_samples != all_samples && suite.keep_samples < raw.raw.cols()) {
        write(thinned(raw, suite.keep_samples));
      } else {
        write(raw);
      }
    } else {
      raw = read_raw_cell(cell.key.raw_path(options.directory));
      digest = raw_digest(raw);
    }
    if (raw.status.ok()) {
      write_metrics_cell(cell.key.metrics_path(options.directory),
                         compute_metrics(cell, raw, digest, contexts.of(suite, *cell.task)));
    }
    return {.result = JobResult::done, .status = raw.status};
  } catch (const IoError& error) {
    return {.result = JobResult::environment, .status = {.state = CellState::failed, .message = error.what()}};
  }
}

void flatten(const Value& value, const std::string& path, std::map<std::string, std::string>& out) {
  if (const auto* table = value.get_if<Value::Table>()) {
    for (const auto& [key, item] : *table) flatten(item, path.empty() ? key : path + "." + key, out);
  } else {
    out[path] = to_json(value);
  }
}

bool lacks_task_files(const std::string& directory, const std::vector<Cell>& cells) {
  return std::any_of(cells.begin(), cells.end(),
                     [&](const Cell& cell) { return !is_there(fs::path(directory) / cell.key.task / "task.h5"); });
}

/// Makes the directory and shows that it can be written to, before hours of work.
void prepare_directory(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw IoError(fmt::format("{}: cannot be made: {}", directory, error.message()));
  const CellLock probe(directory, CellKey{});
  remove_stale_temporaries(directory);
}

/// Weights that metrics will read must be sound before the first training starts.
void check_features(const std::vector<const Cell*>& cells) {
  std::set<std::string> seen;
  for (const Cell* cell : cells) {
    const auto& metrics = cell->task->metrics;
    const bool wanted = std::any_of(metrics.begin(), metrics.end(), [](const MetricSpec& metric) {
      const std::vector<Need>& needs = metric_registry().get(metric.name).info.needs;
      return std::find(needs.begin(), needs.end(), Need::features) != needs.end();
    });
    if (wanted && seen.insert(cell->key.task).second) check_lenet_weights(cell->task->task);
  }
}

void write_task_files(const SuiteSpec& suite, const std::string& directory, const std::vector<Cell>& cells,
                      TaskContexts& contexts) {
  std::set<std::string> written;
  for (const Cell& cell : cells) {
    if (!written.insert(cell.key.task).second) continue;
    fs::create_directories(fs::path(directory) / cell.key.task);
    write_task_file((fs::path(directory) / cell.key.task / "task.h5").string(),
                    describe_task(suite, *cell.task, contexts.of(suite, *cell.task)));
  }
}

/// Cells of a method that states max_parallel are a group of the pool.
void limit_methods(const std::vector<const Cell*>& cells, WorkerPoolOptions& pool) {
  std::map<std::string, int> groups;
  for (const Cell* cell : cells) {
    const int most = cell->method->max_parallel;
    if (most == 0) {
      pool.groups.push_back(-1);
      continue;
    }
    const auto [group, first] = groups.emplace(cell->key.method, static_cast<int>(groups.size()));
    if (first) pool.most_at_once.push_back(most);
    int& limit = pool.most_at_once[static_cast<std::size_t>(group->second)];
    limit = std::min(limit, most);  // one label may have several tables
    pool.groups.push_back(group->second);
  }
}

}  // namespace

std::vector<std::string> describe_difference(const Value& before, const Value& after) {
  std::map<std::string, std::string> old_settings;
  std::map<std::string, std::string> new_settings;
  flatten(before, "", old_settings);
  flatten(after, "", new_settings);
  std::vector<std::string> lines;
  std::set<std::string> keys;
  for (const auto& [key, value] : old_settings) keys.insert(key);
  for (const auto& [key, value] : new_settings) keys.insert(key);
  for (const std::string& key : keys) {
    const auto a = old_settings.find(key);
    const auto b = new_settings.find(key);
    const std::string from = a == old_settings.end() ? "(none)" : a->second;
    const std::string to = b == new_settings.end() ? "(none)" : b->second;
    if (from != to) lines.push_back(fmt::format("{}: {} -> {}", key, from, to));
  }
  return lines;
}

namespace {

/// Those that match --only.
std::vector<Cell> matching(std::vector<Cell> cells, const RunOptions& options) {
  std::vector<Cell> selected;
  for (Cell& cell : cells) {
    if (fnmatch(options.only.c_str(), cell.key.text().c_str(), 0) == 0) selected.push_back(std::move(cell));
  }
  if (selected.empty()) throw InvalidInput(fmt::format("--only '{}' matches no cell", options.only));
  return selected;
}

std::vector<Cell> share_of(std::vector<Cell> selected, const RunOptions& options) {
  if (options.shards < 1 || options.shard < 1 || options.shard > options.shards) {
    throw InvalidInput(fmt::format("--shard {}/{}: I must be in 1 … N", options.shard, options.shards));
  }
  std::vector<Cell> share;
  for (std::size_t i = 0; i < selected.size(); ++i) {
    if (static_cast<int>(i % static_cast<std::size_t>(options.shards)) == options.shard - 1) {
      share.push_back(std::move(selected[i]));
    }
  }
  return share;
}

/// As run_jobs(), without worker processes.
bool run_jobs_here(Index jobs, const std::function<std::string(Index)>& work,
                   const std::function<bool(const JobOutcome&)>& done) {
  for (Index job = 0; job < jobs; ++job) {
    JobOutcome outcome{.job = job, .kind = JobOutcome::Kind::finished, .message = {}, .seconds = 0};
    try {
      outcome.message = work(job);
    } catch (const std::exception& error) {
      outcome.kind = JobOutcome::Kind::exception;
      outcome.message = error.what();
    }
    if (!done(outcome)) return false;
  }
  return true;
}

}  // namespace

std::vector<Cell> select(std::vector<Cell> cells, const RunOptions& options) {
  return share_of(matching(std::move(cells), options), options);
}

bool is_finished(const std::string& directory, const Cell& cell) {
  RunOptions options;
  options.force = true;  // a cell of another configuration is not finished, and no error here
  return remaining(directory, cell, options) == Work::nothing;
}

RunSummary run_suite(const SuiteSpec& suite, const RunOptions& options) {
  if (options.recompute && options.metrics_only) {
    throw InvalidInput("--recompute trains again, --metrics-only trains nothing: give one of them");
  }
  if (options.workers < 1) throw InvalidInput(fmt::format("-j {}: at least one worker is needed", options.workers));
  std::vector<Cell> matched = matching(expand(suite), options);
  CellPlan plan{.suite = suite.name, .cells = {}};
  for (const Cell& cell : matched) plan.cells.push_back(cell.key);
  const std::vector<Cell> cells = share_of(std::move(matched), options);

  RunSummary summary;
  summary.selected = static_cast<Index>(cells.size());
  std::vector<const Cell*> todo;
  std::vector<Work> work;
  for (const Cell& cell : cells) {
    const Work rest = remaining(options.directory, cell, options);
    if (rest == Work::nothing) {
      ++summary.skipped;
    } else {
      todo.push_back(&cell);
      work.push_back(rest);
    }
  }
  // What is finished may lie in an archive that nobody can write to.
  if (todo.empty() && ::access(options.directory.c_str(), W_OK) != 0 && !lacks_task_files(options.directory, cells)) {
    return summary;
  }
  prepare_directory(options.directory);
  check_features(todo);
  TaskContexts contexts;  // every worker has its own copy
  if (!options.metrics_only) {
    write_task_files(suite, options.directory, cells, contexts);
    write_cell_plan(options.directory, std::move(plan));
  }

  const Value where_from = provenance(options.command_line);
  WorkerPoolOptions pool;
  pool.workers = static_cast<int>(
      std::min<std::size_t>(static_cast<std::size_t>(options.workers), std::max<std::size_t>(todo.size(), 1)));
  pool.memory_bytes = static_cast<std::size_t>(suite.memory_gb * 1e9);
  pool.timeout_s = suite.timeout_s;
  limit_methods(todo, pool);
  Progress progress(suite.name, static_cast<Index>(todo.size()));
  std::exception_ptr fault;

  const auto job = [&](Index i) {
    return work_on(suite, *todo[static_cast<std::size_t>(i)], options, where_from, contexts).text();
  };
  const auto done = [&](const JobOutcome& outcome) {
    const auto number = static_cast<std::size_t>(outcome.job);
    const Cell& cell = *todo[number];
    Answer answer;
    try {
      answer = answer_of(outcome);
      if (answer.result == JobResult::environment) throw IoError(answer.status.message);
      // Samples that could not be measured stay what they are.
      if (outcome.kind != JobOutcome::Kind::finished && work[number] == Work::everything) {
        RawCell record;  // the worker could not leave a file: the parent does
        record.config = cell.config();
        record.sample_hash = cell.sample_hash;
        record.provenance = where_from;
        record.status = answer.status;
        record.method = cell.described();
        record.timing["wall_s"] = outcome.seconds;
        write_raw_cell(cell.key.raw_path(options.directory), record);
      }
    } catch (...) {
      fault = std::current_exception();
      return false;
    }
    count(answer, work[number], summary);
    progress.advance(cell.key.text());
    if (options.on_cell && answer.result == JobResult::done) options.on_cell(cell.key, answer.status);
    return true;
  };
  const auto jobs = static_cast<Index>(todo.size());
  summary.complete = options.in_process ? run_jobs_here(jobs, job, done) : run_jobs(jobs, pool, job, done);
  if (fault) std::rethrow_exception(fault);
  return summary;
}

}  // namespace onmanifold
