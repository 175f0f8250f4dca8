// SPDX-License-Identifier: Apache-2.0
#include "results/cell_files.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/files/sha256.hpp"
#include "core/settings.hpp"
#include "results/old_files.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

// What a file says it is: root attribute `kind`.
constexpr const char* raw_kind = "raw";
constexpr const char* metrics_kind = "metrics";
constexpr const char* task_kind = "task";
constexpr const char* plan_kind = "plan";

void begin(Hdf5Writer& file, const char* kind) {
  file.set_attribute("/", "schema_version", std::int64_t{schema_version});
  file.set_attribute("/", "kind", std::string_view(kind));
}

void check_kind(const Hdf5Reader& file, std::string_view kind) {
  if (!file.has_attribute("/", "schema_version") || !file.has_attribute("/", "kind")) {
    throw InvalidInput(fmt::format("{}: not a results file of onmanifold", file.path()));
  }
  const std::int64_t version = file.integer_attribute("/", "schema_version");
  if (version > schema_version) {
    throw InvalidInput(
        fmt::format("{}: has schema version {}, this program reads up to version {}: a newer onmanifold "
                    "wrote it",
                    file.path(), version, schema_version));
  }
  if (version < oldest_schema_version) {
    throw InvalidInput(fmt::format("{}: has schema version {}, this program reads from version {} on", file.path(),
                                   version, oldest_schema_version));
  }
  const std::string found = file.text_attribute("/", "kind");
  if (found != kind) throw InvalidInput(fmt::format("{}: is a {} file, expected a {} file", file.path(), found, kind));
}

Value read_json(const Hdf5Reader& file, const std::string& name) {
  return parse_json(file.text(name), file.path() + ":" + name);
}

/// What \p read gives; a complaint of it begins with the place \p where.
template <class Read>
auto in_file(const std::string& where, const Read& read) try {
  return read();
} catch (const InvalidInput& error) {
  throw InvalidInput(fmt::format("{}: {}", where, error.what()));
}

/// The settings of a cell: a table, or null where there are none.
Value read_settings(const Hdf5Reader& file) {
  Value config = read_json(file, "/config");
  if (!config.is_null() && config.get_if<Value::Table>() == nullptr) {
    throw InvalidInput(fmt::format("{}:/config: is {}, expected a table", file.path(), config.type_name()));
  }
  return config;
}

void check_length(const std::string& path, std::string_view what, Index size, Index expected) {
  if (size != 0 && size != expected) {
    throw InvalidInput(fmt::format("{}: {} has {} entries for {} samples", path, what, size, expected));
  }
}

void write_curves(Hdf5Writer& file, const std::string& group, const Curves& curves) {
  for (const auto& [name, values] : curves) file.write_vector(group + "/" + name, values);
}

Curves read_curves(const Hdf5Reader& file, const std::string& group) {
  Curves curves;
  for (const std::string& name : file.datasets(group)) curves.emplace(name, file.vector(group + "/" + name));
  return curves;
}

std::map<std::string, DiagnosticRecord> read_diagnostics(const Hdf5Reader& file, const std::string& path) {
  std::map<std::string, DiagnosticRecord> diagnostics;
  for (const std::string& name : file.datasets("/diagnostics")) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos) {
      throw InvalidInput(fmt::format("{}: /diagnostics/{} belongs to no diagnostic", path, name));
    }
    DiagnosticRecord& record = diagnostics[name.substr(0, slash)];
    const std::string entry = name.substr(slash + 1);
    if (entry == "status") {
      const std::string text = file.text("/diagnostics/" + name);
      record.status = in_file(path + ":/diagnostics/" + name, [&] { return parse_record_status(text); });
    } else {
      record.numbers.emplace(entry, file.vector("/diagnostics/" + name));
    }
  }
  return diagnostics;
}

CellStatus read_status(const Hdf5Reader& file) {
  const std::string state = file.text("/status");
  return {.state = in_file(file.path() + ":/status", [&] { return parse_named<CellState>(state); }),
          .message = file.text_attribute("/status", "message")};
}

