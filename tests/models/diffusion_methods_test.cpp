// SPDX-License-Identifier: Apache-2.0
// The places where a diffusion learns of the manifold, each against what is known exactly: gradients of the
// losses, the algebra of the normal noise, the score of the uniform law, samples that lie on M.
#include <cmath>
#include <map>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/registry.hpp"
#include "models/diffusion/mad.hpp"
#include "models/diffusion/niso.hpp"
#include "models/diffusion/pdm.hpp"
#include "models/diffusion/pidm.hpp"
#include "models/diffusion/tango.hpp"
#include "models/networks/mlp.hpp"
#include "models/networks/time_embedding.hpp"
#include "models/registry.hpp"
#include "tests/models/model_fixtures.hpp"

namespace onmanifold {
namespace {

DiffusionFrame frame_on(const Manifold& manifold) {
  return {NoiseSchedule::cosine(20, 0.9).with_smallest_level(0.01),
          {Vector::Constant(manifold.ambient_dimension(), 0.1), 0.6},
          &manifold,
          0.1};
}

/// Points of the manifold in the units of \p frame, noise and times of all sizes.
DiffusionBatch batch_on(const DiffusionFrame& frame, Index columns) {
  DiffusionBatch batch(frame.manifold->ambient_dimension(), columns);
  const Stream stream(5, "batch");
  batch.clean = frame.to_state(frame.manifold->random_points(columns, stream.at("clean")), 0).cast<float>();
  stream.at("noise").fill_normal(batch.noise);
  for (Index i = 0; i < columns; ++i) {
    batch.times[static_cast<std::size_t>(i)] = 1 + i % frame.schedule.steps();
  }
  return batch;
}

using Objectives = std::map<std::string, std::unique_ptr<DiffusionObjective>>;

/// With the plain distance: a kink at M and a straight line elsewhere.
PidmOptions pidm(PidmOptions::Estimate estimate, double penalty = 0.3) {
  return {.estimate = estimate,
          .residual = PidmOptions::Residual::distance,
          .penalty = penalty,
          .signal_weight = SignalWeight::one};
}

Objectives all_objectives(const DiffusionFrame& frame) {
  Objectives result;
  result["ddpm"] = std::make_unique<DiffusionObjective>(frame);
  result["signal"] = std::make_unique<SignalPrediction>(frame, SignalWeight::one);
  result["signal_min_snr"] = std::make_unique<SignalPrediction>(frame, SignalWeight::min_snr);
  result["pdm"] = make_pdm_objective(frame, false);
  result["pidm"] = make_pidm_objective(frame, pidm(PidmOptions::Estimate::mean));
  result["pidm_sample"] = make_pidm_objective(frame, pidm(PidmOptions::Estimate::sample));
  for (const char* scaling : {"root", "max", "sum", "none"}) {
    result[std::string("niso_") + scaling] = make_niso_objective(frame, 0.2, scaling);
  }
  result["tango"] = make_tango_objective(frame, {.c = 0.2});
  result["mad"] = make_mad_objective(frame);
  return result;
}

/// Largest difference between the gradient that a loss states and central differences, relative to its
/// largest entry.
double gradient_error(const DenoiserObjective& objective, const DiffusionBatch& batch, double slope = 1) {
  Eigen::MatrixXf prediction(batch.state.rows(), batch.state.cols());
  Stream(9, "prediction").fill_normal(prediction);
  Eigen::MatrixXf gradient = prediction;
  Eigen::MatrixXf unused = prediction;
  (void)objective.loss(batch, prediction, gradient);
  const float largest = gradient.cwiseAbs().maxCoeff();
  double worst = 0;
  for (Index i = 0; i < prediction.size(); ++i) {
    constexpr float h = 1.0F / 64;
    const float before = prediction.data()[i];
    prediction.data()[i] = before + h;
    const double above = objective.loss(batch, prediction, unused);
    prediction.data()[i] = before - h;
    const double below = objective.loss(batch, prediction, unused);
    prediction.data()[i] = before;
    worst = std::max(worst, std::abs((above - below) / (2 * h) - slope * gradient.data()[i]) / largest);
  }
  return worst;
}

TEST(DiffusionObjectives, GradientsAgreeWithDifferences) {
  for (const char* spec : {"sphere:dim=2,radius=1", "so3", "plane:normal=1:2:3,offset=1"}) {
    const auto manifold = make_manifold(spec);
    const DiffusionFrame frame = frame_on(*manifold);
    for (const auto& [name, objective] : all_objectives(frame)) {
      DiffusionBatch batch = batch_on(frame, 20);
      objective->corrupt(batch, Stream(1, "corrupt"));
      // Losses are sums of squares (differences are exact) but for the distance of pidm, whose curvature over
      // h = 1/64 leaves 1e-3; single precision leaves 2e-4 of the loss over h.
      EXPECT_LT(gradient_error(*objective, batch), 4e-3) << spec << " " << name;
      EXPECT_GT(gradient_error(*objective, batch, 1.03), 4e-3) << "a gradient wrong by 3 % goes unnoticed";
    }
  }
}

TEST(DiffusionObjectives, TheTrueNoiseHasTheLeastLoss) {
  // Told the target, every objective reports a loss of 0 (pidm: the distance of points on M).
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const DiffusionFrame frame = frame_on(*sphere);
  for (const auto& [name, objective] : all_objectives(frame)) {
    DiffusionBatch batch = batch_on(frame, 20);
    objective->corrupt(batch, Stream(1, "corrupt"));
    // What the network must say so that to_epsilon gives the target: the inverse of an affine map, by two
    // calls.
    Eigen::MatrixXf answer = batch.state;
    for (Index i = 0; i < 20; ++i) {
      const Index t = batch.times[static_cast<std::size_t>(i)];
      const Points x = batch.state.col(i).cast<double>();
      Points zero = Points::Zero(3, 1);
      Points one = Points::Ones(3, 1);
      objective->to_epsilon(x, t, zero);
      objective->to_epsilon(x, t, one);
      const bool base = name == "mad";  // whose batch.noise is the target less the base
      const Points target =
          name.starts_with("signal") || name.starts_with("pidm")
              ? Points((x - frame.schedule.signal(t) * batch.clean.col(i).cast<double>()) / frame.schedule.noise(t))
              : Points(batch.noise.col(i).cast<double>() + (base ? zero : Points::Zero(3, 1)));
      answer.col(i) = ((target - zero).array() / (one - zero).array()).matrix().cast<float>();
    }
    Eigen::MatrixXf gradient = answer;
    // Single precision: 1e-6 in x_t, and for x_0 predictions 1e-6/s_1 = 1e-4, squared; pidm adds the distance
    // itself.
    EXPECT_LT(objective->loss(batch, answer, gradient), name == "pidm" ? 1e-4 : 1e-6) << name;
  }
}

TEST(Niso, TargetIsTheScoreOfAllItsNoise) {
  // -sigma times the score -Sigma^-1 n of N(0, sigma^2 I + a^2 c^2 U U'), by a dense inverse.
  const auto manifold = make_manifold("so3");
  const Points y = manifold->random_points(1, Stream(2, "y"));
  const Points u = manifold->normal_bases(y);
  Stream stream(3, "draws");
  const Points z = stream.normal(9, 1);
  const Points normal = u * stream.normal(6, 1);
  for (const double sigma : {1e-3, 0.1, 0.9}) {
    constexpr double a = 0.7;
    constexpr double c = 0.2;
    const NisoTarget target = niso_target(z, manifold->normal_component(y, z), normal, a, sigma, c);
    EXPECT_LT((target.noise - (sigma * z + a * c * normal)).norm(), 1e-15);
    const Eigen::MatrixXd covariance =
        sigma * sigma * Eigen::MatrixXd::Identity(9, 9) + a * a * c * c * u * u.transpose();
    const Vector exact = sigma * covariance.inverse() * target.noise;
    EXPECT_LT((target.epsilon - exact).norm(), 1e-11 * exact.norm() / sigma) << sigma;  // condition of the inverse
    const NisoTarget wrong = niso_target(z, manifold->normal_component(y, z), normal, a, sigma, 1.01 * c);
    EXPECT_GT((wrong.epsilon - exact).norm(), 1e-6 * exact.norm()) << sigma;
  }
}

TEST(Niso, TargetHasTheStatedVarianceAlongNormals) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const DiffusionFrame frame = frame_on(*sphere);
  constexpr double c = 0.2;
  const auto objective = make_niso_objective(frame, c, "root");
  constexpr Index n = 40000;
  DiffusionBatch batch = batch_on(frame, n);
  std::fill(batch.times.begin(), batch.times.end(), 4);
  objective->corrupt(batch, Stream(1, "variance"));
  const Points y = sphere->project(frame.to_data(batch.clean.cast<double>(), 0)).points;
  const double along = batch.noise.cast<double>().cwiseProduct(y).colwise().sum().squaredNorm() / n;
  const double s = frame.schedule.level(4);
  const double k = c / frame.standardisation.scale;
  const double expected = s * s / (s * s + k * k);
  // The mean of n squares of a normal: relative deviation sqrt(2/n); 4.5 of them, alpha = 7e-6.
  EXPECT_NEAR(along / expected, 1, 4.5 * std::sqrt(2.0 / n));
  EXPECT_LT(expected, 0.5) << "no contrast to the 1 of ddpm";
}

TEST(Mad, BaseNoiseIsTheScoreOfTheUniformLaw) {
  // Circle: the density of x = x_0 + s z by 4000 points of the circle, its gradient by differences.
  const auto circle = make_manifold("sphere:dim=1,radius=1");
  const DiffusionFrame frame = frame_on(*circle);
  const auto objective = make_mad_objective(frame);
  EXPECT_TRUE(objective->zero_output());
  constexpr Index nodes = 4000;
  Points atoms(2, nodes);
  for (Index i = 0; i < nodes; ++i) {
    const double angle = 2 * M_PI * static_cast<double>(i) / nodes;
    atoms.col(i) << std::cos(angle), std::sin(angle);
  }
  Points x = Stream(4, "x").normal(2, 3);
  for (const Index t : {5, 12, 20}) {
    const double a = frame.schedule.signal(t);
    const double sigma = frame.schedule.noise(t);
    const auto log_density = [&](const Vector& state) {
      const Points centres = frame.to_state(atoms, 0) * a;
      const Vector e = -(centres.colwise() - state).colwise().squaredNorm().transpose() / (2 * sigma * sigma);
      return e.maxCoeff() + std::log((e.array() - e.maxCoeff()).exp().sum());
    };
    Points output = Points::Zero(2, 3);
    objective->to_epsilon(x, t, output);
    for (Index j = 0; j < 3; ++j) {
      for (Index i = 0; i < 2; ++i) {
        constexpr double h = 1e-5;
        Vector up = x.col(j);
        Vector down = x.col(j);
        up[i] += h;
        down[i] -= h;
        const double score = (log_density(up) - log_density(down)) / (2 * h);
        EXPECT_NEAR(output(i, j), -sigma * score, 1e-6 * (1 + std::abs(sigma * score))) << t;
      }
    }
  }
}

TEST(Mad, IsUnsupportedWithoutAClosedForm) {
  const auto donut = make_manifold("donut:major=2,minor=0.6");
  const DiffusionFrame frame = frame_on(*donut);
  EXPECT_THROW((void)make_mad_objective(frame), Unsupported);
}

TEST(Tango, LeavesNormalErrorsAloneBelowItsLevelOnly) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const DiffusionFrame frame = frame_on(*sphere);
  const auto objective = make_tango_objective(frame, {.c = 0.2});
  ASSERT_GT(objective->last_time(), 1);
  EXPECT_GE(frame.data_level(objective->last_time()), 0.2);
  EXPECT_LT(frame.data_level(objective->last_time() - 1), 0.2);
  for (const Index t : {objective->last_time() - 1, objective->last_time()}) {
    DiffusionBatch batch = batch_on(frame, 10);
    std::fill(batch.times.begin(), batch.times.end(), t);
    objective->corrupt(batch, Stream(1, "corrupt"));
    const Points y = sphere->project(frame.to_data(batch.state, batch.times)).points;
    const Eigen::MatrixXf off_normal = batch.noise + y.cast<float>();
    Eigen::MatrixXf gradient = off_normal;
    const double loss = objective->loss(batch, off_normal, gradient);
    if (t < objective->last_time()) {
      EXPECT_LT(loss, 1e-10);
    } else {
      EXPECT_NEAR(loss, 1.0 / 3, 1e-5);  // |y|^2 = 1 over three coordinates
    }
  }
}

