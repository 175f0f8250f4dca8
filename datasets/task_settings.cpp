// SPDX-License-Identifier: Apache-2.0
#include "datasets/task_settings.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/files/sha256.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {

std::string default_metrics(double data_std) {
  return fmt::format(
      "tvd,js_divergence,coverage(k=5),cov_match,mmd2_rbf_biased(sigma={0:.2g}),mmd2_rbf_unbiased(sigma={0:."
      "2g}),"
      "train_copy_rate,constraint_mean,constraint_max,projection_distance",
      data_std);
}

void read_common_settings(Task& task, Settings& settings, double data_std) {
  task.metrics =
      settings.text("metrics", default_metrics(data_std), "metric list, split at commas outside parentheses");
  task.smallest_noise =
      settings.number("s_min", 0.01, 1e-6, 1.0, "smallest noise level of diffusions, in standardised units");
}

double coordinate_deviation(const PointsRef& points) {
  const Vector mean = tree_mean(points);
  TreeSum squares;
  for (Index j = 0; j < points.cols(); ++j) {
    for (Index i = 0; i < points.rows(); ++i) squares.add((points(i, j) - mean[i]) * (points(i, j) - mean[i]));
  }
  return std::sqrt(squares.sum() / static_cast<double>(points.size()));
}

std::string hash_of_law(std::string_view law) {
  return to_hex(sha256(law));
}

}  // namespace onmanifold
