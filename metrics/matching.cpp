// SPDX-License-Identifier: Apache-2.0
#include "metrics/matching.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/math/summation.hpp"
#include "metrics/neighbours.hpp"
#include "metrics/null_simulation.hpp"
#include "metrics/pairwise.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

enum class Kind { cov_match, mmd_min, mmd_min_gen, chamfer, one_nna };

class MatchingMetric final : public Metric {
 public:
  MatchingMetric(Kind kind, Settings& settings) : kind_(kind) {
    if (kind == Kind::one_nna)
      permutations_ = settings.integer("permutations", 0, 0, 100'000, "random relabellings for a p-value; 0: none");
    if (kind == Kind::mmd_min || kind == Kind::mmd_min_gen || kind == Kind::chamfer) {
      squared_ = settings.boolean("squared", true, "mean of squared distances; false: of distances");
    }
  }

 private:
  [[nodiscard]] double value(const Points& x, const Points& y) const {
    switch (kind_) {
      case Kind::cov_match:
        return cov_match(x, y);
      case Kind::mmd_min:
        return mean_nearest_distance(x, y, squared_);
      case Kind::mmd_min_gen:
        return mean_nearest_distance(y, x, squared_);
      case Kind::chamfer:
        return mean_nearest_distance(x, y, squared_) + mean_nearest_distance(y, x, squared_);
      case Kind::one_nna:
        break;
    }
    return one_nna(x, y).accuracy;
  }

  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    static constexpr const char* names[] = {"cov_match", "mmd_min", "mmd_min_gen", "chamfer", "one_nna"};
    const std::string name = names[static_cast<int>(kind_)];
    Value::Table parameters;
    parameters["space"] = "ambient";
    const bool distance = kind_ != Kind::cov_match && kind_ != Kind::one_nna;
    if (distance) parameters["squared"] = squared_;
    const char* direction = kind_ == Kind::cov_match ? "higher" : kind_ == Kind::one_nna ? "target" : "lower";
    MetricRecord record = make_record(name, direction, parameters, input);
    record.version = 2;  // all that are tied count; nulls of distances are carried on to the sizes
    if (distance) record.unit = squared_ ? "length^2" : "length";
    if (kind_ == Kind::cov_match) record.target = 1;
    if (kind_ == Kind::one_nna) record.target = 0.5;
    const FinitePair sets(input, record);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    const Index n = sets.reference().cols();
    const Index m = sets.samples().cols();
    OneNna accuracies;
    if (kind_ == Kind::one_nna) {
      const OneNna result = one_nna(sets.reference(), sets.samples());
      record.value = result.accuracy;
      parameters["permutations"] = static_cast<std::int64_t>(permutations_);
      accuracies = result;
      if (permutations_ > 0)
        record.p_value = one_nna_p(input.target.finite().sorted(), input.finite().sorted(), permutations_,
                                   input.target.evaluation.at("permutation"));
    } else {
      record.value = value(sets.reference(), sets.samples());
    }

    NullPlan plan;
    if (kind_ == Kind::one_nna) plan.points = 0;
    plan.vanishing = distance;
    const auto null =
        simulated_null(input, fmt::format("{}(squared={})", name, squared_), n, m, 1, plan,
                       [&](const Points& x, const Points& y) { return Vector::Constant(1, value(x, y)); });
    record.null = kind_ == Kind::one_nna ? one_nna_null(n, m) : null->mean[0];
    // The rule of the root of the size holds for shares; a mean of nearest distances shrinks with the size
    // itself, so its spread is that of the few draws at full size.
    record.null_sd = distance ? null->full_sd[0] : null->sd[0];
    parameters["null_method"] = kind_ == Kind::one_nna ? "closed form; " + null->method
                                : distance             ? null->full_method
                                                       : null->method;
    // Matched points repel each other's chances: the spread is below this binomial one.
    if (kind_ == Kind::cov_match) record.se = share_error(record.value, n);
    record.parameters = to_json(parameters);
    if (kind_ != Kind::one_nna) return {record};
    // Both classes by themselves: both low means copies of the reference.
    std::vector<MetricRecord> records{record};
    for (const bool of_reference : {true, false}) {
      MetricRecord part =
          make_record(of_reference ? "one_nna_reference" : "one_nna_samples", "target", parameters, input);
      part.version = record.version;
      part.n_nonfinite = record.n_nonfinite;
      part.n_reference = n;
      part.value = of_reference ? accuracies.reference : accuracies.samples;
      part.target = 0.5;
      part.null = static_cast<double>((of_reference ? n : m) - 1) / static_cast<double>(n + m - 1);
      records.push_back(std::move(part));
    }
    return records;
  }

