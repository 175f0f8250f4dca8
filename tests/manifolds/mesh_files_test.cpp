// SPDX-License-Identifier: Apache-2.0
#include "manifolds/mesh_files.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include <Eigen/Geometry>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/test_meshes.hpp"

namespace onmanifold {
namespace {

// The tetrahedron of test::tetrahedron in every notation.
const char* const off =
    "OFF\n# a comment\n4 4 6\n1 1 1\n 1 -1 -1 # end\n\n-1 1 -1\n-1 -1 1\n3 0 3 1\n3 0 1 2\n3 0 2 3 0.5 0.5 "
    "0.5\n3 1 3 2\n";
const char* const obj =
    "# tetrahedron\nmtllib x.mtl\no t\nv 1 1 1\nv 1 -1 -1 0.5 0.5 0.5\nv -1 1 -1\nv -1 -1 1\nvt 0 0\nvn 0 0 "
    "1\n"
    "f 1/1/1 4/1/1 2/1/1\nf 1//1 2//1 3//1\nf 1/1 3/1 4/1\nf -3 -1 -2\n";
const char* const ply_header =
    "property float x\nproperty float y\nproperty float z\nproperty uchar red\nelement face 4\n"
    "property list uchar int vertex_indices\nproperty short flag\nend_header\n";

std::string ascii_ply() {
  std::string text = "ply\nformat ascii 1.0\ncomment made by hand\nelement vertex 4\n";
  text += ply_header;
  text += "1 1 1 255\n1 -1 -1 0\n-1 1 -1 0\n-1 -1 1 0\n3 0 3 1 7\n3 0 1 2 7\n3 0 2 3 7\n3 1 3 2 7\n";
  return text;
}

template <class T>
void append(std::string& text, T value, bool big_endian) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  if (big_endian) std::reverse(raw, raw + sizeof(T));
  text.append(raw, sizeof(T));
}

std::string binary_ply(bool big_endian) {
  std::string text = std::string("ply\nformat ") + (big_endian ? "binary_big_endian" : "binary_little_endian") +
                     " 1.0\nelement vertex 4\n" + ply_header;
  const test::MeshArrays mesh = test::tetrahedron();
  for (Index v = 0; v < 4; ++v) {
    for (int i = 0; i < 3; ++i) append(text, static_cast<float>(mesh.vertices(i, v)), big_endian);
    text.push_back('\xff');
  }
  for (Index f = 0; f < 4; ++f) {
    text.push_back(3);
    for (int i = 0; i < 3; ++i) append(text, mesh.faces(i, f), big_endian);
    append(text, std::int16_t{7}, big_endian);
  }
  return text;
}

void expect_tetrahedron(const MeshData& data) {
  const test::MeshArrays expected = test::tetrahedron();
  EXPECT_EQ(data.vertices, expected.vertices);
  Eigen::MatrixXi faces(3, 4);  // the order of the texts above
  faces << 0, 0, 0, 1, 3, 1, 2, 3, 1, 2, 3, 2;
  EXPECT_EQ(data.faces, faces);
  EXPECT_EQ(TriangleMesh(data.vertices, data.faces).euler_characteristic(), 2);
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(MeshFilesTest, AllFormatsSayTheSame) {
  expect_tetrahedron(parse_off(off, "x"));
  expect_tetrahedron(parse_obj(obj, "x"));
  expect_tetrahedron(parse_ply(ascii_ply(), "x"));
  const auto binary = [](bool big_endian) {
    MeshData data = parse_ply(binary_ply(big_endian), "x");
    EXPECT_EQ(data.vertices, test::tetrahedron().vertices);
    EXPECT_EQ(data.faces, test::tetrahedron().faces);
  };
  binary(false);
  binary(true);
  // Windows line ends, counts on the header's line.
  expect_tetrahedron(parse_off(
      "OFF 4 4 0\r\n1 1 1\r\n1 -1 -1\r\n-1 1 -1\r\n-1 -1 1\r\n3 0 3 1\r\n3 0 1 2\r\n3 0 2 3\r\n3 1 3 2", "x"));
}

TEST(MeshFilesTest, PolygonsBecomeFans) {
  const MeshData data = parse_off("OFF\n5 1 0\n0 0 0\n1 0 0\n2 1 0\n1 2 0\n0 1 0\n5 0 1 2 3 4\n", "x");
  Eigen::MatrixXi expected(3, 3);
  expected << 0, 0, 0, 1, 2, 3, 2, 3, 4;
  EXPECT_EQ(data.faces, expected);
}

/// Area, and volume by the divergence theorem.
std::pair<double, double> area_and_volume(const MeshData& mesh) {
  double area = 0;
  double volume = 0;
  for (Index f = 0; f < mesh.faces.cols(); ++f) {
    const Eigen::Vector3d a = mesh.vertices.col(mesh.faces(0, f));
    const Eigen::Vector3d b = mesh.vertices.col(mesh.faces(1, f));
    const Eigen::Vector3d c = mesh.vertices.col(mesh.faces(2, f));
    area += (b - a).cross(c - a).norm() / 2;
    volume += a.dot(b.cross(c)) / 6;
  }
  return {area, volume};
}

// A prism over an L: an outline with a corner turned in, from which a fan would leave the outline.
const char* const concave =
    "OFF\n12 8 18\n1 1 0\n0 1 0\n0 0 0\n2 0 0\n2 2 0\n1 2 0\n1 1 1\n0 1 1\n0 0 1\n2 0 1\n2 2 1\n1 2 1\n"
    "6 5 4 3 2 1 0\n6 6 7 8 9 10 11\n4 0 1 7 6\n4 1 2 8 7\n4 2 3 9 8\n4 3 4 10 9\n4 4 5 11 10\n4 5 0 6 11\n";

TEST(MeshFilesTest, ConcavePolygonsAreCutWithoutOverlap) {
  const MeshData data = parse_off(concave, "x");
  EXPECT_EQ(data.faces.cols(), 4 + 4 + 12);
  EXPECT_NEAR(area_and_volume(data).first, 14, 1e-12);
  EXPECT_NEAR(area_and_volume(data).second, 3, 1e-12);
  EXPECT_EQ(TriangleMesh(data.vertices, data.faces).euler_characteristic(), 2);
  // Stars: every other corner turned in, started at each corner, in a tilted plane.
  for (const int points : {3, 4, 5, 9}) {
    for (int first = 0; first < 2 * points; ++first) {
      std::string text = fmt::format("OFF\n{} 1 0\n", 2 * points);
      double expected = 0;
      for (int i = 0; i < 2 * points; ++i) {
        const double radius = i % 2 == 0 ? 1 : 0.3;
        const double angle = M_PI * i / points;
        const double x = radius * std::cos(angle);
        text += fmt::format("{} {} {}\n", x, radius * std::sin(angle), x);  // stretched by sqrt(2)
        expected += 0.3 * std::sin(M_PI / points) / 2 * std::sqrt(2.0);
      }
      text += std::to_string(2 * points);
      for (int i = 0; i < 2 * points; ++i) text += fmt::format(" {}", (first + i) % (2 * points));
      const MeshData star = parse_off(text + "\n", "x");
      EXPECT_EQ(star.faces.cols(), 2 * points - 2);
      EXPECT_NEAR(area_and_volume(star).first, expected, 1e-12) << points << " from " << first;
    }
  }
}

TEST(MeshFilesTest, PolygonsThatAreNotSimpleAreRefused) {
  const std::vector<std::string> outlines = {
      "4 1 0\n0 0 0\n1 1 0\n1 0 0\n0 1 0\n4 0 1 2 3\n",                                       // a bow tie
      "4 1 0\n0 0 0\n1 0 0\n2 0 0\n3 0 0\n4 0 1 2 3\n",                                       // a line
      "4 1 0\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n4 0 1 2 1\n",                                       // there and back
      "5 1 0\n0 1 0\n.588 -.809 0\n-.951 .309 0\n.951 .309 0\n-.588 -.809 0\n5 0 1 2 3 4\n",  // a pentagram
  };
  for (const std::string& outline : outlines) {
    EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_off("OFF\n" + outline, "m.off"); },
                                             {"m.off: face 0, of", "is not a simple polygon"}))
        << outline;
  }
}

