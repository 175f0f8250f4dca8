// SPDX-License-Identifier: Apache-2.0
// Transport along velocities, flat and on manifolds: against velocities, densities and geodesics in closed
// form.
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/registry.hpp"
#include "models/flow_matching/network_velocity.hpp"
#include "models/flow_matching/velocity_field.hpp"
#include "models/networks/mlp_tangents.hpp"
#include "models/networks/time_embedding.hpp"
#include "models/registry.hpp"
#include "models/riemannian/riemannian_flow_matching.hpp"
#include "tests/models/make_method.hpp"
#include "tests/models/model_fixtures.hpp"
#include "tests/models/reference_tangents.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold {
namespace {

/// The velocity of straight paths to N(m, diag(v^2)): x_u ~ N(u m, S^2), S^2 = (1-u)^2 + u^2 v^2, so
/// v(x, u) = m + S'/S (x - u m) and div v = sum S'/S.
class NormalField final : public VelocityField {
 public:
  NormalField(const VelocityGrid& grid, Vector mean, Vector deviation, double fault = 0)
      : grid_(grid), mean_(std::move(mean)), deviation_(std::move(deviation)), fault_(fault) {}
  void evaluate(const Points& x, Index i, Points& velocity, Vector* divergence) const override {
    const double u = grid_.position(i);
    const Vector v2 = deviation_.cwiseAbs2();
    const Vector rate = ((u - 1) + u * v2.array()) / ((1 - u) * (1 - u) + u * u * v2.array());
    velocity = (rate.asDiagonal() * (x.colwise() - u * mean_)).colwise() + mean_;
    if (divergence != nullptr) divergence->setConstant(x.cols(), rate.sum() + fault_);
  }

