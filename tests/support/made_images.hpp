// SPDX-License-Identifier: Apache-2.0
#pragma once
// A small data set of made images in IDX files, so that tests of image tasks need no download.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/files/temporary_directory.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {

inline std::string idx_word(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xFF);
  return text;
}

inline void write_file(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

/// \p count images of side×side pixels: a bright square of varying place and grey on black, a dark border of
/// one pixel.
inline std::string made_idx_images(std::uint32_t count, std::uint32_t side, std::uint64_t seed) {
  std::string content = idx_word(2051) + idx_word(count) + idx_word(side) + idx_word(side);
  Stream stream(seed, "made-images");
  const std::uint64_t room = side / 2 - 1;
  for (std::uint32_t n = 0; n < count; ++n) {
    std::string image(static_cast<std::size_t>(side) * side, '\0');
    const std::uint64_t row = 1 + n % room;
    const std::uint64_t column = 1 + n / room % room;
    const auto grey = static_cast<char>(55 + stream.integer(200));
    for (std::uint64_t r = row; r < row + side / 2; ++r) {
      for (std::uint64_t c = column; c < column + side / 2; ++c) {
        image[r * side + c] = (r + c) % 3 == 0 ? static_cast<char>(40) : grey;
      }
    }
    content += image;
  }
  return content;
}

/// Labels of made_idx_images: in which quarter of its places the row of the square is.
inline std::string made_idx_labels(std::uint32_t count, std::uint32_t side) {
  std::string content = idx_word(2049) + idx_word(count);
  const std::uint32_t room = side / 2 - 1;
  for (std::uint32_t n = 0; n < count; ++n) content += static_cast<char>(n % room * 4 / room);
  return content;
}

/// A data folder with the set "made" (and the same files as "mnist", which their checksums must refuse) that
/// ONMANIFOLD_DATA points to as long as the object lives.
class MadeImages {
 public:
  explicit MadeImages(std::uint32_t train = 240, std::uint32_t test = 60, std::uint32_t side = 28) {
    for (const std::string set : {"made", "mnist"}) {
      write_file(path(set, "train-images-idx3-ubyte"), made_idx_images(train, side, 1));
      write_file(path(set, "t10k-images-idx3-ubyte"), made_idx_images(test, side, 2));
      write_file(path(set, "train-labels-idx1-ubyte"), made_idx_labels(train, side));
      write_file(path(set, "t10k-labels-idx1-ubyte"), made_idx_labels(test, side));
    }
    if (const char* value = std::getenv("ONMANIFOLD_DATA")) before_ = value;
    setenv("ONMANIFOLD_DATA", directory_.path().c_str(), 1);
  }
  ~MadeImages() {
    if (before_.empty()) {
      unsetenv("ONMANIFOLD_DATA");
    } else {
      setenv("ONMANIFOLD_DATA", before_.c_str(), 1);
    }
  }
  MadeImages(const MadeImages&) = delete;
  MadeImages& operator=(const MadeImages&) = delete;

  [[nodiscard]] std::string path(const std::string& set, const std::string& file) const {
    return directory_.path() + "/" + set + "/" + file;
  }

 private:
  TemporaryDirectory directory_;
  std::string before_;
};

}  // namespace onmanifold
