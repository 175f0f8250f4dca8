// SPDX-License-Identifier: Apache-2.0
// linear-64d: a mixture of Gaussians along a subspace of high codimension.
#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "datasets/laws/subspace_mixture.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/affine.hpp"
#include "manifolds/random_frame.hpp"

namespace onmanifold {
namespace {

/// The largest number with bins^dimension <= 1024: 32 for a plane.
Index default_bins(Index dimension) {
  Index bins = 1;
  while (portable::power(static_cast<double>(bins + 1), static_cast<int>(dimension)) <= 1024) ++bins;
  return bins;
}

}  // namespace

Task make_linear_64d(Settings& settings) {
  constexpr double width = 0.1;
  const Index ambient = settings.integer("ambient", 64, 2, 256, "dimension D of the space around it");
  const Index dimension = settings.integer("dim", 2, 1, 8, "dimension of the manifold");
  if (dimension >= ambient) {
    throw InvalidInput(
        fmt::format("{}: {} must be less than ambient = {}", settings.locate("dim"), dimension, ambient));
  }
  const Index bins =
      settings.integer("bins", default_bins(dimension), 1, 4096, "bins along each axis of the partition");
  const Points directions = random_frame(ambient);
  // The next direction is normal to the subspace: its point nearest to 0, as in Affine::subspace.
  const SubspaceFrame frame{directions.leftCols(dimension), directions.col(dimension)};
  // Turned on from coordinate to coordinate, so that no reflection and no exchange of coordinates keeps the
  // law.
  constexpr std::array<double, 3> shares = {0.5, 0.3, 0.2};
  Eigen::MatrixXd weights(dimension, 3);
  for (Index i = 0; i < dimension; ++i) {
    for (Index m = 0; m < 3; ++m) weights(i, m) = shares[static_cast<std::size_t>((m + 3 - i % 3) % 3)];
  }
  const auto law = std::make_shared<const SubspaceMixture>(frame, Eigen::Vector3d(-1, 0, 1), weights, width);
  // 1.6: six widths beyond the outer centres, the edges of plane-gmm9.
  const auto partition = std::make_shared<const SubspacePartition>(frame, 1.6, bins);

  Task task;
  task.version = 2;  // the same bits on every machine
  task.name = fmt::format("linear-{}d", ambient);
  if (dimension != 2) task.name += fmt::format("-dim{}", dimension);
  task.description = fmt::format(
      "3^{0} Gaussians (centres {{-1,0,1}}^{0}, standard deviation {1}, weights products of .5 .3 .2) along "
      "an affine "
      "subspace of dimension {0} of R^{2} in fixed random directions",
      dimension, width, ambient);
  task.data_hash =
      hash_of_law(fmt::format("subspace-mixture frame=0/frame/{} dim={} offset=1 spacing=1 width={} "
                              "weights=.5:.3:.2 turned",
                              ambient, dimension, width));
  task.manifold = std::make_shared<const Affine>(Affine::subspace(dimension, ambient));
  task.sampler = law;
  task.density = law;
  task.partition = partition;
  task.masses = law->masses(*partition);
  task.entropy = law->entropy().value();
  task.preregistered_sigma = 0.1 * law->standard_deviation();  // a subspace has no reach that would be smaller
  task.sigma_grid = {0.003, 0.01, 0.03, 0.1, 0.3, 1};
  task.make_diffused_score = [law](const Lift& lift) { return make_diffused_subspace_mixture(*law, lift); };
  read_common_settings(task, settings, law->standard_deviation());
  return task;
}

}  // namespace onmanifold
