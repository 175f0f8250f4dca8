// SPDX-License-Identifier: Apache-2.0
#include "core/files/shipped_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"

namespace onmanifold {

std::string shipped_file(std::string_view relative) {
  namespace fs = std::filesystem;
  std::vector<fs::path> roots;
  if (const char* share = std::getenv("ONMANIFOLD_SHARE")) roots.emplace_back(share);
  std::error_code ignored;
  const fs::path executable = fs::read_symlink("/proc/self/exe", ignored);
  if (!executable.empty()) roots.push_back(executable.parent_path().parent_path() / "share" / "onmanifold");
  roots.emplace_back(ONMANIFOLD_SOURCE_ROOT);
  roots.emplace_back(ONMANIFOLD_INSTALLED_SHARE);  // of a program that uses the installed libraries
  std::vector<std::string> tried;
  for (const fs::path& root : roots) {
    const fs::path candidate = root / relative;
    if (is_there(candidate)) return candidate.string();
    tried.push_back(candidate.string());
  }
  throw IoError(fmt::format("shipped file {} not found; looked for {}", relative, fmt::join(tried, ", ")));
}

}  // namespace onmanifold
