// SPDX-License-Identifier: Apache-2.0
#pragma once
// How well vectors that survive the path from noise to data lie in the tangent space, and a condition under
// which they must.

#include "contracts/distribution.hpp"
#include "contracts/score_field.hpp"
#include "core/random/stream.hpp"
#include "diagnostics/lyapunov.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// Orthonormal tangent bases at the nearest points of \p x (D×N): D×(dN). NaN where there is no nearest
/// point.
[[nodiscard]] Points tangents_at(const Manifold& manifold, const PointsRef& x);

/// The same from data alone: the first \p d principal axes of the \p neighbours points of \p cloud (D×M)
/// nearest to each column of \p x. On a surface with curvature 1/R and neighbours within r the angle to the
/// tangent is O(r/R) for uneven and O(r^2/R^2) for even neighbourhoods. Cost: N (M D + D^2 k + D^3), k =
/// neighbours. \throw InvalidInput unless 0 < d <= D, d < neighbours <= M.
[[nodiscard]] Points local_tangents(const PointsRef& cloud, const PointsRef& x, Index d, Index neighbours);

/// Entry c belongs to point c; NaN where a vector or a tangent is NaN.
struct Alignment {
  Vector a1;      ///< |T'Q|_F^2/d, Q the first d vectors: 1 if they span the tangent space, d/D at random
  Vector a2;      ///< mean |<q_i, score/|score|>|, near 0 if they do: the score stands for a normal
  Vector a3;      ///< |P_N Q|_2 = sine of the largest principal angle
  Points angles;  ///< d×N, principal angles between T and Q, radians, rising; exact to rounding for small ones
};

/// \p tangents D×(dN) orthonormal, \p vectors D×(qN) orthonormal with q >= d, \p score D×N at the same
/// points. \throw InvalidInput on sizes that do not fit.
[[nodiscard]] Alignment alignment(const PointsRef& tangents, Index d, const PointsRef& vectors, Index q,
                                  const PointsRef& score);

/// E A1 of random vectors: d/D.
[[nodiscard]] double random_alignment(Index d, Index ambient_dimension);

/// E A1 for a plane in R^3 when random vectors have been stretched apart by the spectral gap \p gap >= 0:
/// 1 - 1/2 int_0^1 (1 - u^2)/(1 - u^2 + u^2 e^(2 gap)) du, about 1 - (pi/4) e^-gap. 2/3 at gap 0.
[[nodiscard]] double plane_alignment(double gap);

struct AlignmentConditionOptions {
  Index first_level = 0;  ///< at which it begins
  Index last_level = -1;  ///< at which it stops; -1: the last one of the field
  /// Angle of the start that decides whether the condition says anything, degrees. Of a start that happens to
  /// lie near the tangents it says something without any contraction.
  double widest_start = 85;
};

/// Entry c belongs to trajectory c; NaN where it has no nearest point or is not finite.
struct AlignmentCondition {
  Vector measured;      ///< largest principal angle between tangent space and d transported vectors at the end,
                        ///< radians
  Vector predicted;     ///< of it by the condition without its quadratic term, which is no bound where M is curved
  Vector bound;         ///< with the quadratic term: never below measured; 90 degrees without a statement
  Vector widest;        ///< predicted for a start at widest_start
  Vector widest_bound;  ///< bound for it
  Vector contraction;   ///< G(0): accumulated log of the tangents' least over the normals' greatest stretch
  Eigen::Array<bool, Eigen::Dynamic, 1> vacuous;  ///< widest_bound above 45 degrees, or contraction <= 0
  Index failures = 0;
};

/// The sufficient condition for alignment along the flow. Each step k has the Jacobian P in the moving frames
/// [T N] at the nearest points of y, and the tangent of the angle obeys
///   tan' <= (|P_NT| + |P_NN| tan)/(smin(P_TT) - |P_TN| tan),
/// `predicted` without the last term, `bound` with it. For small steps this is tan(T) <= e^-G(0) tan(0) +
/// int e^-G |J_NT| dt, G the integral of λmin(sym J_TT) - λmax(sym J_NN), with the turn of the frames along
/// curved M counted in J_NT. d random vectors start at each column of \p start (D×N draws of the law at the
/// first level); stream: "vectors". On the unit sphere half of the trajectories end above `predicted`, and
/// `bound` says something from s_max = .1 on, where the tube is narrow against the reach. Cost: 2 levels N (1
/// + D) network evaluations. \throw InvalidInput on sizes that do not fit, or a manifold without tangents or
/// normals.
[[nodiscard]] AlignmentCondition alignment_condition(const ScoreField& field, const Manifold& manifold,
                                                     const PointsRef& start, const AlignmentConditionOptions& options,
                                                     const Stream& stream);

/// A law on no manifold, for which the condition has nothing to say: points of R^2 at distance 1 + .3 xi from
/// 0, xi normal, all angles alike, as a sum over 400 of its points; smooth at noise from about .1 on.
class ThickCircle final : public DiffusedScore {
 public:
  ThickCircle();
  [[nodiscard]] Index dimension() const override { return 2; }
  [[nodiscard]] const Points& centres() const { return centres_; }

 private:
  /// No density: \throw InvalidInput when asked for one.
  void do_evaluate(const PointsRef& x, double a, double sigma, Points* score, Vector* log_density) const override;
  Points centres_;
};

/// The condition for ThickCircle against the tangents of the unit circle, from noise .3 down to .1, for \p n
/// <= 400 starts.
[[nodiscard]] AlignmentCondition thick_circle_condition(Index n, const Stream& stream);

}  // namespace onmanifold
