// SPDX-License-Identifier: Apache-2.0
#pragma once
// Triangle meshes from OFF, OBJ and PLY files, and to OFF.

#include <string>
#include <string_view>

#include "core/points.hpp"
#include "manifolds/triangle_mesh.hpp"

namespace onmanifold {

/// What a file says, before it is checked to be a surface.
struct MeshData {
  Points vertices;        ///< 3×V
  Eigen::MatrixXi faces;  ///< 3×F
};

// Readers of text in memory. A polygon v0 v1 … vk becomes the fan (v0, vi, vi+1), i = 1 … k-1: exact for
// planar convex ones. Normals, colours, texture coordinates and other elements are passed over. \p where
// names the source in messages. \throw InvalidInput naming \p where and the line (in binary data: the
// element) on anything malformed, an index out of range or a coordinate that is not finite.

/// OFF, also with the headers COFF, NOFF and CNOFF; header line and counts may share a line.
[[nodiscard]] MeshData parse_off(std::string_view text, std::string_view where);
/// Wavefront OBJ: statements v and f (v, v/t, v//n, v/t/n; negative indices count back); the others are
/// passed over.
[[nodiscard]] MeshData parse_obj(std::string_view text, std::string_view where);
/// PLY: ascii, binary_little_endian, binary_big_endian 1.0; x, y, z of element vertex in any scalar type,
/// list vertex_indices or vertex_index of element face.
[[nodiscard]] MeshData parse_ply(std::string_view text, std::string_view where);

/// The file \p path by its ending (.off, .obj, .ply in any case) as a checked surface.
/// \throw IoError if it cannot be read, InvalidInput, naming the file, if it is malformed or no closed
/// surface.
[[nodiscard]] TriangleMesh read_mesh(const std::string& path);

/// Writes OFF with the shortest digits that read back exactly. \throw IoError; then no file is left behind.
void write_off(const std::string& path, const Points& vertices, const Eigen::MatrixXi& faces);

}  // namespace onmanifold
