// SPDX-License-Identifier: Apache-2.0
#pragma once
// A network as a velocity with its Jacobian, in double around float.

#include <memory>

#include "models/flow_matching/velocity_field.hpp"
#include "models/networks/network.hpp"

namespace onmanifold {

/// Network output and products e^T J of its Jacobian at blocks of columns. Keeps scratch memory: one thread.
class NetworkVelocity {
 public:
  /// References outlive the object. Traces need an Mlp, with or without features.
  NetworkVelocity(const Network& network, const Eigen::VectorXf& parameters, Index times);

  /// y(x, i), D×n with n <= velocity_block.
  void evaluate(const Points& x, Index i, Points& y) const;
  /// The same, and sum_j e_j^T J e_j column by column over the \p count vectors e_j of each column, \p vectors
  /// D×(count n): the first \p count columns belong to column 0. Forward mode.
  /// \throw InvalidInput for a network that has_traces() denies.
  void evaluate(const Points& x, Index i, Points& y, const Points& vectors, Index count, Vector& trace) const;
  /// Whether traces can be had of \p network.
  [[nodiscard]] static bool has_traces(const Network& network);

 private:
  struct Memory;
  const Network& network_;
  const Eigen::VectorXf& parameters_;
  std::shared_ptr<Memory> memory_;
};

}  // namespace onmanifold
