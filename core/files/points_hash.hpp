// SPDX-License-Identifier: Apache-2.0
#pragma once
// Hashes of points, in memory and in files: how a score, a result file and a user's copy of a data set are
// told to be the same.

#include <string>

#include "core/points.hpp"

namespace onmanifold {

/// SHA-256, 64 hexadecimal digits, over D and N as decimal text ("D N\n") and the D·N doubles in memory order
/// (little-endian, point by point): of an N×D .npy file the numbers behind its header.
[[nodiscard]] std::string points_hash(const PointsRef& points);

/// The same of a file that PointReader reads, in blocks of 65,536 points: equal numbers have equal hashes,
/// whatever the kind of file. Errors and \p spec as for PointReader.
[[nodiscard]] std::string points_file_hash(const std::string& spec);

}  // namespace onmanifold
