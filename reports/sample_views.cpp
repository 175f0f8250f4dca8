// SPDX-License-Identifier: Apache-2.0
#include "reports/sample_views.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <Eigen/Geometry>
#include <fmt/format.h>
#include <zlib.h>

#include "contracts/image_layout.hpp"
#include "core/error.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

void append_u32(std::string& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFFU);
}

const Bytef* zlib_bytes(const std::string& text) {
  return reinterpret_cast<const Bytef*>(text.data());
}

void append_chunk(std::string& file, std::string_view kind, const std::string& body) {
  append_u32(file, static_cast<std::uint32_t>(body.size()));
  const std::string checked = std::string(kind) + body;
  file += checked;
  append_u32(file, static_cast<std::uint32_t>(crc32(0, zlib_bytes(checked), static_cast<uInt>(checked.size()))));
}

// Signed angle of the four points, IUPAC sign, radians.
double dihedral(const Eigen::Vector3d& a, const Eigen::Vector3d& b, const Eigen::Vector3d& c,
                const Eigen::Vector3d& d) {
  const Eigen::Vector3d first = b - a;
  const Eigen::Vector3d axis = c - b;
  const Eigen::Vector3d last = d - c;
  const Eigen::Vector3d before = first.cross(axis);
  const Eigen::Vector3d after = axis.cross(last);
  return std::atan2(axis.norm() * first.dot(after), before.dot(after));
}

// Residues of a chain with 9(L-1) coordinates, and the one whose nine are left out.
struct Chain {
  Index residues;
  Index middle;
  // Row of the first coordinate of an atom (0 N, 1 CA, 2 C) of a residue that is not the middle one.
  [[nodiscard]] Index row(Index residue, Index atom) const {
    return 9 * (residue - (residue > middle ? 1 : 0)) + 3 * atom;
  }
};

Chain chain_of(const PointsRef& points) {
  if (points.rows() < 9 || points.rows() % 9 != 0) {
    throw InvalidInput(fmt::format("backbones have 9 (L - 1) coordinates, not {}", points.rows()));
  }
  const Index residues = points.rows() / 9 + 1;
  return {residues, (residues - 1) / 2};
}

}  // namespace

std::string grey_png(Index width, Index height, const std::vector<std::uint8_t>& pixels) {
  if (width < 1 || height < 1 || pixels.size() != static_cast<std::size_t>(width * height)) {
    throw InvalidInput(fmt::format("{} bytes are no image of {}×{} pixels", pixels.size(), height, width));
  }
  std::string lines;
  for (Index row = 0; row < height; ++row) {
    lines += '\0';  // no filter
    for (Index column = 0; column < width; ++column) {
      lines += static_cast<char>(pixels[static_cast<std::size_t>(row * width + column)]);
    }
  }
  uLongf size = compressBound(lines.size());
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, zlib_bytes(lines), lines.size(), 9) != Z_OK) {
    throw NumericalFailure("zlib cannot pack an image");
  }
  packed.resize(size);
  std::string header;
  append_u32(header, static_cast<std::uint32_t>(width));
  append_u32(header, static_cast<std::uint32_t>(height));
  header += std::string("\x08\x00\x00\x00\x00",
                        5);  // 8 bits, grey, the only packing and filter there are, not interlaced
  std::string file = "\x89PNG\r\n\x1a\n";
  append_chunk(file, "IHDR", header);
  append_chunk(file, "IDAT", packed);
  append_chunk(file, "IEND", "");
  return file;
}

std::string image_sheet_png(const ImageLayout& layout, const PointsRef& images, Index columns, double white) {
  if (!(white > 0.0) || columns < 1 || images.cols() < 1)
    throw InvalidInput("a sheet needs images and a white above 0");
  const Points full = full_images(layout, images);
  const Index rows = (images.cols() + columns - 1) / columns;
  const Index width = std::min(columns, images.cols()) * (layout.width + 1) - 1;
  const Index height = rows * (layout.height + 1) - 1;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width * height), 96);
  for (Index n = 0; n < images.cols(); ++n) {
    const Index top = n / columns * (layout.height + 1);
    const Index left = n % columns * (layout.width + 1);
    for (Index r = 0; r < layout.height; ++r) {
      for (Index c = 0; c < layout.width; ++c) {
        const double value = full(r * layout.width + c, n) / white;
        // Written so that NaN is black.
        const double clipped = value > 0.0 ? std::min(value, 1.0) : 0.0;
        pixels[static_cast<std::size_t>((top + r) * width + left + c)] =
            static_cast<std::uint8_t>(std::lround(255.0 * clipped));
      }
    }
  }
  return grey_png(width, height, pixels);
}

