// SPDX-License-Identifier: Apache-2.0
#pragma once
// Mixtures of von Mises–Fisher laws on the unit sphere S²: sampler, density, and the exact score of their
// noised and lifted versions.

#include <memory>
#include <vector>

#include "contracts/distribution.hpp"
#include "datasets/lift.hpp"

namespace onmanifold {

/// log C(κ), C(κ) = κ / (4π sinh κ): the normalisation of exp(κ μ·y) on S². Even, smooth at 0, no overflow.
[[nodiscard]] double vmf_log_normaliser(double kappa);
/// A(κ) = coth κ - 1/κ: length of the mean of a von Mises–Fisher law.
[[nodiscard]] double vmf_mean_length(double kappa);

/// p0(y) = sum_m w_m C(κ_m) exp(κ_m μ_m·y) on S² with respect to area.
class VmfMixture final : public Sampler, public Density {
 public:
  struct Mode {
    Eigen::Vector3d mean;  ///< μ, a unit vector (to 1e-9; normalised here)
    double kappa;          ///< κ > 0
    double weight;         ///< w > 0; sum 1 to 1e-12
  };
  /// \throw InvalidInput on modes outside those ranges.
  explicit VmfMixture(std::vector<Mode> modes);

  [[nodiscard]] Index dimension() const override { return 3; }
  /// Mode by its weight, cosine by inversion of its distribution function, uniform azimuth.
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  /// By quadrature on the sphere, error below 1e-10 for κ <= 50.
  [[nodiscard]] std::optional<double> entropy() const override;
  /// E y = sum_m w_m A(κ_m) μ_m.
  [[nodiscard]] Eigen::Vector3d mean() const;
  /// Root of the mean variance over the three coordinates, √((1 - |E y|²)/3).
  [[nodiscard]] double standard_deviation() const;

  [[nodiscard]] const std::vector<Mode>& modes() const { return modes_; }

 private:
  std::vector<Mode> modes_;
};

/// The exact law of a·x0 + sigma·z for x0 from \p mixture after \p lift.
///
/// None: with v_m = κ_m μ_m + a x/σ², p_t(x) = (2πσ²)^(-3/2) exp(-(|x|²+a²)/2σ²) sum_m w_m C(κ_m)/C(|v_m|).
/// Isotropic: σ² + a² lift² in the place of σ². Normal: x0 = r y with r ~ N(1, lift²), one integral over r by
/// Gauss–Legendre panels of 64 nodes, relative error below 1e-11 (a mixture of Gaussians in r of one width,
/// so that the panels are known beforehand). Finite for sigma 1e-3 … 50, |x| 0 … 50. Cost: O(modes) a point,
/// 64 to 200 times that when lifted.
[[nodiscard]] std::shared_ptr<const DiffusedScore> make_diffused_vmf_mixture(const VmfMixture& mixture,
                                                                             const Lift& lift);

}  // namespace onmanifold
