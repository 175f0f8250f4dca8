// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files that are complete or absent: everything the program writes goes through here. A temporary file in the
// same directory is filled, flushed and renamed; whatever goes wrong before the rename leaves nothing under
// the final name.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/points.hpp"

namespace onmanifold {

/// A file being written under a temporary name, ".<name>.<host>-<pid>-<number>.tmp" beside \p path.
class AtomicFile {
 public:
  /// Creates the temporary file and the directories above it. \throw IoError naming path and operation.
  explicit AtomicFile(std::string path);
  /// Removes the temporary file unless commit() succeeded.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends. \throw IoError, e.g. on a full disk.
  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// For writers that want a path, e.g. another program; they must be done before commit().
  [[nodiscard]] const std::string& temporary_path() const { return temporary_; }
  /// fsync, rename to the final name (replacing what is there), fsync of the directory. \throw IoError
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
};

/// Writes \p content to \p path, complete or absent. \throw IoError
void write_file(const std::string& path, std::string_view content);

/// Whether there is anything at \p path. Nothing that cannot be asked, such as a link to itself, is there.
[[nodiscard]] bool is_there(const std::filesystem::path& path);

/// The whole file. \throw InvalidInput if it does not exist or is a directory, IoError if it cannot be read.
[[nodiscard]] std::string read_file(const std::string& path);

/// True if \p file_name has the form of a temporary name and its writer is not a live process of this
/// machine. A name that another machine wrote counts as live: it cannot be asked.
[[nodiscard]] bool is_stale_temporary(std::string_view file_name);

/// Removes the stale temporary files below \p directory, which a kill or a power cut left; returns their
/// number.
Index remove_stale_temporaries(const std::string& directory);

}  // namespace onmanifold
