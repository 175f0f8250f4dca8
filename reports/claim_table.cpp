// SPDX-License-Identifier: Apache-2.0
#include "reports/claim_table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/gnuplot.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

std::string number_text(double value) {
  return std::isnan(value) ? "—" : fmt::format("{:.3g}", value);
}
std::string interval_text(const ClaimResult& result) {
  if (std::isnan(result.test.statistic)) return "—";
  std::string shown = number_text(result.test.statistic);
  if (std::isfinite(result.test.interval.low)) {
    shown += fmt::format(" [{:.3g}, {:.3g}]", result.test.interval.low, result.test.interval.high);
  }
  return shown;
}
std::string p_text(const ClaimResult& result) {
  if (std::isnan(result.adjusted_p)) return "—";
  return fmt::format("{:.2g} ({:.2g})", result.test.p, result.adjusted_p);
}
const char* const statistic_legend =
    "Statistic: differences in units of the smallest relevant effect, or the quantity of the claim's weakest "
    "part, with "
    "its 95 % interval over seeds; largest value over tolerance where a claim is deterministic. p: "
    "one-sided, and in "
    "brackets after Holm's correction. Verdicts hold under this protocol and say nothing of the papers' own "
    "runs.";

// A word of a style sheet: how a verdict looks.
const char* verdict_class(Verdict verdict) {
  switch (verdict) {
    case Verdict::reproduced:
      return "yes";
    case Verdict::not_reproduced:
      return "no";
    case Verdict::inconclusive:
      return "open";
    case Verdict::theorem:
      return "theorem";
    case Verdict::not_tested:
      break;
  }
  return "none";
}

std::string accepted_text(const TaskEvidence& evidence) {
  const double unit = evidence.margin > 0 ? evidence.margin : 1;
  const double low = unit * evidence.accepted.low;
  const double high = unit * evidence.accepted.high;
  if (std::isnan(low)) return "";
  if (std::isinf(low)) return fmt::format("≤ {:.3g}", high);
  if (std::isinf(high)) return fmt::format("≥ {:.3g}", low);
  return fmt::format("{:.3g} … {:.3g}", low, high);
}

std::string evidence_html(const ClaimResult& result) {
  if (result.tasks.empty()) return "";
  std::string html = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Evidence of "
      "{0}\"><table class=\"evidence\"><caption>Evidence of "
      "{0}</caption>\n<thead><tr><th scope=\"col\">Task</th><th scope=\"col\">Quantity</th><th "
      "scope=\"col\">n</th>"
      "<th scope=\"col\">Mean</th><th scope=\"col\">sd over seeds</th><th scope=\"col\">Asked "
      "for</th></tr></thead>\n"
      "<tbody>\n",
      result.claim.id);
  for (const TaskEvidence& evidence : result.tasks) {
    const bool spread = evidence.values.size() >= 2;
    html +=
        fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                    escape_html(evidence.task), escape_html(evidence.quantity), evidence.n, number_text(evidence.mean),
                    number_text(spread ? standard_deviation(evidence.values) : MetricRecord::unknown),
                    escape_html(accepted_text(evidence)));
  }
  return html + "</tbody>\n</table></div>\n";
}

}  // namespace

std::string claims_terminal(const std::vector<ClaimResult>& results) {
  std::string shown = "Claims\n\n";
  for (const ClaimResult& one : results) {
    shown += wrap_text(fmt::format("{:<4} {:<15} {}", one.claim.id, to_string(one.verdict), one.claim.statement),
                       terminal_width, "");
    constexpr std::string_view indent = "     ";
    shown += fmt::format("\n{}", indent);
    shown += wrap_text(fmt::format("n {}, statistic {}, p {}. {}.", one.test.n, interval_text(one), p_text(one),
                                   plain_text(one.reason)),
                       terminal_width - static_cast<int>(indent.size()), indent) +
             "\n";
    shown += indent;
    shown += wrap_text(fmt::format("Rule: {}: {}.", one.claim.endpoint, one.claim.rule),
                       terminal_width - static_cast<int>(indent.size()), indent) +
             "\n";
  }
  return shown + "\n" + wrap_text(statistic_legend, terminal_width, "") + "\n";
}

