// SPDX-License-Identifier: Apache-2.0
#pragma once
// Mixtures of products of von Mises laws on the flat torus: sampler, density, masses, and the exact score of
// their noised versions. One angle: mixtures on the circle.

#include <memory>
#include <optional>
#include <vector>

#include "contracts/distribution.hpp"
#include "contracts/partition.hpp"
#include "datasets/lift.hpp"

namespace onmanifold {

/// Equal arcs of every angle of a flat torus, from -pi: cell = sum over i of bin_i · bins^i. Angles are those
/// of the pairs (x_2i, x_2i+1), of any length; the pair (0, 0) has angle 0.
class TorusPartition final : public Partition {
 public:
  /// \throw InvalidInput unless both are >= 1 and bins^angles <= 2^24.
  TorusPartition(Index angles, Index bins);

  [[nodiscard]] Index size() const override { return size_; }
  [[nodiscard]] Eigen::VectorXi assign(const PointsRef& points) const override;
  [[nodiscard]] std::string description() const override;
  [[nodiscard]] Index angles() const { return angles_; }
  [[nodiscard]] Index bins() const { return bins_; }

 private:
  Index angles_;
  Index bins_;
  Index size_;
};

/// p0 = sum_m w_m prod_i exp(kappa_mi cos(angle_i - mean_mi)) / (2 pi I_0(kappa_mi)) on (S^1)^n, points as n
/// pairs (cos, sin).
class VonMisesMixture final : public Sampler, public Density {
 public:
  struct Mode {
    std::vector<double> means;   ///< radians, n of them
    std::vector<double> kappas;  ///< >= 0, n of them
    double weight;               ///< > 0; sum 1 to 1e-12
  };
  /// \throw InvalidInput on modes outside those ranges, or of different n.
  explicit VonMisesMixture(std::vector<Mode> modes);

  [[nodiscard]] Index dimension() const override { return 2 * angles_; }
  /// By rejection from the wrapped Cauchy law \cite bestfisher1979: exact. Stream of draw j: stream/j.
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  /// One mode: closed form. Else, for n <= 2, the trapezoidal rule with 512 angles each, error below 1e-12
  /// for kappa <= 100; unknown for n > 2.
  [[nodiscard]] std::optional<double> entropy() const override;
  /// Exact masses: products of one-dimensional integrals, 24 Gauss–Legendre nodes an arc.
  [[nodiscard]] Vector masses(const TorusPartition& partition) const;
  /// Root of the mean variance over the 2n coordinates.
  [[nodiscard]] double standard_deviation() const;

  [[nodiscard]] const std::vector<Mode>& modes() const { return modes_; }
  [[nodiscard]] Index angles() const { return angles_; }

 private:
  std::vector<Mode> modes_;
  Index angles_ = 0;
};

/// The exact law of a·x0 + sigma·z: with v_mi = kappa_mi mu_mi + a x_i/sigma², p_t(x) = (2 pi sigma²)^-n
/// exp(-(|x|² + n a²)/2 sigma²) sum_m w_m prod_i I_0(|v_mi|)/I_0(kappa_mi). Isotropic lift: sigma² + a² lift²
/// in the place of sigma². Normal lift: the radius of every circle is N(1, lift²); one integral over it a
/// mode and pair by 64 Gauss–Legendre nodes a panel, one to a few panels, relative error below 1e-10; cost
/// O(modes · n) integrals a point.
[[nodiscard]] std::shared_ptr<const DiffusedScore> make_diffused_von_mises(const VonMisesMixture& mixture,
                                                                           const Lift& lift);

}  // namespace onmanifold
