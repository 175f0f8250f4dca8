// SPDX-License-Identifier: Apache-2.0
#pragma once
// Mixtures of round Gaussians in the plane of the plane tasks: sampler, density, masses, and the exact score
// of their noised and lifted versions.

#include <memory>

#include "contracts/distribution.hpp"
#include "datasets/laws/plane_frame.hpp"
#include "datasets/lift.hpp"

namespace onmanifold {

/// p0(u, v) = sum_m w_m N((u, v); c_m, width² I_2).
class PlanarMixture final : public Sampler, public Density {
 public:
  /// \p centres 2×M, \p weights M positive numbers with sum 1 (to 1e-12). \throw InvalidInput otherwise.
  PlanarMixture(PlaneFrame frame, Points centres, Vector weights, double width);
  /// 3×3 grid of centres {-1, 0, 1}², equal weights.
  [[nodiscard]] static PlanarMixture grid9(const PlaneFrame& frame, double width);

  [[nodiscard]] Index dimension() const override { return 3; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  /// Trapezoidal rule with step width/8 up to 9 widths beyond the centres: error below 1e-10.
  [[nodiscard]] std::optional<double> entropy() const override;
  /// Exact masses of the cells by differences of the normal distribution function, overflow last.
  [[nodiscard]] Vector masses(const PlanePartition& partition) const;
  /// Root of the mean variance over the three coordinates.
  [[nodiscard]] double standard_deviation() const;

  [[nodiscard]] const PlaneFrame& frame() const { return frame_; }
  [[nodiscard]] const Points& centres() const { return centres_; }
  [[nodiscard]] const Vector& weights() const { return weights_; }
  [[nodiscard]] double width() const { return width_; }

 private:
  [[nodiscard]] Vector log_density_uv(const PointsRef& uv) const;

  PlaneFrame frame_;
  Points centres_;
  Vector weights_;
  double width_;
};

/// The exact law of a·x0 + sigma·z for x0 from \p mixture after \p lift: Gaussians with standard deviations
/// (w, w, w_n) in (e1, e2, n), w² = a² width² + sigma² (+ a² lift² if isotropic), w_n² = sigma² (+ a² lift²
/// if lifted). Cost O(M) a point.
[[nodiscard]] std::shared_ptr<const DiffusedScore> make_diffused_planar_mixture(const PlanarMixture& mixture,
                                                                                const Lift& lift);

}  // namespace onmanifold
