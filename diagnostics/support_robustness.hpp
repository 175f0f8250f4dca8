// SPDX-License-Identifier: Apache-2.0
#pragma once
// What errors of the drift do to samples: whether they leave M or move along it.

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "contracts/score_field.hpp"
#include "core/random/stream.hpp"
#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// The direction u of an error eps u(y) of the score. Every kind has root mean square 1 at the end points of
/// the unperturbed flow.
enum class DriftError {
  constant,      ///< one unit vector everywhere
  fourier,       ///< sum over random waves: a smooth vector field
  tangent_only,  ///< P_T(Pi(y)) of the same waves
  normal_only,   ///< P_N(Pi(y)) of them
};
[[nodiscard]] std::string to_string(DriftError kind);

struct SupportRobustnessOptions {
  std::vector<DriftError> kinds = {DriftError::constant, DriftError::fourier, DriftError::tangent_only,
                                   DriftError::normal_only};
  /// Sizes of the error in units of the score, rising. The defaults are small, for slopes are those of the
  /// first order.
  std::vector<double> sizes = {0.01, 0.02, 0.05, 0.1};
  /// Direction of DriftError::constant, normalised here; empty: drawn.
  Vector direction;
  /// u(y) = sqrt(2/waves) sum_m a_m cos(omega_m·y + phi_m), a_m ~ N(0, I/D), omega_m ~ N(0, I/wavelength^2)
  /// \cite rahimi2007.
  Index waves = 64;
  /// Length over which the waves change, data units; 0: Manifold::scale(). Infinity: the same vector
  /// everywhere.
  double wavelength = 0;
  /// Number of the level at which the flow stops; -1: the last one of the field.
  Index last_level = -1;
};

/// One kind of error. Entry i of the vectors belongs to sizes[i].
struct DriftErrorShifts {
  DriftError kind = DriftError::constant;
  /// Mean over the points of |P_N(a)((b' - Pi(b')) - (b - Pi(b)))|, a = Pi(b), b and b' the ends without and
  /// with the error: how the offset from M changed. A shift along a curved M leaves it 0.
  Vector normal;
  Vector tangential;                                               ///< mean |Pi(b') - Pi(b)|
  Vector distance;                                                 ///< mean |b' - Pi(b')|
  double normal_slope = std::numeric_limits<double>::quiet_NaN();  ///< of log normal on log size: 1 at first order
  double tangential_slope = std::numeric_limits<double>::quiet_NaN();
  double normal_gain = 0;      ///< normal/size at the smallest size
  double tangential_gain = 0;  ///< tangential/size there
  Index failures = 0;          ///< points, over all sizes, without a projection at an end or not finite: left out
};

struct SupportRobustnessResult {
  std::vector<DriftErrorShifts> shifts;  ///< one for each kind of the options
  double s_max = 0;
  double s_min = 0;
  double distance = 0;  ///< mean |b - Pi(b)| of the unperturbed ends
  /// Normal shift by normal_only over tangential shift by tangent_only, equal size (the smallest) and equal
  /// root mean square; NaN unless both kinds are there. Small and falling with s_min without a lift.
  double ratio = std::numeric_limits<double>::quiet_NaN();
};

/// Integrates dy/ds = -s (score + eps u) from level 0 to the last one by Heun's method, one step a level; u
/// is 0 where Pi(y) does not converge. \p start: D×N draws of the law at level 0. Heun's steps are exact for
/// y' = y/s, so that the contraction along normals is, and of second order in the ratio of levels else.
/// Streams: "direction", "waves". Cost: 2 levels (1 + kinds × sizes) evaluations of the field, and as many
/// projections for the last two kinds. \throw InvalidInput on empty lists, sizes that do not rise from above
/// 0, sizes of arrays that do not fit, or a tangent_only or normal_only error on a manifold without such
/// directions; NumericalFailure if an unperturbed flow gives no usable point.
[[nodiscard]] SupportRobustnessResult support_robustness(const ScoreField& field, const Manifold& manifold,
                                                         const PointsRef& start,
                                                         const SupportRobustnessOptions& options, const Stream& stream);

/// How far a constant error eps of the score, along a direction in which the data are normal with variance
/// tau^2 (0: a normal of a bare manifold), moves the end of the flow from s_max to s_min: eps sqrt(tau^2 +
/// s_min^2) (sqrt(tau^2 + s_max^2) - sqrt(tau^2 + s_min^2)).
[[nodiscard]] double constant_error_shift(double eps, double tau, double s_max, double s_min);
/// The same for a constant error of the velocity of flow matching, integrated to time t < 1, along a normal
/// of a bare manifold: eps (1 - t) log(1/(1 - t)).
[[nodiscard]] double constant_velocity_error_shift(double eps, double t);

/// support_robustness: ratio, distance, s_min, s_max; for each kind <kind>/normal_gain,
/// <kind>/tangential_gain, <kind>/normal_slope, <kind>/tangential_slope, <kind>/failures; by size: size,
/// <kind>/normal, <kind>/tangential.
[[nodiscard]] std::unique_ptr<Diagnostic> make_support_robustness(Settings& settings);

}  // namespace onmanifold
