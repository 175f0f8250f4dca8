// SPDX-License-Identifier: Apache-2.0
#include "models/controls/kde.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {
namespace {

class Kde final : public GenerativeModel {
 public:
  explicit Kde(Settings& settings)
      : given_(settings.number("width", 0, 0, 1e30,
                               "deviation of the noise in data units; 0: that of the largest likelihood")),
        points_(settings.integer("validation_points", 500, 1, 1'000'000,
                                 "training points whose likelihood, each without itself, decides the width")),
        likelihood_(settings.boolean("likelihood", false, "whether log-densities of the reference are computed")) {}

  [[nodiscard]] Curves curves() const override { return {{"width", Vector::Constant(1, width_)}}; }
  [[nodiscard]] ModelState state() const override {
    return {{"width", Eigen::MatrixXf::Constant(1, 1, static_cast<float>(width_))}};
  }
  [[nodiscard]] std::optional<Vector> log_density(const PointsRef& points) const override {
    if (!likelihood_ || !(width_ > 0)) return std::nullopt;
    return kernel_log_density(training_->clean_points(), points, width_, points.rows());
  }

 private:
  void do_fit(const FitContext& context) override {
    training_ = context.training;
    const Points& clean = training_->clean_points();
    check_finite(clean, "training points");
    width_ = given_ > 0
                 ? given_
                 : likelihood_width(clean, context.manifold->dimension(), standardisation(*training_).scale, points_);
    width_ = static_cast<double>(static_cast<float>(width_));  // what the state keeps
  }
  void do_load(const ModelState& state, const FitContext& context) override {
    const auto found = state.find("width");
    if (found == state.end() || found->second.size() != 1 || !(found->second(0, 0) >= 0)) {
      throw InvalidInput("model state: no width");
    }
    training_ = context.training;
    width_ = static_cast<double>(found->second(0, 0));
  }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    const Points& points = training_->clean_points();
    Stream draws = stream.at("points");
    Points samples(points.rows(), n);
    for (Index i = 0; i < n; ++i) {
      samples.col(i) = points.col(static_cast<Index>(draws.integer(static_cast<std::uint64_t>(points.cols()))));
    }
    samples += width_ * stream.at("noise").normal(points.rows(), n);
    return samples;
  }

  double given_;
  Index points_;
  bool likelihood_;
  const TrainingSource* training_ = nullptr;
  double width_ = 0;
};

}  // namespace

Vector kernel_log_density(const PointsRef& centres, const PointsRef& x, double width, Index dimensions, Index own,
                          Index stride) {
  if (centres.cols() < (own < 0 ? 1 : 2)) throw InvalidInput("kernel density: too few centres");
  if (!(width > 0)) throw InvalidInput("kernel density: the width is not positive");
  const double constant = -0.5 * static_cast<double>(dimensions) * std::log(2 * std::numbers::pi * width * width);
  const double count = static_cast<double>(centres.cols() - (own < 0 ? 0 : 1));
  Vector result(x.cols());
  Vector exponent(centres.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    exponent = (centres.colwise() - x.col(j)).colwise().squaredNorm().transpose() / (-2 * width * width);
    if (own >= 0) exponent[own + stride * j] = -std::numeric_limits<double>::infinity();
    const double largest = exponent.maxCoeff();
    exponent = (exponent.array() - largest).exp();
    result[j] = largest + std::log(tree_sum(exponent) / count) + constant;
  }
  return result;
}

double likelihood_width(const PointsRef& training, Index dimension, double scale, Index points) {
  if (dimension == 0 || training.cols() < 2) return 0;
  const Index count = std::min(points, training.cols());
  const Index stride = training.cols() / count;
  const Points some = training(Eigen::all, Eigen::seqN(0, count, stride));
  const auto value = [&](double log_width) {
    return kernel_log_density(training, some, std::exp(log_width), dimension, 0, stride).mean();
  };
  constexpr Index tried = 33;
  const double low = std::log(1e-3 * scale);
  const double gap = -std::log(1e-3) / static_cast<double>(tried - 1);
  double best = low;
  double best_value = -std::numeric_limits<double>::infinity();
  for (Index i = 0; i < tried; ++i) {
    const double at = low + gap * static_cast<double>(i);
    const double here = value(at);
    if (here > best_value) {
      best_value = here;
      best = at;
    }
  }
  // Golden section between the neighbours of the best.
  constexpr double golden = 0.6180339887498949;
  double left = best - gap;
  double right = best + gap;
  double a = right - golden * (right - left);
  double b = left + golden * (right - left);
  double at_a = value(a);
  double at_b = value(b);
  while (right - left > 0.01) {
    if (at_a >= at_b) {
      right = b;
      b = a;
      at_b = at_a;
      a = right - golden * (right - left);
      at_a = value(a);
    } else {
      left = a;
      a = b;
      at_a = at_b;
      b = left + golden * (right - left);
      at_b = value(b);
    }
  }
  return std::exp(0.5 * (left + right));
}

std::unique_ptr<GenerativeModel> make_kde(Settings& settings) {
  return std::make_unique<Kde>(settings);
}

}  // namespace onmanifold