std::string claims_markdown(const std::vector<ClaimResult>& results) {
  std::string shown =
      "## Claims\n\n| | Claim | Verdict | n | Statistic | p (Holm) | Rule | Reason "
      "|\n|---|---|---|--:|--:|--:|---|---|\n";
  for (const ClaimResult& one : results) {
    shown += fmt::format("| {} | {} | **{}** | {} | {} | {} | {} | {} |\n", one.claim.id,
                         escape_markdown(one.claim.statement), to_string(one.verdict), one.test.n,
                         escape_markdown(interval_text(one)), p_text(one),
                         escape_markdown(one.claim.endpoint + ": " + one.claim.rule), escape_markdown(one.reason));
  }
  return shown + "\n" + escape_markdown(statistic_legend) + "\n";
}

std::string claims_html(const std::vector<ClaimResult>& results, const std::vector<ClaimFigure>& figures) {
  const auto figures_of = [&](const std::string& id) {
    std::string html;
    for (const ClaimFigure& one : figures) {
      if (one.claim == id) html += figure_html(one.figure, one.figure.name);
    }
    return html.empty() ? "" : "<div class=\"figures\">\n" + html + "</div>\n";
  };
  std::string shown = "<p class=\"verdicts\">";
  for (const Verdict verdict :
       {Verdict::reproduced, Verdict::not_reproduced, Verdict::inconclusive, Verdict::theorem, Verdict::not_tested}) {
    const auto count =
        std::count_if(results.begin(), results.end(), [&](const ClaimResult& one) { return one.verdict == verdict; });
    if (count > 0)
      shown +=
          fmt::format("<span class=\"verdict {}\">{} {}</span> ", verdict_class(verdict), count, to_string(verdict));
  }
  shown += "</p>\n" + figures_of("") +
           "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
           "aria-label=\"Claims\"><table class=\"claims\"><caption>Claims</caption>\n<thead><tr><th "
           "scope=\"col\">No</th>"
           "<th scope=\"col\">Claim</th><th scope=\"col\">Verdict</th><th scope=\"col\">n</th>"
           "<th scope=\"col\">Statistic</th><th scope=\"col\">p (Holm)</th></tr></thead>\n<tbody>\n";
  for (const ClaimResult& one : results) {
    shown += fmt::format(
        "<tr><th scope=\"row\"><a href=\"#claim-{0}\">{0}</a></th><td>{1}</td><td><span class=\"verdict "
        "{2}\">{3}</span></td><td>{4}</td><td>{5}</td><td>{6}</td></tr>\n",
        one.claim.id, escape_html(one.claim.statement), verdict_class(one.verdict), to_string(one.verdict), one.test.n,
        escape_html(interval_text(one)), p_text(one));
  }
  shown += fmt::format("</tbody>\n</table></div>\n<p class=\"hint\">{}</p>\n", escape_html(statistic_legend));
  for (const ClaimResult& one : results) {
    shown += fmt::format(
        "<details class=\"claim\" id=\"claim-{0}\"><summary><strong>{0}</strong> {1} <span class=\"verdict "
        "{2}\">{3}</span></summary>\n<dl><dt>Why</dt><dd>{4}</dd><dt>Experiment</dt><dd>{5}</"
        "dd><dt>Endpoint</dt>"
        "<dd>{6}</dd><dt>Rule</dt><dd>{7}</dd><dt>Source</dt><dd>{8}</dd></dl>\n{9}{10}</details>\n",
        one.claim.id, escape_html(one.claim.statement), verdict_class(one.verdict), to_string(one.verdict),
        escape_html(one.reason), escape_html(one.claim.experiment), escape_html(one.claim.endpoint),
        escape_html(one.claim.rule), escape_html(one.claim.source), figures_of(one.claim.id), evidence_html(one));
  }
  return shown;
}

}  // namespace onmanifold
