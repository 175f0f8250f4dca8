// SPDX-License-Identifier: Apache-2.0
#pragma once
// The message of an error is part of the interface: tests check its type and every part of its text.

#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace onmanifold {

/// Success if \p call throws \p Error with one line that contains all \p parts.
template <class Error>
::testing::AssertionResult throws_message(const std::function<void()>& call, const std::vector<std::string>& parts) {
  try {
    call();
  } catch (const Error& error) {
    const std::string message = error.what();
    if (message.find('\n') != std::string::npos) {
      return ::testing::AssertionFailure() << "the message has several lines: " << message;
    }
    for (const std::string& part : parts) {
      if (message.find(part) == std::string::npos) {
        return ::testing::AssertionFailure() << "'" << part << "' is not in the message: " << message;
      }
    }
    return ::testing::AssertionSuccess();
  } catch (const std::exception& error) {
    return ::testing::AssertionFailure() << "another exception: " << error.what();
  }
  return ::testing::AssertionFailure() << "nothing was thrown";
}

}  // namespace onmanifold
