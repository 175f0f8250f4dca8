// SPDX-License-Identifier: Apache-2.0
#pragma once
// The convolutional denoiser of images: two resolutions, residual blocks, skip connection, diffusion time in
// every block. Convolutions by oneDNN, everything between them by our own kernels.

#include <memory>
#include <string>
#include <vector>

#include "contracts/image_layout.hpp"
#include "models/networks/network.hpp"

namespace onmanifold {

struct UnetOptions {
  Index channels = 32;       ///< at the fine grid; a multiple of 16
  Index deep_channels = 48;  ///< at the coarse grid; a multiple of 16
};

/// A U-Net on one-channel images of even side s. Sides above 16 that are a multiple of 4 are first cut into
/// 2×2 pixels = 4 channels, so that s = 28 and s = 14 both work on a 14×14 and a 7×7 grid:
///
///   h0 = conv3(x);  h1 = block(h0);  g = block(mean2×2(h1));  h2 = block(h1 + repeat2×2(conv1(g)));
///   y = conv3(silu(norm(h2)))
///   block(x) = conv3(silu(norm(conv3(silu(norm(x))) + A tau))) + x        (conv1(x) where the channels
///   change) tau = silu(W e(t) + b), 64 numbers; norm: group normalisation in 8 groups \cite wu2018.
///
/// 9.5 million multiply-adds a forward pass at s = 28. The skip connection adds instead of concatenating,
/// which would cost a third more. Pixels that the layout leaves out are 0 in x. Nothing of oneDNN is touched
/// before make_tape or make_scratch.
class Unet final : public Network {
 public:
  /// \throw InvalidInput unless the image is square of even side, its pixels are distinct and the channels
  /// multiples of 16.
  explicit Unet(ImageLayout image, UnetOptions options = {});

  [[nodiscard]] Index data_size() const override { return static_cast<Index>(places_.size()); }
  [[nodiscard]] std::string name() const override;
  [[nodiscard]] std::string last_layer() const override { return "out"; }
  [[nodiscard]] Index buffer_size() const override { return size_; }
  [[nodiscard]] Index parameter_count() const override;
  /// Multiply-adds of the convolutions in a forward pass of one image.
  [[nodiscard]] Index multiply_adds() const;

  /// Weights and biases uniform on ±1/sqrt(inputs), as PyTorch's layers; norms at gain 1 and shift 0.
  [[nodiscard]] Eigen::VectorXf initial_parameters(const Stream& stream) const override;
  /// "<layer>_weight" (outputs × (inputs · rows · columns), as a row-major (out, in, row, column) array),
  /// "<layer>_bias",
  /// "<norm>_gain", "<norm>_shift".
  [[nodiscard]] ModelState to_state(const Eigen::VectorXf& parameters) const override;
  [[nodiscard]] Eigen::VectorXf from_state(const ModelState& state) const override;

  [[nodiscard]] Index pass_columns(Index batch) const override;
  [[nodiscard]] std::unique_ptr<Network::Tape> make_tape(Index columns) const override;
  [[nodiscard]] std::unique_ptr<Network::Scratch> make_scratch(Index columns) const override;
  void forward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, const Eigen::MatrixXf& embeddings,
               Network::Tape& tape, Eigen::MatrixXf& y) const override;
  void backward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& dy, Network::Tape& tape,
                Eigen::VectorXf& gradient) const override;
  void input_gradient(const Eigen::VectorXf& parameters, const Network::Tape& tape, Eigen::MatrixXf& dx) const override;
  void evaluate(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, Index n,
                const Eigen::Ref<const Eigen::VectorXf>& embedding, Network::Scratch& scratch,
                Eigen::MatrixXf& y) const override;

  /// Memory of tangents().
  [[nodiscard]] std::unique_ptr<Network::Scratch> make_tangent_scratch() const;
  /// y(x) and J(x) v in forward mode, arrays as of MlpTangents::evaluate: \p x D×n, \p vectors D×(count n)
  /// with columns count·c … for point c, one \p embedding (32). \p y becomes D×n, \p products D×(count n).
  /// About the work of an evaluation for every direction. \p scratch is of make_tangent_scratch(). \throw
  /// InvalidInput on wrong sizes or another scratch.
  void tangents(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x,
                const Eigen::Ref<const Eigen::VectorXf>& embedding, const Eigen::MatrixXf& vectors, Index count,
                Network::Scratch& scratch, Eigen::MatrixXf& y, Eigen::MatrixXf& products) const;

  // Places of the layers in a buffer.
  struct Layer {
    Index weight = 0;
    Index bias = 0;
    Index outputs = 0;
    Index inputs = 0;
    Index kernel = 1;
  };
  struct Norm {
    Index gain = 0;
    Index shift = 0;
    Index channels = 0;
  };
  struct Block {
    Norm norm1;
    Layer conv1;
    Index time = 0;  ///< A, outputs×64, column-major
    Norm norm2;
    Layer conv2;
    Layer skip;  ///< outputs = 0: the identity
  };

 private:
  struct Tensor {
    std::string name;
    Index rows = 0;
    Index columns = 0;
    Index offset = 0;
    double bound = 0;  ///< uniform on ±bound; 0: constant
    float constant = 0;
    bool row_major = true;
  };
  struct Convolutions;
  struct Activations;
  struct Room;
  class UnetTape;
  class UnetScratch;
  class TangentScratch;

  Index add_tensor(Tensor tensor);
  Layer add_layer(const std::string& name, Index outputs, Index inputs, Index kernel);
  Norm add_norm(const std::string& name, Index channels);
  Block add_block(const std::string& name, Index inputs, Index outputs);
  void load_weights(const Eigen::VectorXf& parameters, Convolutions& convolutions) const;
  void forward_images(const Eigen::VectorXf& parameters, Convolutions& convolutions, Activations& a) const;
  /// Changes of everything for the change of x in \p t, around the values in \p a; \p linear has no biases.
  void tangent_images(const Eigen::VectorXf& parameters, Convolutions& linear, const Activations& a,
                      Activations& t) const;
  void backward_images(const Eigen::VectorXf& parameters, Convolutions& convolutions, Activations& a, Room& room,
                       bool input_gradient, Eigen::VectorXf& gradient) const;
  /// Columns of coordinates to images, unused pixels and images 0; and back.
  void scatter(const Eigen::MatrixXf& from, Index first, Index columns, Eigen::VectorXf& to) const;
  void gather(const Eigen::VectorXf& from, Index first, Index columns, Eigen::MatrixXf& to) const;

  UnetOptions options_;
  Index side_ = 0;
  Index patch_ = 1;            // pixels of an image along a side of a grid point
  Index grid_ = 0;             // side of the fine grid
  std::vector<Index> places_;  // where coordinate j lies in an image of grid×grid×patch^2 numbers
  std::vector<Tensor> tensors_;
  Index size_ = 0;
  Layer time_;
  Layer in_;
  Block down_;
  Block deep_;
  Layer rise_;
  Block up_;
  Norm out_norm_;
  Layer out_;
};

}  // namespace onmanifold
