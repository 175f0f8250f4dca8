// SPDX-License-Identifier: Apache-2.0
// [[diagnostic]] tables: which cells are asked, what is kept of the answers.
#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "diagnostics/cell_input.hpp"
#include "suite/pipeline.hpp"
#include "suite/suite_spec.hpp"
#include "suite/toml_file.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

/// Says what it was given.
class Witness final : public Diagnostic {
 public:
  explicit Witness(double factor) : factor_(factor) {}
  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    Points draws(1, 3);
    Stream stream = input.stream;
    stream.fill_normal(draws);
    return {{"seen/mean", factor_ * input.training->clean_points().rowwise().mean()},
            {"seen/lift", Vector::Constant(1, input.lift.sigma)},
            {"scale", Vector::Constant(1, input.scale)},
            {"draws", draws.transpose()}};
  }

 private:
  double factor_;
};

class NeedsScore final : public Diagnostic {
  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    return {{"levels", learned_score(input).levels()}};
  }
};

class Breaks final : public Diagnostic {
  [[nodiscard]] Curves run(const DiagnosticInput&) const override { throw std::runtime_error("made to break"); }
};

const DiagnosticRegistry& diagnostics() {
  static const DiagnosticRegistry registry = [] {
    DiagnosticRegistry all("diagnostic");
    all.add("witness", "", [](Settings& settings) -> std::unique_ptr<Diagnostic> {
      return std::make_unique<Witness>(settings.number("factor", 1, 0, 10));
    });
    all.add("needs_score", "", [](Settings&) -> std::unique_ptr<Diagnostic> { return std::make_unique<NeedsScore>(); });
    all.add("breaks", "", [](Settings&) -> std::unique_ptr<Diagnostic> { return std::make_unique<Breaks>(); });
    return all;
  }();
  return registry;
}

constexpr const char* plain = R"(
[suite]
name = "asked"
seeds = "0..0"
n_train = 50
n_samples = 20
n_reference = 20
[[task]]
name = "plane-gmm9"
[[task]]
name = "sphere-vmf6"
[[method]]
name = "oracle"
lifts = ["none", "normal"]
[[method]]
name = "gaussian"
[[lift]]
name = "normal"
type = "normal"
sigma = 0.25
)";

SuiteSpec parse(const std::string& more) {
  return parse_suite(parse_toml(plain + more, "s.toml"), "s.toml", method_registry(), diagnostics());
}

const Cell& cell_of(const std::vector<Cell>& cells, const std::string& key) {
  for (const Cell& cell : cells) {
    if (cell.key.text() == key) return cell;
  }
  throw std::runtime_error("no cell " + key);
}

