// SPDX-License-Identifier: Apache-2.0
// torus-vm: a mixture of products of von Mises laws on the flat torus of R^4.
#include <algorithm>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/task_settings.hpp"
#include "datasets/von_mises_mixture.hpp"
#include "manifolds/torus.hpp"

namespace onmanifold {
namespace {

std::shared_ptr<const DiffusedScore> diffuse_von_mises(const Task& task, const Lift& lift) {
  const auto mixture = std::dynamic_pointer_cast<const VonMisesMixture>(task.density);
  return mixture == nullptr ? nullptr : make_diffused_von_mises(*mixture, lift);
}

}  // namespace

Task make_torus_vm(Settings& settings) {
  // The four regions of a Ramachandran plot, (phi, psi) in degrees; kappa = 1/width² with widths of 10 to 20
  // degrees.
  constexpr double degree = M_PI / 180;
  const auto law = std::make_shared<const VonMisesMixture>(
      std::vector<VonMisesMixture::Mode>{{{-63 * degree, -43 * degree}, {30, 30}, 0.4},
                                         {{-120 * degree, 130 * degree}, {8, 10}, 0.3},
                                         {{-70 * degree, 145 * degree}, {20, 20}, 0.2},
                                         {{57 * degree, 40 * degree}, {25, 25}, 0.1}});
  const auto partition = std::make_shared<const TorusPartition>(2, settings.integer("bins", 24, 1, 1024));
  std::string hashed = "von-mises-mixture torus";
  for (const VonMisesMixture::Mode& mode : law->modes()) {
    hashed += fmt::format(" {},{},{}", fmt::join(mode.means, ":"), fmt::join(mode.kappas, ":"), mode.weight);
  }
  Task task;
  task.name = "torus-vm";
  task.description =
      "four products of von Mises laws on the flat torus of R^4, at the regions of a Ramachandran plot, "
      "(phi, psi) = "
      "(-63,-43) (-120,130) (-70,145) (57,40) degrees, weights .4 .3 .2 .1; the concentrations are our "
      "choice";
  task.data_hash = hash_of_law(hashed);
  task.manifold = std::make_shared<const Torus>(2);
  task.sampler = law;
  task.density = law;
  task.partition = partition;
  task.masses = law->masses(*partition);
  task.entropy = law->entropy().value();
  task.preregistered_sigma = 0.1 * std::min(1.0, law->standard_deviation());
  task.sigma_grid = {0.01, 0.03, 0.1, 0.2, 0.3};
  task.make_diffused_score = diffuse_von_mises;
  read_common_settings(task, settings, law->standard_deviation());
  return task;
}

}  // namespace onmanifold
