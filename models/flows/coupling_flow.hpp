// SPDX-License-Identifier: Apache-2.0
#pragma once
// Coupling flows \cite dinh2017: a stack of layers, each of which moves half of the coordinates by bijections
// whose parameters a network computes from the other half.

#include <memory>
#include <vector>

#include "models/flows/bijection.hpp"
#include "models/networks/mlp.hpp"

namespace onmanifold {

/// z = f(x) on R^D with log|det df/dx| and the inverse. Layer l moves the coordinates i with i + l odd and
/// reads the others: masks alternate. Weights are one flat float buffer.
class CouplingFlow {
 public:
  /// \p layers >= 1; networks of \p width and \p depth as in MlpShape. \throw Unsupported
  /// for D < 2.
  CouplingFlow(Index dimension, Index layers, std::unique_ptr<Bijection> bijection, Index width, Index depth);

  [[nodiscard]] Index dimension() const { return dimension_; }
  [[nodiscard]] Index buffer_size() const { return size_; }
  /// Weights with which f is the identity: the last layer of every network is 0.
  [[nodiscard]] Eigen::VectorXf initial_parameters(const Stream& stream) const;
  /// Those of the networks, "coupling_<l>_layer_<k>_weight" and "…_bias".
  [[nodiscard]] ModelState to_state(const Eigen::VectorXf& parameters) const;
  /// \throw InvalidInput if \p state is not of this shape.
  [[nodiscard]] Eigen::VectorXf from_state(const ModelState& state) const;

  /// Memory of training passes of exactly \p columns columns.
  class Tape {
   public:
    Tape(const CouplingFlow& flow, Index columns);

   private:
    friend class CouplingFlow;
    struct Layer {
      Eigen::VectorXf parameters;
      Eigen::VectorXf gradient;
      std::unique_ptr<Network::Tape> tape;
      Eigen::MatrixXf x;      // D×n, what enters the layer
      Eigen::MatrixXf theta;  // (parameters of a bijection × moved coordinates)×n
    };
    std::vector<Layer> layers_;
    Eigen::MatrixXf read_;  // D/2×n
    Eigen::MatrixXf dtheta_;
    Eigen::MatrixXf dread_;
    Eigen::MatrixXf dx_;
    Eigen::MatrixXf none_;
  };

  /// \p z (D×n) and \p log_det (n) at \p x (D×n), in single precision.
  void forward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, Tape& tape, Eigen::MatrixXf& z,
               Eigen::VectorXf& log_det) const;
  /// Derivatives of L at the last forward(), given \p dz = dL/dz (D×n) and \p dlog_det, the dL/dlog_det of
  /// every column: \p gradient (buffer size) and, where not null, \p dx (D×n).
  void backward(const Eigen::MatrixXf& dz, float dlog_det, Tape& tape, Eigen::VectorXf& gradient,
                Eigen::MatrixXf* dx = nullptr) const;

  /// z (D×N) and log_det (N) at \p x: states in double, networks in float.
  void to_base(const Eigen::VectorXf& parameters, const PointsRef& x, Points& z, Vector& log_det) const;
  /// The x with f(x) = \p z, D×N. Exact but for rounding: it calls the same networks at the same points.
  [[nodiscard]] Points from_base(const Eigen::VectorXf& parameters, const PointsRef& z) const;

 private:
  struct Layer {
    std::vector<Index> read;
    std::vector<Index> moved;
    Mlp network;
    Index offset;  // of its weights in a buffer
  };
  [[nodiscard]] Eigen::VectorXf part(const Layer& layer, const Eigen::VectorXf& parameters) const {
    return parameters.segment(layer.offset, layer.network.buffer_size());
  }
  /// Calls \p body(layer index, theta (double), point, moved coordinate) over blocks of columns.
  template <class Body>
  void for_each_theta(std::size_t layer, const Eigen::VectorXf& weights, const Points& x, const Body& body) const;

  Index dimension_;
  std::unique_ptr<Bijection> bijection_;
  std::vector<Layer> layers_;
  Index size_ = 0;
};

/// -1/2 |z|^2 - D/2 log(2 pi) of the columns of \p z.
[[nodiscard]] Vector standard_normal_log_density(const PointsRef& z);

}  // namespace onmanifold
