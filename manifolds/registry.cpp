// SPDX-License-Identifier: Apache-2.0
#include "manifolds/registry.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/spec.hpp"
#include "manifolds/units.hpp"

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

// "1:2:3". A single number has been typed as one by parse_spec.
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
  const double total = settings.number("total", 0.0);
  if (settings.boolean("nonnegative", false)) {
    return std::make_shared<Simplex>(dimension, total);
  }
  return std::make_shared<Affine>(Affine::flux(dimension, total));
}

// "1:2:3/4:5:6".
Points matrix(Settings& settings, const std::string& key) {
  require(settings, key);
  const std::string text = settings.text(key, "");
  const std::vector<std::string_view> rows = split(text, '/');
  Points a;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Vector row = numbers(rows[i], settings.locate(key));
    if (i == 0) a.resize(static_cast<Index>(rows.size()), row.size());
    if (row.size() != a.cols()) {
      throw InvalidInput(fmt::format("{}: rows of {} and {} numbers", settings.locate(key), a.cols(), row.size()));
    }
    a.row(static_cast<Index>(i)) = row.transpose();
  }
  return a;
}

std::shared_ptr<const Manifold> make_affine(Settings& settings) {
  const Points a = matrix(settings, "rows");
  return std::make_shared<Affine>(a, number_list(settings, "values"));
}

std::shared_ptr<const Manifold> make_subspace(Settings& settings) {
  const Index dimension = settings.integer("dim", 2, 1, 255);
  return std::make_shared<Affine>(Affine::subspace(dimension, settings.integer("ambient", 64, 2, 256)));
}

std::shared_ptr<const Manifold> make_sphere_in(Settings& settings) {
  const Index dimension = settings.integer("dim", 2, 1, 255);
  return std::make_shared<PlacedSphere>(dimension, settings.integer("ambient", 16, 2, 256));
}

std::shared_ptr<const Manifold> make_so3(Settings& /*settings*/) {
  return std::make_shared<RotationGroup>();
}

