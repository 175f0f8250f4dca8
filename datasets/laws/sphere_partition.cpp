// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/sphere_partition.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {

SpherePartition::SpherePartition(Index bands, Index sectors) : bands_(bands), sectors_(sectors) {
  if (bands < 1 || sectors < 1 || bands > 4096 || sectors > 4096) {
    throw InvalidInput(fmt::format("sphere partition: {} bands with {} sectors", bands, sectors));
  }
}

Eigen::VectorXi SpherePartition::assign(const PointsRef& points) const {
  check_dimension(points, 3, "points");
  Eigen::VectorXi cells(points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    Eigen::Vector3d x = points.col(j);
    if (!x.allFinite()) {
      cells[j] = -1;
      continue;
    }
    const double largest = x.cwiseAbs().maxCoeff();  // scaled first: |x|² neither overflows nor vanishes
    x = largest == 0 ? Eigen::Vector3d(0, 0, 1) : Eigen::Vector3d((x / largest).normalized());
    double angle = portable::atan2(x[1], x[0]);
    if (angle < 0) angle += 2 * M_PI;
    const auto band = static_cast<Index>((x[2] + 1) / 2 * static_cast<double>(bands_));
    const auto sector = static_cast<Index>(angle / (2 * M_PI) * static_cast<double>(sectors_));
    cells[j] = static_cast<int>(std::clamp<Index>(band, 0, bands_ - 1) * sectors_ +
                                std::clamp<Index>(sector, 0, sectors_ - 1));
  }
  return cells;
}

std::string SpherePartition::description() const {
  return fmt::format("equal-area {}×{} (cos θ × φ)", bands_, sectors_);
}

SphereRule sphere_rule(Index rings) {
  const QuadratureRule z = gauss_legendre(rings);
  SphereRule rule{Points(3, 2 * rings * rings), Vector(2 * rings * rings)};
  for (Index i = 0; i < rings; ++i) {
    const double sine = std::sqrt(1 - z.nodes[i] * z.nodes[i]);
    for (Index j = 0; j < 2 * rings; ++j) {
      const double angle = M_PI * static_cast<double>(j) / static_cast<double>(rings);
      rule.points.col(i * 2 * rings + j) << sine * portable::cos(angle), sine * portable::sin(angle), z.nodes[i];
      rule.weights[i * 2 * rings + j] = z.weights[i] * M_PI / static_cast<double>(rings);
    }
  }
  return rule;
}

SphereIntegrals integrate_on_sphere(const Density& density, const SpherePartition& partition, Index nodes) {
  SphereIntegrals result;
  result.masses.resize(partition.size());
  TreeSum entropy;
  Points points(3, nodes * nodes);
  Vector weights(nodes * nodes);
  for (Index band = 0; band < partition.bands(); ++band) {
    const auto edge = [&](Index i) {
      return portable::acos(
          std::clamp(2 * static_cast<double>(i) / static_cast<double>(partition.bands()) - 1, -1.0, 1.0));
    };
    const QuadratureRule polar = gauss_legendre(nodes, edge(band + 1), edge(band));
    const double width = 2 * M_PI / static_cast<double>(partition.sectors());
    for (Index sector = 0; sector < partition.sectors(); ++sector) {
      const double low = width * static_cast<double>(sector);
      const QuadratureRule azimuth = gauss_legendre(nodes, low, low + width);
      for (Index i = 0; i < nodes; ++i) {
        for (Index j = 0; j < nodes; ++j) {
          const double sine = portable::sin(polar.nodes[i]);
          points.col(i * nodes + j) << sine * portable::cos(azimuth.nodes[j]), sine * portable::sin(azimuth.nodes[j]),
              portable::cos(polar.nodes[i]);
          weights[i * nodes + j] = polar.weights[i] * azimuth.weights[j] * sine;
        }
      }
      const Vector log_p = density.log_density(points);
      TreeSum mass;
      for (Index i = 0; i < weights.size(); ++i) {
        const double p = weights[i] * portable::exp(log_p[i]);
        mass.add(p);
        entropy.add(p > 0 ? -p * log_p[i] : 0);
      }
      result.masses[band * partition.sectors() + sector] = mass.sum();
    }
  }
  result.entropy = entropy.sum();
  return result;
}

}  // namespace onmanifold
