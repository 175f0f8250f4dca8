// SPDX-License-Identifier: Apache-2.0
// sphere-in-16d and circle-in-16d: known laws on isometric images of sphere and circle in R^16.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "core/math/portable.hpp"
#include "core/math/summation.hpp"
#include "datasets/laws/embedded_law.hpp"
#include "datasets/laws/sphere_partition.hpp"
#include "datasets/laws/vmf_mixture.hpp"
#include "datasets/laws/von_mises_mixture.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/orbit_embedding.hpp"

namespace onmanifold {
namespace {

/// Root of the mean variance over the coordinates of f(u), from E f(u) by a rule of \p nodes parameters and
/// \p weights.
double embedded_deviation(const OrbitEmbedding& embedding, const Density& law, const Points& nodes,
                          const Vector& weights) {
  const Points images = embedding.embed(nodes);
  Vector mass = law.log_density(nodes);
  for (Index j = 0; j < mass.size(); ++j) mass[j] = portable::exp(mass[j]) * weights[j];
  double square = 0;
  for (Index i = 0; i < images.rows(); ++i) {
    const double mean = tree_sum_over(mass.size(), [&](Index j) { return mass[j] * images(i, j); });
    square += mean * mean;
  }
  const double norm = embedding.scale();
  return std::sqrt((norm * norm - square) / static_cast<double>(embedding.ambient_dimension()));
}

void finish_embedded_task(Task& task, Settings& settings, double standard_deviation) {
  task.version = 2;  // the same bits on every machine
  task.preregistered_sigma = 0.1 * std::min(task.manifold->reach(), standard_deviation);
  task.sigma_grid = {0.005, 0.01, 0.02, 0.05, 0.1, 0.2};
  read_common_settings(task, settings, standard_deviation);
}

}  // namespace

Task make_sphere_in_16d(Settings& settings) {
  const auto embedding = std::make_shared<const SphereIn16d>();
  Settings defaults(Value(Value::Table{}), "sphere-vmf6");
  const Task sphere = make_sphere_vmf6(defaults);
  const auto law = std::make_shared<const EmbeddedLaw>(embedding, sphere.sampler, sphere.density);
  const Index bands = settings.integer("bands", 12, 1, 256, "bands of latitude of the partition");
  const Index sectors = settings.integer("sectors", 24, 1, 512, "sectors of longitude of the partition");
  const auto cells = std::make_shared<const SpherePartition>(bands, sectors);

  Task task;
  task.name = "sphere-in-16d";
  task.description =
      "the law of sphere-vmf6 on S2 embedded isometrically in R^16 by spherical harmonics of degree 1 to 3";
  task.data_hash = hash_of_law("sphere-in-16d harmonics=1/2:1/12:1/24 reflected " + sphere.data_hash);
  task.manifold = embedding;
  task.sampler = law;
  task.density = law;
  task.partition = std::make_shared<const EmbeddedPartition>(embedding, cells);
  task.masses = integrate_on_sphere(*sphere.density, *cells, bands >= 12 && sectors >= 24 ? 16 : 96).masses;
  task.entropy = sphere.entropy;
  const SphereRule rule = sphere_rule(40);
  finish_embedded_task(task, settings, embedded_deviation(*embedding, *sphere.density, rule.points, rule.weights));
  return task;
}

Task make_circle_in_16d(Settings& settings) {
  const auto embedding = std::make_shared<const CircleIn16d>();
  const auto circle = std::make_shared<const VonMisesMixture>(
      std::vector<VonMisesMixture::Mode>{{{0.0}, {8.0}, 0.5}, {{2.0}, {8.0}, 0.3}, {{4.0}, {8.0}, 0.2}});
  const auto law = std::make_shared<const EmbeddedLaw>(embedding, circle, circle);
  const auto cells = std::make_shared<const TorusPartition>(
      1, settings.integer("bins", 128, 1, 4096, "bins along each axis of the partition"));

  Task task;
  task.name = "circle-in-16d";
  task.description =
      "three von Mises laws, kappa = 8, means 0, 2, 4, weights .5 .3 .2, on the circle embedded in R^16 by "
      "eight "
      "Fourier modes at unit speed";
  task.data_hash = hash_of_law("circle-in-16d modes=8 von-mises 0:8:.5 2:8:.3 4:8:.2");
  task.manifold = embedding;
  task.sampler = law;
  task.density = law;
  task.partition = std::make_shared<const EmbeddedPartition>(embedding, cells);
  task.masses = circle->masses(*cells);
  task.entropy = circle->entropy().value();
  constexpr Index steps = 512;
  Points nodes(2, steps);
  for (Index i = 0; i < steps; ++i) {
    const double angle = 2 * M_PI * static_cast<double>(i) / static_cast<double>(steps);
    nodes.col(i) << portable::cos(angle), portable::sin(angle);
  }
  const Vector weights = Vector::Constant(steps, 2 * M_PI / static_cast<double>(steps));
  finish_embedded_task(task, settings, embedded_deviation(*embedding, *circle, nodes, weights));
  return task;
}

}  // namespace onmanifold
