// SPDX-License-Identifier: Apache-2.0
#include "models/networks/adam.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"

namespace onmanifold {

double learning_rate(const AdamOptions& options, Index step) {
  if (step < options.warmup) {
    return options.learning_rate * static_cast<double>(step + 1) / static_cast<double>(options.warmup);
  }
  const double rest = static_cast<double>(std::max<Index>(options.steps - options.warmup, 1));
  const double u = std::min(static_cast<double>(step - options.warmup) / rest, 1.0);
  return options.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * u));
}

Adam::Adam(const AdamOptions& options, const Eigen::VectorXf& parameters)
    : options_(options),
      first_(Eigen::VectorXf::Zero(parameters.size())),
      second_(Eigen::VectorXf::Zero(parameters.size())),
      average_(parameters) {}

double Adam::step(const Eigen::VectorXf& gradient, Eigen::VectorXf& parameters) {
  if (gradient.size() != first_.size() || parameters.size() != first_.size()) {
    throw InvalidInput("Adam: gradient or parameters of another size");
  }
  const double norm = std::sqrt(static_cast<double>(gradient.squaredNorm()));
  const double clip = options_.clip > 0 && norm > options_.clip ? options_.clip / norm : 1.0;
  const double t = static_cast<double>(step_ + 1);
  const float scale = static_cast<float>(clip);
  const float b1 = static_cast<float>(options_.beta1);
  const float b2 = static_cast<float>(options_.beta2);
  const float c1 = static_cast<float>(1 - options_.beta1);  // not 1 - b1, which the rounding of b1 spoils
  const float c2 = static_cast<float>(1 - options_.beta2);
  const float rate = static_cast<float>(learning_rate(options_, step_) / (1 - std::pow(options_.beta1, t)));
  const float correction = static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  const float epsilon = static_cast<float>(options_.epsilon);
  const float follow = static_cast<float>(1 - std::min(options_.ema, t / (t + 9)));
  const float* const g = gradient.data();
  float* const w = parameters.data();
  float* const m = first_.data();
  float* const v = second_.data();
  float* const e = average_.data();
  const Index n = first_.size();
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) {
    const float gi = g[i] * scale;
    m[i] = b1 * m[i] + c1 * gi;
    v[i] = b2 * v[i] + c2 * gi * gi;
    w[i] -= rate * m[i] / (std::sqrt(v[i]) * correction + epsilon);
    e[i] += follow * (w[i] - e[i]);
  }
  ++step_;
  return norm;
}

}  // namespace onmanifold
