// SPDX-License-Identifier: Apache-2.0
#include "tests/support/test_meshes.hpp"

#include <cmath>
#include <map>
#include <utility>
#include <vector>

namespace onmanifold::test {

MeshArrays tetrahedron() {
  MeshArrays mesh{Points(3, 4), Eigen::MatrixXi(3, 4)};
  mesh.vertices << 1, 1, -1, -1, 1, -1, 1, -1, 1, -1, -1, 1;
  mesh.faces << 0, 0, 0, 1, 1, 2, 3, 3, 2, 3, 1, 2;
  return mesh;
}

MeshArrays box(double x, double y, double z) {
  MeshArrays mesh{Points(3, 8), Eigen::MatrixXi(3, 12)};
  for (int i = 0; i < 8; ++i) {
    mesh.vertices(0, i) = (i & 1) != 0 ? x : -x;
    mesh.vertices(1, i) = (i & 2) != 0 ? y : -y;
    mesh.vertices(2, i) = (i & 4) != 0 ? z : -z;
  }
  mesh.faces << 0, 0, 4, 4, 0, 0, 2, 2, 0, 0, 1, 1,  //
      2, 3, 5, 7, 1, 5, 6, 7, 4, 6, 3, 7,            //
      3, 1, 7, 6, 5, 4, 7, 3, 6, 2, 7, 5;
  return mesh;
}

MeshArrays cube() {
  return box(1, 1, 1);
}

MeshArrays octasphere(int levels) {
  std::vector<Eigen::Vector3d> vertices = {{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}};
  std::vector<Eigen::Vector3i> faces = {{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4},
                                        {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}};
  for (int level = 0; level < levels; ++level) {
    std::map<std::pair<int, int>, int> middles;
    const auto middle = [&](int a, int b) {
      const auto [it, is_new] = middles.try_emplace(std::minmax(a, b), static_cast<int>(vertices.size()));
      if (is_new) {
        const Eigen::Vector3d sum = vertices[static_cast<std::size_t>(a)] + vertices[static_cast<std::size_t>(b)];
        vertices.emplace_back(sum / sum.norm());
      }
      return it->second;
    };
    std::vector<Eigen::Vector3i> next;
    for (const Eigen::Vector3i& f : faces) {
      const int ab = middle(f(0), f(1));
      const int bc = middle(f(1), f(2));
      const int ca = middle(f(2), f(0));
      next.insert(next.end(), {{f(0), ab, ca}, {ab, f(1), bc}, {ca, bc, f(2)}, {ab, bc, ca}});
    }
    faces = std::move(next);
  }
  MeshArrays mesh{Points(3, static_cast<Index>(vertices.size())), Eigen::MatrixXi(3, static_cast<Index>(faces.size()))};
  for (std::size_t i = 0; i < vertices.size(); ++i) mesh.vertices.col(static_cast<Index>(i)).head<3>() = vertices[i];
  for (std::size_t i = 0; i < faces.size(); ++i) mesh.faces.col(static_cast<Index>(i)).head<3>() = faces[i];
  return mesh;
}

MeshArrays torus(double big, double small, int rings, int sides) {
  MeshArrays mesh{Points(3, rings * sides), Eigen::MatrixXi(3, 2 * rings * sides)};
  for (int i = 0; i < rings; ++i) {
    for (int j = 0; j < sides; ++j) {
      const double u = 2 * M_PI * i / rings;
      const double v = 2 * M_PI * j / sides;
      const double radius = big + small * std::cos(v);
      const Index k = i * sides + j;
      mesh.vertices.col(k).head<3>() = Eigen::Vector3d(radius * std::cos(u), radius * std::sin(u), small * std::sin(v));
      const int right = ((i + 1) % rings) * sides + j;
      const int up = i * sides + (j + 1) % sides;
      const int both = ((i + 1) % rings) * sides + (j + 1) % sides;
      mesh.faces.col(2 * k).head<3>() = Eigen::Vector3i(static_cast<int>(k), right, both);
      mesh.faces.col(2 * k + 1).head<3>() = Eigen::Vector3i(static_cast<int>(k), both, up);
    }
  }
  return mesh;
}

}  // namespace onmanifold::test
