// SPDX-License-Identifier: Apache-2.0
// A Lyapunov pass over 1,000 points beside the plain evaluations of its network, at the shipped denoiser
// (35-128-128-128-3). The counter `ratio` is CPU seconds of the pass over those of (steps · 2 · points ·
// vectors) plain evaluations, both in the same run and in turns, so that a busy machine slows both.

#include <algorithm>
#include <ctime>

#include <benchmark/benchmark.h>

#include "diagnostics/lyapunov.hpp"
#include "models/diffusion/diffusion_model.hpp"
#include "models/diffusion/diffusion_sampler.hpp"
#include "models/networks/mlp.hpp"
#include "models/networks/time_embedding.hpp"
#include "models/score_fields.hpp"

namespace onmanifold {
namespace {

constexpr Index points = 1000;
constexpr Index steps = 10;

/// Of this process: other work on the machine counts little.
double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void lyapunov_pass(benchmark::State& state) {
  const Index vectors = state.range(0);
  const Mlp network({.data = 3, .width = 128, .depth = 3});
  const Eigen::VectorXf parameters = network.initial_parameters(Stream(1, "weights"));
  const DiffusionFrame frame{NoiseSchedule::cosine(steps + 1, 0.9), {Vector::Zero(3), 1}, nullptr};
  const DiffusionObjective objective(frame);
  const auto field = make_diffusion_score_field(network, parameters, objective, frame);
  const Points start = Stream(1, "start").normal(3, points);
  const Eigen::VectorXf embedding = time_embedding(steps + 1).col(1);
  constexpr Index block = 512;
  const auto scratch = network.make_scratch(block);
  const Eigen::MatrixXf x = start.leftCols(block).cast<float>();
  Eigen::MatrixXf y(3, block);
  double pass = 0;
  double plain = 0;
  for (auto _ : state) {
    double since = cpu_seconds();
    const LyapunovResult result = lyapunov(*field, start, {.vectors = vectors}, Stream(1, "lyapunov"));
    benchmark::DoNotOptimize(result.exponents.data());
    pass += cpu_seconds() - since;
    since = cpu_seconds();
    for (Index left = 2 * steps * points * vectors; left > 0; left -= block) {
      network.evaluate(parameters, x, std::min(block, left), embedding, *scratch, y);
      benchmark::DoNotOptimize(y.data());
    }
    plain += cpu_seconds() - since;
  }
  state.counters["ratio"] = pass / plain;
  state.counters["pass_ms"] = 1e3 * pass / static_cast<double>(state.iterations());
}
BENCHMARK(lyapunov_pass)->Arg(1)->Arg(2)->Arg(3)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace onmanifold
