// SPDX-License-Identifier: Apache-2.0
#include "reports/compare.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random/stream.hpp"
#include "reports/compare_report.hpp"
#include "reports/text_format.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold {
namespace {

constexpr double not_known = MetricRecord::unknown;

MetricRecord metric(double value, const std::string& name = "tvd", const std::string& direction = "lower") {
  MetricRecord record;
  record.name = name;
  record.value = value;
  record.direction = parse_direction(direction);
  record.n_samples = 1000;
  return record;
}

CellResult cell(const std::string& method, int seed, std::vector<MetricRecord> records) {
  CellResult result;
  result.key = {.task = "task", .method = method, .lift = "none", .seed = seed};
  result.head.raw_digest = "digest";
  result.head.config = Value::Table{{"task", Value::Table{{"version", 1}, {"data_hash", "data"}}},
                                    {"lift", Value::Table{{"type", "none"}, {"sigma", 0.0}}},
                                    {"n_train", 100},
                                    {"n_samples", 1000},
                                    {"seed", 0}};
  result.provenance = std::make_shared<const Value>(Value::Table{{"machine", Value::Table{{"cpu", "a processor"}}}});
  result.head.timing = {{"fit_s", 10.0}, {"sample_s", 1.0}, {"peak_memory_bytes", 1e8}};
  result.has_metrics = true;
  result.projected = std::move(records);
  return result;
}

CellResult failed_cell(const std::string& method, int seed) {
  CellResult result = cell(method, seed, {});
  result.head.status = {CellState::diverged, "loss is not finite"};
  result.has_metrics = false;
  result.problem = "diverged: loss is not finite";
  return result;
}

ResultSet results(std::vector<CellResult> cells) {
  TaskResult task;
  task.name = "task";
  task.file.emplace();
  task.file->details = Value::Table{{"constraint_tolerance", 1e-12}};
  task.cells = std::move(cells);
  ResultSet set;
  set.directory = "somewhere";
  set.tasks.push_back(std::move(task));
  return set;
}

MetricInfo constraint_info() {
  MetricInfo info;
  info.unit = "length";
  info.constraint = true;
  info.samples = SampleKind::raw;
  return info;
}

/// \p set as if \p method were no learner.
ResultSet with_role(ResultSet set, const std::string& method, MethodRole role) {
  for (CellResult& one : set.tasks[0].cells) {
    if (one.key.method != method) continue;
    one.head.method.info.role = role;
    one.head.method.info.floor = role == MethodRole::control;
  }
  return set;
}

/// \p set from a suite of another seed.
ResultSet with_seed(ResultSet set, int seed) {
  for (CellResult& one : set.tasks[0].cells) (*one.head.config.get_if<Value::Table>())["seed"] = seed;
  return set;
}

/// One method "m" with one value a replicate.
ResultSet replicates(const std::vector<double>& values, int first_seed = 0, const std::string& direction = "lower") {
  std::vector<CellResult> cells;
  for (std::size_t i = 0; i < values.size(); ++i) {
    cells.push_back(cell("m", first_seed + static_cast<int>(i), {metric(values[i], "tvd", direction)}));
  }
  return results(std::move(cells));
}

Comparison compare(const ResultSet& base, const ResultSet& candidate, const CompareOptions& options = {}) {
  return compare_results(base, candidate, options);
}

const std::vector<double> five = {.10, .11, .09, .105, .095};

std::vector<double> shifted(std::vector<double> values, double by) {
  for (double& value : values) value += by;
  return values;
}

/// The one line about \p name, or a failure.
Change line(const Comparison& comparison, const std::string& name) {
  for (const Change& change : comparison.changes) {
    if (change.metric == name) return change;
  }
  ADD_FAILURE() << "no line about " << name;
  return {};
}

TEST(Compare, EqualResultsDoNotRegress) {
  const Comparison same = compare(replicates(five), replicates(five));
  EXPECT_FALSE(same.regression);
  EXPECT_EQ(same.compared, 1);
  EXPECT_EQ(line(same, "tvd").mark, Mark::same);
  EXPECT_TRUE(line(same, "tvd").paired);
}

TEST(Compare, SignsEveryDirectionSoThatMoreIsWorse) {
  for (const std::string direction : {"lower", "higher"}) {
    const double sign = direction == "lower" ? 1 : -1;
    const Comparison worse =
        compare(replicates(five, 0, direction), replicates(shifted(five, sign * .02), 0, direction));
    EXPECT_TRUE(worse.regression) << direction;
    EXPECT_EQ(line(worse, "tvd").mark, Mark::worse);
    EXPECT_NEAR(line(worse, "tvd").worsening, .02, 1e-15);
    const Comparison better =
        compare(replicates(five, 0, direction), replicates(shifted(five, -sign * .02), 0, direction));
    EXPECT_FALSE(better.regression) << direction;
    EXPECT_EQ(line(better, "tvd").mark, Mark::better);
  }
  // Target .1 from either side: what moves away is worse, what crosses over to the same distance is not.
  const auto at_target = [](double value) {
    std::vector<CellResult> cells;
    for (int seed = 0; seed < 5; ++seed) {
      MetricRecord record = metric(value, "train_copy", "target");
      record.target = .1;
      cells.push_back(cell("m", seed, {record}));
    }
    return results(std::move(cells));
  };
  EXPECT_TRUE(compare(at_target(.08), at_target(.05)).regression);
  EXPECT_FALSE(compare(at_target(.08), at_target(.12)).regression);
  EXPECT_EQ(line(compare(at_target(.05), at_target(.12)), "train_copy").mark, Mark::better);
}

TEST(Compare, NeedsBothTheMarginAndTheTest) {
  // Small but certain: 1 % on every pair is within the practical margin of 5 %.
  EXPECT_FALSE(compare(replicates(five), replicates(shifted(five, .001))).regression);
  EXPECT_TRUE(compare(replicates(five), replicates(shifted(five, .001)), {.relative = 0.005}).regression);
  // Large but uncertain: the mean worsens by 20 %, three of five pairs get better.
  const std::vector<double> wild = {.28, .10, .08, .10, .04};
  const Comparison uncertain = compare(replicates(five), replicates(wild));
  EXPECT_FALSE(uncertain.regression);
  EXPECT_GT(line(uncertain, "tvd").worsening, .05 * .1);
  EXPECT_GT(line(uncertain, "tvd").adjusted_p, .05);
}

TEST(Compare, BelowFiveReplicatesTheThresholdDecidesAndSaysSo) {
  const Comparison clear = compare(replicates({.1, .11, .09}), replicates({.2, .21, .19}));
  EXPECT_TRUE(clear.regression);
  EXPECT_EQ(line(clear, "tvd").test, "threshold only");
  EXPECT_TRUE(std::isnan(line(clear, "tvd").p));
  // Unpaired spread .01 each: 3 standard errors are .0245.
  EXPECT_FALSE(compare(replicates({.1, .11, .09}), replicates({.12, .13, .11}, 7)).regression);
  EXPECT_TRUE(compare(replicates({.1, .11, .09}), replicates({.13, .14, .12}, 7)).regression);
  EXPECT_NE(comparison_text(clear).find("threshold only"), std::string::npos);
}

/// \p n replicates of one value each, with a null value of .02 and its spread .002.
ResultSet with_null(double value, int n) {
  std::vector<CellResult> cells;
  for (int seed = 0; seed < n; ++seed) {
    MetricRecord record = metric(value + 1e-4 * seed);
    record.null = .02;
    record.null_sd = .002;
    cells.push_back(cell("m", seed, {record}));
  }
  return results(std::move(cells));
}

TEST(Compare, InsideTheNullBandNothingRegressesWithoutATest) {
  const Comparison inside = compare(with_null(.02, 3), with_null(.025, 3));
  EXPECT_FALSE(inside.regression);
  EXPECT_EQ(line(inside, "tvd").note, "both within the null band");
  EXPECT_TRUE(compare(with_null(.02, 3), with_null(.027, 3)).regression) << "it left the band";
  EXPECT_TRUE(compare(with_null(.02, 6), with_null(.025, 6)).regression) << "six pairs can tell";
  EXPECT_FALSE(compare(with_null(.02, 6), with_null(.0215, 6)).regression) << "less than one deviation";
}

TEST(Compare, AShiftOfEveryReplicateOfTheOracleIsARegression) {
  for (const int n : {5, 6, 7, 10}) {
    const ResultSet before = with_role(with_null(.044, n), "m", MethodRole::oracle);
    const ResultSet after = with_role(with_null(.044 + 2.2 * .002, n), "m", MethodRole::oracle);
    const Comparison shifted_oracle = compare(before, after);
    EXPECT_TRUE(shifted_oracle.regression) << n;
    EXPECT_EQ(shifted_oracle.family, 0) << "no part of the learners' budget";
    EXPECT_FALSE(compare(after, before).regression) << n;
    EXPECT_FALSE(compare(before, before).regression) << n;
  }
}

TEST(Compare, OtherProtocolsAreNotComparable) {
  const auto changed = [](const std::function<void(CellResult&)>& change) {
    ResultSet set = replicates(five);
    for (CellResult& one : set.tasks[0].cells) change(one);
    return set;
  };
  const auto set_config = [](const char* key, const Value& value) {
    return [=](CellResult& one) { (*one.head.config.get_if<Value::Table>())[key] = value; };
  };
  const std::vector<std::function<void(CellResult&)>> changes = {
      set_config("n_train", 200),
      set_config("fresh", true),
      set_config("n_samples", 10),
      set_config("task", Value::Table{{"version", 2}, {"data_hash", "data"}}),
      set_config("task", Value::Table{{"version", 1}, {"data_hash", "other"}}),
      set_config("lift", Value::Table{{"type", "none"}, {"sigma", 0.1}}),
      [](CellResult& one) { one.projected[0].version = 2; },
      [](CellResult& one) { one.projected[0].n_reference = 7; },
      [](CellResult& one) { one.projected[0].parameters = R"({"bins":3})"; },
      [](CellResult& one) { one.projected[0].direction = Direction::higher; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Comparison comparison = compare(replicates(five), changed(changes[i]));
    EXPECT_EQ(comparison.compared, 0) << i;
    EXPECT_FALSE(comparison.regression) << i;
    ASSERT_EQ(comparison.changes.size(), 1U) << i;
    EXPECT_EQ(comparison.changes[0].mark, Mark::not_comparable) << i;
    EXPECT_FALSE(comparison.changes[0].reason.empty()) << i;
  }
  // The method's own settings are what is compared.
  const auto other_method = set_config("method", Value::Table{{"settings", Value::Table{{"steps", 9}}}});
  EXPECT_EQ(compare(replicates(five), changed(other_method)).compared, 1);
}

TEST(Compare, FailuresAndNansAreHard) {
  ResultSet broken = replicates(five);
  broken.tasks[0].cells[2] = failed_cell("m", 2);
  const Comparison comparison = compare(replicates(five), broken);
  EXPECT_TRUE(comparison.regression);
  EXPECT_EQ(comparison.changes[0].mark, Mark::failed);
  EXPECT_NE(comparison.changes[0].reason.find("seed-2: diverged"), std::string::npos);
  EXPECT_FALSE(compare(broken, broken).regression) << "it failed before, too";
  EXPECT_FALSE(compare(broken, replicates(five)).regression);

  ResultSet nan = replicates(five);
  nan.tasks[0].cells[1].projected[0].value = not_known;
  EXPECT_TRUE(compare(replicates(five), nan).regression);
  EXPECT_FALSE(compare(nan, nan).regression);

  ResultSet nonfinite = replicates(five);
  MetricRecord raw = metric(.1, "tvd");
  raw.n_nonfinite = 3;
  nonfinite.tasks[0].cells[1].raw = {raw};
  EXPECT_TRUE(compare(replicates(five), nonfinite).regression);
}

TEST(Compare, ProjectedSamplesMustLieOnTheManifold) {
  const auto with_error = [](double error) {
    MetricRecord residual = metric(error, "constraint_max");
    residual.unit = "length";
    ResultSet set = results({cell("m", 0, {metric(.1), residual})});
    set.metrics["constraint_max"] = constraint_info();
    return set;
  };
  EXPECT_FALSE(compare(with_error(1e-17), with_error(9e-13)).regression) << "rounding, however it grew";
  const Comparison off = compare(with_error(1e-3), with_error(1e-3));
  EXPECT_TRUE(off.regression) << "whatever the baseline did";
  EXPECT_NE(off.changes[0].reason.find("miss the manifold"), std::string::npos);
}

TEST(Compare, OnlyThePrimaryMetricOrTheChosenOnesAreGated) {
  const auto two = [](double first, double second) {
    std::vector<CellResult> cells;
    for (int seed = 0; seed < 6; ++seed) {
      cells.push_back(cell("m", seed, {metric(first + 1e-4 * seed), metric(second, "coverage", "higher")}));
    }
    return results(std::move(cells));
  };
  const Comparison shown = compare(two(.1, .9), two(.1, .5));
  EXPECT_FALSE(shown.regression);
  EXPECT_EQ(line(shown, "coverage").mark, Mark::worse);
  EXPECT_FALSE(line(shown, "coverage").gated);
  EXPECT_TRUE(compare(two(.1, .9), two(.1, .5), {.gated = {"coverage"}}).regression);
  EXPECT_FALSE(compare(two(.1, .9), two(.2, .9), {.gated = {"coverage"}}).regression);
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)compare(two(.1, .9), two(.1, .9), {.gated = {"covrage"}}); },
                                           {"covrage"}));
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)compare(two(.1, .9), two(.1, .9), {.alpha = .5}); }, {"alpha"}));
}

