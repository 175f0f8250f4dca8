// SPDX-License-Identifier: Apache-2.0
#pragma once
// Claims on cells are kernel locks: they vanish with their process, however it ends.

#include <cstdint>
#include <string>

#include "results/cell_files.hpp"

namespace onmanifold {

/// One byte-range lock of the file <directory>/.lock, at an offset hashed from the cell's key. Open-file-description
/// locks: they exclude other processes and other descriptors alike, and work over NFS.
class CellLock {
 public:
  /// Tries once. \throw IoError if the lock file cannot be used.
  CellLock(const std::string& directory, const CellKey& key);
  ~CellLock();
  CellLock(const CellLock&) = delete;
  CellLock& operator=(const CellLock&) = delete;

  /// Whether this process has the cell now.
  [[nodiscard]] bool owned() const { return owned_; }

 private:
  int descriptor_ = -1;
  bool owned_ = false;
};

/// The whole file \p path, made if need be, locked: waits until no other process has it. Vanishes with the
/// process.
class FileLock {
 public:
  /// \throw IoError if the lock file cannot be used.
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace onmanifold
