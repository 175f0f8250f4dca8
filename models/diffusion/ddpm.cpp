// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/ddpm.hpp"

#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "core/error.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/networks/mlp.hpp"
#include "models/networks/time_embedding.hpp"
#include "models/networks/unet.hpp"

namespace onmanifold {
namespace {

class Ddpm final : public GenerativeModel {
 public:
  explicit Ddpm(Settings& settings) : diffusion_(DiffusionSettings::read(settings)) {
    adam_.steps = settings.integer("steps", adam_.steps, 1, 100'000'000);
    adam_.learning_rate = settings.number("learning_rate", adam_.learning_rate, 0, 1e6);
    adam_.warmup = settings.integer("warmup", adam_.warmup, 0, 100'000'000);
    adam_.ema = settings.number("ema", adam_.ema, 0, 0.9999999);
    adam_.clip = settings.number("clip", adam_.clip, 0, 1e30);
    batch_ = settings.integer("batch", batch_, 1, 1'000'000);
    network_choice_ = settings.choice("network", "auto", {"auto", "mlp", "unet"});
    shape_.width = settings.integer("width", shape_.width, 32, 65536);
    shape_.depth = settings.integer("depth", shape_.depth, 1, 100);
    if (shape_.width % 32 != 0) throw InvalidInput(settings.locate("width") + ": must be a multiple of 32");
  }

  [[nodiscard]] Curves curves() const override { return curves_; }
  [[nodiscard]] ModelState state() const override {
    return network_ ? network_->to_state(parameters_) : ModelState{};
  }

 private:
  void prepare(const FitContext& context) {
    shape_.data = context.training->dimension();
    if (network_choice_ == "unet" && context.image == nullptr) {
      throw InvalidInput("unsupported: network = \"unet\" needs a task whose points are images");
    }
    if (context.image != nullptr && network_choice_ != "mlp") {
      network_ = std::make_unique<Unet>(*context.image);
    } else {
      network_ = std::make_unique<Mlp>(shape_);
    }
    if (network_->data_size() != shape_.data) {
      throw InvalidInput(fmt::format("training points: {} coordinates, but the image has {} pixels",
                                     shape_.data, network_->data_size()));
    }
    schedule_.emplace(diffusion_.make_schedule(context.smallest_noise));
    standardisation_ = standardisation(*context.training);
  }

  void do_fit(const FitContext& context) override {
    prepare(context);
    TrainedDenoiser trained =
        train_denoiser(*network_, *schedule_, DenoiserObjective(), adam_, batch_, context);
    parameters_ = std::move(trained.average);
    curves_ = std::move(trained.curves);
  }

  void do_load(const ModelState& state, const FitContext& context) override {
    prepare(context);
    parameters_ = network_->from_state(state);
    curves_.clear();
  }

  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    const BlockDenoiser epsilon = make_block_denoiser(*network_, parameters_, schedule_->steps());
    Points samples = ancestral_sample(*schedule_, diffusion_.variance, epsilon, shape_.data, n, stream);
    samples *= standardisation_.scale;
    samples.colwise() += standardisation_.mean;
    return samples;
  }

  DiffusionSettings diffusion_;
  AdamOptions adam_;
  Index batch_ = 256;
  MlpShape shape_;
  std::string network_choice_;
  std::unique_ptr<Network> network_;
  std::optional<NoiseSchedule> schedule_;
  Standardisation standardisation_;
  Eigen::VectorXf parameters_;
  Curves curves_;
};

}  // namespace

BlockDenoiser make_block_denoiser(const Network& network, const Eigen::VectorXf& parameters,
                                  Index timesteps) {
  struct Memory {
    Memory(const Network& network, Index steps)
        : table(time_embedding(steps)),
          scratch(network.make_scratch(sampling_block)),
          in(network.data_size(), sampling_block),
          out(network.data_size(), sampling_block) {}
    Eigen::MatrixXf table;
    std::unique_ptr<Network::Scratch> scratch;
    Eigen::MatrixXf in;
    Eigen::MatrixXf out;
  };
  const auto memory = std::make_shared<Memory>(network, timesteps);
  return [&network, &parameters, memory](const Points& x, Index t, Points& epsilon) {
    const Index n = x.cols();
    memory->in.leftCols(n) = x.cast<float>();
    network.evaluate(parameters, memory->in, n, memory->table.col(t), *memory->scratch, memory->out);
    epsilon = memory->out.leftCols(n).cast<double>();
  };
}

std::unique_ptr<GenerativeModel> make_ddpm(Settings& settings) {
  return std::make_unique<Ddpm>(settings);
}

}  // namespace onmanifold
