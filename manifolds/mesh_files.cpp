// SPDX-License-Identifier: Apache-2.0
#include "manifolds/mesh_files.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>

#include "core/error.hpp"
#include "manifolds/polygon.hpp"

namespace onmanifold {
namespace {

constexpr Index largest_count = std::numeric_limits<int>::max() / 8;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' || c == '\n';
}

// Without the byte order mark of UTF-8, which some programs of Windows put first.
std::string_view without_mark(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

// Lines of a text with their numbers, and the words of one line.
class Lines {
 public:
  // \p continued: a line that ends in \ goes on in the next one.
  Lines(std::string_view text, std::string_view where, bool continued = false)
      : text_(without_mark(text)), where_(where), continued_(continued) {}

  // The next line with a word on it, '#' starting a comment if wanted; false at the end.
  bool next(bool comments = true) {
    while (position_ < text_.size()) {
      number_ += 1 + joined_;
      joined_ = 0;
      std::size_t end = std::min(text_.find('\n', position_), text_.size());
      while (continued_ && end < text_.size() && goes_on(end)) {
        ++joined_;
        end = std::min(text_.find('\n', end + 1), text_.size());
      }
      line_ = text_.substr(position_, end - position_);
      position_ = std::min(end + 1, text_.size());
      if (comments) line_ = line_.substr(0, line_.find('#'));
      skip_spaces();
      if (!line_.empty()) return true;
    }
    line_ = {};
    return false;
  }

  void need(std::string_view what) {
    if (!next()) {
      throw InvalidInput(fmt::format("{}: line {}: the file ends where {} should follow", where_, number_, what));
    }
  }

  // The next word of the line, empty at its end.
  std::string_view word() {
    std::size_t end = 0;
    while (end < line_.size() && !separates(line_[end])) ++end;
    const std::string_view result = line_.substr(0, end);
    line_.remove_prefix(end);
    skip_spaces();
    return result;
  }

  // The next word of the file, on whatever line.
  std::string_view word_somewhere(std::string_view what) {
    if (at_end_of_line()) need(what);
    return word();
  }

  double number() { return number(word()); }
  double number(std::string_view text, bool finite = true) const {
    const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    // A result out of range is 0 or infinity in spirit; the first is harmless, the second is caught as not
    // finite.
    if (error == std::errc::result_out_of_range) {
      value = std::strtod(std::string(digits).c_str(), nullptr);
    } else if (error != std::errc{} || end != digits.data() + digits.size()) {
      fail(fmt::format("expected a number, found '{}'", text.substr(0, 40)));
    }
    if (finite && !std::isfinite(value)) fail(fmt::format("the coordinate '{}' is not finite", text.substr(0, 40)));
    return value;
  }

  Index integer(std::string_view text) const {
    Index value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
      fail(fmt::format("expected an integer, found '{}'", text.substr(0, 40)));
    }
    return value;
  }
  Index integer() { return integer(word()); }

  [[nodiscard]] bool at_end_of_line() const { return line_.empty(); }
  [[nodiscard]] std::string_view rest() const { return text_.substr(position_); }
  [[noreturn]] void fail(std::string_view what) const {
    throw InvalidInput(fmt::format("{}: line {}: {}", where_, number_, what));
  }

 private:
  void skip_spaces() {
    while (!line_.empty() && separates(line_.front())) line_.remove_prefix(1);
  }
  [[nodiscard]] bool separates(char c) const { return is_space(c) || (continued_ && c == '\\'); }
  [[nodiscard]] bool goes_on(std::size_t end) const {
    if (end > position_ && text_[end - 1] == '\r') --end;
    return end > position_ && text_[end - 1] == '\\';
  }

  std::string_view text_;
  std::string_view where_;
  std::string_view line_;
  std::size_t position_ = 0;
  Index number_ = 0;
  Index joined_ = 0;  // further lines that belong to this one
  bool continued_;
};

// Vertices and polygons as they come.
class Collector {
 public:
  void vertex(double x, double y, double z) { vertices_.insert(vertices_.end(), {x, y, z}); }
  [[nodiscard]] Index vertices() const { return static_cast<Index>(vertices_.size() / 3); }

  void polygon(const std::vector<Index>& corners) {
    for (const Index corner : corners) corners_.push_back(static_cast<int>(corner));
    ends_.push_back(corners_.size());
  }

  // A strip of triangles, each with the last two corners of the one before; -1 starts anew. Strips repeat a corner to
  // turn: those triangles are nothing.
  void strip(const std::vector<Index>& corners) {
    std::size_t start = 0;
    for (std::size_t i = 0; i < corners.size(); ++i) {
      if (corners[i] < 0) start = i + 1;
      if (corners[i] < 0 || i < start + 2) continue;
      std::array<Index, 3> triangle = {corners[i - 2], corners[i - 1], corners[i]};
      if ((i - start) % 2 == 1) std::swap(triangle[0], triangle[1]);
      if (triangle[0] == triangle[1] || triangle[1] == triangle[2] || triangle[2] == triangle[0]) continue;
      polygon({triangle[0], triangle[1], triangle[2]});
    }
  }

