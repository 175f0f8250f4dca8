// SPDX-License-Identifier: Apache-2.0
#pragma once
// Result files that HDF5 wrote and this program did not: sound bytes and a right checksum around objects
// whose names, types, shapes and attributes the fuzzer chooses. Mutated bytes would end at the checksum, or
// in HDF5's own parser.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/files/hdf5_file.hpp"

namespace onmanifold::fuzz {

enum class Kind {
  matrix,
  floats,
  integers,
  vector,
  flags,
  number,
  integer,
  text,
  texts,
  table,
  group,
};

/// Decisions out of an input. Numbers come from its end and letters from its start, so that a longer text leaves the
/// numbers as they are; an input that is used up goes on as zeros.
class Choices {
 public:
  explicit Choices(std::string_view bytes) : bytes_(bytes) {}

  /// A number of [low, high], from as few bytes as its range needs.
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) {
    const auto range = static_cast<std::uint64_t>(high - low);
    std::uint64_t value = 0;
    for (std::uint64_t left = range; left > 0; left >>= 8U) value = value << 8U | last();
    return low + static_cast<std::int64_t>(value % (range + 1));
  }
  [[nodiscard]] bool flip() { return between(0, 1) == 1; }
  /// Any number: infinities, NaN and the smallest among them.
  [[nodiscard]] double number() { return std::bit_cast<double>(whole()); }
  [[nodiscard]] std::int64_t whole() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8U | last();
    return static_cast<std::int64_t>(value);
  }
  [[nodiscard]] std::string letters(std::int64_t most) {
    const auto length = static_cast<std::size_t>(between(0, most));
    const std::string text(bytes_.substr(0, length));
    bytes_.remove_prefix(text.size());
    return text;
  }

 private:
  std::uint8_t last() {
    if (bytes_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(bytes_.back());
    bytes_.remove_suffix(1);
    return value;
  }

  std::string_view bytes_;
};

/// An object of a results file, and what it should be.
struct Part {
  const char* name;
  Kind kind;
};

inline Eigen::MatrixXd some_matrix(Choices& bytes) {
  const auto rows = bytes.between(0, 4);
  const auto cols = bytes.between(0, 4);
  Eigen::MatrixXd values(rows, cols);
  for (Index i = 0; i < values.size(); ++i) values.data()[i] = static_cast<double>(bytes.between(-3, 9));
  return values;
}

inline std::string some_text(Choices& bytes) {
  static const std::array<const char*, 6> useful = {"ok", "{}", "[1,{\"a\":null}]", "manifold", "failed", "1e999"};
  std::string text = bytes.flip() ? useful[static_cast<std::size_t>(bytes.between(0, 5))] : bytes.letters(20);
  std::erase(text, '\0');
  return text;
}

inline Hdf5Table some_table(Choices& bytes) {
  static const std::array<const char*, 17> names = {
      "name",   "parameters", "value",   "target",      "null",      "null_sd",     "se",    "p",     "unit",
      "status", "direction",  "version", "n_reference", "n_samples", "n_nonfinite", "label", "value2"};
  const auto rows = static_cast<std::size_t>(bytes.between(0, 3));
  Hdf5Table table;
  for (const char* name : names) {
    const std::int64_t choice = bytes.between(0, 30);  // mostly as it should be
    const std::string_view wanted = name;
    const bool text =
        wanted == "name" || wanted == "parameters" || wanted == "unit" || wanted == "status" || wanted == "direction";
    const bool whole = wanted == "version" || wanted.starts_with("n_");
    if (choice == 0 || wanted == "label" || (wanted == "value2" && choice > 3)) continue;
    if (choice == 1 || (choice > 3 && text)) {
      std::vector<std::string> column;
      for (std::size_t i = 0; i < rows; ++i) column.push_back(some_text(bytes));
      // Words of an enumeration are mostly known ones, or nothing behind them would be read.
      if (wanted == "direction" && choice > 6) std::fill(column.begin(), column.end(), "lower");
      if (wanted == "status" && choice > 6) std::fill(column.begin(), column.end(), "failed: why");
      table.columns.emplace_back(name, column);
    } else if (choice == 2 || (choice > 3 && whole)) {
      table.columns.emplace_back(name, std::vector<std::int64_t>(rows, bytes.whole()));
    } else {
      table.columns.emplace_back(name, std::vector<double>(rows, bytes.number()));
    }
  }
  return table;
}

