// SPDX-License-Identifier: Apache-2.0
// bunny-eigen, bunny-eigen10, -50, -100: clamped Laplace–Beltrami eigenfunctions on the Stanford Bunny.
#include <array>
#include <cmath>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/hdf5_file.hpp"
#include "core/sha256.hpp"
#include "core/shipped_file.hpp"
#include "datasets/mesh_law.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/triangle_mesh.hpp"

namespace onmanifold {
namespace {

constexpr Index default_patches = 400;
constexpr std::array<int, 3> eigen_numbers = {10, 50, 100};

/// A law on the faces, with what identifies it.
struct EigenLaw {
  std::shared_ptr<const FaceLaw> law;
  std::string data_hash;
};

struct Bunny {
  std::shared_ptr<const TriangleMesh> mesh;
  EigenLaw mixture;                                      // of all eigen_numbers
  std::array<EigenLaw, eigen_numbers.size()> single;     // in their order
  std::shared_ptr<const MeshPatches> patches;
  std::string origin;
  double mean_edge = 0;
};

void hash_numbers(Sha256& hash, const PointsRef& values) {
  for (Index j = 0; j < values.cols(); ++j) {
    hash.update(&values.coeffRef(0, j), static_cast<std::size_t>(values.rows()) * sizeof(double));
  }
}

double mean_edge_length(const TriangleMesh& mesh) {
  double total = 0;  // every edge twice
  for (Index f = 0; f < mesh.faces().cols(); ++f) {
    for (Index c = 0; c < 3; ++c) {
      const int i = mesh.faces()(c, f);
      const int j = mesh.faces()((c + 1) % 3, f);
      double square = 0;
      for (Index k = 0; k < 3; ++k) square += std::pow(mesh.vertices()(k, i) - mesh.vertices()(k, j), 2);
      total += std::sqrt(square);
    }
  }
  return total / static_cast<double>(3 * mesh.faces().cols());
}

Bunny load_bunny() {
  const Hdf5Reader file(shipped_file("datasets/data/bunny00.h5"));
  const Points vertices = file.matrix("/vertices", 3);
  const Eigen::MatrixXi faces = file.integer_matrix("/faces");
  const Vector numbers = file.vector("/eigenfunctions/numbers");
  const Points functions = file.matrix("/eigenfunctions/functions", vertices.cols(), numbers.size());

  Bunny bunny;
  bunny.origin = file.text("/origin");
  // Area 4π: that of the unit sphere, so that the uniform law has the same entropy there.
  bunny.mesh = std::make_shared<const TriangleMesh>(
      TriangleMesh(vertices, faces, "bunny00.off").scaled_to_area(4 * M_PI));
  bunny.mean_edge = mean_edge_length(*bunny.mesh);

  const auto begin_hash = [&](Sha256& hash, const std::string& title) {
    hash.update(title);
    hash_numbers(hash, vertices);
    hash.update(faces.data(), static_cast<std::size_t>(faces.size()) * sizeof(int));
  };
  Sha256 hash;
  begin_hash(hash, "mesh-eigenfunctions area=4pi numbers=10,50,100 weights=1/3");
  Vector weights = Vector::Zero(faces.cols());
  for (std::size_t i = 0; i < eigen_numbers.size(); ++i) {
    const int number = eigen_numbers[i];
    Index column = 0;
    while (column < numbers.size() && numbers[column] != number) ++column;
    if (column == numbers.size()) throw IoError(fmt::format("{}: no eigenfunction {}", file.path(), number));
    const Vector values = functions.col(column);
    hash_numbers(hash, values);
    Vector part(faces.cols());
    for (Index f = 0; f < faces.cols(); ++f) {
      double sum = 0;
      for (Index c = 0; c < 3; ++c) sum += std::max(values[faces(c, f)], 0.0);
      part[f] = sum / 3 * bunny.mesh->face_areas()[f];
    }
    weights += part / part.sum();
    Sha256 own;
    begin_hash(own, fmt::format("mesh-eigenfunctions area=4pi numbers={}", number));
    hash_numbers(own, values);
    bunny.single[i] = {std::make_shared<const FaceLaw>(bunny.mesh, part), to_hex(own.finish())};
  }
  bunny.mixture = {std::make_shared<const FaceLaw>(bunny.mesh, weights), to_hex(hash.finish())};
  bunny.patches = std::make_shared<const MeshPatches>(bunny.mesh, default_patches);
  return bunny;
}

/// Loaded on first use, once a process.
const Bunny& shared_bunny() {
  static const Bunny bunny = load_bunny();
  return bunny;
}

Task make_task(const std::string& name, const std::string& law_name, const EigenLaw& eigen, const Bunny& bunny,
               Settings& settings) {
  const Index count = settings.integer("patches", default_patches, 1, 20000);
  const auto partition =
      count == default_patches ? bunny.patches : std::make_shared<const MeshPatches>(bunny.mesh, count);

  Task task;
  task.name = name;
  task.description = law_name +
                     ", clamped at 0, on the Stanford Bunny (37,706 vertices, 75,408 faces, area 4 pi), uniform within "
                     "faces";
  task.data_hash = eigen.data_hash;
  task.manifold = bunny.mesh;
  task.sampler = eigen.law;
  task.density = eigen.law;
  task.partition = partition;
  task.masses = partition->sums(eigen.law->probabilities());
  task.entropy = eigen.law->entropy().value();
  task.preregistered_sigma =
      bunny.mean_edge;  // a polyhedron has no reach: the length of its edges sets the scale
  for (const double multiple : {0.1, 0.2, 0.5, 1.0, 2.0, 4.0})
    task.sigma_grid.push_back(multiple * bunny.mean_edge);
  task.surface = Surface{bunny.mesh->vertices(), bunny.mesh->faces()};
  read_common_settings(task, settings, eigen.law->standard_deviation());
  return task;
}

template <std::size_t i>
Task make_single(Settings& settings) {
  const Bunny& bunny = shared_bunny();
  return make_task(fmt::format("bunny-eigen{}", eigen_numbers[i]),
                   fmt::format("the Laplace-Beltrami eigenfunction {}", eigen_numbers[i]), bunny.single[i], bunny,
                   settings);
}

}  // namespace

Task make_bunny_eigen(Settings& settings) {
  const Bunny& bunny = shared_bunny();
  return make_task("bunny-eigen", "equal mixture of the Laplace-Beltrami eigenfunctions 10, 50 and 100", bunny.mixture,
                   bunny, settings);
}

Task make_bunny_eigen10(Settings& settings) {
  return make_single<0>(settings);
}

Task make_bunny_eigen50(Settings& settings) {
  return make_single<1>(settings);
}

Task make_bunny_eigen100(Settings& settings) {
  return make_single<2>(settings);
}

}  // namespace onmanifold
