// SPDX-License-Identifier: Apache-2.0
#pragma once
// c2st \cite lopezpaz2017: accuracy of a small classifier that tells samples from the reference, 5 folds, one
// half for equal laws. Coordinates are standardised by the reference alone. Setting classifier = knn15
// (majority of the 15 nearest neighbours in the other folds) | logistic (linear in the coordinates, weight
// penalty 1e-3 a point); seed (of the folds). Sets of different size: classes are weighted to equal mass and
// the mean of the two class accuracies is given.

#include <memory>

#include "core/enum_names.hpp"
#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

enum class Classifier { knn15, logistic };
template <>
struct EnumNames<Classifier> {
  static constexpr const char* kind = "classifier";
  static constexpr std::array<EnumName<Classifier>, 2> names = {
      {{Classifier::knn15, "knn15"}, {Classifier::logistic, "logistic"}}};
};
/// \p x D×N, \p y D×M, at least 20 points each. knn15: O((N+M)^2 D), memory O((N+M) D); logistic: O((N+M)
/// D^2) a step of Newton. \throw InvalidInput for fewer.
[[nodiscard]] double c2st(const Points& x, const Points& y, Classifier classifier, std::uint64_t seed = 0);

[[nodiscard]] std::unique_ptr<Metric> make_c2st(Settings& settings);

}  // namespace onmanifold