TEST(Compare, ConstraintsAreJudgedOnRawSamples) {
  const auto with_residuals = [](double raw) {
    std::vector<CellResult> cells;
    for (int seed = 0; seed < 6; ++seed) {
      MetricRecord residual = metric(1e-17, "constraint_mean");
      residual.unit = "length";
      cells.push_back(cell("m", seed, {metric(.1), residual}));
      residual.value = raw * (1 + .01 * seed);
      cells.back().raw = {residual};
    }
    ResultSet set = results(std::move(cells));
    set.metrics["constraint_mean"] = constraint_info();
    return set;
  };
  const ResultSet before = with_residuals(.01);
  const ResultSet after = with_residuals(.0266);
  for (const char* name : {"constraint_mean", "constraint_mean(raw)"}) {
    EXPECT_TRUE(compare(before, after, {.gated = {name}}).regression) << name;
    EXPECT_FALSE(compare(before, before, {.gated = {name}}).regression) << name;
    EXPECT_EQ(compare(before, before, {.gated = {name}}).judged, 1) << name;
  }
  EXPECT_FALSE(compare(before, after).regression) << "tvd is primary and did not move";
  // Nothing to judge is not "no regression".
  for (const char* name : {"constraint_mean(projected)", "fd"}) {
    const Comparison nothing = compare(before, after, {.gated = {name}});
    EXPECT_EQ(nothing.judged, 0) << name;
    EXPECT_EQ(comparison_text(nothing).find("nothing to judge: "), 0U) << comparison_text(nothing);
  }
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)compare(before, after, {.gated = {"tvd(rwa)"}}); }, {"rwa"}));
}

