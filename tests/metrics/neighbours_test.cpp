// SPDX-License-Identifier: Apache-2.0
#include "metrics/neighbours.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

double squared(const Points& a, Index i, const Points& b, Index j) {
  double sum = 0;
  for (Index c = 0; c < a.rows(); ++c) sum += (a(c, i) - b(c, j)) * (a(c, i) - b(c, j));
  return sum;
}

// Integer coordinates make ties; a far offset makes scalar products lose digits.
Points cloud(Index dimension, Index n, const std::string& kind, const std::string& name) {
  Stream stream = Stream(2, "cloud").at(name);
  Points points = stream.normal(dimension, n);
  if (kind == "lattice") points = (2 * points).array().round();
  if (kind == "offset") points.array() += 1e6;
  return points;
}

class Backends : public testing::TestWithParam<std::tuple<Index, std::string>> {};

TEST_P(Backends, AgreeWithPlainLoopsBitForBit) {
  const auto& [dimension, kind] = GetParam();
  const Points x = cloud(dimension, 150, kind, "x");
  const Points y = cloud(dimension, 90, kind, "y");
  for (const auto method : {NeighbourIndex::Method::tree, NeighbourIndex::Method::products}) {
    const NeighbourIndex index(x, method);
    const Neighbours nearest = index.nearest(y);
    const Neighbours other = index.nearest_other();
    const Vector kth = index.kth_squared_distance(4);
    const Vector radii = NeighbourIndex(y, method).kth_squared_distance(3);
    const BallCounts open = index.within(y, radii, false);
    const BallCounts closed = index.within(y, radii, true);
    Eigen::Array<bool, Eigen::Dynamic, 1> covered = Eigen::Array<bool, Eigen::Dynamic, 1>::Constant(x.cols(), false);
    for (Index j = 0; j < y.cols(); ++j) {
      Index best = 0;
      Index inside = 0;
      Index inside_closed = 0;
      for (Index i = 0; i < x.cols(); ++i) {
        const double d2 = squared(x, i, y, j);
        if (d2 < squared(x, best, y, j)) best = i;
        if (d2 < radii[j]) ++inside, covered[i] = true;
        if (d2 <= radii[j]) ++inside_closed;
      }
      ASSERT_EQ(nearest.index[j], best);
      ASSERT_EQ(nearest.squared_distance[j], squared(x, best, y, j));
      ASSERT_EQ(open.inside[j], inside);
      ASSERT_EQ(closed.inside[j], inside_closed);
    }
    ASSERT_TRUE((open.covered == covered).all());
    for (Index i = 0; i < x.cols(); ++i) {
      std::vector<std::pair<double, Index>> distances;
      for (Index j = 0; j < x.cols(); ++j) {
        if (j != i) distances.emplace_back(squared(x, j, x, i), j);
      }
      std::sort(distances.begin(), distances.end());
      ASSERT_EQ(kth[i], distances[3].first);
      ASSERT_EQ(other.index[i], distances[0].second);
      ASSERT_EQ(other.squared_distance[i], distances[0].first);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Backends,
                         testing::Combine(testing::Values<Index>(1, 2, 3, 5, 40),
                                          testing::Values(std::string("normal"), std::string("lattice"),
                                                          std::string("offset"))));

TEST(Neighbours, RejectsBadInput) {
  const Points x = cloud(3, 10, "normal", "x");
  const Points none(3, 0);
  EXPECT_THROW(NeighbourIndex{none}, InvalidInput);
  const NeighbourIndex index(x);
  EXPECT_THROW(static_cast<void>(index.kth_squared_distance(10)), InvalidInput);
  EXPECT_THROW(static_cast<void>(index.kth_squared_distance(0)), InvalidInput);
  EXPECT_THROW(static_cast<void>(index.nearest(Points::Zero(2, 4))), InvalidInput);
}

}  // namespace
}  // namespace onmanifold::test
