// SPDX-License-Identifier: Apache-2.0
#include "suite/suite_spec.hpp"

#include <cstdlib>
#include <set>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "suite/toml_file.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

constexpr const char* small_suite = R"(
[suite]
name = "small"
seeds = "0..1"
n_train = 50
n_samples = 40
[[task]]
name = "plane-gmm9"
[[task]]
name = "sphere-vmf6"
[[lift]]
name = "normal-0.1"
type = "normal"
sigma = 0.1
[[lift]]
name = "registered"
type = "isotropic"
[[method]]
name = "oracle"
[[method]]
name = "flat"
type = "gaussian"
lifts = ["none", "normal-0.1", "registered"]
)";

SuiteSpec parse(const std::string& text) {
  return parse_suite(parse_toml(text, "s.toml"), "s.toml");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

testing::AssertionResult refused(const std::string& text, const std::vector<std::string>& parts) {
  return throws_message<InvalidInput>([&] { (void)parse(text); }, parts);
}

TEST(SuiteSpec, SpansTheMatrixInFileOrder) {
  const std::vector<Cell> cells = expand(parse(small_suite));
  ASSERT_EQ(cells.size(), 2U * (1U + 3U) * 2U);
  EXPECT_EQ(cells[0].key.text(), "plane-gmm9/oracle/none/seed-0");
  EXPECT_EQ(cells[1].key.text(), "plane-gmm9/oracle/none/seed-1");
  EXPECT_EQ(cells[4].key.text(), "plane-gmm9/flat/normal-0.1/seed-0");
  EXPECT_EQ(cells[15].key.text(), "sphere-vmf6/flat/registered/seed-1");
  EXPECT_EQ(cells[4].lift.sigma, 0.1);
  EXPECT_EQ(cells[15].lift.sigma, cells[15].task->task.preregistered_sigma);
  EXPECT_GT(cells[15].lift.sigma, 0);
}

TEST(SuiteSpec, HashesTellEveryCellApartAndNothingElse) {
  const std::vector<Cell> cells = expand(parse(small_suite));
  std::set<std::string> hashes;
  for (const Cell& cell : cells) hashes.insert(cell.sample_hash);
  EXPECT_EQ(hashes.size(), cells.size());
  const std::vector<Cell> again = expand(parse(small_suite));
  for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(cells[i].sample_hash, again[i].sample_hash);

  // A cell's hash does not change when the matrix around it does.
  const std::vector<Cell> fewer = expand(parse(replaced(small_suite, "0..1", "1..1")));
  EXPECT_EQ(fewer[0].sample_hash, cells[1].sample_hash);
}

TEST(SuiteSpec, SampleAndMetricSettingsHaveHashesOfTheirOwn) {
  const std::vector<Cell> before = expand(parse(small_suite));
  const std::string metrics =
      replaced(small_suite, "name = \"plane-gmm9\"", "name = \"plane-gmm9\"\nmetrics = \"tvd\"");
  const std::vector<Cell> after = expand(parse(metrics));
  EXPECT_EQ(before[0].sample_hash, after[0].sample_hash);
  EXPECT_NE(before[0].metric_hash, after[0].metric_hash);
  EXPECT_EQ(before[8].metric_hash, after[8].metric_hash);
  const std::vector<Cell> larger = expand(parse(replaced(small_suite, "n_samples = 40", "n_samples = 41")));
  EXPECT_NE(before[0].sample_hash, larger[0].sample_hash);
  EXPECT_NE(before[0].metric_hash, larger[0].metric_hash);
}

TEST(SuiteSpec, ATaskMayHaveSizesAndReplicatesOfItsOwn) {
  const std::string own = "name = \"plane-gmm9\"\nn_train = 7\nn_samples = 8\nn_reference = 9\nseeds = \"1..5\"";
  const SuiteSpec suite = parse(replaced(small_suite, "name = \"plane-gmm9\"", own));
  const std::vector<Cell> cells = expand(suite);
  ASSERT_EQ(cells.size(), 4U + 8U);
  EXPECT_EQ(cells[0].key.text(), "plane-gmm9/oracle/none/seed-1");
  const SampleSizes sizes = sizes_of(suite, *cells[0].task);
  EXPECT_EQ(sizes.train, 7);
  EXPECT_EQ(sizes.samples, 8);
  EXPECT_EQ(sizes.reference, 9);
  EXPECT_EQ(sizes_of(suite, *cells[4].task).train, 50);
  // Sizes are part of what a cell is; the others do not notice.
  const std::vector<Cell> before = expand(parse(small_suite));
  EXPECT_NE(cells[0].sample_hash, before[1].sample_hash);
  EXPECT_EQ(cells[4].sample_hash, before[8].sample_hash);
  EXPECT_TRUE(refused(replaced(small_suite, "name = \"plane-gmm9\"", "name = \"plane-gmm9\"\nseeds = \"x\""),
                      {"line 9", "seeds", "x"}));
}

TEST(SuiteSpec, AMethodMayLearnFromItsOwnNumberOfPoints) {
  const SuiteSpec suite = parse(replaced(small_suite, "type = \"gaussian\"", "type = \"gaussian\"\nn_train = 20"));
  const std::vector<Cell> cells = expand(suite);
  const std::vector<Cell> before = expand(parse(small_suite));
  ASSERT_EQ(cells.size(), before.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool own = cells[i].key.method == "flat";
    EXPECT_EQ(cells[i].n_train, own ? 20 : 50);
    EXPECT_EQ(cells[i].sample_hash != before[i].sample_hash, own);
  }
  EXPECT_TRUE(refused(replaced(small_suite, "type = \"gaussian\"", "type = \"gaussian\"\nn_train = 0"),
                      {"line 23", "n_train", "0"}));
}

TEST(SuiteSpec, TrainingPointsMayBeFreshInEveryPass) {
  const std::vector<Cell> before = expand(parse(small_suite));
  for (const Cell& cell : before) EXPECT_FALSE(cell.fresh);
  const std::vector<Cell> one =
      expand(parse(replaced(small_suite, "type = \"gaussian\"", "type = \"gaussian\"\nn_train = \"fresh\"")));
  for (std::size_t i = 0; i < one.size(); ++i) {
    const bool own = one[i].key.method == "flat";
    EXPECT_EQ(one[i].fresh, own);
    EXPECT_EQ(one[i].n_train, own ? fresh_pass : 50);
    EXPECT_EQ(one[i].sample_hash != before[i].sample_hash, own);  // and others keep their hashes
  }
  // It is more than another number of points.
  const std::vector<Cell> many =
      expand(parse(replaced(small_suite, "type = \"gaussian\"", "type = \"gaussian\"\nn_train = 10000")));
  EXPECT_NE(one[4].sample_hash, many[4].sample_hash);
  for (const Cell& cell : expand(parse(replaced(small_suite, "n_train = 50", "n_train = \"fresh\"")))) {
    EXPECT_TRUE(cell.fresh);
    EXPECT_EQ(cell.n_train, fresh_pass);
  }
  EXPECT_TRUE(refused(replaced(small_suite, "n_train = 50", "n_train = \"new\""), {"n_train", "integer", "string"}));
}

TEST(SuiteSpec, AMethodMayRunOnSomeTasksAndHaveOtherSettingsOnOthers) {
  const std::string text =
      std::string(small_suite) +
      "tasks = [\"plane-*\"]\n[[method]]\nname = \"flat\"\ntype = \"oracle\"\ntasks = [\"sphere-*\"]\n";
  const std::vector<Cell> cells = expand(parse(text));
  ASSERT_EQ(cells.size(), 2U * (1U + 3U) + 2U * 2U);
  EXPECT_EQ(cells[2].method->type, "gaussian");
  EXPECT_EQ(cells[10].key.text(), "sphere-vmf6/flat/none/seed-0");
  EXPECT_EQ(cells[10].method->type, "oracle");
  EXPECT_TRUE(refused(replaced(text, "sphere-*", "*-*"), {"s.toml", "flat", "twice", "plane-gmm9"}));
  EXPECT_TRUE(refused(replaced(text, "sphere-*", "spere-*"), {"line 28", "spere-*", "sphere-vmf6"}));
}

TEST(SuiteSpec, ALevelMayBeAMultipleOfThePreregisteredOne) {
  const std::string text = replaced(small_suite, "\"isotropic\"", "\"isotropic\"\nfactor = 3");
  const std::vector<Cell> cells = expand(parse(text));
  EXPECT_EQ(cells[15].lift.sigma, 3 * cells[15].task->task.preregistered_sigma);
  EXPECT_TRUE(refused(replaced(small_suite, "sigma = 0.1", "sigma = 0.1\nfactor = 3"), {"line 15", "factor"}));
  EXPECT_TRUE(refused(replaced(text, "factor = 3", "factor = 0"), {"line 18", "factor"}));
}

TEST(SuiteSpec, ExclusionsLeaveCellsOut) {
  const std::string text =
      std::string(small_suite) + "[[exclude]]\ntask = \"plane-*\"\nmethod = \"flat\"\nlift = \"n*\"\n";
  EXPECT_EQ(expand(parse(text)).size(), 16U - 4U);
  EXPECT_TRUE(throws_message<InvalidInput>(
      [&] { (void)expand(parse(std::string(small_suite) + "[[exclude]]\ntask = \"*\"\n")); }, {"s.toml", "excluded"}));
}

TEST(SuiteSpec, AnExclusionThatLeavesNothingOutIsRefused) {
  const auto with = [](const std::string& keys) { return std::string(small_suite) + "[[exclude]]\n" + keys; };
  EXPECT_TRUE(refused(with("task = \"plane-gmm8\"\n"), {"s.toml", "line 24", "matches no cell", "plane-gmm8"}));
  EXPECT_TRUE(refused(with("method = \"flatt\"\n"), {"line 24", "flatt"}));
  // Both are there, but not together.
  EXPECT_TRUE(refused(with("method = \"oracle\"\nlift = \"registered\"\n"), {"line 24", "oracle", "registered"}));
  EXPECT_EQ(expand(parse(with("method = \"flat\"\nlift = \"registered\"\n"))).size(), 12U);
}

TEST(SuiteSpec, ALiftCalledAsATypeIsOfThatType) {
  const std::string lift = "[[lift]]\nname = \"none\"\ntype = \"normal\"\nsigma = 1.0\n";
  EXPECT_TRUE(refused(std::string(small_suite) + lift, {"s.toml", "line 25", "'none'", "not 'normal'"}));
  EXPECT_TRUE(refused(
      replaced(replaced(small_suite, "name = \"registered\"", "name = \"normal\""), "\"registered\"]", "\"normal\"]"),
      {"line 16", "'normal'", "not 'isotropic'"}));
  const std::string same = "[[lift]]\nname = \"none\"\ntype = \"none\"\n";
  EXPECT_EQ(expand(parse(std::string(small_suite) + same)).size(), 16U);
}

TEST(SuiteSpec, MoreCellsThanAnybodyMeansAreRefusedAtOnce) {
  SuiteSpec suite = parse(small_suite);
  suite.first_replicate = suite.last_replicate = 2'147'483'647;  // the last one there is
  EXPECT_EQ(expand(suite).size(), 8U);
  EXPECT_EQ(expand(suite).back().key.seed, 2'147'483'647);
  suite.first_replicate = 0;
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)expand(suite); }, {"s.toml", "0..2147483647", "1000000 cells"}));
  // All arms together.
  suite.last_replicate = 200'000;
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)expand(suite); }, {"1000000 cells"}));
}

