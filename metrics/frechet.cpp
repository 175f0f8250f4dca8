// SPDX-License-Identifier: Apache-2.0
#include "metrics/frechet.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/math/linear_algebra.hpp"
#include "core/math/summation.hpp"
#include "metrics/gaussian_fit.hpp"
#include "metrics/null_simulation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

constexpr int fd_inf_points = 15;
constexpr Index fd_inf_least = 20;
constexpr Index fd_inf_null_draws = 20;
constexpr Index fd_inf_null_work = 1'000'000'000;

struct Fitted {
  Vector mean;             // seen from a centre
  Eigen::MatrixXd factor;  // FᵀF is the covariance
};

// \throw NumericalFailure where coordinates of very different magnitude broke the decomposition.
Eigen::MatrixXd finite_factor(Eigen::MatrixXd factor) {
  if (!factor.allFinite()) throw NumericalFailure("Frechet distance: the factor of a covariance is not finite");
  return factor;
}

Eigen::MatrixXd factor_of(const Points& x) {
  return finite_factor(centred_triangular_factor(x) / std::sqrt(static_cast<double>(x.cols() - 1)));
}

/// \p x seen from \p centre. Far from the origin a mean is rounded by more than means differ, and the square of that
/// difference is a part of the distance: all points are seen from the reference's mean before means are taken.
Points seen_from(const Vector& centre, const Points& x) {
  return x.colwise() - centre;
}

/// \throw NumericalFailure where that overflows.
Points finite_seen_from(const Vector& centre, const Points& x) {
  Points seen = seen_from(centre, x);
  if (!seen.allFinite()) throw NumericalFailure("Frechet distance: coordinates overflow when centred");
  return seen;
}

Fitted fit(const Points& x, const Vector& centre) {
  const Points seen = finite_seen_from(centre, x);
  return {tree_mean(seen), factor_of(seen)};
}

bool large(Index dimension) {
  return dimension >= covariance_dimension;
}

// The reference's side, kept from cell to cell: either the covariance with its Cholesky factor or the
// triangular factor of the points.
struct ReferenceFit {
  Vector centre;
  Vector mean;  // seen from it
  CovarianceFit covariance;
  std::optional<Eigen::MatrixXd> cholesky;
  Eigen::MatrixXd factor;
  Vector eigenvalues;
};

ReferenceFit fit_reference(const Points& points) {
  ReferenceFit result;
  result.centre = tree_mean(points);
  const Points x = finite_seen_from(result.centre, points);
  result.mean = tree_mean(x);
  if (large(x.rows()) && x.cols() > x.rows()) {
    result.covariance = fit_covariance(x, result.mean);
    result.cholesky = cholesky(result.covariance);
    if (result.cholesky) {
      result.eigenvalues = eigenvalues(result.covariance);
      return result;
    }
  }
  result.factor = factor_of(x);
  result.eigenvalues = singular_values(result.factor).cwiseAbs2();
  return result;
}

// |mu1-mu2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) if the covariances allow it.
std::optional<double> distance_of_covariances(const Vector& mean_x, const CovarianceFit& x,
                                              const Eigen::MatrixXd& cholesky_of_x, const Vector& mean_y,
                                              const CovarianceFit& y) {
  const RootTrace root = root_trace(x, cholesky_of_x, y);
  const double traces = x.trace + y.trace;
  if (!(root.error <= root_trace_tolerance * traces)) return std::nullopt;
  return (mean_x - mean_y).squaredNorm() + traces - 2 * root.value;
}

// What the Gaussians are fitted to: coordinates, the caller's features ("given"), or features of the task by
// name.
enum class Record { fd, fid_lenet };
enum class Features { coordinates, given, pca64, lenet };

}  // namespace

template <>
struct EnumNames<Features> {
  static constexpr const char* kind = "features";
  static constexpr std::array<EnumName<Features>, 4> names = {{{Features::coordinates, "coordinates"},
                                                               {Features::given, "given"},
                                                               {Features::pca64, "pca64"},
                                                               {Features::lenet, "lenet"}}};
};

namespace {

class FdStream final : public MetricStream {
 public:
  // In one chunk: features of the samples are made once and kept for all passes.
  FdStream(const MetricInput& input, Record record, Features features, bool one_chunk)
      : input_(input), record_(record), of_features_(features != Features::coordinates), one_chunk_(one_chunk) {
    if (features == Features::given) {
      found_.map = input.target.features;
      found_.why = "no feature map was given";
    } else if (of_features_) {
      found_.why = fmt::format("no features '{}' without a task that has them", name_of(features));
      if (input.target.feature_maps != nullptr)
        found_ = input.target.feature_maps->find(std::string(name_of(features)));
    }
    if (input.target.reference == nullptr || (of_features_ && found_.map == nullptr)) return;
    const FiniteColumns& reference = input.target.finite();
    n_reference_ = reference.size();
    if (n_reference_ < 2) return;
    const std::shared_ptr<const Points> features_of_reference = mapped_reference(reference.points());
    const Points& x = of_features_ ? *features_of_reference : reference.points();
    try {
      own_ = input.target.memo().get<ReferenceFit>("fd/" + features_name(), [&] { return fit_reference(x); });
    } catch (const NumericalFailure& failure) {
      broken_ = failure.what();  // told by finish(): making a stream does not end what asks for it
    }
  }

