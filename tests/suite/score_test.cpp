// SPDX-License-Identifier: Apache-2.0
// Scoring of foreign samples: the numbers of a suite, the same bits in chunks, and what is refused.

#include "suite/score.hpp"

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/point_files.hpp"
#include "core/files/temporary_directory.hpp"
#include "datasets/task.hpp"
#include "metrics/registry.hpp"
#include "results/cell_files.hpp"
#include "suite/scheduler.hpp"
#include "suite/suite_spec.hpp"
#include "suite/toml_file.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

constexpr const char* streaming_metrics =
    "tvd,tvd(bins=5),tvd_corrected,js_divergence,js_distance,fd,constraint_mean,constraint_max,violation_"
    "rate,"
    "violation_rate(tau=0.05),projection_distance,projection_distance_rms,projection_distance_max,"
    "projection_fail_rate";

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}

testing::AssertionResult same(const MetricRecord& a, const MetricRecord& b) {
  if (a.name == b.name && same_bits(a.value, b.value) && same_bits(a.target, b.target) && same_bits(a.null, b.null) &&
      same_bits(a.null_sd, b.null_sd) && same_bits(a.se, b.se) && a.unit == b.unit && a.direction == b.direction &&
      a.parameters == b.parameters && a.n_reference == b.n_reference && a.n_samples == b.n_samples &&
      a.n_nonfinite == b.n_nonfinite && a.status == b.status) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << fmt::format("{} {} ± {} n {} {} {}; {} {} ± {} n {} {} {}", a.name, a.value,
                                                    a.se, a.n_samples, a.status.text(), a.parameters, b.name, b.value,
                                                    b.se, b.n_samples, b.status.text(), b.parameters);
}

testing::AssertionResult same(const std::vector<MetricRecord>& a, const std::vector<MetricRecord>& b) {
  if (a.size() != b.size()) return testing::AssertionFailure() << a.size() << " and " << b.size() << " records";
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (const auto result = same(a[i], b[i]); !result) return result;
  }
  return testing::AssertionSuccess();
}

std::vector<MetricRecord> records(const Score& score, const std::string& samples) {
  std::vector<MetricRecord> result;
  for (const ScoredMetric& metric : score.metrics) {
    if (metric.samples == samples) result.push_back(metric.record);
  }
  return result;
}

Task make_test_task(const std::string& name) {
  Settings none(Value::Table{}, name);
  return task_registry().get(name).factory(none);
}

/// Samples near the manifold of a task with two columns that are not finite and, on the sphere, one that has
/// no nearest point.
Points near_samples(const Task& task, Index n) {
  const Stream stream(5, "score-test");
  Points points = task.sampler->sample(n, stream.at("draws")) + 0.1 * stream.at("noise").normal(3, n);
  points(1, n / 3) = std::numeric_limits<double>::quiet_NaN();
  points(2, n - 2) = std::numeric_limits<double>::infinity();
  points.col(n / 2).setZero();
  return points;
}

TEST(Score, EqualsTheMetricsOfASuite) {
  const TemporaryDirectory directory;
  RunOptions options;
  options.directory = directory.path();
  options.workers = 1;
  const std::string text =
      "[suite]\nname = \"t\"\nseeds = \"1..1\"\nn_train = 300\nn_samples = 250\nn_reference = 350\n"
      "[[task]]\nname = \"sphere-vmf6\"\n[[method]]\nname = \"gaussian\"\n[[method]]\nname = \"memorizer\"\n";
  ASSERT_EQ(run_suite(parse_suite(parse_toml(text, "t"), "t"), options).failed, 0);
  const std::string train = directory.file("train.npy");
  write_points(train, exported_points(task_from_text("sphere-vmf6"), 300, 1, ""));
  for (const char* method : {"gaussian", "memorizer"}) {
    const CellKey key{"sphere-vmf6", method, "none", 1};
    const MetricsCell cell = read_metrics_cell(key.metrics_path(directory.path()));
    ScoreRequest request;
    request.samples = key.raw_path(directory.path()) + ":/samples/raw";
    request.task = "sphere-vmf6";
    request.train = train;
    request.reference_size = 350;
    const Score score = score_samples(request);
    EXPECT_TRUE(same(records(score, "raw"), cell.raw)) << method;
    EXPECT_TRUE(same(records(score, "projected"), cell.projected)) << method;
    // Control: other reference draws, other values.
    request.reference_size = 351;
    EXPECT_FALSE(same(records(score_samples(request), "raw"), cell.raw)) << method;
  }
}