TEST(Tango, NeedsTangentDirections) {
  const auto cube = make_manifold("cube:dim=3");
  const DiffusionFrame frame = frame_on(*cube);
  EXPECT_THROW((void)make_tango_objective(frame, {.c = 0.2}), InvalidInput);
}

TEST(Pdm, ProjectsInTheUnitsItSays) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const DiffusionFrame frame = frame_on(*sphere);
  const BlockDenoiser none;
  for (const bool signal : {false, true}) {
    const auto objective = make_pdm_objective(frame, signal);
    Points x = Stream(8, "x").normal(3, 30);
    const Index t = 15;
    objective->after_step(x, t, none, Stream(1, "draws"));
    EXPECT_LT((frame.to_data(x, signal ? t : 0).colwise().norm().array() - 1).abs().maxCoeff(), 1e-12);
    EXPECT_GT((frame.to_data(x, signal ? 0 : t).colwise().norm().array() - 1).abs().maxCoeff(), 1e-2);
  }
}

TEST(DiffusionObjectives, MinSnrWeighsBySignalToNoiseUpToFive) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const DiffusionFrame frame = frame_on(*sphere);
  const SignalPrediction plain(frame, SignalWeight::one);
  const SignalPrediction weighted(frame, SignalWeight::min_snr);
  DiffusionBatch batch = batch_on(frame, 1);
  for (Index t = 1; t <= frame.schedule.steps(); ++t) {
    batch.times[0] = t;
    Eigen::MatrixXf answer = batch.clean;
    answer.array() += 0.5F;
    Eigen::MatrixXf gradient = answer;
    const double ratio = weighted.loss(batch, answer, gradient) / plain.loss(batch, answer, gradient);
    const double snr = std::pow(frame.schedule.signal(t) / frame.schedule.noise(t), 2);
    EXPECT_NEAR(ratio, std::min(snr, 5.0), 1e-6 * std::min(snr, 5.0)) << t;  // floats
  }
}

