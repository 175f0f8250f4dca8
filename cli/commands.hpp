// SPDX-License-Identifier: Apache-2.0
#pragma once
// The subcommands: each declares its name, options and action. Only cli/ touches stdout, stderr and exit codes.

#include <string>

#include "cli/command_line.hpp"

namespace onmanifold {

struct CellKey;
struct CellStatus;
struct RunOptions;

void add_advise_command(CommandLine& line);
void add_compare_command(CommandLine& line);
void add_describe_command(CommandLine& line);
void add_export_command(CommandLine& line);
void add_fragments_command(CommandLine& line);
void add_lenet_command(CommandLine& line);
void add_lift_command(CommandLine& line);
void add_list_command(CommandLine& line);
void add_project_command(CommandLine& line);
void add_report_command(CommandLine& line);
void add_run_command(CommandLine& line);
void add_score_command(CommandLine& line);
void add_slurm_command(CommandLine& line);
void add_tune_command(CommandLine& line);
void add_verify_command(CommandLine& line);

/// Cores this process may use: what a container or taskset leaves, not what the machine has.
[[nodiscard]] int available_cores();
/// Puts the share "I/N" of the cells into \p options. \throw InvalidInput for another text.
void read_shard(const std::string& text, RunOptions& options);
/// Says on stderr why a cell has no samples, where it has none.
void say_problem(const CellKey& key, const CellStatus& status);
/// \p word as a POSIX shell reads it back.
[[nodiscard]] std::string shell_quote(const std::string& word);

}  // namespace onmanifold
