// SPDX-License-Identifier: Apache-2.0
#pragma once
// Images in the IDX format of MNIST (big-endian header, one byte a pixel), and the folder where data sets
// that are not shipped are looked for.

#include <cstdint>
#include <string>
#include <vector>

#include "core/points.hpp"

namespace onmanifold {

/// Bytes of \p count images, image after image, row after row.
struct IdxImages {
  Index count = 0;
  Index height = 0;
  Index width = 0;
  std::vector<std::uint8_t> pixels;
};

/// Reads an IDX file of images (magic number 2051). \p sha256: what the file must hash to, in hexadecimal;
/// empty: not checked. \throw InvalidInput in one line that names the file for a missing, truncated or
/// altered file, another magic number, or a size that its header does not explain. At most 2^31 pixels.
[[nodiscard]] IdxImages read_idx_images(const std::string& path, const std::string& sha256 = {});
/// Reads an IDX file of labels (magic number 2049). Errors as above.
[[nodiscard]] std::vector<std::uint8_t> read_idx_labels(const std::string& path, const std::string& sha256 = {});

/// $ONMANIFOLD_DATA, or onmanifold in $XDG_DATA_HOME, or ~/.local/share/onmanifold: where
/// scripts/fetch-data.sh puts what it fetches. \throw InvalidInput if none of these variables is set.
[[nodiscard]] std::string data_folder();

}  // namespace onmanifold