TEST(Pidm, TheResidualIsANormalLogLikelihoodOfThePosteriorsVariance) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  DiffusionFrame frame = frame_on(*sphere);
  const NoiseSchedule& schedule = frame.schedule;
  PidmOptions options{.penalty = 0.7, .signal_weight = SignalWeight::one};
  const auto objective = make_pidm_objective(frame, options);
  const SignalPrediction plain(frame, SignalWeight::one);
  DiffusionBatch batch = batch_on(frame, 1);
  for (const Index t : {Index{1}, Index{2}, Index{7}, schedule.steps()}) {
    batch.times[0] = t;
    // Var(x_{t-1} | x_t, x_0) = 1/(a²/(b sigma'^-2 …)): by the product of two normal densities in x_{t-1}, of t = 2
    // for 1.
    const Index u = std::max<Index>(t, 2);
    const double step = schedule.signal(u) / schedule.signal(u - 1);
    const double variance = 1 / (step * step / (1 - step * step) + 1 / (schedule.noise(u - 1) * schedule.noise(u - 1)));
    const double distance = 0.5 * std::sqrt(variance);  // of the answer to M, standardised
    const Vector direction = Vector::Unit(3, 1);
    Eigen::MatrixXf answer =
        frame.to_state(((1 + frame.standardisation.scale * distance) * direction).eval(), 0).cast<float>();
    Eigen::MatrixXf gradient = answer;
    Eigen::MatrixXf without = answer;
    const double part = objective->loss(batch, answer, gradient) - plain.loss(batch, answer, without);
    const double expected = 0.7 * 0.5 * (distance * distance / variance + std::log(2 * std::numbers::pi * variance));
    // The distance is a difference of floats of order 1 against a tenth of the smallest level.
    EXPECT_NEAR(part, expected, 2e-3 * std::abs(expected) + 1e-3) << t;
    const Vector slope = (gradient - without).cast<double>();
    EXPECT_NEAR(slope.dot(direction) / (0.7 * distance / variance), 1, 5e-3) << t;
    EXPECT_LT((slope - slope.dot(direction) * direction).norm(), 5e-3 * slope.norm()) << t;
    // Beyond e^-27.6 it has a value and no slope.
    answer = frame.to_state((30 * std::sqrt(variance) * frame.standardisation.scale + 1) * direction, 0).cast<float>();
    const double far = objective->loss(batch, answer, gradient) - plain.loss(batch, answer, without);
    EXPECT_NEAR(far, 0.7 * 27.6310211159, 1e-3) << t;
    EXPECT_EQ((gradient - without).norm(), 0) << t;
  }
}

