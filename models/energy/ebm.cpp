// SPDX-License-Identifier: Apache-2.0
#include "models/energy/ebm.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/networks/mlp.hpp"
#include "models/networks/training_record.hpp"

namespace onmanifold {
namespace {

/// Columns of chains that samples take at once.
constexpr Index block = 512;

/// The network as an energy of a fixed number of columns.
class Energy {
 public:
  Energy(const Mlp& network, const Eigen::VectorXf& parameters, Index columns)
      : network_(network),
        parameters_(parameters),
        tape_(network, columns),
        none_(0, columns),
        value_(1, columns),
        ones_(Eigen::MatrixXf::Ones(1, columns)),
        unused_(Eigen::VectorXf::Zero(network.buffer_size())) {}
  void gradient(const Eigen::MatrixXf& x, Eigen::MatrixXf& result) {
    network_.forward(parameters_, x, none_, tape_, value_);
    network_.backward(parameters_, ones_, tape_, unused_);
    result.resize(x.rows(), x.cols());
    network_.input_gradient(parameters_, tape_, result);
  }

 private:
  const Mlp& network_;
  const Eigen::VectorXf& parameters_;
  Mlp::Tape tape_;
  Eigen::MatrixXf none_;
  Eigen::MatrixXf value_;
  Eigen::MatrixXf ones_;
  Eigen::VectorXf unused_;
};

class Ebm final : public GenerativeModel {
 public:
  explicit Ebm(Settings& settings) {
    shape_.width = settings.integer("width", 64, 32, 65536, "units of a hidden layer, a multiple of 32");
    shape_.depth = settings.integer("depth", 2, 1, 100, "hidden layers");
    if (shape_.width % 32 != 0) throw InvalidInput(settings.locate("width") + ": must be a multiple of 32");
    adam_.steps = settings.integer("steps", 3000, 1, 100'000'000, "training steps");
    adam_.learning_rate = settings.number("learning_rate", adam_.learning_rate, 0, 1e6, "step size of Adam");
    adam_.warmup = settings.integer("warmup", adam_.warmup, 0, 100'000'000,
                                    "training steps over which the step size rises from 0");
    adam_.ema = settings.number("ema", adam_.ema, 0, 0.9999999,
                                "decay of the moving average of the weights that samples come from; 0: none");
    adam_.clip = settings.number("clip", adam_.clip, 0, 1e30, "largest norm of the gradient; 0: no limit");
    batch_ = settings.integer("batch", 256, 1, 1'000'000, "training points a step");
    penalty_ = settings.number("penalty", 0.01, 0, 1e6, "weight of the squared energies in the loss");
    buffer_ = settings.integer("buffer", 8192, 1, 100'000'000, "chains that are kept between training steps");
    restart_ = settings.number("restart", 0.05, 0, 1, "share of chains that start anew from noise");
    langevin_.steps = settings.integer("langevin_steps", langevin_.steps, 1, 1'000'000,
                                       "Langevin steps of a chain in a training step");
    sample_steps_ =
        settings.integer("sample_steps", 500, 1, 100'000'000, "Langevin steps of a chain that gives a sample");
    langevin_.noise =
        settings.number("langevin_noise", langevin_.noise, 0, 1e6, "noise of a Langevin step, in standardised units");
    langevin_.step = settings.number("langevin_step", 0, 0, 1e6, "step along the gradient; 0: half the squared noise");
    if (langevin_.step == 0) langevin_.step = 0.5 * langevin_.noise * langevin_.noise;
    langevin_.box = settings.number("box", langevin_.box, 1e-3, 1e6,
                                    "chains stay within this distance of 0 in every coordinate, in standardised units");
  }

  [[nodiscard]] Curves curves() const override { return curves_; }
  [[nodiscard]] ModelState state() const override { return network_ ? network_->to_state(parameters_) : ModelState{}; }

 private:
  void prepare(const FitContext& context) {
    MlpShape shape = shape_;
    shape.data = context.training->dimension();
    shape.outputs = 1;
    shape.timed = false;
    network_.emplace(shape);
    units_ = standardisation(*context.training);
  }

