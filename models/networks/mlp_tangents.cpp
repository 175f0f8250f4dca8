// SPDX-License-Identifier: Apache-2.0
#include "models/networks/mlp_tangents.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.hpp"
#include "models/networks/panels.hpp"

namespace onmanifold {
namespace {

constexpr Index block_columns = 192;

/// z <- silu(z) = z s(z), s the logistic function; slope = silu'(z) = s + z s (1 - s). Rows are a multiple of the
/// height of panels, as the widths of an Mlp are.
void silu(Index rows, float* z, float* slope) {
  for (Index r = 0; r < rows; r += panels::lanes) {
    const panels::Vec at = panels::load(z + r);
    const panels::Vec s = panels::sigmoid(at);
    const panels::Vec value = at * s;
    panels::store(z + r, value);
    panels::store(slope + r, s + value * (1.0F - s));
  }
}

}  // namespace

MlpTangents::MlpTangents(const Mlp& network, const Eigen::VectorXf& parameters) : residual_(network.shape().residual) {
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
  // Blocks that stay in the cache between two layers: values first, then count columns for each of them.
  const Index most = std::max<Index>(1, block_columns / (1 + count));
  y.resize(weight_.back().rows(), n);
  products.resize(weight_.back().rows(), count * n);
  const Eigen::VectorXf time = embedding_weight_ * embedding;
  Eigen::MatrixXf in(x.rows(), std::min(most, n) * (1 + count));
  Eigen::MatrixXf out;
  Eigen::VectorXf slope;
  for (Index first = 0; first < n; first += most) {
    const Index points = std::min(most, n - first);
    in.resize(x.rows(), points * (1 + count));
    in.leftCols(points) = x.middleCols(first, points);
    in.rightCols(points * count) = vectors.middleCols(first * count, points * count);
    for (std::size_t l = 0; l < weight_.size(); ++l) {
      const bool skips = residual_ && l > 0 && l + 1 < weight_.size();
      out.resize(weight_[l].rows(), in.cols());
      out.noalias() = weight_[l] * in;
      out.leftCols(points).colwise() += l == 0 && time.size() > 0 ? Eigen::VectorXf(bias_[l] + time) : bias_[l];
      if (l + 1 < weight_.size()) {
        slope.resize(out.rows());
        for (Index c = 0; c < points; ++c) {
          silu(out.rows(), out.col(c).data(), slope.data());
          out.middleCols(points + count * c, count).array().colwise() *= slope.array();
        }
        if (skips) out += in;
      }
      in.swap(out);
    }
    y.middleCols(first, points) = in.leftCols(points);
    products.middleCols(first * count, points * count) = in.rightCols(points * count);
  }
}

}  // namespace onmanifold
