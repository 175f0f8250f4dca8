// SPDX-License-Identifier: Apache-2.0
#include "tests/support/report_fixture.hpp"

#include <string>

#include "results/old_files.hpp"

namespace onmanifold {
namespace {

struct MadeArm {
  const char* method;
  const char* lift;
  const char* lift_type;
  double sigma;
  double error;   ///< above the null value of tvd
  double spread;  ///< over seeds
};

MetricRecord record(const char* name, double value, double null, double null_sd, const char* direction,
                    const char* parameters) {
  MetricRecord made;
  made.name = name;
  made.value = value;
  made.null = null;
  made.null_sd = null_sd;
  made.direction = parse_direction(direction);
  made.parameters = parameters;
  made.n_samples = 10000;
  made.n_reference = 10000;
  return made;
}

// A third of the way from one seed to the next, and not the same for all arms.
double wobble(int seed, std::size_t arm) {
  static const double steps[] = {-0.9, 0.3, 1.1, -0.4, 0.6};
  return steps[(static_cast<std::size_t>(seed) + arm) % 5];
}

TaskResult made_task(const std::string& name, const std::vector<MadeArm>& arms, double scale) {
  TaskResult task;
  task.name = name;
  task.file = TaskFile{};
  task.file->name = name;
  task.file->description = "A law of 5 % & more <on> a_surface | x^2 # {1}, σ ≤ 1 – “made up”";
  task.file->details =
      Value::Table{{"suite", "golden_suite"}, {"n_train", 1000}, {"n_samples", 10000}, {"n_reference", 10000},
                   {"s_min", 0.01},           {"scale", 2.0},    {"reach", 0.5},       {"dimension", 2.0},
                   {"ambient_dimension", 3.0}};
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const MadeArm& arm = arms[a];
    for (int seed = 0; seed < 5; ++seed) {
      CellResult cell;
      cell.key = {.task = name, .method = arm.method, .lift = arm.lift, .seed = seed};
      cell.head.config = Value::Table{{"method", Value::Table{{"type", arm.method}}},
                                      {"lift", Value::Table{{"type", arm.lift_type}, {"sigma", arm.sigma}}}};
      cell.head.method = method_of_old_file(cell.head.config);
      if (std::string(arm.method) == "flow_matching" && name == "plane-x" && seed == 3) {
        cell.head.status = {CellState::failed,
                            "loss is not finite at step 120 <script>alert(\"a|b\")</script> \\end{document} 5%"};
        cell.problem = "failed: " + cell.head.status.message;
        task.cells.push_back(cell);
        continue;
      }
      cell.has_metrics = true;
      const double error = scale * (arm.error + arm.spread * wobble(seed, a));
      cell.projected = {
          record("tvd", 0.02 + error, 0.02, 0.001, "lower", R"({"bins":288,"grid":"equal area"})"),
          record("coverage", 0.96875 - error, 0.96875, 0.0025, "higher", R"({"k":5})"),
          record("mmd2_rbf_unbiased", (error - 0.012) / 64, 0, 0.00011, "lower", R"({"bandwidth":"median"})")};
      cell.raw = {record("constraint_mean", arm.error == 0 ? 2.7e-16 : arm.error / 8, 2.7e-16, 1.1e-18, "lower", "")};
      MetricRecord copies = record("train_copy_rate", 0.01 - error / 128, 0.01, 0.0026, "target", R"({"p":0.01})");
      copies.target = 0.01;
      cell.raw.push_back(copies);
      if (std::string(arm.method) == "ddpm") {
        DiagnosticRecord norm;
        norm.numbers["slope"] = Vector::Constant(1, -1.0 + error);
        norm.numbers["plateau"] = Vector::Constant(1, 3.0 + 10 * error);
        cell.head.diagnostics.emplace("score_norm", norm);
      }
      task.cells.push_back(cell);
    }
  }
  return task;
}

}  // namespace

ResultSet report_fixture() {
  const std::vector<MadeArm> arms = {
      {"ddpm", "none", "none", 0, 0.08, 0.008},         {"ddpm", "isotropic", "isotropic", 0.1, 0.06, 0.004},
      {"ddpm", "normal", "normal", 0.1, 0.03, 0.004},   {"flow_matching", "none", "none", 0, 0.07, 0.008},
      {"exact_score", "none", "none", 0, 0.002, 0.001}, {"gaussian", "none", "none", 0, 0.4, 0.004},
      {"oracle", "none", "none", 0, 0, 0.001}};
  ResultSet results;
  results.directory = "results";
  results.tasks = {made_task("plane-x", arms, 1.0), made_task("sphere_y", arms, 0.5)};
  MetricsCell cell;  // what a reader says of metrics
  cell.raw = results.tasks[0].cells[0].raw;
  cell.projected = results.tasks[0].cells[0].projected;
  add_old_metrics(cell);
  results.metrics = cell.metrics;
  return results;
}

}  // namespace onmanifold