Value method_value(const CellMethod& method) {
  Value::Array needs;
  for (const Need need : method.info.needs) needs.emplace_back(std::string(name_of(need)));
  return Value::Table{{"type", method.type},
                      {"role", std::string(name_of(method.info.role))},
                      {"place", std::string(name_of(method.info.place))},
                      {"varies", method.info.varies},
                      {"needs", std::move(needs)},
                      {"foreign", method.info.foreign},
                      {"floor", method.info.floor},
                      {"lift", std::string(name_of(method.lift))}};
}

CellMethod read_method(const Hdf5Reader& file, const Value& config) {
  if (!file.has("/method")) return method_of_old_file(config);
  const std::string where = file.path() + ":/method";
  Settings keys(read_json(file, "/method"), where);
  CellMethod method;
  method.type = keys.required_text("type");
  method.info.role = keys.choose("role", MethodRole::learner);
  method.info.place = keys.choose("place", Place::nowhere);
  method.info.varies = keys.text("varies", "");
  method.info.foreign = keys.boolean("foreign", false);
  method.info.floor = keys.boolean("floor", false);
  for (const std::string& need : keys.texts("needs", {})) {
    method.info.needs.push_back(in_file(where, [&] { return parse_named<Need>(need); }));
  }
  method.lift = keys.choose("lift", LiftType::none);
  return method;
}