 private:
  VelocityGrid grid_;
  Vector mean_;
  Vector deviation_;
  double fault_;
};

double normal_log_density(const Vector& x, const Vector& mean, const Vector& deviation) {
  const Vector z = (x - mean).array() / deviation.array();
  return -0.5 * z.squaredNorm() - deviation.array().log().sum() -
         0.5 * static_cast<double>(x.size()) * std::log(2 * std::numbers::pi);
}

const auto standard_normal = [](const Points& z) -> Vector {
  Vector result(z.cols());
  for (Index j = 0; j < z.cols(); ++j) {
    result[j] = normal_log_density(z.col(j), Vector::Zero(z.rows()), Vector::Ones(z.rows()));
  }
  return result;
};

TEST(Transport, OfANormalLawIsAnAffineMap) {
  const Vector mean{{0.3, -1.0}};
  const Vector deviation{{0.2, 1.5}};
  const Points z = Stream(1, "z").normal(2, velocity_block + 7);
  const Points exact = (deviation.asDiagonal() * z).colwise() + mean;
  const auto error = [&](Index steps) {
    const VelocityGrid grid(steps);
    return (transport(NormalField(grid, mean, deviation), grid, z) - exact).cwiseAbs().maxCoeff();
  };
  EXPECT_LT(error(100), 1e-5);
  EXPECT_NEAR(std::log2(error(40) / error(80)), 4, 0.3);  // the order of the rule
}

TEST(Transport, GivesTheLogDensityOfANormalLaw) {
  const Vector mean{{0.3, -1.0}};
  const Vector deviation{{0.2, 1.5}};
  const VelocityGrid grid(100);
  const Points x = (deviation.asDiagonal() * Stream(1, "x").normal(2, velocity_block + 7)).colwise() + mean;
  const Vector log_p = transported_log_density(NormalField(grid, mean, deviation), grid, x, standard_normal);
  const Vector wrong = transported_log_density(NormalField(grid, mean, deviation, 0.01), grid, x, standard_normal);
  for (Index j = 0; j < x.cols(); ++j) {
    EXPECT_NEAR(log_p[j], normal_log_density(x.col(j), mean, deviation), 1e-5);
    EXPECT_NEAR(wrong[j], log_p[j] - 0.01, 1e-12);  // a wrong divergence shows
  }
}

class MlpTangentsOf : public testing::TestWithParam<bool> {};

TEST_P(MlpTangentsOf, AgreeWithTheNetworkAndWithDifferences) {
  const Mlp network({.data = 5, .width = 64, .depth = 3, .residual = GetParam()});
  Eigen::VectorXf parameters = network.initial_parameters(Stream(1, "weights"));
  const MlpTangents tangents(network, parameters);
  const Eigen::MatrixXf table = time_embedding(10);
  Eigen::MatrixXf x(5, 7);
  Stream(2, "x").fill_normal(x);
  Eigen::MatrixXf vectors(5, 21);
  Stream(2, "v").fill_normal(vectors);
  Eigen::MatrixXf y;
  Eigen::MatrixXf products;
  tangents.evaluate(x, table.col(3), vectors, 3, y, products);

  const auto scratch = network.make_scratch(64);
  const auto value = [&](const Eigen::MatrixXf& at) {
    Eigen::MatrixXf out(5, at.cols());
    network.evaluate(parameters, at, at.cols(), table.col(3), *scratch, out);
    return out;
  };
  EXPECT_LT((value(x) - y).cwiseAbs().maxCoeff(), 1e-6F);
  for (Index j = 0; j < 3; ++j) {
    Eigen::MatrixXf direction(5, 7);
    for (Index c = 0; c < 7; ++c) direction.col(c) = vectors.col(3 * c + j);
    constexpr float h = 1.0F / 64;
    const Eigen::MatrixXf difference = (value(x + h * direction) - value(x - h * direction)) / (2 * h);
    Eigen::MatrixXf stated(5, 7);
    for (Index c = 0; c < 7; ++c) stated.col(c) = products.col(3 * c + j);
    // Third derivatives over h^2 and single precision over h: 1e-4 of outputs of size .3.
    EXPECT_LT((difference - stated).cwiseAbs().maxCoeff(), 2e-4F);
    EXPECT_GT((difference - 1.05F * stated).cwiseAbs().maxCoeff(), 2e-4F);
  }
}

TEST_P(MlpTangentsOf, AgreeWithTheSimpleVersionInBlocksOfAnySize) {
  const Mlp network({.data = 5, .width = 96, .depth = 3, .residual = GetParam()});
  const Eigen::VectorXf parameters = 2 * network.initial_parameters(Stream(1, "weights"));
  const MlpTangents tangents(network, parameters);
  const Eigen::VectorXf embedding = time_embedding(10).col(3);
  for (const auto& [n, count] : {std::pair<Index, Index>{150, 2}, {1, 1}, {3, 200}, {70, 5}}) {
    Eigen::MatrixXf x(5, n);
    Stream(2, "x").fill_normal(x);
    Eigen::MatrixXf vectors(5, n * count);
    Stream(2, "v").fill_normal(vectors);
    Eigen::MatrixXf y;
    Eigen::MatrixXf products;
    tangents.evaluate(x, embedding, vectors, count, y, products);
    Eigen::MatrixXf expected;
    Eigen::MatrixXf expected_products;
    reference_tangents(network, parameters, x, embedding, vectors, count, expected, expected_products);
    // Float sums of up to 96 terms through four layers.
    EXPECT_LT((y - expected).cwiseAbs().maxCoeff(), 1e-5F);
    EXPECT_LT((products - expected_products).cwiseAbs().maxCoeff(), 2e-5F * products.cwiseAbs().maxCoeff());
    EXPECT_GT((1.001F * products - expected_products).cwiseAbs().maxCoeff(), 5e-4F * products.cwiseAbs().maxCoeff());
  }
}

INSTANTIATE_TEST_SUITE_P(PlainAndResidual, MlpTangentsOf, testing::Bool());

TEST(NetworkVelocity, TracesOverAnOrthonormalBasisAreTheDivergence) {
  const Mlp network({.data = 3, .width = 32, .depth = 2});
  const Eigen::VectorXf parameters = network.initial_parameters(Stream(1, "weights"));
  const NetworkVelocity velocity(network, parameters, 21);
  const Points x = Stream(3, "x").normal(3, 10);
  Points y;
  Vector trace;
  velocity.evaluate(x, 4, y, Points::Identity(3, 3).replicate(1, 10), 3, trace);
  Points plain;
  velocity.evaluate(x, 4, plain);
  EXPECT_LT((plain - y).cwiseAbs().maxCoeff(), 1e-6);
  // The trace does not depend on the basis.
  const Eigen::MatrixXd q = Eigen::HouseholderQR<Eigen::MatrixXd>(Stream(4, "q").normal(3, 3)).householderQ();
  Vector turned;
  velocity.evaluate(x, 4, y, q.replicate(1, 10), 3, turned);
  EXPECT_LT((turned - trace).cwiseAbs().maxCoeff(), 1e-6);
}

TEST(FlowMatching, LearnsANormalLawAndItsDensity) {
  ONMANIFOLD_SKIP_LONG_TRAINING_IF_SANITIZED();
  // A plane with a normal lift has a density in R^3: entropy in closed form.
  FitFixture fixture(NormalLaw::in_a_plane(), 20000, 0.3);
  auto model = make(
      "flow_matching",
      {{"steps", 1500}, {"width", 64}, {"depth", 2}, {"learning_rate", 3e-3}, {"ode_steps", 20}, {"likelihood", true}});
  model->fit(fixture.context());
  const Points samples = model->sample(4000, Stream(5, "flow"));
  const Vector mean = samples.rowwise().mean();
  const Points centred = samples.colwise() - mean;
  const Eigen::MatrixXd covariance = centred * centred.transpose() / 4000.0;
  EXPECT_LT((mean - fixture.law().mean()).norm(), 0.1);  // learning error, as for ddpm
  EXPECT_LT((covariance - fixture.law().covariance()).norm(), 0.12);

  // log-density of fresh points of the lifted law against the exact one: the mean difference is a
  // Kullback–Leibler divergence, positive but for the sampling error of 2000 points, and small for a trained
  // model.
  Points fresh = fixture.law().sample(2000, Stream(6, "fresh"));
  fresh += 0.3 * fixture.law().normal() * Stream(6, "lift").normal(1, 2000);
  const Vector learned = model->log_density(fresh).value();
  const Vector exact = fixture.law().log_density(fresh, 1, 1e-9);
  const double divergence = (exact - learned).mean();
  EXPECT_GT(divergence, -0.01);
  EXPECT_LT(divergence, 0.1);
}

class ManifoldSource final : public TrainingSource {
 public:
  explicit ManifoldSource(Points points) : points_(std::move(points)) {}
  [[nodiscard]] Index dimension() const override { return points_.rows(); }
  [[nodiscard]] Index size() const override { return points_.cols(); }
  [[nodiscard]] const Points& clean_points() const override { return points_; }
  [[nodiscard]] Points epoch(Index) const override { return points_; }

