// SPDX-License-Identifier: Apache-2.0
#include "metrics/c2st.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <Eigen/Cholesky>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "core/random/stream.hpp"
#include "metrics/null_simulation.hpp"
#include "metrics/pairwise.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

constexpr int folds = 5;
constexpr Index least = 20;

struct Pooled {
  Points points;  // reference first
  Index n = 0;
  Index m = 0;
  std::vector<int> fold;
};

Pooled pool(const Points& x, const Points& y, std::uint64_t seed) {
  Pooled pooled;
  pooled.n = x.cols();
  pooled.m = y.cols();
  pooled.points.resize(x.rows(), x.cols() + y.cols());
  pooled.points << x, y;
  const Vector mean = tree_mean(x);
  Vector scale(x.rows());
  for (Index c = 0; c < x.rows(); ++c) {
    const double sd = moments_of(Vector(x.row(c).transpose())).sd;
    scale[c] = sd > 0 ? 1 / sd : 1;  // a constant coordinate stays in its own unit
  }
  pooled.points = scale.asDiagonal() * (pooled.points.colwise() - mean).eval();
  pooled.fold.resize(static_cast<std::size_t>(pooled.points.cols()));
  const auto deal = [&](const char* name, Index first, Index count) {
    Stream stream = Stream(seed, "metrics/c2st").at(name);
    const std::vector<Index> order = stream.permutation(count);
    for (Index i = 0; i < count; ++i)
      pooled.fold[static_cast<std::size_t>(first + order[static_cast<std::size_t>(i)])] = static_cast<int>(i % folds);
  };
  deal("reference", 0, pooled.n);
  deal("samples", pooled.n, pooled.m);
  return pooled;
}

// What every point is taken for: 1 a sample, 0 the reference, 1/2 undecided; by its nearest neighbours in the other
// folds. Where several points are as far as the last neighbour, all of them share its vote.
std::vector<double> by_neighbours(const Pooled& pooled) {
  constexpr std::size_t k = 15;
  const Index all = pooled.points.cols();
  const SquaredDistances distances(pooled.points, tree_mean(pooled.points));
  // Scalar products round: equal points are found at distances that differ by this share of their size.
  const Vector norms = (pooled.points.colwise() - tree_mean(pooled.points)).colwise().squaredNorm();
  const double slack = distances.products() ? 1e-12 : 0;
  const auto among_others = [&](Index j, Index begin, Index count, const double* d2, const auto& use) {
    const int own = pooled.fold[static_cast<std::size_t>(j)];
    for (Index i = 0; i < count; ++i) {
      if (pooled.fold[static_cast<std::size_t>(begin + i)] != own) use(begin + i, d2[i]);
    }
  };
  std::vector<std::vector<double>> heaps(static_cast<std::size_t>(all));
  distances.visit(
      pooled.points, [all](Index) { return all; },
      [&](Index j, Index begin, Index count, const double* d2) {
        std::vector<double>& heap = heaps[static_cast<std::size_t>(j)];
        among_others(j, begin, count, d2, [&](Index, double distance) {
          if (heap.size() == k) {
            if (distance >= heap.front()) return;
            std::pop_heap(heap.begin(), heap.end());
            heap.pop_back();
          }
          heap.push_back(distance);
          std::push_heap(heap.begin(), heap.end());
        });
      });
  // Nearer than the last one, and as far: of samples and of the reference.
  struct Votes {
    double near[2] = {0, 0};
    double tied[2] = {0, 0};
  };
  std::vector<Votes> votes(static_cast<std::size_t>(all));
  distances.visit(
      pooled.points, [all](Index) { return all; },
      [&](Index j, Index begin, Index count, const double* d2) {
        const double last = heaps[static_cast<std::size_t>(j)].front();
        const double tolerance = slack * (norms[j] + last);
        among_others(j, begin, count, d2, [&](Index i, double distance) {
          if (distance > last + tolerance) return;
          Votes& own = votes[static_cast<std::size_t>(j)];
          (distance < last - tolerance ? own.near : own.tied)[i < pooled.n ? 0 : 1] += 1;
        });
      });
  std::vector<double> decision;
  for (const Votes& own : votes) {
    const double open = static_cast<double>(k) - own.near[0] - own.near[1];
    const double each = open / (own.tied[0] + own.tied[1]);
    // Shares of the classes, so that the larger set has no head start.
    const double samples = (own.near[1] + each * own.tied[1]) * static_cast<double>(pooled.n);
    const double reference = (own.near[0] + each * own.tied[0]) * static_cast<double>(pooled.m);
    const bool even = std::abs(samples - reference) <= 1e-12 * (samples + reference);
    decision.push_back(even ? 0.5 : samples > reference ? 1 : 0);
  }
  return decision;
}

double undecided(double score) {
  return score > 0 ? 1 : score < 0 ? 0 : 0.5;
}

