// SPDX-License-Identifier: Apache-2.0
#pragma once
// The score of a fitted or exact law under growing noise, in one convention for every method: what diagnostics ask.

#include <functional>
#include <memory>

#include "contracts/distribution.hpp"
#include "core/points.hpp"

namespace onmanifold {

/// grad log p_s of y = x_0 + s z, z ~ N(0, I_D), in the units of the data, at the noise levels s of the field. A
/// variance-preserving state x_t = a_t x_0 + sigma_t z is y = x_t/a_t with s = sigma_t/a_t; a straight path
/// x_u = (1-u) z + u x_0 is y = x_u/u with s = (1-u)/u. The probability-flow equation is
///   dy/ds = -s score(y, s)
/// for all of them.
class ScoreField {
 public:
  virtual ~ScoreField() = default;
  /// D
  [[nodiscard]] virtual Index dimension() const = 0;
  /// The levels s that can be asked for, falling, data units: entry k is the level of number k.
  [[nodiscard]] virtual const Vector& levels() const = 0;
  /// The score at the columns of \p y, D×N, at level number \p k. \throw InvalidInput on wrong sizes or a k that is
  /// no level.
  [[nodiscard]] Points score(const PointsRef& y, Index k) const;
  /// \p score (D×N) and J v (D×(count N)) with J = d score/d y at column c for \p vectors (D×(count N)): columns
  /// count·c … belong to point c. Errors as for score().
  void products(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                Points& result) const;

 private:
  /// Fills \p score (D×N), and \p result unless \p count is 0.
  virtual void do_evaluate(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                           Points& result) const = 0;
};

/// A score as functions of points, D×N, and the noise level s. Both give D×N; column c belongs to point c.
struct ScoreFunction {
  std::function<Points(const PointsRef& y, double s)> score;
  /// J v, one vector a point. Empty: by central differences of the score over 2 h, h = 1e-4 s, in every direction;
  /// relative error about 1e-7, for the score changes over lengths s.
  std::function<Points(const PointsRef& y, const PointsRef& vectors, double s)> products = {};
};

/// The field of \p function on R^D. \throw InvalidInput unless \p levels fall and are above 0, and from its questions
/// where an answer is not D×N.
[[nodiscard]] std::unique_ptr<ScoreField> make_score_field(ScoreFunction function, Index dimension, Vector levels);

/// The field of an exact law. \p law outlives the field. \throw InvalidInput as make_score_field().
[[nodiscard]] std::unique_ptr<ScoreField> make_exact_score_field(const DiffusedScore& law, Vector levels);

/// \p count levels in geometric progression from \p largest down to \p smallest. \throw InvalidInput unless
/// 0 < smallest < largest and count >= 2.
[[nodiscard]] Vector geometric_levels(double largest, double smallest, Index count);

}  // namespace onmanifold
