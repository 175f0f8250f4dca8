// SPDX-License-Identifier: Apache-2.0
// Autoencoders: gradients against differences, the bound against the evidence by quadrature, volumes against
// differences; the two-step methods on a plane.
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "models/registry.hpp"
#include "models/two_step/autoencoder.hpp"
#include "models/two_step/two_step_model.hpp"
#include "tests/models/make_method.hpp"
#include "tests/models/model_fixtures.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold {
namespace {

/// Weights larger than the initial ones, so that nothing is nearly linear, and s = e^-0.7.
Eigen::VectorXf rough_parameters(const Autoencoder& model) {
  ModelState state = model.to_state(2 * model.initial_parameters(Stream(1, "autoencoder")));
  state.at("decoder_log_scale").setConstant(-0.7F);
  return model.from_state(state);
}

double log_normal(double square, double variance, double dimension) {
  return -0.5 * (square / variance + dimension * std::log(2 * std::numbers::pi * variance));
}

TEST(Autoencoder, GradientsAgreeWithDifferences) {
  for (const bool variational : {false, true}) {
    const Index n = 17;
    const Autoencoder model(5, 2, 32, 2, variational);
    const Eigen::VectorXf parameters = rough_parameters(model);
    Eigen::MatrixXf x(5, n);
    Eigen::MatrixXf noise(2, n);
    Stream(2, "x").fill_normal(x);
    Stream(2, "noise").fill_normal(noise);
    Autoencoder::Tape tape(model, n);
    Eigen::VectorXf gradient(model.buffer_size());
    Eigen::VectorXf unused = gradient;
    model.differentiate(parameters, x, noise, tape, gradient);
    EXPECT_EQ(model.from_state(model.to_state(gradient)), gradient);  // padding has no gradient
    const auto difference = [&](const Eigen::VectorXf& direction) {
      constexpr float h = 1e-3F;
      const double up = model.differentiate(parameters + h * direction, x, noise, tape, unused).total;
      const double down = model.differentiate(parameters - h * direction, x, noise, tape, unused).total;
      return (up - down) / (2 * h);
    };
    // Along the gradient, random directions, and the decoder scale alone. Single precision over h, h^2 third
    // derivatives: 1e-3 of the norm.
    const double norm = gradient.cast<double>().norm();
    EXPECT_NEAR(difference(gradient.normalized()), norm, 3e-3 * norm);
    EXPECT_GT(std::abs(difference(0.97F * gradient.normalized()) - norm), 3e-3 * norm);  // negative control
    for (int trial = 0; trial < 3; ++trial) {
      Eigen::MatrixXf random(model.buffer_size(), 1);
      Stream(3, "direction").at(static_cast<std::uint64_t>(trial)).fill_normal(random);
      const Eigen::VectorXf direction = model.from_state(model.to_state(random.col(0))).normalized();
      EXPECT_NEAR(difference(direction), gradient.dot(direction), 3e-3 * norm);
    }
    const Eigen::VectorXf scale = Eigen::VectorXf::Unit(model.buffer_size(), model.buffer_size() - 1);
    EXPECT_NEAR(difference(scale), gradient[model.buffer_size() - 1], 3e-3 * norm);
    if (variational) {
      EXPECT_GT(std::abs(gradient[model.buffer_size() - 1]), 0.02);
    }
  }
}

TEST(Autoencoder, TheBoundIsTheEvidenceLessTheDivergenceFromThePosterior) {
  // -loss = log p(x) - KL(q | p(z|x)) for every set of weights. One latent coordinate: both by quadrature in
  // z.
  constexpr Index n = 4000;
  const Autoencoder model(3, 1, 32, 2, true);
  const Eigen::VectorXf parameters = rough_parameters(model);
  const double s = model.decoder_scale(parameters);
  const Eigen::Vector3f point(0.4F, -0.8F, 0.3F);

  const double dz = 16.0 / n;
  Points z(1, n);
  for (Index i = 0; i < n; ++i) z(0, i) = -8 + (static_cast<double>(i) + 0.5) * dz;
  const Points images = model.decode(parameters, z);
  Points deviation;
  const double mu = model.encode(parameters, point.cast<double>(), &deviation)(0, 0);
  double evidence = 0;
  for (Index i = 0; i < n; ++i) {
    evidence += dz * std::exp(log_normal(z(0, i) * z(0, i), 1, 1) +
                              log_normal((images.col(i) - point.cast<double>()).squaredNorm(), s * s, 3));
  }
  const double v = deviation(0, 0) * deviation(0, 0);
  double divergence = 0;
  for (Index i = 0; i < n; ++i) {
    const double log_q = log_normal((z(0, i) - mu) * (z(0, i) - mu), v, 1);
    const double log_posterior = log_normal(z(0, i) * z(0, i), 1, 1) +
                                 log_normal((images.col(i) - point.cast<double>()).squaredNorm(), s * s, 3) -
                                 std::log(evidence);
    divergence += dz * std::exp(log_q) * (log_q - log_posterior);
  }

  // The expectation over q by midpoint quantiles of the normal law.
  Eigen::MatrixXf noise(1, n);
  {
    Index next = 0;
    double mass = 0;
    constexpr Index fine = 200'000;
    for (Index i = 0; i < fine && next < n; ++i) {
      const double at = -8 + (static_cast<double>(i) + 0.5) * 16.0 / fine;
      mass += 16.0 / fine * std::exp(log_normal(at * at, 1, 1));
      while (next < n && mass >= (static_cast<double>(next) + 0.5) / n) noise(0, next++) = static_cast<float>(at);
    }
    ASSERT_EQ(next, n);
  }
  Autoencoder::Tape tape(model, n);
  Eigen::VectorXf gradient(model.buffer_size());
  const Autoencoder::Loss loss = model.differentiate(parameters, point.replicate(1, n), noise, tape, gradient);
  // The quantile rule leaves out tails of mass 1/(2n): a few 1e-3 of second moments.
  EXPECT_NEAR(-loss.total, std::log(evidence) - divergence, 5e-3);
  EXPECT_GT(divergence, 0.05);  // so a bound that forgot it would be caught
  EXPECT_NEAR(loss.divergence, 0.5 * (mu * mu + v - std::log(v) - 1), 1e-5);
}

TEST(Autoencoder, VolumeAgreesWithADifferencedJacobian) {
  const Autoencoder model(6, 2, 32, 2, true);
  const Eigen::VectorXf parameters = rough_parameters(model);
  const Points z = Stream(4, "z").normal(2, 9);
  const Vector stated = model.log_volume(parameters, z);
  constexpr double h = 0.02;  // single precision over h and h^4: both 1e-5
  for (Index c = 0; c < z.cols(); ++c) {
    Eigen::MatrixXd jacobian(6, 2);
    for (Index i = 0; i < 2; ++i) {
      const auto image = [&](double by) -> Vector {
        Points moved = z.col(c);
        moved(i, 0) += by;
        return model.decode(parameters, moved).col(0);
      };
      jacobian.col(i) = (8 * (image(h) - image(-h)) - (image(2 * h) - image(-2 * h))) / (12 * h);
    }
    const double expected = 0.5 * std::log((jacobian.transpose() * jacobian).determinant());
    EXPECT_NEAR(stated[c], expected, 1e-3);
    EXPECT_GT(std::abs(stated[c] - 2 * expected), 1e-3);  // a forgotten half
  }
}

TEST(Autoencoder, ProductsAgreeWithDifferencesAndStayWithinTheNormBound) {
  for (const bool variational : {false, true}) {
    const Autoencoder model(6, 2, 32, 2, variational);
    const Eigen::VectorXf parameters = rough_parameters(model);
    constexpr Index n = 9;
    constexpr Index count = 2;
    const Points x = Stream(4, "x").normal(6, n);
    const Points z = Stream(4, "z").normal(2, n);
    const auto check = [&](const Points& at, const Points& vectors, const Points& stated, const auto& map) {
      constexpr double h = 0.02;  // single precision over h and h^4: both 1e-5
      Points expected(stated.rows(), stated.cols());
      for (Index c = 0; c < n * count; ++c) {
        const auto image = [&](double by) -> Vector {
          return map(Points(at.col(c / count) + by * vectors.col(c))).col(0);
        };
        expected.col(c) = (8 * (image(h) - image(-h)) - (image(2 * h) - image(-2 * h))) / (12 * h);
      }
      const double scale = expected.cwiseAbs().maxCoeff();
      EXPECT_LT((stated - expected).cwiseAbs().maxCoeff(), 1e-3 * scale);
      EXPECT_GT((1.01 * stated - expected).cwiseAbs().maxCoeff(), 1e-3 * scale);  // negative control
    };
    const Points along_x = Stream(5, "v").normal(6, n * count);
    check(x, along_x, model.encoder_products(parameters, x, along_x, count),
          [&](const Points& at) { return model.encode(parameters, at); });
    const Points along_z = Stream(5, "w").normal(2, n * count);
    const Points stretched = model.decoder_products(parameters, z, along_z, count);
    check(z, along_z, stretched, [&](const Points& at) { return model.decode(parameters, at); });

    // A Lipschitz constant: no product exceeds it, nor does any difference of far points.
    const double bound = model.decoder_norm_bound(parameters);
    EXPECT_LE((stretched.colwise().norm().array() / along_z.colwise().norm().array()).maxCoeff(), bound);
    const Points far = 20 * Stream(6, "far").normal(2, n);
    const Points images = model.decode(parameters, far) - model.decode(parameters, z);
    EXPECT_LE((images.colwise().norm().array() / (far - z).colwise().norm().array()).maxCoeff(), bound);
    // And not a vain one: slopes of a tenth of it are there. Products of norms are far above the norm of a product.
    EXPECT_GT((stretched.colwise().norm().array() / along_z.colwise().norm().array()).maxCoeff(), 0.01 * bound);

    EXPECT_THROW((void)model.encoder_products(parameters, x, along_z, count), InvalidInput);
    EXPECT_THROW((void)model.decoder_products(parameters, z, along_z, count + 1), InvalidInput);
  }
}

TEST(Vae, ItsDecoderScaleFindsALiftAndItsBoundStaysBelowTheEntropy) {
  constexpr double sigma = 0.25;
  FitFixture fixture(NormalLaw::in_a_plane(), 20000, sigma);
  auto model = make("vae", {{"steps", 2000}, {"width", 32}, {"depth", 1}, {"latent", 2}, {"learning_rate", 5e-3}});
  model->fit(fixture.context());
  const Curves curves = model->curves();
  const double entropy = 1.5 * std::log(2 * std::numbers::pi * std::numbers::e) + std::log(0.5 * sigma);
  // The model holds the law exactly (linear maps), so the loss tends to the entropy from above.
  const double loss = curves.at("loss").tail(50).mean();
  EXPECT_GT(loss, entropy - 0.03);  // 50 stretches of 4 batches of 256: .006 of sampling error
  EXPECT_LT(loss, entropy + 0.15);
  EXPECT_NEAR(curves.at("decoder_scale").tail(1)[0], sigma, 0.03);
  const Points samples = model->sample(4000, Stream(5, "vae"));
  const Points centred = samples.colwise() - samples.rowwise().mean();
  EXPECT_LT((centred * centred.transpose() / 4000.0 - fixture.law().covariance()).norm(), 0.15);
}

TEST(Vae, WithoutALiftTheBoundGrowsByKNatsPerUnitOfLogScale) {
  ONMANIFOLD_SKIP_LONG_TRAINING_IF_SANITIZED();
  FitFixture fixture(NormalLaw::in_a_plane(), 5000);
  auto model = make("vae", {{"steps", 3000}, {"width", 32}, {"latent", 2}, {"learning_rate", 5e-3}});
  model->fit(fixture.context());
  const Curves curves = model->curves();
  const Vector& loss = curves.at("loss");
  const Vector log_scale = curves.at("decoder_scale").array().log();
  const Index last = loss.size() - 1;
  const Index middle = last / 3;
  ASSERT_LT(log_scale[last], log_scale[middle] - 0.5);
  // One normal direction.
  EXPECT_NEAR((loss[last] - loss[middle]) / (log_scale[last] - log_scale[middle]), 1, 0.35);
}

class TwoStepMethods : public testing::TestWithParam<std::string> {};

TEST_P(TwoStepMethods, LearnANormalLawOnAPlane) {
  ONMANIFOLD_SKIP_LONG_TRAINING_IF_SANITIZED();
  FitFixture fixture(NormalLaw::in_a_plane(), 5000);
  Value::Table settings = {{"autoencoder_steps", 1500},
                           {"autoencoder_width", 32},
                           {"autoencoder_learning_rate", 5e-3},
                           {"steps", 1000},
                           {"width", 32},
                           {"learning_rate", 5e-3}};
  if (GetParam() == "vae_flow") {
    settings["layers"] = 4;
    settings["likelihood"] = true;
  } else {
    settings["timesteps"] = 50;
  }
  auto model = make(GetParam(), settings);
  model->fit(fixture.context());
  const Points samples = model->sample(4000, Stream(5, "two-step"));
  const Vector mean = samples.rowwise().mean();
  const Points centred = samples.colwise() - mean;
  EXPECT_LT((mean - fixture.law().mean()).norm(), 0.15);
  EXPECT_LT((centred * centred.transpose() / 4000.0 - fixture.law().covariance()).norm(), 0.2);
  // The image of the decoder lies near the plane.
  EXPECT_LT((fixture.law().normal().transpose() * centred).norm() / std::sqrt(4000.0), 0.1);

  const auto log_density = model->log_density(samples);
  EXPECT_EQ(log_density.has_value(), GetParam() == "vae_flow");
  if (log_density) {
    EXPECT_TRUE(model->density_is_intrinsic());
    // Of N(0, diag(1, 1/4)) on the plane; the posterior's noise and the fit leave a tenth.
    const double entropy = std::log(2 * std::numbers::pi * std::numbers::e) + std::log(0.5);
    EXPECT_NEAR(-model->log_density(fixture.law().sample(4000, Stream(6, "fresh")))->mean(), entropy, 0.15);
  }
  EXPECT_TRUE(model->curves().contains("autoencoder_loss"));
  EXPECT_TRUE(model->curves().contains("loss"));
}

INSTANTIATE_TEST_SUITE_P(All, TwoStepMethods, testing::Values("autoencoder_ddpm", "vae_ddpm", "vae_flow"));

TEST(VaeFlow, ItsDensityNeedsALatentSpaceOfTheManifoldsDimension) {
  FitFixture fixture(NormalLaw::in_a_plane(), 100);
  EXPECT_THROW(make("vae_flow", {{"latent", 3}, {"likelihood", true}, {"autoencoder_steps", 1}, {"steps", 1}})
                   ->fit(fixture.context()),
               Unsupported);
}

}  // namespace
}  // namespace onmanifold
