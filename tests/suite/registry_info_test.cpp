// SPDX-License-Identifier: Apache-2.0
// What registered units say of themselves: every setting has a meaning, and what a method varies is registered too.

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "datasets/task.hpp"
#include "diagnostics/diagnostic.hpp"
#include "metrics/registry.hpp"
#include "models/registry.hpp"
#include "suite/suite_spec.hpp"

namespace onmanifold {
namespace {

/// "unit: key" for every setting that a factory asks for, from defaults alone, without one line of meaning.
template <class Units>
std::vector<std::string> without_meaning(const Units& units) {
  std::vector<std::string> found;
  for (const auto& entry : units.entries()) {
    Settings settings(Value::Table{}, entry.name);
    try {
      (void)entry.factory(settings);
    } catch (const InvalidInput&) {  // no data, or a setting without a default: the others were asked for before
    }
    for (const SettingInfo& setting : settings.asked()) {
      if (setting.meaning.empty() || setting.meaning.find('\n') != std::string::npos) {
        found.push_back(entry.name + ": " + setting.key);
      }
    }
  }
  return found;
}

const std::vector<std::string> nothing;

TEST(Registries, EverySettingHasAMeaning) {
  EXPECT_EQ(without_meaning(method_registry()), nothing);
  EXPECT_EQ(without_meaning(metric_registry()), nothing);
  EXPECT_EQ(without_meaning(diagnostic_registry()), nothing);
  EXPECT_EQ(without_meaning(task_registry()), nothing);
  for (const LiftType type : {LiftType::none, LiftType::normal, LiftType::isotropic}) {
    for (const SettingInfo& setting : lift_settings(type)) EXPECT_NE(setting.meaning, "") << setting.key;
  }
}

TEST(Registries, ASettingWithoutAMeaningIsFound) {
  Registry<int (*)(Settings&)> units("unit");
  units.add("good", "", [](Settings& settings) { return static_cast<int>(settings.integer("n", 1, 0, "how many")); });
  units.add("bad", "", [](Settings& settings) {
    const auto n = static_cast<int>(settings.integer("n", 1, 0));
    settings.required_text("path", "where");
    return n;
  });
  EXPECT_EQ(without_meaning(units), (std::vector<std::string>{"bad: n"}));
}

TEST(Registries, AVariationVariesALearnerThatDoesNotKnowTheManifold) {
  int variations = 0;
  for (const auto& entry : method_registry().entries()) {
    if (entry.info.varies.empty()) {
      EXPECT_EQ(entry.info.place, Place::nowhere) << entry.name;
      continue;
    }
    ++variations;
    const auto* base = method_registry().find(entry.info.varies);
    ASSERT_NE(base, nullptr) << entry.name;
    EXPECT_EQ(base->info.place, Place::nowhere) << entry.name;
    EXPECT_EQ(base->info.role, MethodRole::learner) << entry.name;
    EXPECT_NE(entry.info.place, Place::nowhere) << entry.name;
  }
  EXPECT_GT(variations, 0);
}

TEST(Registries, DiscrepanciesAreMetricsOfWhichLessIsBetter) {
  for (const auto& entry : metric_registry().entries()) {
    if (!entry.info.discrepancy) continue;
    EXPECT_EQ(entry.info.direction, Direction::lower) << entry.name;
    EXPECT_FALSE(entry.info.constraint) << entry.name;
  }
  EXPECT_TRUE(metric_registry().get("tvd").info.discrepancy);
  // The best quantiser of a distribution is another distribution.
  EXPECT_FALSE(metric_registry().get("mmd_min").info.discrepancy);
}

}  // namespace
}  // namespace onmanifold
