// SPDX-License-Identifier: Apache-2.0
#pragma once
// One number of a metric with everything that is needed to read it: the record of /metrics/* and of score's JSON.

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "contracts/unit_info.hpp"
#include "core/points.hpp"

namespace onmanifold {

/// How a metric or a diagnostic ended.
enum class RecordState { ok, at_floor, not_applicable, failed, unsupported };
template <>
struct EnumNames<RecordState> {
  static constexpr const char* kind = "status";
  static constexpr std::array<EnumName<RecordState>, 5> names = {{{RecordState::ok, "ok"},
                                                                  {RecordState::at_floor, "at_floor"},
                                                                  {RecordState::not_applicable, "not_applicable"},
                                                                  {RecordState::failed, "failed"},
                                                                  {RecordState::unsupported, "unsupported"}}};
};

/// A state and why.
struct RecordStatus {
  RecordState state = RecordState::ok;
  std::string message;  ///< one line; empty where the state says it all

  [[nodiscard]] bool ok() const { return state == RecordState::ok; }
  /// As files spell it: "ok", "not_applicable: no partition".
  [[nodiscard]] std::string text() const;
  friend bool operator==(const RecordStatus&, const RecordStatus&) = default;
};
/// The status that text() spells. \throw InvalidInput that lists the known words.
[[nodiscard]] RecordStatus parse_record_status(std::string_view text);

/// Unknown numbers are NaN, never 0.
struct MetricRecord {
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

  std::string name;  ///< bare name, e.g. "tvd"; the settings are in parameters
  double value = unknown;
  double target = unknown;             ///< value of a perfect model, for direction "target"
  double null = unknown;               ///< expectation at these sizes when the model is perfect
  double null_sd = unknown;            ///< its standard deviation
  double se = unknown;                 ///< evaluation spread of this one value
  double p_value = unknown;            ///< of the hypothesis that samples and reference have one law
  std::string unit;                    ///< "" or e.g. "nats", "length"
  std::optional<Direction> direction;  ///< none where the metric broke down before it could say
  int version = 1;                     ///< version of the metric's definition
  std::string parameters = "{}";       ///< JSON object with sorted keys
  Index n_reference = 0;               ///< 0: exact masses or no reference
  Index n_samples = 0;
  Index n_nonfinite = 0;  ///< columns left out because they are not finite
  RecordStatus status;    ///< never unsupported
};

/// The word of a direction, or "" without one: as files spell it.
[[nodiscard]] std::string direction_text(const std::optional<Direction>& direction);
/// The direction that direction_text() spells. \throw InvalidInput that lists the known words.
[[nodiscard]] std::optional<Direction> parse_direction(std::string_view text);
/// \p value as a loss: smaller is better, whatever the direction. NaN without a direction.
[[nodiscard]] double loss(const std::optional<Direction>& direction, double target, double value);

}  // namespace onmanifold
