// SPDX-License-Identifier: Apache-2.0
#pragma once
// Triangle meshes from OFF, OBJ, PLY and STL files, and to OFF.

#include <optional>
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

// Readers of text in memory; a byte order mark of UTF-8 is passed over. A polygon v0 v1 … vk becomes the fan
// (v0, vi, vi+1), i = 1 … k-1, where that covers it once, else what ear clipping gives (polygon.hpp). Normals, colours,
// texture coordinates and other elements are passed over, also where they are not finite. \p where names the source in
// messages. \throw InvalidInput naming \p where and the line (in binary data: the element) on anything malformed, an
// index out of range, a coordinate that is not finite, or a polygon that is not simple.

/// OFF and its headers [ST][C][N][4][n]OFF, as text and as OFF BINARY; the counts may follow the header at once
/// ("OFF4 4 0"), and several items may share a line or take several.
[[nodiscard]] MeshData parse_off(std::string_view text, std::string_view where);
/// Wavefront OBJ: statements v and f (v, v/t, v//n, v/t/n; negative indices count back); the others are
/// passed over. A \ at its end continues a line.
[[nodiscard]] MeshData parse_obj(std::string_view text, std::string_view where);
/// PLY: ascii, binary_little_endian, binary_big_endian 1.0; x, y, z of element vertex in any scalar type,
/// list vertex_indices or vertex_index of the elements face and tristrips.
[[nodiscard]] MeshData parse_ply(std::string_view text, std::string_view where);
/// STL, text or binary. Corners at the same place are one vertex; triangles without three different ones are left out.
[[nodiscard]] MeshData parse_stl(std::string_view text, std::string_view where);

/// One vertex for those within \p tolerance of a kept one, the first in the order of the file; triangles that lose a
/// corner go. \throw InvalidInput if nothing is left, or the tolerance is negative. Cost: F + V log V for a tolerance
/// below the distances of distinct vertices.
[[nodiscard]] MeshData weld(const MeshData& mesh, double tolerance);

/// The file \p path by its ending (.off, .obj, .ply, .stl in any case) as a checked surface, welded if there is a
/// \p tolerance. Faces that run against their neighbours are turned, and then all of their part face outwards.
/// \throw IoError if it cannot be read, InvalidInput, naming the file, if it is malformed, not a regular file or no
/// closed surface.
[[nodiscard]] TriangleMesh read_mesh(const std::string& path, std::optional<double> tolerance = {});

/// Writes OFF with the shortest digits that read back exactly. \throw IoError; then no file is left behind.
void write_off(const std::string& path, const Points& vertices, const Eigen::MatrixXi& faces);

}  // namespace onmanifold
