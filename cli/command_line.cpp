// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "results/provenance.hpp"

namespace onmanifold {
namespace {

/// CLI's own names both ends of what a double can be, in all their digits.
CLI::Validator positive() {
  return {[](const std::string& text) {
            double value = 0;
            return CLI::detail::lexical_cast(text, value) && value > 0 ? std::string()
                                                                       : fmt::format("'{}' is not positive", text);
          },
          "POSITIVE"};
}

void apply(CLI::Option& option, const OptionRules& rules) {
  if (rules.required) option.required();
  if (rules.positive) option.check(positive());
  if (rules.comma) option.delimiter(',');
  if (rules.one_word) option.allow_extra_args(false);
  if (rules.range) option.check(CLI::Range(rules.range->first, rules.range->second));
  if (!rules.one_of.empty()) option.check(CLI::IsMember(rules.one_of));
  if (!rules.needs.empty()) option.needs(rules.needs);
  if (rules.show_default) option.capture_default_str();
  if (!rules.default_text.empty()) option.default_str(rules.default_text);
}

}  // namespace

void Command::option(const std::string& names, std::string& target, const std::string& help, const OptionRules& rules) {
  apply(*app_->add_option(names, target, help), rules);
}
void Command::option(const std::string& names, int& target, const std::string& help, const OptionRules& rules) {
  apply(*app_->add_option(names, target, help), rules);
}
void Command::option(const std::string& names, long& target, const std::string& help, const OptionRules& rules) {
  apply(*app_->add_option(names, target, help), rules);
}
void Command::option(const std::string& names, double& target, const std::string& help, const OptionRules& rules) {
  apply(*app_->add_option(names, target, help), rules);
}
void Command::option(const std::string& names, std::vector<std::string>& target, const std::string& help,
                     const OptionRules& rules) {
  apply(*app_->add_option(names, target, help), rules);
}

void Command::flag(const std::string& names, bool& target, const std::string& help) {
  app_->add_flag(names, target, help);
}

void Command::footer(const std::string& text, const std::string& exit_codes) {
  const std::string usual =
      "Exit codes: 0 ok, 1 a failed cell or a fault of the environment (a full disk), 2 wrong usage or bad input.";
  app_->footer(text + "\n\n" + (exit_codes.empty() ? usual : exit_codes));
}

void Command::action(std::function<int()> action) {
  app_->callback([chosen = action_, action = std::move(action)] { *chosen = action; });
}

CommandLine::CommandLine(int argc, char** argv)
    : words_(argv, argv + argc),
      app_(std::make_unique<CLI::App>(
          "OnManifold: how well does a generative model learn data that lives on a known manifold, and where in the\n"
          "pipeline is the dimension mismatch best handled?")) {
  app_->name("onmanifold");
  app_->require_subcommand(1);
  app_->set_version_flag("--version", version());
  app_->footer(
      "Start with\n"
      "  onmanifold run quick\n"
      "  onmanifold report results/quick\n"
      "and go on with 'onmanifold COMMAND --help', which has examples of each command.\n\n"
      "Exit codes: 0 ok, 1 a regression, a failed cell or a fault of the environment, 2 wrong usage or bad input,\n"
      "3 nothing comparable. Results go to stdout; progress, warnings and one line for an error to stderr.");
}

CommandLine::~CommandLine() = default;

Command CommandLine::add(const std::string& name, const std::string& help) {
  return {*app_->add_subcommand(name, help), action_};
}

int CommandLine::run() {
  try {
    std::vector<std::string> reversed(words_.rbegin(), words_.rend());
    if (!reversed.empty()) reversed.pop_back();  // the program
    app_->parse(std::move(reversed));
  } catch (const CLI::ExtrasError&) {  // whose own message has the words from last to first
    throw InvalidInput(fmt::format("not expected: {} (see --help)", fmt::join(app_->remaining(true), " ")));
  } catch (const CLI::ParseError& error) {
    return app_->exit(error) == 0 ? exit_ok : exit_bad_input;
  }
  return action_();
}

}  // namespace onmanifold
