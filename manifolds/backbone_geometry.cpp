// SPDX-License-Identifier: Apache-2.0
#include "manifolds/backbone_geometry.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Geometry>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"

namespace onmanifold {
namespace {

constexpr double degree = M_PI / 180;

Index residues_of(const PointsRef& chains) {
  if (chains.rows() == 0 || chains.rows() % 9 != 0) {
    throw InvalidInput(
        fmt::format("backbone: columns of {} numbers; 9 a residue (N, CA, C × xyz) are needed", chains.rows()));
  }
  return chains.rows() / 9;
}

/// The atom at distance \p bond from c with the angle \p angle (b, c, new) and the torsion (a, b, c, new).
Eigen::Vector3d place(const Eigen::Vector3d& a, const Eigen::Vector3d& b, const Eigen::Vector3d& c, double bond,
                      double angle, double torsion) {
  const Eigen::Vector3d along = (c - b).normalized();
  const Eigen::Vector3d normal = (b - a).cross(along).normalized();
  const Eigen::Vector3d side = normal.cross(along);  // towards a
  const double out = bond * portable::sin(angle);
  return c - bond * portable::cos(angle) * along + out * portable::cos(torsion) * side +
         out * portable::sin(torsion) * normal;
}

double torsion(const Eigen::Vector3d& a, const Eigen::Vector3d& b, const Eigen::Vector3d& c, const Eigen::Vector3d& d) {
  const Eigen::Vector3d first = b - a;
  const Eigen::Vector3d middle = c - b;
  const Eigen::Vector3d normal = middle.cross(d - c);
  return portable::atan2(middle.norm() * first.dot(normal), first.cross(middle).dot(normal));
}

}  // namespace

double BackboneGeometry::span(Index i) const {
  const double a = bond(i);
  const double b = bond(i + 1);
  return std::sqrt(a * a + b * b - 2 * a * b * portable::cos(angle(i)));
}

const std::vector<BackboneGeometry>& backbone_geometries() {
  static const std::vector<BackboneGeometry> geometries = {
      {"engh-huber-1991",
       "Engh and Huber 1991, the default of structure refinement",
       {1.458, 1.525, 1.329},
       {111.2 * degree, 116.2 * degree, 121.7 * degree}},
      {"igfold", "constants of IgFold", {1.459, 1.525, 1.336}, {111.0 * degree, 117.2 * degree, 121.7 * degree}},
      {"foldingdiff", "constants of foldingdiff", {1.46, 1.54, 1.34}, {109 * degree, 115 * degree, 121 * degree}},
      {"int2cart", "means of the data of int2cart", {1.460, 1.525, 1.331}, {1.941, 2.034, 2.122}},
      {"promod3",
       "means over 4.56 million residues of the structure base of ProMod3",
       {1.4603, 1.5252, 1.3307},
       {111.19 * degree, 116.65 * degree, 121.48 * degree}},
  };
  return geometries;
}

const BackboneGeometry& backbone_geometry(std::string_view name) {
  std::vector<std::string> known;
  for (const BackboneGeometry& geometry : backbone_geometries()) {
    if (geometry.name == name) return geometry;
    known.push_back(geometry.name);
  }
  throw InvalidInput(fmt::format("unknown backbone geometry '{}' (known: {})", name, fmt::join(known, ", ")));
}

Points backbone_torsions(const PointsRef& chains) {
  const Index atoms = 3 * residues_of(chains);
  Points result(atoms - 3, chains.cols());
  for (Index n = 0; n < chains.cols(); ++n) {
    const auto atom = [&](Index j) -> Eigen::Vector3d { return chains.col(n).segment<3>(3 * j); };
    for (Index j = 0; j + 3 < atoms; ++j) {
      result(j, n) = torsion(atom(j), atom(j + 1), atom(j + 2), atom(j + 3));
    }
  }
  return result;
}

void flatten_omega(Points& torsions) {
  for (Index j = 1; j < torsions.rows(); j += 3) torsions.row(j).setConstant(M_PI);
}

Vector middle_frame_atoms(const BackboneGeometry& geometry) {
  Vector atoms = Vector::Zero(9);
  atoms(0) = geometry.bonds[0] * portable::cos(geometry.angles[0]);
  atoms(1) = geometry.bonds[0] * portable::sin(geometry.angles[0]);
  atoms(6) = geometry.bonds[1];
  return atoms;
}

Points build_backbone(const PointsRef& torsions, const BackboneGeometry& geometry) {
  if (torsions.rows() == 0 || torsions.rows() % 3 != 0) {
    throw InvalidInput(
        fmt::format("backbone: {} torsions; 3 (L - 1) of them make a chain of L residues", torsions.rows()));
  }
  const Index atoms = torsions.rows() + 3;
  const Index first = 3 * middle_residue(atoms / 3);
  const Vector frame = middle_frame_atoms(geometry);
  Points result(3 * atoms, torsions.cols());
  for (Index n = 0; n < torsions.cols(); ++n) {
    const auto atom = [&](Index j) -> Eigen::Vector3d { return result.col(n).segment<3>(3 * j); };
    result.col(n).segment<9>(3 * first) = frame;
    for (Index j = first + 3; j < atoms; ++j) {
      result.col(n).segment<3>(3 * j) =
          place(atom(j - 3), atom(j - 2), atom(j - 1), geometry.bond(j - 1), geometry.angle(j - 2), torsions(j - 3, n));
    }
    for (Index j = first - 1; j >= 0; --j) {
      result.col(n).segment<3>(3 * j) =
          place(atom(j + 3), atom(j + 2), atom(j + 1), geometry.bond(j), geometry.angle(j), torsions(j, n));
    }
  }
  return result;
}

Points to_middle_frame(const PointsRef& chains) {
  const Index residues = residues_of(chains);
  const Index first = 9 * middle_residue(residues);
  Points result(chains.rows(), chains.cols());
  for (Index n = 0; n < chains.cols(); ++n) {
    const Eigen::Vector3d nitrogen = chains.col(n).segment<3>(first);
    const Eigen::Vector3d alpha = chains.col(n).segment<3>(first + 3);
    const Eigen::Vector3d carbon = chains.col(n).segment<3>(first + 6);
    Eigen::Matrix3d axes;  // one a column
    axes.col(0) = (carbon - alpha).normalized();
    axes.col(2) = axes.col(0).cross(nitrogen - alpha).normalized();
    axes.col(1) = axes.col(2).cross(axes.col(0));
    for (Index i = 0; i < chains.rows(); i += 3) {
      const Eigen::Vector3d offset = chains.col(n).segment<3>(i) - alpha;
      result.col(n).segment<3>(i) = axes.transpose() * offset;
    }
  }
  return result;
}

}  // namespace onmanifold