TEST(SuiteSpec, RefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(refused(replaced(small_suite, "seeds", "sedes"), {"s.toml", "line 4", "sedes", "seeds"}));
  EXPECT_TRUE(refused(replaced(small_suite, "[[lift]]", "[[lifts]]"), {"s.toml", "line 11", "lifts", "known"}));
  EXPECT_TRUE(refused(replaced(small_suite, "sphere-vmf6", "sphere-vmf7"), {"line 10", "sphere-vmf7", "sphere-vmf6"}));
  EXPECT_TRUE(refused(replaced(small_suite, "\"gaussian\"", "\"gausian\""), {"line 22", "gausian", "gaussian"}));
  EXPECT_TRUE(refused(replaced(small_suite, "\"registered\"]", "\"typo\"]"), {"line 23", "typo", "normal-0.1"}));
  EXPECT_TRUE(refused(replaced(small_suite, "\"isotropic\"", "\"isotrop\""), {"line 17", "isotrop", "isotropic"}));
  EXPECT_TRUE(refused(replaced(small_suite, "name = \"oracle\"", "name = \"oracle\"\nwidth = 3"),
                      {"s.toml", "line 20", "width", "unknown"}));
  EXPECT_TRUE(refused(replaced(small_suite, "name = \"plane-gmm9\"", "name = \"plane-gmm9\"\nmetrics = \"tdv\""),
                      {"line 9", "tdv", "tvd"}));
}