TEST(Compare, RoundingIsNoRegression) {
  const auto at = [](double value) {
    std::vector<CellResult> cells;
    for (int seed = 0; seed < 6; ++seed) {
      MetricRecord record = metric(value * (1 + .01 * seed), "projection_distance");
      record.unit = "length";
      cells.push_back(cell("m", seed, {record}));
    }
    return results(std::move(cells));
  };
  EXPECT_FALSE(compare(at(4e-19), at(3e-17)).regression);
  EXPECT_TRUE(compare(at(4e-10), at(3e-8)).regression);
  // Lengths are counted in those of the data: on a manifold of the size 1e-12 the larger one is no rounding.
  const auto small = [&](double value) {
    ResultSet set = at(value);
    set.tasks[0].file->details = Value::Table{{"scale", 1e-12}};
    return set;
  };
  EXPECT_TRUE(compare(small(4e-19), small(3e-17)).regression);
}

TEST(Compare, InfiniteValuesAreValues) {
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> six = {.10, .11, .09, .105, .095, .1};
  const auto with = [&](std::vector<double> values, std::initializer_list<int> places, double value) {
    for (const int place : places) values[static_cast<std::size_t>(place)] = value;
    return values;
  };
  const Comparison worse = compare(replicates(six), replicates(with(six, {3}, inf)));
  EXPECT_TRUE(worse.regression);
  EXPECT_NE(
      line(worse, "tvd").reason.find("infinite in 1 of 6 replicates, 0 of 6 before, the first task/m/none/seed-3"),
      std::string::npos)
      << line(worse, "tvd").reason;
  EXPECT_NE(comparison_text(worse).find("seed-3"), std::string::npos);
  EXPECT_FALSE(compare(replicates(with(six, {3}, inf)), replicates(six)).regression) << "it became finite";
  EXPECT_FALSE(compare(replicates(six), replicates(with(six, {3}, -inf))).regression) << "infinitely good";
  EXPECT_TRUE(compare(replicates(six, 0, "higher"), replicates(with(six, {2}, -inf), 0, "higher")).regression);
  // Equal infinities are equal and hide nothing of the other pairs.
  const std::vector<double> seven = {.10, .11, .09, .105, .095, .1, inf};
  const Comparison equal = compare(replicates(seven), replicates(seven));
  EXPECT_FALSE(equal.regression);
  EXPECT_EQ(equal.judged, 1);
  EXPECT_NE(line(equal, "tvd").note.find("task/m/none/seed-6"), std::string::npos);
  EXPECT_TRUE(compare(replicates(seven), replicates(shifted(seven, .05))).regression);
  const std::vector<double> all(6, inf);
  EXPECT_FALSE(compare(replicates(all), replicates(all)).regression);
  EXPECT_EQ(line(compare(replicates(all), replicates(all)), "tvd").mark, Mark::same);
  // Where both sides have some, their order is tested: one more may be chance, five more of six are not.
  EXPECT_FALSE(compare(replicates(with(six, {0}, inf)), replicates(with(six, {1, 2}, inf))).regression);
  EXPECT_TRUE(compare(replicates(with(six, {0}, inf)), replicates(all)).regression);
  EXPECT_FALSE(compare(replicates(with(six, {0}, inf)), replicates(with(six, {0, 1}, -inf))).regression);
}

