// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/support_robustness.hpp"

#include <cmath>
#include <functional>
#include <numbers>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "diagnostics/cell_input.hpp"
#include "diagnostics/line_fit.hpp"

namespace onmanifold {
namespace {

using ErrorField = std::function<Points(const Points&)>;

/// A sum of plane waves with random amplitudes.
class Waves {
 public:
  Waves(Index dimension, Index count, double wavelength, const Stream& stream)
      : amplitudes_(stream.at("amplitude").normal(dimension, count) *
                    std::sqrt(2 / static_cast<double>(count * dimension))),
        frequencies_(stream.at("frequency").normal(count, dimension) / wavelength),
        phases_(stream.at("phase").uniform(count, 1) * (2 * std::numbers::pi)) {}

  [[nodiscard]] Points operator()(const Points& y) const {
    Points angles = frequencies_ * y;
    angles.colwise() += phases_.col(0);
    return amplitudes_ * angles.array().cos().matrix();
  }

 private:
  Points amplitudes_;   // D×M
  Points frequencies_;  // M×D
  Points phases_;       // M×1
};

/// P_T or P_N of \p waves at the foot of every point, 0 where there is none.
ErrorField component_of(const Waves& waves, const Manifold& manifold, bool normal) {
  return [&waves, &manifold, normal](const Points& y) {
    const Projection foot = manifold.project(y);
    const Points all = waves(y);
    Points part = normal ? manifold.normal_component(foot.points, all) : manifold.tangent_component(foot.points, all);
    for (Index j = 0; j < y.cols(); ++j) {
      if (!foot.converged[j]) part.col(j).setZero();
    }
    return part;
  };
}

/// Over the columns whose projection converged.
double root_mean_square(const Points& columns, const Projection& foot) {
  const double sum =
      tree_sum_over(columns.cols(), [&](Index j) { return foot.converged[j] ? columns.col(j).squaredNorm() : 0.0; });
  return std::sqrt(sum / static_cast<double>(foot.converged.count()));
}

/// The end of the flow from level 0 to \p last. \p error may be null.
Points integrate(const ScoreField& field, const PointsRef& start, Index last, double size, const ErrorField& error) {
  const Vector& s = field.levels();
  const auto drift = [&](const Points& y, Index k) {
    Points result = field.score(y, k);
    if (error) result += size * error(y);
    result *= -s[k];
    return result;
  };
  Points y = start;
  for (Index k = 0; k < last; ++k) {
    const double h = s[k + 1] - s[k];
    const Points first = drift(y, k);
    const Points second = drift(y + h * first, k + 1);
    y += (0.5 * h) * (first + second);
  }
  return y;
}

/// Ends of flows with their nearest points.
struct Ends {
  Points offset;
  Projection foot;
};

Ends ends_of(const Manifold& manifold, const Points& y) {
  Ends ends;
  ends.foot = manifold.project(y);
  ends.offset = y - ends.foot.points;
  return ends;
}

double slope_of(const Vector& log_sizes, const Vector& shifts) {
  if (log_sizes.size() < 2 || !(shifts.array() > 0).all()) return std::numeric_limits<double>::quiet_NaN();
  return fit_line(log_sizes, shifts.array().log().matrix()).slope;
}

void check_options(const Manifold& manifold, const SupportRobustnessOptions& options) {
  if (options.kinds.empty() || options.sizes.empty() || options.waves < 1 || !(options.wavelength >= 0)) {
    throw InvalidInput(fmt::format("support robustness: {} kinds, {} sizes, {} waves of length {}",
                                   options.kinds.size(), options.sizes.size(), options.waves, options.wavelength));
  }
  double before = 0;
  for (const double size : options.sizes) {
    if (!(size > before) || !std::isfinite(size)) {
      throw InvalidInput(fmt::format("support robustness: size {} after {}: sizes rise from above 0", size, before));
    }
    before = size;
  }
  for (const DriftError kind : options.kinds) {
    if ((kind == DriftError::tangent_only && manifold.dimension() == 0) ||
        (kind == DriftError::normal_only && manifold.codimension() == 0)) {
      throw InvalidInput(
          fmt::format("support robustness: {} has no direction for {}", manifold.spec(), to_string(kind)));
    }
  }
}

}  // namespace

std::string to_string(DriftError kind) {
  switch (kind) {
    case DriftError::constant:
      return "constant";
    case DriftError::fourier:
      return "fourier";
    case DriftError::tangent_only:
      return "tangent_only";
    case DriftError::normal_only:
      return "normal_only";
  }
  throw InvalidInput("drift error: unknown kind");
}

SupportRobustnessResult support_robustness(const ScoreField& field, const Manifold& manifold, const PointsRef& start,
                                           const SupportRobustnessOptions& options, const Stream& stream) {
  check_dimension(start, field.dimension(), "support robustness: points");
  check_dimension(start, manifold.ambient_dimension(), "support robustness: points");
  check_options(manifold, options);
  const Index dimension = start.rows();
  const Index last = options.last_level < 0 ? field.levels().size() - 1 : options.last_level;
  if (last < 1 || last >= field.levels().size() || start.cols() == 0) {
    throw InvalidInput(
        fmt::format("support robustness: {} points, last level {} of {}", start.cols(), last, field.levels().size()));
  }
  Vector direction =
      options.direction.size() > 0 ? options.direction : Vector(stream.at("direction").normal(dimension, 1).col(0));
  if (direction.size() != dimension || !(direction.norm() > 0) || !direction.allFinite()) {
    throw InvalidInput("support robustness: the direction is no vector of the dimension");
  }
  direction.normalize();
  const Waves waves(dimension, options.waves, options.wavelength > 0 ? options.wavelength : manifold.scale(),
                    stream.at("waves"));

  const Points end = integrate(field, start, last, 0, nullptr);
  const Ends plain = ends_of(manifold, end);
  if (plain.foot.converged.count() == 0) throw NumericalFailure("support robustness: no flow ended near the manifold");
  SupportRobustnessResult result;
  result.s_max = field.levels()[0];
  result.s_min = field.levels()[last];
  result.distance =
      tree_sum_over(end.cols(), [&](Index j) { return plain.foot.converged[j] ? plain.foot.distance[j] : 0.0; }) /
      static_cast<double>(plain.foot.converged.count());
  const Vector log_sizes =
      Eigen::Map<const Vector>(options.sizes.data(), static_cast<Index>(options.sizes.size())).array().log().matrix();

  for (const DriftError kind : options.kinds) {
    ErrorField raw;
    switch (kind) {
      case DriftError::constant:
        raw = [&direction](const Points& y) -> Points { return direction.replicate(1, y.cols()); };
        break;
      case DriftError::fourier:
        raw = waves;
        break;
      case DriftError::tangent_only:
        raw = component_of(waves, manifold, false);
        break;
      case DriftError::normal_only:
        raw = component_of(waves, manifold, true);
        break;
    }
    const double size_of_raw = root_mean_square(raw(end), plain.foot);
    if (!(size_of_raw > 0)) throw NumericalFailure("support robustness: the error vanishes at every end point");
    const ErrorField error = [&raw, size_of_raw](const Points& y) -> Points { return raw(y) / size_of_raw; };

    DriftErrorShifts shifts;
    shifts.kind = kind;
    const auto count = static_cast<Index>(options.sizes.size());
    shifts.normal.resize(count);
    shifts.tangential.resize(count);
    shifts.distance.resize(count);
    for (Index i = 0; i < count; ++i) {
      const double size = options.sizes[static_cast<std::size_t>(i)];
      const Ends moved = ends_of(manifold, integrate(field, start, last, size, error));
      const Points change = manifold.normal_component(plain.foot.points, moved.offset - plain.offset);
      TreeSum normal;
      TreeSum tangential;
      TreeSum distance;
      for (Index j = 0; j < end.cols(); ++j) {
        if (!plain.foot.converged[j] || !moved.foot.converged[j]) {
          ++shifts.failures;
          continue;
        }
        normal.add(change.col(j).norm());
        tangential.add((moved.foot.points.col(j) - plain.foot.points.col(j)).norm());
        distance.add(moved.foot.distance[j]);
      }
      const auto used = static_cast<double>(normal.count());
      shifts.normal[i] = normal.sum() / used;
      shifts.tangential[i] = tangential.sum() / used;
      shifts.distance[i] = distance.sum() / used;
    }
    shifts.normal_slope = slope_of(log_sizes, shifts.normal);
    shifts.tangential_slope = slope_of(log_sizes, shifts.tangential);
    shifts.normal_gain = shifts.normal[0] / options.sizes[0];
    shifts.tangential_gain = shifts.tangential[0] / options.sizes[0];
    result.shifts.push_back(std::move(shifts));
  }

  double normal = std::numeric_limits<double>::quiet_NaN();
  double tangential = normal;
  for (const DriftErrorShifts& shifts : result.shifts) {
    if (shifts.kind == DriftError::normal_only) normal = shifts.normal[0];
    if (shifts.kind == DriftError::tangent_only) tangential = shifts.tangential[0];
  }
  result.ratio = normal / tangential;
  return result;
}

double constant_error_shift(double eps, double tau, double s_max, double s_min) {
  const double at_end = std::hypot(tau, s_min);
  return eps * at_end * (std::hypot(tau, s_max) - at_end);
}

double constant_velocity_error_shift(double eps, double t) {
  return eps * (1 - t) * -std::log1p(-t);
}

namespace {

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

}  // namespace

std::unique_ptr<Diagnostic> make_support_robustness(Settings& settings) {
  return std::make_unique<SupportRobustness>(settings);
}

}  // namespace onmanifold
