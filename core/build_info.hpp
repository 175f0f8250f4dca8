// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the build system knows of the program. The definition is generated (build_info.cpp.in), so that a new
// commit compiles one small file again and nothing else.

namespace onmanifold {

struct BuildInfo {
  const char* version;     ///< "0.1.0"
  const char* commit;      ///< 40 hexadecimal digits, or "unknown" outside a git checkout
  const char* dirty;       ///< "yes" if tracked files differ from the commit, "no", or "unknown"
  const char* compiler;    ///< "GNU 12.2.0"
  const char* build_type;  ///< "Release"
  const char* flags;       ///< all flags of our own code
  const char* march;       ///< "native"; empty: the compiler's default
  const char* sanitizers;  ///< "address,undefined"; empty: none
  const char* armadillo;   ///< versions of libraries that core does not include; empty: not used
  const char* boost;
  const char* onednn;
  const char* toml;
};

extern const BuildInfo build_info;

}  // namespace onmanifold
