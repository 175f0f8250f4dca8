// SPDX-License-Identifier: Apache-2.0
#pragma once
// Increasing maps of the line with parameters: what a coupling layer applies to each of its coordinates.
// Written once for vectors of floats (training) and for doubles (densities, samples).

#include <memory>

#include "models/networks/panels.hpp"

namespace onmanifold {

/// z = f(x; theta), increasing in x and the identity for theta = 0.
class Bijection {
 public:
  using Vec = panels::Vec;

  virtual ~Bijection() = default;
  /// Numbers in theta.
  [[nodiscard]] virtual Index parameters() const = 0;

  /// z and log dz/dx.
  virtual void apply(const Vec* theta, Vec x, Vec& z, Vec& log_slope) const = 0;
  virtual void apply(const double* theta, double x, double& z, double& log_slope) const = 0;
  /// Derivatives of dz · z + dlog · log dz/dx, in x and theta.
  virtual void differentiate(const Vec* theta, Vec x, Vec dz, Vec dlog, Vec& dx, Vec* dtheta) const = 0;
  /// x with f(x; theta) = z.
  [[nodiscard]] virtual double invert(const double* theta, double z) const = 0;
};

/// z = x e^s + b with s = \p bound tanh(a), theta = (a, b): the affine coupling of \cite dinh2017.
[[nodiscard]] std::unique_ptr<Bijection> make_affine_bijection(double bound);

/// The rational-quadratic spline of \cite durkan2019 with \p bins >= 1 bins on [-bound, bound], the identity
/// outside. theta: widths and heights of the bins (softmax, each at least 1/1000 of the interval), then the
/// slopes at the inner knots (softplus, at least 1/1000). Slopes at the ends are 1, so f is continuously
/// differentiable.
[[nodiscard]] std::unique_ptr<Bijection> make_spline_bijection(Index bins, double bound);
/// Most bins of a spline.
inline constexpr Index most_spline_bins = 32;

}  // namespace onmanifold