// A tetrahedron with its right angle at the origin, as texts of many programs have it.
const char* const corner_points = "0 0 0\n1 0 0\n0 1 0\n0 0 1\n";
const char* const corner_faces = "3 0 2 1\n3 0 1 3\n3 1 2 3\n3 0 3 2\n";

void expect_corner(const MeshData& data, const char* what) {
  EXPECT_EQ(data.vertices.cols(), 4) << what;
  EXPECT_EQ(data.faces.cols(), 4) << what;
  EXPECT_NEAR(area_and_volume(data).first, 1.5 + std::sqrt(3) / 2, 1e-12) << what;
  EXPECT_NEAR(area_and_volume(data).second, 1.0 / 6, 1e-12) << what;
  EXPECT_EQ(TriangleMesh(data.vertices, data.faces).euler_characteristic(), 2) << what;
}

TEST(MeshFilesTest, OffOfOtherPrograms) {
  const std::string points = corner_points;
  const std::string faces = corner_faces;
  for (const std::string& text :
       {"OFF4 4 0\n" + points + faces, "\xEF\xBB\xBFOFF\n4 4 6\n" + points + faces, "nOFF\n3\n4 4 6\n" + points + faces,
        "nOFF 3\n4 4 6\n" + points + faces,
        "OFF 4 4 6 0 0 0 1 0 0 0 1 0 0 0 1 3 0 2 1 3 0 1 3 3 1 2 3 3 0 3 2" + std::string(),
        "OFF\n4 4 6\n0 0 0 1 0 0\n0 1 0 0 0 1\n" + faces, "OFF\n4 4 6\n0 0\n0 1 0 0\n0 1 0 0 0 1\n" + faces,
        std::string("STOFF\n4 4 6\n0 0 0 0 0\n1 0 0 0 0\n0 1 0 nan 0\n0 0 1 0 0\n") + faces,
        std::string("4OFF\n4 4 6\n0 0 0 1\n2 0 0 2\n0 1 0 1\n0 0 -1 -1\n") + faces,
        std::string("NOFF\n4 4 6\n0 0 0 0 0 1 1 0 0 0 0 1\n0 1 0 0 0 1 0 0 1 0 0 1\n") + faces,
        std::string("STCN4OFF\n4 4 6\n0 0 0 1 0 0 1 1 1 1 1 0 0\n1 0 0 1 0 0 1 1 1 1 1 0 0\n"
                    "0 1 0 1 0 0 1 1 1 1 1 0 0\n0 0 1 1 0 0 1 1 1 1 1 0 0\n") +
            faces}) {
    expect_corner(parse_off(text, "x"), text.c_str());
  }
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_off("nOFF\n4\n4 4 6\n", "m.off"); }, {"4 dimensions"}));
  EXPECT_TRUE(throws_message<InvalidInput>(
      [&] { (void)parse_off("4OFF\n4 4 6\n0 0 0 0\n1 0 0 1\n0 1 0 1\n0 0 1 1\n" + faces, "m.off"); }, {"at infinity"}));
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_off("OFFx\n", "m.off"); }, {"found 'OFFx'"}));
}

