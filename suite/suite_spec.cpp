// SPDX-License-Identifier: Apache-2.0
#include "suite/suite_spec.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"
#include "core/files/shipped_file.hpp"
#include "core/suggestion.hpp"
#include "datasets/readers/missing_data.hpp"
#include "manifolds/registry.hpp"
#include "suite/toml_file.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

}  // namespace

void check_path_part(const std::string& name, const std::string& where) {
  const bool good = !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (!good) {
    throw InvalidInput(
        fmt::format("{}: '{}' cannot be a part of a path (use letters, digits, '-', '_', '.')", where, name));
  }
}

namespace {

/// The tables of an array of tables, or none. \throw InvalidInput if the key holds something else.
std::vector<Value> tables(const Value::Table& root, const std::string& key, const std::string& source) {
  const auto entry = root.find(key);
  if (entry == root.end()) return {};
  const auto* array = entry->second.get_if<Value::Array>();
  if (array == nullptr) {
    throw InvalidInput(fmt::format("{}: line {}: {} is written [[{}]]", source, entry->second.line, key, key));
  }
  return *array;
}

/// Takes keys out of a table: what is left belongs to a method or a task.
Value without(const Value& value, const std::set<std::string>& keys) {
  const auto* table = value.get_if<Value::Table>();
  if (table == nullptr) return value;
  Value::Table rest;
  for (const auto& [key, item] : *table) {
    if (!keys.contains(key)) rest.emplace(key, item);
  }
  Value result(std::move(rest));
  result.line = value.line;
  return result;
}

Value only(const Value& value, const std::set<std::string>& keys) {
  const auto* table = value.get_if<Value::Table>();
  if (table == nullptr) return value;
  Value::Table part;
  for (const auto& [key, item] : *table) {
    if (keys.contains(key)) part.emplace(key, item);
  }
  Value result(std::move(part));
  result.line = value.line;
  return result;
}

bool matches(const std::string& glob, const std::string& name) {
  return fnmatch(glob.c_str(), name.c_str(), 0) == 0;
}

/// Asks for the level of a lift and for what it is a multiple of.
void read_level(Settings& settings, LiftSpec& lift, const Value* sigma) {
  constexpr const char* meaning =
      "standard deviation of the noise in data units, or the pre-registered level of the task";
  if (sigma != nullptr && sigma->get_if<std::string>() == nullptr) {
    lift.sigma = settings.number("sigma", 0, 1e-12, 1e12, meaning);
    if (settings.has("factor")) {
      throw InvalidInput(settings.locate("factor") + ": only a pre-registered level has a factor");
    }
    if (lift.type == LiftType::none) throw InvalidInput(settings.locate("sigma") + ": the lift 'none' has no level");
    return;
  }
  settings.choice("sigma", "preregistered", {"preregistered"}, meaning);
  lift.factor = settings.number("factor", 1, 1e-6, 1e6, "multiple of the pre-registered level");
}

LiftSpec read_lift(const Value& table, const std::string& source) {
  Settings settings(table, source + ": [[lift]]");
  LiftSpec lift;
  lift.name = settings.required_text("name");
  check_path_part(lift.name, settings.locate("name"));
  try {
    lift.type = parse_named<LiftType>(settings.required_text("type"));
  } catch (const InvalidInput& error) {
    throw InvalidInput(fmt::format("{}: {}", settings.locate("type"), error.what()));
  }
  // Reports, claims and people read these words as what they say.
  const std::optional<LiftType> word = find_named<LiftType>(lift.name);
  if (word && *word != lift.type) {
    throw InvalidInput(fmt::format("{}: a lift called '{}' is of that type, not '{}': give it another name",
                                   settings.locate("name"), lift.name, name_of(lift.type)));
  }
  const auto* entries = table.get_if<Value::Table>();
  const auto sigma = entries->find("sigma");
  read_level(settings, lift, sigma == entries->end() ? nullptr : &sigma->second);
  settings.finish();
  return lift;
}

/// The registry's entry for the name that \p head has under \p key. \throw InvalidInput that says where.
template <class Units>
const typename Units::Entry& entry_of(const Units& units, const std::string& name, const Settings& head,
                                      const char* key) {
  try {
    return units.get(name);
  } catch (const InvalidInput& error) {
    throw InvalidInput(fmt::format("{}: {}", head.locate(key), error.what()));
  }
}

constexpr Index most_points = 1'000'000'000;
constexpr const char* rate_key = "learning_rate";

/// n_train of a table: a number, or fresh_points for "fresh".
Index read_n_train(Settings& head, const Value& table, Index fallback) {
  const auto* keys = table.get_if<Value::Table>();
  const auto found = keys->find("n_train");
  const auto* word = found == keys->end() ? nullptr : found->second.get_if<std::string>();
  // Any other text is what any other text would be without the word: no integer.
  if (word == nullptr || *word != "fresh") return head.integer("n_train", fallback, 1, most_points);
  (void)head.choice("n_train", "fresh", {"fresh"});
  return fresh_points;
}

/// Null, and a line in \p left_out, where the task is optional and its data are not there.
std::shared_ptr<const TaskSpec> read_task(const Value& table, const std::string& source,
                                          std::vector<std::string>& left_out) {
  const std::string where = source + ": [[task]]";
  const std::set<std::string> own = {"name", "optional", "n_train", "n_samples", "n_reference", "seeds"};
  Settings head(only(table, own), where);
  const std::string name = head.required_text("name");
  const bool optional = head.boolean("optional", false);
  const auto& entry = entry_of(task_registry(), name, head, "name");
  Settings settings(without(table, own), where);
  auto spec = std::make_shared<TaskSpec>();
  if (head.has("n_train")) spec->n_train = read_n_train(head, table, 1);
  if (head.has("n_samples")) spec->n_samples = head.integer("n_samples", 0, 1, most_points);
  if (head.has("n_reference")) spec->n_reference = head.integer("n_reference", 0, 1, most_points);
  const std::string seeds = head.text("seeds", "");
  if (!seeds.empty()) spec->replicates = parse_replicates(seeds, head.locate("seeds"));
  try {
    spec->task = entry.factory(settings);
  } catch (const MissingData& error) {
    if (!optional) throw;
    left_out.push_back(fmt::format("{}: {}", name, error.what()));
    return nullptr;
  }
  settings.finish();
  spec->settings = Value(settings.resolved());
  try {
    spec->metrics = parse_metric_list(spec->task.metrics);
    for (const MetricSpec& metric : spec->metrics) (void)make_metric(metric);
  } catch (const InvalidInput& error) {
    throw InvalidInput(fmt::format("{}: {}", settings.locate("metrics"), error.what()));
  }
  return spec;
}

template <class Items>
void check_globs(const std::vector<std::string>& globs, const Items& names, const std::string& where,
                 const std::string& kind) {
  for (const std::string& glob : globs) {
    if (std::none_of(names.begin(), names.end(), [&](const std::string& name) { return matches(glob, name); })) {
      throw InvalidInput(
          fmt::format("{}: '{}' matches no {} (there are: {})", where, glob, kind, fmt::join(names, ", ")));
    }
  }
}

void check_lifts(const MethodSpec& method, const std::vector<LiftSpec>& lifts, const std::string& where) {
  std::vector<std::string> names;
  for (const LiftSpec& known : lifts) names.push_back(known.name);
  for (const std::string& lift : method.lifts) {
    if (std::find(names.begin(), names.end(), lift) == names.end()) {
      throw InvalidInput(fmt::format("{}: {}", where, unknown_name("lift", lift, names)));
    }
  }
}

MethodSpec read_method(const Value& table, const std::string& source, const MethodRegistry& types,
                       const std::vector<LiftSpec>& lifts, const std::vector<std::string>& tasks) {
  const std::string where = source + ": [[method]]";
  std::set<std::string> own = {"name", "type", "lifts", "tasks", "n_train"};
  Settings label(only(table, {"name", "type"}), where);
  MethodSpec method;
  method.name = label.required_text("name");
  check_path_part(method.name, label.locate("name"));
  method.type = label.text("type", method.name);
  const auto& entry = entry_of(types, method.type, label, "type");
  method.info = entry.info;
  if (entry.info.foreign) own.insert({"role", "place", "max_parallel"});
  Settings head(only(table, own), where);
  method.lifts = head.texts("lifts", {"none"});
  method.tasks = head.texts("tasks", {"*"});
  if (head.has("n_train")) method.n_train = read_n_train(head, table, 1);
  if (entry.info.foreign) {
    method.info.role = head.choose("role", method.info.role);
    method.info.place = head.choose("place", method.info.place);
    if (head.has("max_parallel")) method.max_parallel = static_cast<int>(head.integer("max_parallel", 0, 1, 1000000));
  }
  check_globs(method.tasks, tasks, head.locate("tasks"), "[[task]]");
  check_lifts(method, lifts, head.locate("lifts"));
  // Made once here only to check the settings and to learn their resolved values.
  Settings settings(without(table, own), where);
  const std::unique_ptr<GenerativeModel> made = entry.factory(settings);
  settings.finish();
  for (const std::string& file : made->input_files()) {
    method.inputs.emplace(file, to_hex(sha256_of_file(file)).substr(0, 16));
  }
  method.states_rate = settings.has(rate_key);
  method.settings = Value(settings.resolved());
  return method;
}

DiagnosticSpec read_diagnostic(const Value& table, const std::string& source, const DiagnosticRegistry& types,
                               const SuiteSpec& suite, const std::vector<std::string>& tasks) {
  const std::string where = source + ": [[diagnostic]]";
  const std::set<std::string> own = {"name", "type", "methods", "tasks", "lifts"};
  Settings head(only(table, own), where);
  DiagnosticSpec diagnostic;
  diagnostic.name = head.required_text("name");
  check_path_part(diagnostic.name, head.locate("name"));
  diagnostic.type = head.text("type", diagnostic.name);
  std::set<std::string> methods;
  std::set<std::string> lifts;
  for (const MethodSpec& method : suite.methods) methods.insert(method.name);
  for (const LiftSpec& lift : suite.lifts) lifts.insert(lift.name);
  diagnostic.methods = head.texts("methods", diagnostic.methods);
  check_globs(diagnostic.methods, methods, head.locate("methods"), "[[method]]");
  diagnostic.tasks = head.texts("tasks", diagnostic.tasks);
  check_globs(diagnostic.tasks, tasks, head.locate("tasks"), "[[task]]");
  diagnostic.lifts = head.texts("lifts", diagnostic.lifts);
  check_globs(diagnostic.lifts, lifts, head.locate("lifts"), "lift");
  const auto& entry = entry_of(types, diagnostic.type, head, "type");
  Settings settings(without(table, own), where);
  (void)entry.factory(settings);
  settings.finish();
  diagnostic.settings = Value(settings.resolved());
  return diagnostic;
}

bool any_matches(const std::vector<std::string>& globs, const std::string& name) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) { return matches(glob, name); });
}

