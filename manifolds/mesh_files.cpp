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
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

constexpr Index largest_count = std::numeric_limits<int>::max() / 8;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

// Lines of a text with their numbers, and the words of one line.
class Lines {
 public:
  Lines(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  // The next line with a word on it, '#' starting a comment if wanted; false at the end.
  bool next(bool comments = true) {
    while (position_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', position_), text_.size());
      line_ = text_.substr(position_, end - position_);
      position_ = std::min(end + 1, text_.size());
      ++number_;
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
    while (end < line_.size() && !is_space(line_[end])) ++end;
    const std::string_view result = line_.substr(0, end);
    line_.remove_prefix(end);
    skip_spaces();
    return result;
  }

  double number() {
    const std::string_view text = word();
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
    if (!std::isfinite(value)) fail(fmt::format("the coordinate '{}' is not finite", text.substr(0, 40)));
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
    while (!line_.empty() && is_space(line_.front())) line_.remove_prefix(1);
  }

  std::string_view text_;
  std::string_view where_;
  std::string_view line_;
  std::size_t position_ = 0;
  Index number_ = 0;
};

// Vertices and triangles as they come.
class Collector {
 public:
  void vertex(double x, double y, double z) { vertices_.insert(vertices_.end(), {x, y, z}); }
  [[nodiscard]] Index vertices() const { return static_cast<Index>(vertices_.size() / 3); }

  void polygon(const std::vector<Index>& corners) {
    for (std::size_t i = 1; i + 1 < corners.size(); ++i) {
      for (const Index corner : {corners[0], corners[i], corners[i + 1]}) faces_.push_back(static_cast<int>(corner));
    }
  }

  [[nodiscard]] MeshData finish(std::string_view where) const {
    if (faces_.empty()) throw InvalidInput(fmt::format("{}: it has no faces", where));
    return {Eigen::Map<const Points>(vertices_.data(), 3, vertices()),
            Eigen::Map<const Eigen::MatrixXi>(faces_.data(), 3, static_cast<Index>(faces_.size() / 3))};
  }

 private:
  std::vector<double> vertices_;
  std::vector<int> faces_;
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

MeshData parse_off(std::string_view text, std::string_view where) {
  Lines lines(text, where);
  lines.need("the header OFF");
  const std::string_view header = lines.word();
  if (header != "OFF" && header != "COFF" && header != "NOFF" && header != "CNOFF") {
    lines.fail(fmt::format("expected the header OFF, found '{}'", header.substr(0, 40)));
  }
  if (lines.at_end_of_line()) lines.need("the counts");
  const Index vertex_count = checked_count(lines.integer(), text.size(), "vertices", lines);
  const Index face_count = checked_count(lines.integer(), text.size(), "faces", lines);

  Collector mesh;
  for (Index v = 0; v < vertex_count; ++v) {
    lines.need(fmt::format("vertex {} of {}", v, vertex_count));
    const double x = lines.number();
    const double y = lines.number();
    mesh.vertex(x, y, lines.number());
  }
  std::vector<Index> corners;
  for (Index f = 0; f < face_count; ++f) {
    lines.need(fmt::format("face {} of {}", f, face_count));
    const Index count = lines.integer();
    if (count < 3) lines.fail(polygon_error(count));
    corners.clear();
    for (Index i = 0; i < count; ++i) {
      if (lines.at_end_of_line()) lines.fail(fmt::format("a face of {} vertices ends after {}", count, i));
      const Index index = lines.integer();
      if (index < 0 || index >= vertex_count) lines.fail(range_error(index, vertex_count));
      corners.push_back(index);
    }
    mesh.polygon(corners);
  }
  if (lines.next()) lines.fail(fmt::format("text after the last of {} faces", face_count));
  return mesh.finish(where);
}

MeshData parse_obj(std::string_view text, std::string_view where) {
  Lines lines(text, where);
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
    if (v != std::floor(v) || std::abs(v) > 1e15) fail(fmt::format("expected an integer, found {}", v));
    return static_cast<Index>(v);
  }
};

class AsciiValues : public PlyValues {
 public:
  explicit AsciiValues(Lines lines) : lines_(lines) {}
  void begin_item(const Element& element, Index number) override {
    if (element.properties.empty()) return;
    lines_.need(fmt::format("{} {} of {}", element.name, number, element.count));
  }
  double value(Scalar /*type*/) override {
    if (lines_.at_end_of_line()) lines_.fail("too few numbers");
    return lines_.number();
  }
  void end_item() override {
    if (!lines_.at_end_of_line()) lines_.fail("too many numbers");
  }
  [[noreturn]] void fail(std::string_view what) const override { lines_.fail(what); }

 private:
  Lines lines_;
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

void read_ply_body(const std::vector<Element>& elements, PlyValues& values, Collector& mesh) {
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
        if (!property.is_list) {
          const double value = values.value(property.type);
          if (!is_vertex || property.name.size() != 1) continue;
          const int axis = property.name[0] - 'x';
          if (axis < 0 || axis > 2) continue;
          if (!std::isfinite(value)) values.fail(fmt::format("the coordinate {} is not finite", value));
          point[static_cast<std::size_t>(axis)] = value;
          continue;
        }
        const bool is_face =
            element.name == "face" && (property.name == "vertex_indices" || property.name == "vertex_index");
        const Index count = values.integer(property.count_type);
        if (count < 0) values.fail(fmt::format("a list of {} values", count));
        if (is_face && count < 3) values.fail(polygon_error(count));
        corners.clear();
        for (Index k = 0; k < count; ++k) {
          if (!is_face) {
            (void)values.value(property.type);
            continue;
          }
          const Index index = values.integer(property.type);
          if (index < 0 || index >= vertex_count) values.fail(range_error(index, vertex_count));
          corners.push_back(index);
        }
        if (is_face) mesh.polygon(corners);
      }
      values.end_item();
      if (is_vertex) mesh.vertex(point[0], point[1], point[2]);
    }
  }
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
  require(element("face"), "vertex_indices", true);

  Collector mesh;
  if (format == "ascii") {
    AsciiValues values(lines);
    read_ply_body(elements, values, mesh);
  } else {
    BinaryValues values(lines.rest(), where, format == "binary_big_endian");
    read_ply_body(elements, values, mesh);
  }
  return mesh.finish(where);
}

TriangleMesh read_mesh(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  std::string ending = dot == std::string::npos ? "" : path.substr(dot);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  MeshData (*parse)(std::string_view, std::string_view) = nullptr;
  if (ending == ".off") parse = parse_off;
  if (ending == ".obj") parse = parse_obj;
  if (ending == ".ply") parse = parse_ply;
  if (parse == nullptr) throw InvalidInput(fmt::format("{}: a mesh file ends in .off, .obj or .ply", path));

  std::ifstream file(path, std::ios::binary);
  if (!file) throw IoError(fmt::format("{}: cannot open the mesh: {}", path, std::strerror(errno)));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) throw IoError(fmt::format("{}: cannot read the mesh: {}", path, std::strerror(errno)));
  MeshData data = parse(text, path);
  try {
    return {std::move(data.vertices), std::move(data.faces), path};
  } catch (const InvalidInput& error) {
    throw InvalidInput(fmt::format("{}: {}", path, error.what()));
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
