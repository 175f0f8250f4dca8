// SPDX-License-Identifier: Apache-2.0
#pragma once
// A method as the suite sees it: fit to a context, then sample. Implementations are in models/.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "contracts/distribution.hpp"
#include "contracts/image_layout.hpp"
#include "contracts/score_field.hpp"
#include "contracts/training_source.hpp"
#include "contracts/unit_info.hpp"
#include "core/points.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {

class Manifold;

/// Everything a method may use. Pointers are not owned and outlive fit() and sample(); null where the task has none.
struct FitContext {
  const TrainingSource* training = nullptr;       ///< never null
  const Manifold* manifold = nullptr;             ///< never null
  const Sampler* sampler = nullptr;               ///< exact draws of p0 (the oracle's)
  const DiffusedScore* diffused_score = nullptr;  ///< exact score of the noised, LIFTED law of this cell
  const ImageLayout* image = nullptr;             ///< where the coordinates lie in an image
  double smallest_noise = 0.0;                    ///< s_min of the task, in standardised units
  double lift_scale = 0.0;                        ///< pre-registered lift of the task, in data units; 0: none
  Stream initialisation;                          ///< initial weights
  Stream training_noise;                          ///< diffusion times and noise of the training steps
  std::function<void(double)> progress;           ///< may be empty; called with a fraction in [0, 1]
  std::string task = {};                          ///< name of the task; empty where there is none
  LiftType lift = LiftType::none;                 ///< what was done to the training points …
  double lift_sigma = 0;                          ///< … at this level, in data units; 0 without a lift
  int replicate = 0;                              ///< of the cell
};

/// Named series and scalars that a training leaves behind: /training/* of the raw file. A scalar has length 1.
using Curves = std::map<std::string, Vector>;
/// Named float arrays that restore a fitted model: /model/state of the raw file. Empty: the method has no state.
using ModelState = std::map<std::string, Eigen::MatrixXf>;

/// A generative model with its training and sampling options fixed at construction.
///
/// Identities, checked by the conformance suite on every registered method:
///  1. fit is deterministic: equal contexts give equal state and samples, bit for bit.
///  2. sample(n, s) is D×n, depends on the fitted state, n and s only, and may be called again.
///  3. load(state()) into an equal unfitted model gives equal samples.
///  4. fit on points that are not finite throws InvalidInput.
class GenerativeModel {
 public:
  virtual ~GenerativeModel() = default;

  /// Trains. \throw InvalidInput on unusable data, NumericalFailure when the training diverges.
  void fit(const FitContext& context);
  /// \p n raw samples, D×n, NOT projected. \pre fitted or loaded; \throw InvalidInput otherwise.
  [[nodiscard]] Points sample(Index n, const Stream& stream) const;

  /// Paths of the files outside that its samples depend on beside the training points, sorted.
  [[nodiscard]] virtual std::vector<std::string> input_files() const { return {}; }
  /// What a program that the method ran has printed.
  [[nodiscard]] virtual std::string log() const { return {}; }
  /// What the training recorded (loss, gradient norm, …).
  [[nodiscard]] virtual Curves curves() const { return {}; }
  [[nodiscard]] virtual ModelState state() const { return {}; }
  /// Restores a state of an equal model; \p context as for fit, without training.
  void load(const ModelState& state, const FitContext& context);
  /// log-density of the fitted law where the model has one, in nats w.r.t. the volume of R^D, or that of M where
  /// density_is_intrinsic(). D×N -> N.
  [[nodiscard]] virtual std::optional<Vector> log_density(const PointsRef&) const { return std::nullopt; }
  /// The score of the fitted law under noise, where the model has one; nullptr elsewhere. Lives no longer than the
  /// model. \pre fitted or loaded
  [[nodiscard]] virtual std::unique_ptr<ScoreField> score_field() const { return nullptr; }
  /// Whether log_density() is comparable with the exact density of a task.
  [[nodiscard]] virtual bool density_is_intrinsic() const { return false; }

 private:
  virtual void do_fit(const FitContext& context) = 0;
  [[nodiscard]] virtual Points do_sample(Index n, const Stream& stream) const = 0;
  virtual void do_load(const ModelState& state, const FitContext& context);

  Index dimension_ = 0;  // 0: not fitted
};

}  // namespace onmanifold
