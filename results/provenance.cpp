// SPDX-License-Identifier: Apache-2.0
#include "results/provenance.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string_view>

#include <dlfcn.h>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <hdf5.h>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/build_info.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {
namespace {

// The value of the first line "<key><blanks><separator><blanks><value>" of a file, or "".
std::string field_of(const char* path, std::string_view key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!std::string_view(line).starts_with(key)) continue;
    std::size_t position = line.find_first_not_of(" \t", key.size());
    if (position == std::string::npos || line[position] != separator) continue;
    position = line.find_first_not_of(" \t\"", position + 1);
    if (position == std::string::npos) return "";
    return line.substr(position, line.find_last_not_of(" \t\"\r") + 1 - position);
  }
  return "";
}

void put(Value::Table& table, const std::string& key, std::string text) {
  if (!text.empty()) table[key] = std::move(text);
}

// The widest vectors that the compiler was allowed to use: what -march=native came to.
const char* instruction_set() {
#if defined(__AVX512F__)
  return "avx512";
#elif defined(__AVX2__) && defined(__FMA__)
  return "avx2+fma";
#elif defined(__AVX__)
  return "avx";
#elif defined(__SSE4_2__)
  return "sse4.2";
#else
  return "baseline";
#endif
}

// The BLAS that this process has loaded, if any; core itself links none.
void put_blas(Value::Table& libraries) {
  if (void* symbol = ::dlsym(RTLD_DEFAULT, "openblas_get_config")) {
    put(libraries, "openblas", reinterpret_cast<const char* (*)()>(symbol)());
  }
  if (void* symbol = ::dlsym(RTLD_DEFAULT, "dgemm_")) {
    Dl_info info{};
    if (::dladdr(symbol, &info) != 0 && info.dli_fname != nullptr) put(libraries, "blas", info.dli_fname);
  }
}

Value::Table library_versions() {
  Value::Table libraries;
  libraries["eigen"] = fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
  std::array<unsigned, 3> hdf5{};
  if (H5get_libversion(&hdf5[0], &hdf5[1], &hdf5[2]) >= 0) {
    libraries["hdf5"] = fmt::format("{}.{}.{}", hdf5[0], hdf5[1], hdf5[2]);
  }
  libraries["fmt"] = fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100);
  libraries["nlohmann_json"] =
      fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH);
  put(libraries, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
  put(libraries, "glibc", gnu_get_libc_version());
  put(libraries, "armadillo", build_info.armadillo);
  put(libraries, "boost", build_info.boost);
  put(libraries, "onednn", build_info.onednn);
  put(libraries, "tomlplusplus", build_info.toml);
  put_blas(libraries);
  return libraries;
}

Value::Table machine() {
  Value::Table table;
  utsname name{};
  if (::uname(&name) == 0) {
    table["kernel"] = fmt::format("{} {}", name.sysname, name.release);
    table["architecture"] = std::string(name.machine);
  }
  put(table, "os", field_of("/etc/os-release", "PRETTY_NAME", '='));
  put(table, "cpu", field_of("/proc/cpuinfo", "model name", ':'));
  table["cores"] = std::int64_t{::sysconf(_SC_NPROCESSORS_ONLN)};
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0) table["cores_allowed"] = CPU_COUNT(&allowed);
  table["memory_bytes"] = std::int64_t{::sysconf(_SC_PHYS_PAGES)} * std::int64_t{::sysconf(_SC_PAGESIZE)};
  std::array<double, 3> load{};
  if (::getloadavg(load.data(), 3) == 3) table["load"] = Value::Array{load[0], load[1], load[2]};
  return table;
}

std::string utc_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  if (::gmtime_r(&now, &parts) == nullptr) return "";
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace

std::string version() {
  return build_info.version;
}

Value provenance(const std::vector<std::string>& command_line) {
  Value::Table table;
  table["version"] = version();
  table["commit"] = build_info.commit;
  table["dirty"] = build_info.dirty;
  table["compiler"] = build_info.compiler;
  table["build_type"] = build_info.build_type;
  table["flags"] = build_info.flags;
  put(table, "march", build_info.march);
  put(table, "sanitizers", build_info.sanitizers);
  table["instruction_set"] = instruction_set();
  table["libraries"] = library_versions();
  table["machine"] = machine();
  table["command_line"] = Value::Array(command_line.begin(), command_line.end());
  put(table, "time_utc", utc_time());
  return table;
}

double peak_memory_bytes() {
  // VmHWM and not ru_maxrss: only the former can be reset. Both are in KiB.
  const std::string text = field_of("/proc/self/status", "VmHWM", ':');
  if (!text.empty()) return 1024.0 * std::strtod(text.c_str(), nullptr);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return 1024.0 * static_cast<double>(usage.ru_maxrss);
}

void reset_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

double speed_probe_seconds() {
  double best = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition < 3; ++repetition) {
    const double start = cpu_seconds();
    const Points draws = Stream(0, "speed-probe").normal(64, 4096);
    const double elapsed = cpu_seconds() - start;
    // Always true, and not known to the compiler: the work must be done.
    if (std::isfinite(draws(63, 4095))) best = std::min(best, elapsed);
  }
  return best;
}

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  rusage children{};
  ::getrusage(RUSAGE_CHILDREN, &children);
  const auto seconds = [](const timeval& part) {
    return static_cast<double>(part.tv_sec) + 1e-6 * static_cast<double>(part.tv_usec);
  };
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec) + seconds(children.ru_utime) +
         seconds(children.ru_stime);
}

}  // namespace onmanifold
