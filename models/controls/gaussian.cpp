// SPDX-License-Identifier: Apache-2.0
#include "models/controls/gaussian.hpp"

#include <cmath>
#include <string>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/decompositions.hpp"

namespace onmanifold {
namespace {

/// Round-off of an entry of the covariance, relative to the greatest variance: about N^(1/2) epsilon.
constexpr double negligible_variance = 1e-13;

/// A double matrix as the sum of two float ones; what is beyond 48 bits is lost.
void put(ModelState& state, const std::string& name, const Eigen::MatrixXd& values) {
  const Eigen::MatrixXf high = values.cast<float>();
  state[name + "_high"] = high;
  state[name + "_low"] = (values - high.cast<double>()).cast<float>();
}

Eigen::MatrixXd take(const ModelState& state, const std::string& name, Index rows, Index cols) {
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(rows, cols);
  for (const char* part : {"_high", "_low"}) {
    const auto entry = state.find(name + part);
    if (entry == state.end() || entry->second.rows() != rows || entry->second.cols() != cols) {
      throw InvalidInput(fmt::format("gaussian: the state has no '{}{}' of {}×{}", name, part, rows, cols));
    }
    result += entry->second.cast<double>();
  }
  return result;
}

class Gaussian final : public GenerativeModel {
 public:
  [[nodiscard]] ModelState state() const override {
    ModelState result;
    put(result, "mean", mean_);
    put(result, "factor", factor_);
    return result;
  }

 private:
  void do_fit(const FitContext& context) override {
    Points points = context.training->epoch(0);
    check_finite(points, "training points");
    mean_ = points.rowwise().mean();
    points.colwise() -= mean_;
    const Eigen::MatrixXd covariance =
        points * points.transpose() / static_cast<double>(std::max<Index>(points.cols() - 1, 1));
    const std::optional<EigenPairs> pairs = self_adjoint_eigen(covariance);
    if (!pairs) {
      throw NumericalFailure("gaussian: the eigenvalues of the covariance did not converge");
    }
    const double floor = negligible_variance * pairs->values.maxCoeff();
    const Vector spread =
        pairs->values.unaryExpr([floor](double variance) { return variance > floor ? std::sqrt(variance) : 0.0; });
    factor_ = pairs->vectors * spread.asDiagonal();
    // What is sampled is what state() keeps.
    do_load(state(), context);
  }

  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    Stream draws = stream;
    Points samples = factor_ * draws.normal(factor_.cols(), n);
    samples.colwise() += mean_;
    return samples;
  }

  void do_load(const ModelState& state, const FitContext& context) override {
    const Index dimension = context.training->dimension();
    mean_ = take(state, "mean", dimension, 1);
    factor_ = take(state, "factor", dimension, dimension);
  }

  Vector mean_;
  Eigen::MatrixXd factor_;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_gaussian(Settings&) {
  return std::make_unique<Gaussian>();
}

}  // namespace onmanifold
