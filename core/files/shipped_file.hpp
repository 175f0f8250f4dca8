// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the files that come with the program are: data, suites.

#include <string>
#include <string_view>

namespace onmanifold {

/// Path of a shipped file or folder, e.g. "datasets/data/bunny00.h5". Looks in $ONMANIFOLD_SHARE, in
/// ../share/onmanifold beside the executable, then in the source tree it was built from.
/// \throw IoError listing where it looked.
[[nodiscard]] std::string shipped_file(std::string_view relative);

}  // namespace onmanifold
