// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/cell_diagnostics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/error.hpp"
#include "diagnostics/alignment.hpp"
#include "diagnostics/density_error.hpp"
#include "diagnostics/intrinsic_dimension.hpp"
#include "diagnostics/latent_score_norm.hpp"
#include "diagnostics/lift_geometry.hpp"
#include "diagnostics/likelihood_explosion.hpp"
#include "diagnostics/lyapunov.hpp"
#include "diagnostics/score_norm.hpp"
#include "diagnostics/support_robustness.hpp"
#include "diagnostics/target_variance.hpp"
#include "diagnostics/two_step_bound.hpp"
#include "manifolds/normal_lift.hpp"
#include "manifolds/uniform_posterior.hpp"

namespace onmanifold {
namespace {

Vector scalar(double value) {
  return Vector::Constant(1, value);
}

/// The first \p n clean training points, or all there are.
Points clean_points(const DiagnosticInput& input, Index n) {
  const Points& clean = input.training->clean_points();
  return clean.leftCols(std::min(n, clean.cols()));
}

/// x_0 + s z, x_0 as the method saw it before the lift: the law at level \p s.
Points noised_points(const DiagnosticInput& input, Index n, double s) {
  Points start = clean_points(input, n);
  Points noise(start.rows(), start.cols());
  Stream draws = input.stream.at("start");
  draws.fill_normal(noise);
  start += s * noise;
  return start;
}

/// Which field is asked.
class FieldChoice {
 public:
  explicit FieldChoice(Settings& settings)
      : exact_(settings.choice("field", "learned", {"learned", "exact"},
                               "score of the model, or the exact one of the distribution that it was trained on") ==
               "exact"),
        levels_(settings.integer("levels", 40, 2, 10000, "noise levels")) {}

  [[nodiscard]] bool exact() const { return exact_; }
  /// The learned field, or the exact one, which \p own then keeps.
  [[nodiscard]] const ScoreField& get(const DiagnosticInput& input, std::unique_ptr<ScoreField>& own) const {
    if (!exact_) return learned_score(input);
    if (input.exact == nullptr) throw Unsupported("the score of this law under noise is not known");
    own = make_exact_score_field(*input.exact, geometric_levels(10 * input.scale, smallest_level(input), levels_));
    return *own;
  }
  /// s_min in data units; a hundredth of the scale where the task has none.
  [[nodiscard]] static double smallest_level(const DiagnosticInput& input) {
    return input.scale * (input.smallest_noise > 0 ? input.smallest_noise : 0.01);
  }

 private:
  bool exact_;
  Index levels_;
};

/// One entry of a result's levels as a series.
template <class Level, class Get>
Vector series(const std::vector<Level>& levels, const Get& get) {
  Vector result(static_cast<Index>(levels.size()));
  for (std::size_t i = 0; i < levels.size(); ++i) result[static_cast<Index>(i)] = static_cast<double>(get(levels[i]));
  return result;
}

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

class TargetVariances final : public Diagnostic {
 public:
  explicit TargetVariances(Settings& settings)
      : points_(settings.integer("points", 500, 10, 1'000'000, "points that are looked at")),
        levels_(settings.integer("levels", 10, 2, 10000, "noise levels")),
        thickness_(
            settings.number("thickness", 0, 0, 1e6, "of the normal noise in data units; 0: the lift of the cell")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    const Vector levels = geometric_levels(input.scale, FieldChoice::smallest_level(input), levels_);
    const std::unique_ptr<UniformPosterior> base = input.manifold->uniform_posterior();
    const double thickness = thickness_ > 0 ? thickness_ : input.lift.sigma;
    Curves result = {{"level", levels}, {"thickness", scalar(thickness)}};
    const std::vector<TargetVariance> all = target_variance(*input.manifold, base.get(), clean_points(input, points_),
                                                            levels, {.thickness = thickness}, input.stream);
    for (std::size_t i = 0; i < all.size(); i += static_cast<std::size_t>(levels_)) {
      const std::vector<TargetVariance> kind(all.begin() + static_cast<std::ptrdiff_t>(i),
                                             all.begin() + static_cast<std::ptrdiff_t>(i) + levels_);
      const std::string name = to_string(kind.front().kind);
      result[name + "/total"] = series(kind, [](const TargetVariance& v) { return v.total; });
      result[name + "/normal"] = series(kind, [](const TargetVariance& v) { return v.normal; });
      result[name + "/normal_at_foot"] = series(kind, [](const TargetVariance& v) { return v.normal_at_foot; });
      result[name + "_total_s2"] = scalar(kind.back().total * kind.back().s * kind.back().s);
    }
    return result;
  }

