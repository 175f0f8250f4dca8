// SPDX-License-Identifier: Apache-2.0
// The program from the outside: exit codes, one-line errors, files.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/files/atomic_file.hpp"
#include "core/files/point_files.hpp"
#include "core/files/temporary_directory.hpp"
#include "tests/support/command.hpp"
#include "tests/support/made_images.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

const std::string program = std::string(ONMANIFOLD_BINARY_DIR) + "/onmanifold";

CommandResult onmanifold(const std::string& arguments) {
  return run_command_line(program + " " + arguments);
}

/// Bad input: exit code 2 and one line on stderr with all \p parts, nothing on stdout.
testing::AssertionResult refused(const CommandResult& result, const std::vector<std::string>& parts, int code = 2) {
  if (result.exit_code != code) {
    return testing::AssertionFailure() << "exit code " << result.exit_code << ": " << result.err;
  }
  if (std::count(result.err.begin(), result.err.end(), '\n') != 1) {
    return testing::AssertionFailure() << "not one line: " << result.err;
  }
  for (const std::string& part : parts) {
    if (result.err.find(part) == std::string::npos) {
      return testing::AssertionFailure() << "'" << part << "' is not in: " << result.err;
    }
  }
  if (!result.out.empty()) return testing::AssertionFailure() << "on stdout: " << result.out;
  return testing::AssertionSuccess();
}

bool has_line_starting(const std::string& text, const std::string& start) {
  return text.starts_with(start) || text.find('\n' + start) != std::string::npos;
}

/// A suite of a second.
std::string write_suite(const TemporaryDirectory& directory, const std::string& more = "") {
  const std::string path = directory.file("tiny.toml");
  std::ofstream(path) << "[suite]\nname = \"tiny\"\nseeds = \"0..1\"\nn_train = 50\nn_samples = 60\nn_reference = 70\n"
                      << "[[task]]\nname = \"plane-gmm9\"\n[[method]]\nname = \"oracle\"\n[[method]]\nname = "
                         "\"gaussian\"\n"
                      << more;
  return path;
}

TEST(Cli, HelpAndVersion) {
  const CommandResult help = onmanifold("--help");
  EXPECT_EQ(help.exit_code, 0);
  for (const char* command : {"run", "report", "slurm", "list", "describe", "verify", "compare", "lenet", "advise"}) {
    EXPECT_NE(help.out.find(command), std::string::npos) << command;
    EXPECT_EQ(onmanifold(std::string(command) + " --help").exit_code, 0) << command;
  }
  const CommandResult number = onmanifold("--version");
  EXPECT_EQ(number.exit_code, 0);
  EXPECT_FALSE(number.out.empty());
}

TEST(Cli, WrongUsageIsExitCode2) {
  EXPECT_EQ(onmanifold("").exit_code, 2);
  EXPECT_EQ(onmanifold("frobnicate").exit_code, 2);
  EXPECT_EQ(onmanifold("run").exit_code, 2);
  EXPECT_EQ(onmanifold("run smoke --jobs 0").exit_code, 2);
  EXPECT_EQ(onmanifold("list things").exit_code, 2);
  EXPECT_TRUE(refused(onmanifold("verify here one two --three"), {"not expected: one two --three"}));
}

TEST(Cli, ListsOneItemALineNameFirst) {
  const CommandResult tasks = onmanifold("list tasks");
  EXPECT_EQ(tasks.exit_code, 0);
  for (const char* name : {"plane-gmm9", "plane-smiley", "sphere-vmf6", "sphere-vmf2", "bunny-eigen", "so3-mixture16",
                           "so3-fisher", "torus-vm", "finite16", "sphere-in-16d", "earth-fire"}) {
    EXPECT_TRUE(has_line_starting(tasks.out, std::string(name) + " ")) << name;
  }
  for (const char* kind : {"methods", "lifts", "manifolds", "metrics", "suites", "diagnostics", "claims"}) {
    EXPECT_EQ(onmanifold(std::string("list ") + kind).exit_code, 0) << kind;
  }
  EXPECT_EQ(onmanifold("list").exit_code, 0);
}

