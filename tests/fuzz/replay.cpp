// SPDX-License-Identifier: Apache-2.0
// Gives the readers what fuzzing has found, one file after the other, so that every build reads it under its own
// sanitizers and without clang:
//   replay DIRECTORY...     exit code 1 if one of them holds no file

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], error)) files.push_back(entry.path());
    if (error || files.empty()) {
      std::fprintf(stderr, "%s: nothing to read\n", argv[i]);
      return 1;
    }
    std::sort(files.begin(), files.end());
    for (const std::filesystem::path& file : files) {
      std::ifstream stream(file, std::ios::binary);
      const std::string input{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
      try {
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
      } catch (const std::exception& unexpected) {
        std::fprintf(stderr, "%s: %s\n", file.c_str(), unexpected.what());
        return 1;
      }
    }
    std::printf("%s: %zu files\n", argv[i], files.size());
  }
  return argc > 1 ? 0 : 1;
}
