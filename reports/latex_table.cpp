// SPDX-License-Identifier: Apache-2.0
#include "reports/latex_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "claims/claims.hpp"
#include "reports/axis_table.hpp"
#include "reports/diagnostic_table.hpp"
#include "reports/lift_effect.hpp"
#include "reports/narrative.hpp"
#include "reports/published.hpp"
#include "reports/ranking.hpp"

namespace onmanifold {
namespace {

constexpr double text_width = 397;        // pt: 14 cm
constexpr double column_gap = 8;          // twice \tabcolsep
constexpr std::size_t longest = 50;       // lines of one table on a page, beside its notes
constexpr std::size_t most_problems = 6;  // lines of failed cells below a table

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "-0.89" with a minus sign, "1.2e-5" with a power of ten, "-22 % !" with a minus sign; other text escaped.
std::string latex_number(std::string_view text) {
  std::string sign;
  if (text.size() > 1 && text[0] == '-' && (is_digit(text[1]) || text.substr(1) == "∞")) {
    sign = "$-$";
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  const bool scientific = !text.empty() && is_digit(text[0]) && e != std::string_view::npos && e + 1 < text.size() &&
                          std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(e),
                                      [](char c) { return is_digit(c) || c == '.'; }) &&
                          std::all_of(text.begin() + static_cast<std::ptrdiff_t>(e) + 1, text.end(),
                                      [](char c) { return is_digit(c) || c == '-'; });
  if (scientific) {
    const int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());  // "-05" is -5
    return fmt::format("{}{}$\\cdot$10$^{{{}}}$", sign, text.substr(0, e), exponent);
  }
  return sign + escape_latex(text);
}

// Width in pt of \p text as latex_number prints it in eight-point Computer Modern, to a few per cent: what is
// too wide by that much still fits the 15.5 cm of the report.
double set_width(std::string_view text, bool bold) {
  double width = 0;
  bool power = false;  // behind the e of a number
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80U) continue;  // behind the first byte of a sign
    double own = 4.3;
    if (c == 'e' && i > 0 && is_digit(text[i - 1]) && i + 1 < text.size()) {
      own = 11;  // "·10"
      power = true;
    } else if (c == '-') {
      own = i == 0 || power ? 6.6 : 2.8;
    } else if (std::string_view(".,:;!'ijl|").find(c) != std::string_view::npos) {
      own = 2.4;
    } else if (std::string_view(" ()[]frstI").find(c) != std::string_view::npos) {
      own = 3.2;
    } else if (c == 'm' || c == 'w' || (c >= 'A' && c <= 'Z')) {
      own = 6.6;
    } else if (byte >= 0x80) {
      own = 7;
    }
    width += power && (is_digit(c) || c == '-') ? 0.75 * own : own;
  }
  return bold ? 1.15 * width : width;
}

std::string marked(const std::string& text, const TableCell& cell) {
  if (text.empty()) return text;
  if (cell.best) return "\\textbf{" + text + "}";
  if (cell.second) return "\\underline{" + text + "}";
  return text;
}

bool is_number(const TableCell& cell) {
  const std::string& text = cell.text.value;
  if (text.empty() || text == "—" || text == "∞" || text == "-∞") return true;
  return is_digit(text[0]) || ((text[0] == '-' || text[0] == '+') && text.size() > 1 && is_digit(text[1]));
}

/// How one column is set.
struct ColumnLayout {
  bool numbers = true;  // to the right; text to the left
  bool spread = false;  // two columns around ±
  std::vector<std::string> header;
  double width = 0;  // pt
};

struct Layout {
  std::vector<ColumnLayout> columns;
  bool lifts = false;
  bool seeds = false;
  double names_width = 0;
};

Layout lay_out(const Table& table) {
  constexpr double plus_minus = 9.2;
  Layout layout;
  layout.seeds = !table.equal_seeds;
  double method = set_width(table.row_header, false);
  double lift = set_width(table.lift_header, false);
  for (const TableRow& row : table.rows) {
    method = std::max(method, set_width(row.method, false));
    lift = std::max(lift, set_width(row.lift, false));
    layout.lifts = layout.lifts || !row.lift.empty();
  }
  layout.names_width = method;
  if (layout.lifts) layout.names_width += lift + column_gap;
  if (layout.seeds) layout.names_width += 16 + column_gap;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    ColumnLayout column;
    column.header = header_lines(table.columns[c]);
    double value = 0;
    double spread = 0;
    for (const TableRow& row : table.rows) {
      const TableCell& cell = row.cells[c];
      column.numbers = column.numbers && is_number(cell);
      column.spread = column.spread || !cell.text.spread.empty();
      const double floor = cell.at_floor && row.group == RowGroup::learner ? 4 : 0;
      value = std::max(value, set_width(cell.text.value, cell.best));
      spread = std::max(spread, set_width(cell.text.spread, cell.best) + floor);
    }
    column.width = column.spread ? value + plus_minus + spread : value;
    for (const std::string& line : column.header) column.width = std::max(column.width, set_width(line, false));
    column.width += column_gap;
    layout.columns.push_back(std::move(column));
  }
  return layout;
}