TEST(Cli, DescribesEverythingItLists) {
  for (const char* kind : {"tasks", "methods", "lifts", "manifolds", "metrics", "diagnostics", "claims", "suites"}) {
    const CommandResult list = onmanifold(std::string("list ") + kind);
    std::size_t start = 0;
    while (start < list.out.size()) {
      const std::size_t end = list.out.find('\n', start);
      const std::string line = list.out.substr(start, end - start);
      const std::string name = line.substr(0, line.find(' '));
      const CommandResult description = onmanifold("describe " + name);
      EXPECT_EQ(description.exit_code, 0) << name << ": " << description.err;
      EXPECT_NE(description.out.find(name), std::string::npos);
      start = end + 1;
    }
  }
  EXPECT_TRUE(refused(onmanifold("describe sphere-vmf7"), {"sphere-vmf7", "sphere-vmf6"}));
  const CommandResult planar = onmanifold("describe 'backbone-8(planar_omega=true)'");
  EXPECT_EQ(planar.exit_code, 0);
  EXPECT_NE(planar.out.find("D = 63, d = 14, k = 49"), std::string::npos) << planar.out;
  EXPECT_TRUE(refused(onmanifold("describe 'backbone-8(planar=true)'"), {"planar"}));
  // A setting without a default hides none of the others, and paths need no quotes.
  EXPECT_NE(onmanifold("describe mesh-eigen").out.find("eigenfunctions = "), std::string::npos);
  EXPECT_TRUE(refused(onmanifold("describe 'mesh-eigen(path=/no/such.off)'"), {"path", "'/no/such.off'"}));
  EXPECT_NE(onmanifold("describe torus-vm").out.find("exact (lifts none, normal, isotropic)"), std::string::npos);
}

