// SPDX-License-Identifier: Apache-2.0
// Every reader of text or bytes that a user can hand us, under libFuzzer: whatever comes in, the answer is a
// value or InvalidInput (or IoError where a file is named), never a crash, a hang or another exception. The
// first byte chooses the reader; $ONMANIFOLD_FUZZ_READER, a number from 0 on, chooses one for all inputs.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

#include "core/error.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/files/point_files.hpp"
#include "core/files/temporary_directory.hpp"
#include "core/value.hpp"
#include "datasets/readers/idx.hpp"
#include "datasets/readers/structure_files.hpp"
#include "manifolds/mesh_files.hpp"
#include "manifolds/registry.hpp"
#include "metrics/registry.hpp"
#include "results/cell_files.hpp"
#include "suite/suite_spec.hpp"
#include "suite/toml_file.hpp"
#include "tests/fuzz/made_cells.hpp"

namespace {

using namespace onmanifold;

constexpr int readers = 14;

/// Some files are read by path. The file stays, in memory, for the next input.
std::string file_of(const std::string& text, const std::string& extension) {
  static const TemporaryDirectory directory("/dev/shm");
  const std::string path = directory.file("input" + extension);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  return path;
}

/// As verify does: bytes first, and HDF5 sees only files that are what was written. HDF5's own parser is not
/// under test.
void read_cell(const std::string& path) {
  if (!check_file_digest(path).empty()) return;
  try {
    (void)read_raw_cell(path);
  } catch (const InvalidInput&) {  // another kind
  }
  try {
    (void)read_metrics_cell(path);
  } catch (const InvalidInput&) {
  }
  try {
    (void)read_cell_stamp(path);
    (void)read_cell_head(path);
    (void)read_training_curves(path);
  } catch (const InvalidInput&) {
  }
  (void)read_task_file(path);
}

void read(int reader, const std::string& text) {
  switch (reader) {
    case 0:
      (void)parse_off(text, "fuzz");
      break;
    case 1:
      (void)parse_obj(text, "fuzz");
      break;
    case 2:
      (void)parse_ply(text, "fuzz");
      break;
    case 3:
      (void)read_points(file_of(text, ".npy"));
      break;
    case 4:
      (void)read_points(file_of(text, ".csv"));
      break;
    case 5:
      (void)parse_suite(parse_toml(text, "fuzz"), "fuzz");
      break;
    case 6:
      (void)parse_json(text, "fuzz");
      break;
    case 7:
      // A path would read files of this machine, and a huge dimension is a legitimate wish.
      if (text.size() < 40 && text.find("mesh") == std::string::npos) (void)make_manifold(text);
      break;
    case 9:
      (void)read_idx_images(file_of(text, ".idx"));
      break;
    case 10:
      (void)read_idx_labels(file_of(text, ".idx"));
      break;
    case 11:
      // The first byte of the text: PDB or mmCIF.
      if (!text.empty()) {
        (void)read_backbone_segments(file_of(text.substr(1), text[0] == 'p' ? ".pdb" : ".cif"));
      }
      break;
    case 12: {
      // Raw bytes end at the checksum; what comes behind it is made.
      if (text.starts_with("\x89HDF")) {
        read_cell(file_of(text, ".h5"));
        break;
      }
      const std::string path = file_of("", ".made.h5");
      fuzz::write_made_cell(path, text);
      if (!check_file_digest(path).empty()) std::abort();
      read_cell(path);
      break;
    }
    case 13:
      (void)parse_stl(text, "fuzz");
      break;
    default:
      for (const MetricSpec& metric : parse_metric_list(text)) (void)make_metric(metric);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const char* const chosen = std::getenv("ONMANIFOLD_FUZZ_READER");
  const int reader = chosen == nullptr ? data[0] : std::atoi(chosen);
  try {
    read(reader % readers, std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  } catch (const InvalidInput&) {
  } catch (const IoError&) {
  }
  return 0;
}
