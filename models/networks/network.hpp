// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a denoiser needs of a network (x, embedding of t) -> y: parameters in one flat float buffer, forward,
// backward, and evaluation at one common t. The training loop and the samplers know nothing else.

#include <memory>
#include <string>

#include "contracts/generative_model.hpp"
#include "core/points.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {

/// A network that knows the places of its weights and holds none: training and averaged weights are two
/// buffers.
///
/// Entries of a buffer that belong to no weight are 0 and have gradient 0. Column j of a result depends on
/// column j of the input only, and not on how many columns there are. Arrays of wrong sizes throw
/// InvalidInput.
class Network {
 public:
  /// Numbers e(t) that describe the diffusion time.
  static constexpr Index embedding_size = 32;

  virtual ~Network() = default;

  /// D: rows of x and of y.
  [[nodiscard]] virtual Index data_size() const = 0;
  [[nodiscard]] virtual std::string name() const = 0;
  /// Floats in a buffer, padding included.
  [[nodiscard]] virtual Index buffer_size() const = 0;
  /// Weights and biases without padding.
  [[nodiscard]] virtual Index parameter_count() const = 0;
  [[nodiscard]] virtual Eigen::VectorXf initial_parameters(const Stream& stream) const = 0;
  [[nodiscard]] virtual ModelState to_state(const Eigen::VectorXf& parameters) const = 0;
  /// \throw InvalidInput if \p state is not of this shape.
  [[nodiscard]] virtual Eigen::VectorXf from_state(const ModelState& state) const = 0;

  /// The prefix of the last layer's names in a state: "<prefix>_weight" and "<prefix>_bias".
  [[nodiscard]] virtual std::string last_layer() const = 0;
  /// \p parameters with the last layer set to 0, so that y = 0 everywhere.
  [[nodiscard]] Eigen::VectorXf with_zero_output(const Eigen::VectorXf& parameters) const {
    ModelState state = to_state(parameters);
    for (const char* part : {"_weight", "_bias"}) state.at(last_layer() + part).setZero();
    return from_state(state);
  }

  /// Columns that a training step of \p batch columns should pass at once, so that what backward() needs
  /// again is still in the cache.
  [[nodiscard]] virtual Index pass_columns(Index batch) const { return batch; }

  /// Memory of forward and backward passes. A network takes back only what it made itself.
  class Tape {
   public:
    virtual ~Tape() = default;
    /// Whether input_gradient() will be asked for; set before backward().
    bool keep_input_gradient = false;
  };
  /// Memory of evaluate().
  class Scratch {
   public:
    virtual ~Scratch() = default;
  };
  /// For at most \p columns columns.
  [[nodiscard]] virtual std::unique_ptr<Tape> make_tape(Index columns) const = 0;
  [[nodiscard]] virtual std::unique_ptr<Scratch> make_scratch(Index columns) const = 0;

  /// y (D×n) at x (D×n) with \p embeddings (32×n), kept on \p tape for backward(). \pre n <= capacity of the
  /// tape
  virtual void forward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, const Eigen::MatrixXf& embeddings,
                       Tape& tape, Eigen::MatrixXf& y) const = 0;
  /// dL/d(parameters) for \p dy = dL/dy (D×n) of the last forward().
  virtual void backward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& dy, Tape& tape,
                        Eigen::VectorXf& gradient) const = 0;
  /// dL/dx (D×n) of the last backward() on a tape with keep_input_gradient, written to \p dx.
  virtual void input_gradient(const Eigen::VectorXf& parameters, const Tape& tape, Eigen::MatrixXf& dx) const = 0;
  /// y at the first \p n columns of \p x, all with the one \p embedding (32).
  virtual void evaluate(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, Index n,
                        const Eigen::Ref<const Eigen::VectorXf>& embedding, Scratch& scratch,
                        Eigen::MatrixXf& y) const = 0;
};

}  // namespace onmanifold
