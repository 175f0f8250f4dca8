// SPDX-License-Identifier: Apache-2.0
#pragma once
// Laws on finite sets: everything about them is exact.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contracts/distribution.hpp"
#include "contracts/partition.hpp"
#include "datasets/lift.hpp"
#include "manifolds/finite_set.hpp"

namespace onmanifold {

/// One cell an atom: the nearest atom, the first of a tie.
class AtomPartition final : public Partition {
 public:
  explicit AtomPartition(std::shared_ptr<const FiniteSet> atoms) : atoms_(std::move(atoms)) {}
  [[nodiscard]] Index size() const override { return atoms_->atom_count(); }
  [[nodiscard]] Eigen::VectorXi assign(const PointsRef& points) const override;
  [[nodiscard]] std::string description() const override;

 private:
  std::shared_ptr<const FiniteSet> atoms_;
};

/// p0 = sum_a p_a delta(atom a). Densities are with respect to counting: log_density is the log-probability
/// of the nearest atom.
class FiniteLaw final : public Sampler, public Density {
 public:
  /// \p atoms D×K, all different; \p probabilities K positive numbers with sum 1 to 1e-12. \throw
  /// InvalidInput otherwise.
  FiniteLaw(Points atoms, Vector probabilities);

  [[nodiscard]] Index dimension() const override { return atoms_.rows(); }
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  /// -sum p log p.
  [[nodiscard]] std::optional<double> entropy() const override;
  /// Root of the mean variance over the coordinates.
  [[nodiscard]] double standard_deviation() const;

  [[nodiscard]] const Points& atoms() const { return atoms_; }
  [[nodiscard]] const Vector& probabilities() const { return probabilities_; }
  [[nodiscard]] const std::shared_ptr<const FiniteSet>& set() const { return set_; }

 private:
  Points atoms_;
  Vector probabilities_;
  std::shared_ptr<const FiniteSet> set_;
};

/// \p count random probabilities: independent exponential numbers over their sum (uniform on the simplex),
/// rounded to multiples of 1e-6, at least one each, so that the law is the same on every machine.
[[nodiscard]] Vector draw_probabilities(Index count, Stream stream);

/// The exact law of a·x0 + sigma·z, a mixture of Gaussians around a·atom. On a finite set every lift is
/// isotropic: sigma²
/// + a² lift² in the place of sigma². O(K D) a point.
[[nodiscard]] std::shared_ptr<const DiffusedScore> make_diffused_finite_law(const FiniteLaw& law, const Lift& lift);

}  // namespace onmanifold