  // The mean first, then the covariance or the triangular factor of the centred samples. In many dimensions
  // a third pass makes the factor where the covariance turns out not to do.
  [[nodiscard]] int passes() const override { return own_ && own_->cholesky ? 3 : 2; }

  void add(int pass, const Points& chunk, const Projection* /*projection*/) override {
    if (pass == 2 && value_known()) return;
    const FiniteColumns finite(chunk);
    if (pass == 0) {
      n_samples_ += chunk.cols();
      n_nonfinite_ += finite.nonfinite();
      if (!own_) return;
    }
    if (pass == 0) {
      const Points& points = of_features_ ? mapped(finite.points(), pass) : finite.points();
      const Points seen = seen_from(own_->centre, points);
      if (!seen.allFinite()) overflow_ = true;
      if (!sum_) sum_.emplace(points.rows());
      sum_->add(seen);
      return;
    }
    if (!sum_ || sum_->count() < 2 || overflow_) return;
    const Points points = seen_from(own_->centre, of_features_ ? mapped(finite.points(), pass) : finite.points());
    if (mean_.size() == 0) mean_ = sum_->sum() / static_cast<double>(sum_->count());
    if (pass == 1 && own_->cholesky) {
      if (sum_->count() <= points.rows()) return;
      if (!covariance_) covariance_.emplace(mean_);
      covariance_->add(points);
      return;
    }
    if (!factor_) factor_.emplace(mean_);
    factor_->add(points);
  }

  std::vector<MetricRecord> finish() override {
    Value::Table parameters;
    if (found_.map != nullptr) parameters = found_.map->parameters;
    parameters["space"] = of_features_ ? "features" : "ambient";
    parameters["features"] = !of_features_ ? "coordinates" : found_.map == nullptr ? "none given" : found_.map->name;
    parameters["ddof"] = 1;
    parameters["null_method"] = "closed form for Gaussians with the reference's covariance";
    MetricRecord record = make_record(record_ == Record::fid_lenet ? "fid_lenet" : "fd", "lower", parameters, input_);
    record.version = 2;  // centred on the reference
    record.unit = of_features_ ? "" : "length^2";
    record.n_samples = n_samples_;
    record.n_nonfinite = n_nonfinite_;
    if (input_.target.reference == nullptr) return {not_applicable(record, "no reference")};
    if (of_features_ && found_.map == nullptr) return {not_applicable(record, found_.why)};
    record.n_reference = n_reference_;
    if (!broken_.empty()) return {failed(record, broken_)};
    if (!own_) return {not_applicable(record, "fewer than two reference points")};
    if (!sum_ || sum_->count() < 2) return {failed(record, "fewer than two finite samples")};
    if (overflow_) return {failed(record, "samples so large that their features are not finite")};
    const Index n = sum_->count();
    if (value_known()) {
      record.value = *value_;
    } else {
      const Eigen::MatrixXd factor = finite_factor(factor_->factor() / std::sqrt(static_cast<double>(n - 1)));
      record.value = frechet_distance(own_->mean, reference_factor(), mean_, factor);
    }
    record.null = frechet_null(own_->eigenvalues, n_reference_, n);
    record.null_sd = frechet_null_sd(own_->eigenvalues, n_reference_, n);
    return {record};
  }

 private:
  [[nodiscard]] std::string features_name() const { return of_features_ ? found_.map->name : "coordinates"; }

  [[nodiscard]] const Points& mapped(const Points& points, int pass) {
    if (pass == 0 || !one_chunk_) features_ = found_.map->map(points);
    return features_;
  }

  // All cells of a task share the reference. Null for coordinates.
  [[nodiscard]] std::shared_ptr<const Points> mapped_reference(const Points& points) const {
    if (!of_features_) return nullptr;
    return input_.target.memo().get<Points>("features/" + features_name(), [&] { return found_.map->map(points); });
  }

  // After pass 1: whether the covariance route gave the value.
  bool value_known() {
    if (covariance_ && !tried_) {
      const CovarianceFit fit = fit_covariance(*covariance_);
      value_ = distance_of_covariances(own_->mean, own_->covariance, *own_->cholesky, mean_, fit);
      covariance_.reset();
      tried_ = true;
    }
    return value_.has_value();
  }

