// SPDX-License-Identifier: Apache-2.0
#include "suite/evaluation.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/spec.hpp"

namespace onmanifold {
namespace {

std::vector<std::string> labels_of(const std::vector<LiftSpec>& lifts) {
  std::vector<std::string> labels;
  for (const LiftSpec& lift : lifts) {
    if (std::find(labels.begin(), labels.end(), lift.name) != labels.end()) {
      throw InvalidInput(fmt::format("lifts: '{}' appears twice", lift.name));
    }
    labels.push_back(lift.name);
  }
  return labels;
}

/// The label of the lift that does nothing, added if the caller asked for none.
std::string unlifted(SuiteSpec& suite) {
  for (const LiftSpec& lift : suite.lifts) {
    if (lift.type == LiftType::none) return lift.name;
  }
  return suite.lifts.emplace_back(make_lift_spec(std::string(name_of(LiftType::none)))).name;
}

MethodSpec registered_method(const std::string& name, const std::vector<std::string>& lifts,
                             const MethodRegistry& types) {
  const auto& entry = types.get(name);
  MethodSpec method;
  method.name = name;
  method.type = name;
  method.info = entry.info;
  Settings settings(Value(Value::Table{}), "method " + name);
  (void)entry.factory(settings);
  method.settings = Value(settings.resolved());
  method.lifts = lifts;
  return method;
}

}  // namespace

TaskSpec make_task_spec(Task task) {
  TaskSpec spec;
  spec.settings = Value(Value::Table{});
  spec.metrics = parse_metric_list(task.metrics);
  spec.task = std::move(task);
  return spec;
}

TaskSpec make_task_spec(const std::string& text) {
  Spec words = parse_spec(text, {.kind = "task", .is_text = nullptr, .takes_rest = nullptr});
  const auto factory = task_registry().get(words.name).factory;
  Settings settings(Value(std::move(words.settings)), "task " + words.name);
  Task task = factory(settings);
  settings.finish();
  TaskSpec spec = make_task_spec(std::move(task));
  spec.settings = Value(settings.resolved());
  return spec;
}

LiftSpec make_lift_spec(const std::string& text) {
  const Spec words = parse_spec(text, {.kind = "lift", .is_text = nullptr, .takes_rest = nullptr});
  LiftSpec lift;
  lift.type = parse_named<LiftType>(words.name);
  lift.name = text;
  std::replace_if(
      lift.name.begin(), lift.name.end(), [](char c) { return c == ':' || c == '=' || c == ','; }, '-');
  Settings settings(Value(words.settings), fmt::format("lift '{}'", text));
  if (lift.type != LiftType::none) {
    if (settings.has("sigma")) {
      lift.sigma = settings.number("sigma", 0, std::numeric_limits<double>::min(), std::numeric_limits<double>::max(),
                                   "standard deviation of the noise in data units");
    } else {
      lift.factor = settings.number("factor", 1, 1e-6, 1e6, "multiple of the pre-registered level");
    }
  }
  settings.finish();
  return lift;
}

RunSummary evaluate(const OwnMethod& method, const EvaluationPlan& plan, const RunOptions& options) {
  if (plan.tasks.empty()) throw InvalidInput("evaluate: tasks: there are none");
  if (plan.n_train < 1 || plan.n_samples < 1 || plan.n_reference < 2) {
    throw InvalidInput(fmt::format("evaluate: {} training points, {} samples and {} reference points", plan.n_train,
                                   plan.n_samples, plan.n_reference));
  }
  check_path_part(method.name, "evaluate: method");
  check_path_part(plan.suite, "evaluate: suite");
  // A copy of the registry with one more entry: whoever reads the cells finds the type of every method in it.
  MethodRegistry types = method_registry();
  types.add(method.name, "a method of the caller", method.make, method.info);

  SuiteSpec suite;
  suite.source = "evaluate";
  suite.name = plan.suite;
  suite.first_replicate = plan.replicates.first;
  suite.last_replicate = plan.replicates.last;
  suite.n_train = plan.n_train;
  suite.n_samples = plan.n_samples;
  suite.n_reference = plan.n_reference;
  suite.method_types = &types;
  suite.diagnostic_types = &diagnostic_registry();
  suite.lifts = plan.lifts;
  if (suite.lifts.empty()) suite.lifts.push_back(make_lift_spec("none"));
  const std::vector<std::string> labels = labels_of(suite.lifts);
  for (const TaskSpec& task : plan.tasks) {
    check_path_part(task.task.name, "evaluate: task");
    suite.tasks.push_back(std::make_shared<const TaskSpec>(task));
  }

  MethodSpec own;
  own.name = method.name;
  own.type = method.name;
  own.info = method.info;
  own.settings = Value(method.settings);
  own.inputs = method.inputs;
  own.lifts = labels;
  suite.methods.push_back(std::move(own));
  for (const std::string& name : plan.beside) {
    // Only learners see a lift: a control with several would be the same numbers under several names.
    const bool learns = types.get(name).info.role == MethodRole::learner;
    suite.methods.push_back(registered_method(name, learns ? labels : std::vector{unlifted(suite)}, types));
  }
  return run_suite(suite, options);
}

}  // namespace onmanifold