  [[nodiscard]] MeshData finish(std::string_view where) const {
    if (ends_.empty()) throw InvalidInput(fmt::format("{}: it has no faces", where));
    const Points vertices = Eigen::Map<const Points>(vertices_.data(), 3, Collector::vertices());
    std::vector<int> faces;
    faces.reserve(corners_.size());
    std::size_t begin = 0;
    for (std::size_t f = 0; f < ends_.size(); begin = ends_[f++]) {
      const std::vector<int> polygon(corners_.begin() + static_cast<std::ptrdiff_t>(begin),
                                     corners_.begin() + static_cast<std::ptrdiff_t>(ends_[f]));
      if (!triangulate_polygon(vertices, polygon, faces)) {
        throw InvalidInput(
            fmt::format("{}: face {}, of {} vertices, is not a simple polygon", where, f, polygon.size()));
      }
    }
    return {vertices, Eigen::Map<const Eigen::MatrixXi>(faces.data(), 3, static_cast<Index>(faces.size() / 3))};
  }

 private:
  std::vector<double> vertices_;
  std::vector<int> corners_;
  std::vector<std::size_t> ends_;  // of each polygon in corners_
};

std::string polygon_error(Index corners) {
  return fmt::format("a face of {} vertices, expected 3 or more", corners);
}

std::string range_error(Index index, Index count) {
  return fmt::format("vertex {} is out of range, the file has {}", index, count);
}

// A count that the rest of the file cannot hold, at two bytes an item, is a lie; do not reserve for it.
Index checked_count(Index count, std::size_t bytes, std::string_view what, const Lines& lines) {
  if (count < 0 || count > largest_count || static_cast<std::size_t>(count) > bytes) {
    lines.fail(fmt::format("{} {} cannot be in a file of this size", count, what));
  }
  return count;
}

}  // namespace

namespace {

// What the header of an OFF file says of each vertex: [ST][C][N][4][n]OFF.
struct OffHeader {
  bool texture = false;
  bool colour = false;
  bool normal = false;
  bool homogeneous = false;  // 4: x y z w
  bool dimension = false;    // n: a number of coordinates before the counts
  bool binary = false;
  std::string_view counts;  // "OFF4 4 0": what stands right behind the word
  [[nodiscard]] int more() const { return (normal ? 3 : 0) + (colour ? 4 : 0) + (texture ? 2 : 0); }
};

OffHeader off_header(Lines& lines) {
  lines.need("the header OFF");
  const std::string_view word = lines.word();
  OffHeader header;
  std::string_view rest = word;
  const auto take = [&](std::string_view part) {
    const bool there = rest.starts_with(part);
    if (there) rest.remove_prefix(part.size());
    return there;
  };
  header.texture = take("ST");
  header.colour = take("C");
  header.normal = take("N");
  header.homogeneous = take("4");
  header.dimension = take("n");
  if (!take("OFF") || rest.find_first_not_of("0123456789") != std::string_view::npos) {
    lines.fail(fmt::format("expected the header OFF, found '{}'", word.substr(0, 40)));
  }
  header.counts = rest;
  return header;
}

void off_vertex(Collector& mesh, Lines& lines, bool homogeneous, const std::array<double, 4>& x) {
  if (homogeneous && x[3] == 0) lines.fail("a vertex at infinity");
  const double w = homogeneous ? x[3] : 1;
  mesh.vertex(x[0] / w, x[1] / w, x[2] / w);
}

Index off_corner(Index index, Index vertices, const Lines& lines) {
  if (index < 0 || index >= vertices) lines.fail(range_error(index, vertices));
  return index;
}

// Every item on a line of its own, colours and the like after what is needed.
MeshData off_by_lines(Lines lines, const OffHeader& header, Index vertices, Index faces, std::string_view where) {
  Collector mesh;
  for (Index v = 0; v < vertices; ++v) {
    lines.need(fmt::format("vertex {} of {}", v, vertices));
    std::array<double, 4> x = {};
    for (int i = 0; i < (header.homogeneous ? 4 : 3); ++i) x[static_cast<std::size_t>(i)] = lines.number();
    off_vertex(mesh, lines, header.homogeneous, x);
  }
  std::vector<Index> corners;
  for (Index f = 0; f < faces; ++f) {
    lines.need(fmt::format("face {} of {}", f, faces));
    const Index count = lines.integer();
    if (count < 3) lines.fail(polygon_error(count));
    corners.clear();
    for (Index i = 0; i < count; ++i) {
      if (lines.at_end_of_line()) lines.fail(fmt::format("a face of {} vertices ends after {}", count, i));
      corners.push_back(off_corner(lines.integer(), vertices, lines));
    }
    mesh.polygon(corners);
  }
  if (lines.next()) lines.fail(fmt::format("text after the last of {} faces", faces));
  return mesh.finish(where);
}

// Numbers one after another, line ends mean nothing; then faces have no colours.
MeshData off_by_words(Lines lines, const OffHeader& header, Index vertices, Index faces, std::string_view where) {
  Collector mesh;
  for (Index v = 0; v < vertices; ++v) {
    std::array<double, 4> x = {};
    for (int i = 0; i < (header.homogeneous ? 4 : 3); ++i) {
      x[static_cast<std::size_t>(i)] = lines.number(lines.word_somewhere("a vertex"));
    }
    for (int i = 0; i < header.more(); ++i) (void)lines.word_somewhere("a vertex");
    off_vertex(mesh, lines, header.homogeneous, x);
  }
  std::vector<Index> corners;
  for (Index f = 0; f < faces; ++f) {
    const Index count = lines.integer(lines.word_somewhere("a face"));
    if (count < 3) lines.fail(polygon_error(count));
    corners.clear();
    for (Index i = 0; i < count; ++i) {
      corners.push_back(off_corner(lines.integer(lines.word_somewhere("a face")), vertices, lines));
    }
    mesh.polygon(corners);
  }
  if (!lines.at_end_of_line() || lines.next()) lines.fail(fmt::format("text after the last of {} faces", faces));
  return mesh.finish(where);
}

// Numbers of a binary file, one after another.
class Bytes {
 public:
  Bytes(std::string_view bytes, std::string_view where, bool big_endian)
      : bytes_(bytes), where_(where), swap_(big_endian != (std::endian::native == std::endian::big)) {}

