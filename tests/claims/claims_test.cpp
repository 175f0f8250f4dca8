// SPDX-License-Identifier: Apache-2.0
#include "claims/claims.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

/// Results made up cell by cell.
class Results {
 public:
  Results() { set_.directory = "somewhere"; }

  [[nodiscard]] const ResultSet& get() const { return set_; }

  TaskResult& task(const std::string& name) {
    for (TaskResult& one : set_.tasks) {
      if (one.name == name) return one;
    }
    TaskResult made;
    made.name = name;
    made.file.emplace();
    made.file->details =
        Value::Table{{"claims", true}, {"constraint_tolerance", 1e-12}, {"s_min", 0.01}, {"scale", 1.0}};
    set_.tasks.push_back(made);
    return set_.tasks.back();
  }

  CellResult& cell(const std::string& name, const std::string& method, const std::string& lift, int seed) {
    TaskResult& here = task(name);
    for (CellResult& one : here.cells) {
      if (one.key.method == method && one.key.lift == lift && one.key.seed == seed) return one;
    }
    CellResult made;
    made.key = {name, method, lift, seed};
    made.has_metrics = true;
    made.head.config = Value::Table{
        {"lift", Value::Table{{"type", lift == "none" ? "none" : "normal"}, {"sigma", lift == "none" ? 0.0 : 0.1}}}};
    here.cells.push_back(made);
    return here.cells.back();
  }

  /// \p value, a little different for each seed, in projected samples.
  Results& metric(const std::string& name, const std::string& method, const std::string& lift, double value,
                  int seeds = 10, const std::string& metric_name = "tvd", const std::string& direction = "lower") {
    for (int seed = 0; seed < seeds; ++seed) {
      MetricRecord record;
      record.name = metric_name;
      record.direction = parse_direction(direction);
      record.value = value + 1e-4 * (seed - 4.5) * (method == "oracle" || lift != "none" ? 1 : 2);
      record.null = 0.015;
      record.null_sd = 0.001;
      cell(name, method, lift, seed).projected.push_back(record);
    }
    return *this;
  }

  Results& number(const std::string& name, const std::string& method, const std::string& lift, const std::string& label,
                  const std::string& number_name, const Vector& value, int seeds = 10) {
    for (int seed = 0; seed < seeds; ++seed) {
      cell(name, method, lift, seed).head.diagnostics[label].numbers[number_name] = value;
    }
    return *this;
  }

 private:
  ResultSet set_;
};

Vector one(double value) {
  return Vector::Constant(1, value);
}

const std::vector<std::string> low_tasks = {"plane-gmm9", "sphere-vmf6", "so3-fisher", "bunny-eigen", "torus-vm"};

/// What C7 needs.
Results with_lift(double lifted, double unlifted = 0.1, int seeds = 10) {
  Results results;
  for (const std::string& name : low_tasks) {
    const std::string metric = name == "so3-fisher" ? "energy" : "tvd";
    results.metric(name, "oracle", "none", 0.015, seeds, metric);
    results.metric(name, "ddpm", "none", unlifted, seeds, metric);
    results.metric(name, "ddpm", "normal", lifted, seeds, metric);
  }
  return results;
}

ClaimResult judged(const ResultSet& results, const std::string& id) {
  for (const ClaimResult& result : judge_claims(results)) {
    if (result.claim.id == id) return result;
  }
  ADD_FAILURE() << "no claim " << id;
  return {};
}

bool mentions(const ClaimResult& result, const std::string& text) {
  return result.reason.find(text) != std::string::npos;
}

TEST(Claims, AreTwentySevenInOrder) {
  ASSERT_EQ(claims().size(), 27U);
  for (std::size_t i = 0; i < 27; ++i) {
    const Claim& claim = claims()[i];
    EXPECT_EQ(claim.id, fmt::format("C{}", i + 1));
    for (const std::string& part : {claim.source, claim.statement, claim.experiment, claim.endpoint, claim.rule}) {
      EXPECT_FALSE(part.empty()) << claim.id;
    }
    EXPECT_NE(claim_text(claim).find(claim.rule), std::string::npos);
  }
}