std::shared_ptr<const Manifold> make_stiefel(Settings& settings) {
  require(settings, "n");
  require(settings, "p");
  const Index rows = settings.integer("n", 3, 1, 10'000);
  return std::make_shared<Stiefel>(rows, settings.integer("p", 1, 1, 10'000));
}

std::shared_ptr<const Manifold> make_torus(Settings& settings) {
  return std::make_shared<Torus>(settings.integer("dim", 2, 1, 100'000));
}

std::shared_ptr<const Manifold> make_donut(Settings& settings) {
  const double major = settings.number("major", 2.0, 0.0, infinity);
  return std::make_shared<Donut>(major, settings.number("minor", 0.6, 0.0, infinity));
}

std::shared_ptr<const Manifold> make_ellipsoid(Settings& settings) {
  return std::make_shared<Ellipsoid>(number_list(settings, "axes"));
}

std::shared_ptr<const Manifold> make_finite(Settings& settings) {
  return std::make_shared<FiniteSet>(matrix(settings, "atoms").transpose());
}

std::shared_ptr<const Manifold> make_one_hot(Settings& settings) {
  require(settings, "classes");
  return std::make_shared<OneHot>(settings.integer("classes", 2, 2, 1'000'000));
}

std::shared_ptr<const Manifold> make_cube(Settings& settings) {
  require(settings, "dim");
  return std::make_shared<SignCube>(settings.integer("dim", 1, 1, 62));
}

std::shared_ptr<const Manifold> make_sphere_in_16d(Settings& /*settings*/) {
  return std::make_shared<SphereIn16d>();
}

std::shared_ptr<const Manifold> make_circle_in_16d(Settings& /*settings*/) {
  return std::make_shared<CircleIn16d>();
}

// "SPEC*SPEC^3*…".
std::shared_ptr<const Manifold> make_product(Settings& settings) {
  const std::string text = settings.required_text("factors");
  std::vector<std::shared_ptr<const Manifold>> factors;
  for (const std::string_view part : split(text, '*')) {
    const std::size_t caret = part.rfind('^');
    Index count = 1;
    if (caret != std::string_view::npos && (!parse(part.substr(caret + 1), count) || count < 1 || count > 100'000)) {
      throw InvalidInput(fmt::format("{}: expected a power from 1 to 100000, found '{}'", settings.locate("factors"),
                                     part.substr(caret)));
    }
    if (part.starts_with("product")) {
      throw InvalidInput(fmt::format("{}: a product cannot be a factor; name its factors", settings.locate("factors")));
    }
    const std::shared_ptr<const Manifold> factor = make_manifold(part.substr(0, caret));
    factors.insert(factors.end(), static_cast<std::size_t>(count), factor);
  }
  return std::make_shared<Product>(std::move(factors));
}

std::shared_ptr<const Manifold> make_backbone(Settings& settings) {
  require(settings, "residues");
  const Index residues = settings.integer("residues", 16, 2, 10000);
  const BackboneGeometry& geometry = backbone_geometry(settings.text("geometry", "engh-huber-1991"));
  const bool middle = settings.choice("frame", "free", {"free", "middle"}) == "middle";
  const bool planar = settings.boolean("planar", false);
  return std::make_shared<Backbone>(residues, geometry, middle ? BackboneFrame::middle : BackboneFrame::free,
                                    planar ? BackboneOmega::planar : BackboneOmega::free);
}

std::shared_ptr<const Manifold> make_mesh(Settings& settings) {
  const double area = settings.number("area", 0.0, 0.0, infinity);    // 0: as in the file
  const double weld = settings.number("weld", -1.0, -1.0, infinity);  // below 0: vertices as in the file
  const std::string path = settings.required_text("path");
  TriangleMesh mesh = read_mesh(path, weld >= 0 ? std::optional<double>(weld) : std::nullopt);
  return std::make_shared<TriangleMesh>(area > 0 ? mesh.scaled_to_area(area) : std::move(mesh));
}

bool is_list(std::string_view key) {
  return key == "normal" || key == "centre" || key == "rows" || key == "values" || key == "path" || key == "axes" ||
         key == "atoms" || key == "factors";
}

bool takes_the_rest(std::string_view key) {
  return key == "path" || key == "factors";
}

constexpr SpecRules spec_rules = {.kind = "manifold", .is_text = is_list, .takes_rest = takes_the_rest};

}  // namespace

const Registry<ManifoldFactory>& manifold_registry() {
  static const Registry<ManifoldFactory> registry = [] {
    Registry<ManifoldFactory> manifolds("manifold");
    manifolds.add("sphere", "S^dim of the given radius in R^(dim+1): sphere:dim=2,radius=1[,centre=0:0:0]",
                  make_sphere);
    manifolds.add("plane", "hyperplane, offset counted after normalising: plane:normal=1:2:3,offset=1", make_plane);
    manifolds.add("flux", "constant coordinate sum: flux:dim=784,total=100[,nonnegative=true]", make_flux);
    manifolds.add("affine", "{x : A x = b}: affine:rows=1:1:1/1:-2:1,values=3:0", make_affine);
    manifolds.add("subspace", "affine subspace in fixed random directions: subspace:dim=2,ambient=64", make_subspace);
    manifolds.add("backbone",
                  "protein backbones with fixed bonds and angles: "
                  "backbone:residues=16[,geometry=engh-huber-1991][,frame=free|middle][,planar=false|true]",
                  make_backbone);
    manifolds.add("mesh", "closed triangle surface from OFF, OBJ or PLY: mesh:[area=12.566,]path=FILE", make_mesh);
    manifolds.add("so3", "rotations as 3x3 matrices, nine numbers, row-major: so3", make_so3);
    manifolds.add("stiefel", "n x p matrices with orthonormal columns, row-major: stiefel:n=5,p=2", make_stiefel);
    manifolds.add("torus", "flat torus, pairs (cos, sin) of dim angles: torus:dim=2", make_torus);
    manifolds.add("donut", "torus of revolution in R^3: donut:major=2,minor=0.6", make_donut);
    manifolds.add("ellipsoid", "ellipsoid with the given semi-axes: ellipsoid:axes=1:1:2", make_ellipsoid);
    manifolds.add("finite", "finite set of atoms, one a row: finite:atoms=-1:0/1:0", make_finite);
    manifolds.add("one_hot", "unit vectors of R^classes: one_hot:classes=10", make_one_hot);
    manifolds.add("cube", "corners {-1, 1}^dim: cube:dim=8", make_cube);
    manifolds.add("product", "product, coordinates one after the other: product:factors=so3*one_hot:classes=4^3",
                  make_product);
    manifolds.add("sphere_in", "unit sphere of a subspace in fixed random directions: sphere_in:dim=2,ambient=16",
                  make_sphere_in);
    manifolds.add("sphere_in_16d", "S2 in R^16 by spherical harmonics of degree 1 to 3, isometric", make_sphere_in_16d);
    manifolds.add("circle_in_16d", "S1 in R^16 by eight Fourier modes, isometric", make_circle_in_16d);
    return manifolds;
  }();
  return registry;
}

std::string manifold_kind(std::string_view spec) {
  return parse_spec(spec, spec_rules).name;
}

std::shared_ptr<const Manifold> make_manifold(std::string_view spec) {
  Spec parsed = parse_spec(spec, spec_rules);
  const auto& entry = manifold_registry().get(parsed.name);
  Settings settings(Value(std::move(parsed.settings)), fmt::format("manifold '{}'", spec));
  std::shared_ptr<const Manifold> result = entry.factory(settings);
  settings.finish();
  return result;
}

}  // namespace onmanifold
