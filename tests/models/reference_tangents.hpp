// SPDX-License-Identifier: Apache-2.0
#pragma once
// Forward mode through an Mlp as its formula reads, one layer of all points after the other: what the fast
// version must agree with.

#include <fmt/format.h>

#include "models/networks/mlp.hpp"

namespace onmanifold {

/// As MlpTangents::evaluate.
inline void reference_tangents(const Mlp& network, const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x,
                               const Eigen::VectorXf& embedding, const Eigen::MatrixXf& vectors, Index count,
                               Eigen::MatrixXf& y, Eigen::MatrixXf& products) {
  const ModelState state = network.to_state(parameters);
  const Index depth = network.shape().depth;
  Eigen::MatrixXf value(x.rows() + embedding.size(), x.cols());
  value << embedding.replicate(1, x.cols()), x;
  Eigen::MatrixXf tangent = Eigen::MatrixXf::Zero(value.rows(), vectors.cols());
  tangent.bottomRows(x.rows()) = vectors;
  for (Index l = 0; l <= depth; ++l) {
    const Eigen::MatrixXf& weight = state.at(fmt::format("layer_{}_weight", l));
    Eigen::MatrixXf z = weight * value;
    z.colwise() += Eigen::VectorXf(state.at(fmt::format("layer_{}_bias", l)).col(0));
    Eigen::MatrixXf dz = weight * tangent;
    if (l < depth) {
      const Eigen::ArrayXXf s = (1 + (-z.array()).exp()).inverse();
      const Eigen::ArrayXXf slope = s * (1 + z.array() * (1 - s));
      z.array() *= s;
      for (Index c = 0; c < x.cols(); ++c) dz.middleCols(count * c, count).array().colwise() *= slope.col(c);
      if (network.shape().residual && l > 0) {
        z += value;
        dz += tangent;
      }
    }
    value.swap(z);
    tangent.swap(dz);
  }
  y = value;
  products = tangent;
}

}  // namespace onmanifold