TEST(Claims, WithoutResultsAreNotTested) {
  for (const ClaimResult& result : judge_claims({})) {
    EXPECT_EQ(result.verdict, Verdict::not_tested) << result.claim.id;
    // C11 asks for every cell there is, and there is none.
    EXPECT_EQ(result.missing.empty(), result.claim.id == "C11") << result.claim.id;
  }
  EXPECT_THROW((void)judge_claims({}, 0), InvalidInput);
}

TEST(Claims, LowerDistanceIsReproducedAndAWrongLiftIsNot) {
  const ClaimResult good = judged(with_lift(0.05).get(), "C7");
  EXPECT_EQ(good.verdict, Verdict::reproduced) << good.reason;
  EXPECT_EQ(good.test.n, 10);
  EXPECT_EQ(good.test.p, std::ldexp(1, -10));
  EXPECT_EQ(good.tasks.size(), 5U);
  // By hand: corrected tvd of the other arm sqrt(value^2 - .015^2 - .001^2), averaged over seeds, a tenth of
  // it.
  double corrected = 0;
  for (int seed = 0; seed < 10; ++seed) {
    corrected += std::sqrt(std::pow(0.1 + 2e-4 * (seed - 4.5), 2) - 0.015 * 0.015 - 1e-6) / 10;
  }
  EXPECT_NEAR(good.tasks.front().margin, 0.1 * corrected, 1e-12);
  EXPECT_NEAR(good.tasks.front().mean, 0.05, 1e-12);
  // A lift along tangents blurs the law: worse than none.
  EXPECT_EQ(judged(with_lift(0.15).get(), "C7").verdict, Verdict::not_reproduced);
  // Better by less than matters.
  EXPECT_EQ(judged(with_lift(0.099).get(), "C7").verdict, Verdict::not_reproduced);
}

TEST(Claims, ConcludeNothingFromWhatIsIncomplete) {
  const ClaimResult few = judged(with_lift(0.05, 0.1, 4).get(), "C7");
  EXPECT_EQ(few.verdict, Verdict::inconclusive);
  EXPECT_TRUE(mentions(few, "4 finished replicates")) << few.reason;
  EXPECT_GE(few.replicates_needed, 5);

  Results missing = with_lift(0.05);
  auto& cells = missing.task("bunny-eigen").cells;
  std::erase_if(cells, [](const CellResult& cell) { return cell.key.lift == "normal"; });
  const ClaimResult part = judged(missing.get(), "C7");
  EXPECT_EQ(part.verdict, Verdict::inconclusive);
  EXPECT_TRUE(mentions(part, "cells bunny-eigen ddpm normal")) << part.reason;

  Results failed = with_lift(0.05);
  CellResult& cell = failed.cell("plane-gmm9", "ddpm", "normal", 3);
  cell.projected.clear();
  cell.head.status = {CellState::diverged, "loss is not finite"};
  const ClaimResult survivor = judged(failed.get(), "C7");
  EXPECT_EQ(survivor.verdict, Verdict::inconclusive);
  EXPECT_EQ(survivor.test.n, 9);
  EXPECT_TRUE(mentions(survivor, "plane-gmm9 ddpm normal seed 3")) << survivor.reason;
}

TEST(Claims, ConcludeNothingFromABadOracleOrAnInvisibleLift) {
  Results oracle = with_lift(0.05);
  for (int seed = 0; seed < 10; ++seed) oracle.cell("sphere-vmf6", "oracle", "none", seed).projected[0].value = 0.02;
  const ClaimResult bad = judged(oracle.get(), "C7");
  EXPECT_EQ(bad.verdict, Verdict::inconclusive);
  EXPECT_TRUE(mentions(bad, "failed oracle check: tvd of sphere-vmf6")) << bad.reason;

  Results invisible = with_lift(0.05);
  invisible.task("plane-gmm9").file->details = Value::Table{{"suite", "claims"}, {"s_min", 0.2}, {"scale", 1.0}};
  const ClaimResult hidden = judged(invisible.get(), "C7");
  EXPECT_EQ(hidden.verdict, Verdict::inconclusive);
  EXPECT_TRUE(mentions(hidden, "lift invisible: plane-gmm9")) << hidden.reason;
}