template <class T>
void check_unique(const std::vector<T>& items, const std::string& kind, const std::string& source) {
  std::set<std::string> seen;
  for (const T& item : items) {
    if (!seen.insert(item.name).second)
      throw InvalidInput(fmt::format("{}: {} '{}' appears twice", source, kind, item.name));
  }
}

std::string describe_first_comment(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const std::size_t start = line.find_first_not_of("# ");
  return line.starts_with('#') && start != std::string::npos ? line.substr(start) : std::string();
}

Value metric_list_value(const std::vector<MetricSpec>& metrics) {
  Value::Array list;
  for (const MetricSpec& metric : metrics) {
    list.push_back(Value::Table{{"name", metric.name}, {"settings", Value(metric.settings)}});
  }
  return list;
}

}  // namespace

ReplicateRange parse_replicates(const std::string& text, const std::string& where) {
  const auto number = [&](std::string_view part) {
    int value = -1;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || value < 0) {
      throw InvalidInput(fmt::format("{}: '{}' is not a range of replicates like 0..4", where, text));
    }
    return value;
  };
  const std::string_view view = text;
  const std::size_t dots = view.find("..");
  ReplicateRange range;
  range.first = number(view.substr(0, dots));
  range.last = dots == std::string_view::npos ? range.first : number(view.substr(dots + 2));
  if (range.last < range.first) throw InvalidInput(fmt::format("{}: the range '{}' is empty", where, text));
  return range;
}

