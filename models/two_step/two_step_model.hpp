// SPDX-License-Identifier: Apache-2.0
#pragma once
// Methods that learn the manifold first: `vae` alone, and an autoencoder with a generative model of its
// latent points.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// Variational autoencoder \cite kingma2014 with one learned decoder scale s. Samples: g(z) + s e
/// (decoder_noise = true) or g(z), z ~ N(0, I). Settings: those of AutoencoderSettings without prefix,
/// decoder_noise (true).
[[nodiscard]] std::unique_ptr<GenerativeModel> make_vae(Settings& settings);

/// The models of two steps are LatentModel too: what they learned of the latent points can be asked.
///
/// Autoencoder, then `ddpm` on the points f(x). Settings: those of AutoencoderSettings with the prefix
/// "autoencoder_", the others are those of ddpm. Curves of the first step have that prefix too.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_autoencoder_ddpm(Settings& settings);

/// The same after a variational autoencoder; latent points are drawn from q(z|x), anew in every pass.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_vae_ddpm(Settings& settings);

/// Variational autoencoder, then `spline_flow` with its settings. likelihood = true (false) gives log_density
/// on the learned manifold, log p_Z(z) - 1/2 log det(J'J) at z = mu(x), J = dg/dz: with respect to the volume
/// of the image of g, so it needs latent = dim M, and x is taken for its nearest point there.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_vae_flow(Settings& settings);

}  // namespace onmanifold
