// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/ramachandran.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <Eigen/Cholesky>
#include <Eigen/Geometry>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"

namespace onmanifold {
namespace {

constexpr double degree = M_PI / 180;
constexpr int wraps = 3;  // widths are far below a turn: images beyond the third have no mass in double

double wrap(double angle) {
  return angle - 2 * M_PI * std::round(angle / (2 * M_PI));
}

/// Density of the wrapped normal at \p x.
double wrapped_normal(double x, double centre, double width) {
  double sum = 0;
  for (int k = -wraps; k <= wraps; ++k) {
    const double z = (wrap(x - centre) + 2 * M_PI * k) / width;
    sum += portable::exp(-0.5 * z * z);
  }
  return sum / (width * std::sqrt(2 * M_PI));
}

/// Probability that the wrapped normal gives to [low, high), an interval within a turn.
double wrapped_probability(double low, double high, double centre, double width) {
  double sum = 0;
  for (int k = -wraps; k <= wraps; ++k) {
    const double a = (low - centre + 2 * M_PI * k) / (width * M_SQRT2);
    const double b = (high - centre + 2 * M_PI * k) / (width * M_SQRT2);
    // Differences of the tail that is small: no cancellation.
    sum += a > 0 ? 0.5 * (portable::erfc(a) - portable::erfc(b)) : 0.5 * (portable::erfc(-b) - portable::erfc(-a));
  }
  return sum;
}

}  // namespace

RamachandranLaw::RamachandranLaw(std::shared_ptr<const Backbone> backbone, std::vector<RamachandranRegion> regions,
                                 double omega, double omega_width)
    : backbone_(std::move(backbone)), regions_(std::move(regions)), omega_(omega), omega_width_(omega_width) {
  double total = 0;
  for (const RamachandranRegion& region : regions_) {
    total += region.weight;
    if (!(region.weight > 0) || !(region.phi_width > 0) || !(region.psi_width > 0)) total = -1e9;
  }
  if (!(std::abs(total - 1) < 1e-12) || !(omega_width_ > 0)) {
    throw InvalidInput("Ramachandran mixture: weights must sum to 1, widths be positive");
  }
  if (backbone_->frame() != BackboneFrame::middle) {
    throw InvalidInput("Ramachandran mixture: the law is that of chains in the frame of their middle residue");
  }
}

std::shared_ptr<const RamachandranLaw> RamachandranLaw::standard(std::shared_ptr<const Backbone> backbone) {
  std::vector<RamachandranRegion> regions = {
      {0.45, -63, -43, 10, 12}, {0.30, -120, 130, 20, 18}, {0.20, -70, 145, 12, 14}, {0.05, 57, 40, 10, 12}};
  for (RamachandranRegion& region : regions) {
    for (double* angle : {&region.phi, &region.psi, &region.phi_width, &region.psi_width}) *angle *= degree;
  }
  return std::make_shared<const RamachandranLaw>(std::move(backbone), std::move(regions), 180 * degree, 5.8 * degree);
}

Points RamachandranLaw::sample_torsions(Index n, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("sample: n = {} is negative", n));
  const Index residues = backbone_->residues();
  const Points kinds = stream.at("regions").uniform(residues, n);
  const Points angles = stream.at("angles").normal(2 * residues, n);  // residue × (phi, psi)
  const Points omegas = stream.at("omega").normal(residues - 1, n);
  Points torsions(3 * residues - 3, n);
  for (Index j = 0; j < n; ++j) {
    for (Index r = 0; r < residues; ++r) {
      double left = kinds(r, j);
      std::size_t k = 0;
      while (k + 1 < regions_.size() && left >= regions_[k].weight) left -= regions_[k++].weight;
      const RamachandranRegion& region = regions_[k];
      if (r > 0) torsions(3 * r - 1, j) = wrap(region.phi + region.phi_width * angles(2 * r, j));
      if (r + 1 < residues) {
        torsions(3 * r, j) = wrap(region.psi + region.psi_width * angles(2 * r + 1, j));
        torsions(3 * r + 1, j) = wrap(omega_ + omega_width_ * omegas(r, j));
      }
    }
  }
  if (backbone_->planar_omega()) flatten_omega(torsions);
  return torsions;
}

Points RamachandranLaw::sample(Index n, Stream stream) const {
  return backbone_->from_full_coordinates(build_backbone(sample_torsions(n, stream), backbone_->geometry()));
}

Vector RamachandranLaw::torsion_log_density(const PointsRef& torsions) const {
  const Index residues = backbone_->residues();
  check_dimension(torsions, 3 * residues - 3, "torsions");
  Vector result = Vector::Zero(torsions.cols());
  for (Index j = 0; j < torsions.cols(); ++j) {
    for (Index r = 0; r < residues; ++r) {
      double sum = 0;
      for (const RamachandranRegion& region : regions_) {
        double value = region.weight;
        if (r > 0) value *= wrapped_normal(torsions(3 * r - 1, j), region.phi, region.phi_width);
        if (r + 1 < residues) value *= wrapped_normal(torsions(3 * r, j), region.psi, region.psi_width);
        sum += value;
      }
      result(j) += portable::log(sum);
      if (r + 1 < residues && !backbone_->planar_omega())
        result(j) += portable::log(wrapped_normal(torsions(3 * r + 1, j), omega_, omega_width_));
    }
  }
  return result;
}

