// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sets of real backbone fragments with their splits, in HDF5 files: the shipped one and those that users make
// of their own structures.

#include <cstdint>
#include <string>
#include <vector>

#include "core/points.hpp"
#include "datasets/data_split.hpp"

namespace onmanifold {

/// The splits, in the order of the numbers in a file.
enum FragmentSplit : int { split_train = 0, split_validation = 1, split_reference = 2 };

/// Fragments of one length.
struct BackboneFragments {
  Index residues = 0;
  Points coordinates;                   ///< 9L×N, Å: residue × (N, CA, C) × xyz
  std::vector<std::string> structures;  ///< N: PDB id or file name
  std::vector<std::string> chains;      ///< N
  std::vector<std::string> first;       ///< N: number of the first residue, with its insertion code
  std::vector<std::string> sequences;   ///< N: one letter a residue
  std::vector<std::int64_t> clusters;   ///< N: from 0
  std::vector<std::int64_t> splits;     ///< N: FragmentSplit
  std::string origin;                   ///< where they come from
  std::string licence;

  [[nodiscard]] Index size() const { return coordinates.cols(); }
};

/// Fills clusters and splits. Two fragments are linked if they come from one structure or if at least half of
/// their residues agree, place by place; clusters are single linkage. Clusters go, largest first and
/// otherwise in a random order that depends on their number only, to the split that lacks most of its share:
/// 10 / 16 training, 3 / 16 validation, 3 / 16 reference. A split by chain alone leaks: near-equal fragments
/// of homologous chains would be on both sides. O(N^2 L).
void split_by_cluster(BackboneFragments& fragments);

/// Largest number of places at which two fragments of different splits agree.
[[nodiscard]] Index largest_identity_across_splits(const BackboneFragments& fragments);

/// \p step Å: coordinates are stored as integers in this unit. \throw IoError
void write_backbone_fragments(const std::string& path, const BackboneFragments& fragments, double step);
/// \throw InvalidInput, naming the file, if it is no fragment set; IoError if it is damaged.
[[nodiscard]] BackboneFragments read_backbone_fragments(const std::string& path);
/// The 16,000 fragments of 16 residues that come with the program; read on first use, once a process.
[[nodiscard]] const BackboneFragments& shipped_backbone_fragments();

/// The splits of a task whose point j, column j of \p points, comes from fragment j.
[[nodiscard]] DataSplits fragment_splits(const BackboneFragments& fragments, const Points& points);

/// Fragments of the middle \p residues residues, with the splits of the whole.
/// \throw InvalidInput if there are fewer residues.
[[nodiscard]] BackboneFragments middle_part(const BackboneFragments& fragments, Index residues);

}  // namespace onmanifold
