// SPDX-License-Identifier: Apache-2.0
#pragma once
// A 2-D convolution by oneDNN, forward and backward, on one thread. Images are channels-last (image, row,
// column, channel), which every instruction set supports for any number of channels and which our own kernels
// share.

#include <memory>

#include "core/points.hpp"

namespace onmanifold {

/// Square images, odd kernel, stride 1, zero padding to equal size.
struct ConvolutionShape {
  Index images = 1;
  Index inputs = 1;   ///< channels
  Index outputs = 1;  ///< channels
  Index side = 1;     ///< pixels
  Index kernel = 3;
  bool training = true;        ///< backward passes will be asked for
  bool input_gradient = true;  ///< also dL/dx
  bool add = false;            ///< forward() adds to y instead of overwriting it

  [[nodiscard]] Index weights() const { return outputs * inputs * kernel * kernel; }
};

/// y = W * x + b. Making one enters oneDNN: never in a process that forks workers later. Equal input gives
/// equal bits: the order of the sums is fixed by the shape and the instruction set.
class Convolution {
 public:
  explicit Convolution(const ConvolutionShape& shape);
  ~Convolution();
  Convolution(Convolution&&) noexcept;
  Convolution& operator=(Convolution&&) = delete;

  /// \p weight (outputs, inputs, row, column), row-major; \p bias (outputs). Kept as copies.
  void set_weights(const float* weight, const float* bias);
  /// \p x images×side×side×inputs, \p y images×side×side×outputs.
  void forward(const float* x, float* y);
  /// Adds dL/dW and dL/db to the sums under way, and writes dL/dx to \p dx where it is not null.
  void backward(const float* x, const float* dy, float* dx);
  /// Starts new sums at zero.
  void clear_gradient();
  /// The sums, in the order of set_weights.
  void gradient(float* weight, float* bias);

 private:
  struct Primitives;
  ConvolutionShape shape_;
  std::unique_ptr<Primitives> primitives_;
};

}  // namespace onmanifold
