// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `pidm`: a diffusion that is held to the manifold by its loss: the distance of its estimate of x_0 as one more
// observation \cite bastek2025.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "models/diffusion/diffusion_objective.hpp"

namespace onmanifold {

/// What is added to the loss, and for which estimate of the data point.
struct PidmOptions {
  /// mean: the network's answer to x_t, which is a mean of points of M and so lies off M where M is curved. sample: one
  /// deterministic step (ddim) from x_t to t = 1 and the network's answer there; the gradient goes through both
  /// answers, and a step costs two passes.
  enum class Estimate { mean, sample } estimate = Estimate::mean;
  /// likelihood: R^2/(2 Sigma_t), Sigma_t the variance of the posterior step (that of t = 2 for t = 1), the negative
  /// log-likelihood of R = 0; where it falls below e^-27.6 it counts as that, without a gradient, as in the authors'
  /// code. distance: R.
  enum class Residual { likelihood, distance } residual = Residual::likelihood;
  double penalty = 0.1;  ///< weight of the residual's part; published: 0.1 (mean), 0.005 (sample)
  SignalWeight signal_weight = SignalWeight::min_snr;
};

template <>
struct EnumNames<PidmOptions::Estimate> {
  static constexpr const char* kind = "estimate";
  static constexpr std::array<EnumName<PidmOptions::Estimate>, 2> names = {
      {{PidmOptions::Estimate::mean, "mean"}, {PidmOptions::Estimate::sample, "sample"}}};
};
template <>
struct EnumNames<PidmOptions::Residual> {
  static constexpr const char* kind = "residual_loss";
  static constexpr std::array<EnumName<PidmOptions::Residual>, 2> names = {
      {{PidmOptions::Residual::likelihood, "likelihood"}, {PidmOptions::Residual::distance, "distance"}}};
};

/// The network predicts x_0; loss = mean w_t (x̂_0 - x_0)^2 + penalty · residual's part. R is the distance of the
/// estimate to M in standardised units, whose gradient (x - Pi(x))/dist needs no derivative of h; on planes, spheres
/// and meshes it is |h|. Settings estimate, residual_loss, penalty, signal_weight, clip (1, as published), and those of
/// make_diffusion_model.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_pidm(Settings& settings);

[[nodiscard]] std::unique_ptr<DiffusionObjective> make_pidm_objective(const DiffusionFrame& frame,
                                                                      const PidmOptions& options);

}  // namespace onmanifold