std::string cell_text(const TableCell& cell, const ColumnLayout& column, RowGroup group) {
  const std::string floor = cell.at_floor && group == RowGroup::learner ? "\\,$\\cdot$" : "";
  const std::string value =
      marked(column.numbers ? latex_number(cell.text.value) : escape_latex(cell.text.value), cell);
  if (!column.spread) return value + floor;
  if (cell.text.spread.empty()) return value.empty() ? " &" : value + floor + " &";
  return fmt::format("{} & \\,$\\pm$\\,{}{}", value, marked(latex_number(cell.text.spread), cell), floor);
}

// Columns first … last-1 as one tabular.
std::string render_block(const Table& table, const Layout& layout, std::size_t first, std::size_t last) {
  std::string text = "\\begin{tabular}{@{}l";
  if (layout.lifts) text += 'l';
  if (layout.seeds) text += 'r';
  for (std::size_t c = first; c < last; ++c) {
    const ColumnLayout& column = layout.columns[c];
    // The sign stands in the second column, so that it is missing where the spread is.
    text += column.spread ? "r@{}l" : column.numbers ? "r" : "l";
  }
  text += "@{}}\n\\toprule\n";
  std::size_t height = 1;
  for (std::size_t c = first; c < last; ++c) height = std::max(height, layout.columns[c].header.size());
  for (std::size_t line = 0; line < height; ++line) {
    const bool last_line = line + 1 == height;
    text += last_line ? escape_latex(table.row_header) : "";
    if (layout.lifts) text += last_line ? " & " + escape_latex(table.lift_header) : " &";
    if (layout.seeds) text += last_line ? " & $n$" : " &";
    for (std::size_t c = first; c < last; ++c) {
      const ColumnLayout& column = layout.columns[c];
      const std::size_t skipped = height - column.header.size();
      const std::string part = line < skipped ? "" : escape_latex(column.header[line - skipped]);
      const char* const place = column.spread ? "c" : column.numbers ? "r" : "l";
      text += part.empty() && !column.spread
                  ? " &"
                  : fmt::format(" & \\multicolumn{{{}}}{{{}{}}}{{{}}}", column.spread ? 2 : 1, place,
                                c + 1 == table.columns.size() || c + 1 == last ? "@{}" : "", part);
    }
    text += " \\\\\n";
  }
  text += "\\midrule\n";
  RowGroup group = table.rows.empty() ? RowGroup::null : table.rows.front().group;
  for (const TableRow& row : table.rows) {
    const bool apart = (row.group == RowGroup::learner) != (group == RowGroup::learner) ||
                       (row.group == RowGroup::null && group != RowGroup::null);
    if (apart) text += "\\midrule\n";
    group = row.group;
    const std::string name = escape_latex(row.method);
    text += row.group == RowGroup::learner ? name : "\\emph{" + name + "}";
    if (layout.lifts) text += " & " + escape_latex(row.lift);
    if (layout.seeds) text += " & " + escape_latex(row.seeds);
    for (std::size_t c = first; c < last; ++c) {
      const std::string cell = cell_text(row.cells[c], layout.columns[c], row.group);
      text += " & " + cell;
    }
    text += " \\\\\n";
  }
  return text + "\\bottomrule\n\\end{tabular}";
}

std::string notes_text(const Table& table) {
  std::string text;
  std::size_t problems = 0;
  for (const std::string& note : table.footnotes) {
    const bool problem = note.starts_with("✗ ");
    if (problem && ++problems > most_problems) continue;
    text += (text.empty() ? "" : "\\par\n") + escape_latex(note);
  }
  if (problems > most_problems) {
    text += fmt::format("\\par\nand {} more; all are in the other reports", problems - most_problems);
  }
  return text.empty() ? text : "\\par\\smallskip\n{\\scriptsize\\raggedright\n" + text + "\\par}\n";
}

std::string table_environment(const std::string& caption, const std::string& label, const std::string& body) {
  return fmt::format(
      "\\begin{{table}}\n\\centering\\footnotesize\\setlength{{\\tabcolsep}}{{4pt}}\n\\caption{{{}}}\n{}{}"
      "\\end{{table}}\n",
      caption, label.empty() ? "" : "\\label{tab:" + label + "}\n", body);
}