 private:
  Points points_;
};

FitContext context_on(const Manifold& manifold, const TrainingSource& source) {
  return {.training = &source,
          .manifold = &manifold,
          .initialisation = Stream(1, "initialisation"),
          .training_noise = Stream(1, "noise"),
          .progress = {}};
}

TEST(GeodesicPaths, StatesMoveAtTheirVelocity) {
  for (const char* spec : {"sphere:dim=2,radius=1.5", "so3", "torus:dim=2"}) {
    const auto manifold = make_manifold(spec);
    const auto geodesics = manifold->geodesics();
    const Index D = manifold->ambient_dimension();
    const Standardisation units{Vector::Constant(D, 0.1), 0.5};
    const VelocityGrid grid(50);
    const auto paths = make_geodesic_paths(*geodesics, units, grid);
    DiffusionBatch batch(D, 40);
    batch.clean =
        ((manifold->random_points(40, Stream(1, "clean")).colwise() - units.mean) / units.scale).cast<float>();
    Stream(1, "noise").fill_normal(batch.noise);
    const DiffusionBatch start = batch;
    const auto at = [&](Index time) {
      DiffusionBatch moved = start;
      std::fill(moved.times.begin(), moved.times.end(), time);
      paths->corrupt(moved, Stream(1, "corrupt"));
      return moved;
    };
    // Ends: the data, and uniform points on M.
    EXPECT_LT((at(1).state - start.clean).cwiseAbs().maxCoeff(), 1e-5F) << spec;
    const Points base = (units.scale * at(101).state.cast<double>()).colwise() + units.mean;
    EXPECT_LT(manifold->residual(base).cwiseAbs().maxCoeff(), 1e-6) << spec;
    // Between: central differences over du = .01; geodesics have bounded third derivatives (angles up to pi).
    for (const Index time : {10, 51, 90}) {
      const Eigen::MatrixXf difference = (at(time - 1).state - at(time + 1).state) / 0.02F;
      const DiffusionBatch here = at(time);
      EXPECT_LT((difference - here.noise).cwiseAbs().maxCoeff(), 4e-3F) << spec << time;
      EXPECT_GT((difference - 0.97F * here.noise).cwiseAbs().maxCoeff(), 4e-3F) << spec << time;
      // The loss sees tangential errors only.
      Eigen::MatrixXf gradient = here.noise;
      EXPECT_LT(paths->loss(here, here.noise, gradient), 1e-10);
      const Points x = (units.scale * here.state.cast<double>()).colwise() + units.mean;
      const Points normal = manifold->normal_component(manifold->project(x).points, Points::Ones(D, 40));
      EXPECT_LT(paths->loss(here, here.noise + normal.cast<float>(), gradient), 1e-9) << spec;
      EXPECT_GT(paths->loss(here, here.noise + Eigen::MatrixXf::Ones(D, 40), gradient), 1e-2) << spec;
    }
  }
}

class IntrinsicMethods : public testing::TestWithParam<const char*> {};

TEST_P(IntrinsicMethods, HaveADensityOnMWhateverTheyLearned) {
  // Integral of exp(log_density) over M = 1, whatever the weights: by uniform points. The divergence on M is
  // exact or the total is not 1.
  for (const char* spec : {"sphere:dim=2,radius=1", "so3", "torus:dim=2"}) {
    const auto manifold = make_manifold(spec);
    const ManifoldSource source(manifold->random_points(500, Stream(2, "source")));
    auto model = make(GetParam(), {{"steps", 30},
                                   {"width", 32},
                                   {"depth", 2},
                                   {"batch", 32},
                                   {"learning_rate", 0.05},
                                   {"warmup", 0},
                                   {"ema", 0.0},
                                   {"ode_steps", 20}});
    model->fit(context_on(*manifold, source));
    const Points points = manifold->random_points(2000, Stream(3, "points"));
    const Vector log_p = model->log_density(points).value();
    const Vector ratio = (log_p.array() + manifold->geodesics()->log_volume()).exp();
    const double mean = ratio.mean();
    const double error = std::sqrt((ratio.array() - mean).square().sum() / 2000 / 1999);
    EXPECT_GT(error, 1e-3) << spec << ": the law is uniform, so this tests nothing";
    EXPECT_LT(std::abs(mean - 1), 4.5 * error) << spec;  // three comparisons: alpha = 2e-5
    EXPECT_LT(manifold->residual(model->sample(100, Stream(4, "samples"))).cwiseAbs().maxCoeff(),
              manifold->constraint_tolerance());
  }
}

INSTANTIATE_TEST_SUITE_P(All, IntrinsicMethods, testing::Values("riemannian_flow_matching", "rsgm"));

TEST(RiemannianFlowMatching, DensityAgreesWithTheHistogramOfItsSamples) {
  ONMANIFOLD_SKIP_LONG_TRAINING_IF_SANITIZED();
  // Masses of the eight octants of S^2: samples against the integral of the density.
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const Points cap =
      sphere->project(sphere->random_points(3000, Stream(2, "source")).colwise() + Vector{{0.5, 0.3, 0.8}}).points;
  const ManifoldSource source(cap);
  auto model =
      make("riemannian_flow_matching",
           {{"steps", 400}, {"width", 32}, {"depth", 2}, {"batch", 128}, {"learning_rate", 5e-3}, {"ode_steps", 20}});
  model->fit(context_on(*sphere, source));
  constexpr Index n = 20000;
  const auto octant = [](const Points& x, Index j) {
    return (x(0, j) > 0 ? 1 : 0) + (x(1, j) > 0 ? 2 : 0) + (x(2, j) > 0 ? 4 : 0);
  };
  Eigen::VectorXd drawn = Eigen::VectorXd::Zero(8);
  const Points samples = model->sample(n, Stream(4, "samples"));
  for (Index j = 0; j < n; ++j) drawn[octant(samples, j)] += 1.0 / n;
  const Points uniform = sphere->random_points(n, Stream(5, "uniform"));
  const Vector density = model->log_density(uniform).value().array().exp() * 4 * std::numbers::pi;
  Eigen::VectorXd mass = Eigen::VectorXd::Zero(8);
  Eigen::VectorXd square = Eigen::VectorXd::Zero(8);
  for (Index j = 0; j < n; ++j) {
    mass[octant(uniform, j)] += density[j] / n;
    square[octant(uniform, j)] += density[j] * density[j] / n;
  }
  for (Index k = 0; k < 8; ++k) {
    const double error = std::sqrt((drawn[k] * (1 - drawn[k]) + square[k] - mass[k] * mass[k]) / n);
    EXPECT_LT(std::abs(drawn[k] - mass[k]), 4.5 * error) << k;  // eight comparisons: alpha = 5e-5
  }
  EXPECT_GT(drawn.maxCoeff(), 0.3);  // far from uniform
}

TEST_P(IntrinsicMethods, AreUnsupportedWithoutGeodesics) {
  const auto donut = make_manifold("donut:major=2,minor=0.6");
  const ManifoldSource source(donut->random_points(50, Stream(2, "source")));
  EXPECT_THROW(make(GetParam(), {{"steps", 1}})->fit(context_on(*donut, source)), Unsupported);
}

}  // namespace
}  // namespace onmanifold
