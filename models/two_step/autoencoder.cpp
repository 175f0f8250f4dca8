// SPDX-License-Identifier: Apache-2.0
#include "models/two_step/autoencoder.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/linear_algebra.hpp"
#include "manifolds/manifold.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/networks/mlp_tangents.hpp"
#include "models/networks/training_record.hpp"

namespace onmanifold {
namespace {

constexpr Index block = 512;

/// \p network at all columns of \p x, in double around float.
Points evaluate(const Mlp& network, const Eigen::VectorXf& weights, const PointsRef& x) {
  const Index most = std::min(block, x.cols());
  const auto scratch = network.make_scratch(most);
  const Eigen::VectorXf none;
  Eigen::MatrixXf in(x.rows(), most);
  Eigen::MatrixXf out(network.output_size(), most);
  Points result(network.output_size(), x.cols());
  for (Index first = 0; first < x.cols(); first += block) {
    const Index n = std::min(block, x.cols() - first);
    in.leftCols(n) = x.middleCols(first, n).cast<float>();
    network.evaluate(weights, in, n, none, *scratch, out);
    result.middleCols(first, n) = out.leftCols(n).cast<double>();
  }
  return result;
}

/// J v at all columns of \p x.
Points products(const Mlp& network, const Eigen::VectorXf& weights, const PointsRef& x, const PointsRef& vectors,
                Index count) {
  const MlpTangents tangents(network, weights);
  const Eigen::VectorXf none;
  Points result(network.output_size(), vectors.cols());
  Eigen::MatrixXf y;
  Eigen::MatrixXf along;
  for (Index first = 0; first < x.cols(); first += block) {
    const Index n = std::min(block, x.cols() - first);
    tangents.evaluate(x.middleCols(first, n).cast<float>(), none,
                      vectors.middleCols(first * count, n * count).cast<float>(), count, y, along);
    result.middleCols(first * count, n * count) = along.cast<double>();
  }
  return result;
}

Mlp make_network(Index inputs, Index outputs, Index width, Index depth) {
  return Mlp({.data = inputs, .width = width, .depth = depth, .outputs = outputs, .timed = false});
}

}  // namespace

Autoencoder::Autoencoder(Index dimension, Index latent, Index width, Index depth, bool variational)
    : variational_(variational),
      encoder_(make_network(dimension, variational ? 2 * latent : latent, width, depth)),
      decoder_(make_network(latent, dimension, width, depth)),
      size_(encoder_.buffer_size() + decoder_.buffer_size() + 1) {
  if (latent > dimension) {
    throw InvalidInput(fmt::format("autoencoder: latent = {} for points of {} coordinates", latent, dimension));
  }
}

Eigen::VectorXf Autoencoder::initial_parameters(const Stream& stream) const {
  Eigen::VectorXf result(size_);
  result << encoder_.initial_parameters(stream.at("encoder")), decoder_.initial_parameters(stream.at("decoder")), 0.0F;
  return result;
}

ModelState Autoencoder::to_state(const Eigen::VectorXf& parameters) const {
  ModelState result;
  for (auto& [name, values] : encoder_.to_state(parameters.head(encoder_.buffer_size()))) {
    result["encoder_" + name] = values;
  }
  for (auto& [name, values] : decoder_.to_state(parameters.segment(encoder_.buffer_size(), decoder_.buffer_size()))) {
    result["decoder_" + name] = values;
  }
  result["decoder_log_scale"] = Eigen::MatrixXf::Constant(1, 1, parameters[scale_index()]);
  return result;
}

Eigen::VectorXf Autoencoder::from_state(const ModelState& state) const {
  const auto own = [&](const std::string& prefix) {
    ModelState result;
    for (const auto& [name, values] : state) {
      if (name.starts_with(prefix)) result[name.substr(prefix.size())] = values;
    }
    return result;
  };
  const auto scale = state.find("decoder_log_scale");
  if (scale == state.end() || scale->second.size() != 1) {
    throw InvalidInput("autoencoder: the state has no decoder_log_scale of 1×1");
  }
  Eigen::VectorXf result(size_);
  result << encoder_.from_state(own("encoder_")), decoder_.from_state(own("decoder_")), scale->second(0, 0);
  return result;
}

double Autoencoder::decoder_scale(const Eigen::VectorXf& parameters) const {
  return std::exp(static_cast<double>(parameters[scale_index()]));
}

Autoencoder::Tape::Tape(const Autoencoder& model, Index columns)
    : encoder_gradient_(Eigen::VectorXf::Zero(model.encoder_.buffer_size())),
      decoder_gradient_(Eigen::VectorXf::Zero(model.decoder_.buffer_size())),
      encoder_(model.encoder_.make_tape(columns)),
      decoder_(model.decoder_.make_tape(columns)),
      none_(0, columns),
      code_(model.encoder_.output_size(), columns),
      dcode_(code_),
      z_(model.latent(), columns),
      dz_(z_),
      y_(model.dimension(), columns) {}

Autoencoder::Loss Autoencoder::differentiate(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x,
                                             const Eigen::MatrixXf& noise, Tape& tape,
                                             Eigen::VectorXf& gradient) const {
  const Index n = tape.z_.cols();
  const Index m = latent();
  if (parameters.size() != size_ || gradient.size() != size_ || x.rows() != dimension() || x.cols() != n ||
      (variational_ && (noise.rows() != m || noise.cols() != n))) {
    throw InvalidInput("autoencoder: differentiate got arrays of wrong sizes");
  }
  tape.encoder_parameters_ = parameters.head(encoder_.buffer_size());
  tape.decoder_parameters_ = parameters.segment(encoder_.buffer_size(), decoder_.buffer_size());
  encoder_.forward(tape.encoder_parameters_, x, tape.none_, *tape.encoder_, tape.code_);
  if (variational_) {
    tape.z_ = tape.code_.topRows(m).array() + (0.5F * tape.code_.bottomRows(m).array()).exp() * noise.array();
  } else {
    tape.z_ = tape.code_;
  }
  decoder_.forward(tape.decoder_parameters_, tape.z_, tape.none_, *tape.decoder_, tape.y_);
  tape.y_ -= x;
  const double square = tape.y_.cast<double>().squaredNorm() / static_cast<double>(n);
  const auto D = static_cast<double>(dimension());
  const auto columns = static_cast<float>(n);
  Loss loss;
  double weight = 2 / D;
  float scale_gradient = 0;
  if (variational_) {
    const double log_scale = parameters[scale_index()];
    const double precision = std::exp(-2 * log_scale);
    const Eigen::ArrayXXd mu = tape.code_.topRows(m).cast<double>().array();
    const Eigen::ArrayXXd v = tape.code_.bottomRows(m).cast<double>().array();
    loss.divergence = 0.5 * (mu.square() + v.exp() - v - 1).sum() / static_cast<double>(n);
    loss.total = D * (0.5 * std::log(2 * std::numbers::pi) + log_scale) + 0.5 * precision * square + loss.divergence;
    weight = precision;
    scale_gradient = static_cast<float>(D - precision * square);
  } else {
    loss.total = square / D;
  }
  tape.y_ *= static_cast<float>(weight) / columns;
  decoder_.backward(tape.decoder_parameters_, tape.y_, *tape.decoder_, tape.decoder_gradient_);
  decoder_.input_gradient(tape.decoder_parameters_, *tape.decoder_, tape.dz_);
  if (variational_) {
    const Eigen::ArrayXXf mu = tape.code_.topRows(m).array();
    const Eigen::ArrayXXf v = tape.code_.bottomRows(m).array();
    tape.dcode_.topRows(m) = tape.dz_.array() + mu / columns;
    tape.dcode_.bottomRows(m) =
        0.5F * (tape.dz_.array() * noise.array() * (0.5F * v).exp() + (v.exp() - 1.0F) / columns);
  } else {
    tape.dcode_ = tape.dz_;
  }
  encoder_.backward(tape.encoder_parameters_, tape.dcode_, *tape.encoder_, tape.encoder_gradient_);
  gradient << tape.encoder_gradient_, tape.decoder_gradient_, scale_gradient;
  return loss;
}

Points Autoencoder::encode(const Eigen::VectorXf& parameters, const PointsRef& x, Points* deviation) const {
  check_dimension(x, dimension(), "autoencoder");
  Points code = evaluate(encoder_, parameters.head(encoder_.buffer_size()), x);
  if (!variational_) return code;
  if (deviation != nullptr) *deviation = (0.5 * code.bottomRows(latent()).array()).exp();
  return code.topRows(latent());
}

Points Autoencoder::decode(const Eigen::VectorXf& parameters, const PointsRef& z) const {
  check_dimension(z, latent(), "autoencoder: latent points");
  return evaluate(decoder_, parameters.segment(encoder_.buffer_size(), decoder_.buffer_size()), z);
}

Points Autoencoder::encoder_products(const Eigen::VectorXf& parameters, const PointsRef& x, const PointsRef& vectors,
                                     Index count) const {
  check_dimension(x, dimension(), "autoencoder");
  check_dimension(vectors, dimension(), "autoencoder: directions");
  if (vectors.cols() != count * x.cols()) throw InvalidInput("autoencoder: directions do not fit the points");
  return products(encoder_, parameters.head(encoder_.buffer_size()), x, vectors, count).topRows(latent());
}

Points Autoencoder::decoder_products(const Eigen::VectorXf& parameters, const PointsRef& z, const PointsRef& vectors,
                                     Index count) const {
  check_dimension(z, latent(), "autoencoder: latent points");
  check_dimension(vectors, latent(), "autoencoder: latent directions");
  if (vectors.cols() != count * z.cols()) throw InvalidInput("autoencoder: directions do not fit the points");
  return products(decoder_, parameters.segment(encoder_.buffer_size(), decoder_.buffer_size()), z, vectors, count);
}

double Autoencoder::decoder_norm_bound(const Eigen::VectorXf& parameters) const {
  constexpr double steepest_silu = 1.0999;  // silu' = 1.09984 at 2.3994
  const ModelState state = decoder_.to_state(parameters.segment(encoder_.buffer_size(), decoder_.buffer_size()));
  double bound = 1;
  for (Index l = 0; l <= decoder_.shape().depth; ++l) {
    const Eigen::MatrixXf& weight = state.at("layer_" + std::to_string(l) + "_weight");
    bound *= singular_values(weight.cast<double>())[0];
    if (l < decoder_.shape().depth) bound *= steepest_silu;
  }
  return bound;
}

Vector Autoencoder::log_volume(const Eigen::VectorXf& parameters, const PointsRef& z) const {
  check_dimension(z, latent(), "autoencoder: latent points");
  const MlpTangents tangents(decoder_, parameters.segment(encoder_.buffer_size(), decoder_.buffer_size()));
  const Index m = latent();
  const Eigen::VectorXf none;
  Vector result(z.cols());
  for (Index first = 0; first < z.cols(); first += block) {
    const Index n = std::min(block, z.cols() - first);
    Eigen::MatrixXf y;
    Eigen::MatrixXf jacobians;
    tangents.evaluate(z.middleCols(first, n).cast<float>(), none, Eigen::MatrixXf::Identity(m, m).replicate(1, n), m, y,
                      jacobians);
    for (Index c = 0; c < n; ++c) {
      result[first + c] = singular_values(jacobians.middleCols(c * m, m).cast<double>()).array().log().sum();
    }
  }
  return result;
}

AutoencoderSettings AutoencoderSettings::read(Settings& settings, const std::string& prefix) {
  AutoencoderSettings result;
  AdamOptions& adam = result.adam;
  result.latent = settings.integer("latent", 0, 0, 65536,
                                   "latent coordinates; 0: one more than the dimension of M, at most 20 and D - 1");
  adam.steps = settings.integer(prefix + "steps", adam.steps, 1, 100'000'000, "training steps");
  adam.learning_rate = settings.number(prefix + "learning_rate", adam.learning_rate, 0, 1e6, "step size of Adam");
  adam.warmup = settings.integer(prefix + "warmup", adam.warmup, 0, 100'000'000,
                                 "training steps over which the step size rises from 0");
  adam.ema = settings.number(prefix + "ema", adam.ema, 0, 0.9999999,
                             "decay of the moving average of the weights that samples come from; 0: none");
  adam.clip = settings.number(prefix + "clip", adam.clip, 0, 1e30, "largest norm of the gradient; 0: no limit");
  result.batch = settings.integer(prefix + "batch", result.batch, 1, 1'000'000, "training points a step");
  result.width =
      settings.integer(prefix + "width", result.width, 32, 65536, "units of a hidden layer, a multiple of 32");
  result.depth = settings.integer(prefix + "depth", result.depth, 1, 100, "hidden layers");
  if (result.width % 32 != 0) {
    throw InvalidInput(settings.locate(prefix + "width") + ": must be a multiple of 32");
  }
  return result;
}

Autoencoder AutoencoderSettings::make(const FitContext& context, bool variational) const {
  const Index D = context.training->dimension();
  if (D < 2) throw Unsupported("an autoencoder needs two coordinates or more");
  const Index automatic = std::min({context.manifold->dimension() + 1, D - 1, Index{20}});
  return {D, latent > 0 ? latent : automatic, width, depth, variational};
}

TrainedAutoencoder train_autoencoder(const Autoencoder& model, const AutoencoderSettings& settings,
                                     const FitContext& context) {
  constexpr Index record_points = 500;
  const Standardisation units = standardisation(*context.training);
  const double shift = model.variational() ? static_cast<double>(model.dimension()) * std::log(units.scale) : 0;
  Eigen::VectorXf parameters = model.initial_parameters(context.initialisation);
  Eigen::VectorXf gradient = Eigen::VectorXf::Zero(model.buffer_size());
  Adam adam(settings.adam, parameters);
  BatchReader reader(*context.training, units);
  Autoencoder::Tape tape(model, settings.batch);
  Eigen::MatrixXf x(model.dimension(), settings.batch);
  Eigen::MatrixXf noise(model.latent(), settings.batch);
  using Keep = TrainingSeries::Keep;
  std::vector<TrainingSeries> series = {{"loss", Keep::mean}, {"gradient_norm", Keep::mean}};
  if (model.variational()) {
    series.push_back({"kl", Keep::mean});
    series.push_back({"decoder_scale", Keep::last});
  }
  TrainedAutoencoder result;
  std::uint64_t step = 0;
  result.curves = record_training(settings.adam, series, record_points, context.progress, [&](Vector& values, bool) {
    reader.read(x);
    context.training_noise.at(step++).fill_normal(noise);
    const Autoencoder::Loss loss = model.differentiate(parameters, x, noise, tape, gradient);
    values[0] = loss.total + shift;
    if (!std::isfinite(loss.total)) return;
    values[1] = adam.step(gradient, parameters);
    if (model.variational()) {
      values[2] = loss.divergence;
      values[3] = units.scale * model.decoder_scale(parameters);
    }
  });
  result.average = adam.average();
  return result;
}

}  // namespace onmanifold
