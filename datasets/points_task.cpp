// SPDX-License-Identifier: Apache-2.0
#include "datasets/points_task.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/points_hash.hpp"
#include "datasets/task_settings.hpp"

namespace onmanifold {
namespace {

constexpr Index fewest_points = 30;

void check_on_manifold(const std::string& name, const PointsRef& points, const Manifold& manifold) {
  check_dimension(points, manifold.ambient_dimension(), name);
  check_finite(points, name);
  if (points.cols() < fewest_points) {
    throw InvalidInput(
        fmt::format("{}: {} points, but three parts need {} or more", name, points.cols(), fewest_points));
  }
  const double allowed = std::max(1e-6 * manifold.scale(), manifold.constraint_tolerance());
  const Points residual = manifold.residual(points);
  for (Index j = 0; j < points.cols(); ++j) {
    const double off = residual.col(j).cwiseAbs().maxCoeff();
    if (!(off <= allowed)) {
      throw InvalidInput(
          fmt::format("{}: row {} (counted from 0) is {:.3g} off the manifold {} (at most {:.3g}); "
                      "project the points first",
                      name, j, off, manifold.spec(), allowed));
    }
  }
}

DataSplits split(const PointsRef& points) {
  Stream order(0, fmt::format("points-task/split/{}", points.cols()));
  const std::vector<Index> rows = order.permutation(points.cols());
  const auto n = static_cast<std::size_t>(points.cols());
  const auto part = [&](std::size_t first, std::size_t last, const char* name) {
    const std::vector<Index> chosen(rows.begin() + static_cast<std::ptrdiff_t>(first),
                                    rows.begin() + static_cast<std::ptrdiff_t>(last));
    return std::make_shared<const SplitSampler>(points(Eigen::all, chosen), fmt::format("split '{}'", name));
  };
  return {part(0, n * 8 / 10, "train"), part(n * 8 / 10, n * 9 / 10, "validation"), part(n * 9 / 10, n, "reference")};
}

}  // namespace

Task make_points_task(const std::string& name, const PointsRef& points, std::shared_ptr<const Manifold> manifold) {
  check_on_manifold(name, points, *manifold);
  const double deviation = coordinate_deviation(points);
  if (!(deviation > 0)) throw InvalidInput(fmt::format("{}: all points are the same", name));
  Task task;
  task.name = name;
  task.splits = split(points);
  task.description = fmt::format("{} points of the user on {}: {} training, {} validation, {} reference", points.cols(),
                                 manifold->spec(), task.splits->train->size(), task.splits->validation->size(),
                                 task.splits->reference->size());
  task.data_hash = points_hash(points);
  task.manifold = std::move(manifold);
  task.sampler = task.splits->validation;
  const double reach = task.manifold->reach();
  task.preregistered_sigma = 0.1 * (reach > 0 ? std::min(deviation, reach) : deviation);
  task.metrics = fmt::format(
      "mmd2_rbf_unbiased(sigma={0:.2g}),coverage(k=5),cov_match,energy,train_copy_rate,constraint_mean,constraint_max,"
      "projection_distance",
      deviation);
  return task;
}

}  // namespace onmanifold
