// SPDX-License-Identifier: Apache-2.0
#include "results/verify.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/random/stream.hpp"
#include "results/cell_files.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

// A small directory in which all is well: two cells, one of them failed.
class Verify : public testing::Test {
 protected:
  Verify() : directory_(fs::temp_directory_path() / ("verify_test." + std::to_string(::getpid()))) {
    fs::remove_all(directory_);
    raw_.config = Value::Table{{"task", "t"}};
    raw_.raw = Stream(1, "verify_test").normal(3, 200);
    raw_.projected = raw_.raw.colwise().normalized();
    write_raw_cell(path("t/ddpm/none/seed-0.h5"), raw_);
    MetricsCell metrics;
    metrics.raw_digest = raw_digest(raw_);
    metrics.raw.resize(2);
    write_metrics_cell(path("t/ddpm/none/seed-0.metrics.h5"), metrics);
    RawCell failed;
    failed.config = Value::Table{};
    failed.status = {.state = CellState::failed, .message = "it threw"};
    write_raw_cell(path("t/ddpm/none/seed-1.h5"), failed);
    TaskFile task;
    task.name = "t";
    write_task_file(path("t/task.h5"), task);
    plan_.suite = "s";
    plan_.cells = {{"t", "ddpm", "none", 0}, {"t", "ddpm", "none", 1}};
    write_cell_plan(directory_.string(), plan_);
    write_file(path("report.html"), "anything");
    write_file(path(".lock"), "");
  }
  ~Verify() override { fs::remove_all(directory_); }
  [[nodiscard]] std::string path(const std::string& name) const { return (directory_ / name).string(); }
  [[nodiscard]] std::vector<std::string> problems() const { return verify_directory(directory_.string()).problems; }

  fs::path directory_;
  RawCell raw_;
  CellPlan plan_;
};

TEST_F(Verify, AWholeDirectoryHasNoProblems) {
  const Verification result = verify_directory(directory_.string());
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.notes, IsEmpty());
  EXPECT_EQ(result.cells, 2);
  EXPECT_EQ(result.failed, 1);
  EXPECT_EQ(result.metrics_files, 1);
  EXPECT_EQ(result.task_files, 1);
  EXPECT_THROW(static_cast<void>(verify_directory(path("none"))), InvalidInput);
}

