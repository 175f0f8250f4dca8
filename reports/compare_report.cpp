// SPDX-License-Identifier: Apache-2.0
#include "reports/compare_report.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/table.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

std::string what(const Change& change) {
  std::string text = change.task + " " + arm_label(change.method, change.lift == "none" ? "" : change.lift);
  if (!change.metric.empty()) text += " " + change.metric;
  if (change.samples == SampleKind::raw) text += " (raw)";
  return plain_text(text);
}

/// "0.1 → 0.2 (+0.1, +100 %)".
std::string numbers(const Change& change) {
  if (std::isnan(change.base)) return "";
  const double difference = change.candidate - change.base;
  std::string text = fmt::format("{:.4g} → {:.4g} ({:+.3g}", change.base, change.candidate, difference);
  if (change.base * change.candidate > 0) text += fmt::format(", {:+.1f} %", 100 * difference / std::abs(change.base));
  return text + ")";
}

std::string evidence(const Change& change) {
  if (!change.reason.empty()) return plain_text(change.reason);
  const std::string note = change.note.empty() ? "" : "; " + plain_text(change.note);
  const std::string n = change.n_base == change.n_candidate
                            ? fmt::format("n = {}", change.n_base)
                            : fmt::format("n = {}, {}", change.n_base, change.n_candidate);
  if (std::isnan(change.p)) return fmt::format("{}, {}{}", change.test, n, note);
  return fmt::format("p = {:.2g} (Holm {:.2g}), {}{}{}", change.p, change.adjusted_p, n, change.paired ? " paired" : "",
                     note);
}

int count(const Comparison& comparison, Mark mark, bool gated) {
  return static_cast<int>(
      std::count_if(comparison.changes.begin(), comparison.changes.end(),
                    [&](const Change& change) { return change.mark == mark && change.gated == gated; }));
}

int regressions(const Comparison& comparison) {
  return count(comparison, Mark::worse, true) + count(comparison, Mark::failed, true);
}

std::string verdict(const Comparison& comparison) {
  if (comparison.regression) {
    const int n = regressions(comparison);
    return fmt::format("{} regression{}", n, n == 1 ? "" : "s");
  }
  if (comparison.compared == 0) return "nothing comparable";
  if (comparison.judged == 0) {
    return comparison.options.gated.empty()
               ? std::string("nothing to judge: no gated metric can be compared")
               : fmt::format("nothing to judge: no cells of both results can be compared by --metrics {}",
                             fmt::join(comparison.options.gated, ","));
  }
  if (comparison.incomplete()) return "incomplete: the candidate lacks what the baseline has";
  return "no regression detected";
}

/// What the replicates at hand can and cannot show.
std::string power_line(const Comparison& comparison) {
  int threshold_only = 0;
  double worst = 0;
  const Change* hardest = nullptr;
  for (const Change& change : comparison.changes) {
    if (!change.gated || change.basis == Basis::none) continue;
    if (change.basis == Basis::threshold) ++threshold_only;
    const double ratio = change.detectable / std::abs(change.base);
    if (std::isfinite(ratio) && ratio > worst) {
      worst = ratio;
      hardest = &change;
    }
  }
  std::string text;
  if (threshold_only > 0) {
    text = fmt::format(
        "{} gated line{} judged by threshold only: too few replicates for a test (5 in pairs or 4 + 4 "
        "are the least). ",
        threshold_only, threshold_only == 1 ? " is" : "s are");
  }
  if (hardest != nullptr) {
    text += fmt::format(
        "With probability 0.8 these replicates find a worsening of {:.3g} in {} (the least sensitive "
        "gated line), {:.0f} % of its baseline.",
        hardest->detectable, what(*hardest), 100 * worst);
  }
  return text;
}

std::string scope_line(const Comparison& comparison) {
  return fmt::format(
      "{} gated lines with a test (Holm, α = {:g}), {} metrics of configurations compared; not listed: {} without "
      "change.",
      comparison.family, comparison.options.alpha, comparison.compared,
      count(comparison, Mark::same, true) + count(comparison, Mark::same, false));
}

}  // namespace

