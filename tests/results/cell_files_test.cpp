// SPDX-License-Identifier: Apache-2.0
#include "results/cell_files.hpp"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/random/stream.hpp"
#include "results/old_files.hpp"
#include "results/verify.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

class CellFiles : public testing::Test {
 protected:
  CellFiles() : directory_(fs::temp_directory_path() / ("cell_files_test." + std::to_string(::getpid()))) {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  ~CellFiles() override { fs::remove_all(directory_); }
  [[nodiscard]] std::string path(const std::string& name) const { return (directory_ / name).string(); }

  fs::path directory_;
};

// NaNs count as equal, and so do their bits.
template <class A, class B>
bool same_bits(const A& a, const B& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         (a.size() == 0 ||
          std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(typename A::Scalar)) == 0);
}

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

RawCell example_cell(Index n = 10000) {
  const Stream stream(1, "cell_files_test");
  RawCell cell;
  cell.config = Value::Table{{"task", "sphere-vmf6"}, {"sigma", 0.1}, {"steps", 7000}, {"unicode", "σ ✓"}};
  cell.sample_hash = std::string(64, 'a');
  cell.provenance = Value::Table{{"version", "0.1.0"}, {"nan", std::numeric_limits<double>::quiet_NaN()}};
  cell.raw = stream.at("raw").normal(3, n);
  cell.raw(1, 2) = std::numeric_limits<double>::quiet_NaN();
  cell.raw(2, 2) = -std::numeric_limits<double>::infinity();
  cell.raw(0, 3) = -0.0;
  cell.raw(0, 4) = std::numeric_limits<double>::denorm_min();
  cell.projected = cell.raw.colwise().normalized();
  cell.projection_distance = (cell.raw - cell.projected).colwise().norm().transpose();
  cell.projection_converged = cell.projection_distance.array() >= 0;
  cell.nearest_training = cell.raw.leftCols(2);
  cell.training["loss"] = Vector::LinSpaced(100, 1, 0);
  cell.training["vae/loss"] = Vector::LinSpaced(5, 2, 1);
  cell.training["steps"] = Vector::Constant(1, 7000);
  cell.diagnostics["score_norm"].numbers = {{"level", Vector::LinSpaced(7, 0, 1)},
                                            {"lifted/slope", Vector::Constant(1, -2)}};
  cell.diagnostics["lyapunov"].status = {RecordState::unsupported, "the method has no score"};
  cell.model_state["weight_0"] = Eigen::MatrixXf::NullaryExpr(
      35, 128, [](Index i, Index j) { return static_cast<float>(i) / static_cast<float>(j + 1); });
  cell.model_state["empty"] = Eigen::MatrixXf(0, 3);
  cell.reference_log_density = Vector::LinSpaced(50, -3, 0);
  cell.timing = {{"fit", 1.25}, {"sample", 0.5}, {"peak_memory_bytes", 1e8}};
  return cell;
}

MetricsCell example_metrics(const RawCell& raw) {
  MetricsCell cell;
  cell.metric_hash = std::string(64, 'b');
  cell.raw_digest = raw_digest(raw);
  cell.config = Value::Table{{"metrics", "tvd(bins=20)"}};
  MetricRecord record;
  record.name = "tvd";
  record.value = 0.125;
  record.null = 0.01;
  record.null_sd = 0.001;
  record.unit = "";
  record.direction = Direction::lower;
  record.version = 3;
  record.parameters = R"({"bins":20,"note":"σ"})";
  record.n_samples = 10000;
  record.n_nonfinite = 1;
  cell.raw.push_back(record);
  record.name = "constraint_mean";
  record.unit = "length";
  record.status = {RecordState::not_applicable, "no partition"};
  record.value = MetricRecord::unknown;
  cell.raw.push_back(record);
  return cell;
}