TEST(Compare, AnotherReferenceIsNotComparable) {
  const auto against = [](int n_reference, int seed) {
    ResultSet set = with_seed(replicates(five), seed);
    for (CellResult& one : set.tasks[0].cells) one.projected[0].n_reference = n_reference;
    return set;
  };
  const Comparison refused = compare(against(500, 0), against(500, 1));
  EXPECT_EQ(refused.judged, 0);
  ASSERT_EQ(refused.changes.size(), 1U);
  EXPECT_EQ(refused.changes[0].mark, Mark::not_comparable);
  EXPECT_NE(refused.changes[0].reason.find("the references differ"), std::string::npos);
  EXPECT_EQ(compare(against(500, 0), against(500, 0)).judged, 1);
  EXPECT_EQ(compare(against(0, 0), against(0, 1)).judged, 1) << "exact masses need no reference";
  // Finite sets: another seed, the same points.
  ResultSet a = against(500, 0);
  ResultSet b = against(500, 1);
  for (ResultSet* set : {&a, &b}) set->tasks[0].file->reference = Points::Constant(3, 4, .5);
  EXPECT_EQ(compare(a, b).judged, 1);
  b.tasks[0].file->reference(2, 3) = .25;
  EXPECT_EQ(compare(a, b).judged, 0);
}

