// SPDX-License-Identifier: Apache-2.0
#include "metrics/sinkhorn.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include <Eigen/Cholesky>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/null_simulation.hpp"
#include "metrics/pairwise.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

// Soft minima over both sets: out_j = -eps log mean_i exp((f_i - C_ij) / eps) for every query j, and, where \p
// mean_cost is not null, sum_i C_ij exp((f_i + out_j - C_ij) / eps) / n.
class SoftMinima {
 public:
  virtual ~SoftMinima() = default;
  /// Over the first set for every point of the second.
  [[nodiscard]] virtual Vector over_x(const Vector& f, double eps, Vector* mean_cost) const = 0;
  /// Over the second set for every point of the first.
  [[nodiscard]] virtual Vector over_y(const Vector& g, double eps) const = 0;
  [[nodiscard]] virtual double largest_cost() const = 0;
  /// All costs, or null where they are not kept.
  [[nodiscard]] virtual const Eigen::MatrixXd* costs() const { return nullptr; }
};

class KeptCosts final : public SoftMinima {
 public:
  KeptCosts(const Points& x, const Points& y) : costs_(x.cols(), y.cols()) {
    const SquaredDistances distances(x, tree_mean(x));
    distances.visit(
        y, [&x](Index) { return x.cols(); },
        [&](Index j, Index begin, Index count, const double* d2) {
          costs_.col(j).segment(begin, count) = Eigen::Map<const Vector>(d2, count);
        });
    transposed_ = costs_.transpose();
  }
  [[nodiscard]] Vector over_x(const Vector& f, double eps, Vector* mean_cost) const override {
    return soft(costs_, f, eps, mean_cost);
  }
  [[nodiscard]] Vector over_y(const Vector& g, double eps) const override { return soft(transposed_, g, eps, nullptr); }
  [[nodiscard]] double largest_cost() const override { return costs_.maxCoeff(); }
  [[nodiscard]] const Eigen::MatrixXd* costs() const override { return &costs_; }

 private:
  static Vector soft(const Eigen::MatrixXd& costs, const Vector& f, double eps, Vector* mean_cost) {
    Vector result(costs.cols());
    if (mean_cost != nullptr) mean_cost->resize(costs.cols());
    const double log_n = std::log(static_cast<double>(costs.rows()));
    Eigen::ArrayXd above(costs.rows());
    for (Index j = 0; j < costs.cols(); ++j) {
      above = costs.col(j).array() - f.array();
      const double least = above.minCoeff();
      above = (above - least) / eps;
      exp_minus(above.data(), above.size());
      const double sum = above.sum();
      result[j] = least - eps * (std::log(sum) - log_n);
      if (mean_cost != nullptr) (*mean_cost)[j] = (above * costs.col(j).array()).sum() / sum;
    }
    return result;
  }

  Eigen::MatrixXd costs_;
  Eigen::MatrixXd transposed_;
};

// Costs computed again in every sweep, for sets whose costs do not fit.
class TiledCosts final : public SoftMinima {
 public:
  TiledCosts(const Points& x, const Points& y)
      : x_(x), y_(y), centre_(tree_mean(x)), from_x_(x, centre_), from_y_(y, centre_) {}
  [[nodiscard]] Vector over_x(const Vector& f, double eps, Vector* mean_cost) const override {
    return soft(from_x_, y_, f, eps, mean_cost);
  }
  [[nodiscard]] Vector over_y(const Vector& g, double eps) const override { return soft(from_y_, x_, g, eps, nullptr); }
  [[nodiscard]] double largest_cost() const override {
    const double a = (x_.colwise() - centre_).colwise().norm().maxCoeff();
    const double b = (y_.colwise() - centre_).colwise().norm().maxCoeff();
    return (a + b) * (a + b);
  }

