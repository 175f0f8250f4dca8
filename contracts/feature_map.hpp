// SPDX-License-Identifier: Apache-2.0
#pragma once
// Named features of points, for distances between distributions that are not measured in coordinates. What
// makes them (a trained network, principal axes) and what compares them do not know each other.

#include <functional>
#include <string>

#include "core/points.hpp"
#include "core/value.hpp"

namespace onmanifold {

/// \p map takes D×n points to F×n features, each column by itself, so that it does not matter how points are
/// cut into chunks. \p name says which features these are, with a hash of what defines them; it goes into the
/// parameters of every record, together with \p parameters.
struct FeatureMap {
  std::string name;
  std::function<Points(const Points&)> map;
  Value::Table parameters = {};  ///< what a reader of a number must know, e.g. the accuracy of the network
};

/// A map, or why there is none.
struct FoundFeatures {
  const FeatureMap* map = nullptr;  ///< belongs to the FeatureMaps that gave it
  std::string why;                  ///< one line, if map is null
};

/// The features that a task has, by short name ("pca64", "lenet"); made when they are first asked for.
class FeatureMaps {
 public:
  virtual ~FeatureMaps() = default;
  /// \throw InvalidInput if there should be such features but their files cannot be used, IoError.
  [[nodiscard]] virtual FoundFeatures find(const std::string& name) const = 0;
};

}  // namespace onmanifold
