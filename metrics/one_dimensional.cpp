// SPDX-License-Identifier: Apache-2.0
#include "metrics/one_dimensional.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "core/math/summation.hpp"
#include "metrics/null_simulation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

// Whether a value occurs twice in both sets together.
bool has_ties(const Eigen::RowVectorXd& x, const Eigen::RowVectorXd& y) {
  std::vector<double> all(x.begin(), x.end());
  all.insert(all.end(), y.begin(), y.end());
  std::sort(all.begin(), all.end());
  return std::adjacent_find(all.begin(), all.end()) != all.end();
}

constexpr double largest_table = 4e6;

// Whether paths are counted.
bool counts_paths(Index n, Index m) {
  return static_cast<double>(n) * static_cast<double>(m) <= largest_table;
}

class Ks final : public Metric {
 public:
  explicit Ks(Settings& settings) : coordinate_(settings.integer("coordinate", 0, 0, "which coordinate, from 0")) {}

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "ambient coordinate";
    parameters["coordinate"] = static_cast<std::int64_t>(coordinate_);
    parameters["null_method"] = "Kolmogorov's limit law";
    MetricRecord record = make_record("ks", "lower", parameters, input);
    if (coordinate_ >= input.samples->rows()) throw InvalidInput(fmt::format("ks: no coordinate {}", coordinate_));
    const FinitePair sets(input, record);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    record.value =
        kolmogorov_smirnov(sets.reference().row(coordinate_).transpose(), sets.samples().row(coordinate_).transpose());
    record.p_value = kolmogorov_smirnov_two_sample_p(sets.reference().cols(), sets.samples().cols(), record.value);
    const bool counted = counts_paths(sets.reference().cols(), sets.samples().cols());
    const bool tied = has_ties(sets.reference().row(coordinate_), sets.samples().row(coordinate_));
    if (tied) parameters["null_method"] = "Kolmogorov's limit law; an upper bound, for values are tied";
    parameters["p_method"] = !counted ? "limit distribution"
                             : tied   ? "lattice paths; an upper bound, for values are tied"
                                      : "lattice paths, exact";
    record.parameters = to_json(parameters);
    const double rate =
        std::sqrt(1 / static_cast<double>(sets.reference().cols()) + 1 / static_cast<double>(sets.samples().cols()));
    const double log2 = std::log(2.0);
    record.null = std::sqrt(M_PI / 2) * log2 * rate;
    record.null_sd = std::sqrt(M_PI * M_PI / 12 - M_PI / 2 * log2 * log2) * rate;
    return {record};
  }

  [[nodiscard]] std::optional<int> do_degree() const override { return 0; }

  Index coordinate_;
};

class SlicedW2 final : public Metric {
 public:
  explicit SlicedW2(Settings& settings)
      : count_(settings.integer("directions", 64, 1, 100000, "random lines")),
        seed_(settings.integer("seed", 0, 0, "of the random choices of the metric")) {}

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "ambient";
    const bool given = input.target.directions != nullptr;
    if (given) {
      parameters["directions"] = static_cast<std::int64_t>(input.target.directions->cols());
      parameters["directions_hash"] = fingerprint(*input.target.directions);
    } else {
      parameters["directions"] = static_cast<std::int64_t>(count_);
      parameters["seed"] = static_cast<std::int64_t>(seed_);
    }
    MetricRecord record = make_record("sliced_w2", "lower", parameters, input);
    record.version = 2;  // centred on the reference
    record.unit = "length";
    const FinitePair sets(input, record);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    Points directions = given ? *input.target.directions
                              : Stream(static_cast<std::uint64_t>(seed_), "metrics/sliced_w2/directions")
                                    .normal(input.samples->rows(), count_);
    check_dimension(directions, input.samples->rows(), "directions");
    if (directions.cols() == 0 || !directions.allFinite() || !(directions.colwise().norm().minCoeff() > 0))
      throw InvalidInput("sliced_w2: a direction has no length, or there is none");
    directions.colwise().normalize();
    record.value = sliced_w2(sets.reference(), sets.samples(), directions);
    NullPlan plan;
    plan.points = 80'000;
    plan.vanishing = true;
    const auto null = simulated_null(
        input,
        given ? "sliced_w2(" + fingerprint(directions) + ")"
              : fmt::format("sliced_w2(directions={},seed={})", count_, seed_),
        sets.reference().cols(), sets.samples().cols(), 1, plan,
        [&](const Points& x, const Points& y) { return Vector::Constant(1, sliced_w2(x, y, directions)); });
    record.null = null->mean[0];
    record.null_sd = null->sd[0];
    parameters["null_method"] = null->method;
    record.parameters = to_json(parameters);
    return {record};
  }

  [[nodiscard]] std::optional<int> do_degree() const override { return 1; }

  Index count_;
  Index seed_;
};

}  // namespace

