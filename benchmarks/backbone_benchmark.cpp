// SPDX-License-Identifier: Apache-2.0
// Projection on the manifold of protein backbones, chains a second on one core: Gauss–Newton alone and with
// the nearest point, and the cost by number of residues. Torsions near those of helices and strands, noise in
// all directions.
#include <benchmark/benchmark.h>

#include "manifolds/backbone.hpp"

namespace onmanifold {
namespace {

struct Noised {
  Noised(Index residues, double sigma, Index n)
      : backbone(residues, backbone_geometry("engh-huber-1991"), BackboneFrame::middle) {
    const Stream stream(1, "benchmark");
    Points torsions = 0.2 * stream.at("torsions").normal(3 * residues - 3, n);
    const Points kinds = stream.at("kinds").uniform(residues, n);
    for (Index c = 0; c < n; ++c) {
      for (Index j = 0; j < torsions.rows(); ++j) {
        const bool helix = kinds((j + 2) / 3, c) < 0.5;
        const double centres[3] = {helix ? -0.75 : 2.27, M_PI, helix ? -1.10 : -2.09};  // psi, omega, phi
        torsions(j, c) += centres[j % 3];
      }
    }
    clean = backbone.from_full_coordinates(build_backbone(torsions, backbone.geometry()));
    points = clean + sigma * stream.at("noise").normal(clean.rows(), n);
  }
  Backbone backbone;
  Points clean;
  Points points;
};

void project(benchmark::State& state, bool refine) {
  const Noised noised(state.range(0), 1e-3 * static_cast<double>(state.range(1)), 1024);
  BackboneProjection report;
  for (auto _ : state) {
    report = noised.backbone.project_with_report(noised.points, refine);
    benchmark::DoNotOptimize(report.projection.points.data());
  }
  state.SetItemsProcessed(state.iterations() * noised.points.cols());
  state.counters["failures"] = static_cast<double>(report.projection.failures());
  state.counters["gauss_newton_steps"] = report.gauss_newton_steps.maxCoeff();
  state.counters["refinement_steps"] = report.refinement_steps.maxCoeff();
}
void gauss_newton(benchmark::State& state) {
  project(state, false);
}
void nearest_point(benchmark::State& state) {
  project(state, true);
}
BENCHMARK(gauss_newton)->ArgNames({"residues", "milliangstrom"})->ArgsProduct({{16}, {50, 100, 200, 1000}});
BENCHMARK(nearest_point)->ArgNames({"residues", "milliangstrom"})->ArgsProduct({{16}, {50, 100, 200, 1000}});

// Cost by residues at one noise level: linear, so that residues a second stay the same.
void gauss_newton_by_length(benchmark::State& state) {
  const Noised noised(state.range(0), 0.02, 64);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        noised.backbone.project_with_report(noised.points, false).projection.points.data());
  }
  state.SetItemsProcessed(state.iterations() * noised.points.cols() * state.range(0));
  state.SetComplexityN(state.range(0));
}
BENCHMARK(gauss_newton_by_length)->RangeMultiplier(2)->Range(8, 512)->Complexity(benchmark::oN);

void lift_noise(benchmark::State& state) {
  const Noised noised(state.range(0), 0.05, 1024);
  const Points numbers = Stream(2, "benchmark").normal(noised.backbone.codimension(), 1024);
  for (auto _ : state) {
    benchmark::DoNotOptimize(noised.backbone.from_normal_coordinates(noised.clean, numbers).data());
  }
  state.SetItemsProcessed(state.iterations() * 1024);
}
BENCHMARK(lift_noise)->ArgName("residues")->Arg(16);

void nerf(benchmark::State& state) {
  const Noised noised(state.range(0), 0.05, 1024);
  const Points torsions = noised.backbone.torsions(noised.clean);
  for (auto _ : state) benchmark::DoNotOptimize(build_backbone(torsions, noised.backbone.geometry()).data());
  state.SetItemsProcessed(state.iterations() * 1024);
}
BENCHMARK(nerf)->ArgName("residues")->Arg(16);

}  // namespace
}  // namespace onmanifold
