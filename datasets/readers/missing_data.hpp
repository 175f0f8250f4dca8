// SPDX-License-Identifier: Apache-2.0
#pragma once
// Data that are not shipped and not there: bad input like any other, unless a suite calls the task optional.

#include "core/error.hpp"

namespace onmanifold {

class MissingData : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
};

}  // namespace onmanifold