  template <class T>
  T read() {
    if (bytes_.size() < sizeof(T)) fail("the file ends too early");
    std::array<char, sizeof(T)> raw;
    std::memcpy(raw.data(), bytes_.data(), sizeof(T));
    if (swap_) std::reverse(raw.begin(), raw.end());
    bytes_.remove_prefix(sizeof(T));
    T result;
    std::memcpy(&result, raw.data(), sizeof(T));
    return result;
  }
  double coordinate() {
    const auto value = static_cast<double>(read<float>());
    if (!std::isfinite(value)) fail(fmt::format("the coordinate {} is not finite", value));
    return value;
  }
  void skip(std::size_t bytes) {
    if (bytes_.size() < bytes) fail("the file ends too early");
    bytes_.remove_prefix(bytes);
  }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }
  void at(std::string_view item, Index number) {
    item_ = item;
    number_ = number;
  }
  [[noreturn]] void fail(std::string_view what) const {
    throw InvalidInput(fmt::format("{}: {} {}: {}", where_, item_, number_, what));
  }

 private:
  std::string_view bytes_;
  std::string_view where_;
  bool swap_;
  std::string_view item_ = "header";
  Index number_ = 0;
};

// Big-endian: three counts, float32 for each vertex, and for each face its corners and its colour, both with a count.
MeshData binary_off(std::string_view body, const OffHeader& header, std::string_view where) {
  Bytes bytes(body, where, true);
  const Index vertices = bytes.read<std::int32_t>();
  const Index faces = bytes.read<std::int32_t>();
  (void)bytes.read<std::int32_t>();
  const auto most = static_cast<Index>(body.size() / 12);
  if (vertices < 0 || faces < 0 || vertices > most || faces > most) {
    bytes.fail(fmt::format("{} vertices and {} faces cannot be in a file of this size", vertices, faces));
  }
  Collector mesh;
  for (Index v = 0; v < vertices; ++v) {
    bytes.at("vertex", v);
    const double x = bytes.coordinate();
    const double y = bytes.coordinate();
    const double z = bytes.coordinate();
    const double w = header.homogeneous ? bytes.coordinate() : 1;
    if (w == 0) bytes.fail("is at infinity");
    bytes.skip(static_cast<std::size_t>(header.more()) * sizeof(float));
    mesh.vertex(x / w, y / w, z / w);
  }
  std::vector<Index> corners;
  for (Index f = 0; f < faces; ++f) {
    bytes.at("face", f);
    const Index count = bytes.read<std::int32_t>();
    if (count < 3) bytes.fail(polygon_error(count));
    corners.clear();
    for (Index i = 0; i < count; ++i) {
      const Index corner = bytes.read<std::int32_t>();
      if (corner < 0 || corner >= vertices) bytes.fail(range_error(corner, vertices));
      corners.push_back(corner);
    }
    const std::int32_t colour = bytes.read<std::int32_t>();
    if (colour < 0) bytes.fail("a colour of fewer than no numbers");
    bytes.skip(static_cast<std::size_t>(colour) * sizeof(float));
    mesh.polygon(corners);
  }
  if (bytes.left() > 0) bytes.fail(fmt::format("{} bytes follow the last face", bytes.left()));
  return mesh.finish(where);
}

}  // namespace

MeshData parse_off(std::string_view text, std::string_view where) {
  Lines lines(text, where);
  OffHeader header = off_header(lines);
  if (header.counts.empty() && !lines.at_end_of_line()) {
    Lines peek = lines;
    if (peek.word() == "BINARY") return binary_off(lines.rest(), header, where);
  }
  if (header.dimension) {
    const Index dimension = lines.integer(lines.word_somewhere("the dimension"));
    if (dimension != 3) lines.fail(fmt::format("vertices in {} dimensions, expected 3", dimension));
  }
  if (header.counts.empty() && lines.at_end_of_line()) lines.need("the counts");
  const Index vertices = checked_count(lines.integer(header.counts.empty() ? lines.word() : header.counts), text.size(),
                                       "vertices", lines);
  const Index faces = checked_count(lines.integer(), text.size(), "faces", lines);
  Lines body = lines;
  (void)body.word();  // edges, which nobody counts
  try {
    return off_by_lines(lines, header, vertices, faces, where);
  } catch (const InvalidInput&) {
    try {
      return off_by_words(body, header, vertices, faces, where);
    } catch (const InvalidInput&) {  // the first complaint is the better one
    }
    throw;
  }
}

