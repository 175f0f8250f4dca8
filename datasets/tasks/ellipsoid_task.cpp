// SPDX-License-Identifier: Apache-2.0
// ellipsoid: the law of sphere-vmf6 on a surface whose reach is a setting.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "datasets/laws/sphere_partition.hpp"
#include "datasets/laws/stretched_sphere.hpp"
#include "datasets/task_settings.hpp"

namespace onmanifold {

Task make_ellipsoid(Settings& settings) {
  constexpr double default_q = 4;
  const double q = settings.number("q", default_q, 0.1, 10, "third semi-axis of the ellipsoid, beside 1 and 1");
  const Index bands = settings.integer("bands", 12, 1, 256, "bands of latitude of the partition");
  const Index sectors = settings.integer("sectors", 24, 1, 512, "sectors of longitude of the partition");
  Settings defaults(Value(Value::Table{}), "sphere-vmf6");
  const Task sphere = make_sphere_vmf6(defaults);
  const auto surface = std::make_shared<const Ellipsoid>(Vector{{1, 1, q}});
  const auto law = std::make_shared<const StretchedSphereLaw>(surface, sphere.sampler, sphere.density);
  const auto cells = std::make_shared<const SpherePartition>(bands, sectors);

  Task task;
  task.name = q == default_q ? "ellipsoid" : fmt::format("ellipsoid-q{:.6g}", q);
  task.version = 2;  // the same bits on every machine
  task.description = fmt::format(
      "the law of sphere-vmf6 stretched to the ellipsoid of semi-axes (1, 1, {}): x = A u, density by the "
      "exact factor "
      "of area",
      q);
  task.data_hash = hash_of_law(fmt::format("ellipsoid axes=1:1:{} of {}", q, sphere.data_hash));
  task.manifold = surface;
  task.sampler = law;
  task.density = law;
  task.partition = std::make_shared<const StretchedSpherePartition>(surface, cells);
  task.masses = integrate_on_sphere(*sphere.density, *cells, bands >= 12 && sectors >= 24 ? 16 : 96).masses;
  task.entropy = law->entropy().value();
  task.preregistered_sigma = 0.1 * std::min(surface->reach(), law->standard_deviation());
  for (const double multiple : {0.03, 0.1, 0.2, 0.3, 0.5, 1.0}) {
    task.sigma_grid.push_back(multiple * surface->reach());
  }
  read_common_settings(task, settings, law->standard_deviation());
  // A small reach needs noise smaller still, or the lift of verdicts would drown in it.
  task.smallest_noise =
      settings.number("s_min", std::min(0.01, 0.3 * task.preregistered_sigma / law->standard_deviation()), 1e-6, 1.0,
                      "smallest noise level of diffusions, in standardised units");
  return task;
}

}  // namespace onmanifold
