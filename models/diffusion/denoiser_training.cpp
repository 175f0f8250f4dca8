// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/denoiser_training.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

BatchReader::BatchReader(const TrainingSource& source, Standardisation standardisation)
    : source_(&source), standardisation_(std::move(standardisation)) {}

void BatchReader::read(Eigen::MatrixXf& batch) {
  Index filled = 0;
  while (filled < batch.cols()) {
    if (next_ == pass_.cols()) {
      const Points points = source_->epoch(epoch_);
      if (points.cols() < 1) throw InvalidInput(fmt::format("training points: pass {} is empty", epoch_));
      check_finite(points, "training points");
      check_dimension(points, batch.rows(), "training points");
      pass_ = ((points.colwise() - standardisation_.mean) / standardisation_.scale).cast<float>();
      ++epoch_;
      next_ = 0;
    }
    const Index columns = std::min(batch.cols() - filled, pass_.cols() - next_);
    batch.middleCols(filled, columns) = pass_.middleCols(next_, columns);
    filled += columns;
    next_ += columns;
  }
}

Index DenoiserObjective::time_of(double u) const {
  // The uniforms are below 1 - 2^-54, so the product may round up to T: hence the minimum.
  const Index times = timesteps();
  return 1 + std::min(static_cast<Index>(u * static_cast<double>(times)), times - 1);
}

DiffusionBatch::DiffusionBatch(Index dimension, Index columns)
    : clean(Eigen::MatrixXf::Zero(dimension, columns)),
      noise(clean),
      state(clean),
      times(static_cast<std::size_t>(columns), 1) {}

NoisePrediction::NoisePrediction(const NoiseSchedule& schedule) : schedule_(schedule) {}

void NoisePrediction::corrupt(DiffusionBatch& batch, const Stream&) const {
  for (Index i = 0; i < batch.state.cols(); ++i) {
    const Index t = batch.times[static_cast<std::size_t>(i)];
    batch.state.col(i) = static_cast<float>(schedule_.signal(t)) * batch.clean.col(i) +
                         static_cast<float>(schedule_.noise(t)) * batch.noise.col(i);
  }
}

double NoisePrediction::loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
                             Eigen::MatrixXf& gradient) const {
  const double share = 1.0 / static_cast<double>(prediction.size());
  gradient = prediction - batch.noise;
  const double result = static_cast<double>(gradient.squaredNorm()) * share;
  gradient *= static_cast<float>(2 * share);
  return result;
}

DenoiserTrainer::DenoiserTrainer(const Network& network, const DenoiserObjective& objective, const AdamOptions& options,
                                 Index batch, const Stream& initialisation, const Stream& noise)
    : network_(network),
      objective_(objective),
      noise_(noise),
      parameters_(objective.zero_output() ? network.with_zero_output(network.initial_parameters(initialisation))
                                          : network.initial_parameters(initialisation)),
      gradient_(Eigen::VectorXf::Zero(network.buffer_size())),
      adam_(options, parameters_),
      batch_size_(batch),
      pass_columns_(std::min(batch, network.pass_columns(batch))),
      batch_(network.data_size(), batch),
      part_(network.data_size(), pass_columns_ < batch ? pass_columns_ : 0),
      pass_(network, pass_columns_),
      second_(objective.asks_again() ? std::make_unique<Second>(network, pass_columns_) : nullptr),
      uniforms_(batch, 1),
      table_(objective.times()),
      part_gradient_(Eigen::VectorXf::Zero(pass_columns_ < batch ? network.buffer_size() : 0)) {}

DenoiserTrainer::Pass::Pass(const Network& network, Index columns)
    : tape(network.make_tape(columns)),
      embeddings(Network::embedding_size, columns),
      prediction(network.data_size(), columns),
      output_gradient(network.data_size(), columns) {}

void DenoiserTrainer::Pass::resize(Index columns) {
  embeddings.resize(embeddings.rows(), columns);
  prediction.resize(prediction.rows(), columns);
  output_gradient.resize(output_gradient.rows(), columns);
}

DenoiserTrainer::Second::Second(const Network& network, Index columns)
    : pass(network, columns),
      batch(network.data_size(), columns),
      state_gradient(network.data_size(), columns),
      gradient(Eigen::VectorXf::Zero(network.buffer_size())) {
  pass.tape->keep_input_gradient = true;
}

void DenoiserTrainer::predict(const DiffusionBatch& batch, Pass& pass) {
  pass.resize(batch.state.cols());
  for (Index i = 0; i < batch.state.cols(); ++i) {
    pass.embeddings.col(i) = table_.col(batch.times[static_cast<std::size_t>(i)]);
  }
  network_.forward(parameters_, batch.state, pass.embeddings, *pass.tape, pass.prediction);
}

