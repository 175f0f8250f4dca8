// SPDX-License-Identifier: Apache-2.0
#pragma once
// The network of models/networks/mlp.hpp as on paper, in double: what the fast one is compared with. Its own
// gradient is compared with finite differences.

#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "contracts/generative_model.hpp"

namespace onmanifold {

struct ReferenceMlp {
  std::vector<Eigen::MatrixXd> weight;
  std::vector<Eigen::VectorXd> bias;
  bool residual = false;

  static ReferenceMlp from(const ModelState& state, bool residual = false) {
    ReferenceMlp net;
    net.residual = residual;
    for (std::size_t l = 0; state.contains(fmt::format("layer_{}_weight", l)); ++l) {
      net.weight.push_back(state.at(fmt::format("layer_{}_weight", l)).cast<double>());
      net.bias.push_back(state.at(fmt::format("layer_{}_bias", l)).cast<double>());
    }
    return net;
  }

  static Eigen::MatrixXd sigmoid(const Eigen::MatrixXd& z) { return (1 + (-z.array()).exp()).inverse().matrix(); }

  /// y for the columns of \p input = (embedding, x); keeps z and h of every layer.
  Eigen::MatrixXd forward(const Eigen::MatrixXd& input) {
    h = {input};
    z.clear();
    for (std::size_t l = 0; l < weight.size(); ++l) {
      z.push_back((weight[l] * h.back()).colwise() + bias[l]);
      if (l + 1 == weight.size()) break;
      Eigen::MatrixXd next = (z.back().array() * sigmoid(z.back()).array()).matrix();
      if (residual && l > 0) next += h.back();
      h.push_back(next);
    }
    return z.back();
  }

  /// Gradients in the shape of a network, for dL/dy of the last forward; that in the input is h.front().
  [[nodiscard]] ReferenceMlp backward(const Eigen::MatrixXd& dy) const {
    ReferenceMlp gradient = *this;
    Eigen::MatrixXd delta = dy;  // dL/dz of the layer
    Eigen::MatrixXd past;        // dL/dh of its output, as far as a skip connection passes it on
    for (std::size_t l = weight.size(); l-- > 0;) {
      gradient.weight[l] = delta * h[l].transpose();
      gradient.bias[l] = delta.rowwise().sum();
      if (l == 0) {
        gradient.h.front() = weight[0].transpose() * delta;
        break;
      }
      Eigen::MatrixXd dh = weight[l].transpose() * delta;
      if (residual && l + 1 < weight.size()) dh += past;
      past = dh;
      const Eigen::ArrayXXd s = sigmoid(z[l - 1]).array();
      const Eigen::ArrayXXd slope = s + z[l - 1].array() * s * (1 - s);
      delta = (dh.array() * slope).matrix();
    }
    return gradient;
  }

  std::vector<Eigen::MatrixXd> h;
  std::vector<Eigen::MatrixXd> z;
};

}  // namespace onmanifold
