// SPDX-License-Identifier: Apache-2.0
// Every reader of text or bytes that a user can hand us, under libFuzzer: whatever comes in, the answer is a value or
// InvalidInput, never a crash, a hang or another exception. The first byte chooses the reader.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include <unistd.h>

#include "core/error.hpp"
#include "core/point_files.hpp"
#include "core/value.hpp"
#include "manifolds/mesh_files.hpp"
#include "manifolds/registry.hpp"
#include "metrics/registry.hpp"
#include "suite/suite_spec.hpp"
#include "suite/toml_file.hpp"

namespace {

using namespace onmanifold;

/// Point files are read by path.
Points read_as(const std::string& text, const std::string& extension) {
  static const std::string stem = "/dev/shm/onmanifold-fuzz-" + std::to_string(getpid());
  const std::string path = stem + extension;
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  Points points = read_points(path);
  std::remove(path.c_str());
  return points;
}

void read(int reader, const std::string& text) {
  switch (reader) {
    case 0: (void)parse_off(text, "fuzz"); break;
    case 1: (void)parse_obj(text, "fuzz"); break;
    case 2: (void)parse_ply(text, "fuzz"); break;
    case 3: (void)read_as(text, ".npy"); break;
    case 4: (void)read_as(text, ".csv"); break;
    case 5: (void)parse_suite(parse_toml(text, "fuzz"), "fuzz"); break;
    case 6: (void)parse_json(text, "fuzz"); break;
    case 7:
      // A path would read files of this machine, and a huge dimension is a legitimate wish.
      if (text.size() < 40 && text.find("mesh") == std::string::npos) (void)make_manifold(text);
      break;
    default:
      for (const MetricSpec& metric : parse_metric_list(text)) (void)make_metric(metric);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    read(data[0] % 9, std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  } catch (const InvalidInput&) {
  }
  return 0;
}
