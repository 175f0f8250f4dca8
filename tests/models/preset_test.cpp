// SPDX-License-Identifier: Apache-2.0
// What preset = "2025" brings back: the settings of version 0, written out.
#include "models/preset.hpp"

#include <map>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "models/registry.hpp"
#include "tests/models/model_fixtures.hpp"

namespace onmanifold {
namespace {

Value::Table resolved(const std::string& name, const Value::Table& table) {
  Settings settings{Value(table), "test"};
  (void)method_registry().get(name).factory(settings);
  settings.finish();
  return settings.resolved();
}

TEST(Preset, FormerSettingsOfDdpmAreThoseOfVersionZero) {
  Value::Table found = resolved("ddpm", {{"preset", "2025"}});
  // Keys that came later stand at the value that means what was done then.
  EXPECT_EQ(found["preset"], Value("2025"));
  EXPECT_EQ(found["features"], Value(std::int64_t{0}));
  EXPECT_EQ(found["sampler_grid"], Value("even"));
  for (const char* key : {"preset", "features", "feature_scale", "sampler_grid"}) found.erase(key);
  const Value::Table expected = {{"prediction", "epsilon"},
                                 {"steps", 7000},
                                 {"learning_rate", 1e-3},
                                 {"warmup", 100},
                                 {"ema", 0.999},
                                 {"clip", 0.0},
                                 {"batch", 256},
                                 {"network", "auto"},
                                 {"width", 128},
                                 {"depth", 3},
                                 {"residual", false},
                                 {"schedule", "cosine"},
                                 {"timesteps", 100},
                                 {"smallest_noise", "task"},
                                 {"largest_beta", 0.9},
                                 {"largest_level", 100.0},
                                 {"time_input", "embedding"},
                                 {"sampler", "ancestral"},
                                 {"variance", "beta"},
                                 {"sampler_steps", 0},
                                 {"clip_denoised", "auto"}};
  EXPECT_EQ(to_json(Value(found)), to_json(Value(expected)));
}

TEST(Preset, ChangesTheLearningRateAndNothingElse) {
  const std::map<std::string, std::pair<double, double>> rates = {{"ddpm", {5e-3, 1e-3}},
                                                                  {"pdm", {5e-3, 1e-3}},
                                                                  {"niso", {5e-3, 1e-3}},
                                                                  {"tango", {5e-3, 1e-3}},
                                                                  {"mad", {5e-3, 1e-3}},
                                                                  {"flow_matching", {5e-3, 1e-3}},
                                                                  {"riemannian_flow_matching", {5e-3, 1e-3}},
                                                                  {"rsgm", {5e-3, 1e-3}},
                                                                  {"realnvp", {5e-4, 5e-4}},
                                                                  {"spline_flow", {5e-3, 5e-4}},
                                                                  {"autoencoder_ddpm", {5e-3, 1e-3}},
                                                                  {"vae_ddpm", {5e-3, 1e-3}},
                                                                  {"vae_flow", {5e-3, 5e-4}}};
  for (const auto& [name, rate] : rates) {
    Value::Table tuned = resolved(name, {});
    Value::Table former = resolved(name, {{"preset", "2025"}});
    EXPECT_EQ(tuned["learning_rate"], Value(rate.first)) << name;
    EXPECT_EQ(former["learning_rate"], Value(rate.second)) << name;
    EXPECT_EQ(tuned["preset"], Value("tuned")) << name;
    for (const char* key : {"preset", "learning_rate"}) {
      tuned.erase(key);
      former.erase(key);
    }
    EXPECT_EQ(tuned, former) << name;
    // What a suite states wins over the preset.
    EXPECT_EQ(resolved(name, {{"preset", "2025"}, {"learning_rate", 0.02}})["learning_rate"], Value(0.02)) << name;
  }
  EXPECT_THROW(resolved("ddpm", {{"preset", "2024"}}), InvalidInput);
  // Nothing was tuned: the former rate, and nothing to go back to.
  EXPECT_EQ(resolved("pidm", {})["learning_rate"], Value(1e-3));
  EXPECT_THROW(resolved("pidm", {{"preset", "2025"}}), InvalidInput);
}

TEST(Preset, FormerSamplesAreThoseOfTheFormerLearningRateBitForBit) {
  FitFixture fixture(NormalLaw::in_a_plane(), 200);
  const auto samples = [&](Value::Table table) {
    table.insert({{"steps", 50}, {"width", 32}, {"depth", 2}, {"batch", 32}, {"timesteps", 20}});
    Settings settings{Value(table), "test"};
    const auto model = method_registry().get("ddpm").factory(settings);
    model->fit(fixture.context());
    return model->sample(20, Stream(1, "sampling"));
  };
  EXPECT_EQ(samples({{"preset", "2025"}}), samples({{"learning_rate", 1e-3}}));
  EXPECT_NE(samples({{"preset", "2025"}}), samples({}));
}

}  // namespace
}  // namespace onmanifold
