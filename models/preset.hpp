// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which default settings a method starts from where a suite says nothing.

#include "core/settings.hpp"

namespace onmanifold {

/// tuned: learning rates chosen by trials on a master seed that no suite uses (docs/tuning.md); former: those of
/// version 0, with which the results up to 2025 were made.
enum class Preset { tuned, former };
template <>
struct EnumNames<Preset> {
  static constexpr const char* kind = "preset";
  static constexpr std::array<EnumName<Preset>, 2> names = {{{Preset::tuned, "tuned"}, {Preset::former, "2025"}}};
};

/// Step size of Adam of the methods for which it was tuned.
inline constexpr double tuned_learning_rate = 5e-3;

/// Reads preset (tuned) and then learning_rate, which is \p tuned or \p former unless set.
[[nodiscard]] inline double read_learning_rate(Settings& settings, double tuned, double former) {
  const Preset preset =
      settings.choose("preset", Preset::tuned, "defaults of what was tuned since: tuned, or 2025 for the former ones");
  return settings.number("learning_rate", preset == Preset::tuned ? tuned : former, 0, 1e6, "step size of Adam");
}

}  // namespace onmanifold