namespace {

/// The table [suite].
void read_head(const Value& table, SuiteSpec& suite) {
  Settings settings(table, suite.source + ": [suite]");
  suite.name = settings.required_text("name");
  check_path_part(suite.name, settings.locate("name"));
  suite.purpose = settings.choose("purpose", SuitePurpose::study);
  suite.claims = settings.boolean("claims", false);
  suite.seed = static_cast<std::uint64_t>(settings.integer("seed", 0, 0));
  const ReplicateRange range = parse_replicates(settings.text("seeds", "0..4"), settings.locate("seeds"));
  suite.first_replicate = range.first;
  suite.last_replicate = range.last;
  suite.n_train = read_n_train(settings, table, suite.n_train);
  suite.n_samples = settings.integer("n_samples", suite.n_samples, 1, most_points);
  suite.n_reference = settings.integer("n_reference", suite.n_reference, 1, most_points);
  if (settings.has("keep_samples")) suite.keep_samples = settings.integer("keep_samples", 0, 0, most_points);
  suite.timeout_s = settings.number("timeout_s", suite.timeout_s, 0);
  suite.memory_gb = settings.number("memory_gb", suite.memory_gb, 0);
  if (settings.has("tuned")) {
    const fs::path file = settings.required_text("tuned");
    // Beside the suite, unless the path is absolute.
    suite.tuning = read_tuning((fs::path(suite.source).parent_path() / file).string());
    if (suite.tuning->seed == suite.seed) {
      throw InvalidInput(fmt::format("{}: {} was chosen on seed {}, which is the suite's own", settings.locate("tuned"),
                                     file.string(), suite.seed));
    }
  }
  settings.finish();
}

void read_lifts(const Value::Table& table, SuiteSpec& suite) {
  for (const Value& lift : tables(table, "lift", suite.source)) suite.lifts.push_back(read_lift(lift, suite.source));
  if (std::none_of(suite.lifts.begin(), suite.lifts.end(), [](const LiftSpec& lift) { return lift.name == "none"; })) {
    suite.lifts.insert(suite.lifts.begin(), LiftSpec{.name = "none", .type = LiftType::none, .sigma = {}});
  }
  check_unique(suite.lifts, "lift", suite.source);
}

/// \return the names of all tasks, of those left out as well.
std::vector<std::string> read_tasks(const Value::Table& table, SuiteSpec& suite) {
  std::vector<std::string> named;
  for (const Value& one : tables(table, "task", suite.source)) {
    std::shared_ptr<const TaskSpec> task = read_task(one, suite.source, suite.left_out);
    const std::string name = task ? task->task.name : suite.left_out.back().substr(0, suite.left_out.back().find(':'));
    if (std::find(named.begin(), named.end(), name) != named.end()) {
      throw InvalidInput(fmt::format("{}: task '{}' appears twice", suite.source, name));
    }
    named.push_back(name);
    if (task) suite.tasks.push_back(std::move(task));
  }
  return named;
}

void read_methods(const Value::Table& table, const std::vector<std::string>& tasks, SuiteSpec& suite) {
  for (const Value& method : tables(table, "method", suite.source)) {
    suite.methods.push_back(read_method(method, suite.source, *suite.method_types, suite.lifts, tasks));
  }
  // A name may stand for other settings on other tasks, but for one method on each of them.
  for (const std::string& task : tasks) {
    std::set<std::string> seen;
    for (const MethodSpec& method : suite.methods) {
      if (runs_on(method, task) && !seen.insert(method.name).second) {
        throw InvalidInput(fmt::format("{}: method '{}' appears twice for task '{}'", suite.source, method.name, task));
      }
    }
  }
}

/// \throw InvalidInput where it leaves out nothing: a misspelt name would go unnoticed.
Exclusion read_exclusion(const Value& table, const SuiteSpec& suite, const std::vector<std::string>& tasks) {
  Settings keys(table, suite.source + ": [[exclude]]");
  Exclusion exclusion;
  exclusion.task = keys.text("task", "*");
  exclusion.method = keys.text("method", "*");
  exclusion.lift = keys.text("lift", "*");
  keys.finish();
  const auto leaves_out = [&](const std::string& task, const MethodSpec& method) {
    return matches(exclusion.task, task) && matches(exclusion.method, method.name) && runs_on(method, task) &&
           std::any_of(method.lifts.begin(), method.lifts.end(),
                       [&](const std::string& lift) { return matches(exclusion.lift, lift); });
  };
  const bool useful = std::any_of(tasks.begin(), tasks.end(), [&](const std::string& task) {
    return std::any_of(suite.methods.begin(), suite.methods.end(),
                       [&](const MethodSpec& method) { return leaves_out(task, method); });
  });
  if (!useful) {
    throw InvalidInput(fmt::format("{}: line {}: [[exclude]] matches no cell (task '{}', method '{}', lift '{}')",
                                   suite.source, table.line, exclusion.task, exclusion.method, exclusion.lift));
  }
  return exclusion;
}

}  // namespace