TEST_F(CellFiles, RawCellsComeBackBitForBit) {
  const RawCell cell = example_cell();
  const std::string file = path("a/b/c/seed-0.h5");
  write_raw_cell(file, cell);
  const RawCell back = read_raw_cell(file);
  EXPECT_EQ(to_json(back.config), to_json(cell.config));
  EXPECT_EQ(to_json(back.provenance), to_json(cell.provenance));
  EXPECT_EQ(back.sample_hash, cell.sample_hash);
  EXPECT_EQ(back.status.state, CellState::ok);
  EXPECT_EQ(back.status.message, "");
  EXPECT_TRUE(same_bits(back.raw, cell.raw));
  EXPECT_TRUE(same_bits(back.projected, cell.projected));
  EXPECT_TRUE(same_bits(back.projection_distance, cell.projection_distance));
  EXPECT_TRUE(same_bits(back.projection_converged, cell.projection_converged));
  EXPECT_TRUE(same_bits(back.nearest_training, cell.nearest_training));
  ASSERT_EQ(back.training.size(), cell.training.size());
  for (const auto& [name, curve] : cell.training) EXPECT_TRUE(same_bits(back.training.at(name), curve)) << name;
  ASSERT_EQ(back.diagnostics.size(), 2U);
  for (const auto& [label, record] : cell.diagnostics) {
    EXPECT_EQ(back.diagnostics.at(label).status, record.status);
    ASSERT_EQ(back.diagnostics.at(label).numbers.size(), record.numbers.size());
    for (const auto& [name, series] : record.numbers) {
      EXPECT_TRUE(same_bits(back.diagnostics.at(label).numbers.at(name), series)) << name;
    }
  }
  ASSERT_EQ(back.model_state.size(), cell.model_state.size());
  for (const auto& [name, state] : cell.model_state) EXPECT_TRUE(same_bits(back.model_state.at(name), state)) << name;
  ASSERT_TRUE(back.reference_log_density.has_value());
  EXPECT_TRUE(same_bits(*back.reference_log_density, *cell.reference_log_density));
  EXPECT_EQ(back.timing, cell.timing);
  EXPECT_EQ(raw_digest(back), raw_digest(cell));
}

TEST_F(CellFiles, AFailedCellIsAFileToo) {
  RawCell cell;
  cell.config = Value::Table{};
  cell.status = {.state = CellState::failed, .message = "killed by signal 6 (Aborted)"};
  write_raw_cell(path("x.h5"), cell);
  const RawCell back = read_raw_cell(path("x.h5"));
  EXPECT_EQ(back.status.state, CellState::failed);
  EXPECT_EQ(back.status.message, "killed by signal 6 (Aborted)");
  EXPECT_EQ(back.raw.size(), 0);
  EXPECT_FALSE(back.reference_log_density.has_value());
  EXPECT_EQ(raw_digest(back), raw_digest(cell));
}

TEST_F(CellFiles, TheHeadDoesNotTouchTheSamples) {
  const RawCell cell = example_cell();
  const std::string file = path("x.h5");
  write_raw_cell(file, cell);
  // The samples are by far the most of the file. Spoil its greatest chunk of compressed data and the head
  // must not notice, while a full read must.
  std::string bytes = read_file(file);
  const std::size_t middle = bytes.find("\x78\x01", bytes.size() / 3);  // a deflate stream of level 1 begins so
  ASSERT_NE(middle, std::string::npos);
  bytes.replace(middle, 64, 64, '\xFF');
  write_file(file, bytes);
  const CellHead head = read_cell_head(file);
  EXPECT_EQ(head.sample_hash, cell.sample_hash);
  EXPECT_EQ(head.raw_digest, raw_digest(cell));
  EXPECT_EQ(head.status.state, CellState::ok);
  EXPECT_EQ(head.config, cell.config);
  EXPECT_EQ(head.timing, cell.timing);
  EXPECT_THROW(static_cast<void>(read_raw_cell(file)), IoError);
}

TEST_F(CellFiles, StampsAreWhatAResumeScanAsks) {
  const RawCell cell = example_cell(100);
  const MetricsCell metrics = example_metrics(cell);
  write_raw_cell(path("x.h5"), cell);
  write_metrics_cell(path("m.h5"), metrics);
  const CellStamp stamp = read_cell_stamp(path("x.h5"));
  EXPECT_EQ(stamp.sample_hash, cell.sample_hash);
  EXPECT_EQ(stamp.raw_digest, metrics.raw_digest);
  EXPECT_EQ(stamp.status.state, CellState::ok);
  EXPECT_TRUE(same_bits(read_training_curves(path("x.h5")).at("vae/loss"), cell.training.at("vae/loss")));
  EXPECT_EQ(read_metrics_stamp(path("m.h5")).metric_hash, metrics.metric_hash);
  EXPECT_EQ(read_metrics_stamp(path("m.h5")).raw_digest, metrics.raw_digest);
  // One bit of a metric's value: HDF5 reads on, the stamp does not.
  std::string bytes = read_file(path("m.h5"));
  const std::size_t place = bytes.find("constraint_mean");
  ASSERT_NE(place, std::string::npos);
  bytes[place + 16] = static_cast<char>(bytes[place + 16] ^ 1);
  write_file(path("m.h5"), bytes);
  EXPECT_NO_THROW(static_cast<void>(read_metrics_cell(path("m.h5"))));
  EXPECT_THROW(static_cast<void>(read_metrics_stamp(path("m.h5"))), IoError);
}

