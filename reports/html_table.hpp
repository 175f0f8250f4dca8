// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tables and downloads as HTML, as the page needs them.

#include <set>
#include <string>
#include <string_view>

#include "reports/table.hpp"
#include "reports/template.hpp"

namespace onmanifold {

/// The template page/<name>.html.
[[nodiscard]] Template page_template(std::string_view name);

/// The id of a metric's entry among the definitions of a page: "def-tvd".
[[nodiscard]] std::string definition_id(std::string_view metric);

/// A name that may break after an underscore, escaped.
[[nodiscard]] std::string breakable(std::string_view name);

/// A table in a scrolling region of its own. Headers of metrics in \p defined are links to their definitions.
/// Marks for the page's script: data-samples and data-best (low, high, or the target) on headers, data-arms
/// on a table whose rows are arms.
[[nodiscard]] std::string table_html(const Table& table, std::string_view caption,
                                     const std::set<std::string>& defined = {});

/// The matrix: tasks as columns, each header a link to its task and each cell marked with it, ranks as shades.
[[nodiscard]] std::string matrix_html(const Table& table);

/// Footnotes as the templates take them.
[[nodiscard]] Value::Array footnotes_value(const Table& table);

/// A link that saves \p content as \p file_name, as a data: address. Packed by gzip where that is smaller and
/// the content is above 100 kB (then the name ends in .gz; the page's script unpacks on a click where the
/// browser can). Empty if it would take more than \p most_bytes.
[[nodiscard]] std::string download_link(std::string_view label, std::string_view file_name, std::string_view type,
                                        std::string_view content, std::size_t most_bytes);

/// \p bytes as a gzip file without name and time: equal bytes give equal files.
[[nodiscard]] std::string gzip(std::string_view bytes);

}  // namespace onmanifold
