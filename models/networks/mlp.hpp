// SPDX-License-Identifier: Apache-2.0
#pragma once
// The multilayer perceptron of the low-dimensional methods: (x, embedding of t) -> y, SiLU between the
// layers. Parameters are one flat float buffer, so that optimiser and weight average are one pass over
// memory.

#include <vector>

#include "models/networks/network.hpp"

namespace onmanifold {

/// Sizes of a network.
struct MlpShape {
  Index data = 3;         ///< D: rows of x
  Index width = 128;      ///< units of a hidden layer, a multiple of 32
  Index depth = 3;        ///< hidden layers, >= 1
  Index outputs = 0;      ///< rows of y; 0: as many as x
  bool timed = true;      ///< whether e(t) is part of the input; embeddings have 0 rows otherwise
  bool residual = false;  ///< whether hidden layers but the first have skip connections
  friend bool operator==(const MlpShape&, const MlpShape&) = default;
};

/// y = W_o h_L + b_o, h_l = silu(W_l h_{l-1} + b_l), h_0 = (e(t), x) with 32 numbers e(t), silu(z) = z / (1 +
/// e^-z). Named by its sizes: "35-128-128-128-3" for D = 3. Without time h_0 = x. Residual: h_l = h_{l-1} +
/// silu(W_l h_{l-1} + b_l) for l > 1, "35-128+128+128-3".
///
/// Every buffer is padded with zeros, which stay 0 under any optimiser that leaves a zero gradient alone.
class Mlp final : public Network {
 public:
  /// \throw InvalidInput on impossible sizes.
  explicit Mlp(MlpShape shape);

  [[nodiscard]] const MlpShape& shape() const { return shape_; }
  [[nodiscard]] Index data_size() const override { return shape_.data; }
  /// Rows of y.
  [[nodiscard]] Index output_size() const { return layers_.back().outputs; }
  [[nodiscard]] std::string name() const override;
  [[nodiscard]] std::string last_layer() const override { return "layer_" + std::to_string(shape_.depth); }
  [[nodiscard]] Index buffer_size() const override { return size_; }
  [[nodiscard]] Index parameter_count() const override;

  /// Weights and biases uniform on ±1/sqrt(inputs of the layer), as PyTorch's Linear; the same for every
  /// buffer layout.
  [[nodiscard]] Eigen::VectorXf initial_parameters(const Stream& stream) const override;
  /// "layer_<l>_weight" (out×in, in = embedding then data) and "layer_<l>_bias" (out×1), l = 0 … depth.
  [[nodiscard]] ModelState to_state(const Eigen::VectorXf& parameters) const override;
  [[nodiscard]] Eigen::VectorXf from_state(const ModelState& state) const override;

  /// Memory of forward and backward passes for a batch of at most \p columns columns.
  class Tape final : public Network::Tape {
   public:
    Tape(const Mlp& network, Index columns);

   private:
    friend class Mlp;
    Index capacity_ = 0;
    Index columns_ = 0;
    Eigen::VectorXf input_;                    // panels of (e, x)
    std::vector<Eigen::VectorXf> hidden_;      // panels of h_l
    std::vector<Eigen::VectorXf> slope_;       // silu'(z_l), then dL/dz_l
    std::vector<Eigen::VectorXf> transposed_;  // W_l^T of the hidden-to-hidden layers
    Eigen::VectorXf carried_;                  // dL/dh_l; residual networks only
    Eigen::VectorXf output_gradient_;
    Eigen::VectorXf output_;             // panels of y, then of dL/dy; wide outputs only
    Eigen::VectorXf output_transposed_;  // W_o^T; wide outputs only
  };

  [[nodiscard]] std::unique_ptr<Network::Tape> make_tape(Index columns) const override {
    return std::make_unique<Tape>(*this, columns);
  }
  [[nodiscard]] std::unique_ptr<Network::Scratch> make_scratch(Index columns) const override {
    return std::make_unique<Scratch>(*this, columns);
  }

  /// Allocates nothing.
  void forward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, const Eigen::MatrixXf& embeddings,
               Network::Tape& tape, Eigen::MatrixXf& y) const override;
  /// Allocates nothing.
  void backward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& dy, Network::Tape& tape,
                Eigen::VectorXf& gradient) const override;
  /// Allocates nothing. Needs no keep_input_gradient.
  void input_gradient(const Eigen::VectorXf& parameters, const Network::Tape& tape, Eigen::MatrixXf& dx) const override;

  /// Memory of evaluate() for at most \p columns columns.
  class Scratch final : public Network::Scratch {
   public:
    Scratch(const Mlp& network, Index columns);

   private:
    friend class Mlp;
    Index capacity_ = 0;
    Eigen::VectorXf input_;
    Eigen::VectorXf first_;
    Eigen::VectorXf second_;
    Eigen::VectorXf bias_;
    Eigen::VectorXf output_;
  };

  /// y at the first \p n columns of \p x, all with the one \p embedding (32), whose part of the first layer
  /// becomes a bias. Allocates nothing. 2 n (D width + (depth-1) width^2 + width D) floating-point
  /// operations.
  void evaluate(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, Index n,
                const Eigen::Ref<const Eigen::VectorXf>& embedding, Network::Scratch& scratch,
                Eigen::MatrixXf& y) const override;

 private:
  /// Where a layer lives in a buffer. Hidden layers and a wide output layer: panels over the outputs,
  /// `columns` inputs each. A narrow output layer: panels over the INPUTS, `columns` outputs each (few
  /// outputs: no panel of them is worth its padding).
  struct Layer {
    Index inputs = 0;
    Index outputs = 0;
    Index columns = 0;
    Index weight = 0;
    Index bias = 0;
  };
  /// Whether hidden layer \p l (from 0) adds its input.
  [[nodiscard]] bool skips(Index l) const { return shape_.residual && l > 0 && l < shape_.depth; }
  [[nodiscard]] Index weight_index(std::size_t layer, Index out, Index in) const;

  MlpShape shape_;
  std::vector<Layer> layers_;
  Index embedding_ = 0;      // rows of e(t) in the input
  Index data_panels_ = 0;    // panels of x in the input
  bool wide_ = false;        // whether the output layer is stored as the hidden ones
  Index output_stride_ = 0;  // outputs rounded up to the tile of the output layer
  Index size_ = 0;
};

}  // namespace onmanifold