std::string binary_off() {
  std::string text = "OFF BINARY\n";
  for (const int count : {4, 4, 6}) append(text, count, true);
  for (const float x : {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}) append(text, x, true);
  for (const auto& face : {std::array{0, 2, 1}, std::array{0, 1, 3}, std::array{1, 2, 3}, std::array{0, 3, 2}}) {
    append(text, 3, true);
    for (const int corner : face) append(text, corner, true);
    append(text, 1, true);
    append(text, 0.5F, true);
  }
  return text;
}

TEST(MeshFilesTest, BinaryOff) {
  const std::string text = binary_off();
  expect_corner(parse_off(text, "x"), "binary");
  for (const std::string& damaged : {text.substr(0, text.size() - 1), text + "x", text.substr(0, 20)}) {
    EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_off(damaged, "m.off"); }, {"m.off: "}));
  }
}

TEST(MeshFilesTest, ObjOfOtherPrograms) {
  for (const char* text :
       {"\xEF\xBB\xBFv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n",
        "v 0 0 \\\n0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 \\\r\n2\nf 1 2 4\nf 2 3 4\nf 1 \\\n 4 \\\n3\n"}) {
    expect_corner(parse_obj(text, "x"), text);
  }
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_obj("v 0 0 \\\n0\nv 1 x 0\n", "m.obj"); },
                                           {"m.obj: line 3", "found 'x'"}));
}

