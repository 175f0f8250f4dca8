// SPDX-License-Identifier: Apache-2.0
#include "datasets/lift.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <boost/math/distributions/chi_squared.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "datasets/fresh_source.hpp"
#include "datasets/task.hpp"
#include "manifolds/affine.hpp"
#include "manifolds/registry.hpp"
#include "manifolds/sphere.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

constexpr double alpha = 1e-3;

/// Two-sided chi-square check that \p noise (k×N) has independent entries of variance sigma².
bool variance_fits(const Points& noise, double sigma) {
  const auto n = static_cast<double>(noise.cols());
  const boost::math::chi_squared law(n);
  for (Index i = 0; i < noise.rows(); ++i) {
    const double statistic = noise.row(i).squaredNorm() / (sigma * sigma);
    const double level = alpha / static_cast<double>(noise.rows());
    if (statistic < quantile(law, level / 2) || statistic > quantile(complement(law, level / 2))) return false;
  }
  return true;
}

/// A line in R^5, so that the codimension is 4.
Affine line_in_5d() {
  Points a = Points::Zero(4, 5);
  a << 1, 2, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 1, -1, 0, 2, 0, 0, 1, 1;
  return {a, Eigen::Vector4d(1, 0, 2, -1)};
}

void check_normal_lift(const Manifold& manifold) {
  const double sigma = 0.3;
  const Index n = 4000;
  const Points clean = manifold.random_points(n, Stream(1, "lift"));
  const Points noise = Lift{LiftType::normal, sigma}.apply(clean, manifold, Stream(2, "lift")) - clean;
  const Points tangential = manifold.tangent_component(clean, noise);
  for (Index j = 0; j < n; ++j) {
    // 1e-12: n is a combination of orthonormal normals; the subtraction of the clean point adds |x| ulp.
    EXPECT_LE(tangential.col(j).norm(), 1e-12 * std::max(noise.col(j).norm(), 1e-2)) << manifold.spec() << " " << j;
  }
  const Points bases = manifold.normal_bases(clean);
  const Index k = manifold.codimension();
  Points xi(k, n);
  for (Index j = 0; j < n; ++j) xi.col(j) = bases.middleCols(k * j, k).transpose() * noise.col(j);
  EXPECT_TRUE(variance_fits(xi, sigma));
  EXPECT_FALSE(variance_fits(xi, 0.9 * sigma)) << "a wrong level must be seen";
}

TEST(Lift, NormalNoiseIsNormalWithTheStatedVariance) {
  check_normal_lift(Sphere(2));
  check_normal_lift(Affine::plane(Eigen::Vector3d(1, 2, 3), 1));
  check_normal_lift(line_in_5d());
  for (const char* spec :
       {"so3", "torus:dim=3", "donut:major=2,minor=0.6", "ellipsoid:axes=1:2:0.7", "one_hot:classes=5",
        "product:factors=so3*sphere:dim=2,radius=1", "flux:dim=6,total=2,nonnegative=true", "flux:dim=9,total=2",
        "sphere_in_16d", "circle_in_16d", "backbone:residues=4,frame=middle",
        "backbone:residues=4,frame=middle,planar=true"}) {
    check_normal_lift(*make_manifold(spec));
  }
  check_normal_lift(*testing::default_task("bunny-eigen").manifold);
}

TEST(Lift, IsotropicNoiseHasTheStatedVarianceInEveryDirection) {
  const Sphere sphere(2);
  const Points clean = sphere.random_points(4000, Stream(1, "lift"));
  const Points noise = Lift{LiftType::isotropic, 0.2}.apply(clean, sphere, Stream(2, "lift")) - clean;
  EXPECT_TRUE(variance_fits(noise, 0.2));
  // The control is told apart from the normal lift: two thirds of its variance are tangential.
  const Points tangential = sphere.tangent_component(clean, noise);
  EXPECT_NEAR(tangential.squaredNorm() / noise.squaredNorm(), 2.0 / 3, 0.02);
}

