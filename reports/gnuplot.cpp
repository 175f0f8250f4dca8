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
#include "reports/text_format.hpp"

extern char** environ;  // NOLINT: POSIX

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

// Okabe and Ito's colours for all kinds of colour vision, as they are or a little darker or lighter so that
// they show on white and on near-black.
constexpr std::array<std::string_view, 7> palette = {"#2f8fd0", "#e08a00", "#12a07a", "#d0569a",
                                                     "#d9622b", "#8a7fd6", "#7a8a99"};

// A directory that goes with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (fs::temp_directory_path() / "onmanifold-figure-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      throw IoError(
          fmt::format("{}: cannot create a temporary directory: {}", pattern, std::strerror(errno)));
    }
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

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

// Ticks at 1, 2 and 5 times the powers of ten, over two decades at the powers: a logarithmic axis of gnuplot
// labels the powers only.
std::string logarithmic_ticks(double low, double high) {
  std::string ticks;
  // Over many decades the labels of 2 and 5 would run into each other.
  const bool wide = high > 100.0 * low;
  for (int exponent = static_cast<int>(std::floor(std::log10(low))); exponent <= std::log10(high);
       ++exponent) {
    for (const int digit : {1, 2, 5}) {
      const double tick = digit * std::pow(10.0, exponent);
      if (tick < low || tick > high || (wide && digit != 1)) continue;
      ticks += fmt::format("{}'{:.1g}' {}", ticks.empty() ? "" : ", ", tick, tick);
    }
  }
  return ticks;
}

}  // namespace

// In single quotes, where only the quote itself is special.
std::string gnuplot_string(std::string_view text) {
  std::string result = plain_text(text);
  replace_all(result, "'", "''");
  return "'" + result + "'";
}

