// SPDX-License-Identifier: Apache-2.0
// Metrics at the sizes people use: kernel sums, neighbour searches with their crossover, and the default list
// of a cell.
#include <benchmark/benchmark.h>

#include "core/stream.hpp"
#include "metrics/mmd.hpp"
#include "metrics/neighbours.hpp"
#include "metrics/prdc.hpp"
#include "metrics/support.hpp"

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

void prdc_k5(benchmark::State& state) {
  const Points x = cloud(3, state.range(0), "x");
  const Points y = cloud(3, state.range(0), "y");
  for (auto _ : state) benchmark::DoNotOptimize(prdc(x, y, 5));
}
BENCHMARK(prdc_k5)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

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

}  // namespace
}  // namespace onmanifold
