// SPDX-License-Identifier: Apache-2.0
#include "tests/support/synthetic_results.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include <fmt/format.h>

#include "core/random/stream.hpp"
#include "results/old_files.hpp"

namespace onmanifold {
namespace {

struct SyntheticArm {
  const char* method;
  const char* lift;
  double sigma;
  double error;   ///< how far the invented numbers are from perfect
  double spread;  ///< how far its samples are from the manifold
};

const std::vector<SyntheticArm>& arms() {
  static const std::vector<SyntheticArm> all = {{"oracle", "none", 0.0, 0.0, 0.0},
                                                {"exact_score", "none", 0.0, 0.004, 0.01},
                                                {"exact_score", "isotropic-0.1", 0.1, 0.03, 0.06},
                                                {"exact_score", "normal-0.1", 0.1, 0.004, 0.06},
                                                {"ddpm", "none", 0.0, 0.07, 0.05},
                                                {"ddpm", "isotropic-0.1", 0.1, 0.05, 0.1},
                                                {"ddpm", "normal-0.1", 0.1, 0.03, 0.09},
                                                {"gaussian", "none", 0.0, 0.4, 0.4},
                                                {"memorizer", "none", 0.0, 0.001, 0.0}};
  return all;
}

enum class Shape { plane, sphere, mesh };

// By coordinates: GCC 12 sees array bounds broken where a fixed vector is assigned to a column with AVX-512.
void set_torus(Points& points, Index i, double u, double v) {
  const double r = 1.0 + 0.4 * std::cos(v);
  points(0, i) = r * std::cos(u);
  points(1, i) = 0.4 * std::sin(v);
  points(2, i) = r * std::sin(u);
}

Points project(const Points& raw, Shape shape) {
  Points result = raw;
  if (shape == Shape::plane) {
    Points normal(3, 1);
    normal << 1.0, 2.0, 3.0;
    normal /= std::sqrt(14.0);
    result -= normal * (normal.transpose() * raw);
  }
  if (shape == Shape::sphere) result = raw.colwise().normalized();
  if (shape == Shape::mesh) {
    for (Index i = 0; i < raw.cols(); ++i) {
      const double u = std::atan2(raw(2, i), raw(0, i));
      set_torus(result, i, u, std::atan2(raw(1, i), std::hypot(raw(0, i), raw(2, i)) - 1.0));
    }
  }
  return result;
}

Points draw(Shape shape, Index n, double spread, Stream stream) {
  Points points = stream.at("law").normal(3, n);
  if (shape == Shape::sphere) points.row(1).array() += 1.5;
  if (shape == Shape::mesh) {
    const Points angles = stream.at("law").uniform(2, n);
    for (Index i = 0; i < n; ++i) {
      set_torus(points, i, 2.0 * std::numbers::pi * angles(0, i) * angles(0, i), 2.0 * std::numbers::pi * angles(1, i));
    }
  }
  points = project(points, shape);
  if (spread > 0.0) points += spread * stream.at("noise").normal(3, n);
  return points;
}

MetricRecord record(const char* name, const char* direction, double value, double null, double null_sd,
                    const char* parameters, Index n) {
  MetricRecord r;
  r.name = name;
  r.direction = parse_direction(direction);
  r.value = value;
  r.null = null;
  r.null_sd = null_sd;
  r.parameters = parameters;
  r.n_samples = n;
  r.n_reference = n;
  return r;
}

std::vector<MetricRecord> metrics(const SyntheticArm& arm, Index n, bool projected, Stream stream) {
  // Six numbers of size about one, always the same for a seed and arm.
  const Points z = stream.normal(6, 1);
  std::vector<MetricRecord> records;
  records.push_back(record("tvd", "lower", std::hypot(0.0213, arm.error) + 0.001 * z(0), 0.0213, 0.001,
                           R"({"bins":288,"partition":"equal-area 12×24"})", n));
  records.back().n_reference = 0;
  records.push_back(
      record("coverage", "higher", 0.969 - 0.5 * arm.error + 0.002 * z(1), 0.96875, 0.0018, R"({"k":5})", n));
  records.push_back(
      record("mmd2_rbf_unbiased", "lower", arm.error * arm.error + 1e-4 * z(2), 0.0, 1e-4, R"({"sigma":1.0})", n));
  if (!projected) {
    records.push_back(record("constraint_mean", "lower", arm.spread * (0.8 + 0.02 * z(3)), 0.0, 0.0, "{}", n));
    records.back().unit = "length";
    records.push_back(record("projection_distance", "lower", arm.spread * (0.8 + 0.02 * z(3)), 0.0, 0.0, "{}", n));
    records.back().unit = "length";
  }
  const bool copies = std::string(arm.method) == "memorizer";
  records.push_back(
      record("train_copy_rate", "target", copies ? 1.0 : 0.01 + 0.001 * z(4), 0.01, 0.0014, R"({"p":0.01})", n));
  records.back().target = 0.01;
  records.push_back(
      record("js_divergence", "lower", 0.002 + arm.error / 10.0 + 1e-4 * z(5), 0.0021, 1e-4, R"({"bins":288})", n));
  records.back().unit = "nats";
  return records;
}

void write_task(const std::string& directory, const std::string& name, Shape shape, const SyntheticResults& options) {
  const Stream root(7, name);
  TaskFile task;
  task.name = name;
  task.description = shape == Shape::plane    ? "Gaussian on the plane x + 2y + 3z = 0 <made up>"
                     : shape == Shape::sphere ? "Normalised shifted Gaussian on the unit sphere (made up)"
                                              : "Uneven law on a torus mesh (made up)";
  task.manifold_spec = shape == Shape::plane    ? "plane:normal=1:2:3,offset=0"
                       : shape == Shape::sphere ? "sphere:dim=2,radius=1"
                                                : "mesh:path=torus.off";
  task.reference = draw(shape, options.reference, 0.0, root.at("reference"));
  if (shape == Shape::mesh) {
    const int r = options.mesh_resolution;
    task.mesh_vertices.resize(3, r * r);
    task.mesh_faces.resize(3, 2 * r * r);
    for (int i = 0; i < r; ++i) {
      for (int k = 0; k < r; ++k) {
        const int here = i * r + k;
        set_torus(task.mesh_vertices, here, 2.0 * std::numbers::pi * i / r, 2.0 * std::numbers::pi * k / r);
        const int right = ((i + 1) % r) * r + k;
        const int above = i * r + (k + 1) % r;
        const int across = ((i + 1) % r) * r + (k + 1) % r;
        task.mesh_faces.col(2 * here) << here, above, right;
        task.mesh_faces.col(2 * here + 1) << right, above, across;
      }
    }
  }
  task.details = Value::Table{{"suite", "quick"},
                              {"seeds", options.seeds},
                              {"n_train", static_cast<std::int64_t>(options.samples)},
                              {"n_samples", static_cast<std::int64_t>(options.samples)},
                              {"n_reference", static_cast<std::int64_t>(options.reference)},
                              {"s_min", 0.01},
                              {"preregistered_sigma", 0.1},
                              {"scale", 0.8}};
  write_task_file(fmt::format("{}/{}/task.h5", directory, name), task);

  for (const SyntheticArm& arm : arms()) {
    for (int seed = 0; seed < options.seeds; ++seed) {
      const CellKey key{.task = name, .method = arm.method, .lift = arm.lift, .seed = seed};
      const Stream stream = root.at(key.text());
      RawCell cell;
      cell.config =
          Value::Table{{"method", arm.method}, {"lift", Value::Table{{"name", arm.lift}, {"sigma", arm.sigma}}}};
      const std::string lift(arm.lift);
      cell.method = method_of_old_file(Value::Table{{"method", Value::Table{{"type", arm.method}}},
                                                    {"lift", Value::Table{{"type", lift.substr(0, lift.find('-'))}}}});
      cell.sample_hash = std::string(64, 'a');
      cell.provenance = Value::Table{{"version", "0.1.0"},
                                     {"git", Value::Table{{"commit", "0123456789abcdef"}, {"dirty", false}}},
                                     {"cpu", "Example CPU <4 cores>"},
                                     {"command", Value::Array{"onmanifold", "run", "quick"}},
                                     {"time_utc", fmt::format("2026-01-0{}T12:00:00Z", seed % 9 + 1)}};
      cell.timing = {{"train_s", 1.5}, {"sample_s", 0.5}};
      if (options.failed_cell && shape == Shape::sphere && std::string(arm.method) == "ddpm" &&
          std::string(arm.lift) == "none" && seed == 1) {
        cell.status = {CellState::diverged, synthetic_failure};
        write_raw_cell(key.raw_path(directory), cell);
        continue;
      }
      cell.raw = draw(shape, options.samples, arm.spread, stream.at("points"));
      cell.projected = project(cell.raw, shape);
      cell.projection_distance = (cell.raw - cell.projected).colwise().norm().transpose();
      cell.projection_converged = Eigen::Array<bool, Eigen::Dynamic, 1>::Constant(options.samples, true);
      if (std::string(arm.method) == "ddpm") {
        Vector loss(50);
        Stream noise = stream.at("loss");
        for (Index i = 0; i < loss.size(); ++i) {
          loss(i) = 0.3 + std::exp(-0.1 * static_cast<double>(i)) + 0.02 * noise.uniform();
        }
        cell.training = {{"loss", loss}, {"step", Vector::LinSpaced(50, 100.0, 5000.0)}};
      }
      write_raw_cell(key.raw_path(directory), cell);
      if (options.missing_metrics && shape == Shape::mesh && std::string(arm.lift) == "isotropic-0.1" &&
          std::string(arm.method) == "ddpm" && seed == 2) {
        continue;
      }
      MetricsCell derived;
      derived.metric_hash = std::string(64, 'b');
      derived.raw_digest = raw_digest(cell);
      derived.config = Value::Table{};
      derived.raw = metrics(arm, options.samples, false, stream.at("raw metrics"));
      derived.projected = metrics(arm, options.samples, true, stream.at("projected metrics"));
      write_metrics_cell(key.metrics_path(directory), derived);
    }
  }
}

}  // namespace

void write_synthetic_results(const std::string& directory, const SyntheticResults& options) {
  write_task(directory, "synthetic-plane", Shape::plane, options);
  write_task(directory, "synthetic-sphere", Shape::sphere, options);
  write_task(directory, "synthetic-mesh", Shape::mesh, options);
}

}  // namespace onmanifold
