// SPDX-License-Identifier: Apache-2.0
// preset = "2025" through the whole pipeline: the quality of version 0, which the tuned defaults leave.
#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/files/temporary_directory.hpp"
#include "core/math/statistics.hpp"
#include "suite/scheduler.hpp"
#include "suite/toml_file.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold {
namespace {

/// `tvd` of projected samples of a small training on the sphere, by replicate.
Vector measured(const std::string& preset) {
  const std::string text = fmt::format(R"(
[suite]
name = "preset"
seeds = "0..3"
n_train = 2000
n_samples = 10000
n_reference = 100
[[task]]
name = "sphere-vmf6"
metrics = "tvd"
[[method]]
name = "ddpm"
preset = "{}"
steps = 500
width = 64
)",
                                       preset);
  const TemporaryDirectory directory;
  RunOptions options;
  options.directory = directory.file("out");
  run_suite(parse_suite(parse_toml(text, "preset.toml"), "preset.toml"), options);
  Vector values(4);
  for (int seed = 0; seed < 4; ++seed) {
    const CellKey key{"sphere-vmf6", "ddpm", "none", seed};
    values[seed] = read_metrics_cell(key.metrics_path(options.directory)).projected.at(0).value;
  }
  return values;
}

TEST(Preset, FormerSettingsHaveTheQualityOfVersionZero) {
  ONMANIFOLD_SKIP_LONG_TRAINING_IF_SANITIZED();
  // Printed by the program before the defaults changed, for the replicates 10 … 17 of this suite.
  const Vector version_zero{{0.36765, 0.34662, 0.35995, 0.35406, 0.36358, 0.36431, 0.37025, 0.35244}};
  const auto distance = [&](const Vector& values) {
    return std::abs(mean(values) - mean(version_zero)) /
           std::hypot(standard_error(values), standard_error(version_zero));
  };
  EXPECT_LT(distance(measured("2025")), 2);
  EXPECT_GT(distance(measured("tuned")), 4);  // negative control
}

}  // namespace
}  // namespace onmanifold