Vector RamachandranLaw::log_density(const PointsRef& points) const {
  return torsion_log_density(backbone_->torsions(points)) - log_torsion_volume(*backbone_, points);
}

std::string RamachandranLaw::text() const {
  std::string text = fmt::format("ramachandran {} omega={},{}", backbone_->spec(), omega_, omega_width_);
  for (const RamachandranRegion& r : regions_) {
    text += fmt::format(" {}:{},{},{},{}", r.weight, r.phi, r.psi, r.phi_width, r.psi_width);
  }
  return text;
}

Vector log_torsion_volume(const Backbone& backbone, const PointsRef& points) {
  const Points chains = backbone.full_coordinates(points);
  const Index atoms = chains.rows() / 3;
  const Index first = 3 * middle_residue(backbone.residues());
  std::vector<Index> turning;  // torsions that are free
  for (Index j = 0; j < atoms - 3; ++j) {
    if (j % 3 != 1 || !backbone.planar_omega()) turning.push_back(j);
  }
  const auto count = static_cast<Index>(turning.size());
  Vector result(points.cols());
  for (Index n = 0; n < points.cols(); ++n) {
    // Torsion j turns what is beyond the bond j+1, j+2, seen from the middle residue, about that bond.
    Points columns = Points::Zero(chains.rows(), count);
    for (Index k = 0; k < count; ++k) {
      const Index j = turning[static_cast<std::size_t>(k)];
      const Eigen::Vector3d origin = chains.col(n).segment<3>(3 * (j + 1));
      const Eigen::Vector3d axis = (chains.col(n).segment<3>(3 * (j + 2)) - origin).normalized();
      const bool right = j + 3 > first + 2;
      const Index begin = right ? j + 3 : 0;
      const Index end = right ? atoms : j + 1;
      for (Index a = begin; a < end; ++a) {
        const Eigen::Vector3d offset = chains.col(n).segment<3>(3 * a) - origin;
        columns.col(k).segment<3>(3 * a) = axis.cross(offset);
      }
    }
    const Eigen::LLT<Points> factor(columns.transpose() * columns);
    double sum = 0;
    for (Index j = 0; j < count; ++j) sum += portable::log(factor.matrixLLT()(j, j));
    result(n) = sum;
  }
  return result;
}

RamachandranPartition::RamachandranPartition(std::shared_ptr<const Backbone> backbone, Index bins)
    : backbone_(std::move(backbone)), bins_(bins) {
  if (bins_ < 1 || backbone_->residues() < 3) {
    throw InvalidInput(fmt::format("Ramachandran cells: {} bins, {} residues", bins_, backbone_->residues()));
  }
}

Eigen::VectorXi RamachandranPartition::assign(const PointsRef& points) const {
  const Points torsions = backbone_->torsions(points);
  const Index residue = middle_residue(backbone_->residues());
  const auto bin = [&](double angle) {
    const double place = std::floor((angle + M_PI) / (2 * M_PI) * static_cast<double>(bins_));
    return std::clamp(static_cast<Index>(place), Index{0}, bins_ - 1);
  };
  Eigen::VectorXi result(points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    const double phi = torsions(3 * residue - 1, j);
    const double psi = torsions(3 * residue, j);
    const bool usable = points.col(j).allFinite() && std::isfinite(phi) && std::isfinite(psi);
    result(j) = usable ? static_cast<int>(bin(phi) * bins_ + bin(psi)) : -1;
  }
  return result;
}

std::string RamachandranPartition::description() const {
  return fmt::format("(phi, psi) of residue {}, {}x{} equal cells", middle_residue(backbone_->residues()), bins_,
                     bins_);
}

Vector RamachandranPartition::masses(const RamachandranLaw& law) const {
  Vector result = Vector::Zero(size());
  const auto edge = [&](Index i) { return -M_PI + 2 * M_PI * static_cast<double>(i) / static_cast<double>(bins_); };
  for (const RamachandranRegion& region : law.regions()) {
    Vector phi(bins_);
    Vector psi(bins_);
    for (Index i = 0; i < bins_; ++i) {
      phi(i) = wrapped_probability(edge(i), edge(i + 1), region.phi, region.phi_width);
      psi(i) = wrapped_probability(edge(i), edge(i + 1), region.psi, region.psi_width);
    }
    for (Index i = 0; i < bins_; ++i) result.segment(i * bins_, bins_) += region.weight * phi(i) * psi;
  }
  return result;
}

}  // namespace onmanifold
