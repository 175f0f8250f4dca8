// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/intrinsic_dimension.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/linear_algebra.hpp"
#include "core/math/summation.hpp"
#include "diagnostics/cell_input.hpp"
#include "diagnostics/density_error.hpp"
#include "diagnostics/line_fit.hpp"

namespace onmanifold {
namespace {

// About so many columns go to the field at once: a constant, so that its bits do not depend on the caller.
constexpr Index columns_at_once = 4096;

DimensionEstimates summarise(Vector values) {
  DimensionEstimates result;
  result.mean = mean(values);
  result.se = values.size() > 1 ? standard_error(values) : std::numeric_limits<double>::quiet_NaN();
  result.median = median(values);
  result.values = std::move(values);
  return result;
}

}  // namespace

DimensionEstimates lidl(const PointsRef& log_densities, const VectorRef& deltas, Index ambient_dimension) {
  if (log_densities.rows() != deltas.size() || log_densities.cols() == 0 || !(deltas.array() > 0).all()) {
    throw InvalidInput(fmt::format("lidl: {}x{} log-densities for {} deltas, which are positive", log_densities.rows(),
                                   log_densities.cols(), deltas.size()));
  }
  const Vector log_deltas = deltas.array().log().matrix();
  Vector values(log_densities.cols());
  for (Index j = 0; j < values.size(); ++j) {
    values[j] = static_cast<double>(ambient_dimension) + fit_line(log_deltas, log_densities.col(j)).slope;
  }
  return summarise(std::move(values));
}

Vector lidl_deltas() {
  Vector deltas(8);
  for (Index i = 0; i < 8; ++i) deltas[i] = 0.01 * std::pow(10.0, static_cast<double>(i) / 7);
  return deltas;
}

DimensionEstimates flipd(const ScoreField& field, Index k, const PointsRef& x, const FlipdOptions& options,
                         const Stream& stream) {
  check_dimension(x, field.dimension(), "flipd: points");
  if (options.probes < 0 || x.cols() == 0 || k < 0 || k >= field.levels().size()) {
    throw InvalidInput(fmt::format("flipd: {} points, level {}, {} probes", x.cols(), k, options.probes));
  }
  const Index dimension = x.rows();
  const bool exact = options.probes == 0;
  const Index count = exact ? dimension : options.probes;
  const double s = field.levels()[k];
  const Index block = std::max<Index>(1, columns_at_once / count);
  Vector values(x.cols());
  Points score;
  Points products;
  for (Index first = 0; first < x.cols(); first += block) {
    const Index n = std::min(block, x.cols() - first);
    Points directions(dimension, n * count);
    for (Index c = 0; c < n; ++c) {
      auto mine = directions.middleCols(c * count, count);
      if (exact) {
        mine.setIdentity();
      } else {
        Stream draws = stream.at("probes").at(static_cast<std::uint64_t>(first + c));
        mine = (draws.uniform(dimension, count).array() < 0.5).select(Points::Ones(dimension, count), -1.0);
      }
    }
    field.products(x.middleCols(first, n), k, directions, count, score, products);
    for (Index c = 0; c < n; ++c) {
      const auto v = directions.middleCols(c * count, count);
      const auto jv = products.middleCols(c * count, count);
      double trace = 0;
      for (Index i = 0; i < count; ++i) trace += v.col(i).dot(jv.col(i));
      if (!exact) trace /= static_cast<double>(count);
      values[first + c] = static_cast<double>(dimension) + s * s * (trace + score.col(c).squaredNorm());
    }
  }
  if (!values.allFinite()) throw NumericalFailure(fmt::format("flipd: a score is not finite at level {}", s));
  return summarise(std::move(values));
}

NormalBundleResult normal_bundle(const ScoreField& field, Index k, const PointsRef& x,
                                 const NormalBundleOptions& options, const Stream& stream) {
  check_dimension(x, field.dimension(), "normal bundle: points");
  const Index dimension = x.rows();
  const Index copies = options.copies == 0 ? 4 * dimension : options.copies;
  if (copies < dimension || dimension < 2 || x.cols() == 0 || k < 0 || k >= field.levels().size()) {
    throw InvalidInput(
        fmt::format("normal bundle: {} points, level {}, {} copies in dimension {}", x.cols(), k, copies, dimension));
  }
  const double s = field.levels()[k];
  const double factor = s / std::sqrt(static_cast<double>(copies));
  NormalBundleResult result;
  result.spectra.resize(dimension, x.cols());
  Vector by_gap(x.cols());
  Vector by_threshold(x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    const Points noise = stream.at("copies").at(static_cast<std::uint64_t>(j)).normal(dimension, copies);
    const Points scores = field.score((s * noise).colwise() + x.col(j), k);
    if (!scores.allFinite()) throw NumericalFailure(fmt::format("normal bundle: a score is not finite at level {}", s));
    const Vector spectrum = factor * singular_values(scores);
    result.spectra.col(j) = spectrum;
    by_gap[j] = static_cast<double>(dimension - values_before_largest_gap(spectrum));
    by_threshold[j] = static_cast<double>(dimension - (spectrum.array() > 0.25).count());
  }
  result.gap = summarise(std::move(by_gap));
  result.threshold = summarise(std::move(by_threshold));
  return result;
}

Index values_before_largest_gap(const VectorRef& falling) {
  if (falling.size() < 2) throw InvalidInput("largest gap: at least two values are needed");
  Index best = 0;
  for (Index i = 1; i + 1 < falling.size(); ++i) {
    if (falling[i] - falling[i + 1] > falling[best] - falling[best + 1]) best = i;
  }
  return best + 1;
}

namespace {

class IntrinsicDimension final : public Diagnostic {
 public:
  explicit IntrinsicDimension(Settings& settings)
      : field_(settings),
        points_(settings.integer("points", 100, 2, 1'000'000, "points that are looked at")),
        level_(settings.number("level", 1, 1e-6, 1e6, "noise level, in multiples of the smallest noise of the task")),
        probes_(settings.integer("probes", 0, 0, 1'000'000, "random probes of the divergence; 0: exact")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    std::unique_ptr<ScoreField> own;
    const ScoreField& field = field_.get(input, own);
    Index k = 0;
    (field.levels().array() / (level_ * smallest_level(input))).log().abs().minCoeff(&k);
    const Points x = clean_points(input, points_);
    const auto D = static_cast<double>(field.dimension());
    const DimensionEstimates direct = flipd(field, k, x, {.probes = probes_}, input.stream.at("flipd"));
    const NormalBundleOptions bundle_options{.copies = 4 * field.dimension()};
    const NormalBundleResult bundle = normal_bundle(field, k, x, bundle_options, input.stream.at("normal_bundle"));
    Curves numbers = {{"flipd", scalar(direct.mean)},
                      {"flipd_se", scalar(direct.se)},
                      {"flipd_evaluations", scalar(1 + (probes_ > 0 ? static_cast<double>(probes_) : D))},
                      {"normal_bundle_gap", scalar(bundle.gap.mean)},
                      {"normal_bundle_threshold", scalar(bundle.threshold.mean)},
                      {"normal_bundle_evaluations", scalar(static_cast<double>(bundle_options.copies))},
                      {"dimension", scalar(static_cast<double>(input.manifold->dimension()))},
                      {"level", scalar(field.levels()[k])}};
    // Each density takes the D derivatives of every step of a flow.
    if (field.dimension() <= most_of_lidl) add_lidl(input, field, k, x, numbers);
    return numbers;
  }