TEST(Claims, AreNotReproducedByAMemorizer) {
  Results results = with_lift(0.015);  // as good as the oracle, for it copies
  for (const std::string method : {"oracle", "ddpm"}) {
    for (int seed = 0; seed < 10; ++seed) {
      MetricRecord copies;
      copies.name = "train_copy_rate";
      copies.value = method == "oracle" ? 0.01 : 1;
      results.cell("plane-gmm9", method, method == "oracle" ? "none" : "normal", seed).raw.push_back(copies);
    }
  }
  const ClaimResult result = judged(results.get(), "C7");
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_TRUE(mentions(result, "copies of training points")) << result.reason;
}

TEST(Claims, ABrokenProjectionBreaksTheConstraints) {
  Results results = with_lift(0.05);
  for (const std::string& name : low_tasks) {
    for (int seed = 0; seed < 10; ++seed) {
      MetricRecord record;
      record.name = "constraint_max";
      record.value = 1e-13;
      results.cell(name, "ddpm", "normal", seed).projected.push_back(record);
    }
  }
  EXPECT_EQ(judged(results.get(), "C11").verdict, Verdict::reproduced);
  results.cell("torus-vm", "ddpm", "normal", 7).projected.back().value = 1e-6;
  const ClaimResult broken = judged(results.get(), "C11");
  EXPECT_EQ(broken.verdict, Verdict::not_reproduced);
  EXPECT_TRUE(mentions(broken, "torus-vm/ddpm/normal/seed-7")) << broken.reason;
  // Where the projection itself gave up, its sample says nothing of it.
  MetricRecord failures;
  failures.name = "projection_fail_rate";
  failures.value = 0.01;
  results.cell("torus-vm", "ddpm", "normal", 7).raw.push_back(failures);
  const ClaimResult apart = judged(results.get(), "C11");
  EXPECT_EQ(apart.verdict, Verdict::reproduced);
  EXPECT_TRUE(mentions(apart, "1 cells with samples that do not project")) << apart.reason;
}

TEST(Claims, ShareAlphaWithClaimsThatWereBegun) {
  Results results = with_lift(0.05);
  EXPECT_EQ(judged(results.get(), "C7").family, 4);  // C12, C14 and C25 share its cells but are incomplete
  const double alone = judged(results.get(), "C7").adjusted_p;
  EXPECT_DOUBLE_EQ(alone, 4 * std::ldexp(1, -10));
}

TEST(Claims, ReadLiftGeometry) {
  Results results;
  const Vector sigmas = Vector::LinSpaced(3, 0.1, 1);
  for (const char* name : {"plane-gmm9", "flux-mnist14"}) {
    results.number(name, "oracle", "none", "lift_geometry", "sigma", sigmas);
    results.number(name, "oracle", "none", "lift_geometry", "max_jump", Vector::Constant(3, 1e-14));
  }
  EXPECT_EQ(judged(results.get(), "C1").verdict, Verdict::reproduced);
  EXPECT_EQ(judged(results.get(), "C1").test.n, 60);
  results.cell("plane-gmm9", "oracle", "none", 0).head.diagnostics["lift_geometry"].numbers["max_jump"][2] = 1e-3;
  EXPECT_EQ(judged(results.get(), "C1").verdict,
            Verdict::not_reproduced);  // a lift along tangents moves the foot

  Vector rates(3);
  rates << 0, 0.02, 0.15;
  for (const char* name : {"sphere-vmf6", "so3-fisher", "torus-vm"}) {
    results.number(name, "oracle", "none", "lift_geometry", "sigma", sigmas);
    results.number(name, "oracle", "none", "lift_geometry", "rate", rates);
    results.number(name, "oracle", "none", "lift_geometry", "draws", one(10000));
    results.number(name, "oracle", "none", "lift_geometry", "bound", Vector(2 * rates));
  }
  EXPECT_EQ(judged(results.get(), "C2").verdict, Verdict::reproduced);
  EXPECT_EQ(judged(results.get(), "C2").test.n, 9);  // pooled over seeds
  results.number("so3-fisher", "oracle", "none", "lift_geometry", "bound", Vector(0.5 * rates));
  EXPECT_EQ(judged(results.get(), "C2").verdict, Verdict::not_reproduced);
}

