// SPDX-License-Identifier: Apache-2.0
// Riemannian score-based model: the reversal of Brownian motion on S^2 with the exact score of a diffused
// von Mises–Fisher law, its density, and what the network is trained with.
#include "models/riemannian/rsgm.hpp"

#include <cmath>
#include <numbers>

#include <boost/math/special_functions/bessel.hpp>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/registry.hpp"
#include "models/registry.hpp"
#include "tests/models/model_fixtures.hpp"

namespace onmanifold {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double kappa = 5;

/// The von Mises–Fisher law about e_3 after Brownian motion for a time t: c_l(t) = (2l+1) A_l e^{-l(l+1)t/2}
/// with A_l = I_{l+1/2}/I_{1/2} are its Legendre coefficients, relative to the uniform law.
struct DiffusedFisher {
  double value = 1;       // density times 4 pi, at cos = c
  double derivative = 0;  // in c
  double second = 0;
  DiffusedFisher(double c, double t) {
    static const std::vector<double> resultant = [] {
      std::vector<double> a;
      for (int l = 0; l <= 40; ++l) {
        a.push_back(boost::math::cyl_bessel_i(l + 0.5, kappa) / boost::math::cyl_bessel_i(0.5, kappa));
      }
      return a;
    }();
    double p[3] = {1, 0, 0};  // P_l and two derivatives at l, and at l - 1
    double before[3] = {0, 0, 0};
    for (int l = 1; l <= 40; ++l) {
      double next[3];
      for (int k = 0; k < 3; ++k) {
        next[k] = ((2 * l - 1) * (c * p[k] + (k > 0 ? k * p[k - 1] : 0)) - (l - 1) * before[k]) / l;
      }
      for (int k = 0; k < 3; ++k) {
        before[k] = p[k];
        p[k] = next[k];
      }
      const double weight = (2 * l + 1) * resultant[static_cast<std::size_t>(l)] * std::exp(-0.5 * l * (l + 1) * t);
      value += weight * p[0];
      derivative += weight * p[1];
      second += weight * p[2];
    }
  }
};

class FisherField final : public VelocityField {
 public:
  FisherField(std::vector<double> times, double fault) : times_(std::move(times)), fault_(fault) {}
  void score(const Points& x, Index i, Points& result, Vector* divergence) const {
    result = Points::Zero(3, x.cols());
    if (divergence != nullptr) divergence->resize(x.cols());
    for (Index j = 0; j < x.cols(); ++j) {
      const double c = std::clamp(x(2, j) / x.col(j).norm(), -1.0, 1.0);
      const DiffusedFisher p(c, times_[static_cast<std::size_t>(i)]);
      const double g = p.derivative / p.value;
      result.col(j) = (fault_ * g * (Vector{{0, 0, 1}} - c * x.col(j)));
      // Laplacian of a function of c: (1 - c^2) f'' - 2c f'.
      if (divergence != nullptr) {
        (*divergence)[j] = (1 - c * c) * (p.second / p.value - g * g) - 2 * c * g;
      }
    }
  }
  void evaluate(const Points& x, Index i, Points& velocity, Vector* divergence) const override {
    score(x, i, velocity, divergence);
    const double factor = 0.5 * times_[static_cast<std::size_t>(i)] * std::log(times_.back() / times_[1]);
    velocity *= factor;
    if (divergence != nullptr) *divergence *= factor;
  }
  void restore(Points& x) const override { x.colwise().normalize(); }

