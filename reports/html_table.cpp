// SPDX-License-Identifier: Apache-2.0
#include "reports/html_table.hpp"

#include <cctype>

#include <fmt/format.h>
#include <zlib.h>

#include "core/error.hpp"
#include "reports/picture.hpp"

namespace onmanifold {
namespace {

constexpr std::size_t bytes_left_plain = 100000;

std::string cell_html(const TableCell& cell, RowGroup group) {
  std::string classes;
  if (cell.best) {
    classes = "best";
  } else if (cell.second) {
    classes = "second";
  }
  if (cell.at_floor && group == RowGroup::learner) classes += classes.empty() ? "floor" : " floor";
  const std::string hover = cell.detail.empty() ? cell.note : cell.detail + (cell.note.empty() ? "" : "; " + cell.note);
  std::string text = escape_html(cell.text.value);
  if (!cell.text.spread.empty()) text += fmt::format(" <span class=\"sd\">± {}</span>", escape_html(cell.text.spread));
  return fmt::format("<td{}{}>{}</td>", classes.empty() ? "" : fmt::format(" class=\"{}\"", classes),
                     hover.empty() ? "" : fmt::format(" title=\"{}\"", escape_html(hover)), text);
}

// "↓" -> "low", "↑" -> "high", "→0.01" -> "0.01".
std::string best_of(const std::string& arrow) {
  if (arrow == "↓") return "low";
  if (arrow == "↑") return "high";
  constexpr std::string_view target = "→";
  return arrow.starts_with(target) ? arrow.substr(target.size()) : "";
}

}  // namespace

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

std::string table_html(const Table& table, std::string_view caption, bool rows_are_arms,
                       const std::set<std::string>& defined) {
  if (table.columns.empty()) return "<p>No metric has been computed.</p>\n";
  std::string html = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"{0}\"><table{1}><caption>{0}</caption>\n"
      "<thead><tr><th scope=\"col\"><span>{2}</span></th><th scope=\"col\"><span>Seeds</span></th>",
      escape_html(caption), rows_are_arms ? " data-arms" : "", rows_are_arms ? "Arm" : escape_html(table.row_header));
  for (const TableColumn& column : table.columns) {
    const std::string best = best_of(column.arrow);
    const bool kind = column.samples == "raw" || column.samples == "projected";
    const std::string name = breakable(column.metric);
    html += fmt::format("<th scope=\"col\"{}{}{}>{}<small>{} {}</small></th>",
                        column.parameters.empty() ? "" : fmt::format(" title=\"{}\"", escape_html(column.parameters)),
                        kind ? fmt::format(" data-samples=\"{}\"", column.samples) : "",
                        best.empty() ? "" : fmt::format(" data-best=\"{}\"", escape_html(best)),
                        defined.contains(column.metric)
                            ? fmt::format("<a href=\"#{}\">{}</a>", definition_id(column.metric), name)
                            : fmt::format("<span>{}</span>", name),
                        escape_html(column.samples), escape_html(column.arrow));
  }
  html += "</tr></thead>\n";
  const auto body_class = [](RowGroup group) {
    return group == RowGroup::learner ? "learners" : group == RowGroup::null ? "null apart" : "apart";
  };
  std::string open;
  for (const TableRow& row : table.rows) {
    const std::string wanted = body_class(row.group);
    if (open != wanted) {
      if (!open.empty()) html += "</tbody>\n";
      html += fmt::format("<tbody class=\"{}\">\n", wanted);
      open = wanted;
    }
    html += fmt::format("<tr><th scope=\"row\">{}{}</th><td>{}</td>", escape_html(row.method),
                        row.lift.empty() ? "" : fmt::format(" <small>{}</small>", escape_html(row.lift)), row.seeds);
    for (const TableCell& cell : row.cells) html += cell_html(cell, row.group);
    html += "</tr>\n";
  }
  return html + (open.empty() ? "" : "</tbody>") + "</table></div>\n";
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
  std::string packed = content.size() > bytes_left_plain ? gzip(content) : std::string();
  const bool use = !packed.empty() && packed.size() < content.size();
  const std::string address = base64(use ? std::string_view(packed) : content);
  if (address.size() > most_bytes) return "";
  return fmt::format("<a class=\"button\" download=\"{}{}\"{} href=\"data:{};base64,{}\">{}</a>\n", file_name,
                     use ? ".gz" : "", use ? fmt::format(" data-packed data-type=\"{}\"", type) : "",
                     use ? "application/gzip" : type, address, escape_html(label));
}

}  // namespace onmanifold