std::string gnuplot_svg(std::string_view commands, int width, int height, std::string_view id,
                        std::string_view title) {
  const TemporaryDirectory directory;
  const std::string script_path = directory.file("figure.gp");
  const std::string output_path = directory.file("figure.svg");
  const std::string errors_path = directory.file("errors.txt");
  {
    std::ofstream script(script_path);
    script << fmt::format(
        "set encoding utf8\nset terminal svg size {},{} dynamic noenhanced font 'sans-serif,11'\n"
        "set output {}\n{}",
        width, height, gnuplot_string(output_path), commands);
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
  std::string svg = read_text(output_path);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || svg.find("</svg>") == std::string::npos) {
    throw IoError(fmt::format("gnuplot failed: {}", plain_text(read_text(errors_path))));
  }
  svg.erase(0, svg.find("<svg"));
  const std::size_t from = svg.find("<title>");
  const std::size_t to = svg.find("</desc>");
  if (from != std::string::npos && to != std::string::npos) {
    svg.replace(from, to + 7 - from, fmt::format("<title>{}</title>", escape_html(title)));
  }
  svg.insert(4, " class=\"figure\" role=\"img\"");
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

std::string dot_plot_svg(const TaskSummary& summary, const MetricColumn& column, std::size_t index,
                         std::string_view id) {
  std::string ticks;
  std::string dots;
  std::string means;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  const auto arms = static_cast<int>(summary.arms.size());
  const auto cover = [&](double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (int a = 0; a < arms; ++a) {
    const Arm& arm = summary.arms[static_cast<std::size_t>(a)];
    const Summary& entry = summary.table[static_cast<std::size_t>(a)][index];
    const int y = arms - 1 - a;
    const bool lifted = arm.role == ArmRole::learner || arm.lift != "none";
    const std::string label = lifted ? arm.method + " " + arm.lift : arm.method;
    ticks += fmt::format("{}{} {}", a == 0 ? "" : ", ", gnuplot_string(label), y);
    for (const auto& [seed, value] : entry.values) {
      if (!std::isfinite(value)) continue;
      dots += fmt::format("{} {} {}\n", value, y, arm.role == ArmRole::learner ? 0 : 1);
      cover(value);
    }
    if (std::isfinite(entry.mean)) means += fmt::format("{} {}\n", entry.mean, y);
  }
  if (dots.empty()) return "";
  const bool has_band = std::isfinite(column.null) && std::isfinite(column.null_sd);
  const double band_low = column.null - 2.0 * column.null_sd;
  const double band_high = column.null + 2.0 * column.null_sd;
  if (has_band) {
    cover(band_low);
    cover(band_high);
  }
  const bool logarithmic = low > 0.0 && high > 8.0 * low;
  const double margin = logarithmic ? 0.0 : 0.06 * std::max(high - low, 1e-12);
  const double left = logarithmic ? low / 1.15 : low - margin;
  const double right = logarithmic ? high * 1.15 : high + margin;
  std::string commands = fmt::format(
      "$dots << EOD\n{}EOD\n$means << EOD\n{}EOD\n"
      "set border 1 lc rgb '#8a929c'\nset tics scale 0.4 textcolor rgb 'black'\nunset key\n{}"
      "set xrange [{}:{}]\nset yrange [-0.6:{}]\nset ytics ({}) nomirror scale 0\n"
      "set grid ytics lc rgb '#8a929c' lw 0.3 dt 3\nset xlabel {}\n",
      dots, means,
      logarithmic ? fmt::format("set logscale x\nset xtics ({}) nomirror\n", logarithmic_ticks(left, right))
                  : std::string("set xtics nomirror\n"),
      left, right, arms - 0.4, ticks,
      gnuplot_string(fmt::format("{} ({}) {}", column.name, to_string(column.samples),
                                 direction_arrow(column.direction, column.target))));
  if (has_band) {
    commands += fmt::format(
        "set object 1 rectangle from {},-0.6 to {},{} fs transparent solid 0.22 noborder fc rgb '#12a07a' "
        "behind\n",
        band_low, band_high, arms - 0.4);
  }
  commands += fmt::format(
      "plot $means using 1:2 with points pt 2 ps 1.1 lw 1.6 lc rgb 'black', "
      "$dots using 1:($3==0?$2:NaN) with points pt 7 ps 0.55 lc rgb '{}', "
      "$dots using 1:($3==1?$2:NaN) with points pt 7 ps 0.55 lc rgb '{}'\n",
      palette[0], palette[6]);
  return gnuplot_svg(commands, 640, 80 + 26 * arms, id, fmt::format("{} of every seed, by arm", column.name));
}

std::string rank_svg(const Ranking& ranking, std::string_view id) {
  const auto arms = static_cast<int>(ranking.arms.size());
  if (arms < 2) return "";
  std::string data;
  std::string ticks;
  double most = 0.0;
  for (int a = 0; a < arms; ++a) {
    const RankedArm& arm = ranking.arms[static_cast<std::size_t>(a)];
    const bool known = std::isfinite(arm.interval.low) && std::isfinite(arm.interval.high);
    data += fmt::format("{} {} {} {}\n", arm.mean_rank, arms - 1 - a,
                        known ? arm.interval.low : arm.mean_rank, known ? arm.interval.high : arm.mean_rank);
    ticks += fmt::format("{}{} {}", a == 0 ? "" : ", ",
                         gnuplot_string(arm.lift == "none" ? arm.method : arm.method + " " + arm.lift),
                         arms - 1 - a);
    most = std::max({most, arm.mean_rank, known ? arm.interval.high : 0.0});
  }
  // Each group is a bar of its own, right of the ranks.
  const double step = 0.035 * most;
  std::string bars;
  int number = 0;
  for (const auto& [first, last] : ranking.groups) {
    if (last <= first) continue;
    ++number;
    const double x = most + step * (number + 1);
    bars += fmt::format("set arrow {} from {},{} to {},{} nohead lw 4 lc rgb '{}'\n", number, x,
                        arms - 1 - first + 0.2, x, arms - 1 - last - 0.2, palette[6]);
  }
  // The critical difference as a length, above the best.
  std::string scale;
  const bool has_cd = std::isfinite(ranking.cd) && ranking.cd < most;
  if (has_cd) {
    scale = fmt::format(
        "set arrow {0} from 1,{1} to {2},{1} heads size screen 0.006,90 lw 1.6 lc rgb 'black'\n"
        "set label 1 'critical difference' at {2},{1} offset 0.8,0\n",
        number + 1, arms - 0.1, 1.0 + ranking.cd);
  }
  return gnuplot_svg(
      fmt::format(
          "$ranks << EOD\n{}EOD\n{}{}set border 1 lc rgb '#8a929c'\nset tics scale 0.4 textcolor rgb "
          "'black'\nunset key\n"
          "set xrange [0.8:{}]\nset yrange [-0.6:{}]\nset ytics ({}) nomirror scale 0\nset xtics 1,{},{} nomirror\n"
          "set grid ytics lc rgb '#8a929c' lw 0.3 dt 3\nset xlabel 'mean rank (1 is best)'\n"
          "plot $ranks using 1:2:3:4 with xerrorbars pt 7 ps 0.7 lw 1.4 lc rgb '{}'\n",
          data, bars, scale, most + step * (number + 2), arms - (has_cd ? -0.4 : 0.4), ticks, 1 + arms / 12, arms,
          palette[0]),
      640, 90 + 24 * arms, id, "Mean rank of every arm over tasks and seeds");
}

std::string curves_svg(const std::vector<Curve>& curves, std::string_view x_label, std::string_view id) {
  std::map<std::string, std::size_t> colour_of;
  std::vector<std::string> order;
  std::string data;
  std::string plots;
  bool positive = true;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const Curve& curve = curves[i];
    const bool first = colour_of.try_emplace(curve.label, colour_of.size()).second;
    data += fmt::format("$c{} << EOD\n", i);
    bool any = false;
    for (std::size_t k = 0; k < curve.y.size(); ++k) {
      if (!std::isfinite(curve.y[k])) continue;
      data += fmt::format("{} {}\n", curve.x[k], curve.y[k]);
      positive = positive && curve.y[k] > 0.0;
      any = true;
    }
    data += "EOD\n";
    if (!any) continue;
    plots += fmt::format("{}$c{} using 1:2 with lines lw 1.2 lc rgb '{}' {}", plots.empty() ? "plot " : ", ",
                         i, palette[colour_of[curve.label] % palette.size()],
                         first ? "title " + gnuplot_string(curve.label) : std::string("notitle"));
  }
  if (plots.empty()) return "";
  return gnuplot_svg(
      fmt::format("{}set border 3 lc rgb '#8a929c'\nset tics nomirror scale 0.4 textcolor rgb 'black'\n{}"
                  "set grid ytics lc rgb '#8a929c' lw 0.3 dt 3\nset xlabel {}\nset ylabel 'training loss'\n"
                  "set key above\n{}\n",
                  data, positive ? "set logscale y\n" : "", gnuplot_string(x_label), plots),
      640, 300, id, "Training loss of every seed, by arm");
}

}  // namespace onmanifold