MeshData parse_obj(std::string_view text, std::string_view where) {
  Lines lines(text, where, true);
  Collector mesh;
  struct Pending {  // faces may come before their vertices
    std::vector<Index> corners;
    Lines line;
  };
  std::vector<Pending> pending;
  while (lines.next()) {
    const std::string_view statement = lines.word();
    if (statement == "v") {
      const double x = lines.number();
      const double y = lines.number();
      mesh.vertex(x, y, lines.number());
      if (mesh.vertices() > largest_count) lines.fail("too many vertices");
    } else if (statement == "f") {
      std::vector<Index> corners;
      while (!lines.at_end_of_line()) {
        const std::string_view word = lines.word();
        const Index index = lines.integer(word.substr(0, word.find('/')));
        if (index == 0) lines.fail("vertex numbers start at 1");
        const Index corner = index > 0 ? index - 1 : mesh.vertices() + index;
        if (corner < 0) lines.fail(range_error(index, mesh.vertices()));
        corners.push_back(corner);
      }
      if (corners.size() < 3) lines.fail(polygon_error(static_cast<Index>(corners.size())));
      pending.push_back({std::move(corners), lines});
    }
  }
  for (const Pending& face : pending) {
    for (const Index corner : face.corners) {
      if (corner >= mesh.vertices()) face.line.fail(range_error(corner + 1, mesh.vertices()));
    }
    mesh.polygon(face.corners);
  }
  return mesh.finish(where);
}

namespace {

// ---- PLY

enum class Scalar { int8, uint8, int16, uint16, int32, uint32, float32, float64 };

struct Property {
  std::string name;
  Scalar type = Scalar::float32;
  bool is_list = false;
  Scalar count_type = Scalar::uint8;
};

struct Element {
  std::string name;
  Index count = 0;
  std::vector<Property> properties;
};

Scalar scalar_type(std::string_view name, const Lines& lines) {
  constexpr std::array<std::pair<std::string_view, Scalar>, 16> names = {{{"char", Scalar::int8},
                                                                          {"int8", Scalar::int8},
                                                                          {"uchar", Scalar::uint8},
                                                                          {"uint8", Scalar::uint8},
                                                                          {"short", Scalar::int16},
                                                                          {"int16", Scalar::int16},
                                                                          {"ushort", Scalar::uint16},
                                                                          {"uint16", Scalar::uint16},
                                                                          {"int", Scalar::int32},
                                                                          {"int32", Scalar::int32},
                                                                          {"uint", Scalar::uint32},
                                                                          {"uint32", Scalar::uint32},
                                                                          {"float", Scalar::float32},
                                                                          {"float32", Scalar::float32},
                                                                          {"double", Scalar::float64},
                                                                          {"float64", Scalar::float64}}};
  for (const auto& [known, type] : names) {
    if (known == name) return type;
  }
  lines.fail(fmt::format("unknown property type '{}'", name.substr(0, 40)));
}

// The values of the body, one after another.
class PlyValues {
 public:
  virtual ~PlyValues() = default;
  virtual void begin_item(const Element& element, Index number) = 0;
  virtual double value(Scalar type) = 0;
  virtual void end_item() = 0;
  [[noreturn]] virtual void fail(std::string_view what) const = 0;

  Index integer(Scalar type) {
    const double v = value(type);
    if (!(v == std::floor(v)) || std::abs(v) > 1e15) fail(fmt::format("expected an integer, found {}", v));
    return static_cast<Index>(v);
  }
};

class AsciiValues : public PlyValues {
 public:
  // \p by_lines: every item has a line of its own.
  AsciiValues(Lines lines, bool by_lines) : lines_(lines), by_lines_(by_lines) {}
  void begin_item(const Element& element, Index number) override {
    if (element.properties.empty() || !by_lines_) return;
    lines_.need(fmt::format("{} {} of {}", element.name, number, element.count));
  }
  double value(Scalar /*type*/) override {
    if (!by_lines_) return lines_.number(lines_.word_somewhere("a number"), false);
    if (lines_.at_end_of_line()) lines_.fail("too few numbers");
    return lines_.number(lines_.word(), false);
  }
  void end_item() override {
    if (by_lines_ && !lines_.at_end_of_line()) lines_.fail("too many numbers");
  }
  [[noreturn]] void fail(std::string_view what) const override { lines_.fail(what); }

