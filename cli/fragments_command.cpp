// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "datasets/readers/structure_files.hpp"

namespace onmanifold {

int fragments_command(const FragmentsArguments& arguments) {
  CutReport report;
  const BackboneFragments fragments = cut_fragments(arguments.folder, arguments.options, report);
  write_backbone_fragments(arguments.output, fragments, 0.001);  // the digits of the PDB
  for (const std::string& line : report.bad_files) fmt::print(stderr, "left out: {}\n", line);
  const auto in_split = [&](int split) { return std::count(fragments.splits.begin(), fragments.splits.end(), split); };
  const std::int64_t clusters = *std::max_element(fragments.clusters.begin(), fragments.clusters.end()) + 1;
  fmt::print("{}: {} fragments of {} residues from {} files\n", arguments.output, fragments.size(), fragments.residues,
             report.files);
  fmt::print("  splits     train {}, validation {}, reference {} ({} clusters)\n", in_split(split_train),
             in_split(split_validation), in_split(split_reference), clusters);
  fmt::print(
      "  left out   {} files, {} short segments of {}, {} windows with unusual bonds or angles, {} with cis "
      "peptides\n",
      report.bad_files.size(), report.too_short, report.segments, report.bad_geometry, report.cis);
  if (in_split(split_validation) == 0 || in_split(split_reference) == 0) {
    fmt::print("  A task needs points in each split: give at least three unrelated structures.\n");
  } else {
    fmt::print("  Use it in a suite: [[task]] name = \"backbone-{}\" fragments = \"{}\"\n",
               fragments.residues >= 16 ? 16 : 8, arguments.output);
  }
  return exit_ok;
}

}  // namespace onmanifold
