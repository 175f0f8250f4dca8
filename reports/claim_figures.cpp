// SPDX-License-Identifier: Apache-2.0
#include "reports/claim_figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "reports/claim_numbers.hpp"
#include "reports/gnuplot.hpp"
#include "reports/table.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

namespace names = claim_numbers;

const TaskResult* find_task(const ResultSet& results, const std::string& name) {
  for (const TaskResult& task : results.tasks) {
    if (task.name == name) return &task;
  }
  return nullptr;
}

/// One arm of one task, and how its curve is called.
struct Source {
  std::string task;
  std::string method;
  std::string lift;
  std::string label;
};

void add_band(CurveFigure& figure, CurveBand band, bool reference = false) {
  if (band.x.size() == 0) return;
  band.reference = reference;
  figure.bands.push_back(std::move(band));
}

/// \p y against \p x of one diagnostic, over the seeds of one arm.
CurveBand diagnostic_band(const ResultSet& results, const Source& source, const char* label, const char* x,
                          const char* y, bool log_y) {
  const TaskResult* task = find_task(results, source.task);
  if (task == nullptr) return {};
  return band_over_seeds(source.label, diagnostic_series(*task, source.method, source.lift, label, x),
                         diagnostic_series(*task, source.method, source.lift, label, y), log_y);
}

std::vector<CurveFigure> with_curves(CurveFigure figure) {
  if (figure.bands.empty()) return {};
  return {std::move(figure)};
}

std::vector<CurveFigure> jump_curves(const ResultSet& results) {
  CurveFigure figure{
      "Where the projection of a lifted point lands", "lift level", "largest |Π(x₀ + n) − x₀|", true, true, {}};
  for (const char* task : {"plane-gmm9", "flux-mnist14"}) {
    add_band(figure, diagnostic_band(results, {task, "oracle", "none", task}, names::lift_geometry, names::sigma,
                                     names::max_jump, true));
  }
  return with_curves(std::move(figure));
}

std::vector<CurveFigure> rate_curves(const ResultSet& results) {
  CurveFigure figure{"Lifted points that do not come back", "lift level", "rate", true, false, {}};
  for (const char* task : {"sphere-vmf6", "so3-fisher", "torus-vm"}) {
    add_band(figure, diagnostic_band(results, {task, "oracle", "none", task}, names::lift_geometry, names::sigma,
                                     names::rate, false));
    add_band(figure,
             diagnostic_band(results, {task, "oracle", "none", fmt::format("{}, bound", task)}, names::lift_geometry,
                             names::sigma, names::bound, false),
             true);
  }
  return with_curves(std::move(figure));
}

std::vector<CurveFigure> score_curves(const ResultSet& results, const std::string& lift) {
  std::vector<CurveFigure> figures;
  for (const char* task : {"plane-gmm9", "sphere-vmf6", "so3-fisher"}) {
    CurveFigure figure{task, "noise level s", "mean of |P_N s|²", true, true, {}};
    add_band(figure,
             diagnostic_band(results, {task, "oracle", lift, "exact score"}, names::score_norm_exact, "level",
                             "normal_square", true),
             true);
    add_band(figure,
             diagnostic_band(results, {task, "ddpm", lift, "ddpm"}, names::score_norm, "level", "normal_square", true));
    if (!figure.bands.empty()) figures.push_back(std::move(figure));
  }
  return figures;
}

std::vector<CurveFigure> latent_curves(const ResultSet& results) {
  CurveFigure figure{"sphere-in-16d", "noise level s", "mean of |P_N s|²", true, true, {}};
  for (const char* method : {"ddpm", "autoencoder_ddpm"}) {
    add_band(figure, diagnostic_band(results, {"sphere-in-16d", method, "none", method}, names::score_norm, "level",
                                     "normal_square", true));
  }
  return with_curves(std::move(figure));
}

/// Every seed has thicknesses of its own: a line each, as the first seed names it.
std::vector<CurveFigure> likelihood_curves(const ResultSet& results, const std::string& lift) {
  CurveFigure figure{
      "Course of a training", "log thickness of the model", "training log-likelihood [nats]", false, false, {}};
  for (const char* task : {"plane-gmm9", "sphere-vmf6"}) {
    const TaskResult* one = find_task(results, task);
    if (one == nullptr) continue;
    const auto x = diagnostic_series(*one, "spline_flow", lift, names::likelihood_explosion, "log_thickness");
    const auto y = diagnostic_series(*one, "spline_flow", lift, names::likelihood_explosion, "log_likelihood");
    for (const auto& [seed, values] : y) {
      if (x.contains(seed)) add_band(figure, band_over_seeds(task, {{seed, x.at(seed)}}, {{seed, values}}));
    }
  }
  return with_curves(std::move(figure));
}

