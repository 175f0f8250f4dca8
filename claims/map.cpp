// SPDX-License-Identifier: Apache-2.0
// Claims of "Manifold-Aware Perturbations for Constrained Generative Modeling" \cite keegan2026.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "claims/claim_numbers.hpp"
#include "claims/experiments.hpp"
#include "claims/papers.hpp"

namespace onmanifold {
namespace {

namespace names = claim_numbers;
using Curves = std::vector<CurveFigure>;

const std::vector<std::string> recovery_tasks = {"plane-gmm9", "flux-mnist14"};
const std::vector<std::string> curved_tasks = {"sphere-vmf6", "so3-fisher", "torus-vm"};
const std::vector<std::string> score_tasks = {"plane-gmm9", "sphere-vmf6", "so3-fisher"};
const std::vector<std::string> flow_tasks = {"plane-gmm9", "sphere-vmf6"};
const Configuration flow = {"spline_flow"};
const Configuration lifted_flow = {"spline_flow", "normal"};

/// The low-dimensional tasks, each with \p metric, or its own distance.
std::vector<Endpoint> low_dimension(const std::string& metric = "") {
  std::vector<Endpoint> ends = {
      {"plane-gmm9"}, {"sphere-vmf6"}, {"so3-fisher", "energy"}, {"bunny-eigen"}, {"torus-vm"}};
  for (Endpoint& end : ends) {
    if (!metric.empty()) end.metric = metric;
  }
  return ends;
}

double entry(const Vector& series, Index i) {
  return series.size() == 1 ? series[0] : i < series.size() ? series[i] : MetricRecord::unknown;
}

void affine_recovery(Evidence& e) {
  std::vector<ResidualCase> cases;
  for (const std::string& task : recovery_tasks) {
    const auto levels = e.series(task, oracle, names::lift_geometry, names::sigma);
    const auto jumps = e.series(task, oracle, names::lift_geometry, names::max_jump);
    for (const auto& [seed, jump] : jumps) {
      const auto place = levels.find(seed);
      if (place == levels.end()) continue;
      for (Index i = 0; i < jump.size(); ++i) {
        const double sigma = entry(place->second, i);
        cases.push_back({fmt::format("{} sigma {:.3g}", task, sigma), jump[i], 1e-10 * (1 + sigma)});
      }
    }
  }
  if (!cases.empty()) e.decision = residuals_within(cases);
}

void projected_distribution(Evidence& e) {
  std::vector<ProportionCase> cases;
  for (const std::string& task : curved_tasks) {
    const auto of = [&](const char* name, bool optional = false) {
      return e.series(task, oracle, names::lift_geometry, name, optional);
    };
    const auto levels = of(names::sigma);
    const auto rates = of(names::rate);
    const auto bounds = of(names::bound);
    const auto draws = of(names::draws);
    const auto exact = of(names::exact_rate, true);
    std::map<double, ProportionCase> pooled;  // over seeds: other points and other noise
    for (const auto& [seed, rate] : rates) {
      if (!levels.contains(seed) || !bounds.contains(seed) || !draws.contains(seed)) continue;
      for (Index i = 0; i < rate.size(); ++i) {
        const double sigma = entry(levels.at(seed), i);
        const double n = std::round(entry(draws.at(seed), i));
        if (!std::isfinite(rate[i]) || !(n > 0)) continue;
        ProportionCase& one = pooled[sigma];
        one.name = fmt::format("{} sigma {:.3g}", task, sigma);
        one.successes += std::round(rate[i] * n);
        one.trials += n;
        one.bound = entry(bounds.at(seed), i);
        if (exact.contains(seed)) one.exact = entry(exact.at(seed), i);
      }
    }
    for (const auto& [sigma, one] : pooled) cases.push_back(one);
  }
  if (!cases.empty()) e.decision = proportions_below(cases);
}

void exploding_score(Evidence& e) {
  for (const std::string& task : score_tasks) {
    e.number_within(task, oracle, names::score_norm_exact, names::slope, -2, 0.2);
    e.number_within(task, unlifted, names::score_norm, names::regression, 1, 0.25);
  }
}

void bounded_score(Evidence& e) {
  const Configuration exact = {"oracle", "normal"};
  for (const std::string& task : score_tasks) {
    e.check_visible(task, lifted);
    if (task != "so3-fisher") {  // the lifted distribution on the rotations has no closed form
      e.number_within(task, exact, names::score_norm_exact, names::slope, 0, 0.2);
      e.number_within(task, exact, names::score_norm_exact, names::ideal_ratio, 1, 0.1);
    }
    e.number_within(task, lifted, names::score_norm, names::regression, 1, 0.25);
  }
}

void diverging_likelihood(Evidence& e) {
  for (const std::string& task : flow_tasks) {
    const Series slopes = e.number(task, flow, names::likelihood_explosion, names::slope);
    const Series expected = e.number(task, flow, names::likelihood_explosion, names::expected);
    e.within(task, "slope - (d - D) of spline_flow", slopes - expected, 0, 0.2);
  }
}

void stable_likelihood(Evidence& e) {
  for (const std::string& task : flow_tasks) {
    e.check_visible(task, lifted_flow);
    e.number_beyond(task, lifted_flow, names::likelihood_explosion, names::gap_per_dimension, 0.1, false);
    const Series gaps = e.number(task, lifted_flow, names::likelihood_explosion, names::gap_per_dimension);
    const Series errors = e.number(task, lifted_flow, names::likelihood_explosion, names::gap_se);
    for (const auto& [seed, gap] : gaps) {
      if (errors.contains(seed) && gap < -4 * errors.at(seed))
        e.block(fmt::format("NLL below its floor: {} seed {}", task, seed));
    }
  }
}

void flux_distances(Evidence& e) {
  e.add(e.paired({{"flux-mnist14", "fd"}}, lifted, unlifted, unlifted), superiority);
  e.add(e.paired({{"flux-mnist14", "constraint_mean", SampleKind::raw}}, lifted, unlifted, unlifted), superiority);
  e.need_tests(2);
}

/// Every cell on disk that projects, whatever its configuration.
void constraints_hold(Evidence& e) {
  std::vector<ResidualCase> cases;
  int unprojected = 0;
  for (const TaskResult& task : e.results.tasks) {
    const double tolerance =
        task.file ? find_number(task.file->details, "constraint_tolerance") : MetricRecord::unknown;
    bool any = false;
    ResidualCase worst{task.name, 0, tolerance};
    for (const CellResult& cell : task.cells) {
      // A projection that fails leaves its sample where it is. That counts against the model elsewhere; here it would
      // hide what the claim is about.
      const auto fails = [](const MetricRecord& record) {
        return record.name == "projection_fail_rate" && record.value > 0;
      };
      const bool failing = std::any_of(cell.raw.begin(), cell.raw.end(), fails) ||
                           std::any_of(cell.projected.begin(), cell.projected.end(), fails);
      for (const MetricRecord& record : cell.projected) {
        if (record.name != "constraint_max") continue;
        any = true;
        if (failing) {
          ++unprojected;
        } else if (!(record.value <= worst.value)) {
          worst = {cell.key.text(), record.value, tolerance};
        }
      }
    }
    if (!any || !(tolerance >= 0)) {
      e.miss(fmt::format("constraint_max or its tolerance on {}", task.name));
      continue;
    }
    e.show(task.name, "largest constraint_max over tolerance", Vector::Constant(1, worst.value / tolerance),
           at_most(1));
    cases.push_back(worst);
  }
  e.touched = !cases.empty();
  if (cases.empty()) return;
  e.decision = residuals_within(cases);
  if (unprojected > 0) {
    e.decision->test.reason += fmt::format("; {} cells with samples that do not project are left out", unprojected);
  }
}

const std::string sweep_task = "sphere-vmf6";

/// Configurations of ddpm by the level of their normal lift, and the pre-registered level (or NaN).
std::map<double, Configuration> sweep_of(const ResultSet& results, double& chosen) {
  std::map<double, Configuration> levels;
  chosen = MetricRecord::unknown;
  const TaskResult* task = find_task(results, sweep_task);
  if (task == nullptr) return levels;
  for (const CellResult& cell : task->cells) {
    if (cell.key.method != unlifted.method || find_text(cell.head.config, "lift.type") != "normal") continue;
    const double sigma = find_number(cell.head.config, "lift.sigma");
    if (!(sigma > 0)) continue;
    levels[sigma] = {cell.key.method, cell.key.lift};
    if (cell.key.lift == lifted.lift) chosen = sigma;
  }
  return levels;
}

/// tvd at the smallest and the largest level above that at the pre-registered one, in each seed; and beyond it, ranks
/// of tvd that go with those of the rate at which lifted points do not come back.
void trade_off(Evidence& e) {
  double chosen = MetricRecord::unknown;
  const std::map<double, Configuration> levels = sweep_of(e.results, chosen);
  if (levels.size() < 4 || std::isnan(chosen) || levels.begin()->first >= chosen || levels.rbegin()->first <= chosen) {
    e.miss("a sweep of four or more levels of ddpm around the pre-registered one on sphere-vmf6");
    return;
  }
  std::map<double, std::map<int, MetricRecord>> curve;
  for (const auto& [sigma, configuration] : levels) curve[sigma] = e.metric({sweep_task}, configuration);
  (void)e.check_oracle({sweep_task});
  const auto grids = e.series(sweep_task, oracle, names::lift_geometry, names::sigma);
  const auto rates = e.series(sweep_task, oracle, names::lift_geometry, names::rate);
  const double unit = e.margin({sweep_task}, unlifted);
  if (!(unit > 0) || grids.empty() || rates.empty()) return;
  const Vector& grid = grids.begin()->second;
  const Vector& rate = rates.begin()->second;
  const auto& left = curve.begin()->second;
  const auto& right = curve.rbegin()->second;
  Series depth;
  Series order;
  for (const auto& [seed, at_chosen] : curve[chosen]) {
    if (!left.contains(seed) || !right.contains(seed)) continue;
    depth[seed] = (std::min(left.at(seed).value, right.at(seed).value) - at_chosen.value) / unit;
    std::vector<double> x;
    std::vector<double> y;
    for (auto place = curve.find(chosen); place != curve.end(); ++place) {
      if (!place->second.contains(seed)) continue;
      for (Index i = 0; i < std::min(grid.size(), rate.size()); ++i) {
        if (std::abs(grid[i] - place->first) > 1e-6 * place->first) continue;
        x.push_back(rate[i]);
        y.push_back(place->second.at(seed).value);
      }
    }
    if (x.size() >= 3) order[seed] = rank_correlation(to_vector(x), to_vector(y)).statistic;
  }
  e.note(sweep_task, "depth of the tvd curve in d0", depth, at_least(1));
  e.add(values_of(depth), superiority);
  e.beyond(sweep_task, "rank correlation of tvd and return rate", order, 0);
  if (order.empty()) {
    e.miss("three levels of the grid at and beyond the pre-registered one");
    e.tests.clear();
  }
}

void competitive(Evidence& e) {
  // The intrinsic model knows no geodesics of planes.
  const std::vector<std::pair<std::string, std::vector<Endpoint>>> competitors = {
      {"pdm", plane_and_sphere}, {"pidm", plane_and_sphere}, {"riemannian_flow_matching", {{"sphere-vmf6"}}}};
  std::vector<Vector> all;
  for (const auto& [competitor, ends] : competitors) {
    const Vector differences = e.paired(ends, lifted, {competitor}, unlifted, at_least(-1));
    if (differences.size() > 0) all.push_back(-differences);  // positive: worse
  }
  if (all.size() == competitors.size()) e.tests.push_back(non_inferiority(all));
}

// --- curves ----------------------------------------------------------------------------------------------------------

Curves jump_curves(const ResultSet& results) {
  std::vector<CurveSource> sources;
  for (const std::string& task : recovery_tasks) {
    sources.push_back({task, task, oracle, names::lift_geometry, names::sigma, names::max_jump});
  }
  return figure_of(
      {"Where the projection of a lifted point lands", "lift level", "largest |Π(x₀ + n) − x₀|", true, true}, results,
      sources);
}

Curves rate_curves(const ResultSet& results) {
  std::vector<CurveSource> sources;
  for (const std::string& task : curved_tasks) {
    sources.push_back({task, task, oracle, names::lift_geometry, names::sigma, names::rate});
    sources.push_back({task + ", bound", task, oracle, names::lift_geometry, names::sigma, names::bound, true, task});
  }
  return figure_of({"Lifted points that do not come back", "lift level", "rate", true, false}, results, sources);
}

std::function<Curves(const ResultSet&)> score_curves(const std::string& lift) {
  return [lift](const ResultSet& results) {
    Curves figures;
    for (const std::string& task : score_tasks) {
      const std::vector<CurveSource> sources = {
          {"exact score", task, {"oracle", lift}, names::score_norm_exact, "level", "normal_square", true},
          {"ddpm", task, {"ddpm", lift}, names::score_norm, "level", "normal_square"}};
      for (CurveFigure& one : figure_of({task, "noise level s", "mean of |P_N s|²", true, true}, results, sources)) {
        figures.push_back(std::move(one));
      }
    }
    return figures;
  };
}

/// Every seed has thicknesses of its own: a line each, as the first seed names it.
std::function<Curves(const ResultSet&)> likelihood_curves(const Configuration& of) {
  return [of](const ResultSet& results) {
    CurveFigure figure{"Course of a training", "log thickness of the model", "training log-likelihood [nats]"};
    for (const std::string& task : flow_tasks) {
      const TaskResult* one = find_task(results, task);
      if (one == nullptr) continue;
      const auto series = [&](const char* name) {
        return diagnostic_series(*one, of.method, of.lift, names::likelihood_explosion, name);
      };
      const auto x = series("log_thickness");
      for (const auto& [seed, values] : series("log_likelihood")) {
        if (x.contains(seed)) add_band(figure, band_over_seeds(task, {{seed, x.at(seed)}}, {{seed, values}}));
      }
    }
    return figure_of(std::move(figure), results);
  };
}

Curves sweep_curves(const ResultSet& results) {
  double chosen = MetricRecord::unknown;
  const std::map<double, Configuration> by_level = sweep_of(results, chosen);
  Evidence read(results);
  Vector levels(static_cast<Index>(by_level.size()));
  std::map<int, Vector> grids;
  std::map<int, Vector> swept;
  Index place = 0;
  for (const auto& [level, configuration] : by_level) {
    levels[place] = level;
    for (const auto& [seed, record] : read.metric({sweep_task}, configuration)) {
      swept.try_emplace(seed, Vector::Constant(levels.size(), MetricRecord::unknown)).first->second[place] =
          record.value;
    }
    ++place;
  }
  if (by_level.size() < 2) return {};
  // A line a seed: its values over the levels, and its value without a lift at every level.
  std::map<int, Vector> plain;
  for (const auto& [seed, record] : read.metric({sweep_task}, unlifted)) {
    plain[seed] = Vector::Constant(levels.size(), record.value);
  }
  for (const auto* curves : {&swept, &plain}) {
    for (const auto& [seed, values] : *curves) grids[seed] = levels;
  }
  CurveFigure figure{"tvd over the lift level, sphere-vmf6", "lift level",
                     "tvd, and rate of points that do not come back", true};
  add_band(figure, band_over_seeds("ddpm, lift normal", grids, swept));
  add_band(figure, band_over_seeds("ddpm, no lift", grids, plain), true);
  return figure_of(std::move(figure), results,
                   {{"do not come back", sweep_task, oracle, names::lift_geometry, names::sigma, names::rate, true}});
}

}  // namespace

std::vector<Claim> map_claims() {
  const std::string source = "keegan2026";
  const std::string both = source + ", loaizaganem2024";
  const std::string low = "plane-gmm9, sphere-vmf6, so3-fisher, bunny-eigen, torus-vm: ddpm, lift normal against none";
  const auto better = [](const std::vector<Endpoint>& ends, const Configuration& than) {
    return [=](Evidence& e) { e.add(e.paired(ends, lifted, than, unlifted), superiority); };
  };
  return {
      {"C1", source, "On affine constraints the projection undoes the lift for every level",
       "plane-gmm9, flux-mnist14: oracle, all levels of the grid, no model", "largest |Pi(x0 + n) - x0|",
       "at most 1e-10 (1 + sigma) in every case", affine_recovery, jump_curves, true},
      {"C2", source, "On curved constraints the projected law is off by no more than a bound from the reach",
       "sphere-vmf6, so3-fisher, torus-vm: oracle, no model", "rate of points that do not come back",
       "lower end of every exact 99 % interval at or below the bound; closed forms are covered", projected_distribution,
       rate_curves, true},
      {"C3", both, "Without a lift the normal part of the score explodes",
       "plane-gmm9, sphere-vmf6, so3-fisher without lift: exact law (oracle) and ddpm",
       "slope of log |P_N s|^2 in log s: -2 ± .2; ddpm: regression on the offset 1 ± .25", interval_rule,
       exploding_score, score_curves("none")},
      {"C4", source, "With a lift the normal part of the score stays bounded",
       "the same, lift normal (no closed form on so3-fisher)",
       "slope below a third of the lift level: 0 ± .2, plateau within 10 %; ddpm: regression 1 ± .25", interval_rule,
       bounded_score, score_curves("normal")},
      {"C5", both, "The likelihood of a flow diverges without a lift",
       "plane-gmm9, sphere-vmf6: spline_flow without lift",
       "slope of the training log-likelihood in log thickness over the thinner half of the course: d - D ± .2",
       interval_rule, diverging_likelihood, likelihood_curves(flow)},
      {"C6", source, "With a lift a flow's likelihood is stable and near its floor",
       "plane-gmm9, sphere-vmf6: spline_flow with lift normal",
       "NLL of fresh lifted points less than .1 nat a dimension above the floor; log-determinants and gradients are "
       "recorded and not judged",
       bound_rule, stable_likelihood, likelihood_curves(lifted_flow)},
      {"C7", source, "The lift lowers the total variation distance", low, "tvd after projection (so3-fisher: energy)",
       superiority_rule, better(low_dimension(), unlifted)},
      {"C8", source, "The lift raises coverage", low, "coverage, k = 5", superiority_rule,
       better(low_dimension("coverage"), unlifted)},
      {"C9", source, "The lift lowers the Fréchet distance on images of fixed flux",
       "flux-mnist14: ddpm, lift normal against none", "fd after projection and raw flux error, both", superiority_rule,
       flux_distances},
      {"C10", source, "The lift lowers the distance of protein fragments", "backbone-8: ddpm, lift normal against none",
       "energy of torsions after projection", superiority_rule, better({{"backbone-8", "energy"}}, unlifted)},
      {"C11",
       source,
       "Constraints hold after projection",
       "all cells of all tasks",
       "largest scaled |h| of projected samples",
       "at most the manifold's tolerance in every task",
       constraints_hold,
       {},
       true},
      {"C12", source, "Normal noise is better than isotropic noise",
       "plane-gmm9, sphere-vmf6: ddpm, lift normal against isotropic, pre-registered level", "tvd after projection",
       superiority_rule, better(plane_and_sphere, {"ddpm", "isotropic"})},
      {"C13", source, "The best level lies inside, and the reach sets its upper end",
       "sphere-vmf6: ddpm over levels of the normal lift",
       "tvd at both ends above that at the pre-registered level; beyond it, ranks go with the flip rate",
       superiority_rule, trade_off, sweep_curves},
      {"C14", source, "The lift is competitive with projected, penalised and intrinsic models",
       "plane-gmm9, sphere-vmf6: ddpm with lift normal against pdm, pidm and (on the sphere) riemannian_flow_matching",
       "tvd after projection", "intersection–union: less than d0 worse than each, sign flips, Holm over claims",
       competitive},
  };
}

}  // namespace onmanifold