TEST(SuiteSpec, RefusesBadValues) {
  EXPECT_TRUE(refused(replaced(small_suite, "n_train = 50", "n_train = 0"), {"line 5", "n_train", "0"}));
  EXPECT_TRUE(refused(replaced(small_suite, "n_train = 50", "n_train = \"50\""), {"line 5", "integer", "string"}));
  EXPECT_TRUE(refused(replaced(small_suite, "0..1", "1..0"), {"line 4", "empty"}));
  EXPECT_TRUE(refused(replaced(small_suite, "0..1", "a..b"), {"line 4", "a..b"}));
  EXPECT_TRUE(refused(replaced(small_suite, "sigma = 0.1", "sigma = -0.1"), {"line 14", "sigma"}));
  EXPECT_TRUE(refused(replaced(small_suite, "\"flat\"", "\"../flat\""), {"line 21", "../flat", "path"}));
  EXPECT_TRUE(refused(replaced(small_suite, "\"flat\"", "\"oracle\""), {"oracle", "twice"}));
  EXPECT_TRUE(refused(replaced(small_suite, "sphere-vmf6", "plane-gmm9"), {"plane-gmm9", "twice"}));
  EXPECT_TRUE(refused("[suite]\nname = \"x\"\n", {"s.toml", "[[task]]"}));
  EXPECT_TRUE(refused("[[task]]\nname = \"x\"\n", {"s.toml", "[suite]"}));
}

