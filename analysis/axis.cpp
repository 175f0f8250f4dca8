// SPDX-License-Identifier: Apache-2.0
#include "analysis/axis.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/call_count.hpp"

namespace onmanifold {
namespace {

AxisPosition position_of(const Arm& arm) {
  AxisPosition position;
  position.place = arm.place.value_or(Place::nowhere);
  if (arm.lifted()) {
    position.isotropic = arm.lift_type == LiftType::isotropic;
    if (std::isfinite(arm.lift_sigma)) position.sigma = arm.lift_sigma;
    position.lift = arm.lift;
  }
  return position;
}

// A method of its own, without or with a lift.
bool is_blind(const Arm& arm) {
  return arm.varies.empty() && (arm.place == Place::nowhere || arm.place == Place::data);
}

/// Puts arms into rows: a further one of the same label where a place is taken.
void put(Axis& axis, const std::string& label, const Arm& arm, int index) {
  const auto column = static_cast<std::size_t>(
      std::find(axis.positions.begin(), axis.positions.end(), position_of(arm)) - axis.positions.begin());
  auto after = axis.rows.end();
  for (auto row = axis.rows.begin(); row != axis.rows.end(); ++row) {
    if (row->label != label) continue;
    if (row->arms[column] < 0) {
      row->arms[column] = index;
      return;
    }
    after = row + 1;
  }
  const auto row = axis.rows.insert(after, {label, std::vector<int>(axis.positions.size(), -1)});
  row->arms[column] = index;
}

}  // namespace

Axis mismatch_axis(const TaskSummary& summary) {
  count_call("mismatch_axis");
  Axis axis;
  axis.column = summary.primary;
  if (axis.column < 0) return axis;
  std::set<Place> taken;
  std::set<AxisPosition> positions;
  std::vector<int> blind;
  for (int a = 0; a < static_cast<int>(summary.arms.size()); ++a) {
    const Arm& arm = summary.arms[static_cast<std::size_t>(a)];
    if (!arm.learns() || arm.type.empty()) continue;
    if (!arm.place) {
      axis.unplaced.push_back(a);
      continue;
    }
    positions.insert(position_of(arm));
    taken.insert(*arm.place);
    (is_blind(arm) ? blind : axis.variations).push_back(a);
  }
  if (taken.size() < 3) return axis;
  axis.positions.assign(positions.begin(), positions.end());
  std::map<std::string, std::string, std::less<>> label_of;  // the first label of a blind type
  for (const int a : blind) {
    const Arm& arm = summary.arms[static_cast<std::size_t>(a)];
    // A label equal to the type is the plain method, whatever stands before it.
    const auto [entry, is_new] = label_of.try_emplace(arm.type, arm.method);
    if (!is_new && arm.method == arm.type) entry->second = arm.method;
    put(axis, arm.method, arm, a);
  }
  for (const int a : axis.variations) {
    const Arm& arm = summary.arms[static_cast<std::size_t>(a)];
    const std::string& base = arm.varies.empty() ? arm.method : arm.varies;
    const auto label = label_of.find(base);
    put(axis, label == label_of.end() ? base : label->second, arm, a);
  }
  std::stable_sort(axis.variations.begin(), axis.variations.end(), [&](int a, int b) {
    return summary.arms[static_cast<std::size_t>(a)].place < summary.arms[static_cast<std::size_t>(b)].place;
  });
  return axis;
}

}  // namespace onmanifold
