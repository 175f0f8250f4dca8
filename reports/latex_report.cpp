// SPDX-License-Identifier: Apache-2.0
#include "reports/latex_report.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/files/atomic_file.hpp"
#include "reports/assets.hpp"
#include "reports/cell_text.hpp"
#include "reports/sentences.hpp"
#include "reports/template.hpp"

namespace onmanifold {
namespace {

constexpr double characters = 16.3;       // to the inch, in eight points
constexpr std::size_t longest = 50;       // lines of one table on a page, beside its notes
constexpr std::size_t most_problems = 6;  // lines of failed cells below a table

Template latex_template(const char* name, std::string_view source) {
  return {name, source, escape_latex, "<<", ">>"};
}

std::string marked(const std::string& text, const TableCell& cell) {
  if (text.empty()) return text;
  if (cell.best) return "\\textbf{" + text + "}";
  if (cell.second) return "\\underline{" + text + "}";
  return text;
}

bool is_words(const TableCell& cell) {
  const auto* words = std::get_if<std::string>(&cell.content);
  return words != nullptr && !words->empty() && *words != "—";
}

bool shows_floor(const TableCell& cell, RowGroup group) {
  return cell.at_floor && group == RowGroup::learner;
}

/// How one column is set.
struct ColumnLayout {
  bool numbers = true;  // to the right; text to the left
  bool spread = false;  // two columns around ±; the sign is in the second, so that it is missing where the spread is
  std::vector<std::string> header;
  int width = 0;  // characters, with the gap behind