 private:
  Lines lines_;
  bool by_lines_;
};

class BinaryValues : public PlyValues {
 public:
  BinaryValues(std::string_view bytes, std::string_view where, bool big_endian)
      : bytes_(bytes), where_(where), swap_(big_endian != (std::endian::native == std::endian::big)) {}
  void begin_item(const Element& element, Index number) override {
    element_ = &element;
    number_ = number;
  }
  double value(Scalar type) override {
    switch (type) {
      case Scalar::int8:
        return read<std::int8_t>();
      case Scalar::uint8:
        return read<std::uint8_t>();
      case Scalar::int16:
        return read<std::int16_t>();
      case Scalar::uint16:
        return read<std::uint16_t>();
      case Scalar::int32:
        return read<std::int32_t>();
      case Scalar::uint32:
        return read<std::uint32_t>();
      case Scalar::float32:
        return static_cast<double>(read<float>());
      case Scalar::float64:
        break;
    }
    return read<double>();
  }
  void end_item() override {}
  [[noreturn]] void fail(std::string_view what) const override {
    throw InvalidInput(fmt::format("{}: {} {}: {}", where_, element_->name, number_, what));
  }

 private:
  template <class T>
  T read() {
    if (bytes_.size() < sizeof(T)) fail(fmt::format("the file ends here, of {}", element_->count));
    std::array<char, sizeof(T)> raw;
    std::memcpy(raw.data(), bytes_.data(), sizeof(T));
    if (swap_) std::reverse(raw.begin(), raw.end());
    bytes_.remove_prefix(sizeof(T));
    T result;
    std::memcpy(&result, raw.data(), sizeof(T));
    return result;
  }

  std::string_view bytes_;
  std::string_view where_;
  bool swap_;
  const Element* element_ = nullptr;
  Index number_ = 0;
};

bool is_corner_list(const Property& property) {
  return property.is_list && (property.name == "vertex_indices" || property.name == "vertex_index");
}

// One list of one element: a face, a strip, or something that is passed over.
void read_ply_list(const Element& element, const Property& property, Index vertex_count, PlyValues& values,
                   Collector& mesh, std::vector<Index>& corners) {
  const bool is_strip = element.name == "tristrips" && is_corner_list(property);
  const bool is_face = element.name == "face" && is_corner_list(property);
  const Index count = values.integer(property.count_type);
  if (count < 0) values.fail(fmt::format("a list of {} values", count));
  if (is_face && count < 3) values.fail(polygon_error(count));
  corners.clear();
  for (Index k = 0; k < count; ++k) {
    if (!is_face && !is_strip) {
      (void)values.value(property.type);
      continue;
    }
    const Index index = values.integer(property.type);
    const bool restart = is_strip && index == -1;
    if (!restart && (index < 0 || index >= vertex_count)) values.fail(range_error(index, vertex_count));
    corners.push_back(index);
  }
  if (is_face) mesh.polygon(corners);
  if (is_strip) mesh.strip(corners);
}

MeshData read_ply_body(const std::vector<Element>& elements, PlyValues&& values, std::string_view where) {
  Collector mesh;
  Index vertex_count = 0;
  for (const Element& element : elements) {
    if (element.name == "vertex") vertex_count = element.count;
  }
  std::vector<Index> corners;
  for (const Element& element : elements) {
    if (element.properties.empty()) continue;  // nothing stands in the file for it
    const bool is_vertex = element.name == "vertex";
    for (Index i = 0; i < element.count; ++i) {
      values.begin_item(element, i);
      std::array<double, 3> point = {};
      for (const Property& property : element.properties) {
        if (property.is_list) {
          read_ply_list(element, property, vertex_count, values, mesh, corners);
          continue;
        }
        const double value = values.value(property.type);
        if (!is_vertex || property.name.size() != 1) continue;
        const int axis = property.name[0] - 'x';
        if (axis < 0 || axis > 2) continue;
        if (!std::isfinite(value)) values.fail(fmt::format("the coordinate {} is not finite", value));
        point[static_cast<std::size_t>(axis)] = value;
      }
      values.end_item();
      if (is_vertex) mesh.vertex(point[0], point[1], point[2]);
    }
  }
  return mesh.finish(where);
}

}  // namespace