// A NUL cannot be stored, and comes only from the output of others.
std::string without_nul(std::string text) {
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

void hash_array(Sha256& hash, std::string_view name, const double* data, Index rows, Index cols) {
  hash.update(fmt::format("\n{} float64 {} {}\n", name, cols, rows));
  hash.update(data, static_cast<std::size_t>(rows * cols) * sizeof(double));
}

Hdf5Table to_table(const std::vector<MetricRecord>& records) {
  std::vector<std::string> name, unit, direction, parameters, status;
  std::vector<double> value, target, null, null_sd, se, p_value;
  std::vector<std::int64_t> version, n_reference, n_samples, n_nonfinite;
  for (const MetricRecord& record : records) {
    name.push_back(without_nul(record.name));
    value.push_back(record.value);
    target.push_back(record.target);
    null.push_back(record.null);
    null_sd.push_back(record.null_sd);
    se.push_back(record.se);
    p_value.push_back(record.p_value);
    unit.push_back(without_nul(record.unit));
    direction.push_back(direction_text(record.direction));
    version.push_back(record.version);
    parameters.push_back(without_nul(record.parameters));
    n_reference.push_back(record.n_reference);
    n_samples.push_back(record.n_samples);
    n_nonfinite.push_back(record.n_nonfinite);
    status.push_back(without_nul(record.status.text()));
  }
  return {.columns = {{"name", std::move(name)},
                      {"value", std::move(value)},
                      {"target", std::move(target)},
                      {"null", std::move(null)},
                      {"null_sd", std::move(null_sd)},
                      {"se", std::move(se)},
                      {"unit", std::move(unit)},
                      {"direction", std::move(direction)},
                      {"version", std::move(version)},
                      {"parameters", std::move(parameters)},
                      {"n_reference", std::move(n_reference)},
                      {"n_samples", std::move(n_samples)},
                      {"n_nonfinite", std::move(n_nonfinite)},
                      {"status", std::move(status)},
                      {"p", std::move(p_value)}}};
}

std::vector<MetricRecord> read_records(const Hdf5Reader& file, const std::string& name) try {
  const Hdf5Table table = file.table(name);
  std::vector<MetricRecord> records(static_cast<std::size_t>(table.rows()));
  // A later addition to the records: files without it stay readable.
  const bool has_p =
      std::any_of(table.columns.begin(), table.columns.end(), [](const auto& column) { return column.first == "p"; });
  for (std::size_t i = 0; i < records.size(); ++i) {
    MetricRecord& record = records[i];
    record.name = table.texts("name")[i];
    record.value = table.numbers("value")[i];
    record.target = table.numbers("target")[i];
    record.null = table.numbers("null")[i];
    record.null_sd = table.numbers("null_sd")[i];
    record.se = table.numbers("se")[i];
    if (has_p) record.p_value = table.numbers("p")[i];
    record.unit = table.texts("unit")[i];
    record.direction = parse_direction(table.texts("direction")[i]);
    record.version = static_cast<int>(table.integers("version")[i]);
    record.parameters = table.texts("parameters")[i];
    record.n_reference = static_cast<Index>(table.integers("n_reference")[i]);
    record.n_samples = static_cast<Index>(table.integers("n_samples")[i]);
    record.n_nonfinite = static_cast<Index>(table.integers("n_nonfinite")[i]);
    record.status = parse_record_status(table.texts("status")[i]);
  }
  return records;
} catch (const InvalidInput& error) {
  const std::string prefix = file.path() + ":" + name;
  if (std::string_view(error.what()).starts_with(prefix)) throw;
  throw InvalidInput(fmt::format("{}: {}", prefix, error.what()));
}

Hdf5Table to_table(const std::map<std::string, MetricInfo>& infos) {
  std::vector<std::string> name, direction, unit, samples, definition;
  std::vector<double> lowest, highest;
  std::vector<std::int64_t> constraint;
  for (const auto& [metric, info] : infos) {
    name.push_back(without_nul(metric));
    direction.emplace_back(name_of(info.direction));
    unit.push_back(without_nul(info.unit));
    lowest.push_back(info.lowest);
    highest.push_back(info.highest);
    samples.emplace_back(name_of(info.samples));
    constraint.push_back(info.constraint ? 1 : 0);
    definition.push_back(without_nul(info.definition));
  }
  return {.columns = {{"name", std::move(name)},
                      {"direction", std::move(direction)},
                      {"unit", std::move(unit)},
                      {"lowest", std::move(lowest)},
                      {"highest", std::move(highest)},
                      {"samples", std::move(samples)},
                      {"constraint", std::move(constraint)},
                      {"definition", std::move(definition)}}};
}

std::map<std::string, MetricInfo> read_infos(const Hdf5Reader& file, const std::string& name) {
  const Hdf5Table table = file.table(name);
  std::map<std::string, MetricInfo> infos;
  for (std::size_t i = 0; i < static_cast<std::size_t>(table.rows()); ++i) {
    infos[table.texts("name")[i]] = in_file(file.path() + ":" + name, [&] {
      return MetricInfo{.direction = parse_named<Direction>(table.texts("direction")[i]),
                        .unit = table.texts("unit")[i],
                        .lowest = table.numbers("lowest")[i],
                        .highest = table.numbers("highest")[i],
                        .needs = {},
                        .samples = parse_named<SampleKind>(table.texts("samples")[i]),
                        .constraint = table.integers("constraint")[i] != 0,
                        .definition = table.texts("definition")[i]};
    });
  }
  return infos;
}

}  // namespace

// ---------------------------------------------------------------- raw cells

std::string raw_digest(const RawCell& cell) {
  Sha256 hash;
  hash.update("onmanifold/raw/1\n");
  hash.update(to_json(cell.config));
  hash_array(hash, "raw", cell.raw.data(), cell.raw.rows(), cell.raw.cols());
  hash_array(hash, "projected", cell.projected.data(), cell.projected.rows(), cell.projected.cols());
  hash_array(hash, "projection_distance", cell.projection_distance.data(), cell.projection_distance.size(), 1);
  hash.update(fmt::format("\nprojection_converged bool {}\n", cell.projection_converged.size()));
  const std::string flags(cell.projection_converged.data(),
                          cell.projection_converged.data() + cell.projection_converged.size());
  hash.update(flags);
  return to_hex(hash.finish());
}

