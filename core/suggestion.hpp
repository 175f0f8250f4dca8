// SPDX-License-Identifier: Apache-2.0
#pragma once
// What somebody meant who wrote a name that nobody knows.

#include <string>
#include <string_view>
#include <vector>

namespace onmanifold {

/// The known name nearest to \p name: the fewest insertions, deletions, replacements and swaps of neighbouring bytes
/// (optimal string alignment), letters of either case alike; "" where it is too far off to be meant (more than a third
/// of the longer name, or of a name of one letter). O(length²) for each known name; names of more than 100 bytes are
/// not looked at.
[[nodiscard]] std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

/// "unknown metric 'w3': did you mean 'w2'? (known: w1, w2)", without the question where nothing is near.
[[nodiscard]] std::string unknown_name(std::string_view kind, std::string_view name,
                                       const std::vector<std::string>& known);

}  // namespace onmanifold