/// Points whose projection after a normal lift of level \p sigma is another point.
Index lost(const Manifold& manifold, double sigma, Index n) {
  const Points clean = manifold.random_points(n, Stream(5, "lost"));
  const Projection back = manifold.project(Lift{LiftType::normal, sigma}.apply(clean, manifold, Stream(6, "lost")));
  Index count = 0;
  for (Index j = 0; j < n; ++j) count += (back.points.col(j) - clean.col(j)).norm() > 1e-6 ? 1 : 0;
  return count;
}

TEST(Lift, OnTheSphereAPointIsLostAtTheRateOfTheBound) {
  // y + n with n = sigma xi y goes back to -y where xi < -1/sigma: Phi(-1/sigma), the bound of total
  // variation.
  const Index n = 20000;
  for (const double sigma : {0.4, 0.6, 1.0}) {
    const double rate = normal_cdf(-1 / sigma);
    const double mean = rate * double(n);
    const double band = normal_quantile(1 - alpha / 2) * std::sqrt(mean * (1 - rate));
    EXPECT_NEAR(double(lost(Sphere(2), sigma, n)), mean, band) << sigma;
    EXPECT_GT(std::abs(double(lost(Sphere(2), 1.2 * sigma, n)) - mean), band) << "another level must be seen";
  }
  EXPECT_EQ(lost(line_in_5d(), 3, 2000), 0) << "affine: never, whatever the level";
}

/// Goodness of fit of lifted draws of \p name over cells of the base point times intervals of the signed
/// distance along the normal; \p sigma_of_law is the level that the probabilities assume.
double lifted_law_p(const std::string& name, const Value::Table& table, double sigma, double sigma_of_law) {
  const Index n = 40000;
  Settings settings(Value(table), "test");
  const Task task = task_registry().get(name).factory(settings);
  const Points clean = task.sampler->sample(n, Stream(7, "lifted-law"));
  const Points lifted = Lift{LiftType::normal, sigma}.apply(clean, *task.manifold, Stream(8, "lifted-law"));
  const Projection base = task.manifold->project(lifted);
  const Eigen::VectorXi cells = task.partition->assign(base.points);
  const bool sphere = name.starts_with("sphere");
  const Eigen::VectorXi opposite = task.partition->assign(sphere ? Points(-base.points) : base.points);
  const std::vector<double> edges = {-0.8, -0.3, 0, 0.3, 0.8};
  const Index intervals = static_cast<Index>(edges.size()) + 1;
  Vector counts = Vector::Zero(task.masses.size() * intervals);
  Vector probabilities = counts;
  Eigen::VectorXi antipode =
      Eigen::VectorXi::LinSpaced(task.masses.size(), 0, static_cast<int>(task.masses.size()) - 1);
  const Points offset = task.manifold->residual(lifted);
  for (Index j = 0; j < n; ++j) {
    if (sphere) antipode[cells[j]] = opposite[j];
    const Index interval = std::upper_bound(edges.begin(), edges.end(), offset(0, j)) - edges.begin();
    counts[cells[j] * intervals + interval] += 1;
  }
  const auto below = [&](double h) { return normal_cdf(h / sigma_of_law); };
  for (Index cell = 0; cell < task.masses.size(); ++cell) {
    for (Index i = 0; i < intervals; ++i) {
      double low = i == 0 ? -std::numeric_limits<double>::infinity() : edges[static_cast<std::size_t>(i - 1)];
      const double high =
          i == intervals - 1 ? std::numeric_limits<double>::infinity() : edges[static_cast<std::size_t>(i)];
      if (sphere) low = std::max(low, -1.0);
      double& p = probabilities[cell * intervals + i];
      p = task.masses[cell] * (below(high) - below(low));
      // r^-2 [p0(u) phi(r - 1) + p0(-u) phi(r + 1)], r = 1 + h, over the interval: the second branch of the
      // density.
      if (sphere) p += task.masses[antipode[cell]] * (below(-2 - low) - below(-2 - high));
    }
  }
  // Cells too thin for the law of the statistic go into one.
  std::vector<double> kept_counts = {0};
  std::vector<double> kept = {0};
  for (Index c = 0; c < counts.size(); ++c) {
    if (probabilities[c] * double(n) < 10) {
      kept_counts[0] += counts[c];
      kept[0] += probabilities[c];
    } else {
      kept_counts.push_back(counts[c]);
      kept.push_back(probabilities[c]);
    }
  }
  EXPECT_NEAR(probabilities.sum(), 1, 1e-9);
  const std::size_t first = kept[0] * double(n) < 10 ? 1 : 0;  // still too thin: left out, at most 10 of 40,000 points
  const Vector p = Eigen::Map<const Vector>(kept.data() + first, static_cast<Index>(kept.size() - first));
  return chi_squared_test(Eigen::Map<const Vector>(kept_counts.data() + first, p.size()), p / p.sum()).p;
}