std::string comparison_text(const Comparison& comparison) {
  std::string text = fmt::format("{}: {} against {}\n{}\n", verdict(comparison), comparison.candidate,
                                 comparison.baseline, scope_line(comparison));
  const std::string power = power_line(comparison);
  if (!power.empty()) text += wrap_text(power, terminal_width, "") + "\n";
  for (const std::string& warning : comparison.warnings) text += "warning: " + plain_text(warning) + "\n";
  for (const Change& change : comparison.changes) {
    if (change.mark == Mark::same) continue;
    const std::string values = numbers(change);
    text += fmt::format("{} {}{}{}  {}{}\n", name_of(change.mark), what(change), values.empty() ? "" : "  ", values,
                        evidence(change), change.gated || change.mark == Mark::not_comparable ? "" : "  [not gated]");
  }
  for (const std::string& arm : comparison.missing) text += "! missing in the candidate: " + plain_text(arm) + "\n";
  for (const std::string& arm : comparison.added) text += "  only in the candidate: " + plain_text(arm) + "\n";
  return text;
}

std::string comparison_markdown(const Comparison& comparison) {
  constexpr std::size_t limit = 64000;  // of a comment on GitHub, with room for the last lines
  std::string text = fmt::format("### OnManifold: {}\n\n{}\n", verdict(comparison), scope_line(comparison));
  const std::string power = power_line(comparison);
  if (!power.empty()) text += escape_markdown(power) + "\n";
  std::string rows;
  int left_out = 0;
  for (const Change& change : comparison.changes) {
    if (change.mark == Mark::same) continue;
    const std::string metric = change.metric + (change.samples == SampleKind::raw ? " (raw)" : "");
    const std::string row = fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} |\n", name_of(change.mark), escape_markdown(change.task),
        escape_markdown(arm_label(change.method, change.lift == "none" ? "" : change.lift)), escape_markdown(metric),
        numbers(change), escape_markdown(evidence(change)), change.gated ? "yes" : "no");
    if (text.size() + rows.size() + row.size() > limit) {
      ++left_out;
    } else {
      rows += row;
    }
  }
  if (!rows.empty()) {
    text +=
        "\n| | task | method | metric | baseline → candidate | evidence | gated "
        "|\n|---|---|---|---|---|---|---|\n" +
        rows;
    text += "\n`-` worse, `x` failed, `!` not comparable, `+` better\n";
  }
  if (left_out > 0) text += fmt::format("\n{} more lines: see `--json`.\n", left_out);
  for (const std::string& warning : comparison.warnings) text += "\n⚠ " + escape_markdown(warning) + "\n";
  for (const auto& [title, list] :
       {std::pair<const char*, const std::vector<std::string>&>("Missing in the candidate", comparison.missing),
        {"Only in the candidate", comparison.added}}) {
    if (list.empty()) continue;
    text += fmt::format("\n{} ({}): {}{}\n", title, list.size(), escape_markdown(list.front()),
                        list.size() > 1 ? ", …" : "");
  }
  return text;
}

Value comparison_json(const Comparison& comparison) {
  Value::Array changes;
  for (const Change& change : comparison.changes) {
    changes.push_back(
        Value::Table{{"mark", std::string(name_of(change.mark))},
                     {"task", change.task},
                     {"method", change.method},
                     {"lift", change.lift},
                     {"metric", change.metric},
                     {"samples", change.samples ? std::string(name_of(*change.samples)) : std::string()},
                     {"parameters", change.parameters.empty() ? Value() : parse_json(change.parameters, "parameters")},
                     {"direction", direction_text(change.direction)},
                     {"unit", change.unit},
                     {"gated", change.gated},
                     {"n_base", change.n_base},
                     {"n_candidate", change.n_candidate},
                     {"paired", change.paired},
                     {"base", change.base},
                     {"candidate", change.candidate},
                     {"worsening", change.worsening},
                     {"margin", change.margin},
                     {"p", change.p},
                     {"adjusted_p", change.adjusted_p},
                     {"detectable", change.detectable},
                     {"test", change.test},
                     {"reason", change.reason},
                     {"note", change.note},
                     {"control", change.control}});
  }
  const auto list = [](const std::vector<std::string>& texts) { return Value::Array(texts.begin(), texts.end()); };
  return Value::Table{
      {"baseline", comparison.baseline},       {"candidate", comparison.candidate},   {"verdict", verdict(comparison)},
      {"regression", comparison.regression},   {"alpha", comparison.options.alpha},   {"family", comparison.family},
      {"compared", comparison.compared},       {"missing", list(comparison.missing)}, {"added", list(comparison.added)},
      {"warnings", list(comparison.warnings)}, {"judged", comparison.judged},         {"changes", std::move(changes)}};
}

}  // namespace onmanifold
