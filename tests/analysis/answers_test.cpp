// SPDX-License-Identifier: Apache-2.0
#include "analysis/answers.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/verdict_text.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

LiftEffect effect(const char* task, const char* method, double change, double p, bool isotropic = false, int n = 5) {
  LiftEffect made;
  made.task = task;
  made.method = method;
  made.lift = isotropic ? "isotropic" : "normal";
  made.isotropic = isotropic;
  made.change = change;
  made.p = p;
  made.n = n;
  made.helps = change < 0 && p < 0.05;
  made.harms = change > 0 && p < 0.05;
  return made;
}

/// Two tasks of two learners and five seeds, the first decided.
Matrix made_matrix(int seeds = 5) {
  Matrix matrix;
  matrix.tasks = {{.name = "sphere", .ranked = 2, .seeds = seeds, .candidates = 1, .candidate = 0},
                  {.name = "plane", .ranked = 2, .seeds = seeds, .candidates = 2, .candidate = 1}};
  matrix.rows = {{.method = "flow", .lift = "normal", .lifted = true, .entries = std::vector<MatrixEntry>(2)},
                 {.method = "ddpm", .lift = "none", .entries = std::vector<MatrixEntry>(2)}};
  return matrix;
}

Analysis analysis_of(Matrix matrix, const std::vector<LiftEffect>& effects,
                     SuitePurpose purpose = SuitePurpose::study) {
  Analysis analysis;
  analysis.answers = answer(matrix, effects, purpose);
  analysis.matrix = std::move(matrix);
  return analysis;
}

TEST(Answers, LiftsAreJudgedAfterHolm) {
  // 0.03 alone would do; of four tests the smallest p must stay below 0.05/4.
  EXPECT_EQ(answer(made_matrix(), {effect("a", "m", -0.3, 0.03)}, SuitePurpose::study).lifts[0].helps, 1);
  const std::vector<LiftEffect> effects = {effect("a", "m", -0.3, 0.03), effect("b", "m", -0.27, 0.001),
                                           effect("c", "m", -0.66, 0.002), effect("d", "n", 0.2, 0.0001)};
  const Answers answers = answer(made_matrix(), effects, SuitePurpose::study);
  ASSERT_EQ(answers.lifts.size(), 2U);
  EXPECT_EQ(answers.lifts[0].method, "m");
  EXPECT_EQ(answers.lifts[0].tasks, 3);
  EXPECT_EQ(answers.lifts[0].helps, 3);  // 0.03 is the last of Holm's steps here
  EXPECT_EQ(answers.lifts[1].harms, 1);
  std::vector<LiftEffect> more = effects;
  more.push_back(effect("e", "m", -0.1, 0.4));
  const LiftAnswer fewer = answer(made_matrix(), more, SuitePurpose::study).lifts[0];
  EXPECT_EQ(fewer.helps, 2);
  // The range is of what helps, not of what may.
  EXPECT_EQ(fewer.change.low, -0.66);
  EXPECT_EQ(fewer.change.high, -0.27);
}

TEST(Answers, TooFewSeedsDecideNothing) {
  const Answers answers = answer(made_matrix(3), {effect("a", "m", -0.3, 1e-6, false, 3)}, SuitePurpose::study);
  EXPECT_EQ(answers.lifts[0].helps, 0);
  EXPECT_TRUE(answers.decided.empty());
  Matrix one = made_matrix(3);
  one.tasks.resize(1);
  EXPECT_EQ(answer(one, {}, SuitePurpose::study).most_candidates, 2);  // the test alone leaves one
  EXPECT_EQ(answers.reservation, Reservation::few_seeds);
  EXPECT_EQ(answer(made_matrix(), {}, SuitePurpose::study).decided, std::vector<int>{0});
}

TEST(VerdictText, SaysWhatHelpsAndWhoIsBest) {
  const Analysis analysis =
      analysis_of(made_matrix(), {effect("plane", "flow", -0.27, 1e-4), effect("sphere", "flow", -0.66, 1e-4),
                                  effect("plane", "ddpm", 0.05, 0.5), effect("sphere", "ddpm", -0.06, 0.5),
                                  effect("plane", "flow", 0.3, 1e-4, true), effect("sphere", "flow", 0.01, 0.9, true)});
  const VerdictText text = verdict_text(analysis);
  EXPECT_EQ(
      text.headline,
      "The normal lift helps flow on all 2 tasks (−27 to −66\u00a0%); not decided: ddpm −6 to +5\u00a0% (+ is worse).");
  EXPECT_TRUE(text.decided);
  EXPECT_EQ(text.trust, "Decided at 95 %, 5 seeds");
  ASSERT_EQ(text.more.size(), 3U);
  EXPECT_EQ(text.more[0], "The isotropic lift (control) harms flow on 1 of 2 tasks.");
  EXPECT_EQ(text.more[1], "Best, decided: flow normal on sphere. On one other task two learners may be the best.");
  EXPECT_EQ(text.more[2], "Every learner is distinguishable from a perfect model on every task.");
}

// The same numbers in a demonstration, or of three seeds, are no findings.
TEST(VerdictText, SaysNotConclusiveWhereItIsNot) {
  const std::vector<LiftEffect> effects = {effect("plane", "flow", -0.27, 1e-4), effect("sphere", "flow", -0.66, 1e-4)};
  const VerdictText shown = verdict_text(analysis_of(made_matrix(), effects, SuitePurpose::demonstration));
  EXPECT_EQ(shown.trust, "Not conclusive: a demonstration, 5 seeds");
  EXPECT_FALSE(shown.decided);
  EXPECT_THAT(shown.headline, Not(HasSubstr("lift helps flow")));
  const VerdictText few = verdict_text(analysis_of(made_matrix(3), effects));
  EXPECT_EQ(few.trust, "Not conclusive: 3 seeds, a comparison needs 5");
  EXPECT_THAT(few.headline, StartsWith("Whether the normal lift helps is not decided: flow"));
  EXPECT_THAT(few.more[0], HasSubstr("Do not interpret these differences"));
}

TEST(VerdictText, AnswersWithoutLiftsAndWithoutAnything) {
  const VerdictText text = verdict_text(analysis_of(made_matrix(), {}));
  EXPECT_THAT(text.headline, StartsWith("Best, decided: flow normal on sphere."));
  EXPECT_TRUE(text.decided);
  EXPECT_EQ(verdict_text(analysis_of({}, {})).headline, "");
  EXPECT_TRUE(verdict_lines(analysis_of({}, {})).empty());
}

}  // namespace
}  // namespace onmanifold
