// SPDX-License-Identifier: Apache-2.0
// score and export from the outside: files of every kind, and one clear line for everything that is wrong
// with them.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/files/temporary_directory.hpp"
#include "tests/support/command.hpp"

namespace onmanifold {
namespace {

const std::string program = std::string(ONMANIFOLD_BINARY_DIR) + "/onmanifold";

CommandResult onmanifold(const std::string& arguments) {
  return run_command_line(program + " " + arguments);
}

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void spill(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Exit code 2 and one line on stderr with all \p parts, nothing on stdout.
testing::AssertionResult refused(const std::string& arguments, const std::vector<std::string>& parts) {
  const CommandResult result = onmanifold(arguments);
  if (result.exit_code != 2) {
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

class ScoreCli : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"good.npy", "good.csv", "good.h5"}) {
      ASSERT_EQ(onmanifold("export sphere-vmf6 -n 200 --seed 0 -o " + file(name)).exit_code, 0);
    }
  }
  [[nodiscard]] std::string file(const std::string& name) const { return directory_.file(name); }
  [[nodiscard]] std::string task(const std::string& name) const {
    return "score --task sphere-vmf6 --reference-size 300 --samples " + file(name);
  }

  TemporaryDirectory directory_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

/// \p json with another number under \p key of its first tvd.
std::string with_value(std::string json, const std::string& value, const std::string& key = "value") {
  const std::size_t start = json.find("\"" + key + "\": ", json.find("\"name\": \"tvd\"")) + key.size() + 4;
  return json.replace(start, json.find_first_of(",\n", start) - start, value);
}

/// The JSON of a score without the name of its samples' file.
std::string unnamed(const std::string& json) {
  return std::regex_replace(json, std::regex("\\s*\"samples_file\": \"[^\"]*\",?"), "");
}

/// The line of a report that says what a perfect model would get, without its spaces.
std::string perfect_model(const std::string& table) {
  const std::size_t start = table.find("perfect model");
  if (start == std::string::npos) return "";
  std::string line = table.substr(start, table.find('\n', start) - start);
  std::erase(line, ' ');
  return line;
}

TEST_F(ScoreCli, SaysWhereAValueLies) {
  const std::string asked = "score --task sphere-vmf6 --metrics tvd --reference-size 300 --samples " + file("good.npy");
  const CommandResult good = onmanifold(asked + " --place");
  EXPECT_EQ(good.exit_code, 0) << good.err;
  std::smatch place;
  ASSERT_TRUE(std::regex_search(good.out, place, std::regex("tvd +projected .* ± [^ ]+ +([-0-9.]+)"))) << good.out;
  EXPECT_NEAR(std::stod(place[1]), 1, 0.3);
  // What lies in one place is worse than a Gaussian.
  std::string pole;
  for (int i = 0; i < 200; ++i) pole += "0,0,1\n";
  spill(file("pole.csv"), pole);
  const CommandResult bad =
      onmanifold("score --task sphere-vmf6 --metrics tvd --reference-size 300 --place --samples " + file("pole.csv"));
  ASSERT_TRUE(std::regex_search(bad.out, place, std::regex("tvd +projected .* ± [^ ]+ +([-0-9.]+)"))) << bad.out;
  EXPECT_LT(std::stod(place[1]), 0);
  const CommandResult json = onmanifold(asked + " --place --json -");
  EXPECT_TRUE(std::regex_search(json.out, std::regex("\"ceiling\": [0-9.]+,\n *\"direction\""))) << json.out;
  EXPECT_TRUE(std::regex_search(json.out, std::regex("\"place\": [0-9.]+,"))) << json.out;
  EXPECT_EQ(onmanifold(asked + " --json -").out.find("\"place\""), std::string::npos);
  EXPECT_TRUE(refused("score --place --samples " + file("good.npy") + " --reference " + file("good.npy"),
                      {"place on the scale needs a task"}));
}

TEST_F(ScoreCli, AllKindsOfFilesGiveOneJson) {
  const CommandResult npy = onmanifold(task("good.npy") + " --json -");
  EXPECT_EQ(npy.exit_code, 0) << npy.err;
  for (const char* key :
       {"\"onmanifold\"", "\"n_reference\": 300", "\"n_samples\": 200", "\"dimension\": 3", "\"name\"", "\"null_sd\"",
        "\"status\": \"ok\"", "\"parameters\"", "\"direction\"", "\"unit\""}) {
    EXPECT_NE(npy.out.find(key), std::string::npos) << key;
  }
  EXPECT_NE(npy.out.find("good.npy\""), std::string::npos);
  for (const char* other : {"good.csv", "good.h5", "good.h5:/samples"}) {
    EXPECT_EQ(unnamed(onmanifold(task(other) + " --json -").out), unnamed(npy.out)) << other;
  }
  const CommandResult table = onmanifold(task("good.npy") + " --json " + file("score.json"));
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_NE(table.out.find("mmd2_rbf_unbiased"), std::string::npos);
  EXPECT_EQ(unnamed(slurp(file("score.json"))), unnamed(npy.out));
}

TEST_F(ScoreCli, BadFilesAreNamedWithTheirRow) {
  spill(file("text.csv"), "1,0,0\n0,1,0\n0,b,1\n");
  EXPECT_TRUE(refused(task("text.csv"), {"text.csv", "line 3", "'b'"}));
  spill(file("nan.csv"), "1,0,0\n0,nan,0\n");
  EXPECT_TRUE(refused(task("nan.csv"), {"nan.csv", "row 1", "--allow-nonfinite"}));
  spill(file("allnan.csv"), "nan,0,0\n0,nan,0\n");
  EXPECT_TRUE(refused(task("allnan.csv") + " --allow-nonfinite", {"allnan.csv", "no row is finite"}));
  spill(file("narrow.csv"), "1,0\n0,1\n");
  EXPECT_TRUE(refused(task("narrow.csv"), {"narrow.csv", "2 numbers", "sphere-vmf6 has 3"}));
  spill(file("ragged.csv"), "1,0,0\n0,1\n");
  EXPECT_TRUE(refused(task("ragged.csv"), {"ragged.csv", "line 2"}));
  spill(file("empty.csv"), "");
  EXPECT_TRUE(refused(task("empty.csv"), {"empty.csv"}));
  spill(file("empty.npy"), "");
  EXPECT_TRUE(refused(task("empty.npy"), {"empty.npy"}));
  for (const char* extension : {"npy", "h5"}) {
    const std::string whole = slurp(file(std::string("good.") + extension));
    const std::string name = std::string("short.") + extension;
    spill(file(name), whole.substr(0, whole.size() / 2));
    EXPECT_TRUE(refused(task(name), {name, "truncated"}));
  }
  std::string none = slurp(file("good.npy"));
  none.replace(none.find("(200, 3)"), 8, "(0, 3)  ");
  spill(file("none.npy"), none.substr(0, none.find('\n') + 1));
  EXPECT_TRUE(refused(task("none.npy"), {"none.npy", "no rows"}));
  EXPECT_TRUE(refused(task("missing.npy"), {"missing.npy", "no such file"}));
  std::filesystem::create_directory(file("directory.npy"));
  EXPECT_TRUE(refused(task("directory.npy"), {"directory.npy"}));
  EXPECT_TRUE(refused(task("good.h5") + ":/other", {"good.h5", "/other", "samples"}));
}

TEST_F(ScoreCli, BadArgumentsAreNamed) {
  EXPECT_TRUE(refused(task("good.npy") + " --metrics speed", {"speed", "tvd"}));
  EXPECT_TRUE(refused(task("good.npy") + " --metrics 'coverage(kk=5)'", {"coverage", "kk"}));
  EXPECT_TRUE(refused(task("good.npy") + " --metrics ,", {"metric list"}));
  EXPECT_TRUE(refused(task("good.npy") + " --metrics train_copy_rate", {"train_copy_rate", "no training points"}));
  EXPECT_TRUE(refused(task("good.npy") + " --reference " + file("good.npy"), {"--task", "--reference"}));
  EXPECT_TRUE(refused(task("good.npy") + " --manifold so3", {"--manifold"}));
  EXPECT_TRUE(refused(task("good.npy") + " --memory lots", {"--memory", "lots"}));
  EXPECT_TRUE(refused(task("good.npy") + " --memory 1k", {"good.npy", "coverage", "41 points fit"}));
  EXPECT_TRUE(refused(task("good.npy") + " --json " + directory_.path(), {"--json", "is a directory"}));
  EXPECT_TRUE(refused(task("good.npy") + " --json " + file("no/such/x.json"), {"--json", "no directory"}));
  const std::string samples = "score --samples " + file("good.npy");
  EXPECT_TRUE(refused(samples, {"--task", "--reference"}));
  EXPECT_TRUE(refused(samples + " --task sphere", {"sphere", "sphere-vmf6"}));
  EXPECT_TRUE(refused(samples + " --reference " + file("good.csv") + " --metrics tvd", {"tvd", "bins"}));
  EXPECT_TRUE(refused(samples + " --reference " + file("good.csv") + " --manifold ball:dim=2", {"ball", "sphere"}));
  EXPECT_TRUE(
      refused(samples + " --reference " + file("good.csv") + " --manifold sphere:dim=3", {"good.npy", "manifold"}));
  EXPECT_TRUE(refused("export nothing -n 5 --seed 0 -o " + file("x.npy"), {"nothing", "sphere-vmf6"}));
  EXPECT_TRUE(refused("export sphere-vmf6 -n 0 --seed 0 -o " + file("x.npy"), {"-n 0"}));
  EXPECT_TRUE(refused("export sphere-vmf6 -n 5 --seed 0 --lift up -o " + file("x.npy"), {"up", "normal"}));
  EXPECT_TRUE(refused("export sphere-vmf6 -n 5 --seed 0 -o " + file("x.dat"), {"x.dat", ".npy"}));
}

TEST_F(ScoreCli, SubmissionsStandBesideBuiltInRowsOrAreRefused) {
  spill(file("tiny.toml"),
        "[suite]\nname = \"tiny\"\nseeds = \"0..0\"\nn_train = 100\nn_samples = 200\nn_reference = 300\n"
        "[[task]]\nname = \"sphere-vmf6\"\nmetrics = \"tvd,coverage(k=5)\"\n[[method]]\nname = \"oracle\"\n");
  ASSERT_EQ(onmanifold("run " + file("tiny.toml") + " -j 1 -o " + file("tiny")).exit_code, 0);
  const std::string report = "report " + file("tiny") + " -o " + file("pages") + " --format md --submission ";
  ASSERT_EQ(onmanifold(task("good.csv") + " --name mine --json " + file("good.json")).exit_code, 0);
  const CommandResult result = onmanifold(report + file("good.json"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("mine submission"), std::string::npos) << result.out;
  EXPECT_NE(slurp(file("pages/report.md")).find("submitted, good.json"), std::string::npos);
  // Several, behind each other or one by one.
  std::filesystem::copy_file(file("good.json"), file("second.json"));
  for (const std::string& files :
       {file("good.json") + " " + file("second.json"), file("good.json") + " --submission " + file("second.json")}) {
    EXPECT_EQ(onmanifold(report + files).exit_code, 0);
    const std::string page = slurp(file("pages/report.md"));
    EXPECT_NE(page.find("submitted, good.json"), std::string::npos);
    EXPECT_NE(page.find("submitted, second.json"), std::string::npos);
  }
  EXPECT_TRUE(refused("report " + file("tiny") + " one two three", {"one two three"}));

  ASSERT_EQ(onmanifold(task("good.csv") + " --name second --json " + file("second.json")).exit_code, 0);
  for (const char* between : {" ", " --submission "}) {
    const CommandResult both = onmanifold(report + file("good.json") + between + file("second.json"));
    EXPECT_EQ(both.exit_code, 0) << both.err;
    for (const char* name : {"mine submission", "second submission"}) {
      EXPECT_NE(both.out.find(name), std::string::npos) << both.out;
    }
  }

  // Another number of reference draws, another task, other points beside the file.
  ASSERT_EQ(onmanifold("score --task sphere-vmf6 --reference-size 200 --name mine --samples " + file("good.npy") +
                       " --json " + file("other.json"))
                .exit_code,
            0);
  EXPECT_TRUE(refused(report + file("other.json"), {"other.json", "reference_hash"}));
  ASSERT_EQ(
      onmanifold("score --task sphere-vmf2 --samples " + file("good.npy") + " --json " + file("task.json")).exit_code,
      0);
  EXPECT_TRUE(refused(report + file("task.json"), {"task.json", "sphere-vmf2", "there: sphere-vmf6"}));
  ASSERT_EQ(onmanifold("export sphere-vmf6 -n 200 --seed 1 -o " + file("good.csv")).exit_code, 0);
  EXPECT_TRUE(refused(report + file("good.json"), {"good.csv", "samples_hash"}));
}

TEST_F(ScoreCli, SubmissionsAreNotBelieved) {
  spill(file("tiny.toml"),
        "[suite]\nname = \"tiny\"\nseeds = \"0..0\"\nseed = 7\nn_train = 100\nn_samples = 200\nn_reference = 300\n"
        "[[task]]\nname = \"sphere-vmf6\"\nmetrics = \"tvd,coverage(k=5),train_copy_rate\"\n"
        "[[method]]\nname = \"oracle\"\n");
  ASSERT_EQ(onmanifold("run " + file("tiny.toml") + " -j 1 -o " + file("tiny")).exit_code, 0);
  ASSERT_EQ(onmanifold("export sphere-vmf6 -n 100 --seed 0 -o " + file("train.npy")).exit_code, 0);
  const std::string report = "report " + file("tiny") + " -o " + file("pages") + " --format md --submission ";
  ASSERT_EQ(onmanifold(task("good.npy") + " --train " + file("train.npy") + " --json " + file("good.json")).exit_code,
            0);
  // The suite has another seed, hence other reference draws; a file that says it had those is read.
  EXPECT_TRUE(refused(report + file("good.json"), {"good.json", "reference_hash"}));
  spill(file("tiny.toml"), replaced(slurp(file("tiny.toml")), "seed = 7\n", ""));
  ASSERT_EQ(onmanifold("run " + file("tiny.toml") + " --force -j 1 -o " + file("tiny")).exit_code, 0);

  const CommandResult honest = onmanifold(report + file("good.json"));
  EXPECT_EQ(honest.exit_code, 0) << honest.err;
  EXPECT_NE(honest.out.find("good submission "), std::string::npos) << honest.out;
  EXPECT_EQ(honest.out.find("not re-scored"), std::string::npos) << honest.out;
  const std::string page = slurp(file("pages/report.md"));
  EXPECT_NE(page.find("re-scored from good.npy"), std::string::npos);

  // The training points are somewhere else: that metric alone is told, not found.
  std::filesystem::rename(file("train.npy"), file("elsewhere.npy"));
  const CommandResult partly = onmanifold(report + file("good.json"));
  EXPECT_NE(partly.out.find("submission (train_copy_rate not re-scored)"), std::string::npos) << partly.out;

  // An edited value beside its own untouched samples; alone, its row says what it is.
  const std::string text = slurp(file("good.json"));
  const std::string forged = with_value(text, "0.25");
  ASSERT_NE(forged, text);
  spill(file("forged.json"), forged);
  EXPECT_TRUE(refused(report + file("forged.json"), {"forged.json", "tvd", "is 0.25", "good.npy", "scored again"}));
  std::filesystem::create_directory(file("alone"));
  spill(file("alone/good.json"), with_value(text, "0.1"));
  EXPECT_TRUE(refused(report + file("alone/good.json"), {"tvd", "is 0.1", "standard deviations", "fresh draws"}));
  spill(file("alone/good.json"), text);
  const CommandResult alone = onmanifold(report + file("alone/good.json"));
  EXPECT_EQ(alone.exit_code, 0) << alone.err;
  EXPECT_NE(alone.out.find("good submission (not re-scored)"), std::string::npos) << alone.out;

  // Values that no samples have; a null of its own changes no null.
  for (const char* value : {"\"-inf\"", "-0.5", "2", "\"nan\""}) {
    spill(file("alone/good.json"), with_value(text, value));
    EXPECT_TRUE(refused(report + file("alone/good.json"), {"alone/good.json", "tvd"})) << value;
  }
  spill(file("alone/good.json"), with_value(text, "0.001", "null"));
  const CommandResult null = onmanifold(report + file("alone/good.json"));
  EXPECT_EQ(null.exit_code, 0) << null.err;
  EXPECT_EQ(perfect_model(null.out), perfect_model(honest.out));
}

TEST_F(ScoreCli, TheReferenceIsFrozen) {
  const CommandResult first = onmanifold("export sphere-vmf6 -n 300 --reference -o " + file("reference.npy"));
  EXPECT_EQ(first.exit_code, 0) << first.err;
  const CommandResult json = onmanifold(task("good.npy") + " --json -");
  const std::size_t at = first.out.rfind(' ');
  EXPECT_NE(json.out.find("\"reference_hash\": \"" + first.out.substr(at + 1, 64) + "\""), std::string::npos);
  EXPECT_TRUE(refused("export sphere-vmf6 -n 5 --reference --seed 0 -o " + file("x.npy"), {"--reference", "--seed"}));
  EXPECT_TRUE(refused("export sphere-vmf6 -n 5 -o " + file("x.npy"), {"--seed"}));
}

TEST_F(ScoreCli, NonfiniteRowsAreCounted) {
  std::string text = slurp(file("good.csv"));
  spill(file("some.csv"), text + "nan,0,0\ninf,1,2\n");
  const CommandResult result =
      onmanifold(task("some.csv") + " --allow-nonfinite --metrics fd,projection_fail_rate --json -");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("\"n_nonfinite\": 2"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("\"n_nonfinite\": 0"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("\"value\": 0.0099009900990"), std::string::npos) << "2 of 202 failed: " << result.out;
}

}  // namespace
}  // namespace onmanifold