TEST(Cli, RunReportVerify) {
  const TemporaryDirectory directory;
  const std::string suite = write_suite(directory);
  const std::string results = directory.file("results");
  const CommandResult run = onmanifold("run " + suite + " -j 2 -o " + results);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_TRUE(run.err.empty()) << "not quiet: " << run.err;
  EXPECT_NE(run.out.find("4 computed"), std::string::npos) << run.out;
  const CommandResult again = onmanifold("run " + suite + " -o " + results);
  EXPECT_NE(again.out.find("4 already there"), std::string::npos) << again.out;

  const CommandResult report = onmanifold("report " + results);
  EXPECT_EQ(report.exit_code, 0) << report.err;
  for (const char* part : {"plane-gmm9", "oracle", "gaussian", "tvd", "report.html"}) {
    EXPECT_NE(report.out.find(part), std::string::npos) << part;
  }
  for (const char* file : {"report.html", "report.md", "report.csv"}) {
    EXPECT_TRUE(fs::exists(results + "/" + file)) << file;
  }

  // Tables for a paper, and what does not go together.
  const std::string tables = "report " + results + " -o " + directory.file("paper") + " --format tex --table ";
  EXPECT_EQ(onmanifold(tables + "matrix").exit_code, 0);
  EXPECT_TRUE(fs::exists(directory.file("paper/tables/matrix.tex")));
  EXPECT_EQ(onmanifold(tables + "method --method gaussian --width 5.5 --no-notes").exit_code, 0);
  EXPECT_TRUE(fs::exists(directory.file("paper/tables/gaussian.tex")));
  EXPECT_TRUE(refused(onmanifold(tables + "matrix --metric tvb"), {"tvb", "tvd"}));
  EXPECT_TRUE(refused(onmanifold(tables + "method"), {"--method"}));
  EXPECT_TRUE(refused(onmanifold(tables + "method --method gaussian --metric tvd"), {"--table matrix"}));
  EXPECT_TRUE(refused(onmanifold(tables + "matrix --width 1"), {"--width"}));
  EXPECT_TRUE(refused(onmanifold("report " + results + " --table matrix"), {"--format tex"}));
  EXPECT_TRUE(refused(onmanifold("report " + results + " --metric tvd"), {"--table"}));

  EXPECT_EQ(onmanifold("verify " + results).exit_code, 0);
  // Flip one byte in the middle of a cell: verify must notice and name the file.
  const std::string cell = results + "/plane-gmm9/oracle/none/seed-0.h5";
  const auto middle = static_cast<std::streamoff>(fs::file_size(cell) / 2);
  std::fstream file(cell, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(middle);
  const char byte = static_cast<char>(file.get() ^ 0x55);
  file.seekp(middle);
  file.put(byte);
  file.close();
  const CommandResult verify = onmanifold("verify " + results);
  EXPECT_EQ(verify.exit_code, 1);
  EXPECT_NE(verify.out.find("seed-0.h5"), std::string::npos) << verify.out;
}

TEST(Cli, DryRunPrintsCellsAndWritesNothing) {
  const TemporaryDirectory directory;
  const std::string results = directory.file("results");
  const CommandResult run = onmanifold("run " + write_suite(directory) + " --dry-run -o " + results);
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(std::count(run.out.begin(), run.out.end(), '\n'), 4);
  EXPECT_NE(run.out.find("plane-gmm9/oracle/none/seed-0\n"), std::string::npos);
  EXPECT_FALSE(fs::exists(results));
  EXPECT_NE(run.err.find("4 cells of unknown cost"), std::string::npos) << run.err;
}

TEST(Cli, DryRunEstimatesFromFinishedCells) {
  const TemporaryDirectory directory;
  const std::string suite = write_suite(directory);
  const std::string results = directory.file("results");
  ASSERT_EQ(onmanifold("run " + suite + " -j 1 --only '*/seed-0' -o " + results).exit_code, 0);
  const std::string costs = directory.file("suite.costs.csv");
  const CommandResult run = onmanifold("run " + suite + " --dry-run -j 1 -o " + results + " --write-costs " + costs);
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(std::count(run.out.begin(), run.out.end(), '\n'), 2);
  EXPECT_EQ(run.out.find("seed-0"), std::string::npos);
  EXPECT_NE(run.err.find("4 cells, 2 finished"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("about "), std::string::npos) << run.err;
  EXPECT_EQ(run.err.find("unknown cost"), std::string::npos) << run.err;
  EXPECT_NE(read_file(costs).find("plane-gmm9,oracle,none,"), std::string::npos);
  EXPECT_EQ(onmanifold("run " + suite + " --write-costs " + costs).exit_code, 2);  // needs --dry-run
}

TEST(Cli, SeedsAndShardsAreChecked) {
  const TemporaryDirectory directory;
  const std::string suite = write_suite(directory);
  const CommandResult seeds = onmanifold("run " + suite + " --dry-run --seeds 3..7");
  EXPECT_EQ(std::count(seeds.out.begin(), seeds.out.end(), '\n'), 10);
  EXPECT_TRUE(refused(onmanifold("run " + suite + " --seeds 3..x"), {"--seeds", "3..x"}));
  EXPECT_TRUE(refused(onmanifold("run " + suite + " --shard 3/2"), {"--shard", "3/2"}));
  EXPECT_TRUE(refused(onmanifold("run " + suite + " --shard 1"), {"--shard", "1"}));
  EXPECT_TRUE(refused(onmanifold("run " + suite + " --only 'x*'"), {"--only", "x*"}));
}

TEST(Cli, VerifyFindsAnEmptyDirectoryAndMissingCells) {
  const TemporaryDirectory directory;
  fs::create_directory(directory.file("empty"));
  const CommandResult nothing = onmanifold("verify " + directory.file("empty"));
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_NE(nothing.out.find("no results here"), std::string::npos) << nothing.out;

  const std::string results = directory.file("results");
  ASSERT_EQ(onmanifold("run " + write_suite(directory) + " --seeds 0..10 -j 2 -o " + results).exit_code, 0);
  EXPECT_EQ(onmanifold("verify " + results).exit_code, 0);
  for (int seed = 2; seed < 9; ++seed) {
    for (const char* ending : {".h5", ".metrics.h5"}) {
      fs::remove(results + "/plane-gmm9/gaussian/none/seed-" + std::to_string(seed) + ending);
    }
  }
  const CommandResult fewer = onmanifold("verify " + results);
  EXPECT_EQ(fewer.exit_code, 1);
  EXPECT_NE(fewer.out.find(": 15 cells, 7 problems\n"), std::string::npos) << fewer.out;
  EXPECT_NE(fewer.out.find("/plane-gmm9/gaussian/none/seed-8.h5: missing"), std::string::npos) << fewer.out;
}

TEST(Cli, WhatCannotBeWrittenIsNoSuccessAndNoAbort) {
  const TemporaryDirectory directory;
  // Lost results.
  const CommandResult lost = onmanifold("list > /dev/full");
  EXPECT_EQ(lost.exit_code, 1);
  EXPECT_NE(lost.err.find("cannot write"), std::string::npos) << lost.err;
  EXPECT_EQ(onmanifold("--version > /dev/full").exit_code, 1);
  EXPECT_EQ(onmanifold("describe ddpm > /dev/full").exit_code, 1);
  // Lost messages: the code says what the message would have said.
  EXPECT_EQ(onmanifold("describe nothing 2> /dev/full").exit_code, 2);
  EXPECT_EQ(onmanifold("run " + write_suite(directory) + " --dry-run -o /proc/none 2> /dev/full").exit_code, 0);
  const std::string results = directory.file("results");
  const std::string suite = write_suite(directory,
                                        "[[method]]\nname = \"fails\"\ntype = \"external\"\n"
                                        "command = \"false # {samples}\"\n");
  const CommandResult run = onmanifold("run " + suite + " -j 1 -o " + results + " 2> /dev/full");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.out.find("4 computed, 0 measured anew, 0 already there, 2 failed"), std::string::npos) << run.out;
}

TEST(Cli, NumbersBeyondReasonAreRefusedInALine) {
  const TemporaryDirectory directory;
  const std::string suite = write_suite(directory);
  const CommandResult none = onmanifold("run " + suite + " -j 0");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_NE(none.err.find("'0' is not positive"), std::string::npos) << none.err;
  EXPECT_LT(none.err.size(), 120U) << none.err;
  const CommandResult last = onmanifold("run " + suite + " --dry-run --seeds 2147483647");
  EXPECT_EQ(last.exit_code, 0) << last.err;
  EXPECT_EQ(std::count(last.out.begin(), last.out.end(), '\n'), 2);
  EXPECT_TRUE(refused(onmanifold("run " + suite + " --seeds 0..2147483647"), {"0..2147483647", "1000000 cells"}));
  EXPECT_TRUE(refused(onmanifold("run " + suite + " --seeds 0..999999"), {"0..999999", "1000000 cells"}));
}

TEST(Cli, AFullTemporaryFolderCutsNoFigures) {
  const TemporaryDirectory directory;
  const std::string results = directory.file("results");
  ASSERT_EQ(onmanifold("run " + write_suite(directory) + " -j 1 -o " + results).exit_code, 0);
  ASSERT_EQ(onmanifold("report " + results + " --format figures").exit_code, 0);
  fs::remove_all(results + "/figures");
  // A limit on file sizes stands in for the full disk: it is larger than a script of gnuplot, smaller than a picture.
  const CommandResult report =
      run_command_line("ulimit -f 8; exec " + program + " report " + results + " --format figures");
  EXPECT_EQ(report.exit_code, 1) << report.err;
  EXPECT_NE(report.err.find("is cut off"), std::string::npos) << report.err;
  if (!fs::exists(results + "/figures")) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(results + "/figures")) {
    const std::string picture = read_file(entry.path().string());
    EXPECT_TRUE(picture.ends_with("</svg>\n") || picture.find("IEND") == picture.size() - 8) << entry.path();
  }
}