  void do_fit(const FitContext& context) override {
    prepare(context);
    const Index D = network_->data_size();
    Eigen::VectorXf parameters = network_->initial_parameters(context.initialisation);
    Eigen::VectorXf gradient = Eigen::VectorXf::Zero(network_->buffer_size());
    Adam adam(adam_, parameters);
    BatchReader reader(*context.training, units_);
    Energy energy(*network_, parameters, batch_);
    const auto force = [&](const Eigen::MatrixXf& x, Eigen::MatrixXf& result) { energy.gradient(x, result); };
    Eigen::MatrixXf kept(D, buffer_);
    context.training_noise.at("buffer").fill_normal(kept);
    Eigen::MatrixXf data(D, batch_);
    Eigen::MatrixXf chains(D, batch_);
    Eigen::MatrixXf fresh(D, batch_);
    Eigen::MatrixXf both(D, 2 * batch_);
    Eigen::MatrixXf values(1, 2 * batch_);
    Eigen::MatrixXf slopes(1, 2 * batch_);
    const Eigen::MatrixXf none(0, 2 * batch_);
    Mlp::Tape tape(*network_, 2 * batch_);
    std::vector<Index> places(static_cast<std::size_t>(batch_));
    using Keep = TrainingSeries::Keep;
    const std::vector<TrainingSeries> series = {
        {"loss", Keep::mean}, {"gradient_norm", Keep::mean}, {"data_energy", Keep::mean}};
    const auto share = 1.0F / static_cast<float>(batch_);
    const auto weight = static_cast<float>(2 * penalty_);
    std::uint64_t step = 0;
    curves_ = record_training(adam_, series, 500, context.progress, [&](Vector& record, bool) {
      const Stream draws = context.training_noise.at(step++);
      reader.read(data);
      const Points uniforms = draws.at(0).uniform(2, batch_);
      draws.at(1).fill_normal(fresh);
      for (Index i = 0; i < batch_; ++i) {
        const auto place = std::min(static_cast<Index>(uniforms(0, i) * static_cast<double>(buffer_)), buffer_ - 1);
        places[static_cast<std::size_t>(i)] = place;
        if (uniforms(1, i) < restart_) {
          chains.col(i) = fresh.col(i);
        } else {
          chains.col(i) = kept.col(place);
        }
      }
      run_langevin(force, langevin_, draws.at(2), chains);
      for (Index i = 0; i < batch_; ++i) kept.col(places[static_cast<std::size_t>(i)]) = chains.col(i);
      both << data, chains;
      network_->forward(parameters, both, none, tape, values);
      const double data_energy = values.leftCols(batch_).cast<double>().mean();
      record[0] = data_energy - values.rightCols(batch_).cast<double>().mean();
      record[2] = data_energy;
      if (!std::isfinite(record[0])) return;
      slopes = weight * values;
      slopes.leftCols(batch_).array() += 1.0F;
      slopes.rightCols(batch_).array() -= 1.0F;
      slopes *= share;
      network_->backward(parameters, slopes, tape, gradient);
      record[1] = adam.step(gradient, parameters);
    });
    parameters_ = adam.average();
  }
  void do_load(const ModelState& state, const FitContext& context) override {
    prepare(context);
    parameters_ = network_->from_state(state);
    curves_.clear();
  }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    LangevinOptions options = langevin_;
    options.steps = sample_steps_;
    Points samples(network_->data_size(), n);
    for (Index first = 0; first < n; first += block) {
      const Index columns = std::min(block, n - first);
      const Stream own = stream.at(static_cast<std::uint64_t>(first / block));
      Energy energy(*network_, parameters_, columns);
      Eigen::MatrixXf x(samples.rows(), columns);
      own.at("start").fill_normal(x);
      run_langevin([&](const Eigen::MatrixXf& at, Eigen::MatrixXf& result) { energy.gradient(at, result); }, options,
                   own.at("chain"), x);
      samples.middleCols(first, columns) = x.cast<double>();
    }
    samples *= units_.scale;
    samples.colwise() += units_.mean;
    return samples;
  }

  MlpShape shape_;
  AdamOptions adam_;
  Index batch_ = 256;
  double penalty_ = 0;
  Index buffer_ = 8192;
  double restart_ = 0;
  LangevinOptions langevin_;
  Index sample_steps_ = 500;
  std::optional<Mlp> network_;
  Standardisation units_;
  Eigen::VectorXf parameters_;
  Curves curves_;
};

}  // namespace

void run_langevin(const std::function<void(const Eigen::MatrixXf&, Eigen::MatrixXf&)>& gradient,
                  const LangevinOptions& options, const Stream& stream, Eigen::MatrixXf& x) {
  Eigen::MatrixXf slope(x.rows(), x.cols());
  Eigen::MatrixXf noise(x.rows(), x.cols());
  const auto box = static_cast<float>(options.box);
  for (Index k = 0; k < options.steps; ++k) {
    gradient(x, slope);
    stream.at(static_cast<std::uint64_t>(k)).fill_normal(noise);
    x += static_cast<float>(options.noise) * noise - static_cast<float>(options.step) * slope;
    x = x.cwiseMax(-box).cwiseMin(box);
  }
}

std::unique_ptr<GenerativeModel> make_ebm(Settings& settings) {
  return std::make_unique<Ebm>(settings);
}

}  // namespace onmanifold
