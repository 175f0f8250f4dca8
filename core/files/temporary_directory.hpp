// SPDX-License-Identifier: Apache-2.0
#pragma once
// A directory that goes away with its object.

#include <filesystem>
#include <string>

namespace onmanifold {

/// A new directory, removed with everything in it.
class TemporaryDirectory {
 public:
  /// Under the system's temporary one ($TMPDIR, or /tmp). \throw IoError as below, or if there is none.
  TemporaryDirectory();
  /// Under \p base. \throw IoError naming the path if it cannot be created.
  explicit TemporaryDirectory(const std::filesystem::path& base);
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace onmanifold
