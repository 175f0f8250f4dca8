// SPDX-License-Identifier: Apache-2.0
#pragma once
// The matrix Fisher law on SO(3), p(R) = exp(tr F^T R)/c(F) with respect to Haar probability: mixtures
// and the exact score of their noised versions.

#include <memory>
#include <optional>
#include <vector>

#include <Eigen/Core>

#include "contracts/distribution.hpp"
#include "datasets/laws/sphere_partition.hpp"
#include "datasets/lift.hpp"

namespace onmanifold {

/// p0(R) = sum_m w_m exp(tr F_m^T R)/c(F_m).
class FisherMixture final : public Sampler, public Density {
 public:
  struct Mode {
    Eigen::Matrix3d parameter;  ///< F
    double weight;              ///< w > 0; sum 1 to 1e-12
  };
  /// \throw InvalidInput on modes outside those ranges or numbers that are not finite.
  explicit FisherMixture(std::vector<Mode> modes);

  [[nodiscard]] Index dimension() const override { return 9; }
  /// Unit quaternions of density proportional to exp(q^T B q), by rejection from the angular central Gaussian
  /// law \cite kent2018: exact. Stream of draw j: stream/j.
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  /// With respect to the Riemannian volume of R^9, as for every task.
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  /// With respect to Haar probability: larger by log(8 pi²) + 1.5 log 2.
  [[nodiscard]] Vector log_density_haar(const PointsRef& points) const;
  /// By a product rule over SO(3), error below 1e-9 for singular values up to 30.
  [[nodiscard]] std::optional<double> entropy() const override { return entropy_; }
  [[nodiscard]] double entropy_haar() const;
  [[nodiscard]] double entropy_of_rotation_vectors() const;
  /// Masses of the cells under the first column; the angle about it is integrated in closed form.
  [[nodiscard]] Vector first_column_masses(const SpherePartition& partition) const;
  /// Root of the mean variance over the nine coordinates.
  [[nodiscard]] double standard_deviation() const;

  [[nodiscard]] const std::vector<Mode>& modes() const { return modes_; }

 private:
  std::vector<Mode> modes_;
  std::vector<double> log_normalisers_;
  double entropy_ = 0;
};

/// The exact law of a·x0 + sigma·z for x0 from \p mixture: with G_m = F_m + a X/sigma², p_t(X) = (2 pi
/// sigma²)^(-9/2) exp(-(|X|² + 3 a²)/2 sigma²) sum_m w_m c(G_m)/c(F_m). Isotropic lift: sigma² + a² lift² in
/// the place of sigma². Null for a normal lift, whose exponent is quadratic in R: no closed form.
[[nodiscard]] std::shared_ptr<const DiffusedScore> make_diffused_fisher_mixture(const FisherMixture& mixture,
                                                                                const Lift& lift);

}  // namespace onmanifold
