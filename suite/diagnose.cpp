// SPDX-License-Identifier: Apache-2.0
#include "suite/diagnose.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/suggestion.hpp"
#include "diagnostics/cell_input.hpp"
#include "diagnostics/diagnostic.hpp"
#include "suite/task_context.hpp"

namespace onmanifold {
namespace {

constexpr Index default_levels = 40;

/// Stands for the model behind a score of which nothing else is known.
class UnknownModel final : public GenerativeModel {
  void do_fit(const FitContext&) override {}
  [[nodiscard]] Points do_sample(Index, const Stream&) const override {
    throw Unsupported("only the score of the model is known, it cannot sample");
  }
};

bool asks_any_score(const DiagnosticInfo& info) {
  const auto needs = [&](Need need) {
    return std::find(info.needs.begin(), info.needs.end(), need) != info.needs.end();
  };
  return needs(Need::score) && !needs(Need::diffused_score);
}

std::unique_ptr<ScoreField> field_of(const ScoreToDiagnose& asked, const DiagnosticInput& input, Index dimension) {
  Vector levels = asked.levels;
  if (levels.size() == 0) levels = geometric_levels(10 * input.scale, smallest_level(input), default_levels);
  if (asked.function.score) return make_score_field(asked.function, dimension, std::move(levels));
  if (input.exact == nullptr) throw Unsupported("the score of this distribution under noise is not known: give one");
  return make_exact_score_field(*input.exact, std::move(levels));
}

}  // namespace

std::vector<std::string> score_diagnostics() {
  std::vector<std::string> names;
  for (const auto& entry : diagnostic_registry().entries()) {
    if (asks_any_score(entry.info)) names.push_back(entry.name);
  }
  return names;
}

std::map<std::string, DiagnosticRecord> diagnose(const Task& task, const ScoreToDiagnose& asked,
                                                 const std::vector<std::string>& names) {
  for (const auto& [name, settings] : asked.settings) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw InvalidInput("settings: " + unknown_name("diagnostic", name, names));
    }
  }
  const Stream draws = training_stream(task, 0, asked.replicate);
  const std::unique_ptr<TrainingSource> training =
      make_training_source(training_points(task, 0, asked.replicate, asked.n_train), *task.manifold, asked.lift, draws);
  const std::shared_ptr<const DiffusedScore> exact = task.diffused_score(asked.lift);
  const UnknownModel model;
  DiagnosticInput input{.manifold = task.manifold.get(),
                        .training = training.get(),
                        .model = &model,
                        .exact = exact.get(),
                        .sampler = task.sampler.get(),
                        .entropy = task.entropy,
                        .lift = asked.lift,
                        .smallest_noise = task.smallest_noise,
                        .sigma_grid = task.sigma_grid,
                        .scale = standardisation(*training).scale,
                        .stream = draws.at("diagnose")};
  const std::unique_ptr<ScoreField> field = field_of(asked, input, training->dimension());
  input.learned = field.get();
  std::map<std::string, DiagnosticRecord> records;
  for (const std::string& name : names) {
    const auto own = asked.settings.find(name);
    Settings settings(own == asked.settings.end() ? Value(Value::Table{}) : own->second, "diagnostic " + name);
    const std::unique_ptr<Diagnostic> diagnostic = diagnostic_registry().get(name).factory(settings);
    settings.finish();
    DiagnosticInput own_input = input;
    own_input.stream = input.stream.at(name);
    DiagnosticRecord& record = records[name];
    try {
      record.numbers = diagnostic->run(own_input);
    } catch (const Unsupported& error) {
      record.status = {RecordState::unsupported, error.what()};
    }
  }
  return records;
}

}  // namespace onmanifold