TEST(Compare, WhatIsMissingIsNotGreen) {
  ResultSet two = replicates(five);
  for (int seed = 0; seed < 5; ++seed) two.tasks[0].cells.push_back(cell("other", seed, {metric(.1)}));
  const Comparison missing = compare(two, replicates(five));
  EXPECT_TRUE(missing.incomplete());
  EXPECT_EQ(comparison_text(missing).find("incomplete: "), 0U);
  EXPECT_FALSE(compare(two, replicates(five), {.allow_missing = true}).incomplete());
  EXPECT_FALSE(compare(replicates(five), two).incomplete());
  EXPECT_FALSE(compare(two, replicates(shifted(five, .05))).incomplete()) << "a regression says more";
}

TEST(Compare, WarnsOfLinesThatCannotTell) {
  const auto both = [](double learner, double control) {
    std::vector<CellResult> cells;
    for (int seed = 0; seed < 5; ++seed) {
      cells.push_back(cell("m", seed, {metric(learner + 1e-4 * seed)}));
      cells.push_back(cell("moments", seed, {metric(control + 1e-4 * seed)}));
    }
    return with_role(results(std::move(cells)), "moments", MethodRole::control);
  };
  const Comparison blind = compare(both(.31, .3), both(.31, .3));
  ASSERT_EQ(blind.warnings.size(), 1U);
  EXPECT_NE(blind.warnings[0].find("task/m/none tvd: the baseline (0.3102) does not beat moments (0.3002)"),
            std::string::npos)
      << blind.warnings[0];
  EXPECT_NE(comparison_text(blind).find("warning: task/m/none"), std::string::npos);
  EXPECT_NE(comparison_markdown(blind).find("blind"), std::string::npos);
  EXPECT_EQ(compare(both(.1, .3), both(.31, .3)).warnings.size(), 0U);
  // Nearer than the margin of 5 % is no better.
  EXPECT_EQ(compare(both(.295, .3), both(.295, .3)).warnings.size(), 1U);
}

TEST(Compare, ControlsTakeNoPartOfTheErrorBudget) {
  // Seven pairs reach p = .0078: enough for a family of one learner, not for one of nine.
  const std::vector<double> before = {.10, .11, .09, .105, .095, .1, .1};
  const std::vector<double> after = {.13, .12, .10, .165, .125, .11, .12};
  const auto with_controls = [](const std::vector<double>& values, MethodRole role) {
    ResultSet set = replicates(values);
    for (int control = 0; control < 8; ++control) {
      const std::string name = fmt::format("control{}", control);
      for (int seed = 0; seed < 7; ++seed) set.tasks[0].cells.push_back(cell(name, seed, {metric(.2 + 1e-3 * seed)}));
      set = with_role(std::move(set), name, role);
    }
    return set;
  };
  const Comparison alone =
      compare(with_controls(before, MethodRole::control), with_controls(after, MethodRole::control));
  EXPECT_EQ(alone.family, 1);
  EXPECT_TRUE(alone.regression);
  EXPECT_EQ(compare(with_controls(before, MethodRole::learner), with_controls(after, MethodRole::learner)).family, 9);
}