TEST(Cli, SlurmWritesAnArrayWhoseTasksAreShares) {
  const TemporaryDirectory directory;
  const std::string suite = write_suite(directory);
  const std::string results = directory.file("shared results");
  const CommandResult written =
      onmanifold("slurm " + suite + " -o '" + results + "' --array 3 --seeds 0..4 -- --partition=long --time=1:00:00");
  EXPECT_EQ(written.exit_code, 0) << written.err;
  EXPECT_NE(written.out.find("sbatch '" + results + "/slurm.sh'"), std::string::npos) << written.out;
  const std::string script = read_file(results + "/slurm.sh");
  for (const std::string& line :
       {std::string("#!/usr/bin/env bash"), std::string("#SBATCH --array=1-3"), std::string("#SBATCH --requeue"),
        std::string("#SBATCH --partition=long"), std::string("#SBATCH --time=1:00:00"), "exec " + program}) {
    EXPECT_TRUE(has_line_starting(script, line)) << line << "\n" << script;
  }
  // The script as a task of the array runs it; together the tasks leave nothing to do.
  for (const char* task : {"3", "1", "2"}) {
    const CommandResult run =
        run_command_line(std::string("SLURM_ARRAY_TASK_ID=") + task + " bash '" + results + "/slurm.sh'");
    EXPECT_EQ(run.exit_code, 0) << run.err;
  }
  const CommandResult rest = onmanifold("run " + suite + " --seeds 0..4 -o '" + results + "'");
  EXPECT_NE(rest.out.find(" 0 computed, 0 measured anew, 10 already there"), std::string::npos) << rest.out;
  // No more tasks than cells; bad arguments.
  EXPECT_EQ(onmanifold("slurm " + suite + " -o '" + results + "' --only '*/seed-0' --array 9").exit_code, 0);
  EXPECT_TRUE(has_line_starting(read_file(results + "/slurm.sh"), "#SBATCH --array=1-2\n"));
  EXPECT_TRUE(refused(onmanifold("slurm " + suite + " -o " + directory.file("x") + " -- long"), {"long", "sbatch"}));
  EXPECT_TRUE(refused(onmanifold("slurm " + suite + " -o " + directory.file("x") + " -- --array=5"), {"--array"}));
  EXPECT_TRUE(refused(onmanifold("slurm " + suite + " -o '" + directory.file("50%") + "'"), {"50%"}));
  EXPECT_TRUE(refused(onmanifold("slurm qiuck"), {"qiuck", "quick"}));
  EXPECT_FALSE(fs::exists(directory.file("x")));
}

/// script of util-linux runs a command on a terminal of its own.
bool has_script() {
  return std::system("command -v script >/dev/null 2>&1") == 0;
}

