// SPDX-License-Identifier: Apache-2.0
#pragma once
// Autoencoders: plain and variational \cite kingma2014 with one learned decoder scale. What the two-step
// methods put before a generative model of few dimensions.

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "models/networks/adam.hpp"
#include "models/networks/mlp.hpp"

namespace onmanifold {

/// Encoder f: R^D -> R^m and decoder g: R^m -> R^D, on standardised points. Weights are one flat float
/// buffer: encoder, decoder, log of the decoder scale.
///
/// Plain: the loss is the mean over coordinates of (x - g(f(x)))^2. Variational: q(z|x) = N(mu(x),
/// diag(e^v(x))), p(x|z) = N(g(z), s^2 I) with ONE number s, and the loss is -ELBO of the standardised points
/// in nats.
class Autoencoder {
 public:
  /// \throw InvalidInput unless 1 <= m <= D, or for impossible sizes of the networks.
  Autoencoder(Index dimension, Index latent, Index width, Index depth, bool variational);

  [[nodiscard]] Index dimension() const { return encoder_.shape().data; }
  [[nodiscard]] Index latent() const { return decoder_.shape().data; }
  [[nodiscard]] bool variational() const { return variational_; }
  [[nodiscard]] Index buffer_size() const { return size_; }
  /// s = 1.
  [[nodiscard]] Eigen::VectorXf initial_parameters(const Stream& stream) const;
  /// "encoder_<…>", "decoder_<…>" and "decoder_log_scale".
  [[nodiscard]] ModelState to_state(const Eigen::VectorXf& parameters) const;
  /// \throw InvalidInput if \p state is not of this shape.
  [[nodiscard]] Eigen::VectorXf from_state(const ModelState& state) const;
  /// s, in standardised units.
  [[nodiscard]] double decoder_scale(const Eigen::VectorXf& parameters) const;

  /// Memory of training passes of exactly \p columns columns.
  class Tape {
   public:
    Tape(const Autoencoder& model, Index columns);

   private:
    friend class Autoencoder;
    Eigen::VectorXf encoder_parameters_, decoder_parameters_, encoder_gradient_, decoder_gradient_;
    std::unique_ptr<Network::Tape> encoder_, decoder_;
    Eigen::MatrixXf none_, code_, dcode_, z_, dz_, y_;
  };
  struct Loss {
    double total = 0;
    double divergence = 0;  ///< mean of KL(q(z|x) | N(0, I)); 0 for the plain one
  };
  /// Mean loss over the columns of \p x (D×n) with z = mu + e^(v/2) \p noise (m×n; not read by the plain
  /// one), and its \p gradient (buffer size).
  Loss differentiate(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, const Eigen::MatrixXf& noise,
                     Tape& tape, Eigen::VectorXf& gradient) const;

  /// f(x) or mu(x), m×N; \p deviation, where not null, gets e^(v/2) (variational only).
  [[nodiscard]] Points encode(const Eigen::VectorXf& parameters, const PointsRef& x, Points* deviation = nullptr) const;
  /// g(z), D×N.
  [[nodiscard]] Points decode(const Eigen::VectorXf& parameters, const PointsRef& z) const;
  /// J_f v (of the mean, for the variational one) at \p x for \p vectors, D×(count N): m×(count N).
  [[nodiscard]] Points encoder_products(const Eigen::VectorXf& parameters, const PointsRef& x, const PointsRef& vectors,
                                        Index count) const;
  /// J_g v at \p z for \p vectors, m×(count N): D×(count N).
  [[nodiscard]] Points decoder_products(const Eigen::VectorXf& parameters, const PointsRef& z, const PointsRef& vectors,
                                        Index count) const;
  /// Product of the spectral norms of the decoder's layers and of the largest slopes of its units (1.0999 for
  /// SiLU): a Lipschitz constant of g everywhere.
  [[nodiscard]] double decoder_norm_bound(const Eigen::VectorXf& parameters) const;
  /// 1/2 log det(J'J), J = dg/dz, at the columns of \p z: N numbers.
  [[nodiscard]] Vector log_volume(const Eigen::VectorXf& parameters, const PointsRef& z) const;

 private:
  [[nodiscard]] Index scale_index() const { return size_ - 1; }

  bool variational_;
  Mlp encoder_;
  Mlp decoder_;
  Index size_;
};

/// Size and training of an autoencoder, as a suite states them.
struct AutoencoderSettings {
  AdamOptions adam;
  Index batch = 256;
  Index latent = 0;  ///< 0: one more than dim M, as most manifolds have no chart of dim M; at most 20 and D - 1
  Index width = 128;
  Index depth = 2;

  /// Reads latent, and \p prefix + steps (7000), batch (256), learning_rate (1e-3), warmup, ema, clip, width
  /// (128), depth (2).
  [[nodiscard]] static AutoencoderSettings read(Settings& settings, const std::string& prefix);
  /// \throw Unsupported for points of one coordinate.
  [[nodiscard]] Autoencoder make(const FitContext& context, bool variational) const;
};

struct TrainedAutoencoder {
  Eigen::VectorXf average;  ///< averaged weights
  Curves curves;            ///< "loss" (-ELBO in nats in units of the data, or the mean squared error of standardised
                  ///< points), "gradient_norm", "kl" and "decoder_scale" (units of the data; both variational)
};

/// Trains on the data of \p context. \throw NumericalFailure "diverged: …" when the loss is not finite.
[[nodiscard]] TrainedAutoencoder train_autoencoder(const Autoencoder& model, const AutoencoderSettings& settings,
                                                   const FitContext& context);

}  // namespace onmanifold
