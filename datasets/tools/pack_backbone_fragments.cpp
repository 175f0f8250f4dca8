// SPDX-License-Identifier: Apache-2.0
// Makes the shipped set of backbone fragments. Run once by hand; the result is in datasets/data/.
//
//   pack_backbone_fragments fragments.i16 fragments.tsv RESIDUES OUT.h5 "origin in words" "licence in words"
//
// fragments.i16: little-endian 16-bit integers in 0.01 Å, fragment × residue × (N, CA, C) × xyz.
// fragments.tsv, in the same order: PDB id, chain, number of the first residue, sequence; further columns are
// left out.
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "datasets/readers/backbone_fragments.hpp"

namespace onmanifold {
namespace {

void run(int argc, char** argv) {
  if (argc != 7) throw InvalidInput("usage: pack_backbone_fragments IN.i16 IN.tsv RESIDUES OUT.h5 ORIGIN LICENCE");
  const std::string bytes = read_file(argv[1]);
  BackboneFragments fragments;
  fragments.residues = std::stol(argv[3]);
  fragments.origin = argv[5];
  fragments.licence = argv[6];
  const auto record = static_cast<std::size_t>(18 * fragments.residues);
  if (bytes.size() % record != 0) throw InvalidInput(fmt::format("{}: ends inside a record", argv[1]));
  fragments.coordinates.resize(9 * fragments.residues, static_cast<Index>(bytes.size() / record));
  for (Index i = 0; i < fragments.coordinates.size(); ++i) {
    const auto low = static_cast<unsigned char>(bytes[static_cast<std::size_t>(2 * i)]);
    const auto high = static_cast<unsigned char>(bytes[static_cast<std::size_t>(2 * i + 1)]);
    const auto unit = std::bit_cast<std::int16_t>(static_cast<std::uint16_t>(low + 256 * high));
    fragments.coordinates.data()[i] = 0.01 * unit;
  }
  std::istringstream lines(read_file(argv[2]));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::vector<std::string> values(4);
    for (std::string& value : values) {
      if (!std::getline(fields, value, '\t')) throw InvalidInput(fmt::format("{}: '{}'", argv[2], line));
    }
    fragments.structures.push_back(values[0]);
    fragments.chains.push_back(values[1]);
    fragments.first.push_back(values[2]);
    fragments.sequences.push_back(values[3]);
  }
  split_by_cluster(fragments);
  std::vector<Index> counts(3, 0);
  std::int64_t clusters = 0;
  for (std::size_t i = 0; i < fragments.splits.size(); ++i) {
    ++counts[static_cast<std::size_t>(fragments.splits[i])];
    clusters = std::max(clusters, fragments.clusters[i] + 1);
  }
  std::cout << fmt::format(
      "{} fragments, {} clusters, train {}, validation {}, reference {}, largest identity across splits {}\n",
      fragments.size(), clusters, counts[0], counts[1], counts[2], largest_identity_across_splits(fragments));
  write_backbone_fragments(argv[4], fragments, 0.01);
}

}  // namespace
}  // namespace onmanifold

int main(int argc, char** argv) {
  try {
    onmanifold::run(argc, argv);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