SuiteSpec parse_suite(const Value& root, const std::string& source, const MethodRegistry& method_types,
                      const DiagnosticRegistry& diagnostic_types) {
  // Asks for every section, so that a misspelt one is refused with its line.
  Settings sections(root, source);
  const auto* table = root.get_if<Value::Table>();
  const std::set<std::string> known = {"suite", "task", "lift", "method", "exclude", "diagnostic"};
  for (const auto& [key, value] : *table) {
    if (!known.contains(key)) {
      throw InvalidInput(fmt::format("{}: unknown key (known: {})", sections.locate(key), fmt::join(known, ", ")));
    }
  }
  const auto head = table->find("suite");
  if (head == table->end()) throw InvalidInput(fmt::format("{}: the table [suite] is missing", source));

  SuiteSpec suite;
  suite.source = source;
  suite.method_types = &method_types;
  suite.diagnostic_types = &diagnostic_types;
  read_head(head->second, suite);
  read_lifts(*table, suite);
  const std::vector<std::string> named_tasks = read_tasks(*table, suite);
  read_methods(*table, named_tasks, suite);
  if (suite.tasks.empty()) {
    throw InvalidInput(suite.left_out.empty() ? fmt::format("{}: no [[task]]", source)
                                              : fmt::format("{}: no task has its data; {}", source, suite.left_out[0]));
  }
  if (suite.methods.empty()) throw InvalidInput(fmt::format("{}: no [[method]]", source));
  for (const Value& diagnostic : tables(*table, "diagnostic", source)) {
    suite.diagnostics.push_back(read_diagnostic(diagnostic, source, diagnostic_types, suite, named_tasks));
  }
  check_unique(suite.diagnostics, "diagnostic", source);
  for (const Value& exclude : tables(*table, "exclude", source)) {
    suite.exclusions.push_back(read_exclusion(exclude, suite, named_tasks));
  }
  return suite;
}

