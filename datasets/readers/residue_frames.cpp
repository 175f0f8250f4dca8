// SPDX-License-Identifier: Apache-2.0
// Rotations between the frames of consecutive residues, and the task so3-frames that is made of them.
#include "datasets/readers/residue_frames.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"
#include "datasets/readers/backbone_fragments.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/rotation_group.hpp"

namespace onmanifold {
namespace {

Eigen::Matrix3d residue_frame(const PointsRef& coordinates, Index fragment, Index residue) {
  const auto atom = [&](Index k) {
    const Index first = 9 * residue + 3 * k;
    return Eigen::Vector3d(coordinates(first, fragment), coordinates(first + 1, fragment),
                           coordinates(first + 2, fragment));
  };
  const Eigen::Vector3d to_c = atom(2) - atom(1);
  const Eigen::Vector3d to_n = atom(0) - atom(1);
  const Eigen::Vector3d normal = to_c.cross(to_n);
  // Half a degree from a line is no residue; NaN fails too.
  if (!(normal.norm() > 0.01 * to_c.norm() * to_n.norm())) {
    throw InvalidInput(fmt::format("fragment {}, residue {}: N, CA and C lie on a line", fragment, residue));
  }
  Eigen::Matrix3d frame;
  frame.col(0) = to_c.normalized();
  frame.col(2) = normal.normalized();
  frame.col(1) = frame.col(2).cross(frame.col(0));
  return frame;
}

}  // namespace

Points relative_residue_rotations(const PointsRef& coordinates, Index residue) {
  if (coordinates.rows() % 9 != 0 || residue < 0 || 9 * (residue + 2) > coordinates.rows()) {
    throw InvalidInput(fmt::format("relative rotation of residues {} and {}: fragments have {} coordinates", residue,
                                   residue + 1, coordinates.rows()));
  }
  Points result(9, coordinates.cols());
  for (Index j = 0; j < coordinates.cols(); ++j) {
    const Eigen::Matrix3d turn =
        residue_frame(coordinates, j, residue).transpose() * residue_frame(coordinates, j, residue + 1);
    for (Index row = 0; row < 3; ++row) {
      for (Index column = 0; column < 3; ++column) result(3 * row + column, j) = turn(row, column);
    }
  }
  return result;
}

Task make_so3_frames(Settings& settings) {
  const std::string path =
      settings.text("fragments", "", "file of backbone fragments; empty: those that come with the program");
  const BackboneFragments own = path.empty() ? BackboneFragments{} : read_backbone_fragments(path);
  const BackboneFragments& fragments = path.empty() ? shipped_backbone_fragments() : own;
  // One rotation a fragment, from its middle: two of one fragment would depend on each other.
  const Points points = relative_residue_rotations(fragments.coordinates, (fragments.residues - 1) / 2);
  Task task;
  task.name = "so3-frames";
  task.version = 2;  // the same bits on every machine
  task.description = fmt::format(
      "rotations between the frames of two consecutive residues (Gram-Schmidt of N, CA, C) in the middle of "
      "{} real "
      "backbone fragments ({}); train, validation and reference split by structure and sequence cluster",
      points.cols(), path.empty() ? "PDB chains, promod3-data 3.2.1" : path);
  Sha256 hash;
  hash.update(task.name);
  hash.update(points.data(), static_cast<std::size_t>(points.size()) * sizeof(double));
  hash.update(fragments.splits.data(), fragments.splits.size() * sizeof(fragments.splits[0]));
  task.data_hash = to_hex(hash.finish());
  task.manifold = std::make_shared<const RotationGroup>();
  task.splits = fragment_splits(fragments, points);
  task.source = fragments.origin;
  task.licence = fragments.licence;
  task.sampler = task.splits->validation;
  const double deviation = coordinate_deviation(task.splits->train->points());
  task.preregistered_sigma = 0.1 * std::min(task.manifold->reach(), deviation);
  task.sigma_grid = {0.02, 0.05, 0.1, 0.2, 0.3, 0.5};
  task.metrics = settings.text("metrics",
                               fmt::format("energy,mmd2_rbf_unbiased(sigma={:.2g}),coverage(k=5),cov_match,"
                                           "train_copy_rate,constraint_mean,constraint_max,"
                                           "projection_distance",
                                           deviation),
                               "metric list, split at commas outside parentheses");
  task.smallest_noise =
      settings.number("s_min", 0.01, 1e-6, 1.0, "smallest noise level of diffusions, in standardised units");
  return task;
}

}  // namespace onmanifold
