// SPDX-License-Identifier: Apache-2.0
#include "manifolds/mesh_files.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>

#include <gtest/gtest.h>

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
  return std::string("ply\nformat ascii 1.0\ncomment made by hand\nelement vertex 4\n") + ply_header +
         "1 1 1 255\n1 -1 -1 0\n-1 1 -1 0\n-1 -1 1 0\n3 0 3 1 7\n3 0 1 2 7\n3 0 2 3 7\n3 1 3 2 7\n";
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
  const std::string texts[] = {off, obj, ascii_ply(), binary_ply(false)};
  MeshData (*const parsers[])(std::string_view, std::string_view) = {parse_off, parse_obj, parse_ply, parse_ply};
  for (std::size_t k = 0; k < 4; ++k) {
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
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)read_mesh("mesh.stl"); }, {"mesh.stl", ".off, .obj or .ply"}));
  EXPECT_TRUE(throws_message<IoError>([&] { (void)read_mesh(directory.file("none.off")); },
                                      {"none.off: cannot open the mesh: No such file"}));
  write(directory.file("open.off"), "OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n");
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)read_mesh(directory.file("open.off")); },
                                           {"open.off: mesh: the surface is open (3 in all): edge 0-1"}));
  write(directory.file("t.ply"), binary_ply(true));
  EXPECT_EQ(read_mesh(directory.file("t.ply")).faces().cols(), 4);
}

}  // namespace
}  // namespace onmanifold
