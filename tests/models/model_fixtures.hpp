// SPDX-License-Identifier: Apache-2.0
#pragma once
// A law, a training source and a manifold small enough to know everything about: what the tests of models/
// fit to.

#include <cmath>
#include <numbers>
#include <utility>

#include "contracts/distribution.hpp"
#include "contracts/generative_model.hpp"
#include "core/error.hpp"
#include "manifolds/affine.hpp"

namespace onmanifold {

/// N(m, F F') on the plane through m spanned by the columns of F (3×2); with its score after a normal lift.
class NormalLaw final : public Sampler, public DiffusedScore {
 public:
  NormalLaw(Vector mean, Eigen::MatrixXd factor) : mean_(std::move(mean)), factor_(std::move(factor)) {}

  /// Standard deviations 1 and 1/2 in the plane through (1, -2, 3)/2 with normal (1, 2, 2)/3.
  static NormalLaw in_a_plane() {
    Eigen::MatrixXd factor(3, 2);
    factor << 2, 1, 1, -1, -2, 0.5;
    factor.col(0) /= 3;
    factor.col(1) /= 3;
    return {Vector{{0.5, -1.0, 1.5}}, factor};
  }

  [[nodiscard]] Index dimension() const override { return mean_.size(); }
  [[nodiscard]] Points sample(Index n, Stream stream) const override {
    Points result = factor_ * stream.normal(factor_.cols(), n);
    result.colwise() += mean_;
    return result;
  }
  [[nodiscard]] const Vector& mean() const { return mean_; }
  [[nodiscard]] Eigen::MatrixXd covariance() const { return factor_ * factor_.transpose() + lift_covariance(); }
  /// Unit normal of the plane, for 3×2 factors.
  [[nodiscard]] Vector normal() const {
    Eigen::Vector3d n = factor_.col(0).head<3>().cross(factor_.col(1).head<3>());
    return n.normalized();
  }
  /// Normal lift of this standard deviation, as the score sees it.
  void set_lift(double sigma) { lift_ = sigma; }

 private:
  void do_evaluate(const PointsRef& x, double a, double sigma, Points* score, Vector* log_density) const override {
    const Eigen::MatrixXd c = covariance(a, sigma);
    const Points centred = x.colwise() - a * mean_;
    const Points white = c.inverse() * centred;
    if (score != nullptr) *score = -white;
    if (log_density == nullptr) return;
    const double constant =
        -0.5 * (std::log(c.determinant()) + static_cast<double>(dimension()) * std::log(2 * std::numbers::pi));
    *log_density = (constant - 0.5 * (centred.array() * white.array()).colwise().sum()).matrix().transpose();
  }
  [[nodiscard]] Eigen::MatrixXd lift_covariance() const {
    if (lift_ == 0) return Eigen::MatrixXd::Zero(dimension(), dimension());
    return lift_ * lift_ * normal() * normal().transpose();
  }
  [[nodiscard]] Eigen::MatrixXd covariance(double a, double sigma) const {
    return a * a * covariance() + sigma * sigma * Eigen::MatrixXd::Identity(dimension(), dimension());
  }

  Vector mean_;
  Eigen::MatrixXd factor_;
  double lift_ = 0;
};

/// Clean points with normal noise of \p sigma, new in every pass.
class TestSource final : public TrainingSource {
 public:
  TestSource(Points clean, Vector normal, double sigma)
      : clean_(std::move(clean)), normal_(std::move(normal)), sigma_(sigma) {}
  [[nodiscard]] Index dimension() const override { return clean_.rows(); }
  [[nodiscard]] Index size() const override { return clean_.cols(); }
  [[nodiscard]] const Points& clean_points() const override { return clean_; }
  [[nodiscard]] Points epoch(Index epoch) const override {
    const Stream stream = Stream(7, "test/epochs").at(static_cast<std::uint64_t>(epoch));
    const std::vector<Index> order = stream.at("order").permutation(size());
    Points result(clean_.rows(), clean_.cols());
    for (Index i = 0; i < size(); ++i) result.col(i) = clean_.col(order[static_cast<std::size_t>(i)]);
    if (sigma_ > 0) result += sigma_ * normal_ * stream.at("lift").normal(1, size());
    return result;
  }

 private:
  Points clean_;
  Vector normal_;
  double sigma_ = 0;
};

/// Owns what a FitContext points to.
class FitFixture {
 public:
  FitFixture(NormalLaw law, Index n, double lift = 0)
      : law_(std::move(law)),
        plane_(Affine::plane(law_.normal(), law_.normal().dot(law_.mean()))),
        source_(law_.sample(n, Stream(7, "test/training")), law_.normal(), lift) {
    law_.set_lift(lift);
  }
  FitFixture(const FitFixture&) = delete;
  FitFixture& operator=(const FitFixture&) = delete;

  [[nodiscard]] FitContext context() const {
    return {.training = &source_,
            .manifold = &plane_,
            .sampler = &law_,
            .diffused_score = &law_,
            .smallest_noise = 0.01,
            .lift_scale = 0.1,
            .initialisation = Stream(7, "test/initialisation"),
            .training_noise = Stream(7, "test/training-noise"),
            .progress = {}};
  }
  [[nodiscard]] const NormalLaw& law() const { return law_; }
  [[nodiscard]] const TestSource& source() const { return source_; }

 private:
  NormalLaw law_;
  Affine plane_;
  TestSource source_;
};

}  // namespace onmanifold