TEST(Compare, PairsOnlyReplicatesOfOneSeed) {
  EXPECT_FALSE(line(compare(replicates(five), replicates(five, 10)), "tvd").paired);
  ResultSet other_seed = replicates(five);
  for (CellResult& one : other_seed.tasks[0].cells) (*one.head.config.get_if<Value::Table>())["seed"] = 5;
  EXPECT_FALSE(line(compare(replicates(five), other_seed), "tvd").paired);
  // Fewer replicates that are all among the baseline's are pairs, and what is missing is said.
  const Comparison fewer = compare(replicates({.1, .11, .09, .1, .1, .1}), replicates(five));
  EXPECT_TRUE(line(fewer, "tvd").paired);
  EXPECT_EQ(line(fewer, "tvd").n_base, 5);
  ASSERT_EQ(fewer.missing.size(), 1U);
  EXPECT_EQ(fewer.missing[0], "task/m/none: 5 of 6 replicates");
}

TEST(Compare, TimeAndMemoryCountOnRequestAndOnOneMachine) {
  const auto slower = [](double factor, const std::string& cpu = "a processor") {
    ResultSet set = replicates(five);
    int i = 0;
    for (CellResult& one : set.tasks[0].cells) {
      one.head.timing["fit_s"] *= factor * (1 + .01 * i++);
      one.provenance = std::make_shared<const Value>(Value::Table{{"machine", Value::Table{{"cpu", cpu}}}});
    }
    return set;
  };
  EXPECT_FALSE(compare(slower(1), slower(1.3)).regression);
  EXPECT_TRUE(compare(slower(1), slower(1.3), {.time = true}).regression);
  EXPECT_FALSE(compare(slower(1), slower(1.08), {.time = true}).regression) << "within 10 %";
  const Comparison elsewhere = compare(slower(1), slower(1.3, "another"), {.time = true});
  EXPECT_FALSE(elsewhere.regression);
  EXPECT_EQ(line(elsewhere, "time").mark, Mark::not_comparable);
  // A machine that was busy, and its probe with it.
  ResultSet busy = slower(1.3);
  ResultSet idle = slower(1);
  for (CellResult& one : busy.tasks[0].cells) one.head.timing["probe_s"] = 2.6e-3;
  for (CellResult& one : idle.tasks[0].cells) one.head.timing["probe_s"] = 2e-3;
  for (CellResult& one : busy.tasks[0].cells) one.head.timing["sample_s"] *= 1.3;
  EXPECT_FALSE(compare(idle, busy, {.time = true}).regression);
}

TEST(Compare, ExactSeesOneBit) {
  ResultSet other = replicates(five);
  other.tasks[0].cells[3].projected[0].value = std::nextafter(five[3], 1);
  EXPECT_FALSE(compare(replicates(five), other).regression);
  EXPECT_TRUE(compare(replicates(five), other, {.exact = true}).regression);
  EXPECT_FALSE(compare(replicates(five), replicates(five), {.exact = true}).regression);
  ResultSet samples = replicates(five);
  samples.tasks[0].cells[3].head.raw_digest = "another";
  const Comparison differ = compare(replicates(five), samples, {.exact = true});
  EXPECT_TRUE(differ.regression);
  EXPECT_NE(differ.changes[0].reason.find("samples of seed-3"), std::string::npos);
}

TEST(Compare, NamesWhatOnlyOneSideHas) {
  ResultSet two = replicates(five);
  two.tasks[0].cells.push_back(cell("other", 0, {metric(.1)}));
  EXPECT_EQ(compare(two, replicates(five)).missing, std::vector<std::string>{"task/other/none"});
  EXPECT_EQ(compare(replicates(five), two).added, std::vector<std::string>{"task/other/none"});
}

TEST(Compare, RendersOneVerdictThreeTimes) {
  const Comparison comparison = compare(replicates(five), replicates(shifted(five, .05)));
  EXPECT_NE(comparison_text(comparison).find("1 regression: somewhere against somewhere"), std::string::npos);
  EXPECT_NE(comparison_text(comparison).find("- task m tvd  0.1 → 0.15 (+0.05, +50.0 %)"), std::string::npos);
  const std::string markdown = comparison_markdown(comparison);
  EXPECT_EQ(markdown.find("### ❌ OnManifold: 1 regression\n\n- ❌ **task / m**: tvd ↓ 0.1 → 0.15 (+50 %, p = 0.031)\n"),
            0U)
      << markdown;
  EXPECT_NE(markdown.find("| ❌ | task | m | tvd ↓ | 0.1 → 0.15"), std::string::npos);
  const std::string green = comparison_markdown(compare(replicates(five), replicates(five)));
  EXPECT_EQ(green.find("### ✅ OnManifold: no regression detected\n\n- ✅ 1 gated line without regression\n\n<details>"),
            0U)
      << green;
  const Value json = parse_json(to_json(comparison_json(comparison)), "json");
  EXPECT_EQ(find_text(json, "verdict"), "1 regression");
  EXPECT_EQ(find_value(json, "changes")->get_if<Value::Array>()->size(), 1U);
}