 private:
  Index points_;
  Index levels_;
  double thickness_;
};

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
    (field.levels().array() / (level_ * FieldChoice::smallest_level(input))).log().abs().minCoeff(&k);
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

class SupportRobustness final : public Diagnostic {
 public:
  explicit SupportRobustness(Settings& settings)
      : field_(settings), points_(settings.integer("points", 200, 10, 1'000'000, "points that are looked at")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    std::unique_ptr<ScoreField> own;
    const ScoreField& field = field_.get(input, own);
    const Points start = noised_points(input, points_, field.levels()[0]);
    const SupportRobustnessOptions options;
    const SupportRobustnessResult r =
        support_robustness(field, *input.manifold, start, options, input.stream.at("errors"));
    Curves result = {
        {"ratio", scalar(r.ratio)},
        {"distance", scalar(r.distance)},
        {"s_min", scalar(r.s_min)},
        {"s_max", scalar(r.s_max)},
        {"size", Eigen::Map<const Vector>(options.sizes.data(), static_cast<Index>(options.sizes.size()))}};
    for (const DriftErrorShifts& shift : r.shifts) {
      const std::string name = to_string(shift.kind);
      result[name + "/normal_gain"] = scalar(shift.normal_gain);
      result[name + "/tangential_gain"] = scalar(shift.tangential_gain);
      result[name + "/normal_slope"] = scalar(shift.normal_slope);
      result[name + "/tangential_slope"] = scalar(shift.tangential_slope);
      result[name + "/failures"] = scalar(static_cast<double>(shift.failures));
      result[name + "/normal"] = shift.normal;
      result[name + "/tangential"] = shift.tangential;
    }
    return result;
  }

 private:
  FieldChoice field_;
  Index points_;
};

class Lyapunov final : public Diagnostic {
 public:
  explicit Lyapunov(Settings& settings)
      : field_(settings),
        points_(settings.integer("points", 100, 2, 1'000'000, "points that are looked at")),
        vectors_(settings.integer("vectors", 0, 0, 1'000'000, "Lyapunov vectors; 0: all up to D = 32, d + 8 above")),
        frozen_(settings.choice("path", "flow", {"flow", "frozen_noise"},
                                "from noise to data by the flow, or by the ancestral sampler with frozen noise") ==
                "frozen_noise"),
        condition_points_(settings.integer("condition_points", 50, 0, 400,
                                           "paths on which the condition for alignment is checked; 0: none")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    std::unique_ptr<ScoreField> own;
    const ScoreField& field = field_.get(input, own);
    const Manifold& manifold = *input.manifold;
    const Index d = manifold.dimension();
    if (d == 0 || manifold.codimension() == 0) throw Unsupported(manifold.spec() + " has no tangents, or no normals");
    LyapunovOptions options;
    options.path = frozen_ ? LyapunovPath::frozen_noise : LyapunovPath::flow;
    const Index usual = field.dimension() <= 32 ? field.dimension() : std::min(field.dimension(), d + 8);
    options.vectors = vectors_ > 0 ? std::clamp(vectors_, d + 1, field.dimension()) : usual;
    const LyapunovResult r = lyapunov(field, noised_points(input, points_, field.levels()[0]), options, input.stream);
    const Alignment found =
        alignment(tangents_at(manifold, r.end), d, r.vectors, r.count, field.score(r.end, field.levels().size() - 1));
    const Vector gaps = spectral_gaps(r, d);
    Vector exponents(r.count);
    for (Index i = 0; i < r.count; ++i) exponents[i] = median_of_finite(r.exponents.row(i).transpose());
    Curves numbers = {{"gap", scalar(median_of_finite(gaps))},
                      {"alignment", scalar(median_of_finite(found.a1))},
                      {"alignment_random", scalar(random_alignment(d, field.dimension()))},
                      {"score_alignment", scalar(median_of_finite(found.a2))},
                      {"largest_sine", scalar(median_of_finite(found.a3))},
                      {"dimension_estimate", scalar(lyapunov_dimension(r).median)},
                      {"dimension", scalar(static_cast<double>(d))},
                      {"failures", scalar(static_cast<double>(r.failures))},
                      {"evaluations", scalar((frozen_ ? 1.0 : 2.0) * static_cast<double>(field.levels().size()) *
                                             (1 + static_cast<double>(r.count)))},
                      {"exponents", exponents}};
    // It takes all D directions of every path.
    if (condition_points_ > 0 && field.dimension() <= most_of_condition) {
      add_condition(input, field, numbers);
    }
    return numbers;
  }

