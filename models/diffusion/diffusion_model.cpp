// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/diffusion_model.hpp"

#include <optional>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "models/score_fields.hpp"

namespace onmanifold {
namespace {

class DiffusionModel final : public GenerativeModel {
 public:
  DiffusionModel(Settings& settings, ObjectiveFactory objective, const DiffusionDefaults& usual)
      : training_(TrainingSettings::read(settings, usual.training)),
        diffusion_(DiffusionSettings::read(settings, usual.diffusion)),
        sampler_(SamplerOptions::read(settings, usual.sampler)),
        clip_(settings.choice("clip_denoised", "auto", {"auto", "always", "never"},
                              "cut estimates of the data point to the range of the data; auto: of images only")),
        make_objective_(std::move(objective)) {
    // The other grid takes at most as many as there are.
    if (sampler_.grid == LevelGrid::even && sampler_.steps > diffusion_.timesteps) {
      throw InvalidInput(settings.locate("sampler_steps") + ": more steps than timesteps");
    }
  }

  [[nodiscard]] Curves curves() const override { return curves_; }
  [[nodiscard]] ModelState state() const override { return network_ ? network_->to_state(parameters_) : ModelState{}; }
  [[nodiscard]] std::unique_ptr<ScoreField> score_field() const override {
    auto field = make_diffusion_score_field(*network_, parameters_, *objective_, *frame_);
    if (!range_) return field;
    // What is asked about is what samples.
    const Standardisation& units = frame_->standardisation;
    return make_clipped_score_field(std::move(field), units.scale * range_->least + units.mean,
                                    units.scale * range_->largest + units.mean);
  }

 private:
  void prepare(const FitContext& context) {
    network_ = training_.make_network(context);
    frame_.emplace(DiffusionFrame{diffusion_.make_schedule(context.smallest_noise), standardisation(*context.training),
                                  context.manifold, context.lift_scale, diffusion_.time_input});
    objective_ = make_objective_(*frame_);
    range_.reset();
    if (clip_ == "always" || (clip_ == "auto" && context.image != nullptr)) {
      const Points x = frame_->to_state(context.training->epoch(0), 0);
      check_finite(x, "training points");
      range_.emplace(SignalRange{x.rowwise().minCoeff(), x.rowwise().maxCoeff()});
    }
    if (sampler_.rule == SamplerRule::langevin && objective_->last_time() > 0) {
      throw InvalidInput("sampler = \"langevin\": this method has Langevin steps of its own");
    }
  }

  void do_fit(const FitContext& context) override {
    prepare(context);
    TrainedDenoiser trained = train_denoiser(*network_, *objective_, training_.adam, training_.batch, context);
    parameters_ = std::move(trained.average);
    curves_ = std::move(trained.curves);
  }

  void do_load(const ModelState& state, const FitContext& context) override {
    prepare(context);
    parameters_ = network_->from_state(state);
    curves_.clear();
  }

  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    const BlockDenoiser output =
        make_block_denoiser(*network_, parameters_, time_table(frame_->schedule, frame_->time_input));
    const BlockDenoiser epsilon = [&](const Points& x, Index t, Points& predicted) {
      output(x, t, predicted);
      objective_->to_epsilon(x, t, predicted);
      if (range_) clip_denoised(frame_->schedule, *range_, x, t, predicted);
    };
    const BlockHook hook = [&](Points& x, Index t, const Stream& draws) {
      objective_->after_step(x, t, epsilon, draws);
    };
    Points samples = sample_diffusion(frame_->schedule, sampler_, epsilon, network_->data_size(), n, stream,
                                      objective_->last_time(), hook);
    samples *= frame_->standardisation.scale;
    samples.colwise() += frame_->standardisation.mean;
    return samples;
  }

  TrainingSettings training_;
  DiffusionSettings diffusion_;
  SamplerOptions sampler_;
  std::string clip_;
  ObjectiveFactory make_objective_;
  std::unique_ptr<Network> network_;
  std::optional<DiffusionFrame> frame_;
  std::optional<SignalRange> range_;  // where estimates of x_0 are clipped
  std::unique_ptr<DiffusionObjective> objective_;
  Eigen::VectorXf parameters_;
  Curves curves_;
};

}  // namespace

BlockDenoiser make_block_denoiser(const Network& network, const Eigen::VectorXf& parameters, Eigen::MatrixXf times) {
  struct Memory {
    Memory(const Network& network, Eigen::MatrixXf times)
        : table(std::move(times)),
          scratch(network.make_scratch(sampling_block)),
          in(network.data_size(), sampling_block),
          out(network.data_size(), sampling_block) {}
    Eigen::MatrixXf table;
    std::unique_ptr<Network::Scratch> scratch;
    Eigen::MatrixXf in;
    Eigen::MatrixXf out;
  };
  const auto memory = std::make_shared<Memory>(network, std::move(times));
  return [&network, &parameters, memory](const Points& x, Index t, Points& epsilon) {
    const Index n = x.cols();
    memory->in.leftCols(n) = x.cast<float>();
    network.evaluate(parameters, memory->in, n, memory->table.col(t), *memory->scratch, memory->out);
    epsilon = memory->out.leftCols(n).cast<double>();
  };
}

std::unique_ptr<GenerativeModel> make_diffusion_model(Settings& settings, ObjectiveFactory objective,
                                                      const DiffusionDefaults& usual) {
  return std::make_unique<DiffusionModel>(settings, std::move(objective), usual);
}

}  // namespace onmanifold
