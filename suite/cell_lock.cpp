// SPDX-License-Identifier: Apache-2.0
#include "suite/cell_lock.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"

namespace onmanifold {

CellLock::CellLock(const std::string& directory, const CellKey& key) {
  const std::string path = directory + "/.lock";
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw IoError(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  const Digest digest = sha256(key.text());
  std::int64_t offset = 0;
  for (int i = 0; i < 7; ++i) offset = (offset << 8) | digest[static_cast<std::size_t>(i)];
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = offset;
  range.l_len = 1;
  owned_ = fcntl(descriptor_, F_OFD_SETLK, &range) == 0;
  if (!owned_ && errno != EAGAIN && errno != EACCES) {
    const int error = errno;
    close(descriptor_);
    throw IoError(fmt::format("{}: cannot be locked: {}", path, std::strerror(error)));
  }
}

CellLock::~CellLock() {
  close(descriptor_);
}

FileLock::FileLock(const std::string& path) {
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw IoError(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  int result = 0;
  do {
    result = fcntl(descriptor_, F_OFD_SETLKW, &range);
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    const int error = errno;
    close(descriptor_);
    throw IoError(fmt::format("{}: cannot be locked: {}", path, std::strerror(error)));
  }
}

FileLock::~FileLock() {
  close(descriptor_);
}

}  // namespace onmanifold
