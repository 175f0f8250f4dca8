// SPDX-License-Identifier: Apache-2.0
#include "manifolds/registry.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "manifolds/affine.hpp"
#include "manifolds/mesh_files.hpp"
#include "manifolds/sphere.hpp"
#include "manifolds/triangle_mesh.hpp"

namespace onmanifold {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
bool parse(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

void require(const Settings& settings, const std::string& key) {
  if (!settings.has(key)) throw InvalidInput(fmt::format("{}: missing", settings.locate(key)));
}

// "1:2:3". A single number has been typed as one by read_table.
Vector numbers(std::string_view text, const std::string& locate) {
  const std::vector<std::string_view> parts = split(text, ':');
  Vector result(static_cast<Index>(parts.size()));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    double value = 0;
    if (!parse(parts[i], value) || !std::isfinite(value)) {
      throw InvalidInput(fmt::format("{}: expected numbers split by ':', found '{}'", locate, parts[i]));
    }
    result(static_cast<Index>(i)) = value;
  }
  return result;
}

Vector number_list(Settings& settings, const std::string& key) {
  require(settings, key);
  return numbers(settings.text(key, ""), settings.locate(key));
}

std::shared_ptr<const Manifold> make_sphere(Settings& settings) {
  const Index dimension = settings.integer("dim", 2, 1, 1'000'000);
  const double radius = settings.number("radius", 1.0, 0.0, infinity);
  Vector centre;
  if (!settings.text("centre", "").empty()) centre = number_list(settings, "centre");
  return std::make_shared<Sphere>(dimension, radius, centre);
}

std::shared_ptr<const Manifold> make_plane(Settings& settings) {
  const Vector normal = number_list(settings, "normal");
  return std::make_shared<Affine>(Affine::plane(normal, settings.number("offset", 0.0)));
}

std::shared_ptr<const Manifold> make_flux(Settings& settings) {
  require(settings, "dim");
  require(settings, "total");
  const Index dimension = settings.integer("dim", 2, 2, 10'000);  // the tangent basis has dim^2 numbers
  return std::make_shared<Affine>(Affine::flux(dimension, settings.number("total", 0.0)));
}

std::shared_ptr<const Manifold> make_affine(Settings& settings) {
  require(settings, "rows");
  const std::string text = settings.text("rows", "");
  const std::vector<std::string_view> rows = split(text, '/');
  Points a;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Vector row = numbers(rows[i], settings.locate("rows"));
    if (i == 0) a.resize(static_cast<Index>(rows.size()), row.size());
    if (row.size() != a.cols()) {
      throw InvalidInput(
          fmt::format("{}: rows of {} and {} numbers", settings.locate("rows"), a.cols(), row.size()));
    }
    a.row(static_cast<Index>(i)) = row.transpose();
  }
  return std::make_shared<Affine>(a, number_list(settings, "values"));
}

std::shared_ptr<const Manifold> make_mesh(Settings& settings) {
  const double area = settings.number("area", 0.0, 0.0, infinity);  // 0: as in the file
  const std::string path = settings.required_text("path");
  TriangleMesh mesh = read_mesh(path);
  return std::make_shared<TriangleMesh>(area > 0 ? mesh.scaled_to_area(area) : std::move(mesh));
}

bool is_list(std::string_view key) {
  return key == "normal" || key == "centre" || key == "rows" || key == "values" || key == "path";
}

Value read_table(std::string_view text, std::string_view spec) {
  Value::Table table;
  while (!text.empty()) {
    const std::size_t equals = text.find('=');
    const std::string key(text.substr(0, std::min(equals, text.find(','))));
    if (equals == std::string_view::npos || key.size() != equals || key.empty()) {
      throw InvalidInput(fmt::format("manifold '{}': expected key=value, found '{}'", spec, text));
    }
    text.remove_prefix(equals + 1);
    const std::size_t end = key == "path" ? std::string_view::npos : text.find(',');
    const std::string_view word = text.substr(0, end);
    std::int64_t integer = 0;
    double number = 0;
    Value value{std::string(word)};
    if (!is_list(key) && parse(word, integer)) {
      value = Value(integer);
    } else if (!is_list(key) && parse(word, number) && std::isfinite(number)) {
      value = Value(number);
    }
    if (!table.emplace(key, std::move(value)).second) {
      throw InvalidInput(fmt::format("manifold '{}': {} is given twice", spec, key));
    }
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    if (text.empty()) throw InvalidInput(fmt::format("manifold '{}': it ends with a comma", spec));
  }
  return table;
}

}  // namespace

const Registry<ManifoldFactory>& manifold_registry() {
  static const Registry<ManifoldFactory> registry = [] {
    Registry<ManifoldFactory> manifolds("manifold");
    manifolds.add("sphere", "S^dim of the given radius in R^(dim+1): sphere:dim=2,radius=1[,centre=0:0:0]",
                  make_sphere);
    manifolds.add("plane", "hyperplane, offset counted after normalising: plane:normal=1:2:3,offset=1",
                  make_plane);
    manifolds.add("flux", "hyperplane of constant coordinate sum: flux:dim=784,total=100", make_flux);
    manifolds.add("affine", "{x : A x = b}: affine:rows=1:1:1/1:-2:1,values=3:0", make_affine);
    manifolds.add("mesh", "closed triangle surface from OFF, OBJ or PLY: mesh:[area=12.566,]path=FILE",
                  make_mesh);
    return manifolds;
  }();
  return registry;
}

std::shared_ptr<const Manifold> make_manifold(std::string_view spec) {
  const std::size_t colon = spec.find(':');
  const auto& entry = manifold_registry().get(spec.substr(0, colon));
  Settings settings(read_table(colon == std::string_view::npos ? "" : spec.substr(colon + 1), spec),
                    fmt::format("manifold '{}'", spec));
  std::shared_ptr<const Manifold> result = entry.factory(settings);
  settings.finish();
  return result;
}

}  // namespace onmanifold