 private:
  std::vector<double> times_;
  double fault_;  // 1: none
};

class ReversedBrownianMotion : public testing::Test {
 protected:
  std::shared_ptr<const Manifold> sphere_ = make_manifold("sphere:dim=2,radius=1");
  std::unique_ptr<Geodesics> geodesics_ = sphere_->geodesics();
  VelocityGrid grid_{100};
  std::vector<double> times_ = diffusion_times(grid_, 1e-4, HeatKernel::relaxation_time(*geodesics_, 1e-4));
  static constexpr double resultant_ = 0.8000908039820193;  // coth 5 - 1/5
};

TEST_F(ReversedBrownianMotion, ComesToTheLawWhoseScoreItFollows) {
  constexpr Index n = 2000;
  const auto moments = [&](double fault) {
    const FisherField field(times_, fault);
    const Points x = reverse_geodesic_walk(
        *geodesics_, grid_, times_, [&](const Points& at, Index i, Points& s) { field.score(at, i, s, nullptr); },
        sphere_->random_points(n, Stream(1, "start")), Stream(1, "walk"), true);
    EXPECT_LT(sphere_->residual(x).cwiseAbs().maxCoeff(), 1e-12);
    const Vector c = x.row(2).transpose();
    return Vector{{c.mean(), c.squaredNorm() / n, x.row(0).mean(), x.row(1).mean()}};
  };
  // E c = A, E c^2 = 1 - 2A/kappa; deviations of c and c^2 are below .2 and .25: 4.5 standard errors of 4000
  // draws, and .01 for the first order of 100 steps.
  const Vector m = moments(1);
  EXPECT_NEAR(m[0], resultant_, 4.5 * 0.2 / std::sqrt(n) + 0.01);
  EXPECT_NEAR(m[1], 1 - 2 * resultant_ / kappa, 4.5 * 0.25 / std::sqrt(n) + 0.01);
  EXPECT_NEAR(m[2], 0, 4.5 * 0.4 / std::sqrt(n));
  EXPECT_NEAR(m[3], 0, 4.5 * 0.4 / std::sqrt(n));
  // With four fifths of the score the law is too broad, and without it uniform.
  EXPECT_LT(moments(0.8)[0], resultant_ - 4.5 * 0.2 / std::sqrt(n) - 0.01);
  const Vector uniform = moments(0);
  EXPECT_NEAR(uniform[0], 0, 4.5 * std::sqrt(1.0 / 3 / n));
  EXPECT_NEAR(uniform[1], 1.0 / 3, 4.5 * 0.3 / std::sqrt(n));
}

TEST_F(ReversedBrownianMotion, ItsFlowHasTheDensityAndEntropyOfTheLaw) {
  constexpr Index n = 200;  // midpoints in c
  Points x(3, n);
  for (Index j = 0; j < n; ++j) {
    const double c = -1 + (2.0 * static_cast<double>(j) + 1) / n;
    x.col(j) = Vector{{std::sqrt(1 - c * c), 0, c}};
  }
  const auto uniform = [](const Points& at) -> Vector { return Vector::Constant(at.cols(), -std::log(4 * pi)); };
  const Vector log_p = transported_log_density(FisherField(times_, 1), grid_, x, uniform);
  double entropy = 0;
  double worst = 0;
  for (Index j = 0; j < n; ++j) {
    const DiffusedFisher exact(x(2, j), times_[1]);
    worst = std::max(worst, std::abs(log_p[j] - std::log(exact.value / (4 * pi))));
    entropy -= 2.0 / n * 2 * pi * kappa / (4 * pi * std::sinh(kappa)) * std::exp(kappa * x(2, j)) * log_p[j];
  }
  // What is not uniform at the last time is 3 A e^{-t} = 2.4e-4.
  EXPECT_LT(worst, 3e-4);
  // The smallest time blurs by half of itself times the Fisher information kappa A = 4: 2e-4.
  EXPECT_NEAR(entropy, -std::log(kappa / (4 * pi * std::sinh(kappa))) - kappa * resultant_, 8e-4);
  const Vector wrong = transported_log_density(FisherField(times_, 0.95), grid_, x, uniform);
  EXPECT_GT((wrong - log_p).cwiseAbs().maxCoeff(), 1e-2);
}

TEST(HeatScore, TargetIsTheScoreAndTheLossSeesTangentsOnly) {
  for (const char* spec : {"sphere:dim=2,radius=1.5", "so3", "torus:dim=2"}) {
    const auto manifold = make_manifold(spec);
    const auto geodesics = manifold->geodesics();
    const Index D = manifold->ambient_dimension();
    const Standardisation units{Vector::Constant(D, 0.1), 0.5};
    const HeatKernel kernel(*geodesics, {1e-3, 1e-3, 0.1, 2.0});
    const auto objective = make_heat_score_objective(kernel, *geodesics, units);
    DiffusionBatch batch(D, 30);
    const Points clean = manifold->random_points(30, Stream(1, "clean"));
    batch.clean = ((clean.colwise() - units.mean) / units.scale).cast<float>();
    Stream(1, "noise").fill_normal(batch.noise);
    for (std::size_t i = 0; i < 30; ++i) batch.times[i] = 1 + static_cast<Index>(i % 3);
    EXPECT_EQ(objective->timesteps(), 3);
    objective->corrupt(batch, Stream(1, "corrupt"));
    const Points x = (units.scale * batch.state.cast<double>()).colwise() + units.mean;
    EXPECT_LT(manifold->residual(x).cwiseAbs().maxCoeff(), 1e-6) << spec;
    const Points score = kernel.score(manifold->project(x).points, clean, batch.times);
    for (Index i = 0; i < 30; ++i) {
      const double t = kernel.times()[static_cast<std::size_t>(batch.times[static_cast<std::size_t>(i)])];
      // Single precision over sqrt(t) = .03.
      EXPECT_LT((std::sqrt(t) * score.col(i) - batch.noise.col(i).cast<double>()).norm(), 2e-5) << spec << i;
    }
    Eigen::MatrixXf gradient = batch.noise;
    Eigen::MatrixXf unused = batch.noise;
    const Points normal = manifold->normal_component(manifold->project(x).points, Points::Ones(D, 30));
    EXPECT_LT(objective->loss(batch, batch.noise + normal.cast<float>(), gradient), 1e-9) << spec;
    // The loss is a sum of squares: central differences are exact but for rounding.
    Eigen::MatrixXf prediction(D, 30);
    Stream(2, "prediction").fill_normal(prediction);
    (void)objective->loss(batch, prediction, gradient);
    double worst = 0;
    double worst_wrong = 0;
    for (Index i = 0; i < prediction.size(); ++i) {
      Eigen::MatrixXf moved = prediction;
      moved.data()[i] += 0.125F;
      const double above = objective->loss(batch, moved, unused);
      moved.data()[i] -= 0.25F;
      const double difference = (above - objective->loss(batch, moved, unused)) / 0.25;
      worst = std::max(worst, std::abs(difference - gradient.data()[i]));
      worst_wrong = std::max(worst_wrong, std::abs(difference - 1.02 * gradient.data()[i]));
    }
    const double largest = gradient.cwiseAbs().maxCoeff();
    EXPECT_LT(worst, 1e-4 * largest) << spec;
    EXPECT_GT(worst_wrong, 1e-2 * largest) << spec;
  }
}

class FixedSource final : public TrainingSource {
 public:
  explicit FixedSource(Points points) : points_(std::move(points)) {}
  [[nodiscard]] Index dimension() const override { return points_.rows(); }
  [[nodiscard]] Index size() const override { return points_.cols(); }
  [[nodiscard]] const Points& clean_points() const override { return points_; }
  [[nodiscard]] Points epoch(Index) const override { return points_; }

