// SPDX-License-Identifier: Apache-2.0
#include "reports/sample_views.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>
#include <zlib.h>

#include "contracts/image_layout.hpp"
#include "core/error.hpp"

namespace onmanifold {
namespace {

std::uint32_t word(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

struct ReadImage {
  Index width = 0;
  Index height = 0;
  std::vector<int> pixels;
};

// A reader of the one kind of PNG that is written here; checks every checksum.
ReadImage read_grey_png(const std::string& file) {
  ReadImage image;
  EXPECT_EQ(file.substr(0, 8), "\x89PNG\r\n\x1a\n");
  std::string packed;
  for (std::size_t at = 8; at < file.size();) {
    const std::uint32_t size = word(file, at);
    const std::string kind = file.substr(at + 4, 4);
    const std::string body = file.substr(at + 8, size);
    const std::string checked = kind + body;
    EXPECT_EQ(word(file, at + 8 + size),
              crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size())));
    if (kind == "IHDR") {
      image.width = word(body, 0);
      image.height = word(body, 4);
    }
    if (kind == "IDAT") packed += body;
    at += 12 + size;
  }
  uLongf size = static_cast<uLongf>((image.width + 1) * image.height);
  std::string lines(size, '\0');
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(lines.data()), &size, reinterpret_cast<const Bytef*>(packed.data()),
                       packed.size()),
            Z_OK);
  for (Index row = 0; row < image.height; ++row) {
    EXPECT_EQ(lines[static_cast<std::size_t>(row * (image.width + 1))], '\0');
    for (Index column = 0; column < image.width; ++column) {
      image.pixels.push_back(
          static_cast<unsigned char>(lines[static_cast<std::size_t>(row * (image.width + 1) + 1 + column)]));
    }
  }
  return image;
}

TEST(SampleViews, AnImageReadsBackAsItWas) {
  const std::vector<std::uint8_t> pixels = {0, 1, 127, 128, 254, 255};
  const ReadImage image = read_grey_png(grey_png(3, 2, pixels));
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(image.height, 2);
  EXPECT_EQ(image.pixels, std::vector<int>(pixels.begin(), pixels.end()));
  EXPECT_THROW((void)grey_png(2, 2, pixels), InvalidInput);
}

TEST(SampleViews, ASheetPutsPixelsWhereTheLayoutSays) {
  // Two by two pixels of which the second is no data; three images, two a row.
  ImageLayout layout;
  layout.height = layout.width = 2;
  layout.pixels = {0, 3, 2};
  Points images(3, 3);
  images << 1.0, 0.5, -1.0,  //
      0.0, 2.0, 0.0,         //
      0.25, 0.0, std::nan("");
  const ReadImage sheet = read_grey_png(image_sheet_png(layout, images, 2, 1.0));
  ASSERT_EQ(sheet.width, 5);
  ASSERT_EQ(sheet.height, 5);
  const std::vector<int> expected = {255, 0,  96, 128, 0,    //
                                     64,  0,  96, 0,   255,  //
                                     96,  96, 96, 96,  96,   //
                                     0,   0,  96, 96,  96,   //
                                     0,   0,  96, 96,  96};
  EXPECT_EQ(sheet.pixels, expected);
  EXPECT_THROW((void)image_sheet_png(layout, images, 2, 0.0), InvalidInput);
}

TEST(SampleViews, RotationVectorsTurnAsTheMatricesDo) {
  // Rodrigues' formula, row by row.
  const auto matrix = [](const Eigen::Vector3d& v) {
    const double angle = v.norm();
    Eigen::Matrix3d cross;
    cross << 0, -v(2), v(1), v(2), 0, -v(0), -v(1), v(0), 0;
    const double a = angle > 0 ? std::sin(angle) / angle : 1.0;
    const double b = angle > 0 ? (1 - std::cos(angle)) / (angle * angle) : 0.5;
    const Eigen::Matrix<double, 3, 3, Eigen::RowMajor> turn =
        Eigen::Matrix3d::Identity() + a * cross + b * cross * cross;
    return Eigen::Map<const Vector>(turn.data(), 9).eval();
  };
  Points vectors(3, 4);
  vectors << 0.0, 0.3, -2.0, 1e-5,  //
      0.0, -0.4, 1.5, 0.0,          //
      0.0, 1.2, 1.0, 0.0;
  Points rotations(9, 4);
  for (Index n = 0; n < 4; ++n) rotations.col(n) = matrix(vectors.col(n));
  EXPECT_TRUE(rotation_vectors(rotations).isApprox(vectors, 1e-10));
  EXPECT_THROW((void)rotation_vectors(Points::Zero(3, 1)), InvalidInput);
}

