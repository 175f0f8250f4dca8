// SPDX-License-Identifier: Apache-2.0
#pragma once
// Products of Gaussian mixtures along an affine subspace of any dimension and codimension: sampler, density,
// masses, and the exact score of their noised and lifted versions, all at the cost of the one-dimensional
// factors.

#include <memory>

#include "contracts/distribution.hpp"
#include "contracts/partition.hpp"
#include "datasets/lift.hpp"

namespace onmanifold {

/// Orthonormal coordinates u of the points origin + basis u.
struct SubspaceFrame {
  Points basis;   ///< D×d, orthonormal columns
  Vector origin;  ///< D, orthogonal to them

  /// u, d×N, to points, D×N.
  [[nodiscard]] Points embed(const PointsRef& u) const;
  /// Coordinates of the orthogonal projections of \p x (D×N), d×N.
  [[nodiscard]] Points coordinates(const PointsRef& x) const;
};

/// bins^d equal cubes over [-half_width, half_width]^d in u, cell = sum over i of bin_i · bins^i, and the
/// overflow cell last. Right edges belong to the next cell, except the last ones. Points off the subspace
/// count by their projection.
class SubspacePartition final : public Partition {
 public:
  /// \throw InvalidInput unless \p half_width > 0, \p bins >= 1 and bins^d <= 2^24.
  SubspacePartition(SubspaceFrame frame, double half_width, Index bins);

  [[nodiscard]] Index size() const override { return cubes_ + 1; }
  [[nodiscard]] Eigen::VectorXi assign(const PointsRef& points) const override;
  [[nodiscard]] std::string description() const override;

  [[nodiscard]] Index bins() const { return bins_; }
  /// Edge \p i = 0 … bins of the grid, the same in every coordinate.
  [[nodiscard]] double edge(Index i) const;

 private:
  SubspaceFrame frame_;
  double half_width_;
  Index bins_;
  Index cubes_ = 1;
};

/// p0(u) = prod_i sum_m w_im N(u_i; c_m, width²): M^d Gaussians, never listed.
class SubspaceMixture final : public Sampler, public Density {
 public:
  /// \p centres M, \p weights d×M, positive, rows of sum 1 (to 1e-12). \throw InvalidInput otherwise.
  SubspaceMixture(SubspaceFrame frame, Vector centres, Eigen::MatrixXd weights, double width);

  [[nodiscard]] Index dimension() const override { return frame_.basis.rows(); }
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  /// Sum of the entropies of the factors; trapezoidal rule with step width/8 up to 9 widths beyond the
  /// centres, error below 1e-10 a factor.
  [[nodiscard]] std::optional<double> entropy() const override;
  /// Exact masses: products of differences of normal distribution functions.
  [[nodiscard]] Vector masses(const SubspacePartition& partition) const;
  /// Root of the mean variance over the D coordinates.
  [[nodiscard]] double standard_deviation() const;

  [[nodiscard]] const SubspaceFrame& frame() const { return frame_; }
  [[nodiscard]] const Vector& centres() const { return centres_; }
  [[nodiscard]] const Eigen::MatrixXd& weights() const { return weights_; }
  [[nodiscard]] double width() const { return width_; }

 private:
  SubspaceFrame frame_;
  Vector centres_;
  Eigen::MatrixXd weights_;
  double width_;
};

/// The exact law of a·x0 + sigma·z for x0 from \p mixture after \p lift: the same product with centres a c_m
/// and variance a² width² + sigma² (+ a² lift² if isotropic) along, times a Gaussian of variance sigma² (+ a²
/// lift² if lifted) in the k normal directions. Cost O(d (M + D)) a point.
[[nodiscard]] std::shared_ptr<const DiffusedScore> make_diffused_subspace_mixture(const SubspaceMixture& mixture,
                                                                                  const Lift& lift);

}  // namespace onmanifold