std::vector<CurveFigure> sweep_curves(const ResultSet& results) {
  CurveFigure figure{"tvd over the lift level, sphere-vmf6",
                     "lift level",
                     "tvd, and rate of points that do not come back",
                     true,
                     false,
                     {}};
  const TaskResult* task = find_task(results, "sphere-vmf6");
  if (task == nullptr) return {};
  std::map<double, std::map<int, double>> by_level;
  std::map<int, double> unlifted;
  for (const CellResult& cell : task->cells) {
    if (cell.key.method != "ddpm") continue;
    const std::string type = find_text(cell.head.config, "lift.type");
    for (const MetricRecord& record : cell.projected) {
      if (record.name != "tvd") continue;
      if (type == "normal") by_level[find_number(cell.head.config, "lift.sigma")][cell.key.seed] = record.value;
      if (type == "none") unlifted[cell.key.seed] = record.value;
    }
  }
  if (by_level.size() < 2) return {};
  // A curve a seed: its values over the levels, and its value without a lift at every level.
  std::map<int, Vector> levels;
  std::map<int, Vector> lifted;
  std::map<int, Vector> plain;
  const auto n = static_cast<Index>(by_level.size());
  Index place = 0;
  for (const auto& [level, values] : by_level) {
    for (const auto& [seed, value] : values) {
      lifted.try_emplace(seed, Vector::Constant(n, MetricRecord::unknown)).first->second[place] = value;
      levels.try_emplace(seed, Vector(n));
    }
    ++place;
  }
  for (const auto& [seed, value] : unlifted) {
    plain[seed] = Vector::Constant(n, value);
    levels.try_emplace(seed, Vector(n));
  }
  for (auto& entry : levels) {
    std::transform(by_level.begin(), by_level.end(), entry.second.begin(), [](const auto& at) { return at.first; });
  }
  add_band(figure, band_over_seeds("ddpm, lift normal", levels, lifted));
  add_band(figure, band_over_seeds("ddpm, no lift", levels, plain), true);
  add_band(figure,
           diagnostic_band(results, {"sphere-vmf6", "oracle", "none", "do not come back"}, names::lift_geometry,
                           names::sigma, names::rate, false),
           true);
  return with_curves(std::move(figure));
}

std::vector<CurveFigure> shift_curves(const ResultSet& results) {
  std::vector<CurveFigure> figures;
  for (const char* task : {"plane-gmm9", "sphere-vmf6"}) {
    CurveFigure figure{task, "size of the error of the drift", "shift of the samples", true, true, {}};
    for (const char* method : {"ddpm", "ddpm_deep"}) {
      add_band(figure, diagnostic_band(results, {task, method, "none", fmt::format("{}, along M", method)},
                                       names::support_robustness, "size", "tangent_only/tangential", true));
      add_band(figure, diagnostic_band(results, {task, method, "none", fmt::format("{}, off M", method)},
                                       names::support_robustness, "size", "normal_only/normal", true));
    }
    if (!figure.bands.empty()) figures.push_back(std::move(figure));
  }
  return figures;
}

/// A point an arm.
std::vector<CurveFigure> robustness_and_alignment(const ResultSet& results) {
  CurveFigure figure{"Alignment over robustness, a point an arm",
                     "ratio of normal to tangential shift",
                     "median alignment A1",
                     true,
                     false,
                     {}};
  for (const char* name : {"plane-gmm9", "sphere-vmf6"}) {
    const TaskResult* task = find_task(results, name);
    if (task == nullptr) continue;
    for (const auto& [method, lift] : std::vector<std::pair<std::string, std::string>>{
             {"ddpm", "none"}, {"ddpm", "normal"}, {"ddpm_deep", "none"}, {"flow_matching", "none"}, {"mad", "none"}}) {
      const auto mean_of = [&](const char* label, const char* number) {
        std::vector<double> values;
        for (const auto& [seed, one] : diagnostic_series(*task, method, lift, label, number)) values.push_back(one[0]);
        return values.empty() ? MetricRecord::unknown
                              : mean(Eigen::Map<const Vector>(values.data(), static_cast<Index>(values.size())));
      };
      const double x = mean_of(names::support_robustness, names::ratio);
      const double y = mean_of(names::lyapunov, names::alignment);
      if (!(x > 0) || !std::isfinite(y)) continue;
      add_band(figure, band_over_seeds(fmt::format("{}, {}", name, arm_label(method, lift == "none" ? "" : lift)),
                                       {{0, Vector::Constant(1, x)}}, {{0, Vector::Constant(1, y)}}));
    }
  }
  return with_curves(std::move(figure));
}

