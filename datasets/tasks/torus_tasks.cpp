// SPDX-License-Identifier: Apache-2.0
// circle-vm: a von Mises law on the circle. torus-vm: a mixture of products of von Mises laws on the flat torus of R^4.
// torus-ramachandran: the (phi, psi) of real residues there.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/files/sha256.hpp"
#include "core/math/portable.hpp"
#include "datasets/laws/von_mises_mixture.hpp"
#include "datasets/readers/backbone_fragments.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/backbone_geometry.hpp"
#include "manifolds/torus.hpp"

namespace onmanifold {
namespace {

/// What the tasks of von Mises laws share.
Task make_von_mises_task(const std::string& name, std::shared_ptr<const VonMisesMixture> law, Index bins,
                         Settings& settings) {
  const auto partition = std::make_shared<const TorusPartition>(
      law->angles(), settings.integer("bins", bins, 1, 1024, "bins along each axis of the partition"));
  std::string hashed = "von-mises-mixture torus";
  for (const VonMisesMixture::Mode& mode : law->modes()) {
    hashed += fmt::format(" {},{},{}", fmt::join(mode.means, ":"), fmt::join(mode.kappas, ":"), mode.weight);
  }
  Task task;
  task.name = name;
  task.version = 2;  // the same bits on every machine
  task.data_hash = hash_of_law(hashed);
  task.manifold = std::make_shared<const Torus>(law->angles());
  task.sampler = law;
  task.density = law;
  task.partition = partition;
  task.masses = law->masses(*partition);
  task.entropy = law->entropy().value();
  task.preregistered_sigma = 0.1 * std::min(1.0, law->standard_deviation());
  task.sigma_grid = {0.01, 0.03, 0.1, 0.2, 0.3};
  task.make_diffused_score = [law](const Lift& lift) { return make_diffused_von_mises(*law, lift); };
  read_common_settings(task, settings, law->standard_deviation());
  return task;
}

}  // namespace

Task make_circle_vm(Settings& settings) {
  const auto law = std::make_shared<const VonMisesMixture>(std::vector<VonMisesMixture::Mode>{{{0.0}, {1.0}, 1.0}});
  Task task = make_von_mises_task("circle-vm", law, 32, settings);
  task.description =
      "von Mises law with concentration 1 on the unit circle of R^2: the published demonstration of overfitting, with "
      "1,000 training points there";
  return task;
}

Task make_torus_vm(Settings& settings) {
  // The four regions of a Ramachandran plot, (phi, psi) in degrees; kappa = 1/width² with widths of 10 to 20
  // degrees.
  constexpr double degree = M_PI / 180;
  const auto law = std::make_shared<const VonMisesMixture>(
      std::vector<VonMisesMixture::Mode>{{{-63 * degree, -43 * degree}, {30, 30}, 0.4},
                                         {{-120 * degree, 130 * degree}, {8, 10}, 0.3},
                                         {{-70 * degree, 145 * degree}, {20, 20}, 0.2},
                                         {{57 * degree, 40 * degree}, {25, 25}, 0.1}});
  Task task = make_von_mises_task("torus-vm", law, 24, settings);
  task.description =
      "four products of von Mises laws on the flat torus of R^4, at the regions of a Ramachandran plot, (phi, psi) = "
      "(-63,-43) (-120,130) (-70,145) (57,40) degrees, weights .4 .3 .2 .1; the concentrations are our choice";
  return task;
}

Task make_torus_ramachandran(Settings& settings) {
  const std::string path =
      settings.text("fragments", "", "file of backbone fragments; empty: those that come with the program");
  const BackboneFragments own = path.empty() ? BackboneFragments{} : read_backbone_fragments(path);
  const BackboneFragments& fragments = path.empty() ? shipped_backbone_fragments() : own;
  if (fragments.residues < 3)
    throw InvalidInput(
        "task torus-ramachandran: fragments of fewer than 3 residues have no phi and psi of one residue");
  // One residue a fragment, the middle one: two of one fragment would depend on each other. Torsions come in
  // the order psi_0, omega_0, phi_1, psi_1, …
  const Index residue = middle_residue(fragments.residues);
  const Points torsions = backbone_torsions(fragments.coordinates);
  Points points(4, torsions.cols());
  for (Index j = 0; j < torsions.cols(); ++j) {
    const double phi = torsions(3 * residue - 1, j);
    const double psi = torsions(3 * residue, j);
    points.col(j) << portable::cos(phi), portable::sin(phi), portable::cos(psi), portable::sin(psi);
  }
  Task task;
  task.name = "torus-ramachandran";
  task.version = 2;  // the same bits on every machine
  task.description = fmt::format(
      "(phi, psi) of the middle residue of {} real backbone fragments ({}) on the flat torus of R^4; train, "
      "validation and reference split by structure and sequence cluster",
      points.cols(), path.empty() ? "PDB chains, promod3-data 3.2.1" : path);
  Sha256 hash;
  hash.update(task.name);
  hash.update(points.data(), static_cast<std::size_t>(points.size()) * sizeof(double));
  hash.update(fragments.splits.data(), fragments.splits.size() * sizeof(fragments.splits[0]));
  task.data_hash = to_hex(hash.finish());
  task.source = fragments.origin;
  task.licence = fragments.licence;
  task.manifold = std::make_shared<const Torus>(2);
  task.partition = std::make_shared<const TorusPartition>(
      2, settings.integer("bins", 24, 1, 1024, "bins along each axis of the partition"));
  task.splits = fragment_splits(fragments, points);
  task.sampler = task.splits->validation;
  const Points& train = task.splits->train->points();
  const double deviation = coordinate_deviation(train);
  task.preregistered_sigma = 0.1 * std::min(1.0, deviation);
  task.sigma_grid = {0.01, 0.03, 0.1, 0.2, 0.3};
  task.metrics = settings.text("metrics", "energy," + default_metrics(deviation),
                               "metric list, split at commas outside parentheses");
  task.smallest_noise =
      settings.number("s_min", 0.01, 1e-6, 1.0, "smallest noise level of diffusions, in standardised units");
  return task;
}

}  // namespace onmanifold