TEST(Score, ChunksOfAnySizeGiveTheSameBits) {
  for (const char* name : {"sphere-vmf6", "plane-gmm9"}) {
    const Task task = make_test_task(name);
    const Index n = 2500;  // more than two blocks of the triangular factor
    const Points samples = near_samples(task, n);
    const Points reference = task.sampler->sample(700, reference_stream(task, 0));
    const Projection projection = task.manifold->project(samples);
    for (const MetricSpec& spec : parse_metric_list(streaming_metrics)) {
      const std::unique_ptr<Metric> metric = make_metric(spec);
      for (const bool projected : {false, true}) {
        const PreparedTarget target(Target{.reference = &reference,
                                           .manifold = task.manifold.get(),
                                           .partition = task.partition.get(),
                                           .masses = &task.masses,
                                           .evaluation = evaluation_stream(task, 0)});
        const PreparedMetric prepared = metric->prepare(target);
        const MetricInput input(target, {.projected = projected});
        const auto streamed = [&](Index size, Index upto) {
          const std::unique_ptr<MetricStream> stream = prepared.stream(input);
          for (int pass = 0; pass < stream->passes(); ++pass) {
            for (Index first = 0; first < upto; first += size) {
              // Projected chunk by chunk, as score does.
              const Points chunk = samples.middleCols(first, std::min(size, upto - first));
              const Projection own = task.manifold->project(chunk);
              stream->add(pass, projected ? own.points : chunk, &own);
            }
          }
          return stream->finish();
        };
        const MetricInput all(
            target,
            {.samples = projected ? &projection.points : &samples, .projection = &projection, .projected = projected});
        const std::vector<MetricRecord> whole = prepared.measure(all);
        ASSERT_EQ(whole.size(), 1U);
        EXPECT_EQ(whole[0].status.text(), "ok") << spec.name;
        EXPECT_EQ(whole[0].n_nonfinite, 2) << spec.name;
        EXPECT_EQ(whole[0].n_samples, n) << spec.name;
        for (const Index size : {1, 7, 256, 1000, 1024, 2499, 2500}) {
          EXPECT_TRUE(same(streamed(size, n), whole)) << name << " " << spec.name << " chunks of " << size;
        }
        // Control: a chunk that was forgotten is seen.
        EXPECT_FALSE(same(streamed(1000, 2000), whole)) << spec.name;
      }
    }
  }
}

TEST(Score, FilesLargerThanTheLimitGiveTheSameBits) {
  const TemporaryDirectory directory;
  const Points samples = near_samples(make_test_task("sphere-vmf6"), 2000);
  for (const char* extension : {"npy", "h5", "csv"}) {
    ScoreRequest request;
    request.samples = directory.file(std::string("samples.") + extension);
    request.task = "sphere-vmf6";
    request.metrics = streaming_metrics;
    request.allow_nonfinite = true;
    write_points(request.samples, samples);
    const Score whole = score_samples(request);
    request.memory_bytes = 40'000;  // the points have 48,000
    const Score chunks = score_samples(request);
    EXPECT_TRUE(same(records(chunks, "raw"), records(whole, "raw"))) << extension;
    EXPECT_TRUE(same(records(chunks, "projected"), records(whole, "projected"))) << extension;
    request.metrics = "fd,coverage,one_nna";
    EXPECT_TRUE(
        throws_message<InvalidInput>([&] { (void)score_samples(request); }, {"coverage, one_nna. 1666 points fit"}));
    request.metrics = "fd";
    request.allow_nonfinite = false;
    EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)score_samples(request); },
                                             {"row 666 (counted from 0) is not finite"}));
  }
}

TEST(Score, WhatAMetricLacksIsAnErrorOnlyIfItWasNamed) {
  const TemporaryDirectory directory;
  ScoreRequest request;
  request.samples = directory.file("samples.npy");
  request.task = "sphere-vmf6";
  request.reference_size = 200;
  write_points(request.samples, exported_points(task_from_text("sphere-vmf6"), 100, 0, ""));
  for (const MetricRecord& record : records(score_samples(request), "raw")) {
    EXPECT_NE(record.name, "train_copy_rate");
    EXPECT_EQ(record.status.text(), "ok") << record.name;
  }
  request.metrics = "fd,train_copy_rate";
  EXPECT_TRUE(
      throws_message<InvalidInput>([&] { (void)score_samples(request); }, {"train_copy_rate: no training points"}));
  request.train = request.samples;
  EXPECT_EQ(records(score_samples(request), "raw").size(), 2U);

  ScoreRequest files;
  files.samples = files.reference = request.samples;
  files.metrics = "tvd";
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)score_samples(files); }, {"tvd: no partition; give bins"}));
  files.metrics = "tvd(bins=4)";
  EXPECT_EQ(score_samples(files).metrics.at(0).record.value, 0);  // a set against itself
}

TEST(Score, JsonHasNullForWhatIsUnknown) {
  Score score;
  MetricRecord record;
  record.name = "fd";
  record.status = {RecordState::failed, "x"};
  score.metrics.push_back({"raw", record});
  record.value = std::numeric_limits<double>::infinity();
  score.metrics.push_back({"projected", record});
  const std::string text = to_json(to_value(score));
  EXPECT_NE(text.find(R"("value":"nan")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("value":"inf")"), std::string::npos) << text;
  for (const char* key : {"null", "null_sd", "se", "target"}) {
    EXPECT_NE(text.find(fmt::format("\"{}\":null", key)), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace onmanifold