void write_raw_cell(const std::string& path, const RawCell& cell) {
  if (cell.projected.size() > 0 &&
      (cell.projected.rows() != cell.raw.rows() || cell.projected.cols() != cell.raw.cols())) {
    throw InvalidInput(fmt::format("{}: projected samples are {}×{}, raw ones {}×{}", path, cell.projected.cols(),
                                   cell.projected.rows(), cell.raw.cols(), cell.raw.rows()));
  }
  check_length(path, "projection_distance", cell.projection_distance.size(), cell.raw.cols());
  check_length(path, "projection_converged", cell.projection_converged.size(), cell.raw.cols());

  Hdf5Writer file(path);
  begin(file, raw_kind);
  file.set_attribute("/", "sample_hash", std::string_view(cell.sample_hash));
  file.set_attribute("/", "raw_digest", std::string_view(raw_digest(cell)));
  file.write_text("/config", to_json(cell.config));
  file.write_text("/provenance", to_json(cell.provenance));
  file.write_text("/status", name_of(cell.status.state));
  file.set_attribute("/status", "message", std::string_view(without_nul(cell.status.message)));
  file.write_text("/method", to_json(method_value(cell.method)));
  if (cell.raw.size() > 0) {
    file.write_matrix("/samples/raw", cell.raw);
    if (cell.projected.size() > 0) file.write_matrix("/samples/projected", cell.projected);
    if (cell.projection_distance.size() > 0) {
      file.write_vector("/samples/projection_distance", cell.projection_distance);
    }
    if (cell.projection_converged.size() > 0) {
      file.write_flags("/samples/projection_converged", cell.projection_converged);
    }
  }
  if (cell.nearest_training.size() > 0) file.write_matrix("/pictures/nearest_training", cell.nearest_training);
  write_curves(file, "/training", cell.training);
  for (const auto& [label, record] : cell.diagnostics) {
    const std::string group = "/diagnostics/" + label;
    file.write_text(group + "/status", without_nul(record.status.text()));
    write_curves(file, group, record.numbers);
  }
  if (cell.reference_log_density) {
    file.write_vector("/likelihood/reference_log_density", *cell.reference_log_density);
    file.write_text("/likelihood/measure", cell.intrinsic_density ? "manifold" : "ambient");
  }
  if (!cell.log.empty()) file.write_text("/log", cell.log);
  for (const auto& [name, values] : cell.model_state) file.write_matrix("/model/state/" + name, values);
  for (const auto& [name, value] : cell.timing) file.write_number("/timing/" + name, value);
  file.commit();
}

RawCell read_raw_cell(const std::string& path) {
  const Hdf5Reader file(path);
  check_kind(file, raw_kind);
  RawCell cell;
  cell.sample_hash = file.text_attribute("/", "sample_hash");
  cell.config = read_settings(file);
  cell.provenance = read_json(file, "/provenance");
  cell.status = read_status(file);
  cell.method = read_method(file, cell.config);
  if (file.has("/samples/raw")) {
    cell.raw = file.matrix("/samples/raw");
    if (file.has("/samples/projected")) {
      cell.projected = file.matrix("/samples/projected", cell.raw.rows(), cell.raw.cols());
    }
    if (file.has("/samples/projection_distance")) {
      cell.projection_distance = file.vector("/samples/projection_distance", cell.raw.cols());
    }
    if (file.has("/samples/projection_converged")) {
      cell.projection_converged = file.flags("/samples/projection_converged", cell.raw.cols());
    }
  }
  if (file.has("/pictures/nearest_training")) cell.nearest_training = file.matrix("/pictures/nearest_training");
  cell.training = read_curves(file, "/training");
  cell.diagnostics = read_diagnostics(file, path);
  if (file.has("/likelihood/reference_log_density")) {
    cell.reference_log_density = file.vector("/likelihood/reference_log_density");
    cell.intrinsic_density = file.has("/likelihood/measure") && file.text("/likelihood/measure") == "manifold";
  }
  if (file.has("/log")) cell.log = file.text("/log");
  for (const std::string& name : file.datasets("/model/state")) {
    cell.model_state.emplace(name, file.float_matrix("/model/state/" + name));
  }
  cell.timing = file.numbers("/timing");
  return cell;
}

