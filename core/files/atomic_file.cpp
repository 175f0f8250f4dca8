// SPDX-License-Identifier: Apache-2.0
#include "core/files/atomic_file.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view temporary_suffix = ".tmp";

std::string reason(int error) {
  return std::system_category().message(error);
}

[[noreturn]] void fail(const std::string& path, std::string_view operation, int error) {
  throw IoError(fmt::format("{}: cannot {}: {}", path, operation, reason(error)));
}

// Letters and digits only, so that the parts of a temporary name can be told apart.
std::string host_name() {
  std::array<char, 256> buffer{};
  if (gethostname(buffer.data(), buffer.size() - 1) != 0) return "unknown";
  std::string name;
  for (const char* c = buffer.data(); *c != '\0'; ++c) {
    if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')) name += *c;
  }
  return name.empty() ? "unknown" : name;
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void sync_directory(const std::string& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(directory, "open the directory", errno);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  // Some network file systems cannot sync a directory; the rename itself is still atomic there.
  if (result != 0 && error != EINVAL && error != ENOTSUP) fail(directory, "flush the directory", error);
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  static std::atomic<unsigned> counter{0};
  const fs::path target(path_);
  if (target.filename().empty()) throw IoError(fmt::format("{}: not the name of a file", path_));
  if (target.has_parent_path()) {
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    if (error) {
      throw IoError(fmt::format("{}: cannot create the directory: {}", target.parent_path().string(), error.message()));
    }
  }
  std::error_code ignored;
  if (fs::is_directory(target, ignored)) fail(path_, "write", EISDIR);
  const std::string host = host_name();
  do {
    const std::string name = fmt::format(".{}.{}-{}-{}{}", target.filename().string(), host, ::getpid(),
                                         counter.fetch_add(1), temporary_suffix);
    temporary_ = (target.parent_path() / name).string();
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && (errno == EEXIST || errno == EINTR));
  if (descriptor_ < 0) fail(path_, "create", errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const char* position = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::write(descriptor_, position, bytes);
    if (written < 0) {
      if (errno == EINTR) continue;
      fail(path_, "write", errno);
    }
    position += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (descriptor_ < 0) throw IoError(fmt::format("{}: already committed", path_));
  int result = 0;
  do {
    result = ::fsync(descriptor_);
  } while (result != 0 && errno == EINTR);
  if (result != 0) fail(path_, "flush", errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "rename to the final name", errno);
  ::close(descriptor_);
  descriptor_ = -1;
  const fs::path parent = fs::path(path_).parent_path();
  sync_directory(parent.empty() ? "." : parent.string());
}

void write_file(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string read_file(const std::string& path) {
  // A named pipe must not make us wait for its writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    if (errno == ENOENT || errno == ENOTDIR) throw InvalidInput(fmt::format("{}: no such file", path));
    fail(path, "open", errno);
  }
  struct Closer {
    int descriptor;
    ~Closer() { ::close(descriptor); }
  } const closer{descriptor};
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail(path, "read", errno);
  if (S_ISDIR(status.st_mode)) throw InvalidInput(fmt::format("{}: is a directory, not a file", path));
  if (!S_ISREG(status.st_mode)) throw InvalidInput(fmt::format("{}: not a regular file", path));
  std::string content;
  // The size is a hint only: /proc files have none.
  content.resize(static_cast<std::size_t>(status.st_size) + 1);
  std::size_t used = 0;
  while (true) {
    if (used == content.size()) content.resize(2 * content.size());
    const ssize_t got = ::read(descriptor, content.data() + used, content.size() - used);
    if (got < 0) {
      if (errno == EINTR) continue;
      fail(path, "read", errno);
    }
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  content.resize(used);
  return content;
}

bool is_stale_temporary(std::string_view file_name) {
  if (file_name.size() < 2 || file_name.front() != '.' || !file_name.ends_with(temporary_suffix)) return false;
  file_name.remove_suffix(temporary_suffix.size());
  const std::size_t dot = file_name.rfind('.');
  const std::string_view writer = file_name.substr(dot + 1);  // <host>-<pid>-<number>
  const std::size_t first = writer.find('-');
  const std::size_t last = writer.rfind('-');
  if (dot == 0 || first == std::string_view::npos || first == last) return false;
  const std::string_view host = writer.substr(0, first);
  const std::string_view process = writer.substr(first + 1, last - first - 1);
  if (!all_digits(process) || !all_digits(writer.substr(last + 1)) || host != host_name()) return false;
  pid_t id = 0;
  if (std::from_chars(process.data(), process.data() + process.size(), id).ec != std::errc{} || id <= 0) return false;
  return ::kill(id, 0) != 0 && errno == ESRCH;
}

Index remove_stale_temporaries(const std::string& directory) {
  Index removed = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, fs::directory_options::skip_permission_denied, error), end;
       !error && it != end; it.increment(error)) {
    if (!is_stale_temporary(it->path().filename().string())) continue;
    std::error_code ignored;
    if (fs::remove(it->path(), ignored)) ++removed;
  }
  return removed;
}

}  // namespace onmanifold