TEST(Cli, CtrlCKeepsFinishedCellsAndSaysHowToGoOn) {
  const TemporaryDirectory directory;
  const std::string suite = write_suite(directory,
                                        "[[method]]\nname = \"endless\"\ntype = \"external\"\n"
                                        "command = \"sleep 1000 # {samples}\"\ntimeout_s = 1000\n");
  const std::string results = directory.file("a results");
  // Interrupted once the four quick cells are there and a worker sleeps in the first endless one.
  const CommandResult run =
      run_command_line("set -m\n" + program + " run " + suite + " -j 1 -o '" + results + "' &\n" +
                       "for i in $(seq 200); do [ -e '" + results +
                       "/plane-gmm9/gaussian/none/seed-1.metrics.h5' ] && break; sleep 0.1; done\n"
                       "sleep 0.3\nkill -INT $!\nwait $!");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.out.find("4 computed"), std::string::npos) << run.out;
  const std::size_t place = run.err.find("To go on: ");
  ASSERT_NE(place, std::string::npos) << run.err;
  const std::string command = run.err.substr(place + 10, run.err.find('\n', place) - place - 10);
  EXPECT_NE(command.find("run " + suite + " -j 1 -o '" + results + "'"), std::string::npos) << command;
  EXPECT_FALSE(fs::exists(results + "/plane-gmm9/endless/none/seed-0.h5"));
  EXPECT_EQ(run_command_line(command + " --only '*/[og]*/*'").exit_code, 0);
  const CommandResult verify = onmanifold("verify '" + results + "'");
  EXPECT_EQ(verify.exit_code, 1);
  EXPECT_NE(verify.out.find("/plane-gmm9/endless/none/seed-0.h5: missing; a run was asked for it\n"),
            std::string::npos);
  EXPECT_NE(verify.out.find(": 4 cells, 2 problems\n"), std::string::npos) << verify.out;
}

TEST(Cli, ATerminalSeesProgressWithTheTimeLeft) {
  if (!has_script()) GTEST_SKIP() << "no script(1)";
  const TemporaryDirectory directory;
  const std::string suite = write_suite(directory);
  const std::string command = program + " run " + suite + " -j 1 -o " + directory.file("results");
  const CommandResult seen = run_command_line("script -qec '" + command + "' /dev/null");
  EXPECT_EQ(seen.exit_code, 0) << seen.out;
  EXPECT_NE(seen.out.find("tiny  2/4  50 %  ETA 0:0"), std::string::npos) << seen.out;
  EXPECT_NE(seen.out.find("tiny  4/4  100 %  ETA 0:00"), std::string::npos) << seen.out;
}

TEST(Cli, BadSuitesAreRefusedWithFileAndLine) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(refused(onmanifold("run qiuck"), {"qiuck", "quick"}));
  EXPECT_TRUE(refused(onmanifold("run /nonexistent.toml"), {"/nonexistent.toml"}));
  const std::string malformed = directory.file("malformed.toml");
  std::ofstream(malformed) << "[suite]\nname = \n";
  EXPECT_TRUE(refused(onmanifold("run " + malformed), {"malformed.toml", "line 2"}));
  const std::string suite = write_suite(directory, "[[method]]\nname = \"ddpm\"\nstepz = 3\n");
  EXPECT_TRUE(refused(onmanifold("run " + suite), {"tiny.toml", "line 15", "stepz", "steps"}));
}

TEST(Cli, BadDirectoriesAreRefused) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(refused(onmanifold("report /nonexistent"), {"/nonexistent"}));
  EXPECT_TRUE(refused(onmanifold("verify /nonexistent"), {"/nonexistent"}));
  EXPECT_TRUE(refused(onmanifold("run " + write_suite(directory) + " -o /proc/x"), {"/proc/x"}, 1));
  EXPECT_TRUE(refused(onmanifold("report " + directory.path() + " --format pdf"), {"pdf", "html"}));
}

TEST(Cli, AFullDiskEndsTheRunWithOneLineAndNoHalfFile) {
  const TemporaryDirectory directory;
  const std::string results = directory.file("results");
  // A limit on file sizes stands in for the full disk: the write fails half-way through a file.
  const CommandResult run =
      run_command_line("ulimit -f 6; exec " + program + " run " + write_suite(directory) + " -j 1 -o " + results);
  EXPECT_EQ(run.exit_code, 1) << run.err;
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  EXPECT_NE(run.err.find(results), std::string::npos) << run.err;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(results)) {
    if (entry.is_regular_file()) {
      EXPECT_EQ(entry.path().filename(), ".lock");
    }
  }
}

