// SPDX-License-Identifier: Apache-2.0
#pragma once
// Shared by the metric tests: the two point sets of the exact values, simple laws, and a scene with
// everything a metric may ask for.

#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "contracts/distribution.hpp"
#include "core/random/stream.hpp"
#include "manifolds/sphere.hpp"
#include "metrics/histogram.hpp"
#include "metrics/registry.hpp"

namespace onmanifold::test {

/// a_ij = sin(1.3 i + 0.7 j + 0.1 i j): 3×n, no random numbers.
inline Points fixture_a(Index n = 12) {
  Points a(3, n);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < 3; ++j) {
      const auto x = static_cast<double>(i);
      const auto y = static_cast<double>(j);
      a(j, i) = std::sin(1.3 * x + 0.7 * y + 0.1 * x * y);
    }
  }
  return a;
}

/// b_ij = cos(0.9 i - 0.4 j) + 0.25: 3×10, in a plane.
inline Points fixture_b() {
  Points b(3, 10);
  for (Index i = 0; i < 10; ++i) {
    for (Index j = 0; j < 3; ++j)
      b(j, i) = std::cos(0.9 * static_cast<double>(i) - 0.4 * static_cast<double>(j)) + 0.25;
  }
  return b;
}

/// N(0, I_d).
class GaussianSampler final : public Sampler {
 public:
  explicit GaussianSampler(Index dimension) : dimension_(dimension) {}
  [[nodiscard]] Index dimension() const override { return dimension_; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override { return stream.normal(dimension_, n); }

 private:
  Index dimension_;
};

/// Two bumps on S^2 around +e3 (share 0.7) and -e3, made by normalising shifted Gaussians.
class TwoBumpSampler final : public Sampler {
 public:
  explicit TwoBumpSampler(double share = 0.7) : share_(share) {}
  [[nodiscard]] Index dimension() const override { return 3; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override {
    Points points = stream.normal(3, n);
    const Points u = stream.uniform(1, n);
    for (Index i = 0; i < n; ++i) {
      points(2, i) += u(0, i) < share_ ? 3 : -3;
      points.col(i).normalize();
    }
    return points;
  }

 private:
  double share_;
};

/// Uniform on the unit sphere of R^D.
class UniformSphereSampler final : public Sampler {
 public:
  explicit UniformSphereSampler(Index dimension = 3) : dimension_(dimension) {}
  [[nodiscard]] Index dimension() const override { return dimension_; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override {
    Points points = stream.normal(dimension_, n);
    points.colwise().normalize();
    return points;
  }

 private:
  Index dimension_;
};

/// The one metric "name(settings)".
inline std::unique_ptr<Metric> metric_of(const std::string& text) {
  return make_metric(parse_metric_list(text).at(0));
}

/// Everything a test gives to a metric, in one place. Pointers are not owned; null where there is none.
struct Given {
  const Points* samples = nullptr;
  const Points* reference = nullptr;
  const Points* training = nullptr;
  const Manifold* manifold = nullptr;
  const Projection* projection = nullptr;
  const Partition* partition = nullptr;
  const Vector* masses = nullptr;
  const Sampler* sampler = nullptr;
  const Sampler* held_out = nullptr;
  bool projected = false;
  Stream evaluation;
  std::uint64_t memory_bytes = 0;
  const FeatureMap* features = nullptr;
  const FeatureMaps* feature_maps = nullptr;
  const Points* directions = nullptr;
  const std::vector<ScoreLevel>* scores = nullptr;
  const Vector* reference_log_density = nullptr;
  bool intrinsic_density = false;
  const Density* density = nullptr;

