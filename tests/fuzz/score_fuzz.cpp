// SPDX-License-Identifier: Apache-2.0
// score_fuzz COUNT [FIRST] [--control]: COUNT random runs of `score` in one process, from number FIRST on. Sets of
// finite points of every magnitude, with ties, duplicates, one row, 1 to 64 columns, are written to files and scored
// with the metrics that need no task. Whatever they hold: no crash, no number that is NaN (or an infinity beside the
// value) with status ok, one word in the file that says why not, and the order of rows changes nothing beyond 1e-12.
// --control: what it looks for is put in; exit 1 is expected.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/point_files.hpp"
#include "core/files/temporary_directory.hpp"
#include "core/random/stream.hpp"
#include "suite/score.hpp"

namespace onmanifold {
namespace {

// All that need no task; several at once, as a user asks for them.
constexpr std::array<const char*, 13> lists = {
    "",  // the default
    "coverage(k=2),density(k=2),precision(k=1),recall(k=1)",
    "cov_match,mmd_min,mmd_min_gen,chamfer(squared=false)",
    "one_nna(permutations=19),kid",
    "mmd2_rbf_biased(sigma=1),mmd2_rbf_unbiased(bandwidth=bank)",
    "mmd2_rbf_biased(permutations=19),energy,energy_u(permutations=9)",
    "fd,fd_inf,ks,sliced_w2(directions=8)",
    "w1,w2,w2_sq",
    "w1(size=5),w2(size=7)",
    "sinkhorn_div(sweeps=60),sinkhorn_cost_div(eps=0.1,sweeps=60,size=6)",
    "c2st,c2st(classifier=logistic)",
    "energy(space=geodesic),w1(space=geodesic),mmd2_rbf_biased(space=geodesic),violation_rate",
    "tvd(bins=3),tvd_corrected(bins=2),js_divergence(bins=2),js_distance(bins=2),negative_pixel_rate,negative_pixel_mass"};

class Draws {
 public:
  explicit Draws(Stream stream) : stream_(std::move(stream)) {}
  double uniform() { return next()(0, 0); }
  Index below(Index n) { return std::min(n - 1, static_cast<Index>(uniform() * static_cast<double>(n))); }
  bool chance(double p) { return uniform() < p; }
  Points normal(Index d, Index n) { return stream_.at(count_++).normal(d, n); }
  Points uniform_points(Index d, Index n) { return stream_.at(count_++).uniform(d, n); }
  Points shuffled(const Points& points) {
    Stream own = stream_.at(count_++);
    return points(Eigen::all, own.permutation(points.cols()));
  }

 private:
  Points next() { return stream_.at(count_++).uniform(1, 1); }
  Stream stream_;
  std::uint64_t count_ = 0;
};

double magnitude(Draws& draws) {
  if (draws.chance(0.4)) return 1;
  return std::pow(10.0, -310 + 618 * draws.uniform());
}

Points finite(Points points) {
  constexpr double largest = std::numeric_limits<double>::max();
  for (double& x : points.reshaped()) x = std::isnan(x) ? 0.0 : std::clamp(x, -largest, largest);
  return points;
}

Points random_points(Draws& draws, Index d, Index n, double scale) {
  Points points = draws.normal(d, n);
  switch (draws.below(7)) {
    case 0:  // a lattice: ties
      points = points.array().round();
      break;
    case 1:  // a few rows, many times
      for (Index i = 0; i < n; ++i) points.col(i) = Vector(points.col(draws.below(std::min<Index>(n, 3))));
      break;
    case 2:  // every number of another magnitude
      points = points.cwiseProduct(
          draws.uniform_points(d, n).unaryExpr([](double u) { return std::pow(10.0, -310 + 618 * u); }));
      return finite(points);
    case 3:  // far from the origin
      points.array() += std::pow(10.0, 12 * draws.uniform());
      break;
    case 4:  // all equal
      points.setConstant(points(0, 0));
      break;
    default:
      break;
  }
  points *= scale;
  if (draws.chance(0.2)) points.col(draws.below(n)) *= magnitude(draws);
  if (draws.chance(0.05)) points(draws.below(d), draws.below(n)) = std::numeric_limits<double>::max();
  if (draws.chance(0.05)) points(draws.below(d), draws.below(n)) = -std::numeric_limits<double>::max();
  if (draws.chance(0.05)) points(draws.below(d), draws.below(n)) = std::numeric_limits<double>::denorm_min();
  return finite(points);
}

Index random_size(Draws& draws) {
  const std::array<Index, 8> sizes = {1, 2, 3, 7, 12, 20, 24, 31};
  return sizes[static_cast<std::size_t>(draws.below(8))];
}

struct Outcome {
  std::string refused;  // the message, where nothing was computed
  std::vector<ScoredMetric> metrics;
};

Outcome run(const ScoreRequest& request) {
  Outcome outcome;
  try {
    const Score score = score_samples(request);
    if (to_pretty_json(to_value(score)).empty()) outcome.refused = "no JSON";
    outcome.metrics = score.metrics;
  } catch (const InvalidInput& error) {
    outcome.refused = error.what();
  }
  return outcome;
}

// Why nothing may be computed of a list: one of its metrics cannot be, and the message says so.
bool allowed(const std::string& message) {
  for (const char* reason : {"fewer than", "more than 10^7 cells", "no nearest point", "known on spheres only"}) {
    if (message.find(reason) != std::string::npos) return true;
  }
  return false;
}

class Faults {
 public:
  explicit Faults(long run) : run_(run) {}
  void add(const std::string& what) {
    fmt::print(stderr, "run {}: {}\n", run_, what);
    ++count;
  }
  long count = 0;