double kolmogorov_smirnov(Vector x, Vector y) {
  if (x.size() == 0 || y.size() == 0) throw InvalidInput("ks: no points");
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  Index i = 0;
  Index j = 0;
  double largest = 0;
  while (i < x.size() && j < y.size()) {
    const double at = std::min(x[i], y[j]);
    while (i < x.size() && x[i] <= at) ++i;
    while (j < y.size() && y[j] <= at) ++j;
    largest = std::max(largest, std::abs(static_cast<double>(i) / static_cast<double>(x.size()) -
                                         static_cast<double>(j) / static_cast<double>(y.size())));
  }
  return largest;
}

double kolmogorov_smirnov_two_sample_p(Index n, Index m, double d) {
  if (n < 1 || m < 1 || !(d >= 0) || d > 1 + 1e-12) throw InvalidInput("ks: no such distance");
  const auto a = static_cast<double>(n);
  const auto b = static_cast<double>(m);
  if (!counts_paths(n, m)) return kolmogorov_smirnov_p(std::lround(a * b / (a + b)), std::min(d, 1.0));
  // Probability that a random lattice path to (i, j) has met |i/n - j/m| >= d on its way; in integers,
  // without rounding.
  const auto limit = static_cast<std::int64_t>(std::llround(d * a * b));
  Vector met(m + 1);
  for (Index i = 0; i <= n; ++i) {
    for (Index j = 0; j <= m; ++j) {
      if (std::abs(static_cast<std::int64_t>(i * m - j * n)) >= limit) {
        met[j] = 1;
      } else {
        const double left = j > 0 ? met[j - 1] * static_cast<double>(j) : 0;
        const double below = i > 0 ? met[j] * static_cast<double>(i) : 0;
        met[j] = i + j == 0 ? 0 : (left + below) / static_cast<double>(i + j);
      }
    }
  }
  return met[m];
}

double line_transport(Vector x, Vector y, int p) {
  if (x.size() == 0 || y.size() == 0) throw InvalidInput("line transport: no points");
  if (p != 1 && p != 2) throw InvalidInput("line transport: p is 1 or 2");
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  const Index n = x.size();
  const Index m = y.size();
  TreeSum sum;
  // Masses are integers in units of 1/(N M): M a point of x, N a point of y.
  Index left_x = m;
  Index left_y = n;
  for (Index i = 0, j = 0; i < n && j < m;) {
    const Index mass = std::min(left_x, left_y);
    const double distance = std::abs(x[i] - y[j]);
    sum.add(static_cast<double>(mass) * (p == 1 ? distance : distance * distance));
    left_x -= mass;
    left_y -= mass;
    if (left_x == 0) ++i, left_x = m;
    if (left_y == 0) ++j, left_y = n;
  }
  return sum.sum() / (static_cast<double>(n) * static_cast<double>(m));
}

double sliced_w2(const Points& x, const Points& y, const Points& directions) {
  check_dimension(y, x.rows(), "samples");
  check_dimension(directions, x.rows(), "directions");
  // Common offsets would cancel in the products.
  const Vector centre = tree_mean(x);
  const Points a = x.colwise() - centre;
  const Points b = y.colwise() - centre;
  Vector squares(directions.cols());
  for (Index l = 0; l < directions.cols(); ++l) {
    squares[l] = line_transport(a.transpose() * directions.col(l), b.transpose() * directions.col(l), 2);
  }
  return std::sqrt(tree_mean_of(squares));
}

std::unique_ptr<Metric> make_ks(Settings& settings) {
  return std::make_unique<Ks>(settings);
}
std::unique_ptr<Metric> make_sliced_w2(Settings& settings) {
  return std::make_unique<SlicedW2>(settings);
}

}  // namespace onmanifold