TEST(Cli, CompareTellsTheVerdictByItsExitCode) {
  const TemporaryDirectory directory;
  // One name, three models behind it: true draws, other true draws, a moment fit.
  const auto run = [&](const std::string& name, const std::string& type, const std::string& seeds) {
    const std::string suite = directory.file(name + ".toml");
    std::ofstream(suite) << "[suite]\nname = \"gate\"\nseeds = \"" << seeds
                         << "\"\nn_train = 2000\nn_samples = 2000\nn_reference = 2000\n[[task]]\nname = "
                            "\"plane-gmm9\"\nmetrics = \"tvd\"\n[[method]]\nname = \"model\"\ntype = \""
                         << type << "\"\n";
    const CommandResult result = onmanifold("run " + suite + " -o " + directory.file(name));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return directory.file(name);
  };
  const std::string truth = run("truth", "oracle", "0..5");
  const std::string other_truth = run("other", "oracle", "10..15");
  const std::string fit = run("fit", "gaussian", "0..5");
  const std::string json = directory.file("gate.json");
  const std::string comment = directory.file("gate.md");

  const CommandResult same = onmanifold("compare " + truth + " " + truth + " --exact --require-all");
  EXPECT_EQ(same.exit_code, 0) << same.out;
  EXPECT_EQ(onmanifold("compare " + truth + " " + truth + " --exact").exit_code, 0);
  EXPECT_EQ(onmanifold("compare " + truth + " " + other_truth).exit_code, 0);
  EXPECT_EQ(onmanifold("compare " + fit + " " + truth).exit_code, 0) << "an improvement is no regression";

  const CommandResult worse = onmanifold("compare " + truth + " " + fit + " --json " + json + " --markdown " + comment);
  EXPECT_EQ(worse.exit_code, 1);
  EXPECT_TRUE(has_line_starting(worse.out, "- plane-gmm9 model tvd  ")) << worse.out;
  EXPECT_NE(worse.out.find("paired"), std::string::npos) << worse.out;
  EXPECT_GT(fs::file_size(json), 0U);
  EXPECT_GT(fs::file_size(comment), 0U);
  EXPECT_EQ(onmanifold("compare " + truth + " " + other_truth + " --exact").exit_code, 0) << "no cell in common";

  const std::string empty = directory.file("empty");
  fs::create_directory(empty);
  EXPECT_EQ(onmanifold("compare " + truth + " " + empty).exit_code, 3);
  EXPECT_EQ(onmanifold("compare " + empty + " " + truth).exit_code, 3);
  fs::remove_all(fit + "/plane-gmm9/model/none/seed-5.h5");
  EXPECT_EQ(onmanifold("compare " + truth + " " + fit).exit_code, 1);
  fs::remove_all(other_truth + "/plane-gmm9/model/none/seed-15.h5");
  EXPECT_EQ(onmanifold("compare " + truth + " " + other_truth + " --allow-missing").exit_code, 0);
  for (const char* option : {"", " --require-all"}) {
    const CommandResult fewer = onmanifold("compare " + truth + " " + other_truth + option);
    EXPECT_EQ(fewer.exit_code, 3);
    EXPECT_TRUE(has_line_starting(fewer.out, "incomplete: the candidate lacks")) << fewer.out;
  }
  const CommandResult nothing = onmanifold("compare " + truth + " " + truth + " --metrics bits_per_dimension");
  EXPECT_EQ(nothing.exit_code, 3);
  EXPECT_TRUE(has_line_starting(nothing.out, "nothing to judge: ")) << nothing.out;
  const CommandResult raw = onmanifold("compare " + truth + " " + truth + " --metrics 'tvd(raw)'");
  EXPECT_EQ(raw.exit_code, 0) << raw.out;

  EXPECT_TRUE(refused(onmanifold("compare " + truth + " /nonexistent"), {"/nonexistent"}));
  EXPECT_TRUE(
      refused(onmanifold("compare " + truth + " " + truth + " --metrics tvdd"), {"tvdd", "did you mean 'tvd'"}));
  EXPECT_TRUE(refused(onmanifold("compare " + truth + " " + truth + " --metrics 'tvd(projcted)'"), {"projcted"}));
  EXPECT_TRUE(refused(onmanifold("compare " + truth + " " + truth + " --alpha 2"), {"alpha"}));
  EXPECT_EQ(onmanifold("compare " + truth).exit_code, 2);
}

TEST(Cli, TheSmokeSuiteRunsThroughEveryPart) {
  const TemporaryDirectory directory;
  const std::string results = directory.file("smoke");
  const CommandResult run = onmanifold("run smoke -j 2 -o " + results);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.out.find(" 0 failed"), std::string::npos) << run.out;
  EXPECT_EQ(onmanifold("report " + results).exit_code, 0);
  EXPECT_LT(fs::file_size(results + "/report.html"), 5U << 20U);
  EXPECT_EQ(onmanifold("verify " + results).exit_code, 0);
}

TEST(Cli, BackbonesAreExportedWithTheAtomsOfTheirFrame) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("chains.npy");
  const CommandResult part = onmanifold("export backbone-synthetic -n 3 --seed 0 -o " + file);
  EXPECT_EQ(part.exit_code, 0) << part.err;
  EXPECT_NE(part.out.find("3 rows of 63 numbers"), std::string::npos) << part.out;
  const CommandResult full = onmanifold("export backbone-synthetic -n 3 --seed 0 --full -o " + file);
  EXPECT_EQ(full.exit_code, 0) << full.err;
  EXPECT_NE(full.out.find("3 rows of 72 numbers"), std::string::npos) << full.out;
  EXPECT_TRUE(refused(onmanifold("export sphere-vmf6 -n 3 --seed 0 --full -o " + file), {"--full", "sphere-vmf6"}));
}