/// A linear network, for the second answer of an objective.
struct SecondAnswer {
  DiffusionBatch next;
  Eigen::MatrixXf weight;

  explicit SecondAnswer(const DiffusionBatch& batch)
      : next(batch.state.rows(), batch.state.cols()), weight(batch.state.rows(), batch.state.rows()) {
    Stream(8, "weight").fill_normal(weight);
  }
  /// Loss of both answers, and its gradient in the first where \p gradient is not null.
  double loss(const DiffusionObjective& objective, const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
              Eigen::MatrixXf* gradient) {
    Eigen::MatrixXf first = prediction;
    const double plain = objective.loss(batch, prediction, first);
    objective.ask_again(batch, prediction, next);
    const Eigen::MatrixXf answer = weight * next.state;
    Eigen::MatrixXf second = answer;
    const double more = objective.second_loss(batch, answer, second);
    objective.carry_back(batch, next, weight.transpose() * second, first);
    if (gradient) *gradient = first;
    return plain + more;
  }
};

TEST(Pidm, TheSampleIsOneDeterministicStepFurtherOn) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const DiffusionFrame frame = frame_on(*sphere);
  const auto objective = make_pidm_objective(frame, pidm(PidmOptions::Estimate::sample));
  EXPECT_TRUE(objective->asks_again());
  EXPECT_FALSE(make_pidm_objective(frame, pidm(PidmOptions::Estimate::mean))->asks_again());
  DiffusionBatch batch = batch_on(frame, 20);
  objective->corrupt(batch, Stream(1, "corrupt"));
  SecondAnswer second(batch);
  // Told the truth, the step goes to x_1 of the same noise.
  objective->ask_again(batch, batch.clean, second.next);
  Eigen::MatrixXf expected = static_cast<float>(frame.schedule.signal(1)) * batch.clean +
                             static_cast<float>(frame.schedule.noise(1)) * batch.noise;
  EXPECT_LT((second.next.state - expected).cwiseAbs().maxCoeff(), 1e-5F);  // floats of order 1 to 5
  EXPECT_EQ(second.next.times, std::vector<Index>(20, 1));

  // The gradient through both answers, by central differences in every entry of the first.
  Eigen::MatrixXf prediction(3, 20);
  Stream(9, "prediction").fill_normal(prediction);
  Eigen::MatrixXf gradient;
  (void)second.loss(*objective, batch, prediction, &gradient);
  Eigen::MatrixXf differences = gradient;
  constexpr float h = 1.0F / 64;
  for (Index j = 0; j < prediction.cols(); ++j) {
    for (Index i = 0; i < prediction.rows(); ++i) {
      Eigen::MatrixXf near = prediction;
      near(i, j) += h;
      const double up = second.loss(*objective, batch, near, nullptr);
      near(i, j) -= 2 * h;
      differences(i, j) = static_cast<float>((up - second.loss(*objective, batch, near, nullptr)) / (2 * h));
    }
  }
  const float largest = gradient.cwiseAbs().maxCoeff();
  // Curvature of the distance over h, as above.
  EXPECT_LT((differences - gradient).cwiseAbs().maxCoeff(), 4e-3F * largest);
  Eigen::MatrixXf plain = gradient;
  (void)objective->loss(batch, prediction, plain);
  EXPECT_GT((differences - plain).cwiseAbs().maxCoeff(), 0.02F * largest);  // without the second answer's part
}

