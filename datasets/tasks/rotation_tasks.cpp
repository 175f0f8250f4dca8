// SPDX-License-Identifier: Apache-2.0
// so3-mixture16, -32, -64 and so3-fisher: laws on the rotations in R^9.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/math/portable.hpp"
#include "datasets/laws/first_column_partition.hpp"
#include "datasets/laws/matrix_fisher.hpp"
#include "datasets/laws/wrapped_normal_mixture.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/rotation_group.hpp"

namespace onmanifold {
namespace {

/// What the tasks on SO(3) share; law, masses and name are set.
void finish_rotation_task(Task& task, Settings& settings, double standard_deviation) {
  task.version = 2;  // the same bits on every machine
  task.manifold = std::make_shared<const RotationGroup>();
  task.preregistered_sigma = 0.1 * std::min(task.manifold->reach(), standard_deviation);
  task.sigma_grid = {0.02, 0.05, 0.1, 0.2, 0.3, 0.5};
  // The distance in R^9 is 2 sqrt(2) sin(angle/2): a distance of negative type, which the angle itself is
  // not.
  task.metrics = settings.text("metrics", "energy,nll," + default_metrics(standard_deviation),
                               "metric list, split at commas outside parentheses");
  task.smallest_noise =
      settings.number("s_min", 0.01, 1e-6, 1.0, "smallest noise level of diffusions, in standardised units");
}

template <Index modes>
const WrappedNormalMixture& shared_mixture() {
  static const WrappedNormalMixture mixture(
      WrappedNormalMixture::draw_modes(modes, Stream(0, fmt::format("so3-mixture{}/modes", modes))));
  return mixture;
}

/// Likelihoods of the published tables, K = 16, 32, 64.
std::vector<PublishedNumber> published_likelihoods(Index modes) {
  struct Row {
    const char* method;
    std::array<double, 3> value;
    std::array<double, 3> spread;
    const char* source;
  };
  static const std::array<Row, 4> rows = {{
      {"Moser Flow", {-0.85, -0.17, 0.49}, {0.03, 0.03, 0.02}, "debortoli2022"},
      {"Exp-wrapped SGM", {-0.87, -0.16, 0.58}, {0.04, 0.03, 0.04}, "debortoli2022"},
      {"RSGM", {-0.89, -0.20, 0.49}, {0.03, 0.03, 0.02}, "debortoli2022"},
      {"M-FFF", {-0.87, -0.21, 0.45}, {0, 0, 0}, "sorrenson2024"},
  }};
  const std::size_t k = modes == 16 ? 0 : modes == 32 ? 1 : 2;
  std::vector<PublishedNumber> result;
  for (const Row& row : rows) result.push_back({"nll", row.method, row.value[k], row.spread[k], row.source});
  return result;
}

template <Index modes>
Task make_mixture(Settings& settings) {
  const auto law = std::shared_ptr<const WrappedNormalMixture>(std::shared_ptr<void>(), &shared_mixture<modes>());
  const auto partition = std::make_shared<const FirstColumnPartition>(
      settings.integer("bands", 12, 1, 256, "bands of latitude of the partition"),
      settings.integer("sectors", 24, 1, 512, "sectors of longitude of the partition"));
  std::string hashed = "wrapped-normal-mixture so3";
  for (const WrappedNormalMixture::Mode& mode : law->modes()) {
    hashed += fmt::format(" {}:{}:{}:{},{}", mode.quaternion[0], mode.quaternion[1], mode.quaternion[2],
                          mode.quaternion[3], mode.deviation);
  }
  Task task;
  task.name = fmt::format("so3-mixture{}", modes);
  task.description = fmt::format(
      "{} wrapped normals of equal weight on SO(3), Haar modes, precision Gamma(100,1) (0.07 rad an axis); "
      "floor of "
      "the negative log-likelihood with respect to rotation-vector volume {:.4f} nats (entropy - 1.5 log 2)",
      modes, law->entropy_of_rotation_vectors());
  task.data_hash = hash_of_law(hashed);
  task.published = published_likelihoods(modes);
  task.published_note = fmt::format(
      "they are with respect to rotation vectors, 1.5 log 2 = {:.4f} below the volume that nll uses here, and of other "
      "draws of the modes, whose floors spread by 0.04",
      1.5 * portable::log(2.0));
  task.sampler = law;
  task.density = law;
  task.partition = partition;
  static const Vector default_masses = law->first_column_masses(SpherePartition(12, 24));  // for each number of modes
  const SpherePartition& cells = partition->sphere();
  task.masses = cells.bands() == 12 && cells.sectors() == 24 ? default_masses : law->first_column_masses(cells);
  task.entropy = law->entropy().value();
  finish_rotation_task(task, settings, law->standard_deviation());
  return task;
}

std::vector<FisherMixture::Mode> fisher_modes() {
  Eigen::Matrix3d first = Eigen::Matrix3d::Zero();
  first(0, 0) = 30;
  first(1, 1) = 15;
  first(2, 2) = 5;
  // Quarter turns about the three axes, written out: no rounding.
  Eigen::Matrix3d x;
  Eigen::Matrix3d y;
  Eigen::Matrix3d z;
  x << 1, 0, 0, 0, 0, -1, 0, 1, 0;
  y << 0, 0, 1, 0, 1, 0, -1, 0, 0;
  z << 0, -1, 0, 1, 0, 0, 0, 0, 1;
  return {{first, 0.4}, {20 * x, 0.3}, {20 * y, 0.2}, {20 * z, 0.1}};
}

const FisherMixture& shared_fisher() {
  static const FisherMixture mixture(fisher_modes());
  return mixture;
}

}  // namespace

Task make_so3_mixture16(Settings& settings) {
  return make_mixture<16>(settings);
}

Task make_so3_mixture32(Settings& settings) {
  return make_mixture<32>(settings);
}

Task make_so3_mixture64(Settings& settings) {
  return make_mixture<64>(settings);
}

Task make_so3_fisher(Settings& settings) {
  const auto law = std::shared_ptr<const FisherMixture>(std::shared_ptr<void>(), &shared_fisher());
  const auto partition = std::make_shared<const FirstColumnPartition>(
      settings.integer("bands", 12, 1, 256, "bands of latitude of the partition"),
      settings.integer("sectors", 24, 1, 512, "sectors of longitude of the partition"));
  std::string hashed = "matrix-fisher-mixture so3";
  for (const FisherMixture::Mode& mode : law->modes()) {
    hashed += fmt::format(" {},{}", fmt::join(mode.parameter.data(), mode.parameter.data() + 9, ":"), mode.weight);
  }
  Task task;
  task.name = "so3-fisher";
  task.description = fmt::format(
      "mixture of four matrix Fisher laws on SO(3), diag(30,15,5) and 20 times quarter turns about the axes, "
      "weights "
      ".4 .3 .2 .1; entropy {:.6f} nats with respect to rotation-vector volume",
      law->entropy_of_rotation_vectors());
  task.data_hash = hash_of_law(hashed);
  task.sampler = law;
  task.density = law;
  task.partition = partition;
  task.masses = law->first_column_masses(partition->sphere());
  task.entropy = law->entropy().value();
  task.make_diffused_score = [law](const Lift& lift) { return make_diffused_fisher_mixture(*law, lift); };
  finish_rotation_task(task, settings, law->standard_deviation());
  return task;
}

}  // namespace onmanifold