 private:
  long run_;
};

void check(const MetricRecord& record, Faults& faults) {
  const std::string where = fmt::format("{} {} ({})", record.name, record.parameters, record.status.text());
  if (record.status.ok() && std::isnan(record.value)) faults.add(where + ": NaN");
  if (!record.status.ok() && record.status.message.empty()) faults.add(where + ": does not say why");
  for (const double number : {record.null, record.null_sd, record.se, record.p_value}) {
    if (std::isinf(number)) faults.add(where + ": an infinite null, spread or p");
  }
}

// Rounding is that of the terms that are summed: of the value itself and, where these cancel, of the coordinates, or of
// angles, which do not know how long vectors are.
double scale_of(const MetricRecord& record, double largest) {
  if (record.parameters.find("great circle") != std::string::npos) return std::numbers::pi;
  if (record.unit == "length") return largest;
  if (record.unit == "length^2") return largest * largest;
  if (record.direction == Direction::lower && record.unit.empty() && record.name == std::string("kid")) {
    return std::pow(largest * largest + 1, 3);
  }
  return 1;
}

void compare(const MetricRecord& a, const MetricRecord& b, double largest, Faults& faults) {
  const auto near = [&](double x, double y, const char* what) {
    if ((std::isnan(x) && std::isnan(y)) || x == y) return;
    const double scale = std::max({std::abs(x), std::abs(y), scale_of(a, largest)});
    if (!(std::abs(x - y) <= 1e-12 * scale)) {
      faults.add(fmt::format("{} {}: {} {} after another order of rows, {} before", a.name, a.parameters, what, y, x));
    }
  };
  if (a.status.text() != b.status.text()) {
    faults.add(fmt::format("{}: {} after another order of rows, {} before", a.name, b.status.text(), a.status.text()));
    return;
  }
  near(a.value, b.value, "value");
  near(a.null, b.null, "null");
  near(a.null_sd, b.null_sd, "null_sd");
  near(a.se, b.se, "se");
  near(a.p_value, b.p_value, "p");
}

long fuzz(long number, const std::string& folder, bool control, std::map<std::string, long>& states) {
  Draws draws(Stream(1, "score-fuzz").at(static_cast<std::uint64_t>(number)));
  const Index d = draws.chance(0.3) ? 1 : 1 + draws.below(draws.chance(0.5) ? 4 : 64);
  const double scale = magnitude(draws);
  Points x = random_points(draws, d, random_size(draws), scale);
  Points y =
      draws.chance(0.1) ? x : random_points(draws, d, random_size(draws), draws.chance(0.8) ? scale : magnitude(draws));
  ScoreRequest request;
  request.reference = folder + "/x.npy";
  request.samples = folder + "/y.npy";
  request.metrics = lists[static_cast<std::size_t>(draws.below(static_cast<Index>(lists.size())))];
  if (d > 1 && draws.chance(0.2)) request.manifold = fmt::format("sphere:dim={}", d - 1);
  write_points(request.reference, x);
  write_points(request.samples, y);
  Outcome first = run(request);
  write_points(request.reference, draws.shuffled(x));
  write_points(request.samples, draws.shuffled(y));
  Outcome second = run(request);

  Faults faults(number);
  if (control && !first.metrics.empty()) first.metrics[0].record = MetricRecord{};
  if (!first.refused.empty() && !allowed(first.refused)) faults.add("refused: " + first.refused);
  ++states[first.refused.empty() ? "scored" : "refused: not for such sets"];
  if (first.refused != second.refused || first.metrics.size() != second.metrics.size()) {
    faults.add(fmt::format("'{}' after another order of rows, '{}' before", second.refused, first.refused));
    return faults.count;
  }
  // Of what is measured: on the sphere, projected samples have its radius, however small they were.
  const double radius = request.manifold.empty() ? 0.0 : 1.0;
  const double largest = std::max({x.cwiseAbs().maxCoeff(), y.cwiseAbs().maxCoeff(), radius});
  for (std::size_t i = 0; i < first.metrics.size(); ++i) {
    check(first.metrics[i].record, faults);
    compare(first.metrics[i].record, second.metrics[i].record, largest, faults);
    ++states[std::string("metrics ") + std::string(name_of(first.metrics[i].record.status.state))];
  }
  return faults.count;
}

}  // namespace
}  // namespace onmanifold

int main(int argc, char** argv) {
  const long count = argc > 1 ? std::atol(argv[1]) : 0;
  const long begin = argc > 2 ? std::atol(argv[2]) : 0;
  const bool control = argc > 3 && std::string(argv[3]) == "--control";
  if (count < 1) {
    fmt::print(stderr, "usage: score_fuzz COUNT [FIRST] [--control]\n");
    return 2;
  }
  const onmanifold::TemporaryDirectory temporary;
  // To look at the files of a run: x.npy is the reference.
  const char* kept = std::getenv("ONMANIFOLD_SCORE_FUZZ_FILES");
  const std::string folder = kept == nullptr ? temporary.path() : std::string(kept);
  std::map<std::string, long> states;
  long faults = 0;
  long runs = 0;
  for (long number = begin; number < begin + count && faults < 50; ++number, ++runs) {
    faults += onmanifold::fuzz(number, folder, control, states);
  }
  fmt::print("{} runs, {} faults\n", runs, faults);
  for (const auto& [state, times] : states) fmt::print("  {:>8} {}\n", times, state);
  return faults == 0 ? 0 : 1;
}
