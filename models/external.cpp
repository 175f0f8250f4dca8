// SPDX-License-Identifier: Apache-2.0
#include "models/external.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <sys/wait.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/point_files.hpp"
#include "core/printable.hpp"
#include "manifolds/manifold.hpp"
#include "models/supervised_program.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

using Places = std::map<std::string, std::string, std::less<>>;  // "{train}" and so on: what stands for it

/// The place that starts at \p text, or the end.
Places::const_iterator place_at(std::string_view text, const Places& places) {
  if (!text.starts_with('{')) return places.end();
  const std::size_t end = text.find('}');
  return end == std::string_view::npos ? places.end() : places.find(text.substr(0, end + 1));
}

/// \p argument of a program that is started without a shell.
std::string fill_argument(std::string_view argument, const Places& places) {
  std::string result;
  while (!argument.empty()) {
    const auto place = place_at(argument, places);
    result += place == places.end() ? std::string(1, argument.front()) : place->second;
    argument.remove_prefix(place == places.end() ? 1 : place->first.size());
  }
  return result;
}

/// \p value as the shell must see it to read one piece of a word, outside quotes (\p quote 0) or inside of them.
std::string shell_quoted(std::string_view value, char quote) {
  std::string result;
  for (const char c : value) {
    if (quote == '"' && std::string_view("$`\"\\").find(c) != std::string_view::npos) result += '\\';
    result += quote != '"' && c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quote == 0 ? "'" + result + "'" : result;
}

/// \p command for /bin/sh, with every value quoted for the place where it stands.
std::string fill_command(std::string_view command, const Places& places) {
  std::string result;
  char quote = 0;
  while (!command.empty()) {
    const auto place = place_at(command, places);
    if (place != places.end()) {
      result += shell_quoted(place->second, quote);
      command.remove_prefix(place->first.size());
      continue;
    }
    const char c = command.front();
    const std::size_t length = c == '\\' && quote != '\'' && command.size() > 1 ? 2 : 1;
    if (length == 1 && (c == '\'' || c == '"') && (quote == 0 || quote == c)) quote = quote == 0 ? c : '\0';
    result += command.substr(0, length);
    command.remove_prefix(length);
  }
  return result;
}

/// The words of \p command that may name a file: what stands between blanks and signs of the shell, without quotes.
std::vector<std::string> shell_words(std::string_view command) {
  std::vector<std::string> words(1);
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
      words.back() += command[++i];
    } else if ((c == '\'' || c == '"') && (quote == 0 || quote == c)) {
      quote = quote == 0 ? c : '\0';
    } else if (quote == 0 && std::string_view(" \t\r\n;|&()<>").find(c) != std::string_view::npos) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

bool is_file(const std::string& path) {
  std::error_code error;
  return !path.empty() && fs::is_regular_file(path, error);
}

/// \p path, or the files of the folder, without hidden ones and what Python makes of its sources.
void add_files(const fs::path& path, std::set<std::string>& files) {
  if (!fs::is_directory(path)) {
    files.insert(path.string());
    return;
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && name != "__pycache__") add_files(entry.path(), files);
  }
}

/// ": " and the last line of \p text that is not empty, cut to a readable length; nothing if there is none.
std::string last_line(const std::string& text) {
  constexpr std::size_t most = 200;
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return {};
  const std::size_t start = text.find_last_of("\r\n", end);
  const std::string line = text.substr(start == std::string::npos ? 0 : start + 1, end - start);
  return ": " + (line.size() > most ? line.substr(0, most) + "…" : line);
}

class External final : public GenerativeModel {
 public:
  explicit External(Settings& settings)
      : timeout_s_(settings.number("timeout_s", 600, 0.001, 1e9, "seconds that a run of the program may take")) {
    const char* const meaning =
        "command line with {train} {samples} {n} {seed}, run once a cell; an array of words is run without a shell";
    try {
      command_ = {settings.text("command", "", meaning)};
    } catch (const InvalidInput&) {  // no text: then it must be an array
      command_ = settings.texts("command", {}, meaning);
      shell_ = false;
    }
    // Not among the resolved settings unless given, so that older results keep their hashes.
    if (settings.has("threads")) threads_ = static_cast<int>(settings.integer("threads", 1, 1, 4096));
    if (settings.has("memory_gb")) memory_gb_ = settings.number("memory_gb", 0, 0.001, 1e6);
    if (settings.has("epochs")) epochs_ = settings.integer("epochs", 1, 1, 1'000'000);
    if (settings.has("inputs")) inputs_ = settings.texts("inputs", {});
    for (const std::string& input : inputs_) {
      if (!is_there(input))
        throw InvalidInput(fmt::format("{}: {}: no such file or folder", settings.locate("inputs"), input));
    }
    if (command_.empty() || command_.front().empty()) {
      throw InvalidInput(settings.locate("command") + ": an external method needs a command");
    }
    const auto has = [&](std::string_view place) {
      return std::any_of(command_.begin(), command_.end(),
                         [&](const std::string& part) { return part.find(place) != std::string::npos; });
    };
    if (has(std::string_view("\0", 1))) throw InvalidInput(settings.locate("command") + ": holds a NUL");
    if (!has("{samples}")) throw InvalidInput(settings.locate("command") + ": the command has no place {samples}");
    if (epochs_ > 0 && !has("{epochs}")) {
      throw InvalidInput(settings.locate("epochs") + ": the command has no place {epochs}");
    }
    if (epochs_ == 0 && has("{epochs}")) {
      throw InvalidInput(settings.locate("command") + ": {epochs} needs the setting epochs, their number");
    }
  }