// The same by a logistic regression fitted to the other folds, Newton's method from 0.
std::vector<double> by_logistic(const Pooled& pooled) {
  const Index all = pooled.points.cols();
  const Index size = pooled.points.rows() + 1;
  Points features(size, all);
  features << pooled.points, Eigen::RowVectorXd::Ones(all);
  std::vector<double> decision(static_cast<std::size_t>(all));
  for (int fold = 0; fold < folds; ++fold) {
    std::vector<Index> training;
    for (Index i = 0; i < all; ++i) {
      if (pooled.fold[static_cast<std::size_t>(i)] != fold) training.push_back(i);
    }
    const Points z = features(Eigen::all, training);
    Vector target(z.cols());
    Vector weight(z.cols());
    for (Index i = 0; i < z.cols(); ++i) {
      const bool sample = training[static_cast<std::size_t>(i)] >= pooled.n;
      target[i] = sample ? 1 : 0;
      weight[i] = 0.5 / static_cast<double>(sample ? pooled.m : pooled.n);
    }
    weight /= weight.sum();
    constexpr double penalty = 1e-3;
    Vector beta = Vector::Zero(size);
    for (int step = 0; step < 30; ++step) {
      const Vector score = z.transpose() * beta;
      const Vector p = (1 + (-score.array()).exp()).inverse();
      Vector gradient = z * weight.cwiseProduct(p - target) + penalty * beta;
      const Vector curvature = weight.array() * p.array() * (1 - p.array());
      Eigen::MatrixXd hessian = z * curvature.asDiagonal() * z.transpose();
      hessian.diagonal().array() += penalty;
      const Vector change = hessian.llt().solve(gradient);
      if (!change.allFinite()) throw NumericalFailure("c2st: the regression overflows");
      // The penalty bounds the curvature from below; a step longer than 5 is cut.
      beta -= change * std::min(1.0, 5 / std::max(change.norm(), 1e-300));
      if (change.norm() < 1e-9) break;
    }
    for (Index i = 0; i < all; ++i) {
      if (pooled.fold[static_cast<std::size_t>(i)] == fold)
        decision[static_cast<std::size_t>(i)] = undecided(features.col(i).dot(beta));
    }
  }
  return decision;
}

class C2st final : public Metric {
 public:
  explicit C2st(Settings& settings)
      : classifier_(parse_named<Classifier>(settings.choice("classifier", "knn15", words_of<Classifier>(),
                                                            "majority of 15 neighbours, or logistic regression"))),
        seed_(settings.integer("seed", 0, 0, "of the random choices of the metric")) {}

 private:
  [[nodiscard]] double value(const Points& x, const Points& y) const {
    return c2st(x, y, classifier_, static_cast<std::uint64_t>(seed_));
  }

  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "ambient, standardised by the reference";
    parameters["classifier"] = std::string(name_of(classifier_));
    parameters["folds"] = folds;
    parameters["seed"] = static_cast<std::int64_t>(seed_);
    MetricRecord record = make_record("c2st", "target", parameters, input);
    record.target = 0.5;
    record.version = 2;  // ties share a vote; folds do not depend on the order of rows
    const FiniteColumns& samples = input.finite();
    record.n_nonfinite = samples.nonfinite();
    if (input.target.reference == nullptr) return {not_applicable(record, "no reference")};
    const FiniteColumns& reference = input.target.finite();
    record.n_reference = reference.size();
    if (reference.size() < least) return {not_applicable(record, fmt::format("fewer than {} reference points", least))};
    if (samples.size() < least) return {failed(record, fmt::format("fewer than {} finite samples", least))};
    record.value = value(reference.sorted(), samples.sorted());
    NullPlan plan;
    plan.points = 0;
    plan.smallest = least;
    const auto null = simulated_null(
        input, fmt::format("c2st({},seed={})", name_of(classifier_), seed_), reference.size(), samples.size(), 1, plan,
        [&](const Points& x, const Points& y) { return Vector::Constant(1, value(x, y)); });
    record.null = 0.5;
    record.null_sd = null->sd[0];
    parameters["null_method"] = "one half; " + null->method;
    record.parameters = to_json(parameters);
    return {record};
  }

  [[nodiscard]] std::optional<int> do_degree() const override { return 0; }

  Classifier classifier_;
  Index seed_;
};

}  // namespace

double c2st(const Points& x, const Points& y, Classifier classifier, std::uint64_t seed) {
  check_dimension(y, x.rows(), "samples");
  if (std::min(x.cols(), y.cols()) < least) throw InvalidInput(fmt::format("c2st: fewer than {} points", least));
  const Pooled pooled = pool(x, y, seed);
  const std::vector<double> decision = classifier == Classifier::knn15 ? by_neighbours(pooled) : by_logistic(pooled);
  const auto end_x = decision.begin() + pooled.n;
  const double right_x = static_cast<double>(pooled.n) - std::accumulate(decision.begin(), end_x, 0.0);
  const double right_y = std::accumulate(end_x, decision.end(), 0.0);
  return 0.5 * (right_x / static_cast<double>(pooled.n) + right_y / static_cast<double>(pooled.m));
}

std::unique_ptr<Metric> make_c2st(Settings& settings) {
  return std::make_unique<C2st>(settings);
}

}  // namespace onmanifold
