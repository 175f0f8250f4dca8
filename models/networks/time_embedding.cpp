// SPDX-License-Identifier: Apache-2.0
#include "models/networks/time_embedding.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "models/networks/network.hpp"

namespace onmanifold {

Eigen::MatrixXf time_embedding(Index steps) {
  if (steps < 1) throw InvalidInput("time embedding: no steps");
  constexpr Index half = Network::embedding_size / 2;
  Eigen::MatrixXf table(2 * half, steps + 1);
  for (Index t = 0; t <= steps; ++t) {
    for (Index i = 0; i < half; ++i) {
      const double frequency = std::pow(1000.0, static_cast<double>(i) / static_cast<double>(half - 1));
      const double angle = frequency * static_cast<double>(t) / static_cast<double>(steps);
      table(i, t) = static_cast<float>(std::sin(angle));
      table(half + i, t) = static_cast<float>(std::cos(angle));
    }
  }
  return table;
}

Eigen::MatrixXf level_embedding(const std::vector<double>& levels) {
  if (levels.size() < 2) throw InvalidInput("level embedding: no levels");
  constexpr Index half = Network::embedding_size / 2;
  constexpr double lowest = 0.125;
  constexpr double highest = 4;
  Eigen::MatrixXf table(2 * half, static_cast<Index>(levels.size()));
  for (Index t = 0; t < table.cols(); ++t) {
    const double level = levels[static_cast<std::size_t>(std::max<Index>(t, 1))];
    if (!(level > 0)) throw InvalidInput(fmt::format("level embedding: level {} of time {}", level, t));
    for (Index i = 0; i < half; ++i) {
      const double frequency =
          lowest * std::pow(highest / lowest, static_cast<double>(i) / static_cast<double>(half - 1));
      table(i, t) = static_cast<float>(std::sin(frequency * std::log(level)));
      table(half + i, t) = static_cast<float>(std::cos(frequency * std::log(level)));
    }
  }
  return table;
}

Eigen::MatrixXf raw_time(Index steps) {
  if (steps < 1) throw InvalidInput("time input: no steps");
  Eigen::MatrixXf table = Eigen::MatrixXf::Zero(Network::embedding_size, steps + 1);
  for (Index t = 0; t <= steps; ++t) table(0, t) = static_cast<float>(t);
  return table;
}

}  // namespace onmanifold