MeshData parse_ply(std::string_view text, std::string_view where) {
  Lines lines(text, where);
  if (!lines.next(false) || lines.word() != "ply" || !lines.at_end_of_line()) {
    throw InvalidInput(fmt::format("{}: line 1: expected the header ply", where));
  }
  std::string format;
  std::vector<Element> elements;
  while (true) {
    if (!lines.next(false)) lines.fail("the file ends where end_header should follow");
    const std::string_view keyword = lines.word();
    if (keyword == "end_header") break;
    if (keyword == "comment" || keyword == "obj_info") continue;
    if (keyword == "format") {
      format = lines.word();
      if (format != "ascii" && format != "binary_little_endian" && format != "binary_big_endian") {
        lines.fail(fmt::format("unknown format '{}'", format.substr(0, 40)));
      }
      if (lines.word() != "1.0") lines.fail("expected version 1.0");
    } else if (keyword == "element") {
      Element element;
      element.name = lines.word();
      element.count = checked_count(lines.integer(), text.size(), element.name, lines);
      for (const Element& other : elements) {
        if (other.name == element.name) lines.fail(fmt::format("a second element '{}'", element.name));
      }
      elements.push_back(std::move(element));
    } else if (keyword == "property") {
      if (elements.empty()) lines.fail("a property before the first element");
      Property property;
      std::string_view type = lines.word();
      if (type == "list") {
        property.is_list = true;
        property.count_type = scalar_type(lines.word(), lines);
        type = lines.word();
      }
      property.type = scalar_type(type, lines);
      property.name = lines.word();
      elements.back().properties.push_back(std::move(property));
    } else {
      lines.fail(fmt::format("unknown keyword '{}'", keyword.substr(0, 40)));
    }
  }
  if (format.empty()) lines.fail("the header has no format");
  const auto element = [&](std::string_view name) -> const Element& {
    for (const Element& e : elements) {
      if (e.name == name) return e;
    }
    lines.fail(fmt::format("the header has no element '{}'", name));
  };
  const auto require = [&](const Element& e, std::string_view name, bool list) {
    for (const Property& p : e.properties) {
      if (p.is_list == list && (p.name == name || (list && p.name == "vertex_index"))) return;
    }
    lines.fail(fmt::format("element '{}' has no {} '{}'", e.name, list ? "list" : "property", name));
  };
  for (const std::string_view axis : {"x", "y", "z"}) require(element("vertex"), axis, false);
  const bool strips = std::any_of(elements.begin(), elements.end(), [](const Element& e) {
    return e.name == "tristrips" && std::any_of(e.properties.begin(), e.properties.end(), is_corner_list);
  });
  if (!strips) require(element("face"), "vertex_indices", true);

  if (format != "ascii") {
    return read_ply_body(elements, BinaryValues(lines.rest(), where, format == "binary_big_endian"), where);
  }
  try {
    return read_ply_body(elements, AsciiValues(lines, true), where);
  } catch (const InvalidInput&) {
    try {
      return read_ply_body(elements, AsciiValues(lines, false), where);
    } catch (const InvalidInput&) {  // the first complaint is the better one
    }
    throw;
  }
}

namespace {

// ---- STL

// Gives equal points one number, -0 being 0.
class Welder {
 public:
  explicit Welder(Collector& mesh) : mesh_(mesh) {}
  Index vertex(const std::array<double, 3>& x) {
    const std::array<double, 3> key = {x[0] + 0.0, x[1] + 0.0, x[2] + 0.0};
    const auto [place, fresh] = numbers_.try_emplace(key, mesh_.vertices());
    if (fresh) mesh_.vertex(key[0], key[1], key[2]);
    return place->second;
  }
  // What has no two corners apart is no triangle of the surface.
  void triangle(const std::vector<Index>& corners) {
    if (corners[0] != corners[1] && corners[1] != corners[2] && corners[2] != corners[0]) mesh_.polygon(corners);
  }