std::vector<CurveFigure> spectra(const ResultSet& results) {
  CurveFigure figure{"Finite-time Lyapunov exponents", "number", "exponent times time", false, false, {}};
  for (const Source& source : {Source{"plane-gmm9", "ddpm_deep", "none", "plane-gmm9, d = 2"},
                               Source{"sphere-vmf6", "ddpm_deep", "none", "sphere-vmf6, d = 2"},
                               Source{"so3-fisher", "ddpm", "none", "so3-fisher, d = 3"},
                               Source{"torus-vm", "ddpm", "none", "torus-vm, d = 2"}}) {
    const TaskResult* task = find_task(results, source.task);
    if (task == nullptr) continue;
    const auto exponents = diagnostic_series(*task, source.method, source.lift, names::lyapunov, "exponents");
    std::map<int, Vector> numbers;
    for (const auto& [seed, values] : exponents)
      numbers[seed] = Vector::LinSpaced(values.size(), 1, static_cast<double>(values.size()));
    add_band(figure, band_over_seeds(source.label, numbers, exponents));
  }
  return with_curves(std::move(figure));
}

constexpr std::array<const char*, 7> palette = {"#2f8fd0", "#e08a00", "#12a07a", "#d0569a",
                                                "#d9622b", "#8a7fd6", "#7a8a99"};
const char* const frame =
    "set border 3 lc rgb '#8a929c'\nset tics nomirror scale 0.4 textcolor rgb 'black'\n"
    "set grid ytics lc rgb '#8a929c' lw 0.3 dt 3\n";

Figure curve_figure(const CurveFigure& figure, const std::string& name) {
  Figure drawn{name, figure.title, "", "", 760, 300};
  std::string data;
  std::string plots;
  std::map<std::string, std::size_t> colour_of;
  std::set<std::string> titled;
  for (std::size_t i = 0; i < figure.bands.size(); ++i) {
    const CurveBand& band = figure.bands[i];
    // A bound has the colour of what it bounds.
    const std::string coloured = band.label.substr(0, band.label.find(", bound"));
    const bool first = titled.insert(band.label).second;
    const char* const colour =
        palette[colour_of.try_emplace(coloured, colour_of.size()).first->second % palette.size()];
    data += fmt::format("$b{} << EOD\n", i);
    bool any = false;
    bool interval = false;
    for (Index k = 0; k < band.x.size(); ++k) {
      const bool shown =
          std::isfinite(band.mean[k]) && (!figure.log_y || band.mean[k] > 0) && (!figure.log_x || band.x[k] > 0);
      if (!shown) continue;
      const bool has = std::isfinite(band.low[k]) && (!figure.log_y || band.low[k] > 0);
      data += fmt::format("{} {} {} {}\n", band.x[k], band.mean[k], has ? band.low[k] : band.mean[k],
                          has ? band.high[k] : band.mean[k]);
      any = true;
      interval = interval || has;
    }
    data += "EOD\n";
    if (!any) continue;
    if (interval && !band.reference) {
      plots += fmt::format("{}$b{} using 1:3:4 with filledcurves fs transparent solid 0.2 noborder lc rgb '{}' notitle",
                           plots.empty() ? "plot " : ", ", i, colour);
    }
    plots += fmt::format("{}$b{} using 1:2 with {} lw 1.6 {} lc rgb '{}' {}", plots.empty() ? "plot " : ", ", i,
                         band.x.size() <= 12 && !band.reference ? "linespoints pt 7 ps 0.5" : "lines",
                         band.reference ? "dt 2" : "", colour,
                         first ? "title " + gnuplot_string(band.label) : std::string("notitle"));
  }
  if (plots.empty()) return drawn;
  drawn.commands = fmt::format("{}{}{}{}set xlabel {}\nset ylabel {}\nset key outside right top reverse Left\n{}\n",
                               data, frame, figure.log_x ? "set logscale x\nset format x '%g'\n" : "",
                               figure.log_y ? "set logscale y\nset format y '%g'\n" : "",
                               gnuplot_string(figure.x_label), gnuplot_string(figure.y_label), plots);
  return drawn;
}

/// One row of a picture with dots.
struct Row {
  std::string label;
  Vector values;
  double mean = MetricRecord::unknown;
  Interval interval;
  Interval accepted;
};

