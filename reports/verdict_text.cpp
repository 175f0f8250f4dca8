// SPDX-License-Identifier: Apache-2.0
#include "reports/verdict_text.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

constexpr std::size_t most_names = 3;  // in one sentence

// "a", "a and b", "a, b and 2 others".
std::string listed(const std::vector<std::string>& names, const std::string& others = "others") {
  if (names.empty()) return "";
  if (names.size() == 1) return names.front();
  const bool all = names.size() <= most_names;
  const auto last = static_cast<std::ptrdiff_t>(all ? names.size() - 1 : most_names - 1);
  return fmt::format("{} and {}", fmt::join(names.begin(), names.begin() + last, ", "),
                     all ? names.back() : fmt::format("{} {}", names.size() - most_names + 1, others));
}

std::string percent(double change) {
  return fmt::format("{}{:.0f}", change < 0 ? "−" : "+", std::abs(100 * change));
}

// "−27 to −66 %", the smaller change first, unbroken at the end.
std::string range_text(Interval change) {
  if (change.high < 0) std::swap(change.low, change.high);
  const std::string low = percent(change.low);
  const std::string high = percent(change.high);
  return (low == high ? low : fmt::format("{} to {}", low, high)) + "\u00a0%";
}

std::string tasks_text(int n, int of) {
  if (of == 1) return "its one task";
  if (n == of) return fmt::format("all {} tasks", of);
  return fmt::format("{} of {} tasks", n, of);
}

std::string lift_name(bool isotropic) {
  return isotropic ? "the isotropic lift (control)" : "the normal lift";
}

/// The lifts of one kind; empty without any.
struct LiftSentence {
  std::string text;
  bool decided = false;
};

LiftSentence lift_sentence(const std::vector<LiftAnswer>& lifts, bool isotropic, bool conclusive) {
  std::vector<std::string> helped;
  std::vector<std::string> harmed;
  std::vector<std::string> open;
  for (const LiftAnswer& lift : lifts) {
    if (lift.isotropic != isotropic) continue;
    const std::string method = plain_text(lift.method);
    const std::string range = range_text(lift.change);
    if (conclusive && lift.helps > 0) {
      helped.push_back(fmt::format("{} on {} ({})", method, tasks_text(lift.helps, lift.tasks), range));
    }
    if (conclusive && lift.harms > 0) {
      harmed.push_back(fmt::format("{} on {}", method, tasks_text(lift.harms, lift.tasks)));
    }
    if (!conclusive || (lift.helps == 0 && lift.harms == 0)) {
      open.push_back(fmt::format("{} {}", method, range));
    }
  }
  LiftSentence sentence;
  sentence.decided = !helped.empty() || !harmed.empty();
  if (!sentence.decided && open.empty()) return sentence;
  if (!sentence.decided) {
    sentence.text =
        fmt::format("Whether {} helps is not decided: {} (+ is worse).", lift_name(isotropic), listed(open));
    return sentence;
  }
  std::vector<std::string> parts;
  if (!helped.empty()) parts.push_back("helps " + listed(helped));
  if (!harmed.empty()) parts.push_back("harms " + listed(harmed));
  sentence.text = fmt::format("{} {}{}.", lift_name(isotropic), fmt::join(parts, " and "),
                              open.empty() ? "" : fmt::format("; not decided: {} (+ is worse)", listed(open)));
  sentence.text.front() = 'T';
  return sentence;
}

std::string row_label(const MatrixRow& row) {
  return plain_text(arm_label(row.method, row.lifted ? row.lift : ""));
}

// Who is best, by the tasks where that is decided.
std::string best_sentence(const Analysis& analysis) {
  const Answers& answers = analysis.answers;
  if (answers.ranked_tasks == 0) return "";
  const int open = answers.ranked_tasks - static_cast<int>(answers.decided.size());
  const std::string rest =
      fmt::format("{} learners may be the best",
                  answers.most_candidates > 2 ? fmt::format("up to {}", answers.most_candidates) : std::string("two"));
  if (!answers.conclusive() || answers.decided.empty()) {
    return answers.conclusive() ? fmt::format("No best method is decided on any task: {}.", rest)
                                : "No best method is decided. Do not interpret these differences.";
  }
  std::map<std::string, std::vector<std::string>> won;
  for (const int t : answers.decided) {
    const MatrixTask& task = analysis.matrix.tasks[static_cast<std::size_t>(t)];
    won[row_label(analysis.matrix.rows[static_cast<std::size_t>(task.candidate)])].push_back(plain_text(task.name));
  }
  std::vector<std::string> winners;
  for (const auto& [label, tasks] : won)
    winners.push_back(fmt::format("{} on {}", label, listed(tasks, "other tasks")));
  return fmt::format("Best, decided: {}.{}", fmt::join(winners, "; "),
                     open == 0   ? ""
                     : open == 1 ? fmt::format(" On one other task {}.", rest)
                                 : fmt::format(" On {} other tasks {}.", open, rest));
}

std::string reached_sentence(const Answers& answers, std::size_t tasks) {
  if (answers.ranked_tasks == 0) return "";
  if (answers.reached == 0) return "Every learner is distinguishable from a perfect model on every task.";
  return fmt::format("On {} of {} task{} a learner is indistinguishable from a perfect model.", answers.reached, tasks,
                     tasks == 1 ? "" : "s");
}

std::string trust_text(const Answers& answers, bool decided) {
  const std::string seeds = answers.least_seeds == answers.most_seeds
                                ? fmt::format("{} seed{}", answers.most_seeds, answers.most_seeds == 1 ? "" : "s")
                                : fmt::format("{} to {} seeds", answers.least_seeds, answers.most_seeds);
  switch (answers.reservation) {
    case Reservation::demonstration:
      return fmt::format("Not conclusive: a demonstration, {}", seeds);
    case Reservation::few_seeds:
      return fmt::format("Not conclusive: {}, a comparison needs {}", seeds, seeds_for_comparison);
    case Reservation::none:
      break;
  }
  return decided ? fmt::format("Decided at 95 %, {}", seeds) : fmt::format("Not conclusive, {}", seeds);
}

}  // namespace

VerdictText verdict_text(const Analysis& analysis) {
  const Answers& answers = analysis.answers;
  VerdictText text;
  if (answers.ranked_tasks == 0 && answers.lifts.empty()) return text;
  std::vector<std::string> sentences;
  bool decided = false;
  for (const bool isotropic : {false, true}) {
    LiftSentence lifts = lift_sentence(answers.lifts, isotropic, answers.conclusive());
    if (lifts.text.empty()) continue;
    if (sentences.empty()) decided = lifts.decided;
    sentences.push_back(std::move(lifts.text));
  }
  if (sentences.empty()) decided = answers.conclusive() && !answers.decided.empty();
  sentences.push_back(best_sentence(analysis));
  sentences.push_back(reached_sentence(answers, analysis.matrix.tasks.size()));
  std::erase(sentences, "");
  text.headline = sentences.front();
  text.more.assign(sentences.begin() + 1, sentences.end());
  text.decided = decided;
  text.trust = trust_text(answers, decided);
  return text;
}

std::vector<std::string> verdict_lines(const Analysis& analysis) {
  VerdictText text = verdict_text(analysis);
  if (text.headline.empty()) return {};
  std::vector<std::string> lines = {text.headline, text.trust + "."};
  for (std::string& line : text.more) lines.push_back(std::move(line));
  return lines;
}

}  // namespace onmanifold
