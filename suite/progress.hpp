// SPDX-License-Identifier: Apache-2.0
#pragma once
// Progress with an estimate of the time left, on a terminal only.

#include <chrono>
#include <string>
#include <string_view>

#include "core/points.hpp"

namespace onmanifold {

/// A progress line on \p descriptor (2 = stderr). Silent when that is not a terminal, unless forced. The
/// estimate of the time left takes the pace so far; weights make it fair when items differ in size.
class Progress {
 public:
  Progress(std::string title, Index total, int descriptor = 2, bool force = false);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// \p weight: share of the work that this item was, in the unit of total.
  void advance(const std::string& label, Index weight = 1);
  /// Text of the line, without control characters: "quick  12/45  27 %  ETA 0:31
  /// sphere-vmf6/ddpm/none/seed-0".
  [[nodiscard]] std::string line(double elapsed_seconds) const;

 private:
  void write(std::string_view text);

  std::string title_;
  Index total_ = 0;
  Index done_ = 0;
  std::string label_;
  int descriptor_ = 2;
  bool visible_ = false;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace onmanifold