  [[nodiscard]] Target target() const {
    return {.reference = reference,
            .manifold = manifold,
            .partition = partition,
            .masses = masses,
            .sampler = sampler,
            .held_out = held_out,
            .density = density,
            .feature_maps = feature_maps,
            .features = features,
            .directions = directions,
            .evaluation = evaluation,
            .memory_bytes = memory_bytes};
  }
  [[nodiscard]] Samples sample_set(const TrainingPoints* points) const {
    return {.samples = samples,
            .training = points,
            .projection = projection,
            .projected = projected,
            .scores = scores,
            .reference_log_density = reference_log_density,
            .intrinsic_density = intrinsic_density};
  }
};

/// A target and samples that live together, for one evaluation or a stream.
struct Comparison {
  explicit Comparison(const Given& given) : target(given.target()) {
    if (given.training != nullptr) training.emplace(*given.training);
    input.emplace(target, given.sample_set(training ? &*training : nullptr));
  }
  PreparedTarget target;
  std::optional<TrainingPoints> training;
  std::optional<MetricInput> input;
};

/// All records of \p metric.
inline std::vector<MetricRecord> evaluate(const Metric& metric, const Given& given) {
  const Comparison comparison(given);
  return metric.prepare(comparison.target).measure(*comparison.input);
}

/// The first record of metric \p text on \p given.
inline MetricRecord evaluate(const std::string& text, const Given& given) {
  return evaluate(*metric_of(text), given).at(0);
}

/// Samples against a reference, nothing else.
inline double value_of(const std::string& text, const Points& reference, const Points& samples) {
  Given input{.samples = &samples, .reference = &reference, .evaluation = Stream(1, "test/evaluation")};
  return evaluate(text, input).value;
}

/// Features by the names that metrics ask for, without a network.
class MadeFeatures final : public FeatureMaps {
 public:
  [[nodiscard]] FoundFeatures find(const std::string& name) const override {
    if (name == "lenet") return {&squares_, {}};
    if (name == "pca64") return {&first_two_, {}};
    return {nullptr, "no features '" + name + "'"};
  }

 private:
  FeatureMap squares_{
      "squares@1", [](const Points& x) { return Points(x.array() + x.array().square()); }, {{"accuracy", 0.5}}};
  FeatureMap first_two_{"first2@1", [](const Points& x) { return Points(x.topRows(2)); }};
};

/// Two bumps on the sphere with a reference, training points, a grid whose masses come from 10^6 draws, and a
/// sampler.
struct SphereScene {
  SphereScene(const SphereScene&) = delete;
  SphereScene& operator=(const SphereScene&) = delete;
  explicit SphereScene(Index n = 1000, std::string address = "scene")
      : manifold(2),
        reference(sampler.sample(n, Stream(7, address).at("reference"))),
        training(sampler.sample(n, Stream(7, address).at("training"))),
        truth(sampler.sample(n, Stream(7, address).at("truth"))),
        partition({0, 1, 2}, Vector::Constant(3, -1.0), Vector::Constant(3, 1.0), 4),
        evaluation(7, address + "/evaluation"),
        log_density(Vector::LinSpaced(n, -3.0, -1.0)),
        exact_score(Stream(7, address).at("score").normal(3, n)),
        model_score(1.01 * exact_score),
        scores{{0.5, &model_score, &exact_score}} {
    const Eigen::VectorXi cells = partition.assign(sampler.sample(400000, Stream(7, "masses")));
    masses = Vector::Zero(partition.size());
    for (Index i = 0; i < cells.size(); ++i) masses[cells[i]] += 1.0 / static_cast<double>(cells.size());
  }
  /// Everything a metric may ask for; \p samples outlives the input.
  [[nodiscard]] Given input(const Points& samples) const {
    return {.samples = &samples,
            .reference = &reference,
            .training = &training,
            .manifold = &manifold,
            .partition = &partition,
            .masses = &masses,
            .sampler = &sampler,
            .evaluation = evaluation,
            .feature_maps = &features,
            .scores = &scores,
            .reference_log_density = &log_density};
  }

  TwoBumpSampler sampler;
  Sphere manifold;
  Points reference;
  Points training;
  Points truth;  ///< fresh draws: what a perfect model would give
  BoxPartition partition;
  Vector masses;
  Stream evaluation;
  Vector log_density;  ///< what some model gave the reference
  Points exact_score;
  Points model_score;  ///< of a good model
  std::vector<ScoreLevel> scores;
  MadeFeatures features;
};

/// For values that are given with 15 digits.
inline void expect_relative(double value, double expected, double tolerance = 1e-12) {
  EXPECT_NEAR(value, expected, tolerance * std::abs(expected));
}

}  // namespace onmanifold::test