 private:
  static constexpr Index most_of_lidl = 32;
  static constexpr Index most_deltas = 8;

  /// The densities of LIDL are those of the flow of the field, at levels from number \p k up to ten times that noise.
  static void add_lidl(const DiagnosticInput& input, const ScoreField& field, Index k, const Points& x,
                       Curves& numbers) {
    const Vector& levels = field.levels();
    Index first = k;
    while (first > 1 && levels[first - 1] <= 10 * levels[k]) --first;
    const Index count = std::min(most_deltas, k - first + 1);
    if (count < 2) return;
    // At the first level the noise hides everything but mean and width of the data.
    const Points training = input.training->epoch(0);
    const Vector centre = training.rowwise().mean();
    const double variance = levels[0] * levels[0] + input.scale * input.scale;
    const auto far_away = [&](const Points& y) -> Vector {
      const Points offset = y.colwise() - centre;
      return (-0.5 * offset.colwise().squaredNorm() / variance).transpose().array() -
             0.5 * static_cast<double>(y.rows()) * std::log(2 * std::numbers::pi * variance);
    };
    Vector deltas(count);
    Points densities(count, x.cols());
    double evaluations = 0;
    for (Index i = 0; i < count; ++i) {
      const Index level = first + (k - first) * i / (count - 1);
      deltas[i] = levels[level];
      densities.row(i) = flow_log_density(field, x, far_away, level).transpose();
      evaluations += 2 * static_cast<double>(level) * (1 + static_cast<double>(x.rows()));
    }
    if (!densities.allFinite()) return;
    const DimensionEstimates found = lidl(densities, deltas, field.dimension());
    numbers["lidl"] = scalar(found.mean);
    numbers["lidl_se"] = scalar(found.se);
    numbers["lidl_evaluations"] = scalar(evaluations);
  }

  FieldChoice field_;
  Index points_;
  double level_;
  Index probes_;
};

}  // namespace

std::unique_ptr<Diagnostic> make_intrinsic_dimension(Settings& settings) {
  return std::make_unique<IntrinsicDimension>(settings);
}

}  // namespace onmanifold