 private:
  static Vector soft(const SquaredDistances& distances, const Points& queries, const Vector& f, double eps,
                     Vector* mean_cost) {
    const Index n = distances.size();
    const Index m = queries.cols();
    Vector least = Vector::Constant(m, std::numeric_limits<double>::infinity());
    Vector sum = Vector::Zero(m);
    Vector cost = Vector::Zero(m);
    alignas(64) std::array<double, SquaredDistances::block> values;
    distances.visit(
        queries, [n](Index) { return n; },
        [&](Index j, Index begin, Index count, const double* d2) {
          Eigen::Map<Eigen::ArrayXd> above(values.data(), count);
          const Eigen::Map<const Eigen::ArrayXd> squares(d2, count);
          above = squares - f.segment(begin, count).array();
          const double lowest = above.minCoeff();
          if (lowest < least[j]) {
            const double shrink = std::exp((lowest - least[j]) / eps);
            sum[j] *= shrink;
            cost[j] *= shrink;
            least[j] = lowest;
          }
          above = (above - least[j]) / eps;
          exp_minus(values.data(), count);
          sum[j] += above.sum();
          cost[j] += (above * squares).sum();
        });
    if (mean_cost != nullptr) *mean_cost = cost.array() / sum.array();
    return least.array() - eps * (sum.array().log() - std::log(static_cast<double>(n)));
  }

  const Points& x_;
  const Points& y_;
  Vector centre_;
  SquaredDistances from_x_;
  SquaredDistances from_y_;
};

std::unique_ptr<SoftMinima> soft_minima(const Points& x, const Points& y) {
  constexpr Index kept = 25'000'000;  // two arrays of 200 MB
  std::unique_ptr<SoftMinima> result;
  if (x.cols() <= kept / y.cols()) {
    result = std::make_unique<KeptCosts>(x, y);
  } else {
    result = std::make_unique<TiledCosts>(x, y);
  }
  if (!std::isfinite(result->largest_cost())) throw NumericalFailure("sinkhorn: costs overflow");
  return result;
}

void check(const Points& x, double eps) {
  if (x.cols() == 0) throw InvalidInput("sinkhorn: no points");
  check_finite(x, "sinkhorn");
  if (!(eps > 0) || !std::isfinite(eps)) throw InvalidInput(fmt::format("sinkhorn: eps {} is not positive", eps));
}

// sum_i |row sum of P - 1/n| where one update of f by the soft minimum turns \p f into \p next.
double marginal_error(const Vector& f, const Vector& next, double eps) {
  return tree_mean_of((((f - next).array() / eps).exp() - 1).abs().matrix());
}

// Levels of eps from the largest cost down to eps: each starts where the one before ended.
std::vector<double> levels(double largest_cost, double eps) {
  std::vector<double> result;
  for (double level = largest_cost; level > 2 * eps; level /= 4) result.push_back(level);
  result.push_back(eps);
  return result;
}
constexpr Index warm_sweeps = 20;  // at most, of a level above eps
constexpr double warm_error = 0.01;

// Newton's method for f, with g the soft minimum of f: concave, gradient a - P 1, Hessian -(diag(P 1) - P diag(1/b) Pᵀ)
// / eps. Slow modes, where sets exchange mass over large costs, are no slower for it. \return whether it converged
bool newton(const SoftMinima& soft, double eps, const SinkhornRule& rule, Vector& f) {
  const Eigen::MatrixXd& costs = *soft.costs();
  const auto n = static_cast<double>(costs.rows());
  const auto m = static_cast<double>(costs.cols());
  const auto dual = [&](const Vector& at) { return tree_mean_of(at) + tree_mean_of(soft.over_x(at, eps, nullptr)); };
  double value = dual(f);
  constexpr int most_steps = 100;
  for (int step = 0; step < most_steps; ++step) {
    const Vector g = soft.over_x(f, eps, nullptr);
    if (marginal_error(f, soft.over_y(g, eps), eps) <= rule.tolerance) return true;
    const Eigen::MatrixXd plan =
        (((-costs).colwise() + f).rowwise() + g.transpose()).array().unaryExpr([eps](double x) {
          return std::exp(x / eps);
        }) /
        (n * m);
    const Vector rows = plan.rowwise().sum();
    Eigen::MatrixXd hessian = -m * plan * plan.transpose();
    hessian.diagonal() += rows;
    // One constant is free; what exchanges no mass at all stays where it is.
    hessian.array() += 1 / (n * n);
    hessian.diagonal().array() += 1e-16;
    Vector change = eps * hessian.ldlt().solve(Vector(1 / n - rows.array()));
    if (!change.allFinite()) return false;
    double length = std::min(1.0, 20 * eps / std::max(change.cwiseAbs().maxCoeff(), 1e-300));
    bool better = false;
    for (int halving = 0; halving < 30 && !better; ++halving, length /= 2) {
      const Vector next = f + length * change;
      const double reached = dual(next);
      better = reached >= value - 1e-15 * std::abs(value);
      if (better) {
        f = next;
        value = reached;
      }
    }
    if (!better) return false;
  }
  return false;
}
constexpr Index newton_size = 600;  // points of the first set
constexpr Index sweeps_before_newton = 100;

