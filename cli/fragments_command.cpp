// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/messages.hpp"
#include "datasets/readers/structure_files.hpp"

namespace onmanifold {
namespace {

struct FragmentsArguments {
  std::string folder;
  std::string output;  ///< .h5
  CutOptions options;
};

int fragments_command(const FragmentsArguments& arguments) {
  CutReport report;
  const BackboneFragments fragments = cut_fragments(arguments.folder, arguments.options, report);
  write_backbone_fragments(arguments.output, fragments, 0.001);  // the digits of the PDB
  for (const std::string& line : report.bad_files) say("left out: {}\n", line);
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

}  // namespace

void add_fragments_command(CommandLine& line) {
  const auto fragments = std::make_shared<FragmentsArguments>();
  Command command =
      line.add("fragments", "Cut the structures of a folder into backbone fragments for the backbone tasks");
  command.option("folder", fragments->folder, "Folder with .pdb, .ent, .cif or .mmcif files, also .gz",
                 {.required = true});
  command.option("--residues", fragments->options.residues, "Length of a fragment", {.show_default = true});
  command.option("--step", fragments->options.step, "Residues from one fragment to the next (default: its length)");
  command.option("--per-chain", fragments->options.per_chain, "At most so many of a chain (default: all)");
  command.flag("--allow-cis", fragments->options.allow_cis, "Keep fragments with cis peptides");
  command.flag("--skip-bad", fragments->options.skip_bad, "Name files that cannot be read and go on");
  command.option("-o,--output", fragments->output, "FILE.h5", {.required = true});
  command.footer(
      "Example:\n"
      "  onmanifold fragments structures --residues 16 --per-chain 4 -o mine.h5");
  command.action([fragments] { return fragments_command(*fragments); });
}

}  // namespace onmanifold
