// SPDX-License-Identifier: Apache-2.0
#pragma once
// A directory that goes away with its object.

#include <filesystem>
#include <string>

namespace onmanifold {

/// A new directory under the system's temporary one, removed with everything in it.
class TemporaryDirectory {
 public:
  /// \throw IoError naming the path if it cannot be created.
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace onmanifold
