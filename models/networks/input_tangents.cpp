// SPDX-License-Identifier: Apache-2.0
#include "models/networks/input_tangents.hpp"

#include "core/error.hpp"

namespace onmanifold {

InputTangents::InputTangents(const Network& network, const Eigen::VectorXf& parameters)
    : fourier_(dynamic_cast<const FourierMlp*>(&network)), parameters_(parameters) {
  if (fourier_ != nullptr) {
    tangents_ = std::make_unique<MlpTangents>(fourier_->inner(), fourier_->inner_parameters(parameters));
    return;
  }
  const auto* mlp = dynamic_cast<const Mlp*>(&network);
  if (mlp == nullptr) throw Unsupported("Jacobian products of network " + network.name());
  tangents_ = std::make_unique<MlpTangents>(*mlp, parameters);
}

bool InputTangents::has(const Network& network) {
  return dynamic_cast<const Mlp*>(&network) != nullptr || dynamic_cast<const FourierMlp*>(&network) != nullptr;
}

void InputTangents::evaluate(const Eigen::MatrixXf& x, const Eigen::Ref<const Eigen::VectorXf>& embedding,
                             const Eigen::MatrixXf& vectors, Index count, Eigen::MatrixXf& y,
                             Eigen::MatrixXf& products) const {
  if (fourier_ == nullptr) {
    tangents_->evaluate(x, embedding, vectors, count, y, products);
    return;
  }
  Eigen::MatrixXf input;
  fourier_->expand(parameters_, x, x.cols(), input);
  tangents_->evaluate(input, embedding, fourier_->expand_tangents(parameters_, input, vectors, count), count, y,
                      products);
}

}  // namespace onmanifold
