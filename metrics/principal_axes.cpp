// SPDX-License-Identifier: Apache-2.0
#include "metrics/principal_axes.hpp"

#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"
#include "core/math/linear_algebra.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {

FeatureMap make_principal_axes(const Points& training, Index count) {
  const Index d = training.rows();
  if (count < 1 || count >= d || count >= training.cols()) {
    throw InvalidInput(fmt::format("{} principal axes of {} points in {} dimensions", count, training.cols(), d));
  }
  Vector mean = tree_mean(training);
  const SymmetricEigen eigen = symmetric_eigen(covariance(training));
  Eigen::MatrixXd axes(count, d);  // one a row, largest variance first
  for (Index i = 0; i < count; ++i) {
    const auto vector = eigen.vectors.col(d - 1 - i);
    Index largest = 0;
    vector.cwiseAbs().maxCoeff(&largest);
    axes.row(i) = (vector[largest] < 0 ? -1.0 : 1.0) * vector.transpose();
  }
  Sha256 hash;
  hash.update(mean.data(), static_cast<std::size_t>(mean.size()) * sizeof(double));
  hash.update(axes.data(), static_cast<std::size_t>(axes.size()) * sizeof(double));
  FeatureMap result;
  result.name = fmt::format("pca{}@sha256:{}", count, to_hex(hash.finish()));
  result.parameters["fitted_on"] = static_cast<std::int64_t>(training.cols());
  result.map = [mean = std::move(mean), axes = std::move(axes)](const Points& x) {
    if (x.rows() != axes.cols()) {
      throw InvalidInput(fmt::format("principal axes of {} coordinates, points of {}", axes.cols(), x.rows()));
    }
    Points features(axes.rows(), x.cols());
    Vector centred(x.rows());
    // Column by column: a product of matrices may sum in another order for another number of columns.
    for (Index j = 0; j < x.cols(); ++j) {
      centred = x.col(j) - mean;
      features.col(j).noalias() = axes * centred;
    }
    return features;
  };
  return result;
}

}  // namespace onmanifold
