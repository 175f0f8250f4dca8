// SPDX-License-Identifier: Apache-2.0
#include "cli/inventory.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "claims/claims.hpp"
#include "core/error.hpp"
#include "datasets/task.hpp"
#include "diagnostics/diagnostic.hpp"
#include "manifolds/registry.hpp"
#include "metrics/registry.hpp"
#include "models/registry.hpp"
#include "suite/score.hpp"
#include "suite/suite_spec.hpp"

namespace onmanifold {
namespace {

std::string bound_text(const Value& bound) {
  const auto* number = bound.get_if<double>();
  return bound.is_null() ? "" : number != nullptr ? fmt::format("{:.6g}", *number) : to_json(bound);
}

/// "0 … 10", "≥ 1", "one of mlp, unet", "true or false".
std::string range_text(const SettingInfo& setting) {
  const std::string low = bound_text(setting.low);
  const std::string high = bound_text(setting.high);
  if (!setting.choices.empty()) return fmt::format("one of {}", fmt::join(setting.choices, ", "));
  if (!low.empty() && !high.empty()) return fmt::format("{} {} … {}", setting.kind, low, high);
  if (!low.empty()) return fmt::format("{} >= {}", setting.kind, low);
  if (!high.empty()) return fmt::format("{} <= {}", setting.kind, high);
  return std::string(setting.kind);
}

/// Two lines a setting: name, default and range, then what it means.
std::string settings_text(const std::vector<SettingInfo>& settings) {
  std::string text;
  for (const SettingInfo& setting : settings) {
    const std::string fallback = setting.fallback.is_null() ? "required" : to_json(setting.fallback);
    text += fmt::format("  {} = {}  ({})\n", setting.key, fallback, range_text(setting));
    if (!setting.meaning.empty()) text += fmt::format("      {}\n", setting.meaning);
  }
  return text.empty() ? "  none\n" : text;
}

template <class Enum>
std::string words(const std::vector<Enum>& values) {
  std::vector<std::string_view> names;
  for (const Enum value : values) names.push_back(name_of(value));
  return names.empty() ? "nothing more" : fmt::format("{}", fmt::join(names, ", "));
}

std::string info_text(const MethodInfo& info) {
  std::string text = fmt::format("role             {}\nhandled          {}\n", name_of(info.role), name_of(info.place));
  if (!info.varies.empty()) text += fmt::format("varies           {}\n", info.varies);
  return text + fmt::format("needs            {}\n", words(info.needs));
}

std::string info_text(const MetricInfo& info) {
  const auto end = [](double value) { return std::isinf(value) ? std::string() : fmt::format("{:.6g}", value); };
  const std::string low = end(info.lowest);
  const std::string high = end(info.highest);
  std::string text = fmt::format("definition       {}\n", info.definition);
  text += fmt::format("better           {}\n", name_of(info.direction));
  text += fmt::format("unit             {}\n", info.unit.empty() ? "none" : info.unit);
  text += fmt::format("range            {}\n", low.empty() && high.empty() ? "any number"
                                               : high.empty()              ? fmt::format(">= {}", low)
                                                                           : fmt::format("{} … {}", low, high));
  text += fmt::format("read on          {} samples{}\n", name_of(info.samples),
                      info.constraint ? ": it asks how well they keep to the manifold" : "");
  return text + fmt::format("needs            {}\n", words(info.needs));
}

std::string info_text(const DiagnosticInfo& info) {
  return fmt::format("needs            {}\n", words(info.needs));
}

/// "exact (lifts none, normal)", or "not known".
std::string noised_score(const Task& task) {
  std::vector<std::string> lifts;
  for (const LiftType type : {LiftType::none, LiftType::normal, LiftType::isotropic}) {
    if (task.diffused_score({type, type == LiftType::none ? 0.0 : task.preregistered_sigma})) {
      lifts.emplace_back(name_of(type));
    }
  }
  return lifts.empty() ? "not known" : fmt::format("exact (lifts {})", fmt::join(lifts, ", "));
}

std::string task_properties(const Task& task) {
  const Manifold& manifold = *task.manifold;
  std::string text = fmt::format("{}\n\n", task.description);
  text += fmt::format("version          {}\n", task.version);
  text += fmt::format("manifold         {}\n", manifold.spec());
  text += fmt::format("dimensions       D = {}, d = {}, k = {}\n", manifold.ambient_dimension(), manifold.dimension(),
                      manifold.codimension());
  text += fmt::format("reach            {}\n", manifold.reach());
  text += fmt::format("log-density      {}\n", task.density ? "exact" : "not known");
  text += std::isnan(task.entropy) ? "entropy (nats)   not known\n"
                                   : fmt::format("entropy (nats)   {:.6g}\n", task.entropy);
  text += fmt::format("noised score     {}\n", noised_score(task));
  if (task.partition) {
    text += fmt::format("partition        {} ({} cells, {})\n", task.partition->description(), task.partition->size(),
                        task.masses.size() > 0 ? "exact masses" : "masses from the reference split");
  }
  text += fmt::format("lift levels      {:.4g}\n", fmt::join(task.sigma_grid, ", "));
  text += fmt::format("pre-registered   {:.4g}\n", task.preregistered_sigma);
  text += fmt::format("smallest noise   {:.4g} (standardised units)\n", task.smallest_noise);
  text += fmt::format("metrics          {}\n", task.metrics);
  if (task.splits) {
    text += fmt::format("splits           train {}, validation {}, reference {}\n", task.splits->train->size(),
                        task.splits->validation->size(), task.splits->reference->size());
  }
  if (!task.source.empty()) text += fmt::format("source           {}\n", task.source);
  if (!task.licence.empty()) text += fmt::format("licence          {}\n", task.licence);
  return text + fmt::format("data hash        {}\n", task.data_hash);
}

std::string task_detail(const Registry<TaskFactory>::Entry& entry) {
  Settings settings(Value::Table{}, entry.name);
  std::string properties;
  try {
    properties = task_properties(entry.factory(settings));
  } catch (const InvalidInput& error) {  // data that are not shipped and not there, or a setting without a default
    properties = fmt::format("{}\n\nnot available: {}\n", entry.description, error.what());
  }
  // Refused for want of its data before any setting was read: nothing is known of those.
  if (settings.resolved().empty() && properties.find("not available") != std::string::npos) return properties;
  return properties + "\nSettings of a [[task]] table, with their defaults:\n" + settings_text(settings.asked());
}

template <class Entry>
std::string settings_detail(const Entry& entry, const std::string& heading) {
  Settings settings(Value::Table{}, entry.name);
  std::string needed;  // by units that cannot be made from defaults alone
  try {
    (void)entry.factory(settings);
  } catch (const InvalidInput& error) {
    needed = fmt::format("\n{}\n", error.what());
  }
  return fmt::format("{}\n\n{}\n{}\n{}{}", entry.description, info_text(entry.info), heading,
                     settings_text(settings.asked()), needed);
}

std::string suite_detail(const ShippedSuite& shipped) {
  const SuiteSpec suite = load_suite(shipped.name);
  std::string text = fmt::format("{}\n\n", shipped.description);
  text += fmt::format("file         {}\n", suite.source);
  text += fmt::format("cells        {}\n", expand(suite).size());
  text += fmt::format("replicates   {}..{}\n", suite.first_replicate, suite.last_replicate);
  text += fmt::format("sizes        n_train {}, n_samples {}, n_reference {}\n",
                      suite.n_train == fresh_points ? "fresh" : fmt::format("{}", suite.n_train), suite.n_samples,
                      suite.n_reference);
  text += "tasks       ";
  for (const auto& task : suite.tasks) text += " " + task->task.name;
  text += "\nmethods     ";
  for (const MethodSpec& method : suite.methods) {
    text += fmt::format(" {}({})", method.name, fmt::join(method.lifts, ", "));
  }
  return text + "\n";
}

}  // namespace

std::string describe_task(const std::string& text) {
  return task_properties(task_from_text(text));
}

std::vector<InventoryKind> make_inventory() {
  std::vector<InventoryKind> kinds;
  InventoryKind tasks{"tasks", {}};
  for (const auto& entry : task_registry().entries()) {
    tasks.items.push_back({entry.name, entry.description, [&entry] { return task_detail(entry); }});
  }
  kinds.push_back(std::move(tasks));
  InventoryKind methods{"methods", {}};
  for (const auto& entry : method_registry().entries()) {
    methods.items.push_back({entry.name, entry.description, [&entry] {
                               return settings_detail(entry, "Settings of a [[method]] table, with their defaults:");
                             }});
  }
  kinds.push_back(std::move(methods));
  const auto fixed = [](std::string name, const std::string& description) {
    return InventoryItem{std::move(name), description, [description] { return description + "\n"; }};
  };
  kinds.push_back({"lifts", {}});
  for (const LiftType type : {LiftType::none, LiftType::normal, LiftType::isotropic}) {
    const std::string description = lift_description(type);
    kinds.back().items.push_back({std::string(name_of(type)), description, [type, description] {
                                    return fmt::format("{}\n\nSettings of a [[lift]] table, with their defaults:\n{}",
                                                       description, settings_text(lift_settings(type)));
                                  }});
  }
  InventoryKind manifolds{"manifolds", {}};
  for (const auto& entry : manifold_registry().entries()) {
    manifolds.items.push_back(fixed(entry.name, entry.description));
  }
  kinds.push_back(std::move(manifolds));
  InventoryKind metrics{"metrics", {}};
  for (const auto& entry : metric_registry().entries()) {
    metrics.items.push_back(
        {entry.name, entry.description, [&entry] { return settings_detail(entry, "Settings, with their defaults:"); }});
  }
  kinds.push_back(std::move(metrics));
  InventoryKind diagnostics{"diagnostics", {}};
  for (const auto& entry : diagnostic_registry().entries()) {
    diagnostics.items.push_back(
        {entry.name, entry.description,
         [&entry] { return settings_detail(entry, "Settings of a [[diagnostic]] table, with their defaults:"); }});
  }
  kinds.push_back(std::move(diagnostics));
  InventoryKind claim_kind{"claims", {}};
  for (const Claim& claim : claims()) {
    claim_kind.items.push_back({claim.id, claim.statement, [&claim] { return claim_text(claim); }});
  }
  kinds.push_back(std::move(claim_kind));
  InventoryKind suites{"suites", {}};
  for (const ShippedSuite& suite : shipped_suites()) {
    suites.items.push_back({suite.name, suite.description, [suite] { return suite_detail(suite); }});
  }
  kinds.push_back(std::move(suites));
  return kinds;
}

}  // namespace onmanifold