  [[nodiscard]] const char* format() const { return spread ? "r@{}l" : numbers ? "r" : "l"; }
};

struct Layout {
  std::vector<ColumnLayout> columns;
  bool lifts = false;
  bool seeds = false;
  int names_width = 0;
};

Layout lay_out(const Table& table) {
  constexpr int gap = 2;
  constexpr int plus_minus = 2;
  Layout layout;
  layout.seeds = !table.equal_seeds;
  int name = display_width(table.row_header);
  int lift = display_width(table.lift_header);
  for (const TableRow& row : table.rows) {
    name = std::max(name, display_width(row.name));
    lift = std::max(lift, display_width(row.lift));
    layout.lifts = layout.lifts || !row.lift.empty();
  }
  layout.names_width = name + (layout.lifts ? lift + gap : 0) + (layout.seeds ? 4 + gap : 0);
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    ColumnLayout column;
    column.header = header_lines(table.columns[c]);
    int value = 0;
    int spread = 0;
    for (const TableRow& row : table.rows) {
      const FormattedValue text = cell_text(row.cells[c]);
      column.numbers = column.numbers && !is_words(row.cells[c]);
      column.spread = column.spread || !text.spread.empty();
      value = std::max(value, display_width(text.value));
      spread = std::max(spread, display_width(text.spread) + (shows_floor(row.cells[c], row.group) ? 1 : 0));
    }
    column.width = column.spread ? value + plus_minus + spread : value;
    for (const std::string& line : column.header) column.width = std::max(column.width, display_width(line));
    column.width += gap;
    layout.columns.push_back(std::move(column));
  }
  return layout;
}

std::string tabular_cell(const TableCell& cell, const ColumnLayout& column, RowGroup group) {
  const std::string floor = shows_floor(cell, group) ? "\\,$\\cdot$" : "";
  const FormattedValue text = cell_latex(cell);
  const std::string value = marked(text.value, cell);
  if (!column.spread) return value + floor;
  if (text.spread.empty()) return value.empty() ? " &" : value + floor + " &";
  return fmt::format("{} & \\,$\\pm$\\,{}{}", value, marked(text.spread, cell), floor);
}

std::string header_cell(const std::string& part, const ColumnLayout& column, bool last) {
  if (part.empty() && !column.spread) return "";
  return fmt::format("\\multicolumn{{{}}}{{{}{}}}{{{}}}", column.spread ? 2 : 1,
                     column.spread    ? "c"
                     : column.numbers ? "r"
                                      : "l",
                     last ? "@{}" : "", escape_latex(part));
}

// Cells behind "&", without a blank before nothing.
std::string joined(const std::vector<std::string>& cells) {
  std::string text = cells.front();
  for (std::size_t i = 1; i < cells.size(); ++i) text += cells[i].empty() ? " &" : " & " + cells[i];
  return text;
}

Value::Array header_rows(const Table& table, const Layout& layout, std::size_t first, std::size_t last) {
  std::size_t height = 1;
  for (std::size_t c = first; c < last; ++c) height = std::max(height, layout.columns[c].header.size());
  Value::Array rows;
  for (std::size_t line = 0; line < height; ++line) {
    const bool last_line = line + 1 == height;
    std::vector<std::string> cells = {last_line ? escape_latex(table.row_header) : ""};
    if (layout.lifts) cells.push_back(last_line ? escape_latex(table.lift_header) : "");
    if (layout.seeds) cells.emplace_back(last_line ? "$n$" : "");
    for (std::size_t c = first; c < last; ++c) {
      const ColumnLayout& column = layout.columns[c];
      const std::size_t skipped = height - column.header.size();
      cells.push_back(header_cell(line < skipped ? "" : column.header[line - skipped], column, c + 1 == last));
    }
    rows.push_back(joined(cells));
  }
  return rows;
}

// Columns first … last-1 as one tabular.
Value block_value(const Table& table, const Layout& layout, std::size_t first, std::size_t last, bool next) {
  std::string columns = std::string("l") + (layout.lifts ? "l" : "") + (layout.seeds ? "r" : "");
  for (std::size_t c = first; c < last; ++c) columns += layout.columns[c].format();
  Value::Array rows;
  const TableRow* before = nullptr;
  for (const TableRow& row : table.rows) {
    const std::string name = escape_latex(row.name);
    std::string cells = row.group == RowGroup::learner ? name : "\\emph{" + name + "}";
    if (layout.lifts) cells += " & " + escape_latex(row.lift);
    if (layout.seeds) cells += " & " + escape_latex(row.seeds());
    for (std::size_t c = first; c < last; ++c) {
      cells += " & " + tabular_cell(row.cells[c], layout.columns[c], row.group);
    }
    rows.push_back(Value::Table{{"apart", before != nullptr && row.apart_from(*before)}, {"cells", cells}});
    before = &row;
  }
  return Value::Table{{"next", next},
                      {"columns", columns},
                      {"header", header_rows(table, layout, first, last)},
                      {"rows", std::move(rows)}};
}

Value::Array notes_value(const Table& table) {
  Value::Array notes;
  std::size_t problems = 0;
  const auto add = [&](std::string text) {
    notes.push_back(Value::Table{{"next", !notes.empty()}, {"text", std::move(text)}});
  };
  for (const Footnote& note : table.footnotes) {
    if (!note.problem || ++problems <= most_problems) add(note.marked());
  }
  if (problems > most_problems) {
    add(fmt::format("and {} more; all are in the other reports", problems - most_problems));
  }
  return notes;
}

std::string claims_latex(const std::vector<ClaimResult>& results) {
  const auto number = [](double value, int digits) { return to_latex(round_significant(value, digits)); };
  Value::Array claims;
  for (const ClaimResult& one : results) {
    std::string statistic = number(one.test.statistic, 3);
    if (std::isfinite(one.test.statistic) && std::isfinite(one.test.interval.low)) {
      statistic += fmt::format(" {{[}}{}, {}]", number(one.test.interval.low, 3), number(one.test.interval.high, 3));
    }
    claims.push_back(Value::Table{{"id", one.claim.id},
                                  {"statement", one.claim.statement},
                                  {"verdict", std::string(to_string(one.verdict))},
                                  {"n", static_cast<std::int64_t>(one.test.n)},
                                  {"statistic", statistic},
                                  {"p", number(one.adjusted_p, 2)},
                                  {"reason", one.reason},
                                  {"endpoint", one.claim.endpoint},
                                  {"rule", one.claim.rule}});
  }
  static const Template page = latex_template("claims.tex.in", asset("claims.tex.in"));
  return page.render(Value::Table{{"claims", std::move(claims)}});
}

// Names as papers write them.
Table styled(Table table, const LatexStyle& style) {
  const auto symbol = [&](std::string& name) {
    const auto found = style.symbols.find(name);
    if (found != style.symbols.end()) name = found->second;
  };
  for (TableColumn& column : table.columns) {
    symbol(column.name);
    symbol(column.variant);
  }
  if (!style.one_name) return table;
  for (TableRow& row : table.rows) {
    row.name = arm_label(row.name, row.lift);
    row.lift.clear();
  }
  return table;
}

/// What the document has between its headings.
struct Part {
  std::string heading;  // "" where the table continues a part
  std::string name;
  std::string text;
};

std::vector<Part> parts_of(const Report& report) {
  std::vector<Part> parts;
  std::set<std::string> names;
  const auto unique = [&](const std::string& wanted) {
    std::string name = latex_name(wanted);
    for (int i = 2; !names.insert(name).second; ++i) name = fmt::format("{}-{}", latex_name(wanted), i);
    return name;
  };
  const auto add = [&](const std::string& heading, const std::optional<Table>& table) {
    if (!table) return;
    const std::string name = unique(table->name);
    parts.push_back({heading, name, render_latex(*table, name)});
  };
  const std::vector<ClaimResult>& claims = report.analysis.claims;
  if (!claims.empty()) parts.push_back({"Claims", unique("claims"), claims_latex(claims)});
  add("Overview", report.tables.matrix);
  add("", report.tables.overview);
  add("", report.tables.ranking);
  add("", report.tables.lifts);
  add("", report.tables.published);
  for (const TaskTables& task : report.tables.tasks) {
    add(task.main.name, task.main);
    add("", task.axis);
    for (const Table& table : task.diagnostics) add("", table);
  }
  return parts;
}

std::string document_of(const Report& report, const std::vector<Part>& parts) {
  const auto array = [](const std::vector<std::string>& lines) { return Value::Array(lines.begin(), lines.end()); };
  const Value::Array lines = array(overview_lines(report.analysis));
  Value::Array shown;
  for (const Part& part : parts) {
    shown.push_back(Value::Table{{"heading", part.heading}, {"name", part.name}, {"text", part.text}});
  }
  static const Template page = latex_template("report.tex.in", asset("report.tex.in"));
  return page.render(Value::Table{{"suite", report.analysis.suite.name},
                                  {"conclusions", array(conclusion_lines(report.analysis))},
                                  {"has_lines", !lines.empty()},
                                  {"lines", lines},
                                  {"guide", reading_guide_text()},
                                  {"parts", std::move(shown)}});
}

}  // namespace

