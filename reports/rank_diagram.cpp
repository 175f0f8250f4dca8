// SPDX-License-Identifier: Apache-2.0
#include "reports/rank_diagram.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace onmanifold {

std::string rank_diagram_svg(const Ranking& ranking, std::string_view id) {
  if (!make_ranking_table(ranking)) return "";
  const std::size_t k = ranking.arms.size();
  const auto lowest_rank = static_cast<double>(k);
  const auto label = [&](const RankedArm& arm) {
    return fmt::format("{} ({:.2f})", arm_label(arm.method, arm.lift == "none" ? "" : arm.lift),
                       arm.mean_rank);
  };
  int longest = 0;
  for (const RankedArm& arm : ranking.arms) longest = std::max(longest, display_width(label(arm)));
  // 12 px type: 6.6 px a letter on the mean. The axis keeps its length whatever the names are.
  const double side = 20 + 6.6 * longest;
  constexpr double length = 420;
  const double width = 2 * side + length;
  const auto x = [&](double rank) { return side + length * (rank - 1) / (lowest_rank - 1); };

  constexpr double axis = 62;
  std::vector<std::pair<int, int>> bars;
  for (const auto& group : ranking.groups) {
    if (group.second > group.first) bars.push_back(group);
  }
  constexpr double bar_step = 7;
  const double bars_end = axis + 10 + bar_step * static_cast<double>(bars.size());
  const std::size_t left = (k + 1) / 2;
  constexpr double row = 18;
  const double height = bars_end + row * static_cast<double>(left) + 14;

  std::vector<std::string> order;
  for (const RankedArm& arm : ranking.arms) order.push_back(label(arm));
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"rank-diagram\" style=\"max-width:100%;height:auto\" "
      "viewBox=\"0 0 {0:.1f} {1:.1f}\" "
      "width=\"{0:.1f}\" "
      "height=\"{1:.1f}\" role=\"img\" aria-labelledby=\"{2}-title {2}-desc\" font-family=\"sans-serif\" "
      "font-size=\"12\" "
      "fill=\"currentColor\" stroke=\"none\">\n"
      "<title id=\"{2}-title\">Mean ranks and critical difference</title>\n<desc "
      "id=\"{2}-desc\">{3}</desc>\n",
      width, height, escape_html(id),
      escape_html(fmt::format("{} learners by mean rank, best first: {}. Critical difference {:.2f}.", k,
                              fmt::join(order, ", "), ranking.cd)));
  const auto line = [&](double x1, double y1, double x2, double y2, double thickness) {
    svg += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"currentColor\" "
        "stroke-width=\"{}\"/>\n",
        x1, y1, x2, y2, thickness);
  };
  const auto text = [&](double at, double y, const char* anchor, const std::string& words) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", at, y, anchor,
                       escape_html(words));
  };

  // The critical difference to scale, as far as there is room for it.
  const double cd_end = std::min(x(1 + ranking.cd), x(lowest_rank));
  line(x(1), 20, cd_end, 20, 1.5);
  line(x(1), 16, x(1), 24, 1.5);
  if (1 + ranking.cd <= lowest_rank) line(cd_end, 16, cd_end, 24, 1.5);
  text(cd_end + 6, 24, "start", fmt::format("CD {:.2f}", ranking.cd));

  line(x(1), axis, x(lowest_rank), axis, 1.5);
  const int ticks = static_cast<int>(k);
  const int every = std::max(1, (ticks + 13) / 14);
  for (int rank = 1; rank <= ticks; rank += every) {
    line(x(rank), axis - 6, x(rank), axis, 1);
    text(x(rank), axis - 10, "middle", fmt::format("{}", rank));
  }
  for (std::size_t b = 0; b < bars.size(); ++b) {
    const double y = axis + 9 + bar_step * static_cast<double>(b);
    line(x(ranking.arms[static_cast<std::size_t>(bars[b].first)].mean_rank) - 3, y,
         x(ranking.arms[static_cast<std::size_t>(bars[b].second)].mean_rank) + 3, y, 3.5);
  }
  // The better half leaves to the left, best on top, the other to the right, worst on top: no two lines
  // cross.
  for (std::size_t a = 0; a < k; ++a) {
    const bool to_left = a < left;
    const double y = bars_end + row * static_cast<double>(to_left ? a + 1 : k - a) - 4;
    const double at = x(ranking.arms[a].mean_rank);
    const double end = to_left ? side - 8 : side + length + 8;
    line(at, axis, at, y, 1);
    line(at, y, end, y, 1);
    text(to_left ? end - 4 : end + 4, y + 4, to_left ? "end" : "start", label(ranking.arms[a]));
  }
  return svg + "</svg>\n";
}

}  // namespace onmanifold
