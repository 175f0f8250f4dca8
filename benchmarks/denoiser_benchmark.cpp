// SPDX-License-Identifier: Apache-2.0
// The denoiser of the low-dimensional tasks (35-128-128-128-3): a training step at batch 256 and one sampling
// step of 10,000 points, beside the matrix-product rate that this core reaches. benchmarks/peers/denoiser.sh
// sets them against PyTorch.

#include <benchmark/benchmark.h>

#include "contracts/distribution.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/diffusion/diffusion_model.hpp"
#include "models/diffusion/diffusion_sampler.hpp"
#include "models/networks/mlp.hpp"
#include "models/networks/panels.hpp"

namespace onmanifold {
namespace {

constexpr Index batch = 256;
constexpr Index points = 10'000;
constexpr double weights = 3 * 128 + 2 * 128 * 128 + 128 * 3;  // products with x and h; those with e(t) are bias

/// 10,000 standard normal points, the same in every pass.
class NormalSource final : public TrainingSource {
 public:
  NormalSource() : points_(Stream(1, "benchmark").normal(3, points)) {}
  [[nodiscard]] Index dimension() const override { return 3; }
  [[nodiscard]] Index size() const override { return points_.cols(); }
  [[nodiscard]] const Points& clean_points() const override { return points_; }
  [[nodiscard]] Points epoch(Index) const override { return points_; }

 private:
  Points points_;
};

void gflops(benchmark::State& state, double per_iteration) {
  state.counters["GFLOP/s"] = benchmark::Counter(per_iteration * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

/// Everything a step does: batch, times, noise, embedding, forward, backward, Adam and weight average.
void training_step(benchmark::State& state) {
  const NormalSource source;
  const Mlp network({.data = 3, .width = 128, .depth = 3});
  const NoiseSchedule schedule = NoiseSchedule::cosine(100, 0.9);
  const NoisePrediction objective(schedule);
  DenoiserTrainer trainer(network, objective, {}, batch, Stream(1, "weights"), Stream(1, "noise"));
  BatchReader reader(source, standardisation(source));
  for (auto _ : state) benchmark::DoNotOptimize(trainer.step(reader).loss);
  // Forward, weight gradient, and data gradient of all but the first layer.
  const double embedding = 32 * 128;
  gflops(state, 2.0 * batch * (2 * (weights + embedding) + weights - 3 * 128));
}
BENCHMARK(training_step)->Unit(benchmark::kMillisecond);

/// One step of ancestral sampling for 10,000 points: network and noise, in blocks, T = 50 steps divided
/// by 50.
void sampling_step(benchmark::State& state) {
  constexpr Index steps = 50;
  const Mlp network({.data = 3, .width = 128, .depth = 3});
  const Eigen::VectorXf parameters = network.initial_parameters(Stream(1, "weights"));
  const NoiseSchedule schedule = NoiseSchedule::cosine(steps, 0.9);
  const BlockDenoiser epsilon = make_block_denoiser(network, parameters, time_embedding(steps));
  while (state.KeepRunningBatch(steps)) {
    const Points samples = sample_diffusion(schedule, {}, epsilon, 3, points, Stream(1, "sampling"));
    benchmark::DoNotOptimize(samples.data());
  }
  gflops(state, 2.0 * points * weights);
}
BENCHMARK(sampling_step)->Unit(benchmark::kMillisecond);

/// Product 128×128 by 128×256 by the panel kernel, without bias or activation: the rate others are a fraction
/// of.
void matrix_product_panels(benchmark::State& state) {
  constexpr Index capacity = batch + 8;
  Eigen::VectorXf weight = Eigen::VectorXf::Constant(128 * 128, 0.01F);
  Eigen::VectorXf in = Eigen::VectorXf::Constant(128 * capacity, 0.1F);
  Eigen::VectorXf out = in;
  for (auto _ : state) {
    for (Index p = 0; p < 128; p += panels::height) {
      for (Index c = 0; c < batch; c += panels::tile_columns) {
        panels::Tile<panels::tile_columns> tile{};
        for (Index k = 0; k < 128; k += panels::height) {
          panels::accumulate<panels::tile_columns>(tile, weight.data() + (p * 128) + k * panels::height,
                                                   in.data() + k * capacity + c * panels::height, panels::height, 1,
                                                   panels::height);
        }
        for (int j = 0; j < panels::tile_columns; ++j) {
          for (int v = 0; v < panels::vectors; ++v) {
            panels::store(out.data() + p * capacity + (c + j) * panels::height + v * panels::lanes, tile[j][v]);
          }
        }
      }
    }
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  gflops(state, 2.0 * 128 * 128 * batch);
}
BENCHMARK(matrix_product_panels)->Unit(benchmark::kMicrosecond);

/// The same product by Eigen.
void matrix_product_eigen(benchmark::State& state) {
  const Eigen::MatrixXf weight = Eigen::MatrixXf::Constant(128, 128, 0.01F);
  const Eigen::MatrixXf in = Eigen::MatrixXf::Constant(128, batch, 0.1F);
  Eigen::MatrixXf out(128, batch);
  for (auto _ : state) {
    out.noalias() = weight * in;
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  gflops(state, 2.0 * 128 * 128 * batch);
}
BENCHMARK(matrix_product_eigen)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace onmanifold
