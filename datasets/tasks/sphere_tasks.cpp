// SPDX-License-Identifier: Apache-2.0
// sphere-vmf6 and sphere-vmf2: mixtures of von Mises–Fisher laws on the unit sphere of R^3.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "datasets/laws/sphere_partition.hpp"
#include "datasets/laws/vmf_mixture.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/sphere.hpp"

namespace onmanifold {
namespace {

Task make_vmf_task(Settings& settings, std::string name, std::string description, std::vector<VmfMixture::Mode> modes) {
  std::string hashed = "vmf-mixture radius=1";
  for (const VmfMixture::Mode& mode : modes) {
    hashed += fmt::format(" {}:{}:{},{},{}", mode.mean[0], mode.mean[1], mode.mean[2], mode.kappa, mode.weight);
  }
  const auto law = std::make_shared<const VmfMixture>(std::move(modes));
  const Index bands = settings.integer("bands", 12, 1, 256, "bands of latitude of the partition");
  const Index sectors = settings.integer("sectors", 24, 1, 512, "sectors of longitude of the partition");
  const auto partition = std::make_shared<const SpherePartition>(bands, sectors);

  Task task;
  task.name = std::move(name);
  task.version = 2;  // the same bits on every machine
  task.description = std::move(description);
  task.data_hash = hash_of_law(hashed);
  task.manifold = std::make_shared<const Sphere>(2, 1.0);
  task.sampler = law;
  task.density = law;
  task.partition = partition;
  // 16 nodes a cell are exact to 1e-12 on the default cells; cells of a coarser grid are larger and need
  // more.
  const Index nodes = bands >= 12 && sectors >= 24 ? 16 : 96;
  task.masses = integrate_on_sphere(*law, *partition, nodes).masses;
  task.entropy = law->entropy().value();
  task.preregistered_sigma = 0.1 * std::min(1.0, law->standard_deviation());
  task.sigma_grid = {0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1};
  task.make_diffused_score = [law](const Lift& lift) { return make_diffused_vmf_mixture(*law, lift); };
  read_common_settings(task, settings, law->standard_deviation());
  return task;
}

}  // namespace

Task make_sphere_vmf6(Settings& settings) {
  // One end of each axis of the icosahedron: no two modes are antipodal, so that a flip of sign is visible.
  const double golden = (1 + std::sqrt(5.0)) / 2;
  const double a = 1 / std::sqrt(1 + golden * golden);
  const double b = golden * a;
  constexpr double kappa = 20;
  return make_vmf_task(
      settings, "sphere-vmf6",
      "six von Mises-Fisher modes, kappa = 20, one end of each axis of the icosahedron, weights .30 .22 "
      ".18 .14 .10 .06, on the unit sphere of R^3",
      {{{0, a, b}, kappa, 0.30},
       {{0, -a, b}, kappa, 0.22},
       {{a, b, 0}, kappa, 0.18},
       {{-a, b, 0}, kappa, 0.14},
       {{b, 0, a}, kappa, 0.10},
       {{b, 0, -a}, kappa, 0.06}});
}

Task make_sphere_vmf2(Settings& settings) {
  return make_vmf_task(
      settings, "sphere-vmf2",
      "two von Mises-Fisher modes, kappa = 15, around (1,0,0) and (0,1,0), weights 1/2, on the unit sphere "
      "of R^3",
      {{{1, 0, 0}, 15, 0.5}, {{0, 1, 0}, 15, 0.5}});
}

}  // namespace onmanifold
