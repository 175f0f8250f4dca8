// SPDX-License-Identifier: Apache-2.0
// Projection on the manifold of protein backbones, chains a second on one core: Gauss–Newton alone and with
// the nearest point, and the cost by number of residues. Torsions near those of helices and strands, noise in
// all directions. Argument planar: omega held at 180 degrees. real_fragments counts the steps of all shipped
// fragments.
#include <benchmark/benchmark.h>

#include "datasets/lift.hpp"
#include "datasets/readers/backbone_fragments.hpp"
#include "manifolds/backbone.hpp"

namespace onmanifold {
namespace {

struct Noised {
  Noised(Index residues, double sigma, Index n, bool planar = false)
      : backbone(residues, backbone_geometry("engh-huber-1991"), BackboneFrame::middle,
                 planar ? BackboneOmega::planar : BackboneOmega::free) {
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
    if (planar) flatten_omega(torsions);
    clean = backbone.from_full_coordinates(build_backbone(torsions, backbone.geometry()));
    points = clean + sigma * stream.at("noise").normal(clean.rows(), n);
  }
  Backbone backbone;
  Points clean;
  Points points;
};

void project(benchmark::State& state, bool refine) {
  const Noised noised(state.range(0), 1e-3 * static_cast<double>(state.range(1)), 1024, state.range(2) != 0);
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
BENCHMARK(gauss_newton)
    ->ArgNames({"residues", "milliangstrom", "planar"})
    ->ArgsProduct({{16}, {50, 100, 200, 1000}, {0, 1}});
BENCHMARK(nearest_point)
    ->ArgNames({"residues", "milliangstrom", "planar"})
    ->ArgsProduct({{16}, {50, 100, 200, 1000}, {0, 1}});

// All shipped fragments, with noise in normal directions or in all; counters over all of them. One pass says
// it all: the counters are the same every time.
void real_fragments(benchmark::State& state) {
  const bool planar = state.range(3) != 0;
  const Backbone backbone(state.range(0), backbone_geometry("engh-huber-1991"), BackboneFrame::middle,
                          planar ? BackboneOmega::planar : BackboneOmega::free);
  Points torsions = backbone_torsions(middle_part(shipped_backbone_fragments(), state.range(0)).coordinates);
  if (planar) flatten_omega(torsions);
  const Points clean = backbone.from_full_coordinates(build_backbone(torsions, backbone.geometry()));
  const Lift lift{state.range(2) != 0 ? LiftType::isotropic : LiftType::normal,
                  1e-3 * static_cast<double>(state.range(1))};
  const Points points = lift.apply(clean, backbone, Stream(3, "benchmark"));
  BackboneProjection landed;
  for (auto _ : state) landed = backbone.project_with_report(points, false);
  const BackboneProjection nearest = backbone.project_with_report(points);
  const auto n = static_cast<double>(points.cols());
  state.SetItemsProcessed(state.iterations() * points.cols());
  state.counters["chains"] = n;
  state.counters["failures"] = static_cast<double>(landed.projection.failures());
  state.counters["steps_most"] = landed.gauss_newton_steps.maxCoeff();
  state.counters["steps_mean"] = static_cast<double>(landed.gauss_newton_steps.sum()) / n;
  state.counters["nearest_failures"] = static_cast<double>(nearest.projection.failures());
  const auto miss = (nearest.projection.points - clean).colwise().norm().array();
  state.counters["returned"] = static_cast<double>((miss < 1e-6).count()) / n;
}
BENCHMARK(real_fragments)
    ->ArgNames({"residues", "milliangstrom", "isotropic", "planar"})
    ->ArgsProduct({{8, 16}, {50, 100, 200}, {0, 1}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

// Cost by residues at one noise level: linear, so that residues a second stay the same.
void gauss_newton_by_length(benchmark::State& state) {
  const Noised noised(state.range(0), 0.02, 64, state.range(1) != 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(noised.backbone.project_with_report(noised.points, false).projection.points.data());
  }
  state.SetItemsProcessed(state.iterations() * noised.points.cols() * state.range(0));
  state.SetComplexityN(state.range(0));
}
BENCHMARK(gauss_newton_by_length)
    ->ArgNames({"residues", "planar"})
    ->ArgsProduct({benchmark::CreateRange(8, 512, 2), {0}})
    ->Complexity(benchmark::oN);
BENCHMARK(gauss_newton_by_length)
    ->ArgNames({"residues", "planar"})
    ->ArgsProduct({benchmark::CreateRange(8, 512, 2), {1}})
    ->Complexity(benchmark::oN);

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