 private:
  Collector& mesh_;
  std::map<std::array<double, 3>, Index> numbers_;
};

constexpr std::size_t stl_header_bytes = 84;
constexpr std::size_t stl_triangle_bytes = 50;

std::uint32_t stl_count(std::string_view text) {
  return Bytes(text.substr(80), "", false).read<std::uint32_t>();
}

MeshData binary_stl(std::string_view text, std::string_view where) {
  Bytes bytes(text.substr(stl_header_bytes), where, false);
  const Index count = stl_count(text);
  if (static_cast<std::size_t>(count) * stl_triangle_bytes != bytes.left()) {
    throw InvalidInput(fmt::format("{}: {} triangles need {} bytes, {} follow the header", where, count,
                                   static_cast<std::size_t>(count) * stl_triangle_bytes, bytes.left()));
  }
  Collector mesh;
  Welder welder(mesh);
  for (Index f = 0; f < count; ++f) {
    bytes.at("triangle", f);
    bytes.skip(3 * sizeof(float));  // the normal, which the corners say again
    std::vector<Index> corners;
    for (int i = 0; i < 3; ++i) {
      const double x = bytes.coordinate();
      const double y = bytes.coordinate();
      corners.push_back(welder.vertex({x, y, bytes.coordinate()}));
    }
    bytes.skip(2);
    welder.triangle(corners);
  }
  return mesh.finish(where);
}

MeshData ascii_stl(std::string_view text, std::string_view where) {
  Lines lines(text, where);
  Collector mesh;
  Welder welder(mesh);
  std::vector<Index> corners;
  while (lines.next(false)) {
    while (!lines.at_end_of_line()) {
      std::string word(lines.word());
      std::transform(word.begin(), word.end(), word.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (word == "solid" || word == "endsolid") break;  // a name follows
      if (word == "vertex") {
        const double x = lines.number();
        const double y = lines.number();
        corners.push_back(welder.vertex({x, y, lines.number()}));
      } else if (word == "endfacet") {
        if (corners.size() != 3) lines.fail(fmt::format("a facet of {} vertices, expected 3", corners.size()));
        welder.triangle(corners);
        corners.clear();
      } else if (word == "normal") {
        for (int i = 0; i < 3; ++i) (void)lines.word();
      } else if (word != "facet" && word != "outer" && word != "loop" && word != "endloop") {
        lines.fail(fmt::format("expected a facet, found '{}'", word.substr(0, 40)));
      }
    }
  }
  if (!corners.empty()) lines.fail("the file ends in a facet");
  return mesh.finish(where);
}

}  // namespace

MeshData parse_stl(std::string_view text, std::string_view where) {
  // Binary files may start with "solid" too; their size tells.
  const bool fits =
      text.size() >= stl_header_bytes && text.size() == stl_header_bytes + stl_count(text) * stl_triangle_bytes;
  const std::string_view marked = without_mark(text);
  const bool solid = marked.substr(std::min(marked.find_first_not_of(" \t\r\n"), marked.size())).starts_with("solid");
  if (!fits && solid) return ascii_stl(text, where);
  if (text.size() < stl_header_bytes) {
    throw InvalidInput(fmt::format("{}: neither 'solid' nor a binary header of 84 bytes", where));
  }
  return binary_stl(text, where);
}

MeshData weld(const MeshData& mesh, double tolerance) {
  if (!(tolerance >= 0) || !std::isfinite(tolerance)) {
    throw InvalidInput(fmt::format("weld = {}: expected a length of 0 or more", tolerance));
  }
  // Cells as wide as the tolerance: what is near lies in the same or a neighbouring one. In the order of the file, so
  // the first of several vertices stays.
  using Cell = std::array<double, 3>;
  std::map<Cell, std::vector<int>> cells;
  std::vector<int> kept;
  std::vector<int> number(static_cast<std::size_t>(mesh.vertices.cols()));
  const auto coordinate = [&](double x) { return tolerance > 0 ? std::floor(x / tolerance) : x + 0.0; };
  const int reach = tolerance > 0 ? 1 : 0;
  const auto nearest = [&](Index v, const Cell& cell) {
    int best = -1;
    double best_distance = tolerance;
    for (int k = 0; k < (reach == 0 ? 1 : 27); ++k) {
      const Cell near = {cell[0] + reach * (k % 3 - 1), cell[1] + reach * (k / 3 % 3 - 1),
                         cell[2] + reach * (k / 9 - 1)};
      const auto found = cells.find(near);
      if (found == cells.end()) continue;
      for (const int other : found->second) {
        const double distance =
            (mesh.vertices.col(v) - mesh.vertices.col(kept[static_cast<std::size_t>(other)])).stableNorm();
        if (distance < best_distance || (distance <= best_distance && (best < 0 || other < best))) {
          best = other;
          best_distance = distance;
        }
      }
    }
    return best;
  };
  for (Index v = 0; v < mesh.vertices.cols(); ++v) {
    const Cell cell = {coordinate(mesh.vertices(0, v)), coordinate(mesh.vertices(1, v)),
                       coordinate(mesh.vertices(2, v))};
    int same = nearest(v, cell);
    if (same < 0) {
      same = static_cast<int>(kept.size());
      kept.push_back(static_cast<int>(v));
      cells[cell].push_back(same);
    }
    number[static_cast<std::size_t>(v)] = same;
  }
  std::vector<int> faces;
  for (Index f = 0; f < mesh.faces.cols(); ++f) {
    std::array<int, 3> t{};
    for (std::size_t i = 0; i < 3; ++i) t[i] = number[static_cast<std::size_t>(mesh.faces(static_cast<Index>(i), f))];
    if (t[0] != t[1] && t[1] != t[2] && t[2] != t[0]) faces.insert(faces.end(), t.begin(), t.end());
  }
  if (faces.empty()) throw InvalidInput(fmt::format("weld = {}: no triangle is left", tolerance));
  return {mesh.vertices(Eigen::all, kept),
          Eigen::Map<const Eigen::MatrixXi>(faces.data(), 3, static_cast<Index>(faces.size() / 3))};
}

namespace {

/// Two faces that share an edge, and whether they run along it in the same direction.
struct Neighbour {
  int face;
  bool same_direction;
};

/// The neighbours of each face, or none where an edge has not exactly two faces.
std::vector<std::vector<Neighbour>> neighbours_of(const Eigen::MatrixXi& faces) {
  struct Edge {
    int low, high, face;
    bool forward;
  };
  std::vector<Edge> edges;
  for (Index f = 0; f < faces.cols(); ++f) {
    for (int i = 0; i < 3; ++i) {
      const int u = faces(i, f);
      const int v = faces((i + 1) % 3, f);
      edges.push_back({std::min(u, v), std::max(u, v), static_cast<int>(f), u < v});
    }
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return std::tie(a.low, a.high, a.face) < std::tie(b.low, b.high, b.face);
  });
  std::vector<std::vector<Neighbour>> neighbours(static_cast<std::size_t>(faces.cols()));
  for (std::size_t i = 0; i < edges.size(); i += 2) {
    const auto same = [&](std::size_t j) {
      return j < edges.size() && edges[j].low == edges[i].low && edges[j].high == edges[i].high;
    };
    if (!same(i + 1) || same(i + 2)) return {};
    const bool direction = edges[i].forward == edges[i + 1].forward;
    neighbours[static_cast<std::size_t>(edges[i].face)].push_back({edges[i + 1].face, direction});
    neighbours[static_cast<std::size_t>(edges[i + 1].face)].push_back({edges[i].face, direction});
  }
  return neighbours;
}

/// Six times the volume that \p part of the faces encloses, seen from a vertex of it.
double signed_volume(const MeshData& mesh, const std::vector<int>& part) {
  const Eigen::Vector3d origin = mesh.vertices.col(mesh.faces(0, part.front()));
  double sum = 0;
  for (const int f : part) {
    const Eigen::Vector3d a = mesh.vertices.col(mesh.faces(0, f)) - origin;
    const Eigen::Vector3d b = mesh.vertices.col(mesh.faces(1, f)) - origin;
    const Eigen::Vector3d c = mesh.vertices.col(mesh.faces(2, f)) - origin;
    sum += a.dot(b.cross(c));
  }
  return sum;
}

/// Turns faces until neighbours run along their edge in opposite directions; parts in which some had to be turned face
/// outwards. Nothing changes where they do already, where the surface is not closed, or where it has one side only.
MeshData oriented(const MeshData& mesh) {
  const std::vector<std::vector<Neighbour>> neighbours = neighbours_of(mesh.faces);
  MeshData result = mesh;
  const auto turn = [&](int f) { std::swap(result.faces(1, f), result.faces(2, f)); };
  std::vector<signed char> turned(neighbours.size(), -1);  // -1: not seen
  for (std::size_t start = 0; start < neighbours.size(); ++start) {
    if (turned[start] >= 0) continue;
    turned[start] = 0;
    std::vector<int> part = {static_cast<int>(start)};
    bool any = false;
    for (std::size_t i = 0; i < part.size(); ++i) {
      const auto face = static_cast<std::size_t>(part[i]);
      for (const Neighbour& next : neighbours[face]) {
        const auto wanted = static_cast<signed char>(next.same_direction ? 1 - turned[face] : turned[face]);
        signed char& found = turned[static_cast<std::size_t>(next.face)];
        if (found >= 0 && found != wanted) return mesh;  // one side only
        if (found >= 0) continue;
        found = wanted;
        part.push_back(next.face);
        if (wanted == 0) continue;
        any = true;
        turn(next.face);
      }
    }
    if (any && signed_volume(result, part) < 0) std::for_each(part.begin(), part.end(), turn);
  }
  return result;
}

}  // namespace

