// SPDX-License-Identifier: Apache-2.0
#include "datasets/tasks/superellipse_task.hpp"

#include <cmath>
#include <numbers>

#include "datasets/task_settings.hpp"
#include "manifolds/registry.hpp"

namespace onmanifold {
namespace {

class UniformAngles final : public Sampler {
 public:
  [[nodiscard]] Index dimension() const override { return 2; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override {
    const Points angles = 2 * std::numbers::pi * stream.uniform(1, n);
    Points points(2, n);
    for (Index i = 0; i < n; ++i) {
      const Eigen::Vector2d direction(std::cos(angles(i)), std::sin(angles(i)));
      points.col(i) = direction / std::sqrt(std::sqrt(direction.array().pow(4).sum()));
    }
    return points;
  }
};

}  // namespace

Task make_superellipse_task(Settings& settings) {
  Task task;
  task.name = "superellipse-uniform";
  task.description = "uniform angles on the curve x^4 + y^4 = 1";
  task.data_hash = hash_of_law("superellipse uniform angles power=4");
  task.manifold = make_manifold("superellipse:power=4");
  task.sampler = std::make_shared<UniformAngles>();
  task.preregistered_sigma = 0.05;
  task.sigma_grid = {0.05, 0.1};
  read_common_settings(task, settings, 0.8);
  return task;
}

}  // namespace onmanifold