Points rotation_vectors(const PointsRef& rotations) {
  check_dimension(rotations, 9, "rotations");
  Points vectors(3, rotations.cols());
  for (Index n = 0; n < rotations.cols(); ++n) {
    const Eigen::Matrix3d matrix = rotations.col(n).reshaped<Eigen::RowMajor>(3, 3);
    const Eigen::Quaterniond turn(matrix);
    const double sine = std::hypot(turn.x(), turn.y(), turn.z());  // of half the angle
    const double factor = sine > 0.0 ? 2.0 * std::atan2(sine, std::abs(turn.w())) / sine : 2.0;
    vectors.col(n) << turn.x(), turn.y(), turn.z();
    vectors.col(n) *= std::copysign(factor, turn.w());
  }
  return vectors;
}

Points backbone_torsion_pairs(const PointsRef& points) {
  const Chain chain = chain_of(points);
  std::vector<Index> residues;
  for (Index r = 1; r + 1 < chain.residues; ++r) {
    if (std::abs(r - chain.middle) > 1) residues.push_back(r);
  }
  Points pairs(2, static_cast<Index>(residues.size()) * points.cols());
  Index at = 0;
  for (Index n = 0; n < points.cols(); ++n) {
    const auto atom = [&](Index residue, Index which) -> Eigen::Vector3d {
      return points.col(n).segment<3>(chain.row(residue, which));
    };
    for (const Index r : residues) {
      const Eigen::Vector3d nitrogen = atom(r, 0);
      const Eigen::Vector3d alpha = atom(r, 1);
      const Eigen::Vector3d carbon = atom(r, 2);
      pairs(0, at) = dihedral(atom(r - 1, 2), nitrogen, alpha, carbon) * 180.0 / std::numbers::pi;
      pairs(1, at) = dihedral(nitrogen, alpha, carbon, atom(r + 1, 0)) * 180.0 / std::numbers::pi;
      ++at;
    }
  }
  return pairs;
}

std::string ramachandran_svg(const PointsRef& pairs, Index n, std::string_view label) {
  check_dimension(pairs, 2, "pairs of torsions");
  std::string dots;
  for (Index i = 0; i < std::min(n, pairs.cols()); ++i) {
    if (!std::isfinite(pairs(0, i)) || !std::isfinite(pairs(1, i))) continue;
    dots +=
        fmt::format("M{} {}h0", std::lround((pairs(0, i) + 180.0) / 0.72), std::lround((180.0 - pairs(1, i)) / 0.72));
  }
  return fmt::format(
      "<svg class=\"scatter\" viewBox=\"0 0 500 500\" role=\"img\" aria-label=\"{}\">"
      "<path class=\"axes\" d=\"M250 0V500M0 250H500\"/><path class=\"front\" d=\"{}\"/></svg>",
      escape_html(label), dots);
}

std::string trace_svg(const PointsRef& points, Index n, double half, std::string_view label) {
  const Chain chain = chain_of(points);
  if (!(half > 0.0)) throw InvalidInput("a picture needs a size");
  std::string paths;
  for (Index i = 0; i < std::min(n, points.cols()); ++i) {
    if (!points.col(i).allFinite()) continue;
    std::string path;
    for (Index r = 0; r < chain.residues; ++r) {
      // CA of the middle residue is the origin of its frame.
      Eigen::Vector3d alpha = Eigen::Vector3d::Zero();
      if (r != chain.middle) alpha = points.col(i).segment<3>(chain.row(r, 1));
      // Far off atoms would only make the page long: a sample of a bad model may be anywhere.
      const auto pixel = [half](double value) { return std::lround(250.0 * std::clamp(value / half, -2.0, 2.0)); };
      path += fmt::format("{}{} {}", r == 0 ? "M" : "L", 250 + pixel(alpha(0)), 250 - pixel(alpha(1)));
    }
    paths += path;
  }
  return fmt::format(
      "<svg class=\"scatter\" viewBox=\"0 0 500 500\" role=\"img\" aria-label=\"{}\"><path class=\"trace\" "
      "d=\"{}\"/></svg>",
      escape_html(label), paths);
}

}  // namespace onmanifold
