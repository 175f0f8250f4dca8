// SPDX-License-Identifier: Apache-2.0
#pragma once
// Mixtures of wrapped normal laws on SO(3): sampler, density, entropy.

#include <optional>
#include <vector>

#include "contracts/distribution.hpp"
#include "datasets/laws/sphere_partition.hpp"

namespace onmanifold {

/// R = R_m exp(v), v ~ N(0, s_m² I_3) a rotation vector, m uniform. \cite debortoli2022
///
/// Density with respect to the volume of rotation vectors (total 8 pi²): (1/K) sum_m N(theta_m; 0, s_m² I_3)
/// (2 sin(theta_m/2)/theta_m)^-2, theta_m the angle of R_m^T R. Further turns (theta > pi) are left out: for
/// s <= 0.25 they carry less than 1e-30. log_density is with respect to the Riemannian volume of R^9, as for
/// every task: smaller by 1.5 log 2.
class WrappedNormalMixture final : public Sampler, public Density {
 public:
  struct Mode {
    Eigen::Vector4d quaternion;  ///< (w, x, y, z) of R_m, not zero; normalised here
    double deviation;            ///< s_m in radians, per axis
  };
  /// \throw InvalidInput for no modes, or deviations outside (0, 0.25].
  explicit WrappedNormalMixture(std::vector<Mode> modes);
  /// \p count Haar modes with s = 1/sqrt(2 precision), precision ~ Gamma(100, 1), from \p stream; rounded to
  /// 12 and 9 decimals, so that the law is the same on every machine.
  [[nodiscard]] static std::vector<Mode> draw_modes(Index count, const Stream& stream);

  [[nodiscard]] Index dimension() const override { return 9; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  /// Closed form of each mode minus the overlap, which is a lattice sum of step s_m/2 over |v| <= 6.5 s_m:
  /// error below 2e-5 (against steps of s_m/4).
  [[nodiscard]] std::optional<double> entropy() const override { return entropy_; }
  /// entropy() with respect to the volume of rotation vectors: the floor of published negative
  /// log-likelihoods.
  [[nodiscard]] double entropy_of_rotation_vectors() const;
  /// The overlap term of the entropy on a lattice of \p step · s_m; for tests of its error.
  [[nodiscard]] double overlap(double step) const;
  /// Masses of the cells under the first column, by Gauss–Legendre rules: error below 1e-11.
  [[nodiscard]] Vector first_column_masses(const SpherePartition& partition) const;
  /// Root of the mean variance over the nine coordinates.
  [[nodiscard]] double standard_deviation() const;

  [[nodiscard]] const std::vector<Mode>& modes() const { return modes_; }

 private:
  std::vector<Mode> modes_;
  double entropy_ = 0;
};

}  // namespace onmanifold