TriangleMesh read_mesh(const std::string& path, std::optional<double> tolerance) {
  const std::size_t dot = path.rfind('.');
  std::string ending = dot == std::string::npos ? "" : path.substr(dot);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  MeshData (*parse)(std::string_view, std::string_view) = nullptr;
  if (ending == ".off") parse = parse_off;
  if (ending == ".obj") parse = parse_obj;
  if (ending == ".ply") parse = parse_ply;
  if (ending == ".stl") parse = parse_stl;
  if (parse == nullptr) throw InvalidInput(fmt::format("{}: a mesh file ends in .off, .obj, .ply or .stl", path));

  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    throw IoError(fmt::format("{}: cannot open the mesh: {}", path, std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) throw InvalidInput(fmt::format("{}: not a regular file", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw IoError(fmt::format("{}: cannot open the mesh: {}", path, std::strerror(errno)));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) throw IoError(fmt::format("{}: cannot read the mesh: {}", path, std::strerror(errno)));
  MeshData data = parse(text, path);
  const std::string source = tolerance ? fmt::format("weld={},path={}", *tolerance, path) : "path=" + path;
  const auto surface = [&](const MeshData& read) {
    try {
      MeshData mesh = oriented(read);
      return TriangleMesh(std::move(mesh.vertices), std::move(mesh.faces), source);
    } catch (const InvalidInput& error) {
      throw InvalidInput(fmt::format("{}: {}", path, error.what()));
    }
  };
  if (tolerance) return surface(weld(data, *tolerance));
  try {
    return surface(data);
  } catch (const InvalidInput& error) {
    const Index apart = weld(data, 0).vertices.cols();
    if (apart == data.vertices.cols()) throw;
    throw InvalidInput(fmt::format("{} ({} of its {} vertices lie where another one does: weld = 0 makes them one)",
                                   error.what(), data.vertices.cols() - apart, data.vertices.cols()));
  }
}

void write_off(const std::string& path, const Points& vertices, const Eigen::MatrixXi& faces) {
  std::string text = fmt::format("OFF\n{} {} 0\n", vertices.cols(), faces.cols());
  for (Index v = 0; v < vertices.cols(); ++v) {
    fmt::format_to(std::back_inserter(text), "{} {} {}\n", vertices(0, v), vertices(1, v), vertices(2, v));
  }
  for (Index f = 0; f < faces.cols(); ++f) {
    fmt::format_to(std::back_inserter(text), "3 {} {} {}\n", faces(0, f), faces(1, f), faces(2, f));
  }
  const std::string temporary = path + ".tmp";
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(temporary.c_str());
    throw IoError(fmt::format("{}: cannot write the mesh: {}", path, reason));
  }
}

}  // namespace onmanifold
