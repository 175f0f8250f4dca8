// SPDX-License-Identifier: Apache-2.0
#pragma once
// The ranking as a critical-difference diagram: mean ranks on a line, names at its sides, bars over arms that
// are not separated \cite demsar2006.

#include <string>
#include <string_view>

#include "reports/ranking.hpp"

namespace onmanifold {

/// An <svg> element for a page or, with its namespace, a file; lines and text in currentColor, so that it
/// follows light and dark. \p id begins the ids of its title and description. "" where make_ranking_table has
/// nothing to show.
[[nodiscard]] std::string rank_diagram_svg(const Ranking& ranking, std::string_view id);

}  // namespace onmanifold
