// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/finite_law.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {
namespace {

class DiffusedFiniteLaw final : public DiffusedScore {
 public:
  DiffusedFiniteLaw(const FiniteLaw& law, double lift)
      : atoms_(law.atoms()), log_probabilities_(law.probabilities().array().log()), lift_(lift) {}

  [[nodiscard]] Index dimension() const override { return atoms_.rows(); }

 private:
  void do_evaluate(const PointsRef& points, double a, double sigma, Points* score, Vector* log_density) const override {
    const double variance = sigma * sigma + a * a * lift_ * lift_;
    const Index count = atoms_.cols();
    Vector exponents(count);
    Vector mean(atoms_.rows());
    for (Index j = 0; j < points.cols(); ++j) {
      double largest = -std::numeric_limits<double>::infinity();
      for (Index k = 0; k < count; ++k) {
        double square = 0;
        for (Index i = 0; i < atoms_.rows(); ++i) {
          const double d = points(i, j) - a * atoms_(i, k);
          square += d * d;
        }
        exponents[k] = log_probabilities_[k] - square / (2 * variance);
        largest = std::max(largest, exponents[k]);
      }
      double total = 0;
      mean.setZero();
      for (Index k = 0; k < count; ++k) {
        const double share = std::exp(exponents[k] - largest);
        total += share;
        if (score != nullptr && share > 0) mean += share * atoms_.col(k);
      }
      if (score != nullptr) score->col(j) = (a / total * mean - points.col(j)) / variance;
      if (log_density != nullptr) {
        (*log_density)[j] =
            largest + std::log(total) - 0.5 * static_cast<double>(atoms_.rows()) * std::log(2 * M_PI * variance);
      }
    }
  }

  Points atoms_;
  Vector log_probabilities_;
  double lift_;
};

}  // namespace

Eigen::VectorXi AtomPartition::assign(const PointsRef& points) const {
  const std::vector<Index> numbers = atoms_->nearest(points);
  Eigen::VectorXi cells(points.cols());
  for (Index j = 0; j < points.cols(); ++j) cells[j] = static_cast<int>(numbers[static_cast<std::size_t>(j)]);
  return cells;
}

std::string AtomPartition::description() const {
  return fmt::format("{} atoms", size());
}

FiniteLaw::FiniteLaw(Points atoms, Vector probabilities)
    : atoms_(std::move(atoms)),
      probabilities_(std::move(probabilities)),
      set_(std::make_shared<const FiniteSet>(atoms_)) {
  if (probabilities_.size() != atoms_.cols() || !(probabilities_.minCoeff() > 0) ||
      !(std::abs(probabilities_.sum() - 1) <= 1e-12)) {
    throw InvalidInput("finite law: probabilities must be positive, one an atom, with sum 1");
  }
}

Points FiniteLaw::sample(Index n, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("sample: n = {} is negative", n));
  const Points pick = stream.uniform(1, n);
  Vector edges(probabilities_.size());
  double sum = 0;
  for (Index a = 0; a < edges.size(); ++a) edges[a] = sum += probabilities_[a];
  Points result(dimension(), n);
  for (Index j = 0; j < n; ++j) {
    const Index a = std::upper_bound(edges.begin(), edges.end(), pick(0, j)) - edges.begin();
    result.col(j) = atoms_.col(std::min(a, edges.size() - 1));
  }
  return result;
}

Vector FiniteLaw::log_density(const PointsRef& points) const {
  const std::vector<Index> numbers = set_->nearest(points);
  Vector result(points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    const Index number = numbers[static_cast<std::size_t>(j)];
    result[j] = number < 0 ? std::numeric_limits<double>::quiet_NaN() : portable::log(probabilities_[number]);
  }
  return result;
}

std::optional<double> FiniteLaw::entropy() const {
  return tree_sum_over(probabilities_.size(),
                       [&](Index a) { return -probabilities_[a] * portable::log(probabilities_[a]); });
}

double FiniteLaw::standard_deviation() const {
  double square = 0;
  for (Index i = 0; i < atoms_.rows(); ++i) {
    const double mean = tree_sum_over(atoms_.cols(), [&](Index a) { return probabilities_[a] * atoms_(i, a); });
    square += tree_sum_over(
        atoms_.cols(), [&](Index a) { return probabilities_[a] * ((atoms_(i, a) - mean) * (atoms_(i, a) - mean)); });
  }
  return std::sqrt(square / static_cast<double>(atoms_.rows()));
}

Vector draw_probabilities(Index count, Stream stream) {
  if (count < 1 || count > 1000) throw InvalidInput(fmt::format("draw_probabilities: {} atoms", count));
  const Points uniform = stream.uniform(1, count);
  Vector weights(count);
  double total = 0;
  for (Index a = 0; a < count; ++a) total += weights[a] = -portable::log(uniform(0, a));
  double rest = 1e6;
  Index largest = 0;
  for (Index a = 0; a < count; ++a) {
    weights[a] = std::max(1.0, std::round(1e6 * weights[a] / total));
    rest -= weights[a];
    if (weights[a] > weights[largest]) largest = a;
  }
  weights[largest] += rest;  // a few units of 1e-6
  return weights / 1e6;
}

std::shared_ptr<const DiffusedScore> make_diffused_finite_law(const FiniteLaw& law, const Lift& lift) {
  return std::make_shared<DiffusedFiniteLaw>(law, lift.type == LiftType::none ? 0.0 : lift.sigma);
}

}  // namespace onmanifold
