// SPDX-License-Identifier: Apache-2.0
#include "core/files/temporary_directory.hpp"

#include <cstdlib>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

TEST(TemporaryDirectory, GoesWithAllThatIsInIt) {
  std::optional<TemporaryDirectory> first(std::in_place);
  const TemporaryDirectory second;
  EXPECT_NE(first->path(), second.path());
  EXPECT_EQ(first->file("a"), first->path() + "/a");
  fs::create_directories(first->file("a/b"));
  std::ofstream(first->file("a/b/c")) << "x";
  const std::string path = first->path();
  fs::permissions(path, fs::perms::none);
  first.reset();
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(fs::is_directory(second.path()));
}

TEST(TemporaryDirectory, SaysWhereItCannotBe) {
  const char* const before = std::getenv("TMPDIR");
  const std::optional<std::string> kept = before == nullptr ? std::nullopt : std::optional<std::string>(before);
  setenv("TMPDIR", "/nowhere/at/all", 1);
  EXPECT_TRUE(throws_message<IoError>([] { const TemporaryDirectory refused; }, {"TMPDIR"}));
  if (kept) {
    setenv("TMPDIR", kept->c_str(), 1);
  } else {
    unsetenv("TMPDIR");
  }
}

}  // namespace
}  // namespace onmanifold