TEST(Claims, ReadScoreNorms) {
  Results results;
  for (const char* name : {"plane-gmm9", "sphere-vmf6", "so3-fisher"}) {
    results.number(name, "oracle", "none", "score_norm_exact", "slope", one(-2.01));
    results.number(name, "ddpm", "none", "score_norm", "regression", one(0.95));
  }
  EXPECT_EQ(judged(results.get(), "C3").verdict, Verdict::reproduced);
  // A network that stays bounded where the score explodes.
  results.number("sphere-vmf6", "ddpm", "none", "score_norm", "regression", one(0.4));
  EXPECT_EQ(judged(results.get(), "C3").verdict, Verdict::not_reproduced);
  results.number("sphere-vmf6", "ddpm", "none", "score_norm", "regression", one(std::nan("")));
  const ClaimResult unknown = judged(results.get(), "C3");
  EXPECT_EQ(unknown.verdict, Verdict::inconclusive);
  EXPECT_TRUE(mentions(unknown, "diagnostic score_norm (regression) of sphere-vmf6 ddpm")) << unknown.reason;
}

TEST(Claims, ReadLyapunovVectors) {
  const auto verdict = [](double alignment, double gap) {
    Results results;
    for (const char* name : {"plane-gmm9", "sphere-vmf6", "so3-fisher", "torus-vm"}) {
      const bool low = std::string(name) == "plane-gmm9" || std::string(name) == "sphere-vmf6";
      const char* const method = low ? "ddpm_deep" : "ddpm";
      results.number(name, method, "none", "lyapunov", "alignment", one(alignment));
      results.number(name, method, "none", "lyapunov", "gap", one(gap));
      results.number(name, method, "none", "lyapunov", "alignment_random", one(2.0 / 3));
    }
    return judged(results.get(), "C21").verdict;
  };
  EXPECT_EQ(verdict(0.995, 5), Verdict::reproduced);
  EXPECT_EQ(verdict(0.9, 5), Verdict::not_reproduced);
  EXPECT_EQ(verdict(0.9, 3), Verdict::reproduced);  // a short flow: better than by chance is enough
  EXPECT_EQ(verdict(0.5, 3), Verdict::not_reproduced);
}

TEST(Claims, TheConditionForAlignmentIsATheoremWithAControl) {
  const auto judge = [](double holds, double control) {
    Results results;
    for (const char* name : {"plane-gmm9", "sphere-vmf6", "sphere-in-16d"}) {
      results.number(name, "ddpm", "none", "lyapunov", "bound_holds", one(holds));
      results.number(name, "ddpm", "none", "lyapunov", "bound_vacuous", one(0.25));
      results.number(name, "ddpm", "none", "lyapunov", "linear_holds", one(0.5));
    }
    results.number("sphere-vmf6", "ddpm", "none", "lyapunov", "control_vacuous", one(control));
    return judged(results.get(), "C27");
  };
  const ClaimResult proven = judge(1, 1);
  EXPECT_EQ(proven.verdict, Verdict::theorem);
  EXPECT_TRUE(mentions(proven, "vacuous on 0.25")) << proven.reason;
  EXPECT_TRUE(mentions(proven, "without it on 0.5")) << proven.reason;
  EXPECT_EQ(judge(0.98, 1).verdict, Verdict::not_reproduced);  // a bound that fails once is none
  EXPECT_EQ(judge(1, 0.2).verdict, Verdict::inconclusive);     // it would say something of any law
}

