// SPDX-License-Identifier: Apache-2.0
#include "reports/html_table.hpp"

#include <cmath>

#include <fmt/format.h>
#include <zlib.h>

#include "core/error.hpp"
#include "reports/assets.hpp"
#include "reports/cell_text.hpp"
#include "reports/picture.hpp"

namespace onmanifold {
namespace {

constexpr std::size_t bytes_left_plain = 100000;
constexpr int shades = 5;  // of ranks, in page.css

Value cell_value(const TableCell& cell, RowGroup group, std::size_t column) {
  std::string classes = cell.best ? "best" : cell.second ? "second" : "";
  const auto add = [&](const std::string& name) { classes += classes.empty() ? name : " " + name; };
  if (cell.at_floor && group == RowGroup::learner) add("floor");
  if (std::isfinite(cell.shade)) add(fmt::format("shade-{:.0f}", (shades - 1) * cell.shade));
  const FormattedValue text = cell_text(cell);
  return Value::Table{{"class", classes},
                      {"hover", hover_text(cell)},
                      {"value", text.value},
                      {"spread", text.spread},
                      {"index", static_cast<std::int64_t>(column)}};
}

// What the page's script compares with.
std::string best_of(const TableColumn& column) {
  if (!column.direction) return "";
  switch (*column.direction) {
    case Direction::lower:
      return "low";
    case Direction::higher:
      return "high";
    case Direction::target:
      break;
  }
  return std::isfinite(column.target) ? fmt::format("{:.4g}", column.target) : "";
}

Value column_value(const TableColumn& column, const std::set<std::string>& defined, std::size_t index) {
  return Value::Table{{"index", static_cast<std::int64_t>(index)},
                      {"name", breakable(column.name)},
                      {"parameters", column.parameters},
                      {"samples", std::string(column.samples ? name_of(*column.samples) : "")},
                      {"best", best_of(column)},
                      {"definition", defined.contains(column.name) ? definition_id(column.name) : ""},
                      {"kind", column.kind()},
                      {"arrow", column.arrow()}};
}

std::string body_class(RowGroup group) {
  return group == RowGroup::learner ? "learners" : group == RowGroup::null ? "null apart" : "apart";
}

// Rows of one kind that follow each other are a body.
Value::Array bodies_value(const Table& table) {
  Value::Array bodies;
  Value::Array rows;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const TableRow& row = table.rows[r];
    Value::Array cells;
    for (std::size_t c = 0; c < row.cells.size(); ++c) cells.push_back(cell_value(row.cells[c], row.group, c));
    rows.push_back(
        Value::Table{{"name", row.name}, {"lift", row.lift}, {"seeds", row.seeds()}, {"cells", std::move(cells)}});
    if (r + 1 < table.rows.size() && body_class(row.group) == body_class(table.rows[r + 1].group)) continue;
    bodies.push_back(
        Value::Table{{"next", !bodies.empty()}, {"class", body_class(row.group)}, {"rows", std::move(rows)}});
    rows.clear();
  }
  return bodies;
}

}  // namespace

Template page_template(std::string_view name) {
  const std::string file = std::string(name) + ".html";
  return {file, asset(file), escape_html};
}

std::string definition_id(std::string_view metric) {
  std::string id = "def-";
  for (const char c : metric) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    id += plain ? std::string(1, c) : fmt::format("-{:02x}", static_cast<unsigned char>(c));
  }
  return id;
}

std::string breakable(std::string_view name) {
  std::string html;
  for (const char c : escape_html(name)) {
    html += c;
    if (c == '_') html += "<wbr>";
  }
  return html;
}

std::string table_html(const Table& table, std::string_view caption, const std::set<std::string>& defined) {
  Value::Array columns;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    columns.push_back(column_value(table.columns[c], defined, c));
  }
  static const Template page = page_template("table");
  return page.render(Value::Table{{"caption", std::string(caption)},
                                  {"arms", table.rows_are_arms},
                                  {"row_header", table.row_header},
                                  {"has_columns", !columns.empty()},
                                  {"columns", std::move(columns)},
                                  {"bodies", bodies_value(table)}});
}

std::string matrix_html(const Table& table) {
  Value::Array columns;
  for (std::size_t c = 0; c < table.columns.size(); ++c) columns.push_back(column_value(table.columns[c], {}, c));
  static const Template page = page_template("matrix");
  return page.render(Value::Table{{"title", table.title},
                                  {"caption", table.description},
                                  {"columns", std::move(columns)},
                                  {"bodies", bodies_value(table)}});
}

Value::Array footnotes_value(const Table& table) {
  Value::Array notes;
  for (const Footnote& note : table.footnotes) {
    notes.push_back(Value::Table{{"text", note.marked()}, {"problem", note.problem}});
  }
  return notes;
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  // 16 added to the window's bits asks zlib for the format of gzip.
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw NumericalFailure("zlib cannot start");
  }
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  // zlib's older interface takes a pointer to what it only reads.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int state = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (state != Z_STREAM_END) throw NumericalFailure("zlib cannot pack");
  return packed;
}

std::string download_link(std::string_view label, std::string_view file_name, std::string_view type,
                          std::string_view content, std::size_t most_bytes) {
  const std::string packed = content.size() > bytes_left_plain ? gzip(content) : std::string();
  const bool use = !packed.empty() && packed.size() < content.size();
  std::string address = base64(use ? std::string_view(packed) : content);
  if (address.size() > most_bytes) return "";
  static const Template page = page_template("download");
  return page.render(Value::Table{{"file", std::string(file_name) + (use ? ".gz" : "")},
                                  {"packed", use},
                                  {"type", std::string(type)},
                                  {"address_type", use ? "application/gzip" : std::string(type)},
                                  {"address", std::move(address)},
                                  {"label", std::string(label)}});
}

}  // namespace onmanifold
