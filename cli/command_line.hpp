// SPDX-License-Identifier: Apache-2.0
#pragma once
// Options of the subcommands. Each command declares its own, in its file; the parser behind this is compiled once.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace onmanifold {

/// Exit codes that other programs rely on.
enum ExitCode : int {
  exit_ok = 0,
  exit_failure = 1,         ///< a regression, a failed cell, or a fault of the environment
  exit_bad_input = 2,       ///< wrong usage or bad input
  exit_not_comparable = 3,  ///< nothing comparable
};

/// What is asked of an option beyond its type.
struct OptionRules {
  bool required = false;
  bool show_default = false;  ///< in the help
  bool positive = false;
  bool comma = false;     ///< commas separate values
  bool one_word = false;  ///< of a list: every further word needs the option again
  std::optional<std::pair<long, long>> range = {};
  std::vector<std::string> one_of = {};
  std::string needs = {};         ///< another option
  std::string default_text = {};  ///< what the help shows as the default
};

/// One subcommand. Targets must live until CommandLine::run is done: keep them in what the action holds.
class Command {
 public:
  Command(CLI::App& app, std::function<int()>& action) : app_(&app), action_(&action) {}

  /// \p names: "-o,--output", or "suite" for a word without an option.
  void option(const std::string& names, std::string& target, const std::string& help, const OptionRules& rules = {});
  void option(const std::string& names, int& target, const std::string& help, const OptionRules& rules = {});
  void option(const std::string& names, long& target, const std::string& help, const OptionRules& rules = {});
  void option(const std::string& names, double& target, const std::string& help, const OptionRules& rules = {});
  void option(const std::string& names, std::vector<std::string>& target, const std::string& help,
              const OptionRules& rules = {});
  void flag(const std::string& names, bool& target, const std::string& help);
  /// Below the options: what else there is to know, examples, then \p exit_codes (the usual ones if empty).
  void footer(const std::string& text, const std::string& exit_codes = {});
  /// What the command does with its options; the result is the exit code.
  void action(std::function<int()> action);

 private:
  CLI::App* app_;
  std::function<int()>* action_;
};

/// The words of a command line, and the subcommands they may name.
class CommandLine {
 public:
  CommandLine(int argc, char** argv);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  [[nodiscard]] Command add(const std::string& name, const std::string& help);
  /// As they were typed, the program first.
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }
  /// Parses and acts, or prints help or one message; the result is the exit code. \throw InvalidInput for words that
  /// the command does not know.
  int run();

 private:
  std::vector<std::string> words_;
  std::unique_ptr<CLI::App> app_;
  std::function<int()> action_;
};

}  // namespace onmanifold
