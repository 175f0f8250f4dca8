// SPDX-License-Identifier: Apache-2.0
#pragma once
// Fixed orthonormal directions without preference for any coordinate, for manifolds that are placed obliquely
// in R^D.

#include "core/points.hpp"

namespace onmanifold {

/// D orthonormal columns, D×D: the normals of stream 0/"frame/D" by modified Gram–Schmidt, twice, in plain
/// loops, so that every machine gets the same numbers up to rounding. O(D^3). \throw InvalidInput unless 1 <=
/// D <= 256.
[[nodiscard]] Points random_frame(Index dimension);

}  // namespace onmanifold