TEST_F(CellFiles, EqualInputGivesEqualBytes) {
  write_raw_cell(path("x.h5"), example_cell());
  const std::string first = read_file(path("x.h5"));
  ::sleep(1);  // time stamps have seconds
  write_raw_cell(path("x.h5"), example_cell());
  EXPECT_TRUE(read_file(path("x.h5")) == first);
}

TEST_F(CellFiles, MetricsComeBack) {
  const MetricsCell cell = example_metrics(example_cell(10));
  write_metrics_cell(path("m.h5"), cell);
  const MetricsCell back = read_metrics_cell(path("m.h5"));
  EXPECT_EQ(back.metric_hash, cell.metric_hash);
  EXPECT_EQ(back.raw_digest, cell.raw_digest);
  EXPECT_EQ(back.config, cell.config);
  EXPECT_TRUE(back.projected.empty());
  ASSERT_EQ(back.raw.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const MetricRecord& a = cell.raw[i];
    const MetricRecord& b = back.raw[i];
    EXPECT_EQ(b.name, a.name);
    EXPECT_TRUE(same_bits(b.value, a.value));
    EXPECT_TRUE(same_bits(b.target, a.target));
    EXPECT_TRUE(same_bits(b.null, a.null));
    EXPECT_TRUE(same_bits(b.null_sd, a.null_sd));
    EXPECT_TRUE(same_bits(b.se, a.se));
    EXPECT_EQ(b.unit, a.unit);
    EXPECT_EQ(b.direction, a.direction);
    EXPECT_EQ(b.version, a.version);
    EXPECT_EQ(b.parameters, a.parameters);
    EXPECT_EQ(b.n_reference, a.n_reference);
    EXPECT_EQ(b.n_samples, a.n_samples);
    EXPECT_EQ(b.n_nonfinite, a.n_nonfinite);
    EXPECT_EQ(b.status, a.status);
  }
}

TEST_F(CellFiles, TasksComeBack) {
  TaskFile task;
  task.name = "bunny-eigen";
  task.description = "Mixture on the bunny";
  task.version = 2;
  task.data_hash = std::string(64, 'c');
  task.manifold_spec = "mesh:path=x.off";
  task.reference = Stream(1, "t").normal(3, 100);
  task.masses = Vector::Constant(20, 0.05);
  task.partition = "20 patches";
  task.mesh_vertices = Stream(2, "t").normal(3, 30);
  task.mesh_faces = Eigen::MatrixXi::Constant(3, 10, 7);
  task.details = Value::Table{{"sigma_grid", Value::Array{0.1, 0.2}}};
  write_task_file(path("task.h5"), task);
  const TaskFile back = read_task_file(path("task.h5"));
  EXPECT_EQ(back.name, task.name);
  EXPECT_EQ(back.description, task.description);
  EXPECT_EQ(back.version, 2);
  EXPECT_EQ(back.data_hash, task.data_hash);
  EXPECT_EQ(back.manifold_spec, task.manifold_spec);
  EXPECT_TRUE(same_bits(back.reference, task.reference));
  EXPECT_TRUE(same_bits(back.masses, task.masses));
  EXPECT_EQ(back.partition, task.partition);
  EXPECT_TRUE(same_bits(back.mesh_vertices, task.mesh_vertices));
  EXPECT_TRUE(same_bits(back.mesh_faces, task.mesh_faces));
  EXPECT_TRUE(std::isnan(back.entropy));
  EXPECT_EQ(back.details, task.details);

  // A face that would be read past the vertices is refused here, not found in a picture.
  for (const int vertex : {-1, 30}) {
    task.mesh_faces(1, 4) = vertex;
    write_task_file(path("task.h5"), task);
    EXPECT_THROW((void)read_task_file(path("task.h5")), InvalidInput) << vertex;
  }
  task.mesh_faces = Eigen::MatrixXi::Zero(2, 10);
  write_task_file(path("task.h5"), task);
  EXPECT_THROW((void)read_task_file(path("task.h5")), InvalidInput);

  task.masses.resize(0);
  task.mesh_vertices.resize(0, 0);
  task.mesh_faces.resize(0, 0);
  task.entropy = 1.5;
  write_task_file(path("task.h5"), task);
  const TaskFile bare = read_task_file(path("task.h5"));
  EXPECT_EQ(bare.masses.size(), 0);
  EXPECT_EQ(bare.mesh_vertices.size(), 0);
  EXPECT_EQ(bare.entropy, 1.5);
}