TEST(Cli, LenetTrainsOnceAndSaysHowGoodItIs) {
  const MadeImages images;
  const std::string task = "lenet 'flux-mnist14(data=made)'";
  const CommandResult first = onmanifold(task);
  EXPECT_EQ(first.exit_code, 0) << first.err;
  for (const char* part : {"lenet-14x14.h5: trained in", "accuracy ", "% of 60 test images", "sha256:", "200 images"}) {
    EXPECT_NE(first.out.find(part), std::string::npos) << part << "\n" << first.out;
  }
  const CommandResult second = onmanifold(task);
  EXPECT_NE(second.out.find("already there"), std::string::npos) << second.out;
  EXPECT_EQ(second.out.substr(second.out.find('\n')), first.out.substr(first.out.find('\n')));
  EXPECT_NE(onmanifold(task + " --force").out.find("trained in"), std::string::npos);
  EXPECT_TRUE(refused(onmanifold("lenet sphere-vmf6"), {"sphere-vmf6", "not a task of images"}));
  EXPECT_TRUE(refused(onmanifold("lenet flux-mnist"), {"train-images-idx3-ubyte", "not the published file"}));
  const std::string weights = images.path("made", "lenet-14x14.h5");
  fs::resize_file(weights, fs::file_size(weights) / 2);
  EXPECT_TRUE(refused(onmanifold(task), {weights, "truncated or altered", task + " --force"}));

  // score needs the same weights: refused likewise, and then with features named under the table.
  const std::string samples = images.path("made", "samples.npy");
  const std::string score =
      "score --task 'flux-mnist14(data=made)' --metrics fid_lenet,negative_pixel_rate --samples " + samples;
  ASSERT_EQ(onmanifold("export 'flux-mnist14(data=made)' -n 20 --seed 0 -o " + samples).exit_code, 0);
  EXPECT_TRUE(refused(onmanifold(score), {weights, "truncated or altered"}));
  ASSERT_EQ(onmanifold(task + " --force").exit_code, 0);
  const CommandResult scored = onmanifold(score);
  EXPECT_EQ(scored.exit_code, 0) << scored.err;
  EXPECT_NE(scored.out.find("fid_lenet: features lenet5-fc84@sha256:"), std::string::npos) << scored.out;
  EXPECT_NE(scored.out.find("test accuracy "), std::string::npos) << scored.out;
}

TEST(Cli, ImagesAreExportedWithTheirDroppedPixels) {
  const MadeImages images;
  const std::string arguments =
      "export 'flux-mnist(data=made,drop_constant=true)' -n 3 --seed 0 -o " + images.path("made", "images.npy");
  EXPECT_NE(onmanifold(arguments).out.find("3 rows of 676 numbers"), std::string::npos);
  EXPECT_NE(onmanifold(arguments + " --full").out.find("3 rows of 784 numbers"), std::string::npos);
}

TEST(Cli, FragmentsNamesTheFileOrFolderThatIsBad) {
  const TemporaryDirectory directory;
  const std::string output = " -o " + directory.file("set.h5");
  EXPECT_TRUE(refused(onmanifold("fragments " + directory.file("missing") + output), {"missing", "no such folder"}));
  fs::create_directory(directory.file("empty"));
  EXPECT_TRUE(refused(onmanifold("fragments " + directory.file("empty") + output), {"empty", "no structure file"}));
  std::ofstream(directory.file("empty/bad.cif")) << "data_x\n";
  EXPECT_TRUE(refused(onmanifold("fragments " + directory.file("empty") + output), {"bad.cif"}));
  EXPECT_FALSE(fs::exists(directory.file("set.h5")));
}