/// Rows over one axis: dots, mean with interval, and in green where the mean should be.
Figure rows_figure(const std::vector<Row>& rows, const std::string& x_label, const std::string& name,
                   const std::string& title) {
  const auto n = static_cast<int>(rows.size());
  Figure figure{name, title, "", "", 760, 80 + 26 * n};
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  const auto cover = [&](double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (const Row& row : rows) {
    for (const double value : row.values) cover(value);
    for (const double value : {row.mean, row.interval.low, row.interval.high, row.accepted.low, row.accepted.high})
      cover(value);
  }
  if (!(low <= high)) return figure;
  const double margin = 0.06 * std::max(high - low, 1e-3 * std::max(std::abs(low), std::abs(high)) + 1e-12);
  low -= margin;
  high += margin;
  std::string dots;
  std::string means;
  std::string ticks;
  std::string boxes;
  for (int r = 0; r < n; ++r) {
    const Row& row = rows[static_cast<std::size_t>(r)];
    const int y = n - 1 - r;
    ticks += fmt::format("{}{} {}", r == 0 ? "" : ", ", gnuplot_string(row.label), y);
    for (const double value : row.values) {
      if (std::isfinite(value)) dots += fmt::format("{} {}\n", value, y);
    }
    if (std::isfinite(row.mean)) {
      const bool has = std::isfinite(row.interval.low);
      means += fmt::format("{} {} {} {}\n", row.mean, y, has ? row.interval.low : row.mean,
                           has ? row.interval.high : row.mean);
    }
    if (!std::isnan(row.accepted.low)) {
      boxes += fmt::format(
          "set object {} rectangle from {},{} to {},{} fs transparent solid 0.22 noborder fc rgb '#12a07a' "
          "behind\n",
          r + 1, std::max(low, row.accepted.low), y - 0.42, std::min(high, row.accepted.high), y + 0.42);
    }
  }
  if (means.empty()) return figure;
  if (dots.empty()) dots = "NaN NaN\n";
  figure.commands = fmt::format(
      "$dots << EOD\n{}EOD\n$means << EOD\n{}EOD\nset border 1 lc rgb '#8a929c'\n"
      "set tics scale 0.4 textcolor rgb 'black'\nset xtics nomirror\nunset key\nset xrange [{}:{}]\n"
      "set yrange [-0.6:{}]\nset ytics ({}) nomirror scale 0\nset xlabel {}\n{}"
      "plot $dots using 1:2 with points pt 7 ps 0.5 lc rgb '{}', "
      "$means using 1:2:3:4 with xerrorbars pt 2 ps 1 lw 1.6 lc rgb 'black'\n",
      dots, means, low, high, n - 0.4, ticks, gnuplot_string(x_label), boxes, palette[0]);
  return figure;
}

bool same_interval(const Interval& a, const Interval& b) {
  const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  return same(a.low, b.low) && same(a.high, b.high);
}

/// Evidence by what it asks for: rows of one picture share their axis.
std::vector<ClaimFigure> evidence_figures(const ClaimResult& result) {
  struct Group {
    bool relative;
    Interval accepted;
    std::vector<Row> rows;
  };
  std::vector<Group> groups;
  for (const TaskEvidence& evidence : result.tasks) {
    if (evidence.values.size() == 0) continue;
    const bool relative = evidence.margin > 0;
    const Vector values = relative ? Vector(evidence.values / evidence.margin) : evidence.values;
    if (!values.allFinite()) continue;
    Row row{fmt::format("{}  {}", evidence.task, evidence.quantity), values, mean(values), {}, evidence.accepted};
    if (values.size() >= 2) row.interval = t_interval(values);
    const auto place = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
      return group.relative == relative && same_interval(group.accepted, evidence.accepted);
    });
    if (place == groups.end()) {
      groups.push_back({relative, evidence.accepted, {std::move(row)}});
    } else {
      place->rows.push_back(std::move(row));
    }
  }
  std::vector<ClaimFigure> figures;
  for (const Group& group : groups) {
    const std::string name =
        fmt::format("claim-{}{}", result.claim.id, figures.empty() ? "" : fmt::format("-{}", 1 + figures.size()));
    const std::string title = fmt::format("{}: every seed, mean and 95 % interval", result.claim.id);
    Figure figure =
        rows_figure(group.rows,
                    group.relative ? "in units of the smallest relevant effect; green: what the claim asks for"
                    : std::isnan(group.accepted.low) ? "value"
                                                     : "green: what the claim asks for",
                    name, title);
    if (!figure.commands.empty()) figures.push_back({result.claim.id, std::move(figure)});
  }
  return figures;
}

