// SPDX-License-Identifier: Apache-2.0
// Metrics at the sizes people use: kernel sums, neighbour searches with their crossover, and the default list
// of a cell.
#include <benchmark/benchmark.h>

#include "core/random/stream.hpp"
#include "metrics/frechet.hpp"
#include "metrics/mmd.hpp"
#include "metrics/neighbours.hpp"
#include "metrics/prdc.hpp"
#include "metrics/registry.hpp"
#include "metrics/support.hpp"
#include "metrics/transport.hpp"

namespace onmanifold {
namespace {

Points cloud(Index dimension, Index n, const char* name) {
  return Stream(1, "benchmark").at(name).normal(dimension, n);
}

void mmd(benchmark::State& state, const RadialKernel& kernel) {
  const Points x = cloud(3, state.range(0), "x");
  const Points y = cloud(3, state.range(0), "y");
  for (auto _ : state) benchmark::DoNotOptimize(mmd2(x, y, kernel));
}
void mmd2_one_bandwidth(benchmark::State& state) {
  mmd(state, RadialKernel({0.5}));
}
void mmd2_five_bandwidths(benchmark::State& state) {
  mmd(state, RadialKernel({.01, .1, 1, 10, 100}));
}
BENCHMARK(mmd2_one_bandwidth)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(mmd2_five_bandwidths)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

// The record of a run: with the standard error and the null spread, nothing remembered from before.
void mmd2_record_five_bandwidths(benchmark::State& state) {
  const Points x = cloud(3, state.range(0), "x");
  const Points y = cloud(3, state.range(0), "y");
  const auto metric = make_metric(parse_metric_list("mmd2_rbf_unbiased(bandwidth=bank)")[0]);
  for (auto _ : state) {
    const PreparedTarget target(Target{.reference = &x, .evaluation = Stream(1, "evaluation")});
    benchmark::DoNotOptimize(metric->prepare(target).measure(MetricInput(target, {.samples = &y})));
  }
}
BENCHMARK(mmd2_record_five_bandwidths)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

void prdc_k5(benchmark::State& state) {
  const Points x = cloud(3, state.range(0), "x");
  const Points y = cloud(3, state.range(0), "y");
  for (auto _ : state) benchmark::DoNotOptimize(prdc(x, y, 5));
}
BENCHMARK(prdc_k5)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

void fd_2048(benchmark::State& state) {
  const Points x = cloud(2048, state.range(0), "x");
  const Points y = cloud(2048, state.range(0), "y");
  for (auto _ : state) benchmark::DoNotOptimize(frechet_distance(x, y));
}
BENCHMARK(fd_2048)->Arg(5000)->Iterations(1)->Unit(benchmark::kMillisecond);

void w2_exact(benchmark::State& state) {
  const Points x = cloud(3, state.range(0), "x");
  const Points y = cloud(3, state.range(0), "y");
  for (auto _ : state) benchmark::DoNotOptimize(exact_transport(x, y, 2));
}
BENCHMARK(w2_exact)->Arg(500)->Arg(2000)->Iterations(1)->Unit(benchmark::kMillisecond);

void median(benchmark::State& state) {
  const Points x = cloud(3, state.range(0), "x");
  for (auto _ : state) benchmark::DoNotOptimize(median_distance(x));
}
BENCHMARK(median)->Arg(2000)->Arg(20000)->Unit(benchmark::kMillisecond);

// The crossover: 1-NN of 5,000 Gaussian points among 5,000, by dimension and method (0 tree, 1 products).
void nearest(benchmark::State& state) {
  const auto method = state.range(1) == 0 ? NeighbourIndex::Method::tree : NeighbourIndex::Method::products;
  const Points x = cloud(state.range(0), 5000, "x");
  const Points y = cloud(state.range(0), 5000, "y");
  for (auto _ : state) benchmark::DoNotOptimize(NeighbourIndex(x, method).nearest(y));
}
BENCHMARK(nearest)->ArgsProduct({{2, 3, 6, 8, 10, 12, 16}, {0, 1}})->Unit(benchmark::kMillisecond);

class SphereLaw final : public Sampler {
 public:
  [[nodiscard]] Index dimension() const override { return 3; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override {
    Points points = stream.normal(3, n);
    points.colwise().normalize();
    return points;
  }
};

// What the cells of a task cost: two evaluations (raw, projected) of 10,000 samples; argument 1: the first
// cell of a process, which also simulates the null values; 0: a later one.
void cell(benchmark::State& state) {
  const SphereLaw law;
  const Points reference = law.sample(10000, Stream(1, "reference"));
  const Points training = law.sample(10000, Stream(1, "training"));
  const auto specs =
      parse_metric_list("coverage,cov_match,mmd2_rbf_biased(sigma=0.5),mmd2_rbf_unbiased(sigma=0.5),train_copy_rate");
  std::vector<std::unique_ptr<Metric>> metrics;
  for (const MetricSpec& spec : specs) metrics.push_back(make_metric(spec));
  std::optional<PreparedTarget> target;
  std::optional<TrainingPoints> training_points;
  const auto prepare = [&] {
    target.emplace(Target{.reference = &reference, .sampler = &law, .evaluation = Stream(1, "evaluation")});
    training_points.emplace(training);
  };
  prepare();
  std::uint64_t number = 0;
  for (auto _ : state) {
    if (state.range(0) == 1) prepare();
    Points raw = law.sample(10000, Stream(1, "samples").at(++number));
    Points projected = raw;
    raw *= 1.01;
    for (const Points* samples : {&raw, &projected}) {
      const MetricInput input(*target, {.samples = samples, .training = &*training_points, .projected = true});
      for (const auto& metric : metrics) benchmark::DoNotOptimize(metric->prepare(*target).measure(input));
    }
  }
}
BENCHMARK(cell)->Arg(1)->Arg(0)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace onmanifold
