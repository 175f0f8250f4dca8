// SPDX-License-Identifier: Apache-2.0
// bunny-eigen, bunny-eigen10, -50, -100, elephant-eigen, mesh-eigen: clamped Laplace–Beltrami eigenfunctions
// on shipped meshes and on those of the user.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/files/sha256.hpp"
#include "core/files/shipped_file.hpp"
#include "core/math/summation.hpp"
#include "datasets/laws/mesh_eigenfunctions.hpp"
#include "datasets/laws/mesh_law.hpp"
#include "datasets/readers/missing_data.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/mesh_files.hpp"
#include "manifolds/triangle_mesh.hpp"

namespace onmanifold {
namespace {

constexpr Index default_patches = 400;
const std::vector<int> shipped_numbers = {10, 50, 100};

/// A law on the faces, with what identifies it.
struct EigenLaw {
  std::shared_ptr<const FaceLaw> law;
  std::string data_hash;
};

/// A mesh with the laws of its eigenfunctions.
struct EigenMesh {
  std::string title;  // for descriptions
  std::shared_ptr<const TriangleMesh> mesh;
  EigenLaw mixture;              // of all numbers
  std::vector<EigenLaw> single;  // in their order
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
      for (Index k = 0; k < 3; ++k) {
        const double step = mesh.vertices()(k, i) - mesh.vertices()(k, j);
        square += step * step;
      }
      total += std::sqrt(square);
    }
  }
  return total / static_cast<double>(3 * mesh.faces().cols());
}

/// Masses of the faces under max(phi, 0), interpolated within faces, up to a factor.
Vector clamped_masses(const TriangleMesh& mesh, const Vector& phi) {
  Vector part(mesh.faces().cols());
  for (Index f = 0; f < part.size(); ++f) {
    double sum = 0;
    for (Index c = 0; c < 3; ++c) sum += std::max(phi[mesh.faces()(c, f)], 0.0);
    part[f] = sum / 3 * mesh.face_areas()[f];
  }
  return part;
}

Vector mixture_masses(const TriangleMesh& mesh, const Points& functions) {
  Vector weights = Vector::Zero(mesh.faces().cols());
  for (Index k = 0; k < functions.cols(); ++k) {
    const Vector part = clamped_masses(mesh, functions.col(k));
    weights += part / tree_sum(part);
  }
  return weights;
}

EigenMesh load_shipped(const std::string& name, const std::string& title) {
  const Hdf5Reader file(shipped_file(fmt::format("datasets/data/{}.h5", name)));
  const Points vertices = file.matrix("/vertices", 3);
  const Eigen::MatrixXi faces = file.integer_matrix("/faces");
  const Vector numbers = file.vector("/eigenfunctions/numbers");
  const Points functions = file.matrix("/eigenfunctions/functions", vertices.cols(), numbers.size());

  EigenMesh result;
  result.title = fmt::format("{} ({} vertices, {} faces, area 4 pi)", title, vertices.cols(), faces.cols());
  result.origin = file.text("/origin");
  // Area 4π: that of the unit sphere, so that the uniform law has the same entropy there.
  result.mesh = std::make_shared<const TriangleMesh>(
      TriangleMesh(vertices, faces, "path=" + name + ".off").scaled_to_area(4 * M_PI));
  result.mean_edge = mean_edge_length(*result.mesh);

  const auto begin_hash = [&](Sha256& hash, const std::string& heading) {
    hash.update(heading);
    hash_numbers(hash, vertices);
    hash.update(faces.data(), static_cast<std::size_t>(faces.size()) * sizeof(int));
  };
  Sha256 hash;
  begin_hash(hash, "mesh-eigenfunctions area=4pi numbers=10,50,100 weights=1/3");
  Points chosen(vertices.cols(), static_cast<Index>(shipped_numbers.size()));
  for (std::size_t i = 0; i < shipped_numbers.size(); ++i) {
    const int number = shipped_numbers[i];
    Index column = 0;
    while (column < numbers.size() && numbers[column] != number) ++column;
    if (column == numbers.size()) throw IoError(fmt::format("{}: no eigenfunction {}", file.path(), number));
    const Vector values = functions.col(column);
    chosen.col(static_cast<Index>(i)) = values;
    hash_numbers(hash, values);
    Sha256 own;
    begin_hash(own, fmt::format("mesh-eigenfunctions area=4pi numbers={}", number));
    hash_numbers(own, values);
    result.single.push_back(
        {std::make_shared<const FaceLaw>(result.mesh, clamped_masses(*result.mesh, values)), to_hex(own.finish())});
  }
  result.mixture = {std::make_shared<const FaceLaw>(result.mesh, mixture_masses(*result.mesh, chosen)),
                    to_hex(hash.finish())};
  result.patches = std::make_shared<const MeshPatches>(result.mesh, default_patches);
  return result;
}

