// SPDX-License-Identifier: Apache-2.0
#include "metrics/prdc.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
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
  double filled_error = 0;    // spread of filled_balls over the other points
  Index empty_balls = 0;      // of radius 0: their k-th neighbour coincides with their centre
};

// Spread of the share of filled balls when the other points are drawn again: the jackknife, whose mean is not below the
// variance (Efron and Stein). Without a point, the balls that hold no other one become empty.
double filled_error(const BallCounts& counts, Index others) {
  Vector alone = Vector::Zero(others);
  for (Index i = 0; i < counts.inside.size(); ++i) {
    if (counts.inside[i] == 1) alone[counts.some[i]] += 1;
  }
  const double mean = tree_mean_of(alone);
  return std::sqrt(tree_sum((alone.array() - mean).square().matrix())) / static_cast<double>(counts.inside.size());
}

BallShares ball_shares(const Points& centres, const Points& others, Index k, bool closed) {
  const Vector radii = NeighbourIndex(centres).kth_squared_distance(k);
  const BallCounts counts = NeighbourIndex(others).within(centres, radii, closed);
  BallShares shares;
  const auto size = static_cast<double>(others.cols());
  shares.covered_points = static_cast<double>(counts.covered.count()) / size;
  shares.filled_balls = static_cast<double>((counts.inside.array() > 0).count()) / static_cast<double>(centres.cols());
  shares.filled_error = filled_error(counts, others.cols());
  shares.empty_balls = (radii.array() == 0).count();
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
    if (kind_ != Kind::density) record.version = 2;  // the spread of the null of small files
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

    // Over samples at a fixed reference. For precision they are independent; for coverage neighbouring balls share
    // samples, which the jackknife sees; for recall the balls themselves move with the samples.
    if (kind_ == Kind::precision) record.se = share_error(record.value, m);
    if (kind_ == Kind::coverage) record.se = std::max(shares->filled_error, share_error(record.value, n));
    if (kind_ == Kind::recall) record.se = recall_error(input.finite().sorted(), sets.reference(), record.value);

    NullPlan plan;
    plan.smallest = k_ + 2;
    // The closed forms hold where no two points coincide.
    const bool ties = input.target.finite().duplicates() > 0;
    const bool closed_form = !ties && (kind_ == Kind::coverage || kind_ == Kind::density);
    plan.points = closed_form ? 0 : 80'000;
    const auto null =
        simulated_null(input, fmt::format("{}(k={},closed={})", name, k_, closed_), n, m, 1, plan,
                       [&](const Points& x, const Points& y) { return Vector::Constant(1, value(x, y)); });
    record.null_sd = null->sd[0];
    record.null = !closed_form ? null->mean[0] : kind_ == Kind::coverage ? coverage_null(n, m, k_) : 1.0;
    // A few splits of a small file may all show the same share near 1: their spread is no less than that of a share.
    if (kind_ != Kind::density && !ties && input.target.sampler == nullptr && std::isfinite(record.null_sd)) {
      record.null_sd = std::max(record.null_sd, share_error(record.null, kind_ == Kind::precision ? m : n));
    }
    parameters["null_method"] = closed_form ? "closed form for continuous laws; " + null->method : null->method;
    if (shares->empty_balls > 0) {
      parameters["degenerate"] = fmt::format("{} of {} balls have radius 0: {} points coincide", shares->empty_balls,
                                             kind_ == Kind::recall ? m : n, k_ + 1);
    }
    record.parameters = to_json(parameters);
    return {record};
  }

  // Half of the samples, drawn at random, tell the spread of all: without replacement the variance of a mean of n/2 of
  // n is that of n drawn afresh.
  [[nodiscard]] double recall_error(const Points& samples, const Points& reference, double share) const {
    constexpr Index draws = 20;
    constexpr Index most_work = 400'000'000;  // coordinates compared in one search
    const Index half = samples.cols() / 2;
    const double binomial = share_error(share, reference.cols());
    if (half <= k_ || samples.cols() * (samples.cols() + reference.cols()) * samples.rows() > most_work)
      return binomial;
    Vector values(draws);
    for (Index d = 0; d < draws; ++d) {
      Stream stream = Stream(0, "metrics/recall").at(static_cast<std::uint64_t>(d));
      std::vector<Index> order = stream.permutation(samples.cols());
      order.resize(static_cast<std::size_t>(half));
      values[d] = ball_shares(samples(Eigen::all, order), reference, k_, closed_).covered_points;
    }
    return std::max(moments_of(values).sd, binomial);
  }

  [[nodiscard]] std::optional<int> do_degree() const override { return 0; }

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