inline void write_part(Hdf5Writer& file, const std::string& name, Kind kind, Choices& bytes) {
  switch (kind) {
    case Kind::matrix:
      file.write_matrix(name, some_matrix(bytes));
      break;
    case Kind::floats:
      file.write_matrix(name, Eigen::MatrixXf(some_matrix(bytes).cast<float>()));
      break;
    case Kind::integers:
      file.write_matrix(name, Eigen::MatrixXi(some_matrix(bytes).cast<int>()));
      break;
    case Kind::vector: {
      const Eigen::MatrixXd values = some_matrix(bytes);
      file.write_vector(name, Eigen::Map<const Vector>(values.data(), values.size()));
      break;
    }
    case Kind::flags: {
      const auto size = bytes.between(0, 5);
      file.write_flags(name, Eigen::Array<bool, Eigen::Dynamic, 1>::Constant(size, bytes.flip()));
      break;
    }
    case Kind::number:
      file.write_number(name, bytes.number());
      break;
    case Kind::integer:
      file.write_integer(name, bytes.between(-2, 9));
      break;
    case Kind::text:
      file.write_text(name, some_text(bytes));
      break;
    case Kind::texts:
      file.write_texts(name, {some_text(bytes), some_text(bytes)});
      break;
    case Kind::table:
      file.write_table(name, some_table(bytes));
      break;
    case Kind::group:
      file.make_group(name);
      break;
  }
}

/// Writes a file at \p path: most parts as they should be, some missing, some of another kind.
inline void write_made_cell(const std::string& path, const std::string& text) {
  static const std::vector<std::vector<Part>> files = {{{"/config", Kind::text},
                                                        {"/provenance", Kind::text},
                                                        {"/status", Kind::text},
                                                        {"/method", Kind::text},
                                                        {"/samples/raw", Kind::matrix},
                                                        {"/samples/projected", Kind::matrix},
                                                        {"/samples/projection_distance", Kind::vector},
                                                        {"/samples/projection_converged", Kind::flags},
                                                        {"/pictures/nearest_training", Kind::matrix},
                                                        {"/training/step", Kind::vector},
                                                        {"/training/loss", Kind::vector},
                                                        {"/diagnostics/a/status", Kind::text},
                                                        {"/diagnostics/a/slope", Kind::vector},
                                                        {"/likelihood/reference_log_density", Kind::vector},
                                                        {"/likelihood/measure", Kind::text},
                                                        {"/log", Kind::text},
                                                        {"/model/state/w", Kind::floats},
                                                        {"/timing/fit_s", Kind::number}},
                                                       {{"/config", Kind::text},
                                                        {"/metrics/raw", Kind::table},
                                                        {"/metrics/projected", Kind::table},
                                                        {"/timing/cpu_s", Kind::number}},
                                                       {{"/description", Kind::text},
                                                        {"/reference/points", Kind::matrix},
                                                        {"/partition/description", Kind::text},
                                                        {"/partition/masses", Kind::vector},
                                                        {"/surface/vertices", Kind::matrix},
                                                        {"/surface/faces", Kind::integers},
                                                        {"/image/height", Kind::integer},
                                                        {"/image/width", Kind::integer},
                                                        {"/image/pixels", Kind::integers},
                                                        {"/entropy", Kind::number},
                                                        {"/details", Kind::text}}};
  static const std::array<const char*, 3> kinds = {"raw", "metrics", "task"};
  Choices bytes(text);
  const auto which = static_cast<std::size_t>(bytes.between(0, 2));
  Hdf5Writer file(path);
  const auto odd = [&] { return bytes.between(0, 40) == 0; };
  if (!odd()) file.set_attribute("/", "schema_version", odd() ? bytes.whole() : std::int64_t{1});
  if (!odd()) file.set_attribute("/", "kind", std::string_view(odd() ? "task" : kinds[which]));
  for (const char* name : {"sample_hash", "metric_hash", "raw_digest", "name", "data_hash", "manifold"}) {
    if (odd()) continue;
    if (odd()) {
      file.set_attribute("/", name, 1.5);
    } else {
      file.set_attribute("/", name, std::string_view(some_text(bytes)));
    }
  }
  if (!odd()) file.set_attribute("/", "version", std::int64_t{2});
  for (const Part& part : files[which]) {
    const std::int64_t choice = bytes.between(0, 20);
    if (choice == 0) continue;
    try {
      const auto last = static_cast<std::int64_t>(Kind::group);
      write_part(file, part.name, choice == 1 ? static_cast<Kind>(bytes.between(0, last)) : part.kind, bytes);
    } catch (const InvalidInput&) {  // an empty matrix, a text that HDF5 cannot hold
    }
  }
  file.commit();
}

}  // namespace onmanifold::fuzz
