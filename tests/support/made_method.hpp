// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a made-up cell's method is: that of the shipped method of this type.

#include <string>

#include "results/old_files.hpp"

namespace onmanifold {

inline CellMethod made_method(const std::string& type, const std::string& lift = "none") {
  return method_of_old_file(
      Value::Table{{"method", Value::Table{{"type", type}}}, {"lift", Value::Table{{"type", lift}}}});
}

}  // namespace onmanifold
