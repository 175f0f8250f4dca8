// SPDX-License-Identifier: Apache-2.0
#pragma once
// Exact nearest neighbours: a k-d tree in low dimension, blocked matrix products in high dimension. Both give
// the same bits: a distance that decides anything is the plain sum of squared differences, and ties go to the
// lowest index.

#include <functional>
#include <memory>
#include <vector>

#include "core/points.hpp"

namespace onmanifold {

/// One neighbour a query.
struct Neighbours {
  Eigen::Matrix<Index, Eigen::Dynamic, 1> index;
  Vector squared_distance;
};

/// What falls into balls.
struct BallCounts {
  Eigen::Matrix<Index, Eigen::Dynamic, 1> inside;  ///< points in each ball
  Eigen::Matrix<Index, Eigen::Dynamic, 1> some;    ///< a point of each ball: the only one, if it has one; -1: none
  Eigen::Array<bool, Eigen::Dynamic, 1> covered;   ///< whether a point is in some ball
};

/// A fixed set of points to search in.
class NeighbourIndex {
 public:
  enum class Method { automatic, tree, products };
  /// Largest D for which the tree is chosen. On Gaussian points the two are level at D = 8
  /// (benchmarks/metric_benchmark); points on a manifold of lower dimension favour the tree for longer.
  static constexpr Index tree_dimension = 10;

  /// \p points D×N, finite, outlives the index; N >= 1. Cost: tree O(N log N). \throw NumericalFailure, as everything
  /// that takes queries, for coordinates whose squares overflow.
  explicit NeighbourIndex(const Points& points, Method method = Method::automatic);
  ~NeighbourIndex();
  NeighbourIndex(const NeighbourIndex&) = delete;
  NeighbourIndex& operator=(const NeighbourIndex&) = delete;

  /// Nearest point of the set to every column of \p queries.
  [[nodiscard]] Neighbours nearest(const Points& queries) const;
  /// Nearest OTHER point of the set to each of its points. \throw InvalidInput for a single point.
  [[nodiscard]] Neighbours nearest_other() const;
  /// Calls visit(query, points) with all points of the set at the smallest distance from every column of \p queries, in
  /// no certain order.
  using TieVisitor = std::function<void(Index query, const std::vector<Index>& nearest)>;
  void all_nearest(const Points& queries, const TieVisitor& visit) const;
  /// The same for the points of the set, each without itself. \throw InvalidInput for a single point.
  void all_nearest_others(const TieVisitor& visit) const;
  /// Squared distance of every point of the set to its k-th nearest OTHER point. \throw InvalidInput unless 1
  /// <= k < N.
  [[nodiscard]] Vector kth_squared_distance(Index k) const;
  /// Points of the set inside the balls around \p centres: d^2 < r^2, or <= if \p closed.
  [[nodiscard]] BallCounts within(const Points& centres, const VectorRef& squared_radii, bool closed) const;

  class Search;

 private:
  std::unique_ptr<Search> search_;
};

}  // namespace onmanifold