SampleSizes sizes_of(const SuiteSpec& suite, const TaskSpec& task) {
  const Index train = task.n_train.value_or(suite.n_train);
  return {.train = train == fresh_points ? fresh_pass : train,
          .fresh = train == fresh_points,
          .samples = task.n_samples.value_or(suite.n_samples),
          .reference = task.n_reference.value_or(suite.n_reference)};
}

ReplicateRange replicates_of(const SuiteSpec& suite, const TaskSpec& task) {
  const ReplicateRange all{suite.first_replicate, suite.last_replicate};
  const ReplicateRange own = task.replicates.value_or(all);
  return {std::max(all.first, own.first), std::min(all.last, own.last)};
}

std::vector<ShippedSuite> shipped_suites() {
  std::vector<ShippedSuite> suites;
  for (const fs::directory_entry& entry : fs::directory_iterator(shipped_file("suite/suites"))) {
    if (entry.path().extension() != ".toml") continue;
    suites.push_back({entry.path().stem().string(), entry.path().string(), describe_first_comment(entry.path())});
  }
  std::sort(suites.begin(), suites.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return suites;
}

SuiteSpec load_suite(const std::string& name_or_path, const MethodRegistry& method_types) {
  if (name_or_path.ends_with(".toml") || name_or_path.find('/') != std::string::npos) {
    return parse_suite(read_toml_file(name_or_path), name_or_path, method_types);
  }
  std::vector<std::string> names;
  for (const ShippedSuite& suite : shipped_suites()) {
    if (suite.name == name_or_path) return parse_suite(read_toml_file(suite.path), suite.path, method_types);
    names.push_back(suite.name);
  }
  throw InvalidInput(unknown_name("suite", name_or_path, names) + "; a file needs its .toml");
}

bool is_tuned(const MethodSpec& method) {
  const auto* settings = method.settings.get_if<Value::Table>();
  return method.info.role == MethodRole::learner && !method.states_rate && settings != nullptr &&
         settings->contains(rate_key);
}

MethodSpec with_learning_rate(const MethodSpec& method, double rate) {
  MethodSpec result = method;
  result.settings.get_if<Value::Table>()->insert_or_assign(rate_key, rate);
  return result;
}

bool runs_on(const MethodSpec& method, const std::string& task) {
  return any_matches(method.tasks, task);
}

bool is_excluded(const SuiteSpec& suite, const std::string& task, const std::string& method, const std::string& lift) {
  return std::any_of(suite.exclusions.begin(), suite.exclusions.end(), [&](const Exclusion& exclusion) {
    return matches(exclusion.task, task) && matches(exclusion.method, method) && matches(exclusion.lift, lift);
  });
}

std::string family_of(const Task& task) {
  return manifold_kind(task.manifold->spec());
}

std::string settings_digest(const MethodSpec& method) {
  return to_hex(
      sha256(to_json(Value::Table{{"type", method.type}, {"settings", without(method.settings, {rate_key})}})));
}

Lift resolve(const LiftSpec& lift, const Task& task) {
  Lift result;
  result.type = lift.type;
  if (lift.type != LiftType::none) result.sigma = lift.sigma.value_or(lift.factor * task.preregistered_sigma);
  return result;
}

Value Cell::config() const {
  Value value = *arm_config;
  value.get_if<Value::Table>()->emplace("replicate", key.seed);
  return value;
}

Value Cell::metric_config() const {
  Value value = *arm_metric_config;
  value.get_if<Value::Table>()->emplace("sample_hash", sample_hash);
  return value;
}

std::string lift_description(LiftType type) {
  switch (type) {
    case LiftType::none:
      break;
    case LiftType::normal:
      return "Gaussian noise of level sigma in the normal directions only (manifold-aware perturbation)";
    case LiftType::isotropic:
      return "Gaussian noise of level sigma in all directions (control)";
  }
  return "training data as they are";
}

std::vector<SettingInfo> lift_settings(LiftType type) {
  if (type == LiftType::none) return {};
  Settings settings(Value::Table{}, std::string(name_of(type)));
  LiftSpec lift{.name = {}, .type = type, .sigma = {}};
  read_level(settings, lift, nullptr);
  return settings.asked();
}

namespace {

/// The method with the learning rate that was chosen for it here.
std::shared_ptr<const MethodSpec> tuned_method(const SuiteSpec& suite, const Task& task,
                                               const std::shared_ptr<const MethodSpec>& method,
                                               const std::string& lift) {
  if (!suite.tuning || !is_tuned(*method)) return method;
  const std::string family = family_of(task);
  const TunedConfiguration* found = suite.tuning->find(method->name, lift, family);
  const std::string again = fmt::format("run onmanifold tune {} again", suite.source);
  if (found == nullptr) {
    throw InvalidInput(fmt::format("{}: [suite]: tuned: no trial of {} with lift {} on {} (task {}); {}", suite.source,
                                   method->name, lift, family, task.name, again));
  }
  if (found->settings != settings_digest(*method)) {
    throw InvalidInput(fmt::format("{}: [suite]: tuned: {} with lift {} on {} was tuned with other settings; {}",
                                   suite.source, method->name, lift, family, again));
  }
  if (!found->learning_rate) return method;
  return std::make_shared<const MethodSpec>(with_learning_rate(*method, *found->learning_rate));
}

/// A cell without its replicate and hashes. Metric settings are not what samples depend on: a changed metric list
/// recomputes metrics only.
Cell make_arm(const SuiteSpec& suite, const std::shared_ptr<const TaskSpec>& task,
              const std::shared_ptr<const MethodSpec>& stated, const LiftSpec& lift) {
  const SampleSizes sizes = sizes_of(suite, *task);
  const std::shared_ptr<const MethodSpec> method = tuned_method(suite, task->task, stated, lift.name);
  Cell cell;
  cell.key = {task->task.name, method->name, lift.name, 0};
  cell.task = task;
  cell.method = method;
  cell.lift = resolve(lift, task->task);
  cell.fresh = method->n_train ? *method->n_train == fresh_points : sizes.fresh;
  cell.n_train = cell.fresh ? fresh_pass : method->n_train.value_or(sizes.train);
  if (cell.fresh && task->task.splits) {
    throw InvalidInput(
        fmt::format("{}: n_train = \"fresh\" needs a task whose law can be drawn from, and {} is a data set",
                    suite.source, task->task.name));
  }
  Value::Table asked;
  for (const DiagnosticSpec& diagnostic : suite.diagnostics) {
    if (any_matches(diagnostic.methods, method->name) && any_matches(diagnostic.tasks, task->task.name) &&
        any_matches(diagnostic.lifts, lift.name)) {
      cell.diagnostics.push_back(diagnostic);
      asked[diagnostic.name] = Value::Table{{"type", diagnostic.type}, {"settings", diagnostic.settings}};
    }
  }
  Value::Table config = {
      {"schema", schema_version},
      {"task", Value::Table{{"name", task->task.name},
                            {"version", task->task.version},
                            {"data_hash", task->task.data_hash},
                            {"s_min", task->task.smallest_noise},
                            {"settings", without(task->settings, {"metrics", "bins"})}}},
      {"method", Value::Table{{"name", method->name}, {"type", method->type}, {"settings", method->settings}}},
      {"lift",
       Value::Table{{"name", lift.name}, {"type", std::string(name_of(cell.lift.type))}, {"sigma", cell.lift.sigma}}},
      {"n_train", static_cast<std::int64_t>(cell.n_train)},
      {"n_samples", static_cast<std::int64_t>(sizes.samples)},
      {"seed", static_cast<std::int64_t>(suite.seed)}};
  if (!method->inputs.empty()) config.at("method").get_if<Value::Table>()->emplace("inputs", method->inputs);
  // Absent elsewhere, so that other cells keep their hashes.
  if (cell.fresh) config.emplace("fresh", true);
  // Absent where nothing is asked, so that results of suites without diagnostics keep their hashes.
  if (!asked.empty()) config.emplace("diagnostics", std::move(asked));
  cell.arm_config = std::make_shared<const Value>(std::move(config));
  cell.arm_metric_config = std::make_shared<const Value>(
      Value::Table{{"metrics", metric_list_value(task->metrics)},
                   {"n_reference", static_cast<std::int64_t>(sizes.reference)},
                   {"partition", task->task.partition ? Value(task->task.partition->description()) : Value()}});
  return cell;
}

}  // namespace

std::vector<Cell> expand(const SuiteSpec& suite) {
  // All are counted before any is made: a number of replicates that nobody means is refused at once.
  std::vector<std::pair<Cell, ReplicateRange>> arms;
  std::int64_t total = 0;
  for (const std::shared_ptr<const TaskSpec>& task : suite.tasks) {
    const ReplicateRange replicates = replicates_of(suite, *task);
    for (const MethodSpec& method : suite.methods) {
      if (!runs_on(method, task->task.name)) continue;
      const auto shared_method = std::make_shared<const MethodSpec>(method);
      for (const std::string& lift_name : method.lifts) {
        if (is_excluded(suite, task->task.name, method.name, lift_name)) continue;
        const auto lift = std::find_if(suite.lifts.begin(), suite.lifts.end(),
                                       [&](const LiftSpec& candidate) { return candidate.name == lift_name; });
        const std::int64_t count = std::max<std::int64_t>(std::int64_t{replicates.last} - replicates.first + 1, 0);
        if (count > most_cells - total) {
          throw InvalidInput(
              fmt::format("{}: replicates {}..{} are more than {} cells in all; run it in parts, by --seeds",
                          suite.source, replicates.first, replicates.last, most_cells));
        }
        total += count;
        arms.emplace_back(make_arm(suite, task, shared_method, *lift), replicates);
      }
    }
  }
  std::vector<Cell> cells;
  cells.reserve(static_cast<std::size_t>(total));
  for (const auto& [arm, replicates] : arms) {
    for (std::int64_t seed = replicates.first; seed <= replicates.last; ++seed) {
      Cell& cell = cells.emplace_back(arm);
      cell.key.seed = static_cast<int>(seed);
      cell.sample_hash = to_hex(sha256(to_json(cell.config())));
      cell.metric_hash = to_hex(sha256(to_json(cell.metric_config())));
    }
  }
  if (cells.empty()) throw InvalidInput(fmt::format("{}: every cell is excluded", suite.source));
  return cells;
}

}  // namespace onmanifold