class SinkhornMetric final : public Metric {
 public:
  SinkhornMetric(bool with_entropy, Settings& settings)
      : with_entropy_(with_entropy),
        eps_(settings.number("eps", 1, 1e-12, 1e12, "strength of the entropic term in units of the squared distance")),
        size_(settings.integer("size", 0, 0, "so many points of each set, drawn at random; 0: all")),
        rule_{settings.number("tolerance", 1e-9, 1e-15, 1, "error of the marginals at which the iteration stops"),
              settings.integer("sweeps", 10'000, 1, "iterations at most")} {}

 private:
  struct Divergences {
    double value = MetricRecord::unknown;
    double cost = MetricRecord::unknown;
    bool converged = false;
  };

  [[nodiscard]] Divergences divergences(const Points& x, const Points& y) const {
    return divergences(x, y, sinkhorn(x, eps_, rule_));
  }
  [[nodiscard]] Divergences divergences(const Points& x, const Points& y, const Sinkhorn& xx) const {
    if (x.cols() == y.cols() && x == y) return {0, 0, xx.converged};
    const Sinkhorn yy = sinkhorn(y, eps_, rule_);
    const Sinkhorn xy = sinkhorn(x, y, eps_, rule_);
    return {xy.value - 0.5 * (xx.value + yy.value), xy.cost - 0.5 * (xx.cost + yy.cost),
            xx.converged && yy.converged && xy.converged};
  }
  [[nodiscard]] double pick(const Divergences& d) const { return with_entropy_ ? d.value : d.cost; }

  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    const char* name = with_entropy_ ? "sinkhorn_div" : "sinkhorn_cost_div";
    Value::Table parameters;
    parameters["space"] = "ambient";
    parameters["cost"] = "squared euclidean distance";
    parameters["eps"] = eps_;
    parameters["size"] = static_cast<std::int64_t>(size_);
    parameters["stop"] = fmt::format("marginal error <= {}, at most {} sweeps", rule_.tolerance, rule_.sweeps);
    MetricRecord record = make_record(name, "lower", parameters, input);
    record.unit = "length^2";
    record.version = 3;  // 2: converges where it did not; 3: size draws
    const FinitePair sets(input, record);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    // In lexicographic order: equal sets are at 0 whatever the order of their rows.
    const auto some = [&](const FiniteColumns& all) { return FiniteColumns(all.drawn(size_)).sorted(); };
    const Points x = some(input.target.finite());
    const Points y = some(input.finite());
    record.n_reference = x.cols();
    const std::string key = fmt::format("sinkhorn/{}/{}/{}/{}", eps_, rule_.tolerance, rule_.sweeps, size_);
    const auto own = input.target.memo().get<Sinkhorn>(key, [&] { return sinkhorn(x, eps_, rule_); });
    const auto result = input.memo().get<Divergences>(key, [&] { return divergences(x, y, *own); });
    // Simulated pairs in the time of some ten problems of 300 by 300 points.
    constexpr Index pairs = 1'000'000;
    const Index draws = std::min<Index>(40, pairs / std::max<Index>(1, x.cols() * y.cols()));
    const bool simulate = draws >= 8 && input.target.sampler != nullptr;
    parameters["null_method"] = "none: read the oracle's row";
    if (simulate) {
      NullPlan plan;
      plan.small_draws = draws;
      plan.small_total = x.cols() + y.cols();
      const auto null = simulated_null(
          input, fmt::format("sinkhorn(eps={},tolerance={},sweeps={})", eps_, rule_.tolerance, rule_.sweeps), x.cols(),
          y.cols(), 2, plan, [&](const Points& a, const Points& b) -> Vector {
            const Divergences d = divergences(a, b);
            return Eigen::Vector2d(d.value, d.cost);
          });
      record.null = null->mean[with_entropy_ ? 0 : 1];
      record.null_sd = null->sd[with_entropy_ ? 0 : 1];
      parameters["null_method"] = null->method;
    }
    record.parameters = to_json(parameters);
    if (!result->converged) return {failed(record, fmt::format("not converged after {} sweeps", rule_.sweeps))};
    record.value = pick(*result);
    return {record};
  }

  bool with_entropy_;
  double eps_;
  Index size_;
  SinkhornRule rule_;
};

}  // namespace