Figure verdict_figure(const std::vector<ClaimResult>& judged) {
  std::vector<Row> rows;
  for (const ClaimResult& result : judged) {
    const bool in_effects = std::any_of(result.tasks.begin(), result.tasks.end(),
                                        [](const TaskEvidence& evidence) { return evidence.margin > 0; });
    if (!in_effects || std::isnan(result.test.statistic)) continue;
    const auto asked = std::find_if(result.tasks.begin(), result.tasks.end(),
                                    [](const TaskEvidence& evidence) { return evidence.margin > 0; });
    // Non-inferiority counts what is worse.
    const bool turned = asked->accepted.low == -1 && std::isinf(asked->accepted.high);
    const double sign = turned ? -1 : 1;
    Row row{fmt::format("{}  {}", result.claim.id, to_string(result.verdict)),
            Vector(),
            sign * result.test.statistic,
            {sign * result.test.interval.low, sign * result.test.interval.high},
            asked->accepted};
    if (turned) std::swap(row.interval.low, row.interval.high);
    rows.push_back(std::move(row));
  }
  return rows_figure(rows, "mean over seeds in units of the smallest relevant effect, 95 % interval; green: reproduced",
                     "claims", "Claims that are counted in smallest relevant effects");
}

}  // namespace

CurveBand band_over_seeds(const std::string& label, const std::map<int, Vector>& x, const std::map<int, Vector>& y,
                          bool log_y) {
  CurveBand band;
  band.label = label;
  std::vector<const Vector*> curves;
  for (const auto& [seed, values] : y) {
    const auto place = x.find(seed);
    if (place == x.end() || place->second.size() != values.size()) continue;
    const Vector& grid = place->second;
    if (band.x.size() == 0) band.x = grid;
    const bool same =
        grid.size() == band.x.size() && ((grid - band.x).array().abs() <= 1e-6 * band.x.array().abs()).all();
    if (same) curves.push_back(&values);
  }
  const Index n = band.x.size();
  band.mean = Vector::Constant(n, MetricRecord::unknown);
  band.low = band.mean;
  band.high = band.mean;
  for (Index i = 0; i < n; ++i) {
    std::vector<double> finite;
    for (const Vector* curve : curves) {
      const double value = (*curve)[i];
      if (std::isfinite(value) && (!log_y || value > 0)) finite.push_back(log_y ? std::log(value) : value);
    }
    if (finite.empty()) continue;
    const Eigen::Map<const Vector> values(finite.data(), static_cast<Index>(finite.size()));
    const auto back = [&](double value) { return log_y ? std::exp(value) : value; };
    band.mean[i] = back(mean(values));
    if (finite.size() < 2) continue;
    const Interval interval = t_interval(values);
    band.low[i] = back(interval.low);
    band.high[i] = back(interval.high);
  }
  return band;
}

std::vector<CurveFigure> claim_curves(const ResultSet& results, const std::string& claim_id) {
  if (claim_id == "C1") return jump_curves(results);
  if (claim_id == "C2") return rate_curves(results);
  if (claim_id == "C3") return score_curves(results, "none");
  if (claim_id == "C4") return score_curves(results, "normal");
  if (claim_id == "C5") return likelihood_curves(results, "none");
  if (claim_id == "C6") return likelihood_curves(results, "normal");
  if (claim_id == "C13") return sweep_curves(results);
  if (claim_id == "C18") return latent_curves(results);
  if (claim_id == "C19") return shift_curves(results);
  if (claim_id == "C21") return spectra(results);
  if (claim_id == "C22") return robustness_and_alignment(results);
  return {};
}

std::vector<ClaimFigure> claim_figures(const ResultSet& results, const std::vector<ClaimResult>& judged) {
  std::vector<ClaimFigure> figures = {{"", verdict_figure(judged)}};
  for (const ClaimResult& result : judged) {
    if (result.verdict == Verdict::not_tested) continue;
    for (ClaimFigure& figure : evidence_figures(result)) figures.push_back(std::move(figure));
    int count = 0;
    for (const CurveFigure& curves : claim_curves(results, result.claim.id)) {
      figures.push_back(
          {result.claim.id, curve_figure(curves, fmt::format("claim-{}-curve-{}", result.claim.id, ++count))});
    }
  }
  std::erase_if(figures, [](const ClaimFigure& one) { return one.figure.commands.empty(); });
  return figures;
}

}  // namespace onmanifold