TEST(Lift, DrawsFollowTheClosedFormOfTheLiftedDensity) {
  // alpha = 1e-3 for each; on the sphere the level is high enough for 8 % of the draws to be on the second
  // branch.
  EXPECT_GT(lifted_law_p("plane-gmm9", {{"bins", 6}}, 0.7, 0.7), alpha);
  EXPECT_GT(lifted_law_p("sphere-vmf6", {{"bands", 4}, {"sectors", 6}}, 0.7, 0.7), alpha);
  EXPECT_LT(lifted_law_p("plane-gmm9", {{"bins", 6}}, 0.7, 0.8), alpha) << "another level must be seen";
  EXPECT_LT(lifted_law_p("sphere-vmf6", {{"bands", 4}, {"sectors", 6}}, 0.7, 0.8), alpha);
}

TEST(Lift, NoneChangesNothing) {
  const Sphere sphere(2);
  const Points clean = sphere.random_points(10, Stream(1, "lift"));
  EXPECT_EQ(Lift{}.apply(clean, sphere, Stream(2, "lift")), clean);
}

TEST(Lift, NamesRoundTripAndUnknownOnesListTheKnown) {
  for (const LiftType type : {LiftType::none, LiftType::normal, LiftType::isotropic}) {
    EXPECT_EQ(parse_named<LiftType>(name_of(type)), type);
  }
  try {
    (void)parse_named<LiftType>("tangential");
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("none, normal, isotropic"));
  }
}

TEST(TrainingSource, EpochsDifferAndRepeatBitForBit) {
  const Sphere sphere(2);
  const Points clean = sphere.random_points(500, Stream(3, "lift"));
  for (const Lift& lift : {Lift{}, Lift{LiftType::normal, 0.1}, Lift{LiftType::isotropic, 0.1}}) {
    const auto source = make_training_source(clean, sphere, lift, Stream(4, "lift"));
    const Points zero = source->epoch(0);
    const Points one = source->epoch(1);
    EXPECT_NE(zero, one);
    EXPECT_EQ(source->epoch(0), zero);
    EXPECT_EQ(make_training_source(clean, sphere, lift, Stream(4, "lift"))->epoch(1), one);
    EXPECT_NE(make_training_source(clean, sphere, lift, Stream(5, "lift"))->epoch(1), one);
    EXPECT_EQ(source->clean_points(), clean);
    EXPECT_EQ(source->size(), 500);
    EXPECT_EQ(source->dimension(), 3);
  }
}

TEST(TrainingSource, AllLiftsOfOneStreamShareTheOrder) {
  const Sphere sphere(2);
  const Points clean = sphere.random_points(300, Stream(3, "lift"));
  const auto plain = make_training_source(clean, sphere, {}, Stream(4, "lift"));
  const auto normal = make_training_source(clean, sphere, {LiftType::normal, 0.1}, Stream(4, "lift"));
  const auto isotropic = make_training_source(clean, sphere, {LiftType::isotropic, 1e-6}, Stream(4, "lift"));
  for (const Index epoch : {0, 1, 7}) {
    const Points order = plain->epoch(epoch);
    // 0.1·N(0,1) stays below the reach, so that the projection gives the clean point back.
    EXPECT_LE((sphere.project(normal->epoch(epoch)).points - order).cwiseAbs().maxCoeff(), 1e-14);
    EXPECT_LE((isotropic->epoch(epoch) - order).cwiseAbs().maxCoeff(), 1e-5);
    // Every clean point comes once.
    EXPECT_NEAR((order.rowwise().sum() - clean.rowwise().sum()).norm(), 0, 1e-11);
  }
}