TEST(MeshFilesTest, PlyOfOtherPrograms) {
  const std::string start =
      "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n";
  const std::string strips = "element tristrips 1\nproperty list int int vertex_indices\nend_header\n";
  const std::string faces = "element face 4\nproperty list uchar int vertex_indices\nend_header\n";
  expect_corner(parse_ply(start + strips + corner_points + "6 0 2 1 3 0 2\n", "x"), "a strip");
  // Four strips, the last with a corner repeated to turn.
  expect_corner(parse_ply(start + strips + corner_points + "17 0 2 1 -1 0 1 3 -1 1 2 3 3 -1 0 3 2 -1\n", "x"),
                "restarts");
  expect_corner(
      parse_ply(start + "property float nx\n" + faces + "0 0 0 nan\n1 0 0 inf\n0 1 0 0\n0 0 1 -nan\n" + corner_faces,
                "x"),
      "normals that are none");
  expect_corner(parse_ply(start + faces + "0 0 0 1 0 0\n0 1 0 0 0 1\n3 0 2 1 3 0 1 3 3 1 2 3 3 0 3 2\n", "x"),
                "several a line");
  EXPECT_TRUE(throws_message<InvalidInput>(
      [&] { (void)parse_ply(start + faces + "0 0 0\n1 nan 0\n0 1 0\n0 0 1\n" + corner_faces, "m.ply"); },
      {"m.ply: line 11: the coordinate nan is not finite"}));
}

std::string binary_stl(const std::string& name) {
  std::string text = name;
  text.resize(80, ' ');
  append(text, std::uint32_t{4}, false);
  const MeshData mesh = parse_off(std::string("OFF\n4 4 6\n") + corner_points + corner_faces, "x");
  for (Index f = 0; f < 4; ++f) {
    for (int i = 0; i < 3; ++i) append(text, 0.0F, false);
    for (int i = 0; i < 3; ++i) {
      for (int k = 0; k < 3; ++k) append(text, static_cast<float>(mesh.vertices(k, mesh.faces(i, f))), false);
    }
    append(text, std::uint16_t{0}, false);
  }
  return text;
}

std::string ascii_stl() {
  const MeshData mesh = parse_off(std::string("OFF\n4 4 6\n") + corner_points + corner_faces, "x");
  std::string text = "solid facet of vertex\n";
  for (Index f = 0; f < 4; ++f) {
    text += "facet normal nan 0 0\n outer loop\n";
    for (int i = 0; i < 3; ++i) {
      const auto x = mesh.vertices.col(mesh.faces(i, f));
      text += fmt::format("  vertex {} {} {}\n", x(0) == 0 && f == 1 ? -0.0 : x(0), x(1), x(2));
    }
    text += " endloop\nendfacet\n";
  }
  return text + "endsolid\n";
}