CellHead read_cell_head(const std::string& path) {
  const Hdf5Reader file(path);
  check_kind(file, raw_kind);
  CellHead head;
  head.sample_hash = file.text_attribute("/", "sample_hash");
  head.raw_digest = file.text_attribute("/", "raw_digest");
  head.status = read_status(file);
  head.config = read_settings(file);
  head.method = read_method(file, head.config);
  head.provenance = read_json(file, "/provenance");
  head.timing = file.numbers("/timing");
  head.diagnostics = read_diagnostics(file, path);
  return head;
}

Curves read_training_curves(const std::string& path) {
  const Hdf5Reader file(path);
  check_kind(file, raw_kind);
  return read_curves(file, "/training");
}

CellStamp read_cell_stamp(const std::string& path) {
  const Hdf5Reader file(path);
  check_kind(file, raw_kind);
  return {.sample_hash = file.text_attribute("/", "sample_hash"),
          .raw_digest = file.text_attribute("/", "raw_digest"),
          .status = read_status(file)};
}

// ---------------------------------------------------------------- metrics

void write_metrics_cell(const std::string& path, const MetricsCell& cell) {
  Hdf5Writer file(path);
  begin(file, metrics_kind);
  file.set_attribute("/", "metric_hash", std::string_view(cell.metric_hash));
  file.set_attribute("/", "raw_digest", std::string_view(cell.raw_digest));
  file.write_text("/config", to_json(cell.config));
  file.write_table("/metrics/raw", to_table(cell.raw));
  file.write_table("/metrics/projected", to_table(cell.projected));
  file.write_table("/metric_info", to_table(cell.metrics));
  for (const auto& [name, value] : cell.timing) file.write_number("/timing/" + name, value);
  file.commit();
}

MetricsCell read_metrics_cell(const std::string& path) {
  const Hdf5Reader file(path);
  check_kind(file, metrics_kind);
  MetricsCell cell;
  cell.metric_hash = file.text_attribute("/", "metric_hash");
  cell.raw_digest = file.text_attribute("/", "raw_digest");
  cell.config = read_settings(file);
  cell.raw = read_records(file, "/metrics/raw");
  cell.projected = read_records(file, "/metrics/projected");
  cell.metrics = file.has("/metric_info") ? read_infos(file, "/metric_info") : std::map<std::string, MetricInfo>{};
  add_old_metrics(cell);
  cell.timing = file.numbers("/timing");
  return cell;
}

MetricsStamp read_metrics_stamp(const std::string& path) {
  const std::string damage = check_file_digest(path);
  if (!damage.empty()) throw IoError(damage);
  const Hdf5Reader file(path);
  check_kind(file, metrics_kind);
  return {.metric_hash = file.text_attribute("/", "metric_hash"), .raw_digest = file.text_attribute("/", "raw_digest")};
}

// ---------------------------------------------------------------- tasks

void write_task_file(const std::string& path, const TaskFile& task) {
  Hdf5Writer file(path);
  begin(file, task_kind);
  file.set_attribute("/", "name", std::string_view(task.name));
  file.set_attribute("/", "version", std::int64_t{task.version});
  file.set_attribute("/", "data_hash", std::string_view(task.data_hash));
  file.set_attribute("/", "manifold", std::string_view(task.manifold_spec));
  file.write_text("/description", task.description);
  file.write_matrix("/reference/points", task.reference);
  file.write_text("/partition/description", task.partition);
  file.write_vector("/partition/masses", task.masses);
  if (task.mesh_vertices.size() > 0) file.write_matrix("/surface/vertices", task.mesh_vertices);
  if (task.mesh_faces.size() > 0) file.write_matrix("/surface/faces", task.mesh_faces);
  if (task.image) {
    file.write_integer("/image/height", task.image->height);
    file.write_integer("/image/width", task.image->width);
    const auto pixels = static_cast<Index>(task.image->pixels.size());
    const Eigen::MatrixXi places =
        Eigen::Map<const Eigen::Matrix<Index, 1, Eigen::Dynamic>>(task.image->pixels.data(), pixels).cast<int>();
    file.write_matrix("/image/pixels", places);
  }
  file.write_number("/entropy", task.entropy);
  file.write_text("/details", to_json(task.details));
  file.commit();
}