TEST(Claims, RobustSupportIsSmallAndFallsWithTheNoise) {
  const auto found = [](double deep, double coarse, double level) {
    Results results;
    for (const char* name : {"plane-gmm9", "sphere-vmf6"}) {
      results.number(name, "ddpm_deep", "none", "support_robustness", "ratio", one(deep));
      results.number(name, "ddpm_deep", "none", "support_robustness", "s_min", one(level));
      results.number(name, "ddpm", "none", "support_robustness", "ratio", one(coarse));
    }
    return judged(results.get(), "C19");
  };
  EXPECT_EQ(found(0.02, 0.2, 0.001).verdict, Verdict::reproduced);
  EXPECT_EQ(found(0.2, 0.4, 0.001).verdict, Verdict::not_reproduced);
  EXPECT_EQ(found(0.02, 0.01, 0.001).verdict, Verdict::not_reproduced);
  const ClaimResult coarse = found(0.02, 0.2, 0.01);
  EXPECT_EQ(coarse.verdict, Verdict::inconclusive);
  EXPECT_TRUE(mentions(coarse, "above .003")) << coarse.reason;
}

TEST(Claims, LowerLossNeedsATargetOfTheRightSize) {
  const auto found = [](double mad, double target) {
    Results results;
    for (const auto& [name, d] :
         std::map<std::string, double>{{"sphere-vmf6", 2}, {"so3-fisher", 3}, {"two-points", 0}}) {
      results.number(name, "ddpm", "none", "training", "final_loss", one(1));
      results.number(name, "mad", "none", "training", "final_loss", one(mad));
      results.number(name, "oracle", "none", "target_variance", "mad_total_s2", one(d * target));
    }
    return judged(results.get(), "C23").verdict;
  };
  EXPECT_EQ(found(0.5, 1), Verdict::reproduced);
  EXPECT_EQ(found(1.5, 1), Verdict::not_reproduced);
  EXPECT_EQ(found(0.5, 1.1), Verdict::inconclusive);
}

TEST(Claims, ATheoremHasNoVerdictOfItsOwn) {
  Results results;
  results.number("sphere-in-16d", "autoencoder_ddpm", "none", "two_step_bound", "lhs_over_rhs", one(0.005));
  const ClaimResult bound = judged(results.get(), "C16");
  EXPECT_EQ(bound.verdict, Verdict::theorem);
  EXPECT_TRUE(mentions(bound, "vacuous (below .01) in 10 of 10")) << bound.reason;
}

TEST(Claims, EquivalenceOfMarginals) {
  const auto both = [](double niso) {
    Results results;
    for (const char* name : {"plane-gmm9", "sphere-vmf6"}) {
      results.metric(name, "oracle", "none", 0.015).metric(name, "ddpm_ve", "none", 0.1);
      results.metric(name, "ddpm_ve", "normal", 0.05).metric(name, "niso", "none", niso);
    }
    return judged(results.get(), "C26").verdict;
  };
  EXPECT_EQ(both(0.052), Verdict::reproduced);
  EXPECT_EQ(both(0.09), Verdict::not_reproduced);
  EXPECT_EQ(both(0.02), Verdict::not_reproduced);
}

TEST(Claims, AreJudgedWhereTheSuiteSaysSoWhateverItsName) {
  const auto with = [](const Value::Table& details) {
    ResultSet results;
    results.tasks.emplace_back();
    results.tasks[0].file.emplace();
    results.tasks[0].file->details = details;
    return results;
  };
  EXPECT_TRUE(holds_claims(with({{"suite", "a copy"}, {"purpose", "study"}, {"claims", true}})));
  EXPECT_FALSE(holds_claims(with({{"suite", "claims"}, {"purpose", "study"}, {"claims", false}})));
  EXPECT_FALSE(holds_claims(with({{"suite", "quick"}})));
  EXPECT_TRUE(holds_claims(with({{"suite", "claims"}}))) << "results from before the key";
  EXPECT_FALSE(holds_claims({}));
}

}  // namespace
}  // namespace onmanifold
