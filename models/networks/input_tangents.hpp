// SPDX-License-Identifier: Apache-2.0
#pragma once
// Directional derivatives in the input of the networks that have them in closed form, apart from the U-Net, which has
// its own.

#include <memory>

#include "models/networks/fourier_mlp.hpp"
#include "models/networks/mlp_tangents.hpp"

namespace onmanifold {

/// MlpTangents of an Mlp, or of the one within a FourierMlp.
class InputTangents {
 public:
  /// Copies the weights; \p network and \p parameters outlive the object. \throw Unsupported for other networks.
  InputTangents(const Network& network, const Eigen::VectorXf& parameters);
  /// Whether \p network is one of those.
  [[nodiscard]] static bool has(const Network& network);

  /// As MlpTangents::evaluate, all with the one \p embedding.
  void evaluate(const Eigen::MatrixXf& x, const Eigen::Ref<const Eigen::VectorXf>& embedding,
                const Eigen::MatrixXf& vectors, Index count, Eigen::MatrixXf& y, Eigen::MatrixXf& products) const;

 private:
  const FourierMlp* fourier_;  // null for an Mlp
  const Eigen::VectorXf& parameters_;
  std::unique_ptr<MlpTangents> tangents_;
};

}  // namespace onmanifold
