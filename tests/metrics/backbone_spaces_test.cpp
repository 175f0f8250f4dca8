// SPDX-License-Identifier: Apache-2.0
// Metrics that know backbones: torsions from coordinates, and RMSD with the atoms of the frame.
#include <cmath>

#include <gtest/gtest.h>

#include "manifolds/backbone.hpp"
#include "metric_fixtures.hpp"
#include "metrics/kabsch.hpp"
#include "metrics/registry.hpp"

namespace onmanifold {
namespace {

double value_of(const std::string& metric, const Points& samples, const Points& reference, const Manifold* manifold) {
  const test::Given input{
      .samples = &samples, .reference = &reference, .manifold = manifold, .evaluation = {1, "test"}};
  return test::evaluate(*make_metric(parse_metric_list(metric).front()), input).front().value;
}

TEST(BackboneSpaces, TorsionsAreThoseOfTheChains) {
  const Backbone backbone(5, backbone_geometry("igfold"), BackboneFrame::middle);
  const Points x = backbone.random_points(60, Stream(1, "x"));
  const Points y = backbone.random_points(60, Stream(2, "y"));
  const double expected = value_of("energy(space=torsions)", backbone.torsions(x), backbone.torsions(y), nullptr);
  EXPECT_NEAR(value_of("energy(space=torsions)", x, y, &backbone), expected, 1e-12);
  EXPECT_GT(std::abs(value_of("energy(space=torsions)", x, y, nullptr) - expected), 1e-6) << "Å are no angles";
}

TEST(BackboneSpaces, RmsdIsThatOfAllAtoms) {
  const Backbone backbone(4, backbone_geometry("igfold"), BackboneFrame::middle);
  const Points x = backbone.random_points(30, Stream(3, "x"));
  const Points y = backbone.random_points(30, Stream(4, "y"));
  for (const char* metric : {"rmsd_nearest", "rmsd_pairwise", "rmsd_cross"}) {
    const double expected = value_of(metric, backbone.full_coordinates(x), backbone.full_coordinates(y), nullptr);
    EXPECT_DOUBLE_EQ(value_of(metric, x, y, &backbone), expected);
    EXPECT_NE(value_of(metric, x, y, nullptr), expected);
  }
}

}  // namespace
}  // namespace onmanifold
