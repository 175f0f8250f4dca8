// SPDX-License-Identifier: Apache-2.0
#include "core/files/points_hash.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/files/point_files.hpp"
#include "core/files/sha256.hpp"

namespace onmanifold {

std::string points_hash(const PointsRef& points) {
  Sha256 hash;
  hash.update(fmt::format("{} {}\n", points.rows(), points.cols()));
  const bool gapless = points.outerStride() == points.rows();
  const Index step = gapless ? std::max<Index>(points.cols(), 1) : 1;
  for (Index first = 0; first < points.cols(); first += step) {
    hash.update(points.col(first).data(), static_cast<std::size_t>(points.rows() * step) * sizeof(double));
  }
  return to_hex(hash.finish());
}

std::string points_file_hash(const std::string& spec) {
  PointReader reader(spec);
  Sha256 hash;
  hash.update(fmt::format("{} {}\n", reader.dimension(), reader.size()));
  Points block(reader.dimension(), 65536);
  for (Index n = reader.read(block); n > 0; n = reader.read(block)) {
    hash.update(block.data(), static_cast<std::size_t>(n * block.rows()) * sizeof(double));
  }
  return to_hex(hash.finish());
}

}  // namespace onmanifold