TEST_F(CellFiles, PlacesOfPixelsComeBack) {
  TaskFile task;
  task.reference = Points::Constant(3, 2, 0.5);
  task.image = ImageLayout{.height = 2, .width = 3, .pixels = {5, 0, 4}};
  write_task_file(path("task.h5"), task);
  const TaskFile back = read_task_file(path("task.h5"));
  ASSERT_TRUE(back.image);
  EXPECT_EQ(*back.image, *task.image);
  EXPECT_EQ(full_images(*back.image, back.reference).col(1), (Vector(6) << .5, 0, 0, 0, .5, .5).finished());
  // A picture must not be drawn outside its memory.
  for (const std::vector<Index>& pixels : {std::vector<Index>{6, 0, 4}, {-1, 0, 4}, {0, 4}}) {
    task.image->pixels = pixels;
    write_task_file(path("task.h5"), task);
    EXPECT_THROW(static_cast<void>(read_task_file(path("task.h5"))), InvalidInput);
  }
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const InvalidInput& error) {
    return std::string("InvalidInput ") + error.what();
  } catch (const IoError& error) {
    return std::string("IoError ") + error.what();
  }
  return "nothing thrown";
}

TEST_F(CellFiles, OtherSchemasAndKindsAreRefused) {
  const std::string file = path("x.h5");
  {
    Hdf5Writer writer(file);
    writer.set_attribute("/", "schema_version", std::int64_t{99});
    writer.set_attribute("/", "kind", std::string_view("raw"));
    writer.commit();
  }
  EXPECT_EQ(message_of([&] { static_cast<void>(read_raw_cell(file)); }),
            "InvalidInput " + file +
                ": has schema version 99, this program reads up to version 1: a newer onmanifold wrote it");
  {
    Hdf5Writer writer(file);
    writer.set_attribute("/", "schema_version", std::int64_t{0});
    writer.set_attribute("/", "kind", std::string_view("raw"));
    writer.commit();
  }
  EXPECT_EQ(message_of([&] { static_cast<void>(read_raw_cell(file)); }),
            "InvalidInput " + file + ": has schema version 0, this program reads from version 1 on");
  {
    Hdf5Writer writer(file);
    writer.commit();
  }
  EXPECT_EQ(message_of([&] { static_cast<void>(read_cell_head(file)); }),
            "InvalidInput " + file + ": not a results file of onmanifold");
  write_metrics_cell(file, example_metrics(example_cell(10)));
  EXPECT_EQ(message_of([&] { static_cast<void>(read_raw_cell(file)); }),
            "InvalidInput " + file + ": is a metrics file, expected a raw file");
  EXPECT_EQ(message_of([&] { static_cast<void>(read_raw_cell(path("none.h5"))); }),
            "InvalidInput " + path("none.h5") + ": no such file");
}