 private:
  static constexpr Index most_of_condition = 32;

  void add_condition(const DiagnosticInput& input, const ScoreField& field, Curves& numbers) const {
    // From afar the quadratic term is too large on curved M, and nothing is said.
    AlignmentConditionOptions options;
    const Index last = field.levels().size() - 1;
    while (options.first_level + 1 < last && field.levels()[options.first_level] > 0.1 * input.manifold->reach()) {
      ++options.first_level;
    }
    const double s = field.levels()[options.first_level];
    const AlignmentCondition c = alignment_condition(field, *input.manifold, noised_points(input, condition_points_, s),
                                                     options, input.stream.at("condition"));
    double finite = 0;
    double bounded = 0;
    double linear = 0;
    double vacuous = 0;
    for (Index i = 0; i < c.measured.size(); ++i) {
      if (!std::isfinite(c.measured[i])) continue;
      // Both sides are sums of rounding errors of some 100 steps.
      constexpr double rounding = 1e-9;
      finite += 1;
      bounded += c.measured[i] <= c.bound[i] + rounding ? 1 : 0;
      linear += c.measured[i] <= c.predicted[i] + rounding ? 1 : 0;
      vacuous += c.vacuous[i] ? 1 : 0;
    }
    // 0/0 is NaN: no path, no share.
    numbers["bound_holds"] = scalar(bounded / finite);
    numbers["linear_holds"] = scalar(linear / finite);
    numbers["bound_vacuous"] = scalar(vacuous / finite);
    numbers["condition_level"] = scalar(s);
    numbers["condition_failures"] = scalar(static_cast<double>(c.failures));
    const AlignmentCondition control = thick_circle_condition(100, input.stream.at("control"));
    numbers["control_vacuous"] =
        scalar(static_cast<double>(control.vacuous.count()) / static_cast<double>(control.vacuous.size()));
  }

  /// NaN for none.
  static double median_of_finite(const Vector& values) {
    Vector kept(values.size());
    Index n = 0;
    for (const double value : values) {
      if (std::isfinite(value)) kept[n++] = value;
    }
    return n > 0 ? median(kept.head(n)) : std::numeric_limits<double>::quiet_NaN();
  }

  FieldChoice field_;
  Index points_;
  Index vectors_;
  bool frozen_;
  Index condition_points_;
};

/// The exact field plus a part of what another one says beyond it.
class PartOfTheWay final : public ScoreField {
 public:
  PartOfTheWay(const ScoreField& from, const ScoreField& to, double part) : from_(from), to_(to), part_(part) {}
  [[nodiscard]] Index dimension() const override { return from_.dimension(); }
  [[nodiscard]] const Vector& levels() const override { return from_.levels(); }

 private:
  void do_evaluate(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                   Points& result) const override {
    if (count == 0) {
      score = (1 - part_) * from_.score(y, k) + part_ * to_.score(y, k);
      return;
    }
    Points other;
    Points other_result;
    from_.products(y, k, vectors, count, score, result);
    to_.products(y, k, vectors, count, other, other_result);
    score += part_ * (other - score);
    result += part_ * (other_result - result);
  }
  const ScoreField& from_;
  const ScoreField& to_;
  double part_;
};

class DensityError final : public Diagnostic {
 public:
  explicit DensityError(Settings& settings)
      : points_(settings.integer("points", 200, 10, 1'000'000, "points that are looked at")),
        level_(settings.number("level", 1, 1e-6, 1e6, "noise level, in multiples of the smallest noise of the task")),
        part_(settings.number("part", 0.01, 1e-6, 1, "how far the third field lies on the way from exact to learned")) {
  }

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    const ScoreField& learned = learned_score(input);
    if (input.exact == nullptr) throw Unsupported("the score of this law under noise is not known");
    if (learned.dimension() > most) throw Unsupported("more than 32 coordinates");
    const auto exact = make_exact_score_field(*input.exact, learned.levels());
    const Vector& levels = learned.levels();
    Index last = 0;
    (levels.array() / (level_ * FieldChoice::smallest_level(input))).log().abs().minCoeff(&last);
    last = std::max<Index>(last, 1);
    Points y = noised_points(input, points_, levels[0]);
    const Vector psi = score_density_error(*exact, score_difference(*exact, learned), y, last);
    const auto first_law = [&](const Points& at) { return input.exact->log_density(at, 1, levels[0]); };
    const Vector plain = flow_log_density(*exact, y, first_law, last);
    const Vector whole = flow_log_density(learned, y, first_law, last) - plain;
    const PartOfTheWay near(*exact, learned, part_);
    const Vector small = (flow_log_density(near, y, first_law, last) - plain) / part_;
    return {{"correlation", scalar(correlation(psi, whole))},
            {"correlation_of_part", scalar(correlation(psi, small))},
            {"mean_in_se", scalar(mean(psi) / standard_error(psi))},
            {"mean", scalar(mean(psi))},
            {"spread", scalar(standard_deviation(psi))},
            {"measured_spread", scalar(standard_deviation(whole))},
            {"level", scalar(levels[last])}};
  }

