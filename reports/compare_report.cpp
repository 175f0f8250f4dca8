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
  return fmt::format("{} gated lines with a test (Holm, α = {:g}), {} metrics of configurations compared",
                     comparison.family, comparison.options.alpha, comparison.compared);
}

// For a comment: marks that need no legend.
const char* sign(Mark mark) {
  switch (mark) {
    case Mark::failed:
    case Mark::worse:
      return "❌";
    case Mark::not_comparable:
      return "⚠";
    case Mark::better:
      return "🟢";
    case Mark::same:
      break;
  }
  return "✅";
}

bool is_bad(const Change& change) {
  return change.mark == Mark::worse || change.mark == Mark::failed;
}

// Gated lines that could be judged and are not worse.
int passed(const Comparison& comparison) {
  return count(comparison, Mark::same, true) + count(comparison, Mark::better, true);
}

/// "tvd ↓".
std::string metric_text(const Change& change) {
  std::string text = change.metric + (change.samples == SampleKind::raw ? " (raw)" : "");
  if (const std::string arrow = direction_arrow(change.direction, MetricRecord::unknown); !arrow.empty())
    text += " " + arrow;
  return plain_text(text);
}

/// "sphere / ddpm normal: tvd ↓ 0.317 → 0.370 (+17 %, p = 0.002)", short enough for a phone.
std::string short_line(const Change& change) {
  constexpr std::size_t longest_reason = 80;
  std::string text = fmt::format("**{} / {}**", escape_markdown(change.task),
                                 escape_markdown(arm_label(change.method, change.lift == "none" ? "" : change.lift)));
  if (!change.metric.empty()) text += ": " + escape_markdown(metric_text(change));
  if (!std::isnan(change.base)) text += fmt::format(" {:.3g} → {:.3g}", change.base, change.candidate);
  std::vector<std::string> parts;
  if (change.base * change.candidate > 0 && change.base != change.candidate) {
    parts.push_back(fmt::format("{:+.3g} %", 100 * (change.candidate - change.base) / std::abs(change.base)));
  }
  if (!change.reason.empty()) {
    std::string reason = plain_text(change.reason);
    if (reason.size() > longest_reason) reason = plain_text(reason.substr(0, longest_reason)) + "…";
    parts.push_back(escape_markdown(reason));
  } else {
    parts.push_back(std::isnan(change.adjusted_p) ? change.test : fmt::format("p = {:.2g}", change.adjusted_p));
  }
  return fmt::format("{} ({})", text, fmt::join(parts, ", "));
}

}  // namespace

std::string comparison_text(const Comparison& comparison) {
  std::string text = fmt::format("{}: {} against {}\n", verdict(comparison), comparison.candidate, comparison.baseline);
  const std::string scope = fmt::format("{}; not listed: {} without change.", scope_line(comparison),
                                        count(comparison, Mark::same, true) + count(comparison, Mark::same, false));
  text += wrap_text(scope, terminal_width, "") + "\n";
  const std::string power = power_line(comparison);
  if (!power.empty()) text += wrap_text(power, terminal_width, "") + "\n";
  for (const std::string& warning : comparison.warnings) {
    text += wrap_text("warning: " + plain_text(warning), terminal_width, "    ") + "\n";
  }
  for (const Change& change : comparison.changes) {
    if (change.mark == Mark::same) continue;
    const std::string values = numbers(change);
    // Where the numbers fit beside the name they stand there, so that one search finds the line.
    const std::string line =
        fmt::format("{} {}{}{}  {}{}", name_of(change.mark), what(change), values.empty() ? "" : "  ", values,
                    evidence(change), change.gated || change.mark == Mark::not_comparable ? "" : "  [not gated]");
    text += wrap_text(line, terminal_width, "    ") + "\n";
  }
  for (const std::string& arm : comparison.missing) text += "! missing in the candidate: " + plain_text(arm) + "\n";
  for (const std::string& arm : comparison.added) text += "  only in the candidate: " + plain_text(arm) + "\n";
  return text;
}

std::string comparison_markdown(const Comparison& comparison) {
  constexpr std::size_t limit = 60000;  // of a comment on GitHub, with room for the last lines
  constexpr int most_lines = 6;         // before the fold, so that a phone's screen holds them
  const bool green = !comparison.regression && comparison.judged > 0 && !comparison.incomplete();
  std::string text = fmt::format("### {} OnManifold: {}\n\n", green ? "✅" : "❌", escape_markdown(verdict(comparison)));
  int told = 0;
  for (const Change& change : comparison.changes) {
    if (!change.gated || !is_bad(change) || ++told > most_lines) continue;
    text += fmt::format("- ❌ {}\n", short_line(change));
  }
  if (told > most_lines) text += fmt::format("- ❌ {} more, in the table\n", told - most_lines);
  if (!comparison.missing.empty()) {
    text += fmt::format("- {} {} missing in the candidate: {}{}\n", comparison.incomplete() ? "❌" : "⚠",
                        comparison.missing.size(), escape_markdown(comparison.missing.front()),
                        comparison.missing.size() > 1 ? ", …" : "");
  }
  text +=
      fmt::format("- ✅ {} gated line{} without regression{}\n", passed(comparison), passed(comparison) == 1 ? "" : "s",
                  count(comparison, Mark::better, true) == 0
                      ? ""
                      : fmt::format(", {} of them better", count(comparison, Mark::better, true)));
  if (const int open = count(comparison, Mark::not_comparable, true); open > 0) {
    text += fmt::format("- ⚠ {} gated line{} cannot be compared\n", open, open == 1 ? "" : "s");
  }
  if (!comparison.warnings.empty()) {
    text += fmt::format("- ⚠ {} gated line{} cannot tell: the baseline does not beat the moment fit\n",
                        comparison.warnings.size(), comparison.warnings.size() == 1 ? "" : "s");
  }
  text += "\n<details><summary>Gated lines, and what they can show</summary>\n\n";
  text += escape_markdown(scope_line(comparison)) + ".\n";
  if (const std::string power = power_line(comparison); !power.empty()) text += escape_markdown(power) + "\n";
  text += "\n| | task | method | metric | baseline → candidate | evidence |\n|---|---|---|---|---|---|\n";
  int left_out = 0;
  for (const Change& change : comparison.changes) {
    if (!change.gated) continue;
    const std::string row =
        fmt::format("| {} | {} | {} | {} | {} | {} |\n", sign(change.mark), escape_markdown(change.task),
                    escape_markdown(arm_label(change.method, change.lift == "none" ? "" : change.lift)),
                    escape_markdown(metric_text(change)), numbers(change), escape_markdown(evidence(change)));
    if (text.size() + row.size() > limit) {
      ++left_out;
    } else {
      text += row;
    }
  }
  if (left_out > 0) text += fmt::format("\n{} more lines: see `--json`.\n", left_out);
  for (const std::string& warning : comparison.warnings) {
    if (text.size() < limit) text += "\n⚠ " + escape_markdown(warning) + "\n";
  }
  if (!comparison.added.empty()) {
    text += fmt::format("\nOnly in the candidate ({}): {}{}\n", comparison.added.size(),
                        escape_markdown(comparison.added.front()), comparison.added.size() > 1 ? ", …" : "");
  }
  text += fmt::format("\nNot gated, without effect on the verdict: {} worse, {} better (`--json`).\n\n</details>\n",
                      count(comparison, Mark::worse, false) + count(comparison, Mark::failed, false),
                      count(comparison, Mark::better, false));
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
