// SPDX-License-Identifier: Apache-2.0
#pragma once
// The local dimension of the data as densities and scores see it: LIDL, FLIPD, the normal bundle. The
// Lyapunov gap is in diagnostics/lyapunov.

#include <memory>

#include "contracts/score_field.hpp"
#include "core/math/statistics.hpp"
#include "core/random/stream.hpp"
#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"

namespace onmanifold {

/// What all estimators give.
struct DimensionEstimates {
  Vector values;    ///< one a point
  double mean = 0;  ///< over the points
  double se = 0;    ///< standard error of the mean; NaN for one point
  double median = 0;
};

/// D + the least-squares slope of log p_delta(x) in log delta, p_delta the density of the data under noise
/// delta \cite tempczyk2022. \p log_densities: row i belongs to deltas[i], column j to point j. The densities
/// may come from anywhere: one flow for each delta, the flow of a diffusion, a closed form. \throw
/// InvalidInput unless there are at least two different positive deltas and all densities are finite.
[[nodiscard]] DimensionEstimates lidl(const PointsRef& log_densities, const VectorRef& deltas, Index ambient_dimension);

/// The eight deltas of the published experiments, .01 … .1 in geometric progression.
[[nodiscard]] Vector lidl_deltas();

struct FlipdOptions {
  /// Directions for Hutchinson's estimate of the trace, entries ±1; 0: all D unit vectors, exact.
  Index probes = 0;
};

/// D + s^2 (tr J + |score|^2) at the points \p x (D×N) themselves and level number \p k \cite kamkari2024: D
/// + the derivative of log p_s(x) in log s. For N(0, w^2 I_d) on a d-plane and x = 0 it is d w^2/(w^2 + s^2).
/// With probes, unbiased for each point with variance 2 s^4 (|J|_F^2 - sum J_ii^2)/probes. Cost: D or probes
/// Jacobian-vector products a point. Stream: "probes". \throw InvalidInput on sizes that do not fit or probes
/// < 0.
[[nodiscard]] DimensionEstimates flipd(const ScoreField& field, Index k, const PointsRef& x,
                                       const FlipdOptions& options, const Stream& stream);

struct NormalBundleOptions {
  /// Noised copies of a point; 0: 4 D.
  Index copies = 0;
};

struct NormalBundleResult {
  /// D - (number of singular values before the largest gap): the published rule \cite stanczuk2024. Never D.
  DimensionEstimates gap;
  /// D - (number of singular values with s σ_i/sqrt(copies) > 1/4). A direction of variance w^2 has about
  /// s^2/(w^2 + s^2) there: along normals of a bare manifold 1, with 4 D copies between 1/2 and 3/2; 0 along
  /// tangents, and 0 everywhere below the lift of a lifted one, for which this rule says D. The gap rule sees
  /// only the ratio of the variances: at x on M it says d there too.
  DimensionEstimates threshold;
  Points spectra;  ///< s σ_i/sqrt(copies), falling, D×N
};

/// For every column of \p x: scores at noised copies x + s z, level number \p k, as the columns of a D×copies
/// matrix, and its singular values. Stream: "copies". Cost: N copies evaluations of the field, O(N copies
/// D^2). \throw InvalidInput on sizes that do not fit, or copies below D; NumericalFailure if a score is not
/// finite.
[[nodiscard]] NormalBundleResult normal_bundle(const ScoreField& field, Index k, const PointsRef& x,
                                               const NormalBundleOptions& options, const Stream& stream);

/// The number of values before the largest drop between neighbours of a falling sequence; the first of
/// several. \throw InvalidInput below two values.
[[nodiscard]] Index values_before_largest_gap(const VectorRef& falling);

/// intrinsic_dimension at the level nearest to `level` (1) times the task's smallest noise: flipd, flipd_se,
/// normal_bundle_gap, normal_bundle_threshold, dimension (that of M); up to D = 32, where all densities are finite,
/// lidl and lidl_se over up to eight levels of the decade above, with the densities of the flow.
/// <estimator>_evaluations: values and Jacobian products of the field a point.
[[nodiscard]] std::unique_ptr<Diagnostic> make_intrinsic_dimension(Settings& settings);

}  // namespace onmanifold