  [[nodiscard]] std::string log() const override { return log_; }

  [[nodiscard]] std::vector<std::string> input_files() const {
    std::set<std::string> files;
    for (const std::string& word : shell_ ? shell_words(command_.front()) : command_) {
      const std::string after = word.substr(word.find('=') + 1);  // all of it where there is none
      if (is_file(word)) files.insert(word);
      if (is_file(after)) files.insert(after);
    }
    for (const std::string& input : inputs_) add_files(input, files);
    return {files.begin(), files.end()};
  }

 private:
  void do_fit(const FitContext& context) override {
    source_ = context.training;
    train_ = source_->epoch(0);
    check_finite(train_, "training points");
    of_cell_ = {{"{task}", context.task},
                {"{lift}", std::string(name_of(context.lift))},
                {"{sigma}", fmt::format("{}", context.lift_sigma)},
                {"{manifold}", context.manifold->spec()}};
  }
  void do_load(const ModelState&, const FitContext& context) override { do_fit(context); }

  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    const fs::path directory = unused_directory_name();
    const std::string train = directory / "train.npy";
    const std::string samples = directory / "samples.npy";
    Stream draws = stream;
    Places places = of_cell_;
    places.insert({{"{train}", train},
                   {"{epochs}", directory / "epochs"},
                   {"{samples}", samples},
                   {"{n}", std::to_string(n)},
                   {"{seed}", std::to_string(draws.integer(std::uint64_t{1} << 31U))},
                   {"{dim}", std::to_string(train_.rows())}});
    ProgramRequest request{.arguments = {},
                           .directory = directory,
                           .timeout_s = timeout_s_,
                           .memory_bytes = memory_gb_ * 1e9,
                           .threads = threads_};
    if (shell_) {
      request.arguments = {"/bin/sh", "-c", fill_command(command_.front(), places)};
    } else {
      for (const std::string& part : command_) request.arguments.push_back(fill_argument(part, places));
    }
    SupervisedProgram program(request);  // from here on nothing is left behind
    write_points(train, train_);
    if (epochs_ > 0) fs::create_directory(directory / "epochs");
    for (Index e = 0; e < epochs_; ++e) {
      write_points((directory / "epochs" / fmt::format("{}.npy", e)).string(), source_->epoch(e));
    }
    const ProgramEnd end = program.run();
    log_ = printable_lines(end.output);
    if (end.timed_out) throw TimeLimitExceeded(fmt::format("external: not done after {} s", timeout_s_));
    return checked_samples(end.status, samples, n);
  }

  /// What the program wrote, if it ended well and wrote what it should.
  [[nodiscard]] Points checked_samples(int status, const std::string& samples, Index n) const {
    // The shell says 128 + signal of a program that was killed.
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : code > 128 && code <= 128 + SIGRTMAX ? code - 128 : 0;
    if (signal != 0) {
      throw IoError(fmt::format("external: killed by signal {} ({}){}", signal, strsignal(signal), last_line(log_)));
    }
    if (code != 0) throw IoError(fmt::format("external: exit code {}{}", code, last_line(log_)));
    if (!is_there(samples)) throw IoError("external: the program wrote no samples");
    Points result;
    try {
      result = read_points(samples);
    } catch (const InvalidInput& error) {
      throw IoError(fmt::format("external: {}", error.what()));
    }
    if (result.rows() != train_.rows() || result.cols() != n) {
      throw IoError(fmt::format("external: the samples are {}×{}, expected {}×{}", result.cols(), result.rows(), n,
                                train_.rows()));
    }
    const Index bad = result.size() - result.array().isFinite().count();
    if (bad > 0) throw IoError(fmt::format("external: {} of {} numbers are not finite", bad, result.size()));
    return result;
  }

  bool shell_ = true;
  std::vector<std::string> command_;  // one line for the shell, or program and arguments
  double timeout_s_;
  int threads_ = 1;
  double memory_gb_ = 0;
  Index epochs_ = 0;
  std::vector<std::string> inputs_;
  const TrainingSource* source_ = nullptr;
  Points train_;
  Places of_cell_;
  mutable std::string log_;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_external(Settings& settings) {
  return std::make_unique<External>(settings);
}

}  // namespace onmanifold
