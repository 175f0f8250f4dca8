// SPDX-License-Identifier: Apache-2.0
#pragma once
// An Mlp that sees, beside x, random Fourier features of x: fine detail in few coordinates, which a small network
// learns slowly from the coordinates alone \cite tancik2020.

#include "models/networks/mlp.hpp"

namespace onmanifold {

/// y = mlp(e(t); x, sin(B x), cos(B x)). The rows of B (features/2 × D) are drawn with the initial weights, normal with
/// deviation scale/sqrt(D): phases of unit-variance points have the deviation `scale`, whatever D is. B lies behind the
/// weights in the parameter buffer and has gradient 0, so that it is never moved and is stored with them.
class FourierMlp final : public Network {
 public:
  /// \p shape of the mlp as if it had no features; \p features a positive multiple of 32 (whole vectors of floats: a
  /// column's bits do not depend on its neighbours). \throw InvalidInput otherwise.
  FourierMlp(const MlpShape& shape, Index features, double scale);

  [[nodiscard]] const Mlp& inner() const { return inner_; }
  [[nodiscard]] Index data_size() const override { return dimension_; }
  [[nodiscard]] std::string name() const override;
  [[nodiscard]] std::string last_layer() const override { return inner_.last_layer(); }
  [[nodiscard]] Index buffer_size() const override { return inner_.buffer_size() + half_ * dimension_; }
  /// Of the mlp: B is not learned.
  [[nodiscard]] Index parameter_count() const override { return inner_.parameter_count(); }
  [[nodiscard]] Eigen::VectorXf initial_parameters(const Stream& stream) const override;
  /// That of the mlp, and "frequencies" (features/2 × D).
  [[nodiscard]] ModelState to_state(const Eigen::VectorXf& parameters) const override;
  [[nodiscard]] Eigen::VectorXf from_state(const ModelState& state) const override;
  [[nodiscard]] Index pass_columns(Index batch) const override { return inner_.pass_columns(batch); }

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

  /// The weights of inner().
  [[nodiscard]] Eigen::VectorXf inner_parameters(const Eigen::VectorXf& parameters) const;
  /// What inner() sees of the first \p n columns of \p x: (x, sin(B x), cos(B x)).
  void expand(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, Index n, Eigen::MatrixXf& input) const;
  /// The change of \p input, made by expand(), along \p vectors, D×(count n), columns count·c … of point c.
  [[nodiscard]] Eigen::MatrixXf expand_tangents(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& input,
                                                const Eigen::MatrixXf& vectors, Index count) const;

 private:
  class FourierTape;
  class FourierScratch;
  void check_size(const Eigen::VectorXf& parameters) const;
  [[nodiscard]] Eigen::Map<const Eigen::MatrixXf> frequencies(const Eigen::VectorXf& parameters) const;

  Index dimension_;
  Index half_;  // rows of B
  double scale_;
  Mlp inner_;
};

}  // namespace onmanifold