/// Uniform points of a sphere as a training source.
class SphereSource final : public TrainingSource {
 public:
  explicit SphereSource(const Manifold& manifold) : points_(manifold.random_points(2000, Stream(6, "source"))) {}
  [[nodiscard]] Index dimension() const override { return points_.rows(); }
  [[nodiscard]] Index size() const override { return points_.cols(); }
  [[nodiscard]] const Points& clean_points() const override { return points_; }
  [[nodiscard]] Points epoch(Index) const override { return points_; }

 private:
  Points points_;
};

Points samples_of(const std::string& name, Value::Table table, const Manifold& manifold) {
  const SphereSource source(manifold);
  FitContext context{.training = &source,
                     .manifold = &manifold,
                     .smallest_noise = 0.01,
                     .lift_scale = 0.1,
                     .initialisation = Stream(1, "initialisation"),
                     .training_noise = Stream(1, "noise"),
                     .progress = {}};
  table.insert({{"steps", 300}, {"width", 32}, {"depth", 2}, {"batch", 64}, {"timesteps", 50}});
  Settings settings{Value(table), "test"};
  const auto model = method_registry().get(name).factory(settings);
  settings.finish();
  model->fit(context);
  return model->sample(600, Stream(2, "sampling"));
}

double largest_residual(const Points& samples, const Manifold& manifold) {
  return manifold.residual(samples).cwiseAbs().maxCoeff();
}

