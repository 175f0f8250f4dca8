// SPDX-License-Identifier: Apache-2.0
#pragma once
// Samples that are no points of space, for the eye: sheets of images as PNG, torsions and traces of protein
// backbones as SVG. Real and generated ones side by side, on equal axes and in equal number.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "results/cell_files.hpp"

namespace onmanifold {

/// A grey image of 8 bits as a PNG file. \p pixels: height × width bytes, row by row. \throw InvalidInput for
/// another number.
[[nodiscard]] std::string grey_png(Index width, Index height, const std::vector<std::uint8_t>& pixels);

/// Columns of \p images, one sheet with \p columns images a row and a pixel of grey between them; 0 is black
/// and \p white
/// (> 0) white, what is outside is clipped. Places of the pixels from \p layout.
[[nodiscard]] std::string image_sheet_png(const ImageLayout& layout, const PointsRef& images, Index columns,
                                          double white);

/// Axis times angle in [0, π] of rotation matrices, 9×N row by row as the manifold `so3` has them: 3×N, in the ball of
/// radius π, where opposite points of the surface are the same rotation. Columns that are no rotation have no meaning.
/// \throw InvalidInput for another number of rows.
[[nodiscard]] Points rotation_vectors(const PointsRef& rotations);

/// (φ, ψ) in degrees of backbones in the frame of their middle residue, 9(L-1)×N as the manifold `backbone`
/// has them: 2×M, chain after chain. Only residues whose torsions do not involve the middle residue, whose
/// atoms are no data: for L = 8 these are residues 2, 6 and 7 of 8. Empty where there are none.
[[nodiscard]] Points backbone_torsion_pairs(const PointsRef& points);

/// A Ramachandran plot of \p pairs (degrees, φ to the right, ψ up), the first \p n of them.
[[nodiscard]] std::string ramachandran_svg(const PointsRef& pairs, Index n, std::string_view label);

/// Traces of the Cα atoms of the first \p n backbones, 9(L-1)×N, seen along the third axis of the middle
/// residue's frame; \p half is half the side of the picture in Å.
[[nodiscard]] std::string trace_svg(const PointsRef& points, Index n, double half, std::string_view label);

}  // namespace onmanifold