 private:
  Points points_;
};

TEST(Rsgm, LearnsAVonMisesFisherLaw) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const auto draw = [](Index n, Stream stream) {
    Points u = stream.uniform(2, n);
    Points x(3, n);
    for (Index j = 0; j < n; ++j) {
      const double c = 1 + std::log(u(0, j) + (1 - u(0, j)) * std::exp(-2 * kappa)) / kappa;
      const double s = std::sqrt(std::max(0.0, 1 - c * c));
      x.col(j) = Vector{{s * std::cos(2 * pi * u(1, j)), s * std::sin(2 * pi * u(1, j)), c}};
    }
    return x;
  };
  const FixedSource source(draw(4000, Stream(1, "data")));
  for (const char* sampler : {"walk", "flow"}) {
    Settings settings{Value(Value::Table{{"steps", 600},
                                         {"width", 32},
                                         {"depth", 2},
                                         {"batch", 128},
                                         {"learning_rate", 5e-3},
                                         {"ode_steps", 30},
                                         {"sampler", sampler}}),
                      "test"};
    auto model = method_registry().get("rsgm").factory(settings);
    settings.finish();
    model->fit({.training = &source,
                .manifold = sphere.get(),
                .smallest_noise = 0.02,
                .initialisation = Stream(1, "initialisation"),
                .training_noise = Stream(1, "noise"),
                .progress = {}});
    const Points samples = model->sample(2000, Stream(2, sampler));
    EXPECT_LT(sphere->residual(samples).cwiseAbs().maxCoeff(), sphere->constraint_tolerance());
    EXPECT_NEAR(samples.row(2).mean(), 0.8, 0.06) << sampler;  // learning error, as for the other methods
    if (std::string(sampler) == "walk") continue;
    // The mean difference to the exact density is a Kullback–Leibler divergence, but for sampling error.
    const Points fresh = draw(1000, Stream(3, "fresh"));
    const Vector learned = model->log_density(fresh).value();
    const double constant = std::log(kappa / (4 * pi * std::sinh(kappa)));
    const double divergence = (constant + kappa * fresh.row(2).array()).mean() - learned.mean();
    EXPECT_GT(divergence, -0.01);
    EXPECT_LT(divergence, 0.1);
  }
}

}  // namespace
}  // namespace onmanifold
