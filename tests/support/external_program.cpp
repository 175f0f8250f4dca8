// SPDX-License-Identifier: Apache-2.0
// A program as nobody controls it: external_program MODE TRAIN SAMPLES N SEED. MODE ok draws training points again with
// replacement; the others fail in one way each.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

#include <unistd.h>

#include "core/files/point_files.hpp"
#include "core/random/stream.hpp"

namespace {

/// Hears no signal that can be ignored, and has a child and a grandchild in sessions of their own.
[[noreturn]] void be_stubborn() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(signal, SIG_IGN);
  if (fork() == 0) {
    setsid();
    if (fork() == 0) setsid();
  }
  for (;;) pause();
}

}  // namespace

int main(int argc, char** argv) {
  using namespace onmanifold;
  if (argc != 6) return 2;
  const std::string mode = argv[1];
  const Index n = std::stol(argv[4]);
  std::printf("mode %s, OMP_NUM_THREADS=%s\n", mode.c_str(), std::getenv("OMP_NUM_THREADS"));
  std::fflush(stdout);
  if (mode == "crash") std::abort();
  if (mode == "code") return 3;
  if (mode == "nothing") return 0;
  if (mode == "hang") pause();
  if (mode == "stubborn") be_stubborn();
  if (mode == "loud") {
    const std::string line(1023, 'x');
    for (int i = 0; i < 4096; ++i) std::puts(line.c_str());
    std::puts("the last line");
  }
  if (mode == "nul") std::fwrite("a\0b\x1b[31m\n", 1, 9, stdout);
  if (mode == "garbage") {
    std::ofstream(argv[3]) << "these are no samples";
    return 0;
  }
  const Points train = read_points(argv[2]);
  Stream stream(std::stoull(argv[5]), "external");
  Points samples(train.rows(), mode == "few" ? n - 1 : n);
  for (Index j = 0; j < samples.cols(); ++j) {
    samples.col(j) = train.col(static_cast<Index>(stream.integer(static_cast<std::uint64_t>(train.cols()))));
  }
  if (mode == "wide") samples.conservativeResize(samples.rows() + 1, Eigen::NoChange);
  if (mode == "nan") samples(0, 0) = std::numeric_limits<double>::quiet_NaN();
  if (mode == "wide") samples.row(samples.rows() - 1).setZero();
  write_points(argv[3], samples);
  return 0;
}
