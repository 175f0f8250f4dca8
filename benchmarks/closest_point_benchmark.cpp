// SPDX-License-Identifier: Apache-2.0
// Closest points on a mesh of about 75,000 faces, queries a second on one core. The mesh is a bumpy sphere
// made here, or the OFF, OBJ or PLY file named by the environment variable ONMANIFOLD_BENCHMARK_MESH.
#include <cmath>
#include <cstdlib>
#include <memory>

#include <benchmark/benchmark.h>

#include "manifolds/mesh_files.hpp"
#include "manifolds/triangle_mesh.hpp"
#include "tests/support/test_meshes.hpp"

namespace onmanifold {
namespace {

const TriangleMesh& mesh() {
  static const std::unique_ptr<const TriangleMesh> instance = [] {
    if (const char* path = std::getenv("ONMANIFOLD_BENCHMARK_MESH")) {
      return std::make_unique<const TriangleMesh>(read_mesh(path));
    }
    test::MeshArrays arrays = test::torus(1, 0.4, 274, 137);
    for (Index v = 0; v < arrays.vertices.cols(); ++v) {
      const double x = arrays.vertices(0, v);
      const double y = arrays.vertices(1, v);
      arrays.vertices.col(v) *= 1 + 0.05 * std::sin(7 * x) * std::cos(9 * y);
    }
    return std::make_unique<const TriangleMesh>(arrays.vertices, arrays.faces);
  }();
  return *instance;
}

enum Queries { normal_1_percent, sheet_5_percent, volume_5_percent };

// Normal offsets with mean distance 1 % of the diagonal; offsets uniform within ±5 % of it; uniform in the
// bounding box enlarged by 5 % on every side.
Points queries(Queries kind, Index n) {
  const Stream stream(1, "benchmark");
  if (kind == volume_5_percent) {
    const Eigen::Array3d low = mesh().vertices().rowwise().minCoeff();
    const Eigen::Array3d size = mesh().vertices().rowwise().maxCoeff().array() - low;
    Points x = stream.at("volume").uniform(3, n);
    for (Index j = 0; j < n; ++j) x.col(j).head<3>() = low + (1.1 * x.col(j).head<3>().array() - 0.05) * size;
    return x;
  }
  const SurfacePoints base = mesh().sample_uniform(n, stream.at("base"));
  const Points normal = stream.at("normal").normal(1, n);
  const Points uniform = stream.at("uniform").uniform(1, n);
  Points x = base.points;
  for (Index j = 0; j < n; ++j) {
    // E|N(0, s)| = 0.8 s
    const double offset = kind == normal_1_percent ? 0.0125 * normal(0, j) : 0.1 * uniform(0, j) - 0.05;
    x.col(j) += mesh().diagonal() * offset * mesh().face_normals().col(base.faces(j));
  }
  return x;
}

void closest_points(benchmark::State& state) {
  const auto kind = static_cast<Queries>(state.range(0));
  const Points x = queries(kind, state.range(1));
  double mean = 0;
  for (auto _ : state) {
    const ClosestPoints found = mesh().closest_points(x);
    mean = found.distances.mean();
    benchmark::DoNotOptimize(mean);
  }
  state.SetItemsProcessed(state.iterations() * x.cols());
  state.counters["distance_percent"] = 100 * mean / mesh().diagonal();
}
BENCHMARK(closest_points)
    ->ArgNames({"kind", "n"})
    ->ArgsProduct({{normal_1_percent, sheet_5_percent, volume_5_percent}, {10000, 100000}});

void closest_point_one_by_one(benchmark::State& state) {
  const Points x = queries(static_cast<Queries>(state.range(0)), 100000);
  Index j = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(mesh().closest_point(x.col(j)));
    j = (j + 1) % x.cols();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(closest_point_one_by_one)
    ->ArgName("kind")
    ->Arg(normal_1_percent)
    ->Arg(sheet_5_percent)
    ->Arg(volume_5_percent);

void build_index(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(ClosestPointIndex(mesh().vertices(), mesh().faces()));
}
BENCHMARK(build_index)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace onmanifold
