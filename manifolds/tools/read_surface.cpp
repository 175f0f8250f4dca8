// SPDX-License-Identifier: Apache-2.0
// Reads one mesh as a task would and says what it is, for scripts/real-meshes.sh:
//   read_surface FILE [TOLERANCE]
// prints "loads V F AREA VOLUME" (the volume by the divergence theorem over its triangles), or "refused: why" with exit
// code 2.

#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>

#include <Eigen/Geometry>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/printable.hpp"
#include "manifolds/mesh_files.hpp"

namespace {

double volume(const onmanifold::TriangleMesh& mesh) {
  double sum = 0;
  const Eigen::Vector3d origin = mesh.vertices().col(0);
  for (Eigen::Index f = 0; f < mesh.faces().cols(); ++f) {
    const Eigen::Vector3d a = mesh.vertices().col(mesh.faces()(0, f)) - origin;
    const Eigen::Vector3d b = mesh.vertices().col(mesh.faces()(1, f)) - origin;
    const Eigen::Vector3d c = mesh.vertices().col(mesh.faces()(2, f)) - origin;
    sum += a.dot(b.cross(c)) / 6;
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << "read_surface FILE [TOLERANCE]\n";
    return 2;
  }
  try {
    const auto tolerance = argc == 3 ? std::optional<double>(std::atof(argv[2])) : std::nullopt;
    const onmanifold::TriangleMesh mesh = onmanifold::read_mesh(argv[1], tolerance);
    std::cout << fmt::format("loads {} {} {} {}\n", mesh.vertices().cols(), mesh.faces().cols(), mesh.area(),
                             volume(mesh));
    return 0;
  } catch (const onmanifold::InvalidInput& error) {
    std::cout << "refused: " << onmanifold::printable(error.what()) << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