/// Loaded on first use, once a process.
const EigenMesh& shared_bunny() {
  static const EigenMesh bunny = load_shipped("bunny00", "the Stanford Bunny");
  return bunny;
}

const EigenMesh& shared_elephant() {
  static const EigenMesh elephant = load_shipped("elephant", "an elephant of genus 3");
  return elephant;
}

Task make_task(const std::string& name, const std::string& law_name, const EigenLaw& eigen, const EigenMesh& surface,
               Settings& settings) {
  const Index usual = surface.patches->size();
  const Index count = settings.integer("patches", usual, 1, 20000, "patches of the partition of the surface");
  const auto partition = count == usual ? surface.patches : std::make_shared<const MeshPatches>(surface.mesh, count);

  Task task;
  task.name = name;
  task.version = 2;  // the same bits on every machine
  task.description = fmt::format("{}, clamped at 0, on {}, uniform within faces", law_name, surface.title);
  task.data_hash = eigen.data_hash;
  task.manifold = surface.mesh;
  task.sampler = eigen.law;
  task.density = eigen.law;
  task.partition = partition;
  task.masses = partition->sums(eigen.law->probabilities());
  task.entropy = eigen.law->entropy().value();
  task.preregistered_sigma = surface.mean_edge;  // a polyhedron has no reach: the length of its edges sets the scale
  for (const double multiple : {0.1, 0.2, 0.5, 1.0, 2.0, 4.0}) task.sigma_grid.push_back(multiple * surface.mean_edge);
  task.surface = Surface{surface.mesh->vertices(), surface.mesh->faces()};
  read_common_settings(task, settings, eigen.law->standard_deviation());
  return task;
}

template <std::size_t i>
Task make_single(Settings& settings) {
  return make_task(fmt::format("bunny-eigen{}", shipped_numbers[i]),
                   fmt::format("the Laplace-Beltrami eigenfunction {}", shipped_numbers[i]), shared_bunny().single[i],
                   shared_bunny(), settings);
}

/// Numbers split by ':', e.g. "10:50:100".
std::vector<Index> read_numbers(Settings& settings, const std::string& key, const std::string& fallback) {
  std::vector<Index> numbers;
  if (settings.has(key)) {
    try {
      return {settings.integer(key, 1, 1, 9999)};  // a single number has been typed as one
    } catch (const InvalidInput&) {
      numbers.clear();
    }
  }
  const std::string text = settings.text(key, fallback, "numbers of eigenfunctions of the surface, split by ':'");
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (word.empty() || word.size() > 4 || word.find_first_not_of("0123456789") != std::string::npos ||
        std::stol(word) < 1) {
      throw InvalidInput(
          fmt::format("{}: expected numbers from 1 to 9999 split by ':', found '{}'", settings.locate(key), text));
    }
    numbers.push_back(std::stol(word));
    begin = end + 1;
  }
  return numbers;
}

/// The stem of a file name in small letters, digits and hyphens: a part of a path everywhere.
std::string safe_name(const std::string& path) {
  std::string name;
  for (const char c : std::filesystem::path(path).stem().string()) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain) {
      name += upper ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "mesh" : name.substr(0, 60);
}

