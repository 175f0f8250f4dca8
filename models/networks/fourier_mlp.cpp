// SPDX-License-Identifier: Apache-2.0
#include "models/networks/fourier_mlp.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

MlpShape widened(MlpShape shape, Index features) {
  if (features < 32 || features % 32 != 0) {
    throw InvalidInput(fmt::format("network: {} Fourier features are no positive multiple of 32", features));
  }
  if (shape.outputs == 0) shape.outputs = shape.data;
  shape.data += features;
  return shape;
}

}  // namespace

class FourierMlp::FourierTape final : public Network::Tape {
 public:
  FourierTape(const FourierMlp& network, Index columns)
      : inner(network.inner_.make_tape(columns)), gradient(Eigen::VectorXf::Zero(network.inner_.buffer_size())) {}
  std::unique_ptr<Network::Tape> inner;
  Eigen::VectorXf weights;   // of the mlp, as the last forward() had them
  Eigen::VectorXf gradient;  // of the mlp
  Eigen::MatrixXf input;
};

class FourierMlp::FourierScratch final : public Network::Scratch {
 public:
  FourierScratch(const FourierMlp& network, Index columns)
      : inner(network.inner_.make_scratch(columns)), input(network.inner_.data_size(), columns) {}
  std::unique_ptr<Network::Scratch> inner;
  Eigen::VectorXf weights;
  Eigen::MatrixXf input;
};

FourierMlp::FourierMlp(const MlpShape& shape, Index features, double scale)
    : dimension_(shape.data), half_(features / 2), scale_(scale), inner_(widened(shape, features)) {
  if (!(scale > 0 && std::isfinite(scale))) {
    throw InvalidInput(fmt::format("network: scale {} of Fourier features", scale));
  }
}

std::string FourierMlp::name() const {
  return fmt::format("fourier{}:{}", 2 * half_, inner_.name());
}

Eigen::VectorXf FourierMlp::initial_parameters(const Stream& stream) const {
  Eigen::VectorXf result(buffer_size());
  const Points draws = stream.at("frequencies").normal(half_, dimension_);
  const Eigen::MatrixXf b = (scale_ / std::sqrt(static_cast<double>(dimension_)) * draws).cast<float>();
  result << inner_.initial_parameters(stream), b.reshaped();
  return result;
}

void FourierMlp::check_size(const Eigen::VectorXf& parameters) const {
  if (parameters.size() != buffer_size()) throw InvalidInput("network: parameters of another size");
}

Eigen::VectorXf FourierMlp::inner_parameters(const Eigen::VectorXf& parameters) const {
  check_size(parameters);
  return parameters.head(inner_.buffer_size());
}

Eigen::Map<const Eigen::MatrixXf> FourierMlp::frequencies(const Eigen::VectorXf& parameters) const {
  return {parameters.data() + inner_.buffer_size(), half_, dimension_};
}

ModelState FourierMlp::to_state(const Eigen::VectorXf& parameters) const {
  ModelState state = inner_.to_state(inner_parameters(parameters));
  state["frequencies"] = frequencies(parameters);
  return state;
}

Eigen::VectorXf FourierMlp::from_state(const ModelState& state) const {
  const auto found = state.find("frequencies");
  if (found == state.end() || found->second.rows() != half_ || found->second.cols() != dimension_) {
    throw InvalidInput(fmt::format("model state: frequencies are not {}×{}", half_, dimension_));
  }
  ModelState inner = state;
  inner.erase("frequencies");
  Eigen::VectorXf result(buffer_size());
  result << inner_.from_state(inner), found->second.reshaped();
  return result;
}

std::unique_ptr<Network::Tape> FourierMlp::make_tape(Index columns) const {
  return std::make_unique<FourierTape>(*this, columns);
}

std::unique_ptr<Network::Scratch> FourierMlp::make_scratch(Index columns) const {
  return std::make_unique<FourierScratch>(*this, columns);
}