 private:
  static constexpr Index most = 32;  // every step takes the trace of a Jacobian

  /// NaN where one of them does not vary or is not finite.
  static double correlation(const Vector& a, const Vector& b) {
    const Vector x = (a.array() - mean(a)).matrix();
    const Vector y = (b.array() - mean(b)).matrix();
    return x.dot(y) / (x.norm() * y.norm());
  }

  Index points_;
  double level_;
  double part_;
};

class LiftGeometry final : public Diagnostic {
 public:
  explicit LiftGeometry(Settings& settings)
      : points_(settings.integer("points", 10000, 10, 100'000'000, "points that are looked at")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    if (input.sigma_grid.empty()) throw Unsupported("the task has no lift levels");
    const Eigen::Map<const Vector> sigmas(input.sigma_grid.data(), static_cast<Index>(input.sigma_grid.size()));
    const std::vector<LiftGeometryLevel> levels =
        lift_geometry(*input.manifold, clean_points(input, points_), sigmas, {}, input.stream);
    using Level = LiftGeometryLevel;
    const bool within = std::all_of(levels.begin(), levels.end(), [](const Level& l) { return l.within_bound; });
    return {
        {"within_bound", scalar(within ? 1 : 0)},
        {"sigma", series(levels, [](const Level& l) { return l.sigma; })},
        {"rate", series(levels, [](const Level& l) { return l.rate; })},
        {"rate_low", series(levels, [](const Level& l) { return l.rate_interval.low; })},
        {"rate_high", series(levels, [](const Level& l) { return l.rate_interval.high; })},
        {"draws", series(levels, [](const Level& l) { return l.draws; })},
        {"bound", series(levels, [](const Level& l) { return l.bound; })},
        {"exact", series(levels,
                         [&](const Level& l) {
                           return input.manifold->flip_rate(l.sigma).value_or(std::numeric_limits<double>::quiet_NaN());
                         })},
        {"max_jump", series(levels, [](const Level& l) { return l.max_jump; })},
        {"mean_jump", series(levels, [](const Level& l) { return l.mean_jump; })},
        {"failures", series(levels, [](const Level& l) { return l.failures; })}};
  }

 private:
  Index points_;
};

class Explosion final : public Diagnostic {
 public:
  explicit Explosion(Settings& settings)
      : points_(settings.integer("points", 10000, 10, 100'000'000, "points that are looked at")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    const Curves curves = input.model->curves();
    if (!curves.contains("log_thickness") || !curves.contains("loss"))
      throw Unsupported("the method records no thickness of its density");
    const Manifold& manifold = *input.manifold;
    if (manifold.codimension() == 0) throw Unsupported(manifold.spec() + " has no normals");
    const Vector& thickness = curves.at("log_thickness");
    const Vector& loss = curves.at("loss");
    // While the law is thick its shape along M is learned too. What the thickness alone does shows later.
    const std::vector<Index> late = thinner_half(thickness);
    const LikelihoodExplosion course =
        likelihood_explosion(thickness(late), -loss(late), manifold.dimension(), manifold.ambient_dimension());
    Curves result = {{"slope", scalar(course.line.slope)},  {"slope_se", scalar(course.line.slope_se)},
                     {"expected", scalar(course.expected)}, {"records", scalar(static_cast<double>(late.size()))},
                     {"log_thickness", thickness},          {"log_likelihood", -loss}};
    if (input.lift.type != LiftType::normal || input.sampler == nullptr || !std::isfinite(input.entropy)) return result;
    const std::optional<TubeFactor> factor = manifold.mean_log_tube_factor(input.lift.sigma);
    if (!factor || input.model->density_is_intrinsic()) return result;
    const Points fresh =
        input.lift.apply(input.sampler->sample(points_, input.stream.at("points")), manifold, input.stream.at("lift"));
    const std::optional<Vector> density = input.model->log_density(fresh);
    if (!density) return result;
    const auto coordinates = static_cast<double>(manifold.ambient_dimension());
    const double floor = lifted_nll_floor(input.entropy, manifold.codimension(), input.lift.sigma, factor->value);
    result["nll"] = scalar(-mean(*density));
    result["floor"] = scalar(floor);
    result["gap_per_dimension"] = scalar((-mean(*density) - floor) / coordinates);
    result["gap_se"] = scalar(std::hypot(standard_error(*density), factor->se) / coordinates);
    return result;
  }