TaskFile read_task_file(const std::string& path) {
  const Hdf5Reader file(path);
  check_kind(file, task_kind);
  TaskFile task;
  task.name = file.text_attribute("/", "name");
  task.version = static_cast<int>(file.integer_attribute("/", "version"));
  task.data_hash = file.text_attribute("/", "data_hash");
  task.manifold_spec = file.text_attribute("/", "manifold");
  task.description = file.text("/description");
  task.reference = file.matrix("/reference/points");
  task.partition = file.text("/partition/description");
  task.masses = file.vector("/partition/masses");
  if (file.has("/surface/vertices")) task.mesh_vertices = file.matrix("/surface/vertices");
  if (file.has("/surface/faces")) {
    task.mesh_faces = file.integer_matrix("/surface/faces");
    const bool sound = task.mesh_faces.rows() == 3 && task.mesh_faces.cols() > 0 && task.mesh_faces.minCoeff() >= 0 &&
                       task.mesh_faces.maxCoeff() < task.mesh_vertices.cols();
    if (!sound) throw InvalidInput(fmt::format("{}:/surface/faces: not triples of vertices that are there", path));
  }
  if (file.is_group("/image")) {
    ImageLayout image{.height = file.integer("/image/height"), .width = file.integer("/image/width"), .pixels = {}};
    const Eigen::MatrixXi places = file.integer_matrix("/image/pixels");
    for (Index i = 0; i < places.size(); ++i) image.pixels.push_back(places.data()[i]);
    const auto outside = [&](Index pixel) { return pixel < 0 || pixel / image.width >= image.height; };
    if (image.height < 1 || image.width < 1 || static_cast<Index>(image.pixels.size()) != task.reference.rows() ||
        std::any_of(image.pixels.begin(), image.pixels.end(), outside)) {
      throw InvalidInput(fmt::format("{}:/image: places outside the image, or not one for each coordinate", path));
    }
    task.image = std::move(image);
  }
  task.entropy = file.number("/entropy");
  task.details = read_json(file, "/details");
  return task;
}

// ---------------------------------------------------------------- places

std::string CellKey::text() const {
  return fmt::format("{}/{}/{}/seed-{}", task, method, lift, seed);
}

std::string CellKey::raw_path(const std::string& directory) const {
  return (fs::path(directory) / (text() + ".h5")).string();
}

std::string CellKey::metrics_path(const std::string& directory) const {
  return (fs::path(directory) / (text() + ".metrics.h5")).string();
}

namespace {

// "seed-12.h5" -> 12; -1 for any other name, such as "seed-012.h5" and "seed-12.metrics.h5".
int seed_of(std::string_view name) {
  if (!name.starts_with("seed-") || !name.ends_with(".h5")) return -1;
  name.remove_prefix(5);
  name.remove_suffix(3);
  int seed = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), seed);
  if (error != std::errc{} || end != name.data() + name.size() || seed < 0 || name != std::to_string(seed)) return -1;
  return seed;
}

std::vector<fs::path> subdirectories(const fs::path& directory) {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.is_directory() && !entry.path().filename().string().starts_with('.')) paths.push_back(entry.path());
  }
  return paths;
}

}  // namespace