TEST(Compare, MarkdownFitsAComment) {
  std::vector<CellResult> before;
  std::vector<CellResult> after;
  for (int method = 0; method < 1000; ++method) {
    before.push_back(cell(fmt::format("method_{}", method), 0, {metric(.1)}));
    after.push_back(cell(fmt::format("method_{}", method), 0, {metric(.3)}));
  }
  const std::string markdown = comparison_markdown(compare(results(before), results(after)));
  EXPECT_LE(markdown.size(), 65000U);
  EXPECT_NE(markdown.find("more lines"), std::string::npos);
}

// Lines that a text takes on a phone, whose comment of 390 px holds some 45 characters in a line.
int phone_lines(const std::string& markdown) {
  int lines = 0;
  std::istringstream text(markdown.substr(0, markdown.find("<details>")));
  for (std::string line; std::getline(text, line);) {
    const std::string broken = wrap_text(line, 45, "");
    lines += 1 + static_cast<int>(std::count(broken.begin(), broken.end(), '\n'));
  }
  return lines;
}

TEST(Compare, ACommentFitsAPhoneBeforeItsFold) {
  constexpr int most = 844 / 24;  // of the height of a phone, lines of 24 px
  std::vector<CellResult> before;
  std::vector<CellResult> after;
  for (int method = 0; method < 30; ++method) {
    const std::string name = fmt::format("a_method_with_a_long_name_{}", method);
    for (int seed = 0; seed < 5; ++seed) {
      before.push_back(cell(name, seed, {metric(.1 + .001 * seed), metric(.2, "coverage", "higher")}));
      if (method % 2 == 0) {
        after.push_back(failed_cell(name, seed));
        after.back().problem = after.back().problem + std::string(300, 'x');
      } else {
        after.push_back(cell(name, seed, {metric(.3 + .001 * seed), metric(.1, "coverage", "higher")}));
      }
    }
  }
  const std::string failing = comparison_markdown(compare(results(before), results(after)));
  EXPECT_LE(phone_lines(failing), most) << failing.substr(0, failing.find("<details>"));
  EXPECT_GT(phone_lines(failing), 8);
  EXPECT_LE(phone_lines(comparison_markdown(compare(results(before), results(before)))), 8);
  // The check sees a comment that is not folded.
  std::string unfolded = failing;
  unfolded.erase(unfolded.find("<details>"), 9);
  EXPECT_GT(phone_lines(unfolded), most);
}

// Gated lines alone: what does not count is a number below them.
TEST(Compare, ACommentTablesGatedLinesOnly) {
  std::vector<CellResult> before;
  std::vector<CellResult> after;
  for (int seed = 0; seed < 5; ++seed) {
    before.push_back(cell("m", seed, {metric(.1 + .001 * seed), metric(.9 + .001 * seed, "coverage", "higher")}));
    after.push_back(cell("m", seed, {metric(.1 + .001 * seed), metric(.1 + .001 * seed, "coverage", "higher")}));
  }
  const std::string markdown = comparison_markdown(compare(results(before), results(after)));
  EXPECT_EQ(markdown.find("coverage"), std::string::npos) << markdown;
  EXPECT_NE(markdown.find("1 worse, 0 better"), std::string::npos) << markdown;
  EXPECT_NE(comparison_markdown(compare(results(before), results(after), {.gated = {"coverage"}})).find("coverage ↑"),
            std::string::npos);
}

// --- error rates
// ----------------------------------------------------------------------------------------------

struct Design {
  int n = 10;
  bool paired = true;
  double shift = 0;  ///< of the candidate, in standard deviations (paired: of the difference)
  int methods = 1;   ///< arms, of which the first is shifted
};

/// Fraction of \p repetitions of a comparison that end as a regression. Values .1 + .01 z; the pairs of a
/// replicate share half of their variance, so that a difference has the standard deviation .01 too.
double alarm_rate(const Design& design, const CompareOptions& options, int repetitions, const Stream& stream) {
  int alarms = 0;
  for (int r = 0; r < repetitions; ++r) {
    const Points z = stream.at(static_cast<std::uint64_t>(r)).normal(3, design.n * design.methods);
    std::vector<CellResult> before;
    std::vector<CellResult> after;
    for (int m = 0; m < design.methods; ++m) {
      for (int i = 0; i < design.n; ++i) {
        const Index k = m * design.n + i;
        const double shift = m == 0 ? .01 * design.shift : 0;
        const double half = .01 * std::sqrt(.5);
        const double a = design.paired ? half * (z(0, k) + z(1, k)) : .01 * z(0, k);
        const double b = design.paired ? half * (z(0, k) + z(2, k)) : .01 * z(1, k);
        before.push_back(cell(fmt::format("m{}", m), i, {metric(.1 + a)}));
        after.push_back(cell(fmt::format("m{}", m), design.paired ? i : 100 + i, {metric(.1 + shift + b)}));
      }
    }
    alarms += compare(results(std::move(before)), results(std::move(after)), options).regression ? 1 : 0;
  }
  const double rate = double(alarms) / repetitions;
  testing::Test::RecordProperty(
      fmt::format("n{}_{}_{}", design.n, design.paired ? "paired" : "unpaired", design.methods) +
          fmt::format("_shift{}_alpha{}", design.shift, options.alpha),
      fmt::format("{}", rate));
  return rate;
}