TEST(DiffusionMethods, ThoseThatProjectInTheSamplerEndOnTheManifold) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  // After the projection comes only the change of units.
  EXPECT_LT(largest_residual(samples_of("pdm", {}, *sphere), *sphere), 1e-14);
  EXPECT_LT(largest_residual(samples_of("pdm", {{"project", "signal"}}, *sphere), *sphere), 1e-14);
  EXPECT_LT(
      largest_residual(
          samples_of("pdm", {{"sampler", "langevin"}, {"sampler_steps", 10}, {"langevin_steps", 3}}, *sphere), *sphere),
      1e-14);
  EXPECT_THROW((void)samples_of("tango", {{"c", 0.2}, {"sampler", "langevin"}}, *sphere), InvalidInput);
  EXPECT_LT(largest_residual(samples_of("tango", {{"c", 0.2}}, *sphere), *sphere), 1e-14);
  // A penalty on samples draws what comes out towards M.
  const auto deviation = [&](double penalty) {
    const Points x =
        samples_of("pidm", {{"estimate", "sample"}, {"residual_loss", "distance"}, {"penalty", penalty}}, *sphere);
    return std::sqrt(sphere->residual(x).squaredNorm() / static_cast<double>(x.cols()));
  };
  EXPECT_LT(deviation(1), 0.8 * deviation(0));
  EXPECT_GT(largest_residual(samples_of("ddpm", {}, *sphere), *sphere), 1e-3);
}

TEST(Pidm, ATrainingStepSumsTheGradientsOfBothAnswers) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const SphereSource source(*sphere);
  DiffusionFrame frame = frame_on(*sphere);
  frame.standardisation = standardisation(source);
  constexpr Index columns = 20;
  for (const auto estimate : {PidmOptions::Estimate::mean, PidmOptions::Estimate::sample}) {
    const auto objective = make_pidm_objective(frame, pidm(estimate, 2));
    const Mlp network({.data = 3, .width = 32, .depth = 2});
    const Stream initial(3, "initial");
    const Stream noise(4, "noise");
    BatchReader reader(source, frame.standardisation);
    DenoiserTrainer trainer(network, *objective, {}, columns, initial, noise);
    const DenoiserTrainer::StepResult step = trainer.step(reader);

    // The batch of that step, and the two passes written out.
    DiffusionBatch batch(3, columns);
    BatchReader again(source, frame.standardisation);
    again.read(batch.clean);
    noise.at(0).at(0).fill_normal(batch.noise);
    Points uniforms(columns, 1);
    noise.at(0).at(1).fill_uniform(uniforms);
    for (Index i = 0; i < columns; ++i) {
      batch.times[static_cast<std::size_t>(i)] =
          1 + static_cast<Index>(uniforms(i, 0) * static_cast<double>(frame.schedule.steps()));
    }
    objective->corrupt(batch, noise.at(0).at(2));
    const Eigen::MatrixXf table = time_embedding(frame.schedule.steps());
    Eigen::MatrixXf embeddings(table.rows(), columns);
    for (Index i = 0; i < columns; ++i) embeddings.col(i) = table.col(batch.times[static_cast<std::size_t>(i)]);
    DiffusionBatch next(3, columns);
    Mlp::Tape tape(network, columns);
    const auto loss = [&](const Eigen::VectorXf& parameters) {
      Eigen::MatrixXf y(3, columns);
      Eigen::MatrixXf gradient(3, columns);
      network.forward(parameters, batch.state, embeddings, tape, y);
      double sum = objective->loss(batch, y, gradient);
      if (objective->asks_again()) {
        objective->ask_again(batch, y, next);
        network.forward(parameters, next.state, table.col(1).replicate(1, columns), tape, y);
        sum += objective->second_loss(batch, y, gradient);
      }
      return sum;
    };
    const Eigen::VectorXf parameters = network.initial_parameters(initial);
    EXPECT_NEAR(step.loss, loss(parameters), 1e-6 * step.loss);
    // The norm of the gradient is the slope along it, and the gradient is what Adam's first step has the signs of: go
    // by differences in all weights instead, in groups small enough for single precision.
    ModelState state = network.to_state(parameters);
    double square = 0;
    for (auto& [name, weight] : state) {
      for (Index k = 0; k < weight.size(); ++k) {
        const float keep = weight(k);
        constexpr float h = 1.0F / 128;
        weight(k) = keep + h;
        const double up = loss(network.from_state(state));
        weight(k) = keep - h;
        const double down = loss(network.from_state(state));
        weight(k) = keep;
        square += std::pow((up - down) / (2 * static_cast<double>(h)), 2);
      }
    }
    // 2,307 differences with an error of about 1e-5 each, and curvature.
    EXPECT_NEAR(step.gradient_norm / std::sqrt(square), 1, 5e-3);
    EXPECT_GT(square, 0.01);
  }
}

