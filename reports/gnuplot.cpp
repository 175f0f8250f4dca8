// SPDX-License-Identifier: Apache-2.0
#include "reports/gnuplot.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "reports/assets.hpp"
#include "reports/template.hpp"
#include "reports/text_format.hpp"

extern char** environ;  // NOLINT: POSIX

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

std::string read_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

// In single quotes, where only the quote itself is special.
std::string gnuplot_string(std::string_view text) {
  std::string result = plain_text(text);
  replace_all(result, "'", "''");
  return "'" + result + "'";
}

namespace {

/// Whether \p picture is a whole SVG, PNG or PDF: the last chunk of a PNG is IEND and its checksum.
bool has_end(std::string_view picture) {
  if (picture.starts_with("\x89PNG")) return picture.size() > 8 && picture.substr(picture.size() - 8, 4) == "IEND";
  const std::size_t last = picture.find_last_not_of(" \r\n");
  return last != std::string_view::npos &&
         picture.substr(0, last + 1).ends_with(picture.starts_with("%PDF") ? "%%EOF" : "</svg>");
}

// What gnuplot writes when \p terminal is set before \p commands.
std::string run_gnuplot(std::string_view terminal, std::string_view commands) {
  const TemporaryDirectory directory;
  const std::string script_path = directory.file("figure.gp");
  const std::string output_path = directory.file("figure.out");
  const std::string errors_path = directory.file("errors.txt");
  {
    std::ofstream script(script_path);
    script << fmt::format("set encoding utf8\nset terminal {}\nset output {}\n{}\nset output\n", terminal,
                          gnuplot_string(output_path), commands);
    if (!script.flush()) throw IoError(fmt::format("{}: cannot write", script_path));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors_path.c_str(), O_WRONLY | O_CREAT, 0600);
  std::string program = "gnuplot";
  std::string argument = script_path;
  std::array<char*, 3> arguments = {program.data(), argument.data(), nullptr};
  pid_t process = 0;
  const int failure = posix_spawnp(&process, "gnuplot", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) throw IoError("gnuplot is not installed (Debian package gnuplot-nox)");
  if (failure != 0) throw IoError(fmt::format("gnuplot cannot be started: {}", std::strerror(failure)));
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) throw IoError(fmt::format("waiting for gnuplot: {}", std::strerror(errno)));
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw IoError(fmt::format("gnuplot failed: {}", plain_text(read_text(errors_path))));
  }
  // gnuplot does not notice a full disk: what it wrote must have its end.
  std::string output = read_text(output_path);
  if (!has_end(output)) {
    throw IoError(fmt::format("gnuplot: its picture is cut off; is {} full?",
                              fs::path(output_path).parent_path().parent_path().string()));
  }
  return output;
}

}  // namespace

std::string gnuplot_file(const Figure& figure, std::string_view format) {
  if (format == "svg") {
    return run_gnuplot(fmt::format("svg size {},{} noenhanced font 'sans-serif,11' background rgb 'white'",
                                   figure.width, figure.height),
                       figure.commands);
  }
  if (format == "pdf") {
    // Inches of 72 points, of which the pixels of a page are taken to be.
    return run_gnuplot(
        fmt::format("pdfcairo size {:.4f}in,{:.4f}in noenhanced font 'sans-serif,11' background rgb 'white'",
                    figure.width / 72.0, figure.height / 72.0),
        figure.commands);
  }
  if (format != "png") throw InvalidInput(fmt::format("figures are svg, pdf or png, not '{}'", format));
  // Twice as fine as on a page: for print.
  return run_gnuplot(
      fmt::format("pngcairo size {},{} noenhanced font 'sans-serif,11' fontscale 1.7 linewidth 2 pointscale 2 "
                  "background rgb 'white'",
                  2 * figure.width, 2 * figure.height),
      figure.commands);
}

std::string gnuplot_svg(std::string_view commands, int width, int height, std::string_view id, std::string_view title) {
  std::string svg =
      run_gnuplot(fmt::format("svg size {},{} dynamic noenhanced font 'sans-serif,11'", width, height), commands);
  svg.erase(0, svg.find("<svg"));
  const std::size_t from = svg.find("<title>");
  const std::size_t to = svg.find("</desc>");
  if (from != std::string::npos && to != std::string::npos) {
    svg.replace(from, to + 7 - from, fmt::format("<title>{}</title>", escape_html(title)));
  }
  svg.insert(4, fmt::format(" class=\"figure\" role=\"img\" style=\"--natural: {}px\"", width));
  for (const char* quote : {"'", "\""}) {
    replace_all(svg, fmt::format("id={}", quote), fmt::format("id={}{}-", quote, id));
    replace_all(svg, fmt::format("href={}#", quote), fmt::format("href={}#{}-", quote, id));
    for (const char* attribute : {"stroke", "fill", "color"}) {
      replace_all(svg, fmt::format(" {0}={1}black{1}", attribute, quote),
                  fmt::format(" {0}={1}currentColor{1}", attribute, quote));
    }
  }
  for (const char* black : {"rgb(0,0,0)", "rgb(  0,   0,   0)"}) replace_all(svg, black, "currentColor");
  // color="currentColor" refers to the colour outside, which is what is wanted.
  return svg;
}

std::string figure_html(const Figure& figure, std::string_view id) {
  if (figure.commands.empty()) return "";
  std::string svg;
  std::string problem;
  try {
    svg = gnuplot_svg(figure.commands, figure.width, figure.height, id, figure.title + ": " + figure.name);
  } catch (const IoError& error) {
    problem = error.what();
  }
  static const Template page("figure.html", asset("figure.html"), escape_html);
  return page.render(
      Value::Table{{"title", figure.title}, {"detail", figure.detail}, {"svg", svg}, {"problem", problem}});
}

}  // namespace onmanifold
