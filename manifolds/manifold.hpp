// SPDX-License-Identifier: Apache-2.0
#pragma once
// The constraint set M of R^D: projection, normal and tangent spaces, residual. Public functions check their
// arguments once; private do_* functions compute. One conformance suite runs the identities below over every
// registered manifold.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/points.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {

class ChainView;
class Geodesics;
class UniformPosterior;
struct HeatFactor;
struct TubeFactor;

/// Nearest points of M, with what happened on the way. A projection that failed keeps its input and is
/// counted.
struct Projection {
  Points points;                                    ///< D×N: Pi(x), or x itself where it did not converge
  Vector distance;                                  ///< N: |x - Pi(x)|; NaN where it did not converge
  Eigen::Array<bool, Eigen::Dynamic, 1> converged;  ///< N
  [[nodiscard]] Index failures() const { return converged.size() - converged.count(); }
};

/// A d-dimensional set M in R^D, k = D - d. Points are D×N, one a column.
///
/// Identities. For y on M, x with |x - M| < reach, v any vector, y = Pi(x), all within the stated tolerances:
///  1. Pi(y) = y.
///  2. Pi(Pi(x)) = Pi(x).
///  3. h(Pi(x)) = 0 up to constraint_tolerance(); h(x) != 0 off M.
///  4. |x - Pi(x)| <= |x - y'| for every y' on M, and equals Projection::distance.
///  5. x - Pi(x) lies in the normal space at Pi(x) (smooth manifolds; on a mesh: inside faces).
///  6. U_N is D×k, U_T is D×d, [U_N U_T] is orthogonal.
///  7. normal_component + tangent_component = v; both are idempotent, and orthogonal to each other.
///  8. Pi(y + n) = y for every normal n with |n| < reach (for affine M: every n).
///  9. random_points lie on M.
class Manifold {
 public:
  virtual ~Manifold() = default;

  [[nodiscard]] Index ambient_dimension() const { return do_ambient_dimension(); }  ///< D
  [[nodiscard]] Index dimension() const { return do_dimension(); }                  ///< d
  [[nodiscard]] Index codimension() const { return ambient_dimension() - dimension(); }
  /// Largest r such that every x nearer than r to M has a unique nearest point; infinity for affine M, 0 for
  /// a polyhedron.
  [[nodiscard]] double reach() const { return do_reach(); }
  /// A length that sets the scale of tolerances: radius, bounding box; 1 for affine M.
  [[nodiscard]] double scale() const { return do_scale(); }
  /// Largest |h| accepted after a projection, in length units.
  [[nodiscard]] double constraint_tolerance() const { return do_constraint_tolerance(); }
  /// The manifold in the notation of the command line, e.g. "sphere:dim=2,radius=1".
  [[nodiscard]] std::string spec() const { return do_spec(); }

  /// Nearest points. A column without a unique or finite nearest point (0 on a sphere, NaN) does not
  /// converge. \throw InvalidInput unless \p x has D rows.
  [[nodiscard]] Projection project(const PointsRef& x) const;
  /// h(x) in length units, m×N; zero exactly on M. NaN columns give NaN.
  [[nodiscard]] Points residual(const PointsRef& x) const;
  /// Orthonormal bases of the normal spaces at the columns of \p y on M: D×(kN), k columns a point.
  [[nodiscard]] Points normal_bases(const PointsRef& y) const;
  /// Orthonormal bases of the tangent spaces: D×(dN).
  [[nodiscard]] Points tangent_bases(const PointsRef& y) const;
  /// U_N(y) c column by column, \p coordinates k×N -> D×N, without the bases: normal noise from numbers.
  [[nodiscard]] Points from_normal_coordinates(const PointsRef& y, const PointsRef& coordinates) const;
  /// P_N(y) v column by column, D×N.
  [[nodiscard]] Points normal_component(const PointsRef& y, const PointsRef& v) const;
  /// v - P_N(y) v.
  [[nodiscard]] Points tangent_component(const PointsRef& y, const PointsRef& v) const;
  /// \p n points spread over M, D×n: uniform where M has finite area, else a unit Gaussian on M. For tests
  /// and trivial rows.
  [[nodiscard]] Points random_points(Index n, Stream stream) const;

  // What some manifolds know beyond that: null, empty or nothing where M does not, which is the default. What is
  // returned may refer to the manifold and must not outlive it. The headers named define the answers.

  /// Exponential, logarithm, volume (manifolds/geodesics.hpp).
  [[nodiscard]] std::unique_ptr<Geodesics> geodesics() const;
  /// Where a point of the uniform distribution on M was before noise came (manifolds/uniform_posterior.hpp).
  [[nodiscard]] std::unique_ptr<UniformPosterior> uniform_posterior() const;
  /// The parts of Brownian motion on M that are independent and radial (manifolds/heat_kernel.hpp).
  [[nodiscard]] std::vector<HeatFactor> heat_factors() const;
  /// E log |det(I - S_n)| under the normal lift \p sigma (manifolds/normal_lift.hpp). \throw InvalidInput unless
  /// sigma > 0.
  [[nodiscard]] std::optional<TubeFactor> mean_log_tube_factor(double sigma) const;
  /// Probability that the nearest point of y + n is not y under the normal lift \p sigma, whatever the distribution on
  /// M, exactly. \pre sigma > 0
  [[nodiscard]] std::optional<double> flip_rate(double sigma) const;
  /// R where the distance of y and z along M is 2 R asin(|y - z|/2R).
  [[nodiscard]] std::optional<double> great_circle_radius() const;
  /// The protein backbones that points of M stand for (manifolds/chain_view.hpp); owned by the manifold.
  [[nodiscard]] const ChainView* chain_view() const;

 private:
  [[nodiscard]] virtual Index do_ambient_dimension() const = 0;
  [[nodiscard]] virtual Index do_dimension() const = 0;
  [[nodiscard]] virtual double do_reach() const = 0;
  [[nodiscard]] virtual double do_scale() const = 0;
  [[nodiscard]] virtual double do_constraint_tolerance() const = 0;
  [[nodiscard]] virtual std::string do_spec() const = 0;
  [[nodiscard]] virtual Projection do_project(const PointsRef& x) const = 0;
  [[nodiscard]] virtual Points do_residual(const PointsRef& x) const = 0;
  [[nodiscard]] virtual Points do_normal_bases(const PointsRef& y) const = 0;
  /// Default: completes the normal basis by a Householder QR.
  [[nodiscard]] virtual Points do_tangent_bases(const PointsRef& y) const;
  /// Default: through the normal basis, in blocks of points.
  [[nodiscard]] virtual Points do_from_normal_coordinates(const PointsRef& y, const PointsRef& coordinates) const;
  /// Default: through the normal basis.
  [[nodiscard]] virtual Points do_normal_component(const PointsRef& y, const PointsRef& v) const;
  [[nodiscard]] virtual Points do_random_points(Index n, Stream stream) const = 0;
  [[nodiscard]] virtual std::unique_ptr<Geodesics> do_geodesics() const;
  [[nodiscard]] virtual std::unique_ptr<UniformPosterior> do_uniform_posterior() const;
  [[nodiscard]] virtual std::vector<HeatFactor> do_heat_factors() const;
  [[nodiscard]] virtual std::optional<TubeFactor> do_mean_log_tube_factor(double sigma) const;
  [[nodiscard]] virtual std::optional<double> do_flip_rate(double sigma) const;
  [[nodiscard]] virtual std::optional<double> do_great_circle_radius() const;
  [[nodiscard]] virtual const ChainView* do_chain_view() const;
};

}  // namespace onmanifold
