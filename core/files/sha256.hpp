// SPDX-License-Identifier: Apache-2.0
#pragma once
// SHA-256 over OpenSSL: the hash of streams, configurations and stored data.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace onmanifold {

using Digest = std::array<std::uint8_t, 32>;

/// Incremental SHA-256 \cite fips180-4.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(const void* data, std::size_t bytes);
  void update(std::string_view text) { update(text.data(), text.size()); }
  /// The digest of everything so far; the object is spent afterwards.
  [[nodiscard]] Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

[[nodiscard]] Digest sha256(std::string_view text);
/// Of the contents of a file, read in pieces. \throw IoError naming \p path.
[[nodiscard]] Digest sha256_of_file(const std::string& path);
/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(const Digest& digest);

}  // namespace onmanifold
