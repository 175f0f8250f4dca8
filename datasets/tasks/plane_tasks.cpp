// SPDX-License-Identifier: Apache-2.0
// plane-gmm9 and plane-smiley: laws on the plane (1,2,3)·x/√14 = 1 of R^3.
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "datasets/laws/planar_mixture.hpp"
#include "datasets/laws/plane_frame.hpp"
#include "datasets/laws/smiley.hpp"
#include "datasets/task_settings.hpp"

namespace onmanifold {
namespace {

/// Lift levels of the published sweep.
const std::vector<double> plane_sigmas = {0.01, 0.03, 0.1, 0.3, 0.5, 1, 3};

}  // namespace

Task make_plane_gmm9(Settings& settings) {
  constexpr double width = 0.1;
  const PlaneFrame frame;
  const auto law = std::make_shared<const PlanarMixture>(PlanarMixture::grid9(frame, width));
  // 1.6 puts the centres on edges of the default grid and leaves 1e-8 of the mass outside.
  const auto partition = std::make_shared<const PlanePartition>(
      frame, 1.6, settings.integer("bins", 32, 1, 1024, "bins along each axis of the partition"));

  Task task;
  task.name = "plane-gmm9";
  task.version = 2;  // the same bits on every machine
  task.description =
      "3x3 grid of Gaussians (centres {-1,0,1}^2, standard deviation 0.1, equal weights) in the plane "
      "(1,2,3).x/sqrt(14) = 1 "
      "of R^3; the standard deviation is our choice";
  task.data_hash = hash_of_law(
      fmt::format("planar-mixture grid=3 spacing=1 width={} normal=1:2:3 offset={}", width, frame.offset()));
  task.manifold = std::make_shared<const Affine>(frame.manifold());
  task.sampler = law;
  task.density = law;
  task.partition = partition;
  task.masses = law->masses(*partition);
  task.entropy = law->entropy().value();
  task.preregistered_sigma = 0.1 * law->standard_deviation();  // a plane has no reach that would be smaller
  task.sigma_grid = plane_sigmas;
  task.make_diffused_score = [law](const Lift& lift) { return make_diffused_planar_mixture(*law, lift); };
  read_common_settings(task, settings, law->standard_deviation());
  return task;
}

Task make_plane_smiley(Settings& settings) {
  constexpr double jitter = 0.02;
  const PlaneFrame frame;
  const auto law = std::make_shared<const Smiley>(frame, jitter);
  const auto partition = std::make_shared<const PlanePartition>(
      frame, 1.28, settings.integer("bins", 32, 1, 1024, "bins along each axis of the partition"));

  Task task;
  task.name = "plane-smiley";
  task.version = 2;  // the same bits on every machine
  task.description =
      "smiley (unit circle 1/2, two eyes 1/8 each, mouth 1/4) with tangential jitter 0.02 in the plane "
      "(1,2,3).x/sqrt(14) = "
      "1 of R^3; the jitter is our addition: without it the law has no density in the plane";
  task.data_hash = hash_of_law(fmt::format("smiley jitter={} normal=1:2:3 offset={}", jitter, frame.offset()));
  task.manifold = std::make_shared<const Affine>(frame.manifold());
  task.sampler = law;
  task.density = law;
  task.partition = partition;
  task.masses = law->masses(*partition);
  task.entropy = law->entropy().value();
  task.preregistered_sigma = 0.1 * law->standard_deviation();
  task.sigma_grid = plane_sigmas;
  read_common_settings(task, settings, law->standard_deviation());
  return task;
}

}  // namespace onmanifold