// Written by onmanifold 0.1.0 at commit 1bfa4016, before metrics had a p-value and files a diagnostic or a
// log; only the paths and the kernel in its provenance were replaced, and the digest of the file with them.
// It must stay readable as it is: see docs/result-files.md before changing this test.
TEST_F(CellFiles, OldFilesAreStillRead) {
  const std::string directory = ONMANIFOLD_SOURCE_DIR "/tests/golden/schema-1";
  const std::vector<CellKey> keys = find_cells(directory);
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].text(), "plane-gmm9/exact_score/normal/seed-0");
  EXPECT_TRUE(verify_directory(directory).problems.empty());

  const RawCell raw = read_raw_cell(keys[0].raw_path(directory));
  EXPECT_EQ(raw.status.state, CellState::ok);
  ASSERT_EQ(raw.raw.rows(), 3);
  ASSERT_EQ(raw.raw.cols(), 400);
  EXPECT_EQ(raw_digest(raw), "bdf4210b09b639df5282830aa3d81bb62cf1783b4ed59af05c73b8f0019d9dad");
  EXPECT_EQ(raw.sample_hash, "9fa6f7919ef8fcd2743c80714c1e94a0b2c0db1df6255293de4caa58ae07fdb9");
  EXPECT_TRUE(raw.diagnostics.empty());
  EXPECT_TRUE(raw.log.empty());
  EXPECT_GT(read_cell_head(keys[0].raw_path(directory)).timing.at("fit_s"), 0);
  EXPECT_EQ(read_cell_stamp(keys[0].raw_path(directory)).raw_digest, raw_digest(raw));

  const MetricsCell metrics = read_metrics_cell(keys[0].metrics_path(directory));
  EXPECT_EQ(metrics.raw_digest, raw_digest(raw));
  ASSERT_EQ(metrics.projected.size(), 10U);
  EXPECT_EQ(metrics.projected[0].name, "tvd");
  EXPECT_EQ(metrics.projected[0].value, 0.2816356464819475);
  EXPECT_TRUE(std::isnan(metrics.projected[0].p_value));
  EXPECT_EQ(read_metrics_stamp(keys[0].metrics_path(directory)).metric_hash, metrics.metric_hash);

  const TaskFile task = read_task_file(directory + "/plane-gmm9/task.h5");
  EXPECT_EQ(task.name, "plane-gmm9");
  EXPECT_EQ(task.version, 1);
  EXPECT_GT(task.reference.cols(), 0);
}

TEST_F(CellFiles, InconsistentCellsAreNotWritten) {
  RawCell cell = example_cell(10);
  cell.projected.resize(3, 9);
  EXPECT_THROW(write_raw_cell(path("x.h5"), cell), InvalidInput);
  cell = example_cell(10);
  cell.projection_distance.resize(11);
  EXPECT_THROW(write_raw_cell(path("x.h5"), cell), InvalidInput);
  EXPECT_TRUE(fs::is_empty(directory_));
}

TEST_F(CellFiles, TheDigestSeesConfigAndSamples) {
  const RawCell cell = example_cell(10);
  const std::string digest = raw_digest(cell);
  RawCell other = cell;
  other.timing["fit"] = 9;
  other.provenance = Value::Table{};
  EXPECT_EQ(raw_digest(other), digest);
  other = cell;
  other.config = Value::Table{};
  EXPECT_NE(raw_digest(other), digest);
  other = cell;
  other.raw(0, 0) = std::nextafter(other.raw(0, 0), 9.0);
  EXPECT_NE(raw_digest(other), digest);
  other = cell;
  other.projection_converged(0) = !other.projection_converged(0);
  EXPECT_NE(raw_digest(other), digest);
  other = cell;
  other.raw.resize(6, 5);  // the same memory in another shape
  other.projected.resize(6, 5);
  std::memcpy(other.raw.data(), cell.raw.data(), 30 * sizeof(double));
  std::memcpy(other.projected.data(), cell.projected.data(), 30 * sizeof(double));
  EXPECT_NE(raw_digest(other), digest);
}

TEST_F(CellFiles, KeysNamePlaces) {
  const CellKey key{.task = "sphere-vmf6", .method = "ddpm", .lift = "normal-0.1", .seed = 12};
  EXPECT_EQ(key.text(), "sphere-vmf6/ddpm/normal-0.1/seed-12");
  EXPECT_EQ(key.raw_path("out"), "out/sphere-vmf6/ddpm/normal-0.1/seed-12.h5");
  EXPECT_EQ(key.metrics_path("out"), "out/sphere-vmf6/ddpm/normal-0.1/seed-12.metrics.h5");
}

TEST_F(CellFiles, FindsCellsInOrder) {
  for (const char* name : {"t/m/l/seed-10.h5", "t/m/l/seed-2.h5", "t/m/l/seed-2.metrics.h5", "t/m/l/seed-02.h5",
                           "t/m/l/seed--1.h5", "t/m/l/seed-.h5", "t/m/l/.seed-3.h5.host-1-0.tmp", "t/m/l/seed-3.h5.tmp",
                           "t/task.h5", "a/m/l/seed-0.h5", "a/m/seed-1.h5", "t/m/.hidden/seed-0.h5", "report.html"}) {
    write_file(path(name), "");
  }
  std::vector<std::string> found;
  for (const CellKey& key : find_cells(directory_.string())) found.push_back(key.text());
  EXPECT_EQ(found, (std::vector<std::string>{"a/m/l/seed-0", "t/m/l/seed-2", "t/m/l/seed-10"}));
  EXPECT_EQ(message_of([&] { static_cast<void>(find_cells(path("none"))); }),
            "InvalidInput " + path("none") + ": no such directory");
  EXPECT_EQ(message_of([&] { static_cast<void>(find_cells(path("report.html"))); }),
            "InvalidInput " + path("report.html") + ": not a directory");
}