std::string statistic_text(const ClaimResult& claim) {
  if (std::isnan(claim.test.statistic)) return "---";
  std::string text = latex_number(fmt::format("{:.3g}", claim.test.statistic));
  if (std::isfinite(claim.test.interval.low)) {
    text += fmt::format(" {{[}}{}, {}]", latex_number(fmt::format("{:.3g}", claim.test.interval.low)),
                        latex_number(fmt::format("{:.3g}", claim.test.interval.high)));
  }
  return text;
}

std::string claims_latex(const std::vector<ClaimResult>& results) {
  std::string text =
      "{\\footnotesize\\setlength{\\tabcolsep}{4pt}\\setlength{\\LTcapwidth}{\\linewidth}\n"
      "\\begin{longtable}{@{}lp{.44\\linewidth}lrlr@{}}\n"
      "\\caption{Claims. Statistic: differences in units of the smallest relevant effect, or the quantity of "
      "the claim's "
      "weakest part, with its 95\\,\\% interval over seeds; largest value over tolerance where a claim is "
      "deterministic. "
      "$p$: one-sided, after Holm's correction. Verdicts hold under this protocol and say nothing of the "
      "papers' own "
      "runs.}\\label{tab:claims}\\\\\n"
      "\\toprule\n & Claim & Verdict & $n$ & Statistic & $p$ \\\\\n\\midrule\n\\endfirsthead\n"
      "\\toprule\n & Claim & Verdict & $n$ & Statistic & $p$ \\\\\n\\midrule\n\\endhead\n"
      "\\bottomrule\n\\endfoot\n";
  for (const ClaimResult& one : results) {
    text += fmt::format("{} & \\raggedright {} & {} & {} & {} & {} {}\n", escape_latex(one.claim.id),
                        escape_latex(one.claim.statement), to_string(one.verdict), one.test.n, statistic_text(one),
                        std::isnan(one.adjusted_p) ? "---" : latex_number(fmt::format("{:.2g}", one.adjusted_p)),
                        // No page ends between a claim, its reason and its rule.
                        "\\\\*");
    const auto small = [](const std::string& words, const char* end) {
      return fmt::format(" & \\multicolumn{{5}}{{p{{.9\\linewidth}}@{{}}}}{{\\raggedright\\scriptsize {}}} {}\n",
                         escape_latex(words), end);
    };
    if (!one.reason.empty()) text += small(one.reason, "\\\\*");
    text += small(fmt::format("Rule: {}: {}.", one.claim.endpoint, one.claim.rule), "\\\\");
    text += "\\addlinespace\n";
  }
  return text + "\\end{longtable}}\n";
}

/// What the document has between its headings.
struct Part {
  std::string heading;  // "" where the table continues a part
  std::string name;
  std::string text;
};

std::vector<Part> parts_of(const ResultSet& results, const std::vector<TaskSummary>& summaries,
                           const Ranking& ranking) {
  std::vector<Part> parts;
  std::set<std::string> names;
  const auto add = [&](std::string heading, const std::string& wanted, const auto& render) {
    std::string name = latex_name(wanted);
    for (int i = 2; !names.insert(name).second; ++i) name = fmt::format("{}-{}", latex_name(wanted), i);
    parts.push_back({std::move(heading), name, render(name)});
  };
  const auto add_table = [&](std::string heading, const std::string& wanted, const Table& table) {
    add(std::move(heading), wanted, [&](const std::string& name) { return render_latex(table, name); });
  };
  if (holds_claims(results)) {
    add("Claims", "claims", [&](const std::string&) { return claims_latex(judge_claims(results)); });
  }
  if (const auto table = make_overview_table(results, summaries)) add_table("Overview", "overview", *table);
  if (const auto table = make_ranking_table(ranking)) add_table("", "ranking", *table);
  if (const auto table = make_lift_table(lift_effects(results, summaries))) add_table("", "lift-effect", *table);
  if (const auto table = make_published_table(compare_published(results, summaries)))
    add_table("", "published", *table);
  for (std::size_t t = 0; t < results.tasks.size(); ++t) {
    const TaskResult& task = results.tasks[t];
    add_table(task.name, task.name, make_table(task, summaries[t], chosen_columns(summaries[t], default_columns())));
    if (const auto axis = make_axis_table(task, summaries[t])) add_table("", task.name + "-place", *axis);
    for (const Table& table : make_diagnostic_tables(task, summaries[t])) {
      const std::size_t colon = table.title.rfind(": ");
      add_table("", task.name + "-" + (colon == std::string::npos ? "diagnostic" : table.title.substr(colon + 2)),
                table);
    }
  }
  return parts;
}

}  // namespace