  [[nodiscard]] std::optional<int> do_degree() const override {
    return kind_ == Kind::cov_match || kind_ == Kind::one_nna ? 0 : squared_ ? 2 : 1;
  }

  Index permutations_ = 0;
  Kind kind_;
  bool squared_ = true;
};

}  // namespace

double cov_match(const Points& x, const Points& y) {
  Eigen::Array<bool, Eigen::Dynamic, 1> matched = Eigen::Array<bool, Eigen::Dynamic, 1>::Constant(x.cols(), false);
  NeighbourIndex(x).all_nearest(y, [&](Index, const std::vector<Index>& nearest) {
    for (const Index i : nearest) matched[i] = true;
  });
  return static_cast<double>(matched.count()) / static_cast<double>(x.cols());
}

double mean_nearest_distance(const Points& x, const Points& y, bool squared) {
  const Vector squares = NeighbourIndex(y).nearest(x).squared_distance;
  return squared ? tree_mean_of(squares) : tree_mean_of(squares.cwiseSqrt());
}

OneNna one_nna(const Points& x, const Points& y) {
  const Index n = x.cols();
  const Index m = y.cols();
  Points pooled(x.rows(), n + m);
  pooled << x, y;
  double right_x = 0;  // sums of shares, whole numbers where nothing is tied
  double right_y = 0;
  NeighbourIndex(pooled).all_nearest_others([&](Index i, const std::vector<Index>& nearest) {
    const auto of_x = std::count_if(nearest.begin(), nearest.end(), [n](Index j) { return j < n; });
    const double share = static_cast<double>(of_x) / static_cast<double>(nearest.size());
    if (i < n) {
      right_x += share;
    } else {
      right_y += 1 - share;
    }
  });
  return {(right_x + right_y) / static_cast<double>(n + m), right_x / static_cast<double>(n),
          right_y / static_cast<double>(m)};
}

double one_nna_p(const Points& x, const Points& y, Index permutations, const Stream& stream) {
  const Index n = x.cols();
  const Index all = n + y.cols();
  Points pooled(x.rows(), all);
  pooled << x, y;
  // Neighbours do not depend on labels: only these are permuted.
  std::vector<std::vector<bool>> labels;
  for (Index b = 0; b <= permutations; ++b) {
    Stream own = stream.at(static_cast<std::uint64_t>(b));
    const std::vector<Index> order = own.permutation(all);
    std::vector<bool>& first = labels.emplace_back(static_cast<std::size_t>(all));
    for (Index i = 0; i < all; ++i)
      first[static_cast<std::size_t>(b == 0 ? i : order[static_cast<std::size_t>(i)])] = i < n;
  }
  Vector statistics = Vector::Zero(permutations + 1);
  NeighbourIndex(pooled).all_nearest_others([&](Index i, const std::vector<Index>& nearest) {
    for (Index b = 0; b <= permutations; ++b) {
      const std::vector<bool>& first = labels[static_cast<std::size_t>(b)];
      const bool own = first[static_cast<std::size_t>(i)];
      const auto same = std::count_if(nearest.begin(), nearest.end(),
                                      [&](Index j) { return first[static_cast<std::size_t>(j)] == own; });
      statistics[b] += static_cast<double>(same) / static_cast<double>(nearest.size());
    }
  });
  return permutation_p(statistics);
}

double one_nna_null(Index n, Index m) {
  const auto a = static_cast<double>(n);
  const auto b = static_cast<double>(m);
  return (a * (a - 1) + b * (b - 1)) / ((a + b) * (a + b - 1));
}

std::unique_ptr<Metric> make_cov_match(Settings& settings) {
  return std::make_unique<MatchingMetric>(Kind::cov_match, settings);
}
std::unique_ptr<Metric> make_mmd_min(Settings& settings) {
  return std::make_unique<MatchingMetric>(Kind::mmd_min, settings);
}
std::unique_ptr<Metric> make_mmd_min_gen(Settings& settings) {
  return std::make_unique<MatchingMetric>(Kind::mmd_min_gen, settings);
}
std::unique_ptr<Metric> make_chamfer(Settings& settings) {
  return std::make_unique<MatchingMetric>(Kind::chamfer, settings);
}
std::unique_ptr<Metric> make_one_nna(Settings& settings) {
  return std::make_unique<MatchingMetric>(Kind::one_nna, settings);
}

}  // namespace onmanifold
