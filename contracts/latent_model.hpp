// SPDX-License-Identifier: Apache-2.0
#pragma once
// A model whose samples are decoded latent points, x = g(z), with an encoder z = f(x). A GenerativeModel may
// be one of these too; diagnostics ask it then.

#include <memory>

#include "contracts/score_field.hpp"
#include "core/points.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {

/// Points in the units of the data, latent points in those of the encoder. \pre fitted or loaded
class LatentModel {
 public:
  virtual ~LatentModel() = default;
  /// m
  [[nodiscard]] virtual Index latent_dimension() const = 0;
  /// f(x), m×N; the mean where the encoder is a law.
  [[nodiscard]] virtual Points encode(const PointsRef& x) const = 0;
  /// g(z), D×N.
  [[nodiscard]] virtual Points decode(const PointsRef& z) const = 0;
  /// J_f v at the columns of \p x for \p vectors, D×(count N): columns count·c … belong to point c. m×(count
  /// N).
  [[nodiscard]] virtual Points encoder_products(const PointsRef& x, const PointsRef& vectors, Index count) const = 0;
  /// J_g v at the columns of \p z for \p vectors, m×(count N). D×(count N).
  [[nodiscard]] virtual Points decoder_products(const PointsRef& z, const PointsRef& vectors, Index count) const = 0;
  /// A Lipschitz constant of g from the norms of its layers alone; infinity where none is known.
  [[nodiscard]] virtual double decoder_norm_bound() const = 0;
  /// Draws of the model of latent points, m×n.
  [[nodiscard]] virtual Points sample_latent(Index n, const Stream& stream) const = 0;
  /// The score of that model under noise, null where it has none. Lives no longer than this.
  [[nodiscard]] virtual std::unique_ptr<ScoreField> latent_score() const = 0;
};

}  // namespace onmanifold
