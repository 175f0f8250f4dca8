// SPDX-License-Identifier: Apache-2.0
#include "results/old_files.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/error.hpp"
#include "core/spec.hpp"

namespace onmanifold {
namespace {

struct OldMethod {
  std::string_view type;
  MethodRole role;
  Place place = Place::nowhere;
  std::string_view varies = "";
  bool floor = false;
  bool foreign = false;
};
constexpr std::array<OldMethod, 15> old_methods = {
    {{"oracle", MethodRole::oracle},
     {"exact_score", MethodRole::analytic},
     {"gaussian", MethodRole::control, Place::nowhere, "", true},
     {"memorizer", MethodRole::control},
     {"external", MethodRole::learner, Place::nowhere, "", false, true},
     {"niso", MethodRole::learner, Place::noise, "ddpm"},
     {"tango", MethodRole::learner, Place::loss, "ddpm"},
     {"pidm", MethodRole::learner, Place::penalty, "ddpm"},
     {"mad", MethodRole::learner, Place::target, "ddpm"},
     {"pdm", MethodRole::learner, Place::sampling, "ddpm"},
     {"rsgm", MethodRole::learner, Place::intrinsic, "ddpm"},
     {"riemannian_flow_matching", MethodRole::learner, Place::intrinsic, "flow_matching"},
     {"autoencoder_ddpm", MethodRole::learner, Place::two_steps, "ddpm"},
     {"vae_ddpm", MethodRole::learner, Place::two_steps, "vae"},
     {"vae_flow", MethodRole::learner, Place::two_steps, "spline_flow"}}};

/// Metrics that ask how well samples keep to the manifold, or to the range of its coordinates.
constexpr std::array<std::string_view, 9> old_constraints = {
    "constraint_mean",         "constraint_max",          "violation_rate",
    "negative_pixel_rate",     "negative_pixel_mass",     "projection_distance",
    "projection_distance_rms", "projection_distance_max", "projection_fail_rate"};
/// Others that look at what a method gave, or not at samples at all.
constexpr std::array<std::string_view, 3> old_raw = {"nll", "score_mse", "train_copy_rate"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

CellMethod method_of_old_file(const Value& config) {
  CellMethod method;
  method.type = find_text(config, "method.type");
  const auto* const known = std::find_if(old_methods.begin(), old_methods.end(),
                                         [&](const OldMethod& old) { return old.type == method.type; });
  if (known != old_methods.end()) {
    method.info.role = known->role;
    method.info.place = known->place;
    method.info.varies = known->varies;
    method.info.floor = known->floor;
    method.info.foreign = known->foreign;
  }
  method.lift = find_named<LiftType>(find_text(config, "lift.type")).value_or(LiftType::none);
  return method;
}

void add_old_metrics(MetricsCell& cell) {
  for (const auto* records : {&cell.raw, &cell.projected}) {
    for (const MetricRecord& record : *records) {
      if (!record.direction) continue;  // it broke down: nothing is known of it
      MetricInfo info;
      info.direction = *record.direction;
      info.unit = record.unit;
      info.constraint = contains(old_constraints, record.name);
      info.samples = info.constraint || contains(old_raw, record.name) ? SampleKind::raw : SampleKind::projected;
      cell.metrics.emplace(record.name, std::move(info));
    }
  }
}

SuiteInfo suite_of_old_file(const TaskFile& task) {
  const std::string name = find_text(task.details, "suite");
  const bool shown = name == "quick" || name == "smoke";
  return {
      .name = name, .purpose = shown ? SuitePurpose::demonstration : SuitePurpose::study, .claims = name == "claims"};
}

std::string primary_metric_of_old_file(const TaskFile& task) try {
  return parse_spec_list(find_text(task.details, "metrics"),
                         {.kind = "metric", .is_text = nullptr, .takes_rest = nullptr})
      .front()
      .name;
} catch (const InvalidInput&) {
  return {};
}

}  // namespace onmanifold