std::vector<CellKey> find_cells(const std::string& directory) {
  if (!is_there(directory)) throw InvalidInput(fmt::format("{}: no such directory", directory));
  if (!fs::is_directory(directory)) throw InvalidInput(fmt::format("{}: not a directory", directory));
  std::vector<CellKey> keys;
  try {
    for (const fs::path& task : subdirectories(directory)) {
      for (const fs::path& method : subdirectories(task)) {
        for (const fs::path& lift : subdirectories(method)) {
          for (const fs::directory_entry& entry : fs::directory_iterator(lift)) {
            const int seed = seed_of(entry.path().filename().string());
            if (seed < 0 || !entry.is_regular_file()) continue;
            keys.push_back({.task = task.filename().string(),
                            .method = method.filename().string(),
                            .lift = lift.filename().string(),
                            .seed = seed});
          }
        }
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw IoError(fmt::format("{}: cannot list: {}", error.path1().string(), error.code().message()));
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

// ---------------------------------------------------------------- plans

namespace {

/// Replicates that follow each other are one entry: [task, method, lift, first, last].
std::string plan_text(CellPlan plan) {
  std::sort(plan.cells.begin(), plan.cells.end());
  Value::Array arms;
  for (std::size_t i = 0; i < plan.cells.size();) {
    const CellKey& first = plan.cells[i];
    CellKey last = first;
    while (++i < plan.cells.size()) {
      CellKey next = last;
      ++next.seed;
      if (plan.cells[i] != next) break;
      last = next;
    }
    arms.push_back(Value::Array{first.task, first.method, first.lift, first.seed, last.seed});
  }
  return to_json(Value::Table{{"suite", std::move(plan.suite)}, {"cells", std::move(arms)}});
}

std::string plan_path(const std::string& directory, const std::string& text) {
  return (fs::path(directory) / fmt::format("suite-{}.h5", to_hex(sha256(text)).substr(0, 16))).string();
}

/// Adds the cells of one entry. \return false if it is none.
bool add_arm(const Value& entry, std::vector<CellKey>& cells) {
  const auto* parts = entry.get_if<Value::Array>();
  if (parts == nullptr || parts->size() != 5) return false;
  const auto text = [&](std::size_t i) { return (*parts)[i].get_if<std::string>(); };
  const auto* first = (*parts)[3].get_if<std::int64_t>();
  const auto* last = (*parts)[4].get_if<std::int64_t>();
  if (text(0) == nullptr || text(1) == nullptr || text(2) == nullptr || first == nullptr || last == nullptr)
    return false;
  const std::int64_t room = most_cells - static_cast<std::int64_t>(cells.size());
  if (*first < 0 || *last < *first || *last > std::numeric_limits<int>::max() || *last - *first >= room) return false;
  for (std::int64_t seed = *first; seed <= *last; ++seed) {
    cells.push_back({.task = *text(0), .method = *text(1), .lift = *text(2), .seed = static_cast<int>(seed)});
  }
  return true;
}

}  // namespace

std::string cell_plan_path(const std::string& directory, CellPlan plan) {
  return plan_path(directory, plan_text(std::move(plan)));
}

void write_cell_plan(const std::string& directory, CellPlan plan) {
  const std::string text = plan_text(std::move(plan));
  const std::string path = plan_path(directory, text);
  if (is_there(path)) return;
  Hdf5Writer file(path);
  begin(file, plan_kind);
  file.write_text("/plan", text);
  file.commit();
}

CellPlan read_cell_plan(const std::string& path) {
  const Hdf5Reader file(path);
  check_kind(file, plan_kind);
  const Value plan = read_json(file, "/plan");
  const auto refuse = [&] { return InvalidInput(fmt::format("{}:/plan: not a suite and its cells", path)); };
  const auto* table = plan.get_if<Value::Table>();
  if (table == nullptr || !table->contains("suite") || !table->contains("cells")) throw refuse();
  const auto* suite = table->at("suite").get_if<std::string>();
  const auto* arms = table->at("cells").get_if<Value::Array>();
  if (suite == nullptr || arms == nullptr) throw refuse();
  CellPlan result{.suite = *suite, .cells = {}};
  for (const Value& arm : *arms) {
    if (!add_arm(arm, result.cells)) throw refuse();
  }
  return result;
}

std::vector<std::string> find_cell_plans(const std::string& directory) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("suite-") && name.ends_with(".h5")) paths.push_back(it->path().string());
  }
  if (error) throw IoError(fmt::format("{}: cannot list: {}", directory, error.message()));
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace onmanifold