constexpr int repetitions = 2000;

double bound(double rate) {
  return 2 * std::sqrt(rate * (1 - rate) / repetitions);
}

TEST(CompareRates, FalseAlarmsStayBelowAlpha) {
  if (sanitized) GTEST_SKIP() << "minutes of simulation of code that other tests run";
  const Stream stream(7, "compare/null");
  // Without a margin, so that the test alone holds the rate: alpha and two standard errors.
  const CompareOptions no_margin{.relative = 0};
  const double limit = .05 + bound(.05);
  EXPECT_LE(alarm_rate({.n = 10, .paired = false, .methods = 1}, no_margin, repetitions, stream.at("one")), limit);
  EXPECT_LE(alarm_rate({.n = 10, .paired = false, .methods = 6}, no_margin, repetitions, stream.at("six")), limit);
  EXPECT_LE(alarm_rate({.n = 10, .paired = true, .methods = 6}, no_margin, repetitions, stream.at("pairs")), limit);
  // Six sign flips of five pairs cannot reach alpha/6, so Student's t takes over.
  EXPECT_LE(alarm_rate({.n = 5, .paired = true, .methods = 6}, no_margin, repetitions, stream.at("student")), limit);
  // The rate is not held by chance: a gate that means to alarm in 20 % of the cases is caught by the same
  // limit.
  EXPECT_GT(alarm_rate({.n = 10, .paired = false, .methods = 1}, {.alpha = .2, .relative = 0}, repetitions,
                       stream.at("loose")),
            limit);
}

/// Fraction of comparisons of equal code that end as a regression where the suites differ in their seeds: the
/// replicates of a side share an error of the size of their own spread, as those of one reference do, and true draws
/// are there beside the learner.
double alarm_rate_of_other_seed(Index n_reference, double shared, const Stream& stream) {
  int alarms = 0;
  constexpr int n = 10;
  for (int r = 0; r < repetitions; ++r) {
    const Points z = stream.at(static_cast<std::uint64_t>(r)).normal(4, n + 1);
    const auto side = [&](int row, int seed) {
      std::vector<CellResult> cells;
      for (int i = 0; i < n; ++i) {
        for (const int method : {0, 1}) {
          MetricRecord record = metric(.1 + .01 * (z(row + 2 * method, i) + shared * z(row, n)));
          record.n_reference = n_reference;
          cells.push_back(cell(method == 0 ? "m" : "truth", i, {record}));
        }
      }
      return with_seed(with_role(results(std::move(cells)), "truth", MethodRole::oracle), seed);
    };
    alarms += compare(side(0, 0), side(1, 1), {.relative = 0}).regression ? 1 : 0;
  }
  return double(alarms) / repetitions;
}

TEST(CompareRates, EqualCodeWithAnotherSeedAlarmsAtMostAlpha) {
  if (sanitized) GTEST_SKIP() << "minutes of simulation of code that other tests run";
  const Stream stream(7, "compare/seeds");
  const double limit = .05 * 1.02 + bound(.05);  // controls are tested at a fiftieth of alpha beside it
  EXPECT_LE(alarm_rate_of_other_seed(500, 1, stream.at("references")), limit);
  EXPECT_LE(alarm_rate_of_other_seed(0, 0, stream.at("exact")), limit);
  // What is refused would alarm far more often.
  EXPECT_GT(alarm_rate_of_other_seed(0, 1, stream.at("shared")), 4 * limit);
}

TEST(CompareRates, FindsAWorseningOfOneStandardDeviation) {
  if (sanitized) GTEST_SKIP() << "minutes of simulation of code that other tests run";
  const Stream stream(7, "compare/power");
  EXPECT_GE(alarm_rate({.n = 10, .paired = true, .shift = 1}, {}, repetitions, stream.at("pairs")), .85);
  EXPECT_GE(alarm_rate({.n = 16, .paired = false, .shift = 1}, {}, repetitions, stream.at("sides")), .75);
  // and an improvement of the same size is none
  EXPECT_LE(alarm_rate({.n = 10, .paired = true, .shift = -1}, {}, repetitions, stream.at("better")), .01);
}

}  // namespace
}  // namespace onmanifold
