// SPDX-License-Identifier: Apache-2.0
// backbone-8, backbone-16: real fragments; backbone-synthetic: a closed-form law of torsions. All on the
// manifold of chains with ideal bonds and angles, in the frame of the middle residue.
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"
#include "datasets/laws/ramachandran.hpp"
#include "datasets/readers/backbone_fragments.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/backbone.hpp"

namespace onmanifold {
namespace {

std::string backbone_metrics(bool masses) {
  return std::string(masses ? "tvd,js_divergence," : "") +
         "energy(space=torsions),mmd2_rbf_unbiased(space=torsions),coverage(k=5),rmsd_nearest(size=500),"
         "rmsd_pairwise(size=500),ramachandran_tvd,radius_of_gyration_w1,"
         "bond_length_error,bond_length_error_max,bond_angle_error,bond_angle_error_max,train_copy_rate,"
         "constraint_mean,constraint_max,projection_distance,"
         "projection_fail_rate";
}

/// What the three tasks have in common. A lift of 0.05 Å is 0.011 standardised units.
void set_backbone_defaults(Task& task, Settings& settings, bool masses) {
  task.preregistered_sigma = 0.05;
  task.sigma_grid = {0.05, 0.1, 0.2};
  task.metrics = settings.text("metrics", backbone_metrics(masses), "metric list, split at commas outside parentheses");
  task.smallest_noise =
      settings.number("s_min", 0.0035, 1e-6, 1.0, "smallest noise level of diffusions, in standardised units");
}

const BackboneGeometry& read_geometry(Settings& settings) {
  return backbone_geometry(
      settings.text("geometry", "engh-huber-1991", "bond lengths and angles: engh-huber-1991 or igfold"));
}

/// Frame of the middle residue; `planar_omega = true` makes the peptides flat and trans.
std::shared_ptr<const Backbone> read_backbone(Settings& settings, Index residues, const BackboneGeometry& geometry) {
  const bool planar = settings.boolean("planar_omega", false, "make the peptide bonds flat and trans");
  return std::make_shared<const Backbone>(residues, geometry, BackboneFrame::middle,
                                          planar ? BackboneOmega::planar : BackboneOmega::free);
}

Task make_fragment_task(Settings& settings, std::string name, Index residues) {
  const std::string path =
      settings.text("fragments", "", "file of backbone fragments; empty: those that come with the program");
  const BackboneGeometry& geometry = read_geometry(settings);
  const BackboneFragments fragments =
      middle_part(path.empty() ? shipped_backbone_fragments() : read_backbone_fragments(path), residues);
  const auto backbone = read_backbone(settings, residues, geometry);
  // Natural bonds and angles vary (0.01 Å, 1 to 3 degrees): keep the torsions and build anew.
  Points torsions = backbone_torsions(fragments.coordinates);
  if (backbone->planar_omega()) flatten_omega(torsions);
  const Points points = backbone->from_full_coordinates(build_backbone(torsions, geometry));

  Task task;
  task.name = std::move(name);
  task.version = 2;  // the same bits on every machine
  task.description = fmt::format(
      "{} real backbone fragments of {} residues ({}), torsions kept{}, bonds and angles those of {}, middle "
      "residue's frame; train, validation and reference split by structure and sequence cluster",
      points.cols(), residues, path.empty() ? "PDB chains, promod3-data 3.2.1" : path,
      backbone->planar_omega() ? " except for omega, which is 180 degrees" : "", geometry.name);
  Sha256 hash;
  hash.update(task.name + " " + backbone->spec());
  hash.update(points.data(), static_cast<std::size_t>(points.size()) * sizeof(double));
  hash.update(fragments.splits.data(), fragments.splits.size() * sizeof(fragments.splits[0]));
  task.data_hash = to_hex(hash.finish());
  task.manifold = backbone;
  task.splits = fragment_splits(fragments, points);
  task.source = fragments.origin;
  task.licence = fragments.licence;
  task.sampler = task.splits->validation;
  set_backbone_defaults(task, settings, false);
  return task;
}

}  // namespace

Task make_backbone_8(Settings& settings) {
  return make_fragment_task(settings, "backbone-8", 8);
}

Task make_backbone_16(Settings& settings) {
  return make_fragment_task(settings, "backbone-16", 16);
}

Task make_backbone_synthetic(Settings& settings) {
  const Index residues = settings.integer("residues", 8, 3, 512, "length of the chain");
  const Index bins = settings.integer("bins", 36, 1, 360, "bins of each torsion of the partition");
  const auto backbone = read_backbone(settings, residues, read_geometry(settings));
  const auto law = RamachandranLaw::standard(backbone);
  const auto partition = std::make_shared<const RamachandranPartition>(backbone, bins);

  Task task;
  task.name = "backbone-synthetic";
  task.version = 2;  // the same bits on every machine
  task.description = fmt::format(
      "backbones of {} residues from a mixture of wrapped normals over (phi, psi), residues independent, "
      "omega 180{} degrees, middle residue's frame",
      residues, backbone->planar_omega() ? "" : " ± 5.8");
  task.data_hash = hash_of_law(law->text());
  task.manifold = backbone;
  task.sampler = law;
  task.density = law;
  task.partition = partition;
  task.masses = partition->masses(*law);
  set_backbone_defaults(task, settings, true);
  return task;
}

}  // namespace onmanifold