TEST_F(CellFiles, OtherProgramsReadThem) {
  const RawCell cell = example_cell();
  write_raw_cell(path("raw.h5"), cell);
  write_metrics_cell(path("metrics.h5"), example_metrics(cell));
  const auto shell = [](const std::string& command) { return std::system(command.c_str()) == 0; };
  int readers = 0;
  for (const std::string python : {"python3", "/usr/bin/python3"}) {
    if (!shell(python + " -c 'import h5py' >/dev/null 2>&1")) continue;
    ++readers;
    EXPECT_TRUE(shell(python + " '" ONMANIFOLD_SOURCE_DIR "/tests/results/read_cell_file.py' '" + path("raw.h5") +
                      "' '" + path("metrics.h5") + "'"));
    break;
  }
  if (shell("h5dump --version >/dev/null 2>&1")) {
    ++readers;
    const std::string dump = "h5dump -d /metrics/raw '" + path("metrics.h5") + "'";
    EXPECT_TRUE(shell(dump + " | grep -q '\"constraint_mean'"));
    EXPECT_TRUE(shell("h5dump '" + path("raw.h5") + "' > /dev/null"));
  }
  if (readers == 0) GTEST_SKIP() << "neither h5py nor h5dump on this machine";
}

TEST_F(CellFiles, SayWhatMethodAndMetricsAre) {
  RawCell cell = example_cell(10);
  cell.method = {.type = "niso",
                 .info = {.role = MethodRole::learner,
                          .place = Place::two_steps,
                          .varies = "ddpm",
                          .needs = {Need::training, Need::diffused_score},
                          .foreign = true,
                          .floor = true},
                 .lift = LiftType::isotropic};
  const std::string digest = raw_digest(cell);
  write_raw_cell(path("raw.h5"), cell);
  const CellHead head = read_cell_head(path("raw.h5"));
  EXPECT_EQ(head.raw_digest, digest);
  EXPECT_EQ(head.method.type, "niso");
  EXPECT_EQ(head.method.info.place, Place::two_steps);
  EXPECT_EQ(head.method.info.varies, "ddpm");
  EXPECT_EQ(head.method.info.needs, cell.method.info.needs);
  EXPECT_TRUE(head.method.info.foreign);
  EXPECT_TRUE(head.method.info.floor);
  EXPECT_EQ(head.method.lift, LiftType::isotropic);
  cell.method = {};
  EXPECT_EQ(raw_digest(cell), digest);  // it is in no hash
}

TEST(OldFiles, MethodsAreKnownByTheirRegisteredType) {
  const auto of = [](const char* type, const char* lift) {
    return method_of_old_file(Value::Table{{"method", Value::Table{{"name", "oracle"}, {"type", type}}},
                                           {"lift", Value::Table{{"type", lift}}}});
  };
  EXPECT_EQ(of("ddpm", "normal").info.role, MethodRole::learner);  // whatever the label says
  EXPECT_EQ(of("ddpm", "normal").lift, LiftType::normal);
  EXPECT_EQ(of("oracle", "none").info.role, MethodRole::oracle);
  EXPECT_EQ(of("pidm", "none").info.place, Place::penalty);
  EXPECT_EQ(of("pidm", "none").info.varies, "ddpm");
  EXPECT_TRUE(of("gaussian", "none").info.floor);
  EXPECT_EQ(method_of_old_file(Value()).info.role, MethodRole::learner);
}

TEST(OldFiles, SuitesAreKnownByTheirName) {
  TaskFile task;
  task.details = Value::Table{{"suite", "quick"}, {"metrics", "w2,energy(space=ambient)"}};
  EXPECT_EQ(suite_of(task).purpose, SuitePurpose::demonstration);
  EXPECT_EQ(primary_metric(task), "w2");
  // A suite that states its purpose is not judged by its name.
  task.details = Value::Table{{"suite", "quick"}, {"purpose", "study"}, {"claims", true}, {"primary_metric", "fd"}};
  EXPECT_EQ(suite_of(task).purpose, SuitePurpose::study);
  EXPECT_TRUE(suite_of(task).claims);
  EXPECT_EQ(primary_metric(task), "fd");
}

}  // namespace
}  // namespace onmanifold
