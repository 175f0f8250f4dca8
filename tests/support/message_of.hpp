// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a refusal says.

#include <string>

#include "core/error.hpp"

namespace onmanifold {

template <class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no InvalidInput was thrown";
}

}  // namespace onmanifold