  [[nodiscard]] Eigen::MatrixXd reference_factor() const {
    if (!own_->cholesky) return own_->factor;
    const FiniteColumns& reference = input_.target.finite();
    const std::shared_ptr<const Points> features = mapped_reference(reference.points());
    const Points& x = of_features_ ? *features : reference.points();
    return *input_.target.memo().get<Eigen::MatrixXd>("fd/" + features_name(),
                                                      [&] { return factor_of(finite_seen_from(own_->centre, x)); });
  }

  const MetricInput& input_;
  Record record_;
  bool of_features_;
  bool one_chunk_;
  FoundFeatures found_;
  Points features_;  // of the last chunk
  bool overflow_ = false;
  std::string broken_;  // why the reference has no fit
  Index n_reference_ = 0;
  std::shared_ptr<const ReferenceFit> own_;
  Index n_samples_ = 0;
  Index n_nonfinite_ = 0;
  std::optional<TreeVectorSum> sum_;
  Vector mean_;
  std::optional<CovarianceSum> covariance_;
  bool tried_ = false;
  std::optional<double> value_;
  std::optional<TriangularFactor> factor_;
};

class Fd final : public Metric {
 public:
  Fd(Record record, Features features) : record_(record), features_(features) {}
  [[nodiscard]] std::unique_ptr<MetricStream> do_stream(const MetricInput& input) const override {
    return std::make_unique<FdStream>(input, record_, features_, false);
  }

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    FdStream whole(input, record_, features_, true);
    return measure_as_one_chunk(whole, input);
  }

  [[nodiscard]] std::optional<int> do_degree() const override {
    return features_ == Features::coordinates ? std::optional<int>(2) : std::nullopt;
  }

  Record record_;
  Features features_;
};

class FdInf final : public Metric {
 public:
  explicit FdInf(Settings& settings) : seed_(settings.integer("seed", 0, 0, "of the random choices of the metric")) {}

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "ambient";
    parameters["features"] = "coordinates";
    parameters["ddof"] = 1;
    parameters["points"] = fd_inf_points;
    parameters["seed"] = static_cast<std::int64_t>(seed_);
    parameters["null_method"] = "closed form for Gaussians, the reference's part";
    MetricRecord record = make_record("fd_inf", "lower", parameters, input);
    record.version = 3;  // subsets do not depend on the order of rows; centred on the reference
    record.unit = "length^2";
    const FiniteColumns& samples = input.finite();
    record.n_nonfinite = samples.nonfinite();
    if (input.target.reference == nullptr) return {not_applicable(record, "no reference")};
    const FiniteColumns& reference = input.target.finite();
    record.n_reference = reference.size();
    if (reference.size() < 2) return {not_applicable(record, "fewer than two reference points")};
    if (samples.size() < fd_inf_least) return {failed(record, "not enough finite samples")};
    record.value = frechet_distance_at_infinity(reference.points(), samples.sorted(),
                                                Stream(static_cast<std::uint64_t>(seed_), "metrics/fd_inf"));
    const auto own = input.target.memo().get<Fitted>(
        "fd_inf", [&] { return fit(reference.points(), tree_mean(reference.points())); });
    // Only the samples are extrapolated: what the finite reference adds stays.
    record.null =
        frechet_null(singular_values(own->factor).cwiseAbs2(), reference.size(), std::numeric_limits<Index>::max());
    // The spread is simulated where twenty pairs take at most some 10^9 operations: the fits of all 15 sizes
    // touch about 16 M D^2 numbers.
    const Index d = reference.points().rows();
    const Index n = samples.size();
    if (input.target.sampler != nullptr && n * d * d * 16 * fd_inf_null_draws <= fd_inf_null_work) {
      NullPlan plan;
      plan.small_draws = fd_inf_null_draws;
      plan.small_total = reference.size() + n;
      const Stream subsets(static_cast<std::uint64_t>(seed_), "metrics/fd_inf");
      const auto null = simulated_null(input, fmt::format("fd_inf(seed={})", seed_), reference.size(), n, 1, plan,
                                       [&](const Points& x, const Points& y) {
                                         return Vector::Constant(1, frechet_distance_at_infinity(x, y, subsets));
                                       });
      record.null_sd = null->sd[0];
      parameters["null_method"] = "closed form for Gaussians, the reference's part; spread from " + null->method;
      record.parameters = to_json(parameters);
    }
    return {record};
  }

  [[nodiscard]] std::optional<int> do_degree() const override { return 2; }

  Index seed_;
};

}  // namespace

