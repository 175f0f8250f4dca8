// SPDX-License-Identifier: Apache-2.0
#pragma once
// What normal noise does to a manifold where that is known exactly: how it stretches volume, how often it is not
// undone by projection. Manifold::mean_log_tube_factor and Manifold::flip_rate are made of it.

namespace onmanifold {

/// E log |det(I - S_n)| under a normal lift sigma, S_n the shape operator. Affine M and finite sets: 0. Spheres of
/// dimension d, alone or in a subspace: d E log |1 + sigma xi/R|. Flat tori: the same with d = 1 for each circle.
/// SO(3): E log prod_{i<j} (a_i + a_j)/2, a the eigenvalues of I + S. Products add.
struct TubeFactor {
  double value = 0;
  double se = 0;  ///< 0 but for SO(3): 2e5 pairs ±n from a fixed stream
};

/// E log |1 + a xi|, xi ~ N(0, 1): -a^2/2 - 3 a^4/4 - … for small a. Absolute error below 1e-12. \pre a >= 0
[[nodiscard]] double mean_log_one_plus_normal(double a);

/// The rate at which normal noise on a sphere of \p radius in its own D = d + 1 coordinates is not undone:
/// Phi(-radius/sigma), the noise that passes the centre.
[[nodiscard]] double sphere_flip_rate(double radius, double sigma);

}  // namespace onmanifold
