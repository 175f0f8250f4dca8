// SPDX-License-Identifier: Apache-2.0
#pragma once
// The smiley of the plane tasks, blurred inside the plane so that it has a density.

#include "contracts/distribution.hpp"
#include "datasets/laws/plane_frame.hpp"

namespace onmanifold {

/// In-plane law: half of the mass uniform on the unit circle; 1/8 each in two eyes N((±0.4, 0.4), 0.01² I); a
/// quarter in the mouth (0.4 sin α, -0.3 cos α), α uniform on [-π/4, π/4]; then everything plus in-plane N(0,
/// jitter² I).
///
/// Density: circle (2π j²)^-1 exp(-(r²+1)/2j²) I_0(r/j²); eyes Gaussian; mouth by 256 Gauss–Legendre nodes in
/// α, relative error below 1e-10 for jitter >= 0.01 wherever the mouth matters.
class Smiley final : public Sampler, public Density {
 public:
  /// \throw InvalidInput unless 0.01 <= \p jitter <= 1.
  Smiley(PlaneFrame frame, double jitter);

  [[nodiscard]] Index dimension() const override { return 3; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  /// Trapezoidal rule with step jitter/4: error below 1e-8.
  [[nodiscard]] std::optional<double> entropy() const override;
  /// Masses of the cells, overflow last: differences of the normal distribution function, integrated over the
  /// curves. Error below 1e-12.
  [[nodiscard]] Vector masses(const PlanePartition& partition) const;
  /// Root of the mean variance over the three coordinates.
  [[nodiscard]] double standard_deviation() const;

 private:
  [[nodiscard]] double log_density_at(double u, double v) const;

  PlaneFrame frame_;
  double jitter_;
  double eye_width_;
  Points mouth_;          // 2×nodes
  Vector mouth_weights_;  // sum 1
};

}  // namespace onmanifold