double DenoiserTrainer::differentiate_second(const DiffusionBatch& batch, double share) {
  Second& second = *second_;
  second.batch.state.resize(batch.state.rows(), batch.state.cols());
  second.batch.times.resize(batch.times.size());
  second.state_gradient.resize(batch.state.rows(), batch.state.cols());
  objective_.ask_again(batch, pass_.prediction, second.batch);
  predict(second.batch, second.pass);
  const double loss = objective_.second_loss(batch, second.pass.prediction, second.pass.output_gradient);
  second.pass.output_gradient *= static_cast<float>(share);
  network_.backward(parameters_, second.pass.output_gradient, *second.pass.tape, second.gradient);
  network_.input_gradient(parameters_, *second.pass.tape, second.state_gradient);
  objective_.carry_back(batch, second.batch, second.state_gradient, pass_.output_gradient);
  return share * loss;
}

double DenoiserTrainer::differentiate(const DiffusionBatch& batch, double share, Eigen::VectorXf& gradient) {
  predict(batch, pass_);
  double loss = share * objective_.loss(batch, pass_.prediction, pass_.output_gradient);
  if (share != 1) pass_.output_gradient *= static_cast<float>(share);
  if (second_) loss += differentiate_second(batch, share);
  if (!std::isfinite(loss)) {
    throw NumericalFailure(fmt::format("diverged: the loss is {} at step {}", loss, step_));
  }
  network_.backward(parameters_, pass_.output_gradient, *pass_.tape, gradient);
  if (second_) gradient += second_->gradient;
  return loss;
}

DenoiserTrainer::StepResult DenoiserTrainer::step(BatchReader& reader) {
  const Stream draws = noise_.at(static_cast<std::uint64_t>(step_));
  reader.read(batch_.clean);
  draws.at(0).fill_normal(batch_.noise);
  draws.at(1).fill_uniform(uniforms_);
  for (Index i = 0; i < uniforms_.size(); ++i) {
    const double u = uniforms_(i, 0);
    const double place =
        objective_.stratified_times() ? (static_cast<double>(i) + u) / static_cast<double>(uniforms_.size()) : u;
    batch_.times[static_cast<std::size_t>(i)] = objective_.time_of(place);
  }
  objective_.corrupt(batch_, draws.at(2));
  StepResult result;
  if (pass_columns_ == batch_size_) {
    result.loss = differentiate(batch_, 1, gradient_);
  } else {
    gradient_.setZero();
    for (Index first = 0; first < batch_size_; first += pass_columns_) {
      const Index columns = std::min(pass_columns_, batch_size_ - first);
      part_.clean = batch_.clean.middleCols(first, columns);
      part_.noise = batch_.noise.middleCols(first, columns);
      part_.state = batch_.state.middleCols(first, columns);
      part_.times.assign(batch_.times.begin() + first, batch_.times.begin() + first + columns);
      result.loss +=
          differentiate(part_, static_cast<double>(columns) / static_cast<double>(batch_size_), part_gradient_);
      gradient_ += part_gradient_;
    }
  }
  result.gradient_norm = adam_.step(gradient_, parameters_);
  ++step_;
  return result;
}

TrainedDenoiser train_denoiser(const Network& network, const DenoiserObjective& objective, const AdamOptions& options,
                               Index batch, const FitContext& context) {
  constexpr Index most_points = 500;
  BatchReader reader(*context.training, standardisation(*context.training));
  DenoiserTrainer trainer(network, objective, options, batch, context.initialisation, context.training_noise);
  const Index stretch = (options.steps + most_points - 1) / most_points;
  const Index points = (options.steps + stretch - 1) / stretch;
  TrainedDenoiser result;
  Vector steps(points);
  Vector loss(points);
  Vector norm(points);
  Vector rate(points);
  for (Index p = 0; p < points; ++p) {
    const Index first = p * stretch;
    const Index count = std::min(stretch, options.steps - first);
    double loss_sum = 0;
    double norm_sum = 0;
    double rate_sum = 0;
    for (Index s = first; s < first + count; ++s) {
      const DenoiserTrainer::StepResult done = trainer.step(reader);
      loss_sum += done.loss;
      norm_sum += done.gradient_norm;
      rate_sum += learning_rate(options, s);
    }
    steps[p] = static_cast<double>(first + count);
    loss[p] = loss_sum / static_cast<double>(count);
    norm[p] = norm_sum / static_cast<double>(count);
    rate[p] = rate_sum / static_cast<double>(count);
    if (context.progress) context.progress(steps[p] / static_cast<double>(options.steps));
  }
  result.average = trainer.average();
  result.curves = {{"step", steps}, {"loss", loss}, {"gradient_norm", norm}, {"learning_rate", rate}};
  return result;
}

}  // namespace onmanifold
