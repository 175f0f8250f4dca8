// SPDX-License-Identifier: Apache-2.0
#include "metrics/sinkhorn.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/null_simulation.hpp"
#include "metrics/pairwise.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

// The soft minimum of a fixed set over its points: out_j = -eps log mean_i exp((f_i - |x_i - q_j|^2) / eps).
class SoftMinimum {
 public:
  SoftMinimum(const Points& x, double eps) : distances_(x, tree_mean(x)), eps_(eps) {}

  // \p mean_cost: where not null, sum_i C_ij exp((f_i + out_j - C_ij) / eps) / n of every query.
  [[nodiscard]] Vector operator()(const Points& queries, const Vector& f, Vector* mean_cost = nullptr) const {
    const Index n = distances_.size();
    const Index m = queries.cols();
    const Vector scaled = f / eps_;
    const double inverse = 1 / eps_;
    Vector largest = Vector::Constant(m, -std::numeric_limits<double>::infinity());
    Vector sum = Vector::Zero(m);
    Vector cost = Vector::Zero(mean_cost == nullptr ? 0 : m);
    alignas(64) std::array<double, SquaredDistances::block> below;
    distances_.visit(
        queries, [n](Index) { return n; },
        [&](Index j, Index begin, Index count, double* d2) {
          Eigen::Map<Eigen::ArrayXd> exponent(below.data(), count);
          const Eigen::Map<const Eigen::ArrayXd> squares(d2, count);
          exponent = squares * inverse - scaled.segment(begin, count).array();
          const double top = -exponent.minCoeff();
          if (top > largest[j]) {
            const double shrink = std::exp(largest[j] - top);
            sum[j] *= shrink;
            if (mean_cost != nullptr) cost[j] *= shrink;
            largest[j] = top;
          }
          exponent += largest[j];
          exp_minus(below.data(), count);
          sum[j] += exponent.sum();
          if (mean_cost != nullptr) cost[j] += (exponent * squares).sum();
        });
    if (mean_cost != nullptr) *mean_cost = cost.array() / sum.array();
    return -eps_ * (largest.array() + sum.array().log() - std::log(static_cast<double>(n)));
  }

 private:
  SquaredDistances distances_;
  double eps_;
};

void check(const Points& x, double eps) {
  if (x.cols() == 0) throw InvalidInput("sinkhorn: no points");
  check_finite(x, "sinkhorn");
  if (!(eps > 0) || !std::isfinite(eps)) throw InvalidInput(fmt::format("sinkhorn: eps {} is not positive", eps));
}

// sum_i |row sum of P - 1/n| where one update of f by the soft minimum turns \p f into \p next.
double marginal_error(const Vector& f, const Vector& next, double eps) {
  return tree_mean_of((((f - next).array() / eps).exp() - 1).abs().matrix());
}

class SinkhornMetric final : public Metric {
 public:
  SinkhornMetric(bool with_entropy, Settings& settings)
      : with_entropy_(with_entropy),
        eps_(settings.number("eps", 1, 1e-12, 1e12, "strength of the entropic term in units of the squared distance")),
        size_(settings.integer("size", 0, 0, "only the first so many points of each set; 0: all")),
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
    const FinitePair sets(input, record);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    const auto head = [&](const Points& all) -> Points {
      return all.leftCols(size_ > 0 ? std::min(size_, all.cols()) : all.cols());
    };
    const Points x = head(sets.reference());
    const Points y = head(sets.samples());
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
  const SoftMinimum over_x(x, eps);
  const SoftMinimum over_y(y, eps);
  Sinkhorn result;
  Vector f = Vector::Zero(x.cols());
  Vector cost;
  while (true) {
    ++result.sweeps;
    // After g is updated the columns of P sum to their weights, and the next f tells how far the rows are
    // off.
    const Vector g = over_x(y, f, &cost);
    const Vector next = over_y(x, g);
    result.converged = marginal_error(f, next, eps) <= rule.tolerance;
    if (result.converged || result.sweeps == rule.sweeps) {
      result.value = tree_mean_of(f) + tree_mean_of(g);
      result.cost = tree_mean_of(cost);
      return result;
    }
    f = next;
  }
}

Sinkhorn sinkhorn(const Points& x, double eps, const SinkhornRule& rule) {
  check(x, eps);
  const SoftMinimum over_x(x, eps);
  Sinkhorn result;
  Vector f = Vector::Zero(x.cols());
  Vector cost;
  while (true) {
    ++result.sweeps;
    const Vector next = over_x(x, f, &cost);
    result.converged = marginal_error(f, next, eps) <= rule.tolerance;
    if (result.converged || result.sweeps == rule.sweeps) {
      result.value = tree_mean_of(f) + tree_mean_of(next);
      result.cost = tree_mean_of(cost);
      return result;
    }
    f = 0.5 * (f + next);
  }
}

std::unique_ptr<Metric> make_sinkhorn_div(Settings& settings) {
  return std::make_unique<SinkhornMetric>(true, settings);
}
std::unique_ptr<Metric> make_sinkhorn_cost_div(Settings& settings) {
  return std::make_unique<SinkhornMetric>(false, settings);
}

}  // namespace onmanifold
