// SPDX-License-Identifier: Apache-2.0
#pragma once
// Values of an Mlp together with directional derivatives in its input, in forward mode: what divergences and Jacobians
// are made of.

#include <vector>

#include "models/networks/mlp.hpp"

namespace onmanifold {

/// The network with one set of weights, unpacked for products with many tangents. Not for training.
class MlpTangents {
 public:
  /// Copies the weights.
  MlpTangents(const Mlp& network, const Eigen::VectorXf& parameters);

  /// y(x) and J(x) v for \p x D×n, all with the one \p embedding (32, or 0 without time), and \p count directions a
  /// point, \p vectors D×(count n): columns count·c … belong to point c. \p y becomes D×n, \p products D×(count n). Two
  /// dense layers' work for every direction: 2 (1 + count) n floating-point operations a weight.
  void evaluate(const Eigen::MatrixXf& x, const Eigen::Ref<const Eigen::VectorXf>& embedding,
                const Eigen::MatrixXf& vectors, Index count, Eigen::MatrixXf& y, Eigen::MatrixXf& products) const;

 private:
  bool residual_ = false;
  Eigen::MatrixXf embedding_weight_;  // of the first layer
  std::vector<Eigen::MatrixXf> weight_;
  std::vector<Eigen::VectorXf> bias_;
};

}  // namespace onmanifold
