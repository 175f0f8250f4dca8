// SPDX-License-Identifier: Apache-2.0
#pragma once
// Root mean square deviation of two sets of atoms after the best rotation and translation \cite kabsch1976,
// and the metrics on conformations made of it. A sample is a column of 3 x atoms coordinates, xyz atom by
// atom.
//
// rmsd_nearest: mean over samples of the RMSD to the nearest reference point. rmsd_pairwise: mean over pairs
// of samples (diversity; a perfect model has the reference's). rmsd_cross: mean over all pairs of a sample
// and a reference point (a perfect model has the reference's pairwise value). Setting: size (columns drawn of
// both sets; 0: all). More than 10,000 points on a side are an error that says so: 10^8 superpositions take
// minutes; nothing is left out silently. O(N M atoms) and a 3x3 decomposition a pair; no array of all pairs.

#include <memory>

#include <Eigen/Core>

#include "core/points.hpp"
#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// The superposition of \p q on \p p.
struct Superposition {
  double rmsd = 0;                                         ///< sqrt(sum_a |p_a - R q_a|^2 / atoms), both centred
  Eigen::Matrix3d rotation = Eigen::Matrix3d::Identity();  ///< R, det +1: reflections are excluded
};
/// \p p, \p q 3×atoms, one atom a column. Planar and collinear sets are fine. The RMSD is that of the
/// residual after the rotation, which does not cancel. \throw InvalidInput unless sizes agree and there is an
/// atom.
[[nodiscard]] Superposition superpose(const PointsRef& p, const PointsRef& q);

[[nodiscard]] std::unique_ptr<Metric> make_rmsd_nearest(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_rmsd_pairwise(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_rmsd_cross(Settings& settings);

}  // namespace onmanifold
