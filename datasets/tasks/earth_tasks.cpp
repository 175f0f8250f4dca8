// SPDX-License-Identifier: Apache-2.0
// earth-volcano, -earthquake, -flood, -fire: places of events on the globe, from files that the user fetches.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/sha256.hpp"
#include "core/math/portable.hpp"
#include "datasets/laws/sphere_partition.hpp"
#include "datasets/readers/idx.hpp"
#include "datasets/readers/missing_data.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/sphere.hpp"

namespace onmanifold {
namespace {

struct EarthFile {
  const char* task;
  const char* file;
  const char* what;
};

constexpr EarthFile volcano = {"earth-volcano", "volerup.csv", "volcanic eruptions"};
constexpr EarthFile earthquake = {"earth-earthquake", "quakes_all.csv", "earthquakes"};
constexpr EarthFile flood = {"earth-flood", "flood.csv", "floods"};
constexpr EarthFile fire = {"earth-fire", "fire.csv", "fires"};

/// Latitude and longitude in degrees, one place a column.
struct Places {
  std::vector<std::pair<double, double>> degrees;
  std::string text_hash;
};

std::string find_file(const EarthFile& source) {
  namespace fs = std::filesystem;
  const fs::path folder = data_folder();
  for (const fs::path& candidate : {folder / "earth" / source.file, folder / source.file}) {
    if (is_there(candidate)) return candidate.string();
  }
  throw MissingData(
      fmt::format("task {}: needs {} in {}/earth (set ONMANIFOLD_DATA); it comes with github.com/oxcsml/"
                  "riemannian-score-sde, folder data, and is not shipped for want of a licence",
                  source.task, source.file, folder.string()));
}

bool parse_number(std::string_view text, double& value) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
}

/// Lines "latitude,longitude[,…]" in degrees. Lines that start with # and, before the first place, one line
/// of names are skipped; the last line may lack its end.
Places read_places(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw IoError(fmt::format("{}: cannot open", path));
  Places places;
  Sha256 hash;
  std::string line;
  int number = 0;
  bool named = false;
  while (std::getline(file, line)) {
    ++number;
    hash.update(line);
    hash.update("\n");
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    const std::size_t comma = line.find(',');
    double latitude = 0;
    double longitude = 0;
    const std::string_view text = line;
    const bool good = comma != std::string::npos && parse_number(text.substr(0, comma), latitude) &&
                      parse_number(text.substr(comma + 1, text.find(',', comma + 1) - comma - 1), longitude);
    if (!good && places.degrees.empty() && !named) {
      named = true;
      continue;
    }
    if (!good) throw InvalidInput(fmt::format("{}:{}: expected latitude,longitude, found '{}'", path, number, line));
    if (std::abs(latitude) > 90 || std::abs(longitude) > 360) {
      throw InvalidInput(
          fmt::format("{}:{}: latitude {} or longitude {} is no place", path, number, latitude, longitude));
    }
    places.degrees.emplace_back(latitude, longitude);
  }
  if (file.bad()) throw IoError(fmt::format("{}: reading failed", path));
  if (places.degrees.size() < 30) {
    throw InvalidInput(fmt::format("{}: {} places, expected 30 or more", path, places.degrees.size()));
  }
  places.text_hash = to_hex(hash.finish());
  return places;
}

/// (cos lat cos lon, cos lat sin lon, sin lat).
Points unit_vectors(const Places& places, const std::vector<std::size_t>& rows) {
  Points result(3, static_cast<Index>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double latitude = places.degrees[rows[i]].first * M_PI / 180;
    const double longitude = places.degrees[rows[i]].second * M_PI / 180;
    result.col(static_cast<Index>(i)) << portable::cos(latitude) * portable::cos(longitude),
        portable::cos(latitude) * portable::sin(longitude), portable::sin(latitude);
  }
  return result;
}

/// 80 % training, 10 % validation, 10 % reference: by row, or by place, so that no place is on two sides.
DataSplits split_places(const Places& places, bool by_place, const Stream& stream) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::pair<double, double>, std::size_t> seen;
  for (std::size_t row = 0; row < places.degrees.size(); ++row) {
    const auto [entry, fresh] = seen.emplace(places.degrees[row], groups.size());
    if (fresh || !by_place) {
      groups.push_back({row});
    } else {
      groups[entry->second].push_back(row);
    }
  }
  std::vector<std::size_t> parts[3];
  const std::size_t total = places.degrees.size();
  std::size_t placed = 0;
  Stream order = stream;
  for (const Index g : order.permutation(static_cast<Index>(groups.size()))) {
    const auto& rows = groups[static_cast<std::size_t>(g)];
    const std::size_t part = 10 * placed < 8 * total ? 0 : (10 * placed < 9 * total ? 1 : 2);
    parts[part].insert(parts[part].end(), rows.begin(), rows.end());
    placed += rows.size();
  }
  const auto split = [&](std::size_t part, const char* name) {
    return std::make_shared<const SplitSampler>(unit_vectors(places, parts[part]), fmt::format("split '{}'", name));
  };
  return {split(0, "train"), split(1, "validation"), split(2, "reference")};
}

