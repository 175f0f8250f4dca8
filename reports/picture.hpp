// SPDX-License-Identifier: Apache-2.0
#pragma once
// Points and surfaces made small enough for a page: subsets, 16-bit quantisation, Base64, decimated meshes,
// and a static scatter as SVG for readers without JavaScript.

#include <string>
#include <string_view>

#include "results/cell_files.hpp"

namespace onmanifold {

/// A cube of three-dimensional space, and the axes along which a picture looks at it.
struct PictureFrame {
  Eigen::Vector3d centre = Eigen::Vector3d::Zero();
  double half = 1.0;                                ///< half the side of the cube
  bool flat = false;                                ///< the reference lies in a plane
  Eigen::Vector3d axis = Eigen::Vector3d::UnitY();  ///< what is up when the view is turned
  Eigen::Vector3d right = Eigen::Vector3d::UnitX();
  Eigen::Vector3d up = Eigen::Vector3d::UnitY();
  Eigen::Vector3d toward = Eigen::Vector3d::UnitZ();  ///< from the centre to the eye
};

/// A cube 1.3 times as wide as the reference points, and a view along the plane's normal where they lie in a
/// plane (smallest covariance eigenvalue below 1e-12 of the greatest), along the third axis otherwise. \p
/// reference is 3×m, m ≥ 1, finite. \throw InvalidInput otherwise.
[[nodiscard]] PictureFrame make_frame(const PointsRef& reference);

/// Columns 0 … n-1 as int16, x y z, little-endian, in Base64: centre + half·q/32767. A point outside the cube
/// or not finite is (-32768, 0, 0); their number goes to \p n_outside.
[[nodiscard]] std::string encode_points(const PointsRef& points, Index n, const PictureFrame& frame, Index& n_outside);

/// Numbers as float32, little-endian, in Base64.
[[nodiscard]] std::string encode_floats(const VectorRef& values);

/// A triangle mesh for pictures. Vertices 3×V, faces 3×F.
struct PictureMesh {
  Points vertices;
  Eigen::MatrixXi faces;
};

/// Vertex clustering on a cubic grid, as fine as \p max_faces allows: each occupied grid cell becomes the
/// mean of its vertices, faces that collapse or coincide go. A mesh that is small enough is returned as it
/// is. O(V + F) for each grid tried. Not a faithful simplification: for the eye only.
[[nodiscard]] PictureMesh decimate_mesh(const PointsRef& vertices, const Eigen::Ref<const Eigen::MatrixXi>& faces,
                                        Index max_faces);

/// Vertices as encode_points does, faces as uint16 triples, little-endian, in Base64. \pre V ≤ 65536.
[[nodiscard]] std::string encode_faces(const Eigen::Ref<const Eigen::MatrixXi>& faces);

/// Columns 0 … n-1 as an SVG of equal axes: points behind the centre are paler. Points outside are left out.
[[nodiscard]] std::string scatter_svg(const PointsRef& points, Index n, const PictureFrame& frame,
                                      std::string_view label);

[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace onmanifold