std::string latex_name(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const bool safe = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-';
    result += safe ? c : '-';
  }
  // No hidden files and no paths.
  while (result.starts_with('.')) result.erase(0, 1);
  return result.empty() ? "table" : result;
}

std::string render_latex(const Table& table, std::string_view name) {
  const Layout layout = lay_out(table);
  const std::size_t columns = table.columns.size();
  // As on a terminal: the fewest blocks that fit, and of these the most even ones.
  std::size_t blocks = 1;
  const auto start_of = [&](std::size_t block) { return block * columns / blocks; };
  const auto all_fit = [&] {
    for (std::size_t b = 0; b < blocks; ++b) {
      double used = layout.names_width;
      for (std::size_t c = start_of(b); c < start_of(b + 1); ++c) used += layout.columns[c].width;
      if (used > text_width && start_of(b + 1) - start_of(b) > 1) return false;
    }
    return true;
  };
  while (blocks < columns && !all_fit()) ++blocks;

  const auto sentence = [](const std::string& words) {
    return escape_latex(words) + (words.ends_with('.') || words.ends_with('?') ? "" : ".");
  };
  std::string caption = sentence(table.title);
  if (!table.description.empty()) caption += " " + sentence(table.description);
  const std::string label = latex_name(name);
  const std::size_t height = table.rows.size() + 6;                         // with header and rules
  const std::size_t together = std::max<std::size_t>(1, longest / height);  // blocks of one environment
  std::string text;
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::size_t from = b;
    std::string body = render_block(table, layout, start_of(b), start_of(b + 1));
    while (b + 1 < blocks && b + 1 - from < together) {
      ++b;
      body += "\n\\par\\medskip\n" + render_block(table, layout, start_of(b), start_of(b + 1));
    }
    body += '\n';
    if (b + 1 == blocks) body += notes_text(table);
    text += from == 0 ? table_environment(caption, label, body)
                      : table_environment(sentence(table.title + " (continued)"), "", body);
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> latex_tables(const ResultSet& results) {
  const std::vector<TaskSummary> summaries = summarise_all(results);
  std::vector<std::pair<std::string, std::string>> tables;
  for (Part& part : parts_of(results, summaries, rank_arms(results, summaries))) {
    tables.emplace_back(std::move(part.name), std::move(part.text));
  }
  return tables;
}

std::string latex_report(const ResultSet& results) {
  const std::vector<TaskSummary> summaries = summarise_all(results);
  const Ranking ranking = rank_arms(results, summaries);
  const std::string suite = suite_name(results);
  std::string text = fmt::format(
      "% A table for a manuscript: what stands between its lines \"% begin table\" and \"% end table\", or "
      "its file in\n"
      "% tables/. It needs \\usepackage{{booktabs}} (claims: longtable, too) and fits a column of 14 cm.\n"
      "\\documentclass[10pt,a4paper]{{article}}\n"
      "\\usepackage{{booktabs,longtable,float}}\n"
      "\\usepackage[textwidth=15.5cm,textheight=25cm]{{geometry}}\n"
      "\\floatplacement{{table}}{{H}}\n"
      "\\setlength{{\\abovecaptionskip}}{{0pt}}\\setlength{{\\belowcaptionskip}}{{6pt}}\n"
      "\\setlength{{\\parindent}}{{0pt}}\\setlength{{\\parskip}}{{4pt}}\\setlength{{\\emergencystretch}}{{"
      "3em}}\n"
      "\\begin{{document}}\n{{\\Large OnManifold results{}\\par}}\\medskip\n",
      suite.empty() ? "" : ": suite " + escape_latex(suite));
  for (const std::string& line : conclusion_lines(results)) text += escape_latex(line) + "\n\n";
  const std::vector<std::string> lines = overview_lines(results, summaries, ranking);
  if (!lines.empty()) {
    text += "\\begin{itemize}\\renewcommand{\\labelitemi}{$\\bullet$}\\setlength{\\itemsep}{0pt}\n";
    for (const std::string& line : lines) text += "\\item " + escape_latex(line) + "\n";
    text += "\\end{itemize}\n";
  }
  text += escape_latex(reading_guide_text()) + "\n";
  for (const Part& part : parts_of(results, summaries, ranking)) {
    if (!part.heading.empty()) text += fmt::format("\n\\section*{{{}}}\n", escape_latex(part.heading));
    text += fmt::format("% begin table {}\n{}% end table {}\n", part.name, part.text, part.name);
  }
  return text + "\\end{document}\n";
}

}  // namespace onmanifold
