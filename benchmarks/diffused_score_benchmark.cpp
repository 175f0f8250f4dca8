// SPDX-License-Identifier: Apache-2.0
// The exact noised scores that methods are compared with, points a second on one core.
#include <cmath>
#include <string>

#include <benchmark/benchmark.h>

#include "datasets/task.hpp"

namespace onmanifold {
namespace {

// Arguments: lift level and noise level, in thousandths; a lift of 0 is none.
void score(benchmark::State& state, const std::string& name) {
  Settings settings(Value::Table{}, name);
  const Task task = task_registry().get(name).factory(settings);
  const double level = 1e-3 * static_cast<double>(state.range(0));
  const Lift lift{level > 0 ? LiftType::normal : LiftType::none, level};
  const double sigma = 1e-3 * static_cast<double>(state.range(1));
  const double a = std::sqrt(1 - sigma * sigma);  // as on the way from data to noise
  const Index n = 1024;
  const Points clean = task.sampler->sample(n, Stream(1, "benchmark"));
  const Points x = a * lift.apply(clean, *task.manifold, Stream(2, "benchmark")) +
                   sigma * Stream(3, "benchmark").normal(clean.rows(), n);
  const auto law = task.diffused_score(lift);
  for (auto _ : state) benchmark::DoNotOptimize(law->score(x, a, sigma).data());
  state.SetItemsProcessed(state.iterations() * n);
}
BENCHMARK_CAPTURE(score, circle_vm, "circle-vm")->ArgNames({"lift", "sigma"})->ArgsProduct({{0, 100}, {10, 100, 700}});
BENCHMARK_CAPTURE(score, torus_vm, "torus-vm")->ArgNames({"lift", "sigma"})->ArgsProduct({{0, 100}, {10, 100, 700}});
BENCHMARK_CAPTURE(score, sphere_vmf6, "sphere-vmf6")
    ->ArgNames({"lift", "sigma"})
    ->ArgsProduct({{0, 100}, {10, 100, 700}});

}  // namespace
}  // namespace onmanifold