void FourierMlp::expand(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, Index n,
                        Eigen::MatrixXf& input) const {
  if (x.rows() != dimension_ || n > x.cols()) throw InvalidInput("network: points of another size");
  const Eigen::Map<const Eigen::MatrixXf> b = frequencies(parameters);
  input.resize(inner_.data_size(), n);
  input.topRows(dimension_) = x.leftCols(n);
  Eigen::ArrayXf phase(half_);  // aligned, and of whole vectors: every element takes the same path
  Eigen::ArrayXf wave(half_);
  for (Index c = 0; c < n; ++c) {
    phase.setZero();
    for (Index k = 0; k < dimension_; ++k) {
      wave = b.col(k);
      phase += x(k, c) * wave;
    }
    wave = phase.sin();
    input.col(c).segment(dimension_, half_) = wave;
    wave = phase.cos();
    input.col(c).tail(half_) = wave;
  }
}

Eigen::MatrixXf FourierMlp::expand_tangents(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& input,
                                            const Eigen::MatrixXf& vectors, Index count) const {
  if (vectors.rows() != dimension_ || vectors.cols() != count * input.cols()) {
    throw InvalidInput("network: tangents got arrays of wrong sizes");
  }
  const Eigen::MatrixXf phases = frequencies(parameters) * vectors;
  Eigen::MatrixXf result(input.rows(), vectors.cols());
  result.topRows(dimension_) = vectors;
  for (Index c = 0; c < vectors.cols(); ++c) {
    const auto at = input.col(c / count);
    result.col(c).segment(dimension_, half_) = at.tail(half_).cwiseProduct(phases.col(c));
    result.col(c).tail(half_) = -at.segment(dimension_, half_).cwiseProduct(phases.col(c));
  }
  return result;
}

void FourierMlp::forward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, const Eigen::MatrixXf& embeddings,
                         Network::Tape& tape, Eigen::MatrixXf& y) const {
  auto& own = dynamic_cast<FourierTape&>(tape);
  check_size(parameters);
  own.weights = parameters.head(inner_.buffer_size());
  expand(parameters, x, x.cols(), own.input);
  inner_.forward(own.weights, own.input, embeddings, *own.inner, y);
}

void FourierMlp::backward(const Eigen::VectorXf& /*parameters*/, const Eigen::MatrixXf& dy, Network::Tape& tape,
                          Eigen::VectorXf& gradient) const {
  auto& own = dynamic_cast<FourierTape&>(tape);
  if (gradient.size() != buffer_size()) throw InvalidInput("network: gradient of another size");
  own.inner->keep_input_gradient = own.keep_input_gradient;
  inner_.backward(own.weights, dy, *own.inner, own.gradient);
  gradient.head(inner_.buffer_size()) = own.gradient;
  gradient.tail(half_ * dimension_).setZero();
}

void FourierMlp::input_gradient(const Eigen::VectorXf& parameters, const Network::Tape& tape,
                                Eigen::MatrixXf& dx) const {
  const auto& own = dynamic_cast<const FourierTape&>(tape);
  Eigen::MatrixXf inner(own.input.rows(), own.input.cols());
  inner_.input_gradient(own.weights, *own.inner, inner);
  const auto sine = own.input.middleRows(dimension_, half_).array();
  const auto cosine = own.input.bottomRows(half_).array();
  const Eigen::MatrixXf phase =
      cosine * inner.middleRows(dimension_, half_).array() - sine * inner.bottomRows(half_).array();
  dx = inner.topRows(dimension_) + frequencies(parameters).transpose() * phase;
}

void FourierMlp::evaluate(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, Index n,
                          const Eigen::Ref<const Eigen::VectorXf>& embedding, Network::Scratch& scratch,
                          Eigen::MatrixXf& y) const {
  auto& own = dynamic_cast<FourierScratch&>(scratch);
  check_size(parameters);
  own.weights = parameters.head(inner_.buffer_size());
  expand(parameters, x, n, own.input);
  inner_.evaluate(own.weights, own.input, n, embedding, *own.inner, y);
}

}  // namespace onmanifold
