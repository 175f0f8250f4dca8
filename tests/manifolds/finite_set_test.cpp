// SPDX-License-Identifier: Apache-2.0
#include "manifolds/finite_set.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "manifolds/product.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(FiniteSetTest, TakesTheNearestAtomAndTheFirstOfATie) {
  Points atoms(2, 3);
  atoms << 0, 2, 0, 0, 0, 4;
  const FiniteSet set(atoms);
  EXPECT_EQ(set.dimension(), 0);
  EXPECT_EQ(set.codimension(), 2);
  EXPECT_EQ(set.reach(), 1);
  EXPECT_EQ(set.spec(), "finite:atoms=0:0/2:0/0:4");
  Points x(2, 5);
  x << 0.9, 1, 1.1, 0, INFINITY, 0, 5e-1, 0, 2, 0;
  EXPECT_EQ(set.nearest(x), (std::vector<Index>{0, 0, 1, 0, -1}));
  const Projection projection = set.project(x);
  EXPECT_TRUE(projection.converged(1)) << "a tie is settled";
  EXPECT_NEAR(projection.distance(2), 0.9, 1e-15);
  EXPECT_FALSE(projection.converged(4));
  EXPECT_THAT([] { FiniteSet(Points(2, 0)); }, ThrowsMessage<InvalidInput>(HasSubstr("there is no atom")));
  EXPECT_THAT([] { FiniteSet(Points::Ones(2, 2)); },
              ThrowsMessage<InvalidInput>(HasSubstr("atoms 0 and 1 are the same")));
}

TEST(FiniteSetTest, OneHotAndCubeAreTheListsOfTheirAtoms) {
  // Against the general search over all atoms.
  const OneHot categories(6);
  const SignCube cube(5);
  for (const FiniteSet* set : {static_cast<const FiniteSet*>(&categories), static_cast<const FiniteSet*>(&cube)}) {
    Points atoms(set->ambient_dimension(), set->atom_count());
    for (Index a = 0; a < atoms.cols(); ++a) atoms.col(a) = set->atom(a);
    const FiniteSet list(atoms);
    EXPECT_NEAR(list.reach(), set->reach(), 1e-15);
    Points x = Stream(1, "atoms").normal(atoms.rows(), 500);
    x.leftCols(5).setZero();  // ties
    x.col(5).setConstant(0.5);
    EXPECT_EQ(set->nearest(x), list.nearest(x)) << set->spec();
    EXPECT_EQ(set->project(x).points, list.project(x).points);
  }
}

TEST(FiniteSetTest, LiftErrorRatesAreTheClosedForms) {
  // Per coordinate of {-1, 1}^n: Phi(-1/sigma). One-hot of two classes: Phi(-1/(sigma sqrt 2)). Ten
  // classes: 5.8e-2 at sigma 0.3. Counts within the two-sided 1e-3 quantiles of the normal law.
  const Index n = 20000;
  const double sigma = 0.5;
  const double z = -normal_quantile(5e-4);
  const SignCube cube(1);
  const Points signs = cube.random_points(n, Stream(2, "rates"));
  const auto wrong = [&](const FiniteSet& set, const Points& clean, double level) {
    const Points noise = level * Stream(3, "rates").normal(clean.rows(), clean.cols());
    const Points back = set.project(clean + noise).points;
    return static_cast<double>(((back - clean).colwise().norm().array() > 0).count());
  };
  const auto count = static_cast<double>(n);
  const auto near = [&](double found, double rate) {
    return std::abs(found - count * rate) <= z * std::sqrt(count * rate * (1 - rate));
  };
  EXPECT_TRUE(near(wrong(cube, signs, sigma), normal_cdf(-1 / sigma)));
  const OneHot two(2);
  const Points classes = two.random_points(n, Stream(4, "rates"));
  EXPECT_TRUE(near(wrong(two, classes, sigma), normal_cdf(-1 / (sigma * std::sqrt(2.0)))));
  EXPECT_FALSE(near(wrong(two, classes, 1.1 * sigma), normal_cdf(-1 / (sigma * std::sqrt(2.0))))) << "10 % off is seen";
  const OneHot ten(10);
  EXPECT_TRUE(near(wrong(ten, ten.random_points(n, Stream(5, "rates")), 0.3), 0.058));
}

TEST(FiniteSetTest, RandomPointsAreUniform) {
  const OneHot set(7);
  const Points x = set.random_points(14000, Stream(6, "uniform"));
  EXPECT_GT(chi_squared_test(x.rowwise().sum(), Vector::Constant(7, 1.0 / 7)).p, 1e-3);
}

TEST(ProductTest, IsTheSumOfItsFactors) {
  const auto token = std::make_shared<const OneHot>(3);
  const Product sequence({token, token, token});
  EXPECT_EQ(sequence.ambient_dimension(), 9);
  EXPECT_EQ(sequence.dimension(), 0);
  EXPECT_EQ(sequence.spec(), "product:factors=one_hot:classes=3^3");
  EXPECT_EQ(sequence.reach(), token->reach());
  const Points x = Stream(7, "product").normal(9, 50);
  const Projection whole = sequence.project(x);
  for (Index i = 0; i < 3; ++i) {
    EXPECT_EQ(whole.points.middleRows(3 * i, 3), token->project(x.middleRows(3 * i, 3)).points);
  }
  EXPECT_NEAR(whole.distance(0), (whole.points.col(0) - x.col(0)).norm(), 1e-15);
  // One factor that fails keeps the whole column.
  Points bad = x;
  bad(4, 3) = NAN;
  const Projection projection = sequence.project(bad);
  EXPECT_EQ(projection.failures(), 1);
  EXPECT_EQ(projection.points.col(3).head(3), bad.col(3).head(3));
  EXPECT_THAT([] { Product({}); }, ThrowsMessage<InvalidInput>(HasSubstr("no factor")));
}

}  // namespace
}  // namespace onmanifold