 private:
  Index points_;
};

class TwoStep final : public Diagnostic {
 public:
  explicit TwoStep(Settings& settings)
      : points_(settings.integer("points", 1000, 10, 20000, "points that are looked at")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    const auto* model = dynamic_cast<const LatentModel*>(input.model);
    if (model == nullptr) throw Unsupported("the method has no latent points");
    const Points x = clean_points(input, points_);
    const Points z = model->sample_latent(x.cols(), input.stream.at("latent"));
    Curves result;
    for (const int p : {1, 2}) {
      const TwoStepBound bound = two_step_bound(*model, x, z, p);
      const std::string end = p == 1 ? "" : "_w2";
      result["lhs_over_rhs" + end] = scalar(bound.left / bound.right());
      result["lhs_over_rhs_norms" + end] = scalar(bound.left / bound.right_by_norms());
      result["rhs_over_diameter" + end] = scalar(bound.right() / bound.diameter);
      result["left" + end] = scalar(bound.left);
      result["reconstruction" + end] = scalar(bound.reconstruction);
      result["latent" + end] = scalar(bound.latent);
      result["lipschitz" + end] = scalar(bound.local_lipschitz);
      result["norm_bound"] = scalar(bound.norm_bound);
    }
    return result;
  }

 private:
  Index points_;
};

class Training final : public Diagnostic {
 public:
  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    const Curves curves = input.model->curves();
    const auto loss = curves.find("loss");
    if (loss == curves.end() || loss->second.size() == 0) throw Unsupported("the method records no loss");
    const auto tail = [](const Vector& values, Index share) -> Vector {
      return values.tail(std::max<Index>(1, values.size() / share));
    };
    Curves result = {{"final_loss", scalar(mean(tail(loss->second, 10)))}};
    const auto gradient = curves.find("gradient_norm");
    if (gradient != curves.end() && gradient->second.size() >= 10) {
      result["gradient_norm"] = scalar(mean(tail(gradient->second, 5)));
      result["gradient_norm_sd"] = scalar(standard_deviation(tail(gradient->second, 5)));
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<Diagnostic> make_likelihood_explosion(Settings& settings) {
  return std::make_unique<Explosion>(settings);
}
std::unique_ptr<Diagnostic> make_two_step_bound(Settings& settings) {
  return std::make_unique<TwoStep>(settings);
}
std::unique_ptr<Diagnostic> make_training_record(Settings& /*settings*/) {
  return std::make_unique<Training>();
}
std::unique_ptr<Diagnostic> make_score_norm(Settings& settings) {
  return std::make_unique<ScoreNorm>(settings);
}
std::unique_ptr<Diagnostic> make_target_variance(Settings& settings) {
  return std::make_unique<TargetVariances>(settings);
}
std::unique_ptr<Diagnostic> make_intrinsic_dimension(Settings& settings) {
  return std::make_unique<IntrinsicDimension>(settings);
}
std::unique_ptr<Diagnostic> make_support_robustness(Settings& settings) {
  return std::make_unique<SupportRobustness>(settings);
}
std::unique_ptr<Diagnostic> make_lyapunov(Settings& settings) {
  return std::make_unique<Lyapunov>(settings);
}
std::unique_ptr<Diagnostic> make_density_error(Settings& settings) {
  return std::make_unique<DensityError>(settings);
}
std::unique_ptr<Diagnostic> make_lift_geometry(Settings& settings) {
  return std::make_unique<LiftGeometry>(settings);
}

}  // namespace onmanifold