/// The columns of \p functions with these numbers. \throw InvalidInput where one is not determined: its
/// eigenvalue is that of a neighbour, and any rotation of the two is as good.
Points chosen_functions(const Eigenfunctions& eigen, const std::vector<Index>& numbers, const std::string& path) {
  Points chosen(eigen.functions.rows(), static_cast<Index>(numbers.size()));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const Index k = numbers[i];
    const double value = eigen.values[k];
    for (const Index other : {k - 1, k + 1}) {
      if (std::abs(value - eigen.values[other]) < 1e-6 * value) {
        throw InvalidInput(
            fmt::format("mesh-eigen: {}: eigenfunctions {} and {} share the eigenvalue {:.6g}, so neither is "
                        "determined; choose others",
                        path, std::min(k, other), std::max(k, other), value));
      }
    }
    chosen.col(static_cast<Index>(i)) = eigen.functions.col(k);
  }
  return chosen;
}

}  // namespace

Task make_bunny_eigen(Settings& settings) {
  return make_task("bunny-eigen", "equal mixture of the Laplace-Beltrami eigenfunctions 10, 50 and 100",
                   shared_bunny().mixture, shared_bunny(), settings);
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

Task make_elephant_eigen(Settings& settings) {
  Task task = make_task("elephant-eigen", "equal mixture of the Laplace-Beltrami eigenfunctions 10, 50 and 100",
                        shared_elephant().mixture, shared_elephant(), settings);
  return task;
}

Task make_mesh_eigen(Settings& settings) {
  const double area = settings.number("area", 4 * M_PI, 1e-6, 1e6, "area that the surface is scaled to");
  const std::vector<Index> numbers = read_numbers(settings, "eigenfunctions", "10:50:100");
  const std::string path = settings.required_text(
      "path", "file of the closed surface: OFF, OBJ, PLY or STL");  // last: the others are known without it
  if (!std::filesystem::is_regular_file(path)) {
    throw MissingData(fmt::format("{}: no file '{}'", settings.locate("path"), path));
  }
  EigenMesh surface;
  // Not among the resolved settings unless given, so that older results keep their hashes.
  std::optional<double> weld;
  if (settings.has("weld")) weld = settings.number("weld", 0, 0, 1e300, "vertices up to this far apart are one");
  const TriangleMesh read = read_mesh(path, weld);
  surface.mesh = std::make_shared<const TriangleMesh>(read.scaled_to_area(area));
  const TriangleMesh& mesh = *surface.mesh;
  const Index most = *std::max_element(numbers.begin(), numbers.end());
  if (most + 2 >= mesh.vertices().cols()) {
    throw InvalidInput(fmt::format("{}: eigenfunction {} of a mesh with {} vertices", settings.locate("eigenfunctions"),
                                   most, mesh.vertices().cols()));
  }
  // Eigenvalues scale with 1/area; the inversion is tuned to area 4π.
  const TriangleMesh unit = read.scaled_to_area(4 * M_PI);
  const Eigenfunctions eigen = lowest_eigenfunctions(mesh_laplacian(unit.vertices(), unit.faces()), most + 2);
  const Points functions = chosen_functions(eigen, numbers, path);

  surface.title =
      fmt::format("{} ({} vertices, {} faces, area {:.6g})", std::filesystem::path(path).filename().string(),
                  mesh.vertices().cols(), mesh.faces().cols(), area);
  surface.mean_edge = mean_edge_length(mesh);
  // A tenth of the faces at most, so that a patch is more than a triangle or two.
  surface.patches = std::make_shared<const MeshPatches>(
      surface.mesh, std::clamp<Index>(mesh.faces().cols() / 10, 1, default_patches));
  // By what determines the law, not by the functions, whose last digits depend on the machine.
  Sha256 hash;
  hash.update(fmt::format("mesh-eigenfunctions area={} numbers={} equal weights", area, fmt::join(numbers, ",")));
  hash_numbers(hash, read.vertices());
  hash.update(read.faces().data(), static_cast<std::size_t>(read.faces().size()) * sizeof(int));
  surface.mixture = {std::make_shared<const FaceLaw>(surface.mesh, mixture_masses(mesh, functions)),
                     to_hex(hash.finish())};
  Task task = make_task("mesh-" + safe_name(path),
                        numbers.size() == 1 ? fmt::format("the Laplace-Beltrami eigenfunction {}", numbers[0])
                                            : fmt::format("equal mixture of the Laplace-Beltrami eigenfunctions {}",
                                                          fmt::join(numbers, ", ")),
                        surface.mixture, surface, settings);
  task.source = path;
  task.licence = "that of the file";
  return task;
}

}  // namespace onmanifold