/// Likelihoods of the published tables, with respect to area.
std::vector<PublishedNumber> published_likelihoods(std::string_view task) {
  struct Row {
    const char* method;
    std::array<double, 4> value;  // volcano, earthquake, flood, fire
    std::array<double, 4> spread;
    const char* source;
    bool verified = true;
  };
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  static const std::array<Row, 8> rows = {{
      {"Mixture of Kent", {-0.80, 0.33, 0.73, -1.18}, {0.47, 0.05, 0.07, 0.06}, "debortoli2022"},
      {"Riemannian CNF", {-6.05, 0.14, 1.11, -0.80}, {0.61, 0.23, 0.19, 0.54}, "debortoli2022"},
      {"Moser Flow", {-4.21, -0.16, 0.57, -1.28}, {0.17, 0.06, 0.10, 0.05}, "debortoli2022"},
      {"Stereographic SGM", {-3.80, -0.19, 0.59, -1.28}, {0.27, 0.05, 0.07, 0.12}, "debortoli2022"},
      {"RSGM", {-4.92, -0.19, 0.45, -1.33}, {0.25, 0.07, 0.17, 0.06}, "debortoli2022"},
      {"RDM", {-6.61, -0.40, 0.43, -1.38}, {0, 0, 0, 0}, "huang2022", false},
      {"RFM", {-7.93, -0.28, none, -1.86}, {1.67, 0.08, 0, 0.11}, "chen2024", false},
      {"M-FFF", {-2.25, -0.23, 0.51, -1.19}, {0, 0, 0, 0}, "sorrenson2024"},
  }};
  const std::size_t column = task == volcano.task ? 0 : task == earthquake.task ? 1 : task == flood.task ? 2 : 3;
  std::vector<PublishedNumber> result;
  for (const Row& row : rows) {
    if (std::isnan(row.value[column])) continue;
    result.push_back({"nll", row.method, row.value[column], row.spread[column], row.source, row.verified});
  }
  return result;
}

Task make_earth_task(const EarthFile& source, Settings& settings) {
  const std::string path = find_file(source);
  const Places places = read_places(path);
  const bool by_place =
      settings.choice("split", "place", {"place", "random"},
                      "place: test events lie apart from training events; random: at random") == "place";

  Task task;
  task.name = source.task;
  task.version = 2;  // the same bits on every machine
  task.splits = split_places(places, by_place, Stream(0, fmt::format("{}/split", source.task)));
  task.description =
      fmt::format("{} {} on the globe (unit sphere of R^3), split by {}: {} training, {} validation, {} reference",
                  places.degrees.size(), source.what, by_place ? "place" : "row", task.splits->train->size(),
                  task.splits->validation->size(), task.splits->reference->size());
  task.data_hash = hash_of_law(fmt::format("earth split={} {}", by_place ? "place" : "random", places.text_hash));
  task.published = published_likelihoods(source.task);
  task.published_note =
      by_place ? "theirs are of splits by row, where many test events have their place in the training rows; here each "
                 "place is on one side (split = \"random\" splits by row)"
               : "theirs are of other splits by row";
  task.published_comparable = !by_place;
  task.manifold = std::make_shared<const Sphere>(2, 1.0);
  task.sampler = task.splits->validation;
  task.partition = std::make_shared<const SpherePartition>(
      settings.integer("bands", 12, 1, 256, "bands of latitude of the partition"),
      settings.integer("sectors", 24, 1, 512, "sectors of longitude of the partition"));
  const Points& train = task.splits->train->points();
  const double deviation = coordinate_deviation(train);
  task.preregistered_sigma = 0.1 * std::min(1.0, deviation);
  task.sigma_grid = {0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1};
  read_common_settings(task, settings, deviation);
  return task;
}

}  // namespace

Task make_earth_volcano(Settings& settings) {
  return make_earth_task(volcano, settings);
}

Task make_earth_earthquake(Settings& settings) {
  return make_earth_task(earthquake, settings);
}

Task make_earth_flood(Settings& settings) {
  return make_earth_task(flood, settings);
}

Task make_earth_fire(Settings& settings) {
  return make_earth_task(fire, settings);
}

}  // namespace onmanifold