TEST(DiffusionMethods, MadSamplesTheUniformLawWithoutLearning) {
  // steps = 1 leaves the network at about 0: the base score alone must give uniform points of the sphere.
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const Points samples = samples_of("mad", {{"steps", 1}}, *sphere);
  EXPECT_LT(samples.rowwise().mean().cwiseAbs().maxCoeff(), 4.5 * std::sqrt(1.0 / 3 / 600));  // alpha = 2e-5
  // s_1 = .01 in units of scale 1/sqrt(3), added once more by the last steps: thickness below .02 by far.
  EXPECT_LT(std::sqrt(sphere->residual(samples).squaredNorm() / 600), 0.02);
  const Points unlearned = samples_of("ddpm", {{"steps", 1}}, *sphere);
  EXPECT_GT(std::sqrt(sphere->residual(unlearned).squaredNorm() / 600), 0.1);
}

TEST(DiffusionMethods, AThicknessIsNeededFromSomewhere) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  DiffusionFrame frame = frame_on(*sphere);
  frame.lift_scale = 0;
  EXPECT_THROW((void)make_niso_objective(frame, 0, "root"), InvalidInput);
  EXPECT_NO_THROW((void)make_niso_objective(frame, 0.1, "root"));
}

TEST(SamplerRules, GiveTheNormalLawInClosedForm) {
  // The exact epsilon of N(0, v^2) under each rule: the samples' deviation is sampled_deviation's.
  const NoiseSchedule schedule = NoiseSchedule::cosine(40, 0.9).with_smallest_level(0.02);
  constexpr double v = 0.4;
  const BlockDenoiser exact = [&](const Points& x, Index t, Points& epsilon) {
    const double a = schedule.signal(t);
    const double s = schedule.noise(t);
    epsilon = s / (a * a * v * v + s * s) * x;
  };
  constexpr Index n = 60000;
  for (const SamplerRule rule : {SamplerRule::ancestral, SamplerRule::ddim, SamplerRule::heun}) {
    for (const Index steps : {0, 13}) {
      const SamplerOptions options{.rule = rule, .steps = steps};
      const Points samples = sample_diffusion(schedule, options, exact, 1, n, Stream(3, "rules"));
      const double deviation = std::sqrt(samples.squaredNorm() / n);
      // Relative standard error of a deviation 1/sqrt(2n); 4.5 of them, six comparisons: alpha = 4e-5.
      EXPECT_NEAR(deviation / sampled_deviation(schedule, options, v), 1, 4.5 / std::sqrt(2.0 * n))
          << name_of(rule) << steps;
    }
  }
}

TEST(SamplerRules, LangevinIsAnnealedAndProjectsAfterEveryInnerStep) {
  // Exact score of a law on the plane x_3 = m_3, N(m, v^2) along it and a point across, at the moments in
  // closed form.
  const auto plane = make_manifold("plane:normal=0:0:1,offset=0.1");
  DiffusionFrame frame = frame_on(*plane);  // mean .1, scale .6
  frame.schedule = NoiseSchedule::cosine(40, 0.9).with_smallest_level(0.05);
  constexpr double v = 0.4;
  Index calls = 0;
  const BlockDenoiser exact = [&](const Points& x, Index t, Points& epsilon) {
    const double a = frame.schedule.signal(t);
    const double s = frame.schedule.noise(t);
    epsilon = s / (a * a * v * v + s * s) * x;
    epsilon.row(2) = x.row(2) / s;
    ++calls;
  };
  constexpr Index n = 20000;
  const SamplerOptions options{.rule = SamplerRule::langevin, .steps = 10, .langevin_steps = 5};
  const auto pdm = make_pdm_objective(frame, true);
  const auto sample = [&](const BlockHook& hook) {
    return sample_diffusion(frame.schedule, options, exact, 3, n, Stream(3, "langevin"), 0, hook);
  };
  Index projections = 0;
  const Points projected = sample([&](Points& x, Index t, const Stream& draws) {
    pdm->after_step(x, t, exact, draws);
    ++projections;
  });
  EXPECT_EQ(projections, calls);
  EXPECT_EQ(calls, 50 * ((n + sampling_block - 1) / sampling_block));
  EXPECT_LT(projected.row(2).cwiseAbs().maxCoeff(), 1e-14);
  const double tangential = sampled_deviation(frame.schedule, options, v);
  const double across = sampled_deviation(frame.schedule, options, 0);
  const Points free = sample({});
  // 4.5 relative standard errors; the deviations are those of the recursion, and near v up to the step and
  // s_1.
  for (const Points* x : {&projected, &free}) {
    EXPECT_NEAR(std::sqrt(x->topRows(2).squaredNorm() / (2 * n)) / tangential, 1, 4.5 / std::sqrt(4.0 * n));
  }
  EXPECT_NEAR(std::sqrt(free.row(2).squaredNorm() / n) / across, 1, 4.5 / std::sqrt(2.0 * n));
  EXPECT_GT(across, 0.04);  // without projections the smallest noise stays
  // Levels with steps that sum to less than v^2 leave the law as it is: here s^2 < 6e-4, below the smallest.
  EXPECT_NEAR(sampled_deviation(frame.schedule,
                                {.rule = SamplerRule::langevin, .langevin_step = 0.1, .langevin_steps = 5000}, v),
              v, 0.02 * v);
  EXPECT_GT(
      std::abs(sampled_deviation(frame.schedule, {.rule = SamplerRule::langevin, .steps = 2, .langevin_steps = 1}, v) -
               v),
      0.1 * v);  // too few steps do not arrive
}