TEST_F(Verify, FindsAFlippedBitAnywhere) {
  for (const char* name : {"t/ddpm/none/seed-0.h5", "t/ddpm/none/seed-0.metrics.h5", "t/task.h5"}) {
    const std::string whole = read_file(path(name));
    for (std::size_t i = 0; i < whole.size(); i += whole.size() / 11 + 1) {
      std::string copy = whole;
      copy[i] = static_cast<char>(copy[i] ^ 1);
      std::ofstream(path(name), std::ios::binary) << copy;  // faster than write_file, which waits for the disk
      EXPECT_EQ(problems().size(), 1U) << name << " byte " << i;
    }
    write_file(path(name), whole);
  }
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(Verify, FindsMissingFiles) {
  fs::remove(path("t/ddpm/none/seed-0.metrics.h5"));
  fs::remove(path("t/task.h5"));
  EXPECT_THAT(problems(),
              ElementsAre(path("t/ddpm/none/seed-0.h5") + ": has no metrics file", path("t/task.h5") + ": missing"));
}

TEST_F(Verify, KnowsWhatRunsWereAskedFor) {
  CellPlan more{.suite = "s", .cells = {{"t", "ddpm", "normal", 3}, {"u", "oracle", "none", 0}}};
  write_cell_plan(directory_.string(), more);
  EXPECT_THAT(problems(), ElementsAre(path("t/ddpm/normal/seed-3.h5") + ": missing; a run was asked for it",
                                      path("u/oracle/none/seed-0.h5") + ": missing; a run was asked for it"));
  fs::remove(cell_plan_path(directory_.string(), more));
  EXPECT_THAT(problems(), IsEmpty());
  // A whole task may go.
  fs::remove_all(path("t"));
  EXPECT_EQ(problems().size(), 2U);
}

TEST_F(Verify, SaysWhereNothingTellsWhatWasAskedFor) {
  fs::remove(cell_plan_path(directory_.string(), plan_));
  const Verification result = verify_directory(directory_.string());
  EXPECT_THAT(result.problems, IsEmpty());
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_THAT(result.notes[0], testing::HasSubstr("cells may be missing"));
  // Nothing at all is not whole.
  fs::remove_all(path("t"));
  EXPECT_THAT(problems(), ElementsAre(directory_.string() + ": no results here"));
}

TEST_F(Verify, FindsAPlanThatIsNone) {
  const std::string plan = cell_plan_path(directory_.string(), plan_);
  const std::string whole = read_file(plan);
  for (std::size_t i = 0; i < whole.size(); i += whole.size() / 11 + 1) {
    std::string copy = whole;
    copy[i] = static_cast<char>(copy[i] ^ 1);
    std::ofstream(plan, std::ios::binary) << copy;
    EXPECT_EQ(problems().size(), 1U) << "byte " << i;
  }
  for (const char* text :
       {"[]", "{}", R"({"suite": "s", "cells": [["t", "m", "l", 0]]})",
        R"({"suite": "s", "cells": [["t", "m", "l", 1, 0]]})", R"({"suite": "s", "cells": [["t", "m", "l", -1, 0]]})",
        R"({"suite": "s", "cells": [["t", "m", "l", 0, 2000000000]]})",
        R"({"suite": "s", "cells": [["t", "m", "l", 0, 600000], ["t", "m", "k", 0, 600000]]})"}) {
    Hdf5Writer writer(plan);
    writer.set_attribute("/", "schema_version", std::int64_t{schema_version});
    writer.set_attribute("/", "kind", std::string_view("plan"));
    writer.write_text("/plan", text);
    writer.commit();
    EXPECT_THAT(problems(), ElementsAre(plan + ":/plan: not a suite and its cells")) << text;
  }
}

TEST(CellPlan, GivesItsCellsBackInFewEntries) {
  const fs::path directory = fs::temp_directory_path() / ("plan_test." + std::to_string(::getpid()));
  CellPlan plan{.suite = "s", .cells = {}};
  for (int seed = 0; seed < 10000; ++seed) plan.cells.push_back({"t", "m", "none", seed});
  plan.cells.push_back({"t", "m", "none", 2'147'483'647});
  plan.cells.push_back({"a", "m", "none", 5});
  write_cell_plan(directory.string(), plan);
  const std::vector<std::string> found = find_cell_plans(directory.string());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], cell_plan_path(directory.string(), plan));
  EXPECT_LT(fs::file_size(found[0]), 10000U);
  const CellPlan read = read_cell_plan(found[0]);
  EXPECT_EQ(read.suite, "s");
  std::sort(plan.cells.begin(), plan.cells.end());
  EXPECT_EQ(read.cells, plan.cells);
  fs::remove_all(directory);
}

TEST_F(Verify, FindsMetricsOfOtherSamples) {
  raw_.raw(0, 0) += 1;
  write_raw_cell(path("t/ddpm/none/seed-0.h5"), raw_);
  EXPECT_THAT(problems(), ElementsAre(path("t/ddpm/none/seed-0.metrics.h5") + ": was computed from other samples"));
  fs::remove(path("t/ddpm/none/seed-0.h5"));
  EXPECT_THAT(problems(), ElementsAre(path("t/ddpm/none/seed-0.h5") + ": missing; a run was asked for it",
                                      path("t/ddpm/none/seed-0.metrics.h5") + ": has no raw file"));
}

TEST_F(Verify, FindsAForgedDigest) {
  // A consistent file whose samples were exchanged: only the digest beside them can tell.
  const std::string file = path("t/ddpm/none/seed-1.h5");
  {
    Hdf5Writer writer(file);
    writer.set_attribute("/", "schema_version", std::int64_t{schema_version});
    writer.set_attribute("/", "kind", std::string_view("raw"));
    writer.set_attribute("/", "sample_hash", std::string_view("h"));
    writer.set_attribute("/", "raw_digest", std::string_view(raw_digest(raw_)));
    writer.write_text("/config", to_json(raw_.config));
    writer.write_text("/provenance", "{}");
    writer.write_text("/status", "failed");
    writer.set_attribute("/status", "message", std::string_view(""));
    writer.write_matrix("/samples/raw", Points::Zero(3, 200));
    writer.commit();
  }
  EXPECT_THAT(problems(), ElementsAre(file + ": its samples do not match the digest beside them"));
}

TEST_F(Verify, FindsOtherSchemasAndKinds) {
  {
    Hdf5Writer writer(path("t/task.h5"));
    writer.set_attribute("/", "schema_version", std::int64_t{99});
    writer.set_attribute("/", "kind", std::string_view("task"));
    writer.commit();
  }
  fs::copy_file(path("t/ddpm/none/seed-0.metrics.h5"), path("t/ddpm/none/seed-2.h5"));
  EXPECT_THAT(
      problems(),
      ElementsAre(path("t/ddpm/none/seed-2.h5") + ": is a metrics file, expected a raw file",
                  path("t/task.h5") +
                      ": has schema version 99, this program reads up to version 1: a newer onmanifold wrote it"));
}

TEST_F(Verify, FindsLeftoversButNotFilesBeingWritten) {
  const AtomicFile alive(path("t/ddpm/none/seed-3.h5"));
  EXPECT_THAT(problems(), IsEmpty());
  const pid_t child = ::fork();
  if (child == 0) {
    const AtomicFile file(path("t/ddpm/none/seed-4.h5"));
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  // The results are what they were: a note, and no problem.
  EXPECT_THAT(problems(), IsEmpty());
  const std::vector<std::string> found = verify_directory(directory_.string()).notes;
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0], testing::StartsWith(path("t/ddpm/none/.seed-4.h5.")));
  EXPECT_THAT(found[0], testing::EndsWith(": a leftover of an interrupted write; the next run removes it"));
}

}  // namespace
}  // namespace onmanifold
