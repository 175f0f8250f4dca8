// SPDX-License-Identifier: Apache-2.0
#pragma once
// A task made of somebody's points on a known manifold.

#include <memory>
#include <string>

#include "datasets/task.hpp"

namespace onmanifold {

/// The distribution that \p points, D×N, were drawn from, known by them only: a random 80 % to train on, 10 % that
/// stand for fresh draws, 10 % as the reference. The split depends on the number of points alone, the data hash on all
/// of them. Its metrics need no partition; the pre-registered lift is a tenth of the smaller of the data's standard
/// deviation and the reach. \throw InvalidInput that names \p name and the first point off \p manifold by more than
/// 1e-6 of its scale, or fewer than 30 points.
[[nodiscard]] Task make_points_task(const std::string& name, const PointsRef& points,
                                    std::shared_ptr<const Manifold> manifold);

}  // namespace onmanifold
