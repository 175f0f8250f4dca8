// SPDX-License-Identifier: Apache-2.0
#pragma once
// The one training loop of the denoisers: minibatches, noise, loss, optimiser, curves.

#include "contracts/generative_model.hpp"
#include "contracts/training_source.hpp"
#include "core/points.hpp"
#include "models/diffusion/noise_schedule.hpp"
#include "models/networks/adam.hpp"
#include "models/networks/network.hpp"
#include "models/networks/time_embedding.hpp"

namespace onmanifold {

/// The float batches of a TrainingSource, standardised: pass after pass, columns that are left at the end of
/// a pass begin the next batch.
class BatchReader {
 public:
  /// \p source outlives the reader.
  BatchReader(const TrainingSource& source, Standardisation standardisation);
  /// Fills all columns of \p batch (D×B). Allocates only where a new pass begins.
  /// \throw InvalidInput if a pass has points that are not finite.
  void read(Eigen::MatrixXf& batch);

 private:
  const TrainingSource* source_;
  Standardisation standardisation_;
  Index epoch_ = 0;
  Index next_ = 0;
  Eigen::MatrixXf pass_;
};

/// What a training step works on; all of fixed size.
struct DiffusionBatch {
  DiffusionBatch(Index dimension, Index columns);
  Eigen::MatrixXf clean;     ///< x_0, D×B
  Eigen::MatrixXf noise;     ///< z, D×B; after corrupt() what the objective compares with
  Eigen::MatrixXf state;     ///< x_t, D×B
  std::vector<Index> times;  ///< t in 1 … T
};

/// What the network is trained to do.
class DenoiserObjective {
 public:
  virtual ~DenoiserObjective() = default;
  /// T: the times of a batch are in 1 … T.
  [[nodiscard]] virtual Index timesteps() const = 0;
  /// The time that a number \p u, uniform on [0, 1), stands for: all alike unless said otherwise.
  [[nodiscard]] virtual Index time_of(double u) const;
  /// Makes batch.state from clean points, noise and times, and may turn batch.noise into what loss() compares
  /// with. More random numbers come from \p draws.
  virtual void corrupt(DiffusionBatch& batch, const Stream& draws) const = 0;
  /// Mean loss of \p prediction, what the network says to batch.state, and its gradient.
  virtual double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
                      Eigen::MatrixXf& gradient) const = 0;
  /// Whether every step asks the network a second time, at a state that its first answer leads to.
  [[nodiscard]] virtual bool asks_again() const { return false; }
  /// State and times of \p next from \p batch and \p prediction, the first answer.
  virtual void ask_again(const DiffusionBatch& /*batch*/, const Eigen::MatrixXf& /*prediction*/,
                         DiffusionBatch& /*next*/) const {}
  /// Loss of \p prediction, the second answer, which is added to that of the first, and its gradient. \p batch is
  /// what the first answer was to.
  virtual double second_loss(const DiffusionBatch& /*batch*/, const Eigen::MatrixXf& /*prediction*/,
                             Eigen::MatrixXf& /*gradient*/) const {
    return 0;
  }
  /// Adds to \p gradient, of the first answer, what comes of \p state_gradient = dL/d(next.state).
  virtual void carry_back(const DiffusionBatch& /*batch*/, const DiffusionBatch& /*next*/,
                          const Eigen::MatrixXf& /*state_gradient*/, Eigen::MatrixXf& /*gradient*/) const {}
  /// What the network is told of the times 0 … T, 32×(T+1): sinusoidal features unless said otherwise.
  [[nodiscard]] virtual Eigen::MatrixXf times() const { return time_embedding(timesteps()); }
  /// Whether the numbers that stand for the times of a batch of B are one of each interval [i/B, (i+1)/B), instead of
  /// independent: the same law of each, and less noise in the sum of the gradient.
  [[nodiscard]] virtual bool stratified_times() const { return false; }
  /// Whether training starts from a network whose output is 0.
  [[nodiscard]] virtual bool zero_output() const { return false; }
};

/// x_t = a_t x_0 + sigma_t z; the network predicts z \cite ho2020.
class NoisePrediction : public DenoiserObjective {
 public:
  /// \p schedule outlives the objective.
  explicit NoisePrediction(const NoiseSchedule& schedule);
  [[nodiscard]] Index timesteps() const override { return schedule_.steps(); }
  void corrupt(DiffusionBatch& batch, const Stream& draws) const override;
  /// Mean over coordinates and columns of (prediction - z)^2.
  double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction, Eigen::MatrixXf& gradient) const override;

 protected:
  [[nodiscard]] const NoiseSchedule& schedule() const { return schedule_; }

 private:
  const NoiseSchedule& schedule_;
};

/// One denoiser with everything a step needs; step() allocates nothing but the data of a new pass. The
/// network may ask for a batch in parts (Network::pass_columns): the loss and its gradient are then the means
/// over the parts, weighted by their columns.
class DenoiserTrainer {
 public:
  /// References outlive the trainer. \p noise addresses the draws by step: noise.at(step).at(0) the noise,
  /// .at(1) the times, .at(2) those of the objective.
  DenoiserTrainer(const Network& network, const DenoiserObjective& objective, const AdamOptions& options, Index batch,
                  const Stream& initialisation, const Stream& noise);

  struct StepResult {
    double loss = 0;
    double gradient_norm = 0;
  };
  StepResult step(BatchReader& reader);
  [[nodiscard]] const Eigen::VectorXf& average() const { return adam_.average(); }

 private:
  /// Arrays of one pass through the network.
  struct Pass {
    Pass(const Network& network, Index columns);
    void resize(Index columns);  // allocates only where a part is smaller than the last one
    std::unique_ptr<Network::Tape> tape;
    Eigen::MatrixXf embeddings;
    Eigen::MatrixXf prediction;
    Eigen::MatrixXf output_gradient;
  };
  /// What an objective that asks again needs besides.
  struct Second {
    Second(const Network& network, Index columns);
    Pass pass;
    DiffusionBatch batch;
    Eigen::MatrixXf state_gradient;
    Eigen::VectorXf gradient;
  };

  void predict(const DiffusionBatch& batch, Pass& pass);
  /// Loss of the columns in \p batch; their gradient goes to \p gradient.
  double differentiate(const DiffusionBatch& batch, double share, Eigen::VectorXf& gradient);
  /// Loss of the second answer to \p batch; its gradient goes to that of the first answer and to second_.
  double differentiate_second(const DiffusionBatch& batch, double share);

  const Network& network_;
  const DenoiserObjective& objective_;
  Stream noise_;
  Index step_ = 0;
  Eigen::VectorXf parameters_;
  Eigen::VectorXf gradient_;
  Adam adam_;
  Index batch_size_;
  Index pass_columns_;
  DiffusionBatch batch_;
  DiffusionBatch part_;  // of the batch, where the network wants parts
  Pass pass_;
  std::unique_ptr<Second> second_;  // where the objective asks again
  Points uniforms_;
  Eigen::MatrixXf table_;
  Eigen::VectorXf part_gradient_;
};

struct TrainedDenoiser {
  Eigen::VectorXf average;  ///< averaged weights
  Curves curves;            ///< "step", "loss", "gradient_norm", "learning_rate": means over equal stretches, <= 500 of
                            ///< them
};

/// Runs options.steps steps on the data of \p context.
/// \throw NumericalFailure "diverged: …" when the loss is not finite.
[[nodiscard]] TrainedDenoiser train_denoiser(const Network& network, const DenoiserObjective& objective,
                                             const AdamOptions& options, Index batch, const FitContext& context);

}  // namespace onmanifold
