// SPDX-License-Identifier: Apache-2.0
// The U-Net of the image tasks at its shipped size: a training step at batch 64 and one sampling step of 512
// images, with images a second and the rate of the convolutions' arithmetic. benchmarks/peers/unet.sh sets
// them against PyTorch.

#include <numeric>

#include <benchmark/benchmark.h>

#include "models/diffusion/denoiser_training.hpp"
#include "models/diffusion/diffusion_model.hpp"
#include "models/diffusion/diffusion_sampler.hpp"
#include "models/networks/unet.hpp"

namespace onmanifold {
namespace {

constexpr Index batch = 64;

ImageLayout square(Index side) {
  ImageLayout image{.height = side, .width = side, .pixels = std::vector<Index>(static_cast<std::size_t>(side * side))};
  std::iota(image.pixels.begin(), image.pixels.end(), Index{0});
  return image;
}

/// 1,024 standard normal images, the same in every pass.
class NormalSource final : public TrainingSource {
 public:
  explicit NormalSource(Index size) : points_(Stream(1, "benchmark").normal(size, 1024)) {}
  [[nodiscard]] Index dimension() const override { return points_.rows(); }
  [[nodiscard]] Index size() const override { return points_.cols(); }
  [[nodiscard]] const Points& clean_points() const override { return points_; }
  [[nodiscard]] Points epoch(Index) const override { return points_; }

 private:
  Points points_;
};

void rates(benchmark::State& state, Index images, double multiply_adds) {
  const auto n = static_cast<double>(images);
  state.counters["images/s"] = benchmark::Counter(n, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * n * multiply_adds, benchmark::Counter::kIsIterationInvariantRate);
}

/// Everything a step does: batch, times, noise, embedding, forward, backward, Adam and weight average.
void unet_training_step(benchmark::State& state) {
  const Unet network(square(state.range(0)));
  const NormalSource source(network.data_size());
  const NoiseSchedule schedule = NoiseSchedule::cosine(100, 0.9);
  const NoisePrediction objective(schedule);
  DenoiserTrainer trainer(network, objective, {}, batch, Stream(1, "weights"), Stream(1, "noise"));
  BatchReader reader(source, standardisation(source));
  for (auto _ : state) benchmark::DoNotOptimize(trainer.step(reader).loss);
  rates(state, batch, 3 * static_cast<double>(network.multiply_adds()));
}
BENCHMARK(unet_training_step)->Arg(28)->Arg(14)->Unit(benchmark::kMillisecond);

/// One step of ancestral sampling for 512 images: network and noise.
void unet_sampling_step(benchmark::State& state) {
  constexpr Index steps = 2;
  const Unet network(square(state.range(0)));
  const Eigen::VectorXf parameters = network.initial_parameters(Stream(1, "weights"));
  const NoiseSchedule schedule = NoiseSchedule::cosine(steps, 0.9);
  const BlockDenoiser epsilon = make_block_denoiser(network, parameters, time_embedding(steps));
  while (state.KeepRunningBatch(steps)) {
    const Points samples =
        sample_diffusion(schedule, {}, epsilon, network.data_size(), sampling_block, Stream(1, "sampling"));
    benchmark::DoNotOptimize(samples.data());
  }
  rates(state, sampling_block, static_cast<double>(network.multiply_adds()));
}
BENCHMARK(unet_sampling_step)->Arg(28)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace onmanifold
