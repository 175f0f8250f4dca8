// SPDX-License-Identifier: Apache-2.0
#pragma once
// The kinds of failure. Libraries throw them and neither print nor exit; cli/ turns them into one line and an exit code
// (InvalidInput: 2, the others: 1).

#include <stdexcept>
#include <string>

namespace onmanifold {

/// The caller gave something that cannot be used. The message is one line that names the file, line, key or value.
class InvalidInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A combination that makes sense nowhere: this method on that manifold, this diagnostic of that model. Not a failure
/// of either. The message says what is missing.
class Unsupported : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
};

/// A computation broke down on valid input and no result can exist.
class NumericalFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reading or writing failed for a reason outside the program. The message names the path and the operation.
class IoError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace onmanifold