Sinkhorn sinkhorn(const Points& x, const Points& y, double eps, const SinkhornRule& rule) {
  check_dimension(y, x.rows(), "samples");
  check(x, eps);
  check(y, eps);
  const std::unique_ptr<SoftMinima> soft = soft_minima(x, y);
  Sinkhorn result;
  Vector f = Vector::Zero(x.cols());
  Vector cost;
  bool try_newton = soft->costs() != nullptr && x.cols() <= newton_size;
  for (const double level : levels(soft->largest_cost(), eps)) {
    const bool last = level == eps;
    for (Index sweep = 1;; ++sweep) {
      ++result.sweeps;
      // After g is updated the columns of P sum to their weights, and the next f tells how far the rows are off.
      const Vector g = soft->over_x(f, level, &cost);
      const Vector next = soft->over_y(g, level);
      const double error = marginal_error(f, next, level);
      if (!last && (error <= warm_error || sweep == warm_sweeps)) break;
      result.converged = last && error <= rule.tolerance;
      if (last && (result.converged || sweep >= rule.sweeps)) {
        result.value = tree_mean_of(f) + tree_mean_of(g);
        result.cost = tree_mean_of(cost);
        return result;
      }
      f = next;
      if (last && try_newton && sweep == sweeps_before_newton) {
        try_newton = false;
        Vector better = f;
        if (newton(*soft, eps, rule, better)) f = better;
      }
    }
  }
  return result;
}

Sinkhorn sinkhorn(const Points& x, double eps, const SinkhornRule& rule) {
  check(x, eps);
  const std::unique_ptr<SoftMinima> soft = soft_minima(x, x);
  Sinkhorn result;
  Vector f = Vector::Zero(x.cols());
  Vector cost;
  for (const double level : levels(soft->largest_cost(), eps)) {
    const bool last = level == eps;
    for (Index sweep = 1;; ++sweep) {
      ++result.sweeps;
      const Vector next = soft->over_x(f, level, &cost);
      const double error = marginal_error(f, next, level);
      if (!last && (error <= warm_error || sweep == warm_sweeps)) break;
      result.converged = last && error <= rule.tolerance;
      if (last && (result.converged || sweep >= rule.sweeps)) {
        result.value = tree_mean_of(f) + tree_mean_of(next);
        result.cost = tree_mean_of(cost);
        return result;
      }
      f = 0.5 * (f + next);
    }
  }
  return result;
}

std::unique_ptr<Metric> make_sinkhorn_div(Settings& settings) {
  return std::make_unique<SinkhornMetric>(true, settings);
}
std::unique_ptr<Metric> make_sinkhorn_cost_div(Settings& settings) {
  return std::make_unique<SinkhornMetric>(false, settings);
}

}  // namespace onmanifold