std::string latex_name(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const bool safe =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-';
    result += safe ? c : '-';
  }
  // No hidden files and no paths.
  while (result.starts_with('.')) result.erase(0, 1);
  return result.empty() ? "table" : result;
}

std::string render_latex(const Table& given, std::string_view name, const LatexStyle& style) {
  const Table table = styled(given, style);
  const auto line_width = static_cast<int>(characters * style.width);
  const Layout layout = lay_out(table);
  std::vector<int> widths;
  for (const ColumnLayout& column : layout.columns) widths.push_back(column.width);
  const std::vector<std::size_t> starts = column_blocks(widths, layout.names_width, line_width);
  const std::size_t blocks = starts.size() - 1;
  const std::size_t height = table.rows.size() + 6;                         // with header and rules
  const std::size_t together = std::max<std::size_t>(1, longest / height);  // blocks of one environment
  const auto sentence = [](const std::string& words) {
    return words + (words.ends_with('.') || words.ends_with('?') ? "" : ".");
  };
  Value::Array environments;
  for (std::size_t from = 0; from < blocks; from += together) {
    const std::size_t to = std::min(blocks, from + together);
    Value::Array tabulars;
    for (std::size_t b = from; b < to; ++b) {
      tabulars.push_back(block_value(table, layout, starts[b], starts[b + 1], b > from));
    }
    std::string caption = sentence(table.title + (from == 0 ? "" : " (continued)"));
    if (from == 0 && !table.description.empty()) caption += " " + sentence(table.description);
    const Value::Array notes = to == blocks && style.notes ? notes_value(table) : Value::Array();
    environments.push_back(Value::Table{{"environment", style.spanning ? "table*" : "table"},
                                        {"caption", caption},
                                        {"label", from == 0 ? latex_name(name) : ""},
                                        {"blocks", std::move(tabulars)},
                                        {"has_notes", !notes.empty()},
                                        {"notes", notes}});
  }
  static const Template page = latex_template("table.tex.in", asset("table.tex.in"));
  return page.render(Value::Table{{"environments", std::move(environments)}});
}

std::vector<std::pair<std::string, std::string>> latex_tables(const Report& report) {
  std::vector<std::pair<std::string, std::string>> tables;
  for (Part& part : parts_of(report)) tables.emplace_back(std::move(part.name), std::move(part.text));
  return tables;
}

std::string latex_report(const Report& report) {
  return document_of(report, parts_of(report));
}

std::vector<std::string> LatexReporter::write(const Report& report, const std::string& directory) const {
  const std::vector<Part> parts = parts_of(report);
  for (const Part& part : parts) {
    write_file((std::filesystem::path(directory) / "tables" / (part.name + ".tex")).string(), part.text);
  }
  return {write_report_file(directory, "tex", document_of(report, parts))};
}

}  // namespace onmanifold