TEST(SuiteDiagnostics, AreAskedOfTheCellsThatMatch) {
  const std::vector<Cell> cells = expand(parse(R"(
[[diagnostic]]
name = "witness"
methods = ["gau*"]
[[diagnostic]]
name = "twice"
type = "witness"
factor = 2
tasks = ["plane-*"]
lifts = ["normal"]
)"));
  const auto asked = [&](const std::string& key) {
    std::vector<std::string> names;
    for (const DiagnosticSpec& spec : cell_of(cells, key).diagnostics) names.push_back(spec.name);
    return names;
  };
  EXPECT_EQ(asked("plane-gmm9/gaussian/none/seed-0"), std::vector<std::string>{"witness"});
  EXPECT_EQ(asked("sphere-vmf6/gaussian/none/seed-0"), std::vector<std::string>{"witness"});
  EXPECT_EQ(asked("plane-gmm9/oracle/normal/seed-0"), std::vector<std::string>{"twice"});
  EXPECT_TRUE(asked("plane-gmm9/oracle/none/seed-0").empty());
  EXPECT_TRUE(asked("sphere-vmf6/oracle/normal/seed-0").empty());
}

TEST(SuiteDiagnostics, EnterTheHashOfTheCellsThatAreAsked) {
  const auto hash = [](const std::string& more, const std::string& key) {
    return cell_of(expand(parse(more)), key).sample_hash;
  };
  const std::string one = "[[diagnostic]]\nname = \"witness\"\nmethods = [\"gaussian\"]\n";
  const std::string gaussian = "plane-gmm9/gaussian/none/seed-0";
  const std::string oracle = "plane-gmm9/oracle/none/seed-0";
  EXPECT_NE(hash("", gaussian), hash(one, gaussian));
  EXPECT_EQ(hash("", oracle), hash(one, oracle));
  EXPECT_EQ(hash(one, gaussian), hash(one + "factor = 1\n", gaussian));  // the default
  EXPECT_NE(hash(one, gaussian), hash(one + "factor = 3\n", gaussian));
}

TEST(SuiteDiagnostics, KeepTheirAnswersAndTheirFailures) {
  const SuiteSpec suite = parse(R"(
[[diagnostic]]
name = "twice"
type = "witness"
factor = 2
[[diagnostic]]
name = "needs_score"
[[diagnostic]]
name = "breaks"
)");
  const std::vector<Cell> cells = expand(suite);
  const Cell& cell = cell_of(cells, "plane-gmm9/oracle/normal/seed-0");
  TaskContexts contexts;
  const auto compute = [&](const Cell& one) { return compute_raw_cell(suite, one, contexts.of(suite, *one.task)); };
  const RawCell raw = compute(cell);
  ASSERT_EQ(raw.status.state, CellState::ok) << raw.status.message;
  ASSERT_EQ(raw.diagnostics.size(), 3U);
  EXPECT_EQ(raw.diagnostics.at("needs_score").status.text(), "unsupported: the method has no score");
  EXPECT_EQ(raw.diagnostics.at("breaks").status.text(), "failed: made to break");
  const DiagnosticRecord& twice = raw.diagnostics.at("twice");
  EXPECT_EQ(twice.status.text(), "ok");
  const Points training = training_points(cell.task->task, suite.seed, 0, 50);
  EXPECT_LT((twice.numbers.at("seen/mean") - 2 * training.rowwise().mean()).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_EQ(twice.numbers.at("seen/lift")[0], 0.25);
  EXPECT_GT(twice.numbers.at("scale")[0], 0);

  // The same numbers again, others in another cell, and all of them back from the file.
  EXPECT_EQ(compute(cell).diagnostics.at("twice").numbers.at("draws"), twice.numbers.at("draws"));
  EXPECT_NE(compute(cells.front()).diagnostics.at("twice").numbers.at("draws"), twice.numbers.at("draws"));
  const TemporaryDirectory directory;
  const std::string file = directory.file("cell.h5");
  write_raw_cell(file, raw);
  EXPECT_EQ(read_raw_cell(file).diagnostics.at("twice").numbers.at("draws"), twice.numbers.at("draws"));
}

TEST(SuiteDiagnostics, ThatAreRegisteredSayWhatIsKnownOfAnExactLaw) {
  const SuiteSpec suite = parse_suite(parse_toml(std::string(plain) + R"(
[[diagnostic]]
name = "score_norm"
field = "exact"
points = 100
[[diagnostic]]
name = "of_the_model"
type = "score_norm"
[[diagnostic]]
name = "intrinsic_dimension"
field = "exact"
points = 20
[[diagnostic]]
name = "support_robustness"
field = "exact"
points = 50
[[diagnostic]]
name = "lyapunov"
field = "exact"
points = 30
levels = 100
condition_points = 20
[[diagnostic]]
name = "density_error"
[[diagnostic]]
name = "target_variance"
points = 200
[[diagnostic]]
name = "lift_geometry"
points = 200
)",
                                                 "s.toml"),
                                      "s.toml");
  const std::vector<Cell> cells = expand(suite);
  TaskContexts contexts;
  const auto ask = [&](const std::string& key) {
    const Cell& cell = cell_of(cells, key);
    return compute_raw_cell(suite, cell, contexts.of(suite, *cell.task)).diagnostics;
  };
  const auto bare = ask("plane-gmm9/oracle/none/seed-0");
  const auto lifted = ask("plane-gmm9/oracle/normal/seed-0");
  const auto number = [](const auto& records, const std::string& label, const std::string& name) {
    EXPECT_EQ(records.at(label).status.text(), "ok");
    return records.at(label).numbers.at(name)[0];
  };
  EXPECT_EQ(bare.at("of_the_model").status.text(), "unsupported: the method has no score");
  // k/s^2 without a lift; k/(s^2 + sigma0^2) with one of .25, whose fit begins below .25/3.
  EXPECT_NEAR(number(bare, "score_norm", "slope"), -2, 0.02);
  EXPECT_NEAR(number(lifted, "score_norm", "slope"), number(lifted, "score_norm", "ideal_slope"), 0.02);
  EXPECT_GT(number(lifted, "score_norm", "slope"), -0.2);
  EXPECT_NEAR(number(lifted, "score_norm", "plateau"), 1 / (0.25 * 0.25), 0.1 / (0.25 * 0.25));
  // The plane has d = 2; below a lift the data have D = 3.
  EXPECT_EQ(number(bare, "intrinsic_dimension", "dimension"), 2);
  EXPECT_EQ(number(bare, "intrinsic_dimension", "normal_bundle_gap"), 2);
  EXPECT_NEAR(number(bare, "intrinsic_dimension", "flipd"), 2, 0.1);
  EXPECT_NEAR(number(lifted, "intrinsic_dimension", "flipd"), 3, 0.1);
  EXPECT_LT(number(bare, "support_robustness", "ratio"), 0.1 * number(lifted, "support_robustness", "ratio"));
  // Nothing but the lift of .25 stops the contraction along the normal.
  EXPECT_EQ(number(bare, "lyapunov", "dimension_estimate"), 2);
  EXPECT_GT(number(bare, "lyapunov", "gap"), number(lifted, "lyapunov", "gap") + 1);
  EXPECT_GT(number(bare, "lyapunov", "alignment"), 0.9);
  EXPECT_NEAR(number(bare, "lyapunov", "alignment_random"), 2.0 / 3, 1e-12);
  EXPECT_EQ(number(bare, "lyapunov", "bound_holds"), 1);
  EXPECT_EQ(number(bare, "lyapunov", "control_vacuous"), 1);
  EXPECT_LT(number(bare, "lyapunov", "bound_vacuous"), 0.2);
  EXPECT_EQ(number(lifted, "lyapunov", "bound_vacuous"), 1);  // the lift ends the contraction
  EXPECT_EQ(bare.at("density_error").status.text(), "unsupported: the method has no score");
  // D at the smallest level for plain regression, d with the uniform law of the plane taken off; over 50 points.
  EXPECT_NEAR(number(bare, "target_variance", "dsm_total_s2"), 3, 4.5 * std::sqrt(6.0 / 50));
  EXPECT_NEAR(number(bare, "target_variance", "mad_total_s2"), 2, 4.5 * std::sqrt(4.0 / 50));
  EXPECT_EQ(number(bare, "lift_geometry", "within_bound"), 1);
  EXPECT_EQ(bare.at("lift_geometry").numbers.at("rate").maxCoeff(), 0);  // projection onto a plane undoes any lift
  // The sphere does not.
  EXPECT_GT(ask("sphere-vmf6/oracle/none/seed-0").at("lift_geometry").numbers.at("rate").maxCoeff(), 0);
}

TEST(SuiteDiagnostics, AreRefusedWhereTheyCannotBeMeant) {
  const auto refused = [](const std::string& table, const std::vector<std::string>& parts) {
    return throws_message<InvalidInput>([&] { (void)parse("[[diagnostic]]\n" + table); }, parts);
  };
  EXPECT_TRUE(refused("name = \"spectrum\"\n", {"s.toml", "spectrum", "witness"}));
  EXPECT_TRUE(refused("name = \"witness\"\nfactors = 2\n", {"s.toml", "factors"}));
  EXPECT_TRUE(refused("name = \"witness\"\nfactor = 11\n", {"s.toml", "factor"}));
  EXPECT_TRUE(refused("name = \"witness\"\nmethods = [\"ddpm\"]\n", {"ddpm", "oracle"}));
  EXPECT_TRUE(refused("name = \"witness\"\nlifts = [\"iso*\"]\n", {"iso*", "normal"}));
  EXPECT_TRUE(refused("name = \"witness\"\n[[diagnostic]]\nname = \"witness\"\n", {"witness", "twice"}));
}

}  // namespace
}  // namespace onmanifold
