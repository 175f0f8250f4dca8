// SPDX-License-Identifier: Apache-2.0
#pragma once
// Protein structures from PDB and mmCIF files, and the backbone fragments in them.

#include <string>
#include <vector>

#include <Eigen/Core>

#include "core/points.hpp"
#include "datasets/readers/backbone_fragments.hpp"

namespace onmanifold {

/// The backbone of one residue.
struct ResidueBackbone {
  std::string number;  ///< author's number with insertion code, e.g. "52A"
  char letter;         ///< one-letter code of the residue or of the one it was made from (MSE: M); X if unknown
  Eigen::Vector3d nitrogen, alpha, carbon;
};

/// Residues of one chain that follow each other: every C is bonded to the next N.
struct BackboneSegment {
  std::string chain;
  std::vector<ResidueBackbone> residues;
};

/// The segments of the FIRST model of a file, chain by chain in the order of the file. .pdb, .ent, .cif,
/// .mmcif, each also with .gz. \li Alternate locations: of each residue the conformation with the largest sum
/// of occupancies of N, CA and C, on ties the lowest letter; of two residues with one number that of larger
/// occupancy. \li Insertion codes: residues are taken in the order of the file; what follows what is decided
/// by the peptide bond (1.1 to 1.6 Å), never by numbers. \li Modified residues (MSE and others, HETATM) count
/// like the residue they were made from. \li A residue without N, CA or C, and a peptide bond of another
/// length, end a segment. \throw InvalidInput in one line that names the file: unreadable, malformed, without
/// any protein residue.
[[nodiscard]] std::vector<BackboneSegment> read_backbone_segments(const std::string& path);

/// What is cut from segments.
struct CutOptions {
  Index residues = 16;
  Index step = 0;          ///< residues from one fragment to the next; 0: their length, so that they do not overlap
  Index per_chain = 0;     ///< at most so many of a chain; 0: all
  bool allow_cis = false;  ///< with a peptide bond of |omega| < 90 degrees
  bool skip_bad = false;   ///< leave out files that cannot be read, and count them
};

/// What happened.
struct CutReport {
  Index files = 0;
  std::vector<std::string> bad_files;  ///< one line each
  Index segments = 0;
  Index too_short = 0;     ///< segments shorter than a fragment
  Index bad_geometry = 0;  ///< windows with a bond off by more than 0.1 Å or an angle by more than 12 degrees
  Index cis = 0;           ///< windows left out for a cis peptide
};

/// The fragments of all structure files below \p folder, in the order of their paths, with clusters and
/// splits. \throw InvalidInput if there is no folder, no structure file, no fragment, or a bad file without
/// skip_bad.
[[nodiscard]] BackboneFragments cut_fragments(const std::string& folder, const CutOptions& options, CutReport& report);

}  // namespace onmanifold
