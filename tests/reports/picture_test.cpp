// SPDX-License-Identifier: Apache-2.0
#include "reports/picture.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {
namespace {

std::string decode(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned buffer = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    buffer = (buffer << 6U) | static_cast<unsigned>(digits.find(c));
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>((buffer >> static_cast<unsigned>(bits)) & 0xFFU);
    }
  }
  return bytes;
}

int int16_at(const std::string& bytes, std::size_t i) {
  const int value = static_cast<unsigned char>(bytes[2 * i]) + 256 * static_cast<unsigned char>(bytes[2 * i + 1]);
  return value >= 32768 ? value - 65536 : value;
}

TEST(Base64, VectorsOfTheStandard) {  // RFC 4648, section 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(EncodePoints, QuantisesAndCountsWhatIsOutside) {
  PictureFrame frame;
  frame.centre = Eigen::Vector3d(1, 2, 3);
  frame.half = 2.0;
  Points points(3, 4);
  points << 1.5, 3.1, 1.0, 1.0,                                 //
      2.0, 2.0, std::numeric_limits<double>::quiet_NaN(), 4.0,  //
      1.25, 3.0, 3.0, 3.0;
  Index outside = 0;
  const std::string bytes = decode(encode_points(points, 10, frame, outside));
  ASSERT_EQ(bytes.size(), 4U * 6U);
  EXPECT_EQ(outside, 2);
  // Half a step of the quantisation.
  const double tolerance = 0.5 * frame.half / 32767.0 + 1e-12;
  for (const int i : {0, 3}) {
    for (int k = 0; k < 3; ++k) {
      const double x = frame.centre(k) + frame.half * int16_at(bytes, static_cast<std::size_t>(3 * i + k)) / 32767.0;
      EXPECT_NEAR(x, points(k, i), tolerance);
    }
  }
  EXPECT_EQ(int16_at(bytes, 3), -32768);
  EXPECT_EQ(int16_at(bytes, 6), -32768);
}

TEST(MakeFrame, LooksStraightAtAPlaneAndHoldsAllPoints) {
  const Eigen::Vector3d normal = Eigen::Vector3d(1, 2, 3).normalized();
  Points points = Stream(1, "frame").normal(3, 200);
  const PictureFrame solid = make_frame(points);
  EXPECT_FALSE(solid.flat);
  points -= normal * (normal.transpose() * points);
  const PictureFrame flat = make_frame(points);
  EXPECT_TRUE(flat.flat);
  // The eigenvector is exact to rounding.
  EXPECT_NEAR(flat.toward.dot(normal), 1.0, 1e-12);
  for (const PictureFrame& frame : {solid, flat}) {
    Eigen::Matrix3d axes;
    axes << frame.right, frame.up, frame.toward;
    EXPECT_NEAR((axes.transpose() * axes - Eigen::Matrix3d::Identity()).norm(), 0.0, 1e-12);
    EXPECT_NEAR(axes.determinant(), 1.0, 1e-12);
  }
  EXPECT_TRUE(((points.colwise() - flat.centre).array().abs() <= flat.half).all());
  EXPECT_THROW((void)make_frame(Points(3, 0)), InvalidInput);
  EXPECT_THROW((void)make_frame(Points::Zero(2, 5)), InvalidInput);
}

TEST(MakeFrame, OnePointIsEnough) {
  const PictureFrame frame = make_frame(Points::Ones(3, 1));
  EXPECT_GT(frame.half, 0.0);
  EXPECT_TRUE(frame.toward.allFinite());
}

PictureMesh grid(int n) {  // the unit square in n × n cells
  PictureMesh mesh;
  mesh.vertices.resize(3, (n + 1) * (n + 1));
  mesh.faces.resize(3, 2 * n * n);
  for (int i = 0; i <= n; ++i) {
    for (int k = 0; k <= n; ++k) mesh.vertices.col(i * (n + 1) + k) << double(i) / n, double(k) / n, 0.0;
  }
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < n; ++k) {
      const int a = i * (n + 1) + k;
      mesh.faces.col(2 * (i * n + k)) << a, a + n + 1, a + 1;
      mesh.faces.col(2 * (i * n + k) + 1) << a + 1, a + n + 1, a + n + 2;
    }
  }
  return mesh;
}

double area(const PictureMesh& mesh) {
  double sum = 0.0;
  for (Index f = 0; f < mesh.faces.cols(); ++f) {
    const Eigen::Vector3d a = mesh.vertices.col(mesh.faces(0, f));
    const Eigen::Vector3d b = mesh.vertices.col(mesh.faces(1, f));
    const Eigen::Vector3d c = mesh.vertices.col(mesh.faces(2, f));
    sum += 0.5 * (b - a).cross(c - a).norm();
  }
  return sum;
}

TEST(DecimateMesh, KeepsTheShapeWithFewerFaces) {
  const PictureMesh fine = grid(60);
  const PictureMesh coarse = decimate_mesh(fine.vertices, fine.faces, 800);
  EXPECT_LE(coarse.faces.cols(), 800);
  EXPECT_GE(coarse.faces.cols(), 200);
  EXPECT_LT(coarse.faces.maxCoeff(), coarse.vertices.cols());
  // Means of cells draw the border in by up to half a cell of a grid of at least 10.
  EXPECT_GT(area(coarse), 0.8);
  EXPECT_LE(area(coarse), 1.0 + 1e-9);
}

TEST(DecimateMesh, LeavesASmallMeshAlone) {
  const PictureMesh small = grid(5);
  const PictureMesh same = decimate_mesh(small.vertices, small.faces, 50);
  EXPECT_EQ(same.vertices, small.vertices);
  EXPECT_EQ(same.faces, small.faces);
}

TEST(ScatterSvg, LeavesOutWhatIsOutside) {
  Points points(3, 2);
  points << 0.0, 5.0, 0.0, 0.0, 0.0, 0.0;
  const std::string svg = scatter_svg(points, 2, PictureFrame{}, "a <label>");
  EXPECT_NE(svg.find("M250 250h0"), std::string::npos);
  EXPECT_EQ(svg.find("h0M"), std::string::npos);
  EXPECT_NE(svg.find("a &lt;label&gt;"), std::string::npos);
}

}  // namespace
}  // namespace onmanifold