TEST(MeshFilesTest, StlIsWelded) {
  expect_corner(parse_stl(ascii_stl(), "x"), "text");
  expect_corner(parse_stl(binary_stl("made by a program"), "x"), "binary");
  expect_corner(parse_stl(binary_stl("solid, says the header"), "x"), "binary that starts like a text");
  const std::string binary = binary_stl("x");
  for (const auto& [text, message] :
       {std::pair{binary + "y", "4 triangles need 200 bytes, 201 follow"},
        std::pair{binary.substr(0, 200), "need 200 bytes"},
        std::pair{std::string("solid\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nendloop\nendfacet\n"),
                  "line 6: a facet of 1 vertices"},
        std::pair{std::string("solid\nfacet\nvertex 0 0 x\n"), "line 3: expected a number"},
        std::pair{std::string("solid\ncube\n"), "line 2: expected a facet, found 'cube'"},
        std::pair{std::string("solid\nendsolid\n"), "it has no faces"},
        std::pair{std::string("cube"), "neither 'solid'"}}) {
    EXPECT_TRUE(throws_message<InvalidInput>([&, t = text] { (void)parse_stl(t, "m.stl"); }, {"m.stl: ", message}));
  }
}

TEST(MeshFilesTest, WeldClosesASoupOfTriangles) {
  const TemporaryDirectory directory;
  const std::string soup =
      "OFF\n12 4 6\n0 0 0\n0 1 0\n1 0 0\n0 0 0\n1 0 0\n0 0 1\n1 0 0\n0 1 0\n0 0 1\n0 0 0\n0 0 1\n0 1 1e-7\n"
      "3 0 1 2\n3 3 4 5\n3 6 7 8\n3 9 10 11\n";
  const std::string path = directory.file("soup.off");
  write(path, soup);
  EXPECT_TRUE(throws_message<InvalidInput>(
      [&] { (void)read_mesh(path); }, {"soup.off: mesh: the surface is open", "7 of its 12 vertices", "weld = 0"}));
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)read_mesh(path, 0); }, {"the surface is open"}));
  const TriangleMesh closed = read_mesh(path, 1e-6);
  EXPECT_EQ(closed.vertices().cols(), 4);
  EXPECT_NEAR(closed.area(), 1.5 + std::sqrt(3) / 2, 1e-6);
  EXPECT_EQ(closed.spec(), "mesh:weld=1e-06,path=" + path);
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)read_mesh(path, 10); }, {"no triangle is left"}));
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)weld(parse_off(soup, "x"), -1); }, {"weld = -1"}));
}

TEST(MeshFilesTest, SizeDoesNotDecideWhetherAMeshIsGood) {
  for (const double scale : {1e-80, 1e-30, 1e30, 1e99}) {
    const test::MeshArrays mesh = test::tetrahedron();
    const TriangleMesh scaled(scale * mesh.vertices, mesh.faces);
    EXPECT_NEAR(scaled.area() / (scale * scale) / TriangleMesh(mesh.vertices, mesh.faces).area(), 1, 1e-14) << scale;
    Points sliver = scale * mesh.vertices;
    sliver.col(2) = (sliver.col(0) + sliver.col(1)) / 2;
    EXPECT_THROW(TriangleMesh(sliver, mesh.faces), InvalidInput) << scale;
  }
}

TEST(MeshFilesTest, PipesAreRefusedAtOnce) {
  const TemporaryDirectory directory;
  ASSERT_EQ(mkfifo(directory.file("pipe.off").c_str(), 0600), 0);
  EXPECT_TRUE(
      throws_message<InvalidInput>([&] { (void)read_mesh(directory.file("pipe.off")); }, {"not a regular file"}));
}

