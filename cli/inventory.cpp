// SPDX-License-Identifier: Apache-2.0
#include "cli/inventory.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "datasets/task.hpp"
#include "diagnostics/diagnostic.hpp"
#include "manifolds/registry.hpp"
#include "metrics/registry.hpp"
#include "models/registry.hpp"
#include "reports/claims.hpp"
#include "suite/score.hpp"
#include "suite/suite_spec.hpp"

namespace onmanifold {
namespace {

std::string settings_text(const Value::Table& settings) {
  std::string text;
  for (const auto& [key, value] : settings) text += fmt::format("  {} = {}\n", key, to_json(value));
  return text.empty() ? "  none\n" : text;
}

/// "exact (lifts none, normal)", or "not known".
std::string noised_score(const Task& task) {
  std::vector<std::string> lifts;
  for (const LiftType type : {LiftType::none, LiftType::normal, LiftType::isotropic}) {
    if (task.diffused_score({type, type == LiftType::none ? 0.0 : task.preregistered_sigma})) {
      lifts.push_back(to_string(type));
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
  return properties + "\nSettings of a [[task]] table, with their defaults:\n" + settings_text(settings.resolved());
}

template <class Factory>
std::string settings_detail(const typename Registry<Factory>::Entry& entry, const std::string& heading) {
  Settings settings(Value::Table{}, entry.name);
  std::string needed;  // by units that cannot be made from defaults alone
  try {
    (void)entry.factory(settings);
  } catch (const InvalidInput& error) {
    needed = fmt::format("\n{}\n", error.what());
  }
  return fmt::format("{}\n\n{}\n{}{}", entry.description, heading, settings_text(settings.resolved()), needed);
}

std::string suite_detail(const ShippedSuite& shipped) {
  const SuiteSpec suite = load_suite(shipped.name);
  std::string text = fmt::format("{}\n\n", shipped.description);
  text += fmt::format("file         {}\n", suite.source);
  text += fmt::format("cells        {}\n", expand(suite).size());
  text += fmt::format("replicates   {}..{}\n", suite.first_replicate, suite.last_replicate);
  text += fmt::format("sizes        n_train {}, n_samples {}, n_reference {}\n", suite.n_train, suite.n_samples,
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
                               return settings_detail<MethodFactory>(
                                   entry, "Settings of a [[method]] table, with their defaults:");
                             }});
  }
  kinds.push_back(std::move(methods));
  const auto fixed = [](std::string name, const std::string& description) {
    return InventoryItem{std::move(name), description, [description] { return description + "\n"; }};
  };
  kinds.push_back(
      {"lifts",
       {fixed("none", "training data as they are"),
        fixed("normal", "Gaussian noise of level sigma in the normal directions only (manifold-aware perturbation)"),
        fixed("isotropic", "Gaussian noise of level sigma in all directions (control)")}});
  InventoryKind manifolds{"manifolds", {}};
  for (const auto& entry : manifold_registry().entries()) {
    manifolds.items.push_back(fixed(entry.name, entry.description));
  }
  kinds.push_back(std::move(manifolds));
  InventoryKind metrics{"metrics", {}};
  for (const auto& entry : metric_registry().entries()) {
    metrics.items.push_back({entry.name, entry.description, [&entry] {
                               return settings_detail<MetricFactory>(entry, "Settings, with their defaults:");
                             }});
  }
  kinds.push_back(std::move(metrics));
  InventoryKind diagnostics{"diagnostics", {}};
  for (const auto& entry : diagnostic_registry().entries()) {
    diagnostics.items.push_back({entry.name, entry.description, [&entry] {
                                   return settings_detail<DiagnosticFactory>(
                                       entry, "Settings of a [[diagnostic]] table, with their defaults:");
                                 }});
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