// The next atom of a chain at a distance, an angle and a torsion (degrees).
Eigen::Vector3d place(const Eigen::Vector3d& a, const Eigen::Vector3d& b, const Eigen::Vector3d& c, double torsion) {
  const double radians = std::numbers::pi / 180.0;
  const Eigen::Vector3d axis = (c - b).normalized();
  const Eigen::Vector3d normal = (b - a).cross(axis).normalized();
  const Eigen::Vector3d side = normal.cross(axis);
  const double bend = 70.0 * radians;
  return c + 1.5 * (std::cos(bend) * axis + std::sin(bend) * std::cos(torsion * radians) * side +
                    std::sin(bend) * std::sin(torsion * radians) * normal);
}

TEST(SampleViews, TorsionsOfAChainAreThoseItWasBuiltWith) {
  // Eight residues N, CA, C; residue r has phi -60 - r, psi -40 - r, omega 180.
  std::vector<Eigen::Vector3d> atoms = {{0, 0, 0}, {1.5, 0, 0}, {2.0, 1.4, 0}};
  for (int r = 1; r < 8; ++r) {
    const double torsions[3] = {-40.0 - (r - 1), 180.0, -60.0 - r};  // psi before, omega before, phi
    for (const double torsion : torsions) {
      const std::size_t n = atoms.size();
      atoms.push_back(place(atoms[n - 3], atoms[n - 2], atoms[n - 1], torsion));
    }
  }
  Points chain(63, 1);
  Index row = 0;
  for (std::size_t a = 0; a < atoms.size(); ++a) {
    if (a / 3 == 3) continue;  // the middle residue, floor((8-1)/2)
    chain.col(0).segment<3>(row) = atoms[a];
    row += 3;
  }
  const Points pairs = backbone_torsion_pairs(chain);
  // Residues 1, 5 and 6 from 0: their neighbours are not the middle one.
  ASSERT_EQ(pairs.cols(), 3);
  const int residues[3] = {1, 5, 6};
  for (Index i = 0; i < 3; ++i) {
    EXPECT_NEAR(pairs(0, i), -60.0 - residues[i], 1e-9);
    EXPECT_NEAR(pairs(1, i), -40.0 - residues[i], 1e-9);
  }
  EXPECT_THROW((void)backbone_torsion_pairs(Points::Zero(10, 1)), InvalidInput);
  // Four residues are all next to the middle one.
  EXPECT_EQ(backbone_torsion_pairs(Points::Random(27, 2)).cols(), 0);
}

TEST(SampleViews, PlotsPutPointsWhereTheyBelong) {
  Points pairs(2, 3);
  pairs << -180.0, 0.0, std::nan(""),  //
      180.0, -90.0, 0.0;
  const std::string svg = ramachandran_svg(pairs, 10, "a <b>");
  EXPECT_NE(svg.find("d=\"M0 0h0M250 375h0\""), std::string::npos) << svg;
  EXPECT_NE(svg.find("a &lt;b&gt;"), std::string::npos);
  // Two residues, the first of them the middle one at the origin; x to the right, y up.
  Points chains = Points::Zero(9, 2);
  chains(3, 0) = 5.0;
  chains(4, 0) = 2.0;
  chains(3, 1) = std::nan("");
  EXPECT_NE(trace_svg(chains, 5, 10.0, "t").find("d=\"M250 250L375 200\""), std::string::npos)
      << trace_svg(chains, 5, 10.0, "t");
}

}  // namespace
}  // namespace onmanifold