TEST(MeshFilesTest, OffRoundTripIsExact) {
  const TemporaryDirectory directory;
  const test::MeshArrays mesh = test::torus(1, 0.3, 12, 7);
  write_off(directory.file("torus.OFF"), mesh.vertices, mesh.faces);
  const TriangleMesh back = read_mesh(directory.file("torus.OFF"));
  EXPECT_EQ(back.vertices(), mesh.vertices);
  EXPECT_EQ(back.faces(), mesh.faces);
  EXPECT_EQ(back.spec(), "mesh:path=" + directory.file("torus.OFF"));
  EXPECT_TRUE(throws_message<IoError>([&] { write_off(directory.file("none/torus.off"), mesh.vertices, mesh.faces); },
                                      {"none/torus.off", "cannot write the mesh", "No such file"}));
}

struct Malformed {
  const char* text;
  std::vector<std::string> message;
};

TEST(MeshFilesTest, MalformedOffNamesFileAndLine) {
  const std::vector<Malformed> cases = {
      {"", {"m.off: line 0: the file ends where the header OFF should follow"}},
      {"# nothing\n", {"the header OFF"}},
      {"PLY\n", {"m.off: line 1", "found 'PLY'"}},
      {"OFF\n", {"line 1", "the counts"}},
      {"OFF\nx 1 0\n", {"line 2", "expected an integer, found 'x'"}},
      {"OFF\n-4 1 0\n", {"line 2", "-4 vertices cannot be in a file of this size"}},
      {"OFF\n4 1000000000 0\n", {"line 2", "1000000000 faces cannot be in a file of this size"}},
      {"OFF\n4 1 0\n0 0 0\n1 0\n", {"line 4", "expected a number, found ''"}},
      {"OFF\n4 1 0\n0 0 0\n1 0 0,5\n", {"line 4", "found '0,5'"}},
      {"OFF\n3 1 0\n0 0 0\n1 nan 0\n", {"line 4", "the coordinate 'nan' is not finite"}},
      {"OFF\n3 1 0\n0 0 0\n1 1e999 0\n", {"line 4", "the coordinate '1e999' is not finite"}},
      {"OFF\n3 1 0\n0 0 0\n1 0 0\n", {"line 4", "ends where vertex 2 of 3 should follow"}},
      {"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n", {"line 5", "ends where face 0 of 1 should follow"}},
      {"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1\n", {"line 6", "a face of 3 vertices ends after 2"}},
      {"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n2 0 1\n", {"line 6", "a face of 2 vertices"}},
      {"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 3\n", {"line 6", "vertex 3 is out of range, the file has 3"}},
      {"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n3 0 1 2\n", {"line 7", "text after the last of 1 faces"}},
      {"OFF\n3 0 0\n0 0 0\n1 0 0\n0 1 0\n", {"m.off: it has no faces"}},
  };
  for (const Malformed& c : cases) {
    EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_off(c.text, "m.off"); }, c.message)) << c.text;
  }
}

TEST(MeshFilesTest, MalformedObjNamesFileAndLine) {
  const std::vector<Malformed> cases = {
      {"", {"m.obj: it has no faces"}},
      {"v 0 0\n", {"m.obj: line 1", "expected a number, found ''"}},
      {"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2\n", {"line 4", "a face of 2 vertices"}},
      {"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n", {"line 4", "vertex numbers start at 1"}},
      {"f 1 2 9\nv 0 0 0\nv 1 0 0\nv 0 1 0\n", {"line 1", "vertex 9 is out of range, the file has 3"}},
      {"v 0 0 0\nf 1 -2 1\n", {"line 2", "vertex -2 is out of range, the file has 1"}},
      {"v 0 0 0\nf 1 x/1 1\n", {"line 2", "expected an integer, found 'x'"}},
      {"v 0 0 inf\n", {"line 1", "the coordinate 'inf' is not finite"}},
  };
  for (const Malformed& c : cases) {
    EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_obj(c.text, "m.obj"); }, c.message)) << c.text;
  }
}

