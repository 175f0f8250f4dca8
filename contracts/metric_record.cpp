// SPDX-License-Identifier: Apache-2.0
#include "contracts/metric_record.hpp"

#include <fmt/format.h>

namespace onmanifold {

std::string RecordStatus::text() const {
  return message.empty() ? std::string(name_of(state)) : fmt::format("{}: {}", name_of(state), message);
}

RecordStatus parse_record_status(std::string_view text) {
  const std::size_t colon = text.find(':');
  RecordStatus status{.state = parse_named<RecordState>(text.substr(0, colon)), .message = {}};
  if (colon != std::string_view::npos) {
    text.remove_prefix(colon + 1);
    if (text.starts_with(' ')) text.remove_prefix(1);
    status.message = text;
  }
  return status;
}

std::string direction_text(const std::optional<Direction>& direction) {
  return direction ? std::string(name_of(*direction)) : std::string();
}

std::optional<Direction> parse_direction(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return parse_named<Direction>(text);
}

double loss(const std::optional<Direction>& direction, double target, double value) {
  if (!direction) return MetricRecord::unknown;
  switch (*direction) {
    case Direction::lower:
      return value;
    case Direction::higher:
      return -value;
    case Direction::target:
      break;
  }
  return std::abs(value - target);
}

}  // namespace onmanifold