TEST(TrainingSource, LiftNoiseIsNewInEveryEpoch) {
  const Affine plane = Affine::plane(Eigen::Vector3d(1, 2, 3), 1);
  const Points clean = Points::Ones(3, 1) / 6 * std::sqrt(14.0);
  const auto source = make_training_source(clean, plane, {LiftType::normal, 0.5}, Stream(4, "lift"));
  Points noise(1, 2000);
  for (Index e = 0; e < noise.cols(); ++e) noise(0, e) = plane.residual(source->epoch(e))(0, 0);
  EXPECT_TRUE(variance_fits(noise, 0.5));
}

TEST(TrainingSource, RefusesBadInput) {
  const Sphere sphere(2);
  const Points clean = sphere.random_points(5, Stream(3, "lift"));
  const auto make = [&](Points points, const Lift& lift) {
    return make_training_source(std::move(points), sphere, lift, Stream(1, "lift"));
  };
  EXPECT_THROW((void)make(clean, {LiftType::normal, -1}), InvalidInput);
  EXPECT_THROW((void)make(clean, {LiftType::isotropic, std::numeric_limits<double>::quiet_NaN()}), InvalidInput);
  EXPECT_THROW((void)make(clean, {LiftType::none, 0.1}), InvalidInput);
  EXPECT_THROW((void)make(Points::Zero(2, 5), {}), InvalidInput);
  EXPECT_THROW((void)make(Points(3, 0), {}), InvalidInput);
  Points bad = clean;
  bad(1, 2) = std::numeric_limits<double>::infinity();
  EXPECT_THROW((void)make(bad, {}), InvalidInput);
  EXPECT_THROW((void)make(clean, {})->epoch(-1), InvalidInput);
}

TEST(FreshSource, DrawsNewPointsInEveryPassAndLiftsThem) {
  const Sphere sphere(2, 1.0);
  class Uniform final : public Sampler {
   public:
    explicit Uniform(const Manifold& manifold) : manifold_(manifold) {}
    [[nodiscard]] Index dimension() const override { return 3; }
    [[nodiscard]] Points sample(Index n, Stream stream) const override { return manifold_.random_points(n, stream); }

   private:
    const Manifold& manifold_;
  };
  const Uniform law(sphere);
  const Points clean = law.sample(200, Stream(1, "clean"));
  const Stream stream(2, "training");
  const auto plain = make_fresh_source(clean, law, sphere, {}, stream);
  EXPECT_EQ(plain->clean_points(), clean);
  EXPECT_EQ(plain->epoch(0), clean);
  EXPECT_EQ(plain->epoch(3), law.sample(200, stream.at("fresh").at(3)));
  EXPECT_EQ(plain->epoch(3), plain->epoch(3));
  // No point comes twice: the least distance between passes is that of neighbours, not 0.
  const Points first = plain->epoch(1);
  const Points second = plain->epoch(2);
  for (Index j = 0; j < 200; ++j) {
    EXPECT_GT((second.colwise() - first.col(j)).colwise().norm().minCoeff(), 1e-6);
  }
  const auto lifted = make_fresh_source(clean, law, sphere, {LiftType::normal, 0.1}, stream);
  for (const Index epoch : {0, 4}) {
    const Points x = lifted->epoch(epoch);
    EXPECT_LT((sphere.project(x).points - plain->epoch(epoch)).cwiseAbs().maxCoeff(), 1e-12);
    EXPECT_NEAR(std::sqrt(sphere.residual(x).squaredNorm() / 200), 0.1, 4.5 * 0.1 / std::sqrt(400.0));
  }
  EXPECT_THROW((void)plain->epoch(-1), InvalidInput);
  EXPECT_THROW((void)make_fresh_source(Points(3, 0), law, sphere, {}, stream), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