TEST(MeshFilesTest, MalformedPlyNamesFileAndPlace) {
  const std::string vertex = "element vertex 3\nproperty float x\nproperty float y\nproperty float z\n";
  const std::string face = "element face 1\nproperty list uchar int vertex_index\n";
  const std::string head = "ply\nformat ascii 1.0\n";
  const std::string points = "0 0 0\n1 0 0\n0 1 0\n";
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"", {"m.ply: line 1: expected the header ply"}},
      {"OFF\n", {"line 1", "expected the header ply"}},
      {"ply\nformat ascii 1.0\n", {"line 2", "the file ends where end_header should follow"}},
      {"ply\nformat morse 1.0\nend_header\n", {"line 2", "unknown format 'morse'"}},
      {"ply\nformat ascii 2.0\nend_header\n", {"line 2", "expected version 1.0"}},
      {"ply\nend_header\n", {"line 2", "the header has no format"}},
      {head + "property float x\n", {"line 3", "a property before the first element"}},
      {head + "element vertex 3\nproperty quad x\n", {"line 4", "unknown property type 'quad'"}},
      {head + "nonsense\n", {"line 3", "unknown keyword 'nonsense'"}},
      {head + vertex + "end_header\n", {"no element 'face'"}},
      {head + "element vertex 1\nproperty float x\nend_header\n", {"element 'vertex' has no property 'y'"}},
      {head + vertex + "element face 1\nproperty int n\nend_header\n", {"element 'face' has no list"}},
      {head + "element vertex 999999999\n", {"line 3", "999999999 vertex cannot be in a file of this size"}},
      {head + vertex + vertex, {"line 7", "a second element 'vertex'"}},
      {head + vertex + face + "end_header\n" + points, {"line 12", "ends where face 0 of 1 should follow"}},
      {head + vertex + face + "end_header\n0 0\n", {"line 10", "too few numbers"}},
      {head + vertex + face + "end_header\n0 0 0 0\n", {"line 10", "too many numbers"}},
      {head + vertex + face + "end_header\n" + points + "3 0 1 3\n", {"line 13", "vertex 3 is out of range"}},
      {head + vertex + face + "end_header\n" + points + "2 0 1\n", {"line 13", "a face of 2 vertices"}},
      {head + vertex + face + "end_header\n" + points + "3 0 1 1.5\n", {"line 13", "expected an integer, found 1.5"}},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_ply(text, "m.ply"); }, message)) << text;
  }
  const std::string binary = binary_ply(false);
  EXPECT_TRUE(throws_message<InvalidInput>(
      [&] { (void)parse_ply(std::string_view(binary).substr(0, binary.size() - 1), "m.ply"); },
      {"m.ply: face 3: the file ends here, of 4"}));
  std::string range = binary;
  range[binary.size() - 3] = 1;  // high byte of the last index
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_ply(range, "m.ply"); },
                                           {"m.ply: face 3: vertex", "out of range"}));
  std::string infinite = binary;
  const std::size_t first = binary.find("end_header\n") + 11;
  infinite[first + 2] = '\x80';
  infinite[first + 3] = '\x7f';
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_ply(infinite, "m.ply"); },
                                           {"m.ply: vertex 0: the coordinate inf is not finite"}));
}

TEST(MeshFilesTest, EveryTruncationAndEveryFlippedByteIsReadOrRefused) {
  // Nothing but InvalidInput may come out, whatever the damage.
  const std::string texts[] = {off,         obj,          ascii_ply(), binary_ply(false),
                               ascii_stl(), binary_off(), concave,     binary_stl("x")};
  MeshData (*const parsers[])(std::string_view, std::string_view) = {parse_off, parse_obj, parse_ply, parse_ply,
                                                                     parse_stl, parse_off, parse_off, parse_stl};
  for (std::size_t k = 0; k < std::size(parsers); ++k) {
    const auto attempt = [&](const std::string& text) {
      try {
        const MeshData data = parsers[k](text, "x");
        EXPECT_TRUE(data.vertices.allFinite());
        EXPECT_GE(data.faces.minCoeff(), 0);
        EXPECT_LT(data.faces.maxCoeff(), data.vertices.cols());
      } catch (const InvalidInput&) {
      }
    };
    for (std::size_t i = 0; i < texts[k].size(); ++i) {
      attempt(texts[k].substr(0, i));
      for (const char c : {'\0', '9', '-', ' ', '\n', '\xff'}) {
        std::string damaged = texts[k];
        damaged[i] = c;
        attempt(damaged);
      }
    }
  }
}

