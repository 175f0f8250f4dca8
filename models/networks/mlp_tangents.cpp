// SPDX-License-Identifier: Apache-2.0
#include "models/networks/mlp_tangents.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

MlpTangents::MlpTangents(const Mlp& network, const Eigen::VectorXf& parameters)
    : residual_(network.shape().residual) {
  const ModelState state = network.to_state(parameters);
  for (Index l = 0; l <= network.shape().depth; ++l) {
    weight_.push_back(state.at(fmt::format("layer_{}_weight", l)));
    bias_.emplace_back(state.at(fmt::format("layer_{}_bias", l)).col(0));
  }
  embedding_weight_ = weight_.front().leftCols(network.shape().timed ? Network::embedding_size : 0);
  weight_.front() = Eigen::MatrixXf(weight_.front().rightCols(network.data_size()));
}

void MlpTangents::evaluate(const Eigen::MatrixXf& x, const Eigen::Ref<const Eigen::VectorXf>& embedding,
                           const Eigen::MatrixXf& vectors, Index count, Eigen::MatrixXf& y,
                           Eigen::MatrixXf& products) const {
  const Index n = x.cols();
  if (x.rows() != weight_.front().cols() || vectors.rows() != x.rows() || vectors.cols() != count * n ||
      embedding.size() != embedding_weight_.cols()) {
    throw InvalidInput("network: tangents got arrays of wrong sizes");
  }
  Eigen::MatrixXf value = x;
  Eigen::MatrixXf tangent = vectors;
  Eigen::MatrixXf next;
  Eigen::MatrixXf next_tangent;
  for (std::size_t l = 0; l < weight_.size(); ++l) {
    const bool skips = residual_ && l > 0 && l + 1 < weight_.size();
    next.noalias() = weight_[l] * value;
    next.colwise() += bias_[l];
    if (l == 0) next.colwise() += embedding_weight_ * embedding;
    value.swap(next);  // next is the input of the layer from here on
    next_tangent.noalias() = weight_[l] * tangent;
    tangent.swap(next_tangent);
    if (l + 1 == weight_.size()) break;
    // silu(z) = z s(z), s the logistic function; silu' = s (1 + z (1 - s)).
    const Eigen::ArrayXXf s = (1 + (-value.array()).exp()).inverse();
    const Eigen::ArrayXXf slope = s * (1 + value.array() * (1 - s));
    value.array() *= s;
    for (Index c = 0; c < n; ++c) tangent.middleCols(count * c, count).array().colwise() *= slope.col(c);
    if (skips) {
      value += next;
      tangent += next_tangent;
    }
  }
  y.swap(value);
  products.swap(tangent);
}

}  // namespace onmanifold
