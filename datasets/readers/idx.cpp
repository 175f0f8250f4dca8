// SPDX-License-Identifier: Apache-2.0
#include "datasets/readers/idx.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"
#include "datasets/readers/missing_data.hpp"

namespace onmanifold {
namespace {

constexpr std::uint32_t image_magic = 2051;
constexpr std::uint32_t label_magic = 2049;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 31;

std::vector<std::uint8_t> read_bytes(const std::string& path, const std::string& sha256) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw MissingData(fmt::format("{}: no such file (scripts/fetch-data.sh gets the data that are not shipped)", path));
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size > most_bytes) throw InvalidInput(fmt::format("{}: cannot be read, or above 2 GB", path));
  std::vector<std::uint8_t> bytes(size);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file) throw InvalidInput(fmt::format("{}: cannot be read", path));
  if (!sha256.empty()) {
    Sha256 hash;
    hash.update(bytes.data(), bytes.size());
    const std::string found = to_hex(hash.finish());
    if (found != sha256) {
      throw InvalidInput(
          fmt::format("{}: not the published file (SHA-256 {}…, expected {}…): delete it and run "
                      "scripts/fetch-data.sh again",
                      path, found.substr(0, 12), sha256.substr(0, 12)));
    }
  }
  return bytes;
}

/// The header's sizes after the magic number, \p count of them. \throw InvalidInput unless the file is as
/// long as they say.
std::vector<std::uint64_t> read_header(const std::string& path, const std::vector<std::uint8_t>& bytes,
                                       std::uint32_t magic, std::size_t count) {
  const auto word = [&](std::size_t i) {
    std::uint32_t value = 0;
    for (std::size_t b = 0; b < 4; ++b) value = value << 8 | bytes[4 * i + b];
    return value;
  };
  const std::size_t header = 4 * (count + 1);
  if (bytes.size() >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B) {
    throw InvalidInput(fmt::format("{}: compressed; unpack it with gunzip", path));
  }
  if (bytes.size() >= 4 && word(0) != magic) {
    throw InvalidInput(fmt::format("{}: magic number {}, expected {} (IDX {})", path, word(0), magic,
                                   magic == image_magic ? "images" : "labels"));
  }
  if (bytes.size() < header) throw InvalidInput(fmt::format("{}: truncated: {} bytes", path, bytes.size()));
  std::vector<std::uint64_t> sizes;
  std::uint64_t body = 1;
  for (std::size_t i = 1; i <= count; ++i) {
    sizes.push_back(word(i));
    // Each factor is below 2^32 and the product so far at most 2^31: no overflow.
    body = std::min(body * sizes.back(), most_bytes);
  }
  if (body == 0) throw InvalidInput(fmt::format("{}: it has no data", path));
  if (bytes.size() - header != body) {
    throw InvalidInput(fmt::format("{}: {}: {} bytes of data, its header says {}", path,
                                   bytes.size() - header < body ? "truncated" : "too long", bytes.size() - header,
                                   body));
  }
  return sizes;
}

}  // namespace

IdxImages read_idx_images(const std::string& path, const std::string& sha256) {
  std::vector<std::uint8_t> bytes = read_bytes(path, sha256);
  const std::vector<std::uint64_t> sizes = read_header(path, bytes, image_magic, 3);
  bytes.erase(bytes.begin(), bytes.begin() + 16);
  return {static_cast<Index>(sizes[0]), static_cast<Index>(sizes[1]), static_cast<Index>(sizes[2]), std::move(bytes)};
}

std::vector<std::uint8_t> read_idx_labels(const std::string& path, const std::string& sha256) {
  std::vector<std::uint8_t> bytes = read_bytes(path, sha256);
  (void)read_header(path, bytes, label_magic, 1);
  bytes.erase(bytes.begin(), bytes.begin() + 8);
  return bytes;
}

std::string data_folder() {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? std::string(value) : std::string();
  };
  if (const std::string data = set("ONMANIFOLD_DATA"); !data.empty()) return data;
  if (const std::string home = set("XDG_DATA_HOME"); !home.empty()) return home + "/onmanifold";
  if (const std::string home = set("HOME"); !home.empty()) return home + "/.local/share/onmanifold";
  throw InvalidInput("no data folder: set ONMANIFOLD_DATA");
}

}  // namespace onmanifold
