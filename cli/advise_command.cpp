// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/point_files.hpp"
#include "core/math/statistics.hpp"
#include "diagnostics/lift_geometry.hpp"
#include "manifolds/registry.hpp"
#include "suite/score.hpp"

namespace onmanifold {
namespace {

struct AdviseArguments {
  std::string task;           ///< name of a task, or name(settings); empty: train is used
  std::string train;          ///< file of clean points, N×D as NumPy sees it; only without task
  std::string manifold;       ///< specification; only with train
  long points = 10000;        ///< at most
  double smallest_noise = 0;  ///< s_min in standardised units; 0: the task's, or .01
  double effect = 0;          ///< mean paired difference to find; 0: none
  double sd = 0;              ///< its spread over seeds
  std::string json;           ///< file for the JSON, "-" for stdout instead of the table, empty for none
};

/// Of the rule where there is no reach: so many draws may not come back.
constexpr double most_lost = 0.1;
/// A lift is seen by a model whose smallest noise is a third of it.
constexpr double visible = 3;
constexpr int claims_in_a_report = 27;

/// What is asked about, from a task or from a file.
struct Subject {
  std::string name;
  std::shared_ptr<const Manifold> manifold;
  Points points;
  std::vector<double> grid;
  double preregistered = 0;
  double smallest_noise = 0.01;  // standardised units
};

/// Root of the mean variance over the coordinates: the unit of noise levels.
double spread(const Points& points) {
  const Points centred = points.colwise() - points.rowwise().mean();
  const double square = centred.squaredNorm() / static_cast<double>(points.size());
  return square > 0 ? std::sqrt(square) : 1;
}

/// \p points where they lie on \p manifold up to rounding. \throw InvalidInput naming the worst row.
Points on_manifold(const Manifold& manifold, const Points& points, const std::string& file) {
  if (points.rows() != manifold.ambient_dimension()) {
    throw InvalidInput(fmt::format("{}: {} numbers a row, {} needs {}", file, points.rows(), manifold.spec(),
                                   manifold.ambient_dimension()));
  }
  if (points.cols() < 2 || !points.allFinite()) {
    throw InvalidInput(fmt::format("{}: needs two rows or more, all finite", file));
  }
  Projection foot = manifold.project(points);
  Index worst = 0;
  const double distance = (foot.points - points).colwise().norm().maxCoeff(&worst);
  if (!(distance <= 1e-5 * manifold.scale())) {
    throw InvalidInput(fmt::format("{}: row {} is {:.3g} away from {}; advice needs clean points on it", file,
                                   worst + 1, distance, manifold.spec()));
  }
  return std::move(foot.points);
}

Subject subject_of(const AdviseArguments& arguments) {
  if (arguments.task.empty() == arguments.train.empty()) {
    throw InvalidInput("advise: needs --task, or --train with --manifold");
  }
  Subject subject;
  if (!arguments.task.empty()) {
    if (!arguments.manifold.empty()) throw InvalidInput("advise: --manifold goes with --train, not with --task");
    const Task task = task_from_text(arguments.task);
    subject.name = task.name;
    subject.manifold = task.manifold;
    subject.points = sample_training(task, arguments.points, training_stream(task, 0, 0));
    subject.grid = task.sigma_grid;
    subject.preregistered = task.preregistered_sigma;
    subject.smallest_noise = task.smallest_noise;
  } else {
    if (arguments.manifold.empty()) throw InvalidInput("advise: --train needs --manifold");
    subject.name = arguments.train;
    subject.manifold = make_manifold(arguments.manifold);
    const Points all = read_points(arguments.train);
    const Index n = std::min<Index>(arguments.points, all.cols());
    subject.points = on_manifold(*subject.manifold, all.leftCols(n), arguments.train);
  }
  if (arguments.smallest_noise > 0) subject.smallest_noise = arguments.smallest_noise;
  if (subject.manifold->codimension() == 0) {
    throw InvalidInput(fmt::format("advise: {} has no normals to lift along", subject.manifold->spec()));
  }
  return subject;
}

/// Seeds with which a one-sided sign-flip test at \p alpha finds a mean difference of 1 with spread \p sd in
/// 80 of 100 runs; 0: more than 10,000. Normal approximation with Guenther's term for small n; with n signs
/// no p is below 2^-n.
int seeds_needed(double sd, double alpha) {
  const double z = normal_quantile(1 - alpha);
  const double sum = z + normal_quantile(0.8);
  const double n = std::max(std::ceil(sum * sum * sd * sd + z * z / 2), std::ceil(-std::log2(alpha) - 1e-9));
  return n <= 10000 ? static_cast<int>(n) : 0;
}

/// JSON has no infinity: as score writes it.
Value json_number(double value) {
  return std::isinf(value) ? Value("inf") : Value(value);
}

std::string number(double value) {
  return std::isinf(value) ? "inf" : fmt::format("{:.4g}", value);
}

int advise_command(const AdviseArguments& arguments) {
  if ((arguments.effect > 0) != (arguments.sd > 0)) throw InvalidInput("advise: --effect and --sd go together");
  const Subject subject = subject_of(arguments);
  const Manifold& manifold = *subject.manifold;
  const double reach = manifold.reach();
  const double deviation = spread(subject.points);
  const double s_min = subject.smallest_noise * deviation;
  const double smallest_visible = visible * s_min;
  const double rule = 0.1 * std::min(reach, deviation);
  std::vector<double> grid = subject.grid;
  if (grid.empty()) {
    for (const double multiple : {0.1, 0.3, 1.0, 3.0, 10.0}) {
      grid.push_back(multiple * (rule > 0 ? rule : 0.01 * deviation));
    }
  }
  const double first_choice = subject.preregistered > 0 ? subject.preregistered : rule;
  if (first_choice > 0) grid.push_back(first_choice);
  std::sort(grid.begin(), grid.end());
  grid.erase(std::unique(grid.begin(), grid.end(), [](double a, double b) { return b - a <= 1e-9 * b; }), grid.end());
  const Eigen::Map<const Vector> sigmas(grid.data(), static_cast<Index>(grid.size()));
  const std::vector<LiftGeometryLevel> levels =
      lift_geometry(manifold, subject.points, sigmas, {}, Stream(0, "advise"));
  double recommended = first_choice;
  std::string why = "0.1 min(reach, spread of the data), the rule of the tasks";
  if (subject.preregistered > 0) {
    why = "the task's pre-registered level";
  } else if (!(rule > 0)) {
    why = "no reach: the largest level of which at most a tenth do not come back";
    for (const LiftGeometryLevel& level : levels) {
      if (level.rate_interval.high <= most_lost) recommended = level.sigma;
    }
  }
  const bool seen = recommended >= smallest_visible;
  const double in_units = arguments.effect > 0 ? arguments.sd / arguments.effect : 0;
  const int seeds = arguments.effect > 0 ? seeds_needed(in_units, 0.05) : 0;
  const int seeds_of_family = arguments.effect > 0 ? seeds_needed(in_units, 0.05 / claims_in_a_report) : 0;

  if (!arguments.json.empty()) {
    Value::Array rows;
    for (const LiftGeometryLevel& level : levels) {
      rows.push_back(Value(Value::Table{{"sigma", level.sigma},
                                        {"sigma_over_reach", json_number(level.sigma / reach)},
                                        {"sigma_over_s_min", level.sigma / s_min},
                                        {"lost", level.rate},
                                        {"lost_low", level.rate_interval.low},
                                        {"lost_high", level.rate_interval.high},
                                        {"bound", level.bound},
                                        {"draws", static_cast<std::int64_t>(level.draws)}}));
    }
    Value::Table table{{"name", subject.name},
                       {"manifold", manifold.spec()},
                       {"n", static_cast<std::int64_t>(subject.points.cols())},
                       {"reach", json_number(reach)},
                       {"spread", deviation},
                       {"s_min", s_min},
                       {"smallest_visible_lift", smallest_visible},
                       {"recommended_sigma", recommended},
                       {"rule", why},
                       {"visible", seen},
                       {"levels", rows}};
    if (arguments.effect > 0) {
      table.insert({{"seeds", seeds}, {"seeds_of_27_claims", seeds_of_family}});
    }
    const std::string text = to_pretty_json(Value(table)) + "\n";
    if (arguments.json == "-") {
      fmt::print("{}", text);
      return exit_ok;
    }
    write_file(arguments.json, text);
  }

  fmt::print("{}: {} points on {} (d = {}, D = {})\n", subject.name, subject.points.cols(), manifold.spec(),
             manifold.dimension(), manifold.ambient_dimension());
  fmt::print("reach {}, spread of the data {}, smallest noise of the models s_min {}\n\n", number(reach),
             number(deviation), number(s_min));
  fmt::print("{:>10} {:>12} {:>12} {:>10}  {:<22} {:>8}\n", "sigma", "sigma/reach", "sigma/s_min", "lost",
             "99 % interval", "bound");
  for (const LiftGeometryLevel& level : levels) {
    fmt::print("{:>10} {:>12} {:>12} {:>10}  {:<22} {:>8}{}\n", number(level.sigma), number(level.sigma / reach),
               number(level.sigma / s_min), number(level.rate),
               fmt::format("{} to {}", number(level.rate_interval.low), number(level.rate_interval.high)),
               number(level.bound), level.sigma < smallest_visible ? "  hardly visible" : "");
  }
  fmt::print("\nlost: share of draws x + n whose nearest point is not x; bound: what the reach allows at most\n");
  fmt::print("smallest visible lift: {} = 3 s_min\n", number(smallest_visible));
  if (recommended > 0) {
    fmt::print("recommended sigma: {} ({})\n", number(recommended), why);
    if (!seen) {
      fmt::print("  it needs a smaller s_min to be seen: at most {} (standardised {})\n", number(recommended / visible),
                 number(recommended / visible / deviation));
    }
  } else {
    fmt::print("recommended sigma: none; at every level tried more than a tenth do not come back\n");
  }
  if (arguments.effect > 0) {
    const auto text = [](int n) { return n > 0 ? fmt::format("{}", n) : std::string("more than 10000"); };
    fmt::print(
        "seeds for a paired effect of {} with spread {}: {} for one comparison, {} among 27 claims\n"
        "  (one-sided exact sign-flip test at 5 %, power 80 %)\n",
        number(arguments.effect), number(arguments.sd), text(seeds), text(seeds_of_family));
  }
  return exit_ok;
}

}  // namespace

void add_advise_command(CommandLine& line) {
  const auto advise = std::make_shared<AdviseArguments>();
  Command command =
      line.add("advise", "Say how much lift a task or your own data bear, and how many seeds an effect needs");
  command.option("--task", advise->task, "Name of a task, or NAME(key=value,...) with settings");
  command.option("--train,--data", advise->train, "FILE of clean points: .npy, .csv or .h5[:dataset], one a row");
  command.option("--manifold", advise->manifold, "Manifold of these points, e.g. sphere:dim=2,radius=1");
  command.option("-n,--points", advise->points, "Use at most so many points",
                 {.show_default = true, .range = {{2, 10'000'000}}});
  command.option("--s-min", advise->smallest_noise,
                 "Smallest noise level of the models, in units of the data's spread (default: the task's, or 0.01)",
                 {.positive = true});
  command.option("--effect", advise->effect, "Mean paired difference of a metric that should be found",
                 {.positive = true});
  command.option("--sd", advise->sd, "Spread of that difference over seeds", {.positive = true});
  command.option("--json", advise->json, "Also write the result as JSON to FILE; '-' prints it instead of the table");
  command.footer(
      "Recommended is the task's pre-registered level; for other data a tenth of the reach or of the data's spread,\n"
      "whichever is less; without a reach, the largest level tried of which at most a tenth do not come back.\n\n"
      "Examples:\n"
      "  onmanifold advise --task bunny-eigen\n"
      "  onmanifold advise --train mine.npy --manifold sphere:dim=2,radius=1 --effect 0.01 --sd 0.02");
  command.action([advise] { return advise_command(*advise); });
}

}  // namespace onmanifold
