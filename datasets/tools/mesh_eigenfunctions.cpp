// SPDX-License-Identifier: Apache-2.0
// Makes a shipped mesh: reads an OFF file, computes Laplace–Beltrami eigenfunctions at area 4π and writes
// vertices, faces and eigenfunctions to an HDF5 file. Run once by hand; the result is in datasets/data/.
//
//   mesh_eigenfunctions bunny00.off bunny00.h5 "origin in words" 10 50 100
//
// Numbers count the eigenfunctions from 1, without the constant one. Their sign: the vertex with the largest
// |φ| has φ > 0. They are orthonormal with respect to the Voronoi mass at area 4π.
#include "datasets/laws/mesh_eigenfunctions.hpp"

#include <cmath>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/hdf5_file.hpp"

namespace onmanifold {
namespace {

void read_off(const std::string& path, Points& vertices, Eigen::MatrixXi& faces) {
  std::ifstream in(path);
  std::string magic;
  Index vertex_count = 0;
  Index face_count = 0;
  Index edge_count = 0;
  if (!(in >> magic >> vertex_count >> face_count >> edge_count) || magic != "OFF") {
    throw InvalidInput(fmt::format("{}: not an OFF file", path));
  }
  vertices.resize(3, vertex_count);
  faces.resize(3, face_count);
  for (double& coordinate : vertices.reshaped()) in >> coordinate;
  for (Index f = 0; f < face_count; ++f) {
    int corners = 0;
    in >> corners >> faces(0, f) >> faces(1, f) >> faces(2, f);
    if (corners != 3) throw InvalidInput(fmt::format("{}: face {} has {} corners", path, f, corners));
  }
  if (!in) throw InvalidInput(fmt::format("{}: ends too early", path));
}

void run(int argc, char** argv) {
  if (argc < 5) throw InvalidInput("usage: mesh_eigenfunctions MESH.off OUT.h5 ORIGIN NUMBER…");
  Points vertices;
  Eigen::MatrixXi faces;
  read_off(argv[1], vertices, faces);
  Vector numbers(argc - 4);
  for (int i = 4; i < argc; ++i) numbers[i - 4] = std::stoi(argv[i]);

  const double scale = std::sqrt(4 * M_PI / face_areas(vertices, faces).sum());
  const MeshLaplacian laplacian = mesh_laplacian(scale * vertices, faces);
  const Eigenfunctions eigen = lowest_eigenfunctions(laplacian, static_cast<Index>(numbers.maxCoeff()) + 2);

  Points functions(vertices.cols(), numbers.size());
  Vector values(numbers.size());
  Vector residuals(numbers.size());
  for (Index i = 0; i < numbers.size(); ++i) {
    const auto k = static_cast<Index>(numbers[i]);
    const Vector phi = eigen.functions.col(k);
    values[i] = eigen.values[k];
    functions.col(i) = phi;
    const Vector rest = laplacian.stiffness * phi - values[i] * laplacian.mass.cwiseProduct(phi);
    residuals[i] = std::sqrt(rest.array().square().cwiseQuotient(laplacian.mass.array()).sum());
    std::cout << fmt::format("k = {}: eigenvalue {:.12g} (neighbours {:.12g}, {:.12g}), residual {:.2e}\n", k,
                             values[i], eigen.values[k - 1], eigen.values[k + 1], residuals[i]);
  }
  std::cout << fmt::format("{} vertices, {} faces, scale to area 4π {:.9g}, zero mode {:.2e}\n", vertices.cols(),
                           faces.cols(), scale, eigen.values[0]);

  Hdf5Writer file(argv[2]);
  file.write_text("/origin", argv[3]);
  file.write_matrix("/vertices", vertices);
  file.write_matrix("/faces", faces);
  file.write_vector("/eigenfunctions/numbers", numbers);
  file.write_vector("/eigenfunctions/values", values);
  file.write_vector("/eigenfunctions/residuals", residuals);
  file.write_matrix("/eigenfunctions/functions", functions);
  file.write_text("/eigenfunctions/description",
                  "one a row: L phi = value M phi at total area 4 pi, cotangent stiffness L, mixed Voronoi mass M, "
                  "numbered from 1 without the constant, phi' M phi = 1, positive at the vertex of largest |phi|; "
                  "residual = |M^-1/2 (L phi - value M phi)|");
  file.commit();
}

}  // namespace
}  // namespace onmanifold

int main(int argc, char** argv) {
  try {
    onmanifold::run(argc, argv);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
