// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether a sanitizer watches. Tests that learn or simulate for long look at numbers that a sanitizer does not change;
// the same code runs under it in shorter tests.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// At the beginning of a test whose training takes minutes under a sanitizer.
#define ONMANIFOLD_SKIP_LONG_TRAINING_IF_SANITIZED() \
  if (sanitized) GTEST_SKIP() << "a long training; conformance tests run the same code under sanitizers"