TEST(MeshFilesTest, ReadMeshNamesTheFile) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(
      throws_message<InvalidInput>([&] { (void)read_mesh("mesh.glb"); }, {"mesh.glb", ".off, .obj, .ply or .stl"}));
  EXPECT_TRUE(throws_message<IoError>([&] { (void)read_mesh(directory.file("none.off")); },
                                      {"none.off: cannot open the mesh: No such file"}));
  write(directory.file("open.off"), "OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n");
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)read_mesh(directory.file("open.off")); },
                                           {"open.off: mesh: the surface is open (3 in all): edge 0-1"}));
  write(directory.file("t.ply"), binary_ply(true));
  EXPECT_EQ(read_mesh(directory.file("t.ply")).faces().cols(), 4);
}

/// Six times the volume, by the divergence theorem: positive if the faces look outwards.
double volume_of(const TriangleMesh& mesh) {
  double sum = 0;
  for (Index f = 0; f < mesh.faces().cols(); ++f) {
    const Eigen::Vector3d a = mesh.vertices().col(mesh.faces()(0, f));
    const Eigen::Vector3d b = mesh.vertices().col(mesh.faces()(1, f));
    const Eigen::Vector3d c = mesh.vertices().col(mesh.faces()(2, f));
    sum += a.dot(b.cross(c));
  }
  return sum;
}

TEST(ReadMesh, TurnsFacesThatRunAgainstTheirNeighbours) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("mesh.off");
  const test::MeshArrays good = test::tetrahedron();
  write_off(path, good.vertices, good.faces);
  const TriangleMesh whole = read_mesh(path);
  EXPECT_EQ(whole.faces(), good.faces) << "nothing to turn";
  for (int pattern = 1; pattern < 15; ++pattern) {
    test::MeshArrays shuffled = good;
    for (int f = 0; f < 4; ++f) {
      if ((pattern >> f & 1) != 0) std::swap(shuffled.faces(0, f), shuffled.faces(2, f));
    }
    EXPECT_THROW(TriangleMesh(shuffled.vertices, shuffled.faces), InvalidInput) << pattern;
    write_off(path, shuffled.vertices, shuffled.faces);
    const TriangleMesh mesh = read_mesh(path);
    EXPECT_NEAR(volume_of(mesh), volume_of(whole), 1e-12) << pattern;
    EXPECT_EQ(mesh.area(), whole.area()) << pattern;
  }
  // All of them inwards: as the file has it, for there is nothing to mend.
  test::MeshArrays inside = good;
  inside.faces.row(0).swap(inside.faces.row(2));
  write_off(path, inside.vertices, inside.faces);
  EXPECT_EQ(read_mesh(path).faces(), inside.faces);
}

TEST(ReadMesh, ASurfaceWithOneSideIsRefused) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("plane.off");
  // The projective plane of six vertices: every two of them share an edge, and each edge has two triangles.
  Points vertices(3, 6);
  vertices << 0, 1, 2, 3, 4, 5, 0, 1, 4, 9, 16, 25, 0, 1, 8, 27, 64, 125;
  Eigen::MatrixXi faces(3, 10);
  faces << 0, 0, 0, 0, 0, 1, 1, 1, 2, 2,  //
      1, 1, 2, 3, 4, 2, 3, 3, 3, 4,       //
      2, 5, 3, 4, 5, 4, 4, 5, 5, 5;
  write_off(path, vertices, faces);
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)read_mesh(path); }, {path, "a face is flipped"}));
}

}  // namespace
}  // namespace onmanifold
