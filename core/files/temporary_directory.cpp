// SPDX-License-Identifier: Apache-2.0
#include "core/files/temporary_directory.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

namespace fs = std::filesystem;

namespace {

fs::path system_directory() {
  std::error_code none;
  fs::path base = fs::temp_directory_path(none);
  if (none) throw IoError(fmt::format("the directory for temporary files (TMPDIR): {}", none.message()));
  return base;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() : TemporaryDirectory(system_directory()) {}

TemporaryDirectory::TemporaryDirectory(const fs::path& base) {
  std::string name = (base / "onmanifold-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw IoError(fmt::format("{}: cannot create a temporary directory: {}", name, std::strerror(errno)));
  }
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::permissions(path_, fs::perms::owner_all, ignored);  // whoever took them away: it goes all the same
  fs::remove_all(path_, ignored);
}

}  // namespace onmanifold