TEST(Cli, AdvisesOnTasksAndOnFiles) {
  const CommandResult task = onmanifold("advise --task sphere-vmf6 -n 500 --effect 1 --sd 1");
  EXPECT_EQ(task.exit_code, 0) << task.err;
  EXPECT_NE(task.out.find("the task's pre-registered level"), std::string::npos) << task.out;
  // (z(.95) + z(.8))^2 + z(.95)^2/2 = 7.54. Of an effect far above its spread the signs decide: 2^-5 < .05, 2^-10 <
  // .05/27.
  EXPECT_NE(task.out.find("8 for one comparison"), std::string::npos) << task.out;
  const CommandResult clear = onmanifold("advise --task plane-gmm9 -n 100 --effect 1 --sd 0.001");
  EXPECT_NE(clear.out.find("5 for one comparison, 10 among 27 claims"), std::string::npos) << clear.out;
  const CommandResult flat = onmanifold("advise --task plane-gmm9 -n 100 --json -");
  EXPECT_NE(flat.out.find("\"reach\": \"inf\""), std::string::npos) << flat.out;
  const TemporaryDirectory directory;
  const std::string points = directory.file("points.csv");
  std::ofstream(points) << "1,0,0\n-1,0,0\n0,1,0\n0,-1,0\n0,0,1\n0,0,-1\n";
  const CommandResult file = onmanifold("advise --manifold sphere:dim=2,radius=1 --train '" + points + "' --json -");
  EXPECT_EQ(file.exit_code, 0) << file.err;
  // A tenth of the spread 1/sqrt(3), which is less than the reach 1.
  EXPECT_NE(file.out.find("\"recommended_sigma\": 0.0577350269"), std::string::npos) << file.out;
  EXPECT_NE(file.out.find("\"reach\": 1"), std::string::npos) << file.out;
  std::ofstream(points, std::ios::app) << "0,0,2\n";
  EXPECT_TRUE(refused(onmanifold("advise --manifold sphere:dim=2,radius=1 --train '" + points + "'"),
                      {"row 7", "1 away from sphere"}));
  EXPECT_TRUE(refused(onmanifold("advise --manifold sphere:dim=1,radius=1 --train '" + points + "'"),
                      {"3 numbers a row", "needs 2"}));
  EXPECT_TRUE(refused(onmanifold("advise"), {"--task", "--train"}));
  EXPECT_TRUE(refused(onmanifold("advise --train '" + points + "'"), {"--manifold"}));
  EXPECT_TRUE(refused(onmanifold("advise --task sphere-vmf6 --effect 1"), {"--sd"}));
  EXPECT_TRUE(refused(onmanifold("advise --task no-such-task"), {"no-such-task"}));
}

TEST(Cli, LiftsAndProjectsPointsOfAnyOrigin) {
  const TemporaryDirectory directory;
  const std::string points = directory.file("points.csv");
  std::ofstream(points) << "1,0,0\n0,1,0\n0,0,-1\n";
  const auto lift = [&](const std::string& more, const std::string& output) {
    return onmanifold("lift " + more + " -i '" + points + "' -o " + directory.file(output));
  };
  const std::string normal = "--manifold sphere:dim=2,radius=1 --lift normal:sigma=0.1";
  EXPECT_EQ(lift(normal, "0.npy").exit_code, 0);
  EXPECT_EQ(lift(normal, "again.npy").exit_code, 0);
  EXPECT_EQ(lift(normal + " --epoch 1", "1.npy").exit_code, 0);
  EXPECT_EQ(lift("--task sphere-vmf6 --lift isotropic:sigma=0.1", "isotropic.npy").exit_code, 0);
  const auto read = [&](const std::string& name) { return read_points(directory.file(name)); };
  EXPECT_EQ(read("0.npy"), read("again.npy"));
  EXPECT_GT((read("0.npy") - read("1.npy")).norm(), 1e-3);
  const CommandResult back = onmanifold("project --manifold sphere:dim=2,radius=1 -i " + directory.file("0.npy") +
                                        " -o " + directory.file("back.npy"));
  EXPECT_EQ(back.exit_code, 0) << back.err;
  EXPECT_LT((read("back.npy") - read_points(points)).norm(), 1e-12) << "normal noise does not return";
  EXPECT_EQ(onmanifold("project --task sphere-vmf6 -i " + directory.file("isotropic.npy") + " -o " +
                       directory.file("other.npy"))
                .exit_code,
            0);
  EXPECT_GT((read("other.npy") - read_points(points)).norm(), 1e-3) << "isotropic noise returns";
  std::ofstream(directory.file("centre.csv")) << "0,0,0\n2,0,0\n";
  const CommandResult failed = onmanifold("project --task sphere-vmf6 -i " + directory.file("centre.csv") + " -o " +
                                          directory.file("centre.npy"));
  EXPECT_NE(failed.err.find("1 rows have no nearest point"), std::string::npos) << failed.err;
  EXPECT_NE(failed.out.find("moved by 1 in the mean, 1 at most"), std::string::npos) << failed.out;
  EXPECT_TRUE(
      refused(lift("--manifold so3 --lift normal:sigma=0.1", "x.npy"), {"points.csv", "3 numbers", "so3 has 9"}));
  EXPECT_TRUE(refused(lift("--manifold sphere:dim=2,radius=1 --lift normal", "x.npy"), {"needs a level"}));
  EXPECT_TRUE(refused(lift("--task sphere-vmf6 --lift norml", "x.npy"), {"normal"}));
  EXPECT_TRUE(refused(lift("--lift normal", "x.npy"), {"--task", "--manifold"}));
  EXPECT_TRUE(refused(lift(normal + " --epoch -1", "x.npy"), {"--epoch"}));
}

}  // namespace
}  // namespace onmanifold