TEST(TimeInput, RawIsTheNumberItself) {
  const Eigen::MatrixXf table = raw_time(7);
  EXPECT_EQ(table(0, 5), 5);
  EXPECT_EQ(table.bottomRows(table.rows() - 1).cwiseAbs().maxCoeff(), 0);
  EXPECT_EQ(table.cols(), 8);
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const Points raw = samples_of("ddpm", {{"time_input", "raw"}, {"steps", 2000}, {"learning_rate", 5e-3}}, *sphere);
  EXPECT_GT((raw - samples_of("ddpm", {}, *sphere)).cwiseAbs().maxCoeff(), 1e-3);
  // Training and sampling agree on it: the law is learned (uniform on the sphere, thickness of a short
  // training).
  EXPECT_LT(raw.rowwise().mean().cwiseAbs().maxCoeff(), 0.25);
  EXPECT_NEAR(raw.colwise().norm().mean(), 1, 0.25);
}

TEST(TimeInput, NeighbouringLevelsLookAlike) {
  const NoiseSchedule schedule = NoiseSchedule::geometric(400, 0.01, 80);
  const Eigen::MatrixXf table = time_table(schedule, TimeInput::level);
  ASSERT_EQ(table.cols(), 401);
  EXPECT_EQ(table.col(0), table.col(1));
  for (const Index t : {1, 17, 400}) {
    const double log_level = std::log(schedule.level(t));
    EXPECT_NEAR(table(0, t), std::sin(0.125 * log_level), 1e-6) << t;
    EXPECT_NEAR(table(15, t), std::sin(4 * log_level), 1e-6) << t;
    EXPECT_NEAR(table(31, t), std::cos(4 * log_level), 1e-6) << t;
  }
  const auto farthest_neighbours = [](const Eigen::MatrixXf& columns) {
    return (columns.rightCols(columns.cols() - 2) - columns.middleCols(1, columns.cols() - 2))
        .colwise()
        .norm()
        .maxCoeff();
  };
  // Steps of .0225 in log s: at most .0225 sqrt(sum of w^2) = .0225 · 6.4. Of t/T the largest w moves by 2.5.
  EXPECT_LT(farthest_neighbours(table), 0.15F);
  EXPECT_GT(farthest_neighbours(time_table(schedule, TimeInput::embedding)), 1);
  EXPECT_EQ(time_table(schedule, TimeInput::raw), raw_time(400));
  EXPECT_THROW((void)level_embedding({0.0}), InvalidInput);
  EXPECT_THROW((void)level_embedding({0.0, 1.0, -1.0}), InvalidInput);
}

TEST(SamplerRules, HeunIsOfSecondOrder) {
  const auto error = [](SamplerRule rule, Index steps) {
    // Geometric levels: the step in log s is the same everywhere, so the order shows in the total error. The
    // last, Euler step from s_1 to 0 does not refine, nor does x_T ~ N(0, 1): keep both errors small against
    // the rest.
    const NoiseSchedule schedule = NoiseSchedule::geometric(steps, 1e-4, 1e4);
    constexpr double v = 0.5;
    return std::abs(sampled_deviation(schedule, {.rule = rule}, v) / v - 1);
  };
  EXPECT_NEAR(std::log2(error(SamplerRule::ddim, 200) / error(SamplerRule::ddim, 400)), 1, 0.1);
  EXPECT_NEAR(std::log2(error(SamplerRule::heun, 200) / error(SamplerRule::heun, 400)), 2, 0.2);
}

TEST(SamplerRules, VisitTheirTimes) {
  const NoiseSchedule schedule = NoiseSchedule::cosine(100, 0.9);
  EXPECT_EQ(sampling_times(schedule, 0).size(), 101U);
  EXPECT_THAT(sampling_times(schedule, 4), testing::ElementsAre(100, 67, 34, 1, 0));
  EXPECT_THAT(sampling_times(schedule, 1), testing::ElementsAre(100, 0));
  EXPECT_THROW((void)sampling_times(schedule, 101), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