double frechet_distance_at_infinity(const Points& x, const Points& y, const Stream& stream) {
  check_dimension(y, x.rows(), "samples");
  const Index n = y.cols();
  if (x.cols() < 2 || n < fd_inf_least) throw InvalidInput("fd_inf: not enough points");
  const Vector centre = tree_mean(x);
  const Fitted reference = fit(x, centre);
  const double first = std::max(2.0, std::min(5000.0, static_cast<double>(n) / 10));
  Eigen::Matrix<double, fd_inf_points, 1> inverse;
  Eigen::Matrix<double, fd_inf_points, 1> distance;
  for (int s = 0; s < fd_inf_points; ++s) {
    const auto size =
        static_cast<Index>(std::floor(first + (static_cast<double>(n) - first) * s / (fd_inf_points - 1)));
    Stream own = stream.at(static_cast<std::uint64_t>(s));
    std::vector<Index> order = own.permutation(n);
    order.resize(static_cast<std::size_t>(size));
    const Fitted other = fit(y(Eigen::all, order), centre);
    inverse[s] = 1 / static_cast<double>(size);
    distance[s] = frechet_distance(reference.mean, reference.factor, other.mean, other.factor);
  }
  const double mean = inverse.mean();
  const double slope = (inverse.array() - mean).matrix().dot(distance) / (inverse.array() - mean).square().sum();
  return distance.mean() - slope * mean;
}

double frechet_null_sd(const Vector& eigenvalues, Index n, Index m) {
  const double rate = 1 / static_cast<double>(n) + 1 / static_cast<double>(m);
  double sum = 0;
  for (Index i = 0; i < eigenvalues.size(); ++i) {
    sum += 2.5 * eigenvalues[i] * eigenvalues[i];
    for (Index j = 0; j < eigenvalues.size(); ++j) {
      const double total = eigenvalues[i] + eigenvalues[j];
      if (i == j || total <= 0) continue;
      const double ratio = eigenvalues[i] * eigenvalues[j] / total;
      sum += ratio * ratio;
    }
  }
  return rate * std::sqrt(sum);
}

double frechet_distance(const Vector& mean_x, const Eigen::MatrixXd& factor_x, const Vector& mean_y,
                        const Eigen::MatrixXd& factor_y) {
  const Eigen::MatrixXd product = factor_x * factor_y.transpose();
  return (mean_x - mean_y).squaredNorm() + factor_x.squaredNorm() + factor_y.squaredNorm() - 2 * nuclear_norm(product);
}

double frechet_distance(const Points& x, const Points& y) {
  check_dimension(y, x.rows(), "samples");
  if (x.cols() < 2 || y.cols() < 2) throw InvalidInput("fd: fewer than two points");
  if (large(x.rows()) && std::min(x.cols(), y.cols()) > x.rows()) {
    const Vector centre = tree_mean(x);
    const Points seen_x = finite_seen_from(centre, x);
    const Points seen_y = finite_seen_from(centre, y);
    const Vector mean_x = tree_mean(seen_x);
    const Vector mean_y = tree_mean(seen_y);
    const CovarianceFit fit_x = fit_covariance(seen_x, mean_x);
    if (const auto root = cholesky(fit_x)) {
      const auto value = distance_of_covariances(mean_x, fit_x, *root, mean_y, fit_covariance(seen_y, mean_y));
      if (value) return *value;
    }
  }
  return frechet_distance_by_factors(x, y);
}

double frechet_distance_by_factors(const Points& x, const Points& y) {
  check_dimension(y, x.rows(), "samples");
  if (x.cols() < 2 || y.cols() < 2) throw InvalidInput("fd: fewer than two points");
  const Vector centre = tree_mean(x);
  const Fitted a = fit(x, centre);
  const Fitted b = fit(y, centre);
  return frechet_distance(a.mean, a.factor, b.mean, b.factor);
}

double frechet_null(const Vector& eigenvalues, Index n, Index m) {
  double sum = 0;
  for (Index i = 0; i < eigenvalues.size(); ++i) {
    sum += 3 * eigenvalues[i];
    for (Index j = 0; j < eigenvalues.size(); ++j) {
      const double total = eigenvalues[i] + eigenvalues[j];
      if (i != j && total > 0) sum += eigenvalues[i] * eigenvalues[j] / total;
    }
  }
  return 0.5 * (1 / static_cast<double>(n) + 1 / static_cast<double>(m)) * sum;
}

std::unique_ptr<Metric> make_fd_inf(Settings& settings) {
  return std::make_unique<FdInf>(settings);
}
std::unique_ptr<Metric> make_fd(Settings& settings) {
  const std::string features =
      settings.choice("features", "coordinates", {"coordinates", "given", "pca64"},
                      "coordinates as they are, features of the caller, or 64 principal axes of the training images");
  return std::make_unique<Fd>(Record::fd, parse_named<Features>(features));
}

std::unique_ptr<Metric> make_fid_lenet(Settings& /*settings*/) {
  return std::make_unique<Fd>(Record::fid_lenet, Features::lenet);
}

}  // namespace onmanifold
