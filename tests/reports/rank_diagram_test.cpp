// SPDX-License-Identifier: Apache-2.0
#include "reports/rank_diagram.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/report_fixture.hpp"

namespace onmanifold {
namespace {

// A ranking of \p k arms at ranks 1, 2, …, with names that need escaping.
Ranking made_ranking(int k, double cd, std::vector<std::pair<int, int>> groups) {
  Ranking ranking;
  ranking.tasks = {"t"};
  ranking.metrics = {"tvd"};
  ranking.seeds = {5};
  ranking.blocks = 5;
  ranking.cd = cd;
  ranking.groups = std::move(groups);
  for (int a = 0; a < k; ++a) {
    RankedArm arm;
    arm.method = fmt::format("m<{}>&\"", a);
    arm.lift = "none";
    arm.mean_rank = a + 1;
    arm.task_ranks = {arm.mean_rank};
    arm.task_scores = {0.5};
    ranking.arms.push_back(arm);
  }
  return ranking;
}

// Empty if the tags close in order, no attribute is open and no bare sign is in the text.
std::string xml_fault(const std::string& text) {
  std::vector<std::string> open;
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] == '&') {
      const std::size_t end = text.find(';', i);
      if (end == std::string::npos || end - i > 6) return fmt::format("bare & at {}", i);
    }
    if (text[i] == '>') return fmt::format("bare > at {}", i);
    if (text[i] != '<') {
      ++i;
      continue;
    }
    bool quoted = false;
    std::size_t end = i + 1;
    while (end < text.size() && (quoted || text[end] != '>')) {
      if (text[end] == '"') quoted = !quoted;
      if (text[end] == '<') return fmt::format("< inside a tag at {}", end);
      ++end;
    }
    if (end == text.size()) return "open tag at the end";
    const std::string tag = text.substr(i + 1, end - i - 1);
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return "closes " + tag;
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
    i = end + 1;
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

// Values of an attribute, in order.
std::vector<double> attribute(const std::string& svg, const std::string& name) {
  std::vector<double> values;
  const std::string wanted = " " + name + "=\"";
  for (std::size_t at = svg.find(wanted); at != std::string::npos; at = svg.find(wanted, at + 1)) {
    values.push_back(std::strtod(svg.c_str() + at + wanted.size(), nullptr));
  }
  return values;
}

TEST(RankDiagram, IsWellFormedAndStaysInItsFrame) {
  for (const int k : {2, 3, 7, 26}) {
    const std::string svg = rank_diagram_svg(made_ranking(k, 1.5, {{0, 1}}), "ranks");
    EXPECT_EQ(xml_fault(svg), "") << svg;
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    const double width = attribute(svg, "width").front();
    const double height = attribute(svg, "height").front();
    for (const char* name : {"x1", "x2", "x"}) {
      for (const double value : attribute(svg, name)) {
        EXPECT_GE(value, 0) << k;
        EXPECT_LE(value, width) << k;
      }
    }
    for (const char* name : {"y1", "y2", "y"}) {
      for (const double value : attribute(svg, name)) {
        EXPECT_GE(value, 0) << k;
        EXPECT_LE(value, height) << k;
      }
    }
    for (int a = 0; a < k; ++a) {
      EXPECT_NE(svg.find(fmt::format(">m&lt;{}&gt;&amp;&quot; ({}.00)</text>", a, a + 1)), std::string::npos)
          << a;
    }
  }
}

TEST(RankDiagram, TheCheckSeesFaults) {
  EXPECT_NE(xml_fault("<svg><text>a</svg>"), "");
  EXPECT_NE(xml_fault("<svg>a & b</svg>"), "");
  EXPECT_NE(xml_fault("<svg>a > b</svg>"), "");
  EXPECT_NE(xml_fault("<svg x=\"a</svg>"), "");
  EXPECT_NE(xml_fault("<svg>"), "");
}

TEST(RankDiagram, ABarJoinsEveryGroupOfTwoOrMoreAndTheDifferenceIsToScale) {
  const auto count = [](const std::string& text, const std::string& part) {
    int n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
  };
  const std::string svg = rank_diagram_svg(made_ranking(5, 2, {{0, 2}, {1, 3}, {4, 4}}), "ranks");
  EXPECT_EQ(count(svg, "stroke-width=\"3.5\""), 2);
  // The first line is the critical difference: half of the axis of ranks 1 … 5, which is 420 wide.
  EXPECT_NEAR(attribute(svg, "x2").front() - attribute(svg, "x1").front(), 210, 0.2);
  EXPECT_NE(svg.find("CD 2.00"), std::string::npos);
  // One that is longer than the axis ends with it and has no second end.
  const std::string wide = rank_diagram_svg(made_ranking(3, 9, {{0, 2}}), "ranks");
  EXPECT_NEAR(attribute(wide, "x2").front() - attribute(wide, "x1").front(), 420, 0.2);
}

TEST(RankDiagram, OfResultsAndOfNothing) {
  const ResultSet results = report_fixture();
  const std::string svg = rank_diagram_svg(rank_arms(results, summarise_all(results)), "ranks");
  EXPECT_EQ(xml_fault(svg), "");
  EXPECT_THAT(svg, testing::HasSubstr("best first: ddpm normal (1.00), ddpm isotropic (2.00), ddpm (3.00)."));
  EXPECT_EQ(rank_diagram_svg(Ranking{}, "ranks"), "");
  EXPECT_EQ(rank_diagram_svg(made_ranking(1, 1, {}), "ranks"), "");
}

}  // namespace
}  // namespace onmanifold
