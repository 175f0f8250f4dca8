// SPDX-License-Identifier: Apache-2.0
// Random streams beside the generator and the distribution of the standard library. items_per_second counts
// numbers.

#include <random>

#include <benchmark/benchmark.h>

#include "core/random/stream.hpp"

namespace onmanifold {
namespace {

// 64 kB of doubles: what a sampling step of a block of points needs, and within L2.
constexpr Index count = 8192;

void fill_normal_double(benchmark::State& state) {
  Stream stream(0, "benchmark");
  Points out(8, count / 8);
  for ([[maybe_unused]] auto _ : state) {
    stream.fill_normal(out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(fill_normal_double);

void fill_normal_float(benchmark::State& state) {
  Stream stream(0, "benchmark");
  Eigen::MatrixXf out(8, count / 8);
  for ([[maybe_unused]] auto _ : state) {
    stream.fill_normal(out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(fill_normal_float);

void fill_uniform_double(benchmark::State& state) {
  Stream stream(0, "benchmark");
  Points out(8, count / 8);
  for ([[maybe_unused]] auto _ : state) {
    stream.fill_uniform(out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(fill_uniform_double);

void one_normal(benchmark::State& state) {
  Stream stream(0, "benchmark");
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(stream.normal());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(one_normal);

void permutation(benchmark::State& state) {
  Stream stream(0, "benchmark");
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(stream.permutation(count));
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(permutation);

template <class Scalar>
void standard_library_normal(benchmark::State& state) {
  std::mt19937_64 engine(0);
  std::normal_distribution<Scalar> distribution;
  Eigen::Matrix<Scalar, Eigen::Dynamic, 1> out(count);
  for ([[maybe_unused]] auto _ : state) {
    for (Scalar& value : out) value = distribution(engine);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(standard_library_normal<double>);
BENCHMARK(standard_library_normal<float>);

}  // namespace
}  // namespace onmanifold
