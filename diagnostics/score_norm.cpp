// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/score_norm.hpp"

#include <cmath>

#include <fmt/format.h>

#include "contracts/latent_model.hpp"
#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "diagnostics/cell_input.hpp"
#include "diagnostics/latent_score_norm.hpp"
#include "diagnostics/line_fit.hpp"

namespace onmanifold {
namespace {

// What is averaged over points, for every level: |P_N score|², |P_N(x0)(y - x0)|², q = |n|², r = <score, -n>,
// q², q r, |score|².
enum Feature : Index { normal_score, normal_noise, q, r, qq, qr, total_score, feature_count };

/// The numbers of one level from the means \p m of its features.
struct LevelNumbers {
  LevelNumbers(const Eigen::Ref<const Vector>& m, double k, double v)
      : normal_square(m[normal_score] * k * v / m[normal_noise]),
        regression(v * (m[qr] - m[q] * m[r]) / (m[qq] - m[q] * m[q])) {}
  double normal_square;
  double regression;
};

double slope_over(const std::vector<Index>& which, const Vector& log_s, const Vector& log_square) {
  Vector x(static_cast<Index>(which.size()));
  Vector y(x.size());
  for (Index i = 0; i < x.size(); ++i) {
    x[i] = log_s[which[static_cast<std::size_t>(i)]];
    y[i] = log_square[which[static_cast<std::size_t>(i)]];
  }
  return fit_line(x, y).slope;
}

/// The means of the rows of \p features (R×N) over a resample of the columns.
Vector resampled_means(const Points& features, Stream draws) {
  const Index n = features.cols();
  std::vector<double> counts(static_cast<std::size_t>(n), 0.0);
  for (Index i = 0; i < n; ++i) counts[draws.integer(static_cast<std::uint64_t>(n))] += 1;
  Vector sum = Vector::Zero(features.rows());
  for (Index j = 0; j < n; ++j) {
    const double count = counts[static_cast<std::size_t>(j)];
    if (count > 0) sum += count * features.col(j);
  }
  return sum / static_cast<double>(n);
}

std::vector<Index> asked_levels(const ScoreField& field, std::vector<Index> asked) {
  const Index all = field.levels().size();
  if (asked.empty()) {
    for (Index l = 0; l < all; ++l) asked.push_back(l);
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (asked[i] < 0 || asked[i] >= all || (i > 0 && asked[i] <= asked[i - 1])) {
      throw InvalidInput(fmt::format("score norm: level number {} of {}: numbers rise", asked[i], all));
    }
  }
  return asked;
}

Points features_of(const ScoreField& field, const Manifold& manifold, const PointsRef& base, const Points& lifted,
                   const Points& noise, const std::vector<Index>& levels,
                   Eigen::Array<bool, Eigen::Dynamic, 1>& usable) {
  const auto count = static_cast<Index>(levels.size());
  Points features(feature_count * count, base.cols());
  for (Index l = 0; l < count; ++l) {
    const Index number = levels[static_cast<std::size_t>(l)];
    const Points y = lifted + field.levels()[number] * noise;
    const Projection foot = manifold.project(y);
    usable = usable && foot.converged;
    const Points score = field.score(y, number);
    const Points along = manifold.normal_component(foot.points, score);
    const Points drawn = manifold.normal_component(base, y - base);
    for (Index j = 0; j < base.cols(); ++j) {
      auto f = features.col(j).segment(feature_count * l, feature_count);
      f[normal_score] = along.col(j).squaredNorm();
      f[normal_noise] = drawn.col(j).squaredNorm();
      f[q] = (y.col(j) - foot.points.col(j)).squaredNorm();
      f[r] = -score.col(j).dot(y.col(j) - foot.points.col(j));
      f[qq] = f[q] * f[q];
      f[qr] = f[q] * f[r];
      f[total_score] = score.col(j).squaredNorm();
    }
  }
  return features;
}

}  // namespace

ScoreNormResult score_norm(const ScoreField& field, const Manifold& manifold, const PointsRef& base,
                           const ScoreNormOptions& options, const Stream& stream) {
  check_dimension(base, field.dimension(), "score norm: points");
  check_dimension(base, manifold.ambient_dimension(), "score norm: points");
  const auto k = static_cast<double>(manifold.codimension());
  if (manifold.codimension() == 0) throw InvalidInput("score norm: " + manifold.spec() + " has no normals");
  if (!(options.decade > 1) || !(options.trained_smallest >= 0) || options.replicates < 2000 ||
      !(options.level > 0 && options.level < 1)) {
    throw InvalidInput(fmt::format("score norm: decade {}, smallest trained level {}, {} replicates, level {}",
                                   options.decade, options.trained_smallest, options.replicates, options.level));
  }
  const std::vector<Index> numbers = asked_levels(field, options.levels);
  const auto count = static_cast<Index>(numbers.size());
  Vector s(count);
  for (Index l = 0; l < count; ++l) s[l] = field.levels()[numbers[static_cast<std::size_t>(l)]];
  const double sigma0 = options.lift.type == LiftType::none ? 0 : options.lift.sigma;
  const Vector v = (s.array().square() + sigma0 * sigma0).matrix();
  const Vector log_s = s.array().log().matrix();

  const Points lifted = options.lift.apply(base, manifold, stream.at("lift"));
  const Points noise = stream.at("noise").normal(base.rows(), base.cols());
  Eigen::Array<bool, Eigen::Dynamic, 1> usable = Eigen::Array<bool, Eigen::Dynamic, 1>::Constant(base.cols(), true);
  Points features = features_of(field, manifold, base, lifted, noise, numbers, usable);
  Index kept = 0;
  for (Index j = 0; j < base.cols(); ++j) {
    if (usable[j] && features.col(j).allFinite()) features.col(kept++) = features.col(j);
  }
  features.conservativeResize(Eigen::NoChange, kept);
  if (kept < 10) throw InvalidInput(fmt::format("score norm: {} of {} points can be used", kept, base.cols()));

  ScoreNormResult result;
  result.failures = base.cols() - kept;
  double smallest = std::numeric_limits<double>::infinity();
  for (Index l = 0; l < count; ++l) {
    if (s[l] >= options.trained_smallest) smallest = std::min(smallest, s[l]);
  }
  std::vector<Index> fitted;
  std::vector<Index> below;
  const Vector means = tree_mean(features);
  Vector log_square(count);
  Vector log_ideal(count);
  for (Index l = 0; l < count; ++l) {
    const LevelNumbers of(means.segment(feature_count * l, feature_count), k, v[l]);
    ScoreNormLevel level;
    level.s = s[l];
    level.normal_square = of.normal_square;
    level.ideal = k / v[l];
    level.total_square = means[feature_count * l + total_score];
    level.regression = of.regression;
    level.below_trained = s[l] < options.trained_smallest;
    // Levels are powers: the last of a decade may miss its end by rounding.
    level.in_fit =
        !level.below_trained && s[l] <= smallest * options.decade * (1 + 1e-9) && (sigma0 == 0 || s[l] <= sigma0 / 3);
    if (level.below_trained) below.push_back(l);
    if (level.in_fit) fitted.push_back(l);
    log_square[l] = std::log(level.normal_square);
    if (!std::isfinite(log_square[l])) {
      throw NumericalFailure(fmt::format("score norm: no normal part of the score at level {}", s[l]));
    }
    log_ideal[l] = std::log(level.ideal);
    result.levels.push_back(level);
  }

  Points regressions(options.replicates, count);
  Vector slopes = Vector::Zero(options.replicates);
  const Stream bootstrap = stream.at("bootstrap");
  for (Index b = 0; b < options.replicates; ++b) {
    const Vector resampled = resampled_means(features, bootstrap.at(static_cast<std::uint64_t>(b)));
    Vector logs(count);
    for (Index l = 0; l < count; ++l) {
      const LevelNumbers of(resampled.segment(feature_count * l, feature_count), k, v[l]);
      regressions(b, l) = of.regression;
      logs[l] = std::log(of.normal_square);
    }
    if (fitted.size() >= 2) slopes[b] = slope_over(fitted, log_s, logs);
  }
  for (Index l = 0; l < count; ++l) {
    result.levels[static_cast<std::size_t>(l)].regression_se = standard_deviation(regressions.col(l));
  }
  if (below.size() >= 2) result.slope_below_trained = slope_over(below, log_s, log_square);
  if (fitted.empty()) return result;

  const auto mean_of = [&](auto&& value) {
    return tree_sum_over(static_cast<Index>(fitted.size()),
                         [&](Index i) {
                           return value(result.levels[static_cast<std::size_t>(fitted[static_cast<std::size_t>(i)])]);
                         }) /
           static_cast<double>(fitted.size());
  };
  result.plateau = mean_of([](const ScoreNormLevel& level) { return level.normal_square; });
  result.ideal_ratio = mean_of([](const ScoreNormLevel& level) { return level.normal_square / level.ideal; });
  result.regression = mean_of([](const ScoreNormLevel& level) { return level.regression; });
  if (fitted.size() < 2) return result;
  result.slope = slope_over(fitted, log_s, log_square);
  result.ideal_slope = slope_over(fitted, log_s, log_ideal);
  result.slope_se = standard_deviation(slopes);
  result.slope_interval = {quantile(slopes, (1 - options.level) / 2), quantile(slopes, (1 + options.level) / 2)};
  return result;
}

namespace {

class ScoreNorm final : public Diagnostic {
 public:
  explicit ScoreNorm(Settings& settings)
      : field_(settings), points_(settings.integer("points", 500, 10, 1'000'000, "points that are looked at")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    std::unique_ptr<ScoreField> own;
    if (const auto* latent = dynamic_cast<const LatentModel*>(input.model); latent != nullptr && !field_.exact())
      return run_latent(input, *latent);
    const ScoreField& field = field_.get(input, own);
    ScoreNormOptions options;
    options.lift = input.lift;
    options.trained_smallest = field.levels().minCoeff();
    const ScoreNormResult r = score_norm(field, *input.manifold, clean_points(input, points_), options, input.stream);
    using Level = ScoreNormLevel;
    return {{"slope", scalar(r.slope)},
            {"slope_se", scalar(r.slope_se)},
            {"slope_low", scalar(r.slope_interval.low)},
            {"slope_high", scalar(r.slope_interval.high)},
            {"ideal_slope", scalar(r.ideal_slope)},
            {"plateau", scalar(r.plateau)},
            {"ideal_ratio", scalar(r.ideal_ratio)},
            {"regression", scalar(r.regression)},
            {"slope_below_trained", scalar(r.slope_below_trained)},
            {"failures", scalar(static_cast<double>(r.failures))},
            {"level", series(r.levels, [](const Level& l) { return l.s; })},
            {"normal_square", series(r.levels, [](const Level& l) { return l.normal_square; })},
            {"ideal", series(r.levels, [](const Level& l) { return l.ideal; })},
            {"total_square", series(r.levels, [](const Level& l) { return l.total_square; })},
            {"level_regression", series(r.levels, [](const Level& l) { return l.regression; })}};
  }

 private:
  [[nodiscard]] Curves run_latent(const DiagnosticInput& input, const LatentModel& model) const {
    const std::unique_ptr<ScoreField> field = model.latent_score();
    const Index d = input.manifold->dimension();
    if (field == nullptr || d == 0) throw Unsupported("no score of latent points, or a manifold without tangents");
    const Points x = clean_points(input, points_);
    const Points tangents = model.encoder_products(x, input.manifold->tangent_bases(x), d);
    const LatentScoreNorm r = latent_score_norm(*field, model.encode(x), tangents, input.stream);
    return {{"slope", scalar(r.line.slope)},
            {"slope_se", scalar(r.line.slope_se)},
            {"ideal_slope", scalar(-2)},
            {"latent_dimension", scalar(static_cast<double>(model.latent_dimension()))},
            {"level", r.levels},
            {"normal_square", r.normal_square},
            {"total_square", r.total_square}};
  }

  FieldChoice field_;
  Index points_;
};

}  // namespace

std::unique_ptr<Diagnostic> make_score_norm(Settings& settings) {
  return std::make_unique<ScoreNorm>(settings);
}

}  // namespace onmanifold