TEST(SuiteSpec, ReadsRanges) {
  EXPECT_EQ(parse_replicates("3", "x").first, 3);
  EXPECT_EQ(parse_replicates("3", "x").last, 3);
  EXPECT_EQ(parse_replicates("2..10", "x").last, 10);
  for (const char* bad : {"", "..", "1..", "..2", "-1..2", "1..2..3", "1.5"}) {
    EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_replicates(bad, "here"); }, {"here"})) << bad;
  }
}

TEST(SuiteSpec, AnOptionalTaskWithoutItsDataIsLeftOutAndSaysSo) {
  const TemporaryDirectory nothing;
  const char* before = std::getenv("ONMANIFOLD_DATA");
  const std::string kept = before == nullptr ? "" : before;
  ASSERT_EQ(setenv("ONMANIFOLD_DATA", nothing.path().c_str(), 1), 0);
  const std::string required = std::string(small_suite) + "[[task]]\nname = \"flux-mnist14\"\n";
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse(required); }, {"train-images", "fetch-data"}));
  const SuiteSpec suite = parse(required + "optional = true\n");
  ASSERT_EQ(suite.left_out.size(), 1U);
  EXPECT_EQ(suite.left_out[0].find("flux-mnist14: "), 0U);
  EXPECT_EQ(suite.tasks.size(), parse(small_suite).tasks.size());
  // Only missing data are excused.
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse(required + "optional = true\nflux = -1\n"); }, {"flux"}));
  if (before == nullptr) {
    unsetenv("ONMANIFOLD_DATA");
  } else {
    setenv("ONMANIFOLD_DATA", kept.c_str(), 1);
  }
}

TEST(SuiteSpec, EveryShippedSuiteIsValid) {
  const std::vector<ShippedSuite> suites = shipped_suites();
  ASSERT_FALSE(suites.empty());
  for (const ShippedSuite& suite : suites) {
    const SuiteSpec spec = load_suite(suite.name);
    EXPECT_EQ(spec.name, suite.name);
    EXPECT_FALSE(suite.description.empty()) << suite.path;
    EXPECT_FALSE(expand(spec).empty());
  }
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)load_suite("qiuck"); }, {"qiuck", "quick", "smoke"}));
}

TEST(Suite, SaysWhatItIsForAndWhatAProgramIs) {
  const auto parsed = [](std::string text) { return parse_suite(parse_toml(text, "t.toml"), "t.toml"); };
  const std::string text = R"([suite]
name = "anything"
[[task]]
name = "plane-gmm9"
[[method]]
name = "truth"
type = "oracle"
[[method]]
name = "mine"
type = "external"
command = "true {train} {samples} {n} {seed}"
)";
  const SuiteSpec plain = parsed(text);
  EXPECT_EQ(plain.purpose, SuitePurpose::study);
  EXPECT_FALSE(plain.claims);
  EXPECT_EQ(plain.methods[0].info.role, MethodRole::oracle);  // whatever its label
  EXPECT_EQ(plain.methods[1].info.role, MethodRole::learner);
  EXPECT_EQ(plain.methods[1].info.place, Place::nowhere);

  const SuiteSpec stated = parsed(R"([suite]
name = "anything"
purpose = "demonstration"
claims = true
)" + text.substr(text.find("[[task]]")) +
                                  "role = \"control\"\nplace = \"two steps\"\n");
  EXPECT_EQ(stated.purpose, SuitePurpose::demonstration);
  EXPECT_TRUE(stated.claims);
  EXPECT_EQ(stated.methods[1].info.role, MethodRole::control);
  EXPECT_EQ(stated.methods[1].info.place, Place::two_steps);
  const std::vector<Cell> a = expand(plain);
  const std::vector<Cell> b = expand(stated);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].sample_hash, b[i].sample_hash);  // none of it is what samples or metrics depend on
    EXPECT_EQ(a[i].metric_hash, b[i].metric_hash);
  }
  EXPECT_EQ(b.back().described().info.place, Place::two_steps);

  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parsed(text + "place = \"elsewhere\"\n"); },
                                           {"place", "'elsewhere' is not one of nowhere, data"}));
  // The role of a built-in method stands in its registry entry.
  EXPECT_TRUE(throws_message<InvalidInput>(
      [&] { (void)parsed(text + "[[method]]\nname = \"ddpm\"\nrole = \"oracle\"\n"); }, {"role", "unknown key"}));
}

}  // namespace
}  // namespace onmanifold
