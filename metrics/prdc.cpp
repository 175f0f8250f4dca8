// SPDX-License-Identifier: Apache-2.0
#include "metrics/prdc.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "metrics/neighbours.hpp"
#include "metrics/null_simulation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

enum class Kind { precision, recall, density, coverage };

// What balls around the points of one set say about the points of another.
struct BallShares {
  double covered_points = 0;  // share of the other points inside some ball
  double filled_balls = 0;    // share of the balls with some other point
  double mean_count = 0;      // sum of counts / (k * other points)
};

BallShares ball_shares(const Points& centres, const Points& others, Index k, bool closed) {
  const Vector radii = NeighbourIndex(centres).kth_squared_distance(k);
  const BallCounts counts = NeighbourIndex(others).within(centres, radii, closed);
  BallShares shares;
  const auto size = static_cast<double>(others.cols());
  shares.covered_points = static_cast<double>(counts.covered.count()) / size;
  shares.filled_balls = static_cast<double>((counts.inside.array() > 0).count()) / static_cast<double>(centres.cols());
  shares.mean_count = static_cast<double>(counts.inside.sum()) / (static_cast<double>(k) * size);
  return shares;
}

double pick(const BallShares& shares, Kind kind) {
  if (kind == Kind::coverage) return shares.filled_balls;
  return kind == Kind::density ? shares.mean_count : shares.covered_points;
}

class PrdcMetric final : public Metric {
 public:
  PrdcMetric(Kind kind, Settings& settings)
      : kind_(kind),
        k_(settings.integer("k", 5, 1, 1'000'000, "which neighbour gives the radius of a ball")),
        closed_(settings.boolean("closed", false, "whether a ball holds its own surface")) {}

 private:
  // Recall looks from the samples to the reference, the others from the reference to the samples.
  [[nodiscard]] double value(const Points& x, const Points& y) const {
    return kind_ == Kind::recall ? pick(ball_shares(y, x, k_, closed_), kind_)
                                 : pick(ball_shares(x, y, k_, closed_), kind_);
  }

  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    static constexpr const char* names[] = {"precision", "recall", "density", "coverage"};
    const std::string name = names[static_cast<int>(kind_)];
    Value::Table parameters;
    parameters["space"] = "ambient";
    parameters["k"] = static_cast<std::int64_t>(k_);
    parameters["closed"] = closed_;
    MetricRecord record = make_record(name, kind_ == Kind::density ? "target" : "higher", parameters, input);
    record.target = 1;
    const FinitePair sets(input, record, k_ + 1, kind_ == Kind::recall ? k_ + 1 : 1);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    const Index n = sets.reference().cols();
    const Index m = sets.samples().cols();

    // Coverage, density and precision come out of one search.
    const std::string key = fmt::format("{}/{}/{}", kind_ == Kind::recall, k_, closed_);
    const auto shares = input.memo().get<BallShares>(key, [&] {
      return kind_ == Kind::recall ? ball_shares(sets.samples(), sets.reference(), k_, closed_)
                                   : ball_shares(sets.reference(), sets.samples(), k_, closed_);
    });
    record.value = pick(*shares, kind_);

    // Binomial, given the balls. Neighbouring balls share samples; for coverage that leaves the spread below
    // this.
    if (kind_ != Kind::density) {
      const auto size = static_cast<double>(kind_ == Kind::precision ? m : n);
      record.se = std::sqrt(record.value * (1 - record.value) / size);
    }

    NullPlan plan;
    plan.smallest = k_ + 2;
    const bool closed_form = kind_ == Kind::coverage || kind_ == Kind::density;
    plan.points = closed_form ? 0 : 80'000;
    const auto null =
        simulated_null(input, fmt::format("{}(k={},closed={})", name, k_, closed_), n, m, 1, plan,
                       [&](const Points& x, const Points& y) { return Vector::Constant(1, value(x, y)); });
    record.null_sd = null->sd[0];
    record.null = kind_ == Kind::coverage ? coverage_null(n, m, k_) : kind_ == Kind::density ? 1.0 : null->mean[0];
    parameters["null_method"] = closed_form ? "closed form for continuous laws; " + null->method : null->method;
    record.parameters = to_json(parameters);
    return {record};
  }

  Kind kind_;
  Index k_;
  bool closed_;
};

}  // namespace

Prdc prdc(const Points& x, const Points& y, Index k, bool closed) {
  check_dimension(y, x.rows(), "samples");
  const BallShares forward = ball_shares(x, y, k, closed);
  const BallShares backward = ball_shares(y, x, k, closed);
  return {forward.covered_points, backward.covered_points, forward.mean_count, forward.filled_balls};
}

double coverage_null(Index n, Index m, Index k) {
  double empty = 1;
  for (Index i = 0; i < k; ++i) empty *= static_cast<double>(n - 1 - i) / static_cast<double>(n - 1 + m - i);
  return 1 - empty;
}

std::unique_ptr<Metric> make_precision(Settings& settings) {
  return std::make_unique<PrdcMetric>(Kind::precision, settings);
}
std::unique_ptr<Metric> make_recall(Settings& settings) {
  return std::make_unique<PrdcMetric>(Kind::recall, settings);
}
std::unique_ptr<Metric> make_density(Settings& settings) {
  return std::make_unique<PrdcMetric>(Kind::density, settings);
}
std::unique_ptr<Metric> make_coverage(Settings& settings) {
  return std::make_unique<PrdcMetric>(Kind::coverage, settings);
}

}  // namespace onmanifold
