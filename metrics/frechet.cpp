// SPDX-License-Identifier: Apache-2.0
#include "metrics/frechet.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "core/linear_algebra.hpp"
#include "core/summation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

constexpr int fd_inf_points = 15;
constexpr Index fd_inf_least = 20;

struct Fitted {
  Vector mean;
  Eigen::MatrixXd factor;  // FᵀF is the covariance
};

Fitted fit(const Points& x) {
  const double root = std::sqrt(static_cast<double>(x.cols() - 1));
  return {tree_mean(x), centred_triangular_factor(x) / root};
}

class FdStream final : public MetricStream {
 public:
  FdStream(const MetricInput& input, bool wanted) : input_(input), wanted_(wanted) {}

  [[nodiscard]] int passes() const override { return 2; }

  // The mean first, then the factor of the centred samples.
  void add(int pass, const Points& chunk, const Projection* /*projection*/) override {
    const FiniteColumns finite(chunk);
    if (pass == 0) {
      n_samples_ += chunk.cols();
      n_nonfinite_ += finite.nonfinite();
      if (!wanted_) return;
      if (!sum_) sum_.emplace(chunk.rows());
      sum_->add(finite.points());
      return;
    }
    if (!sum_ || sum_->count() < 2) return;
    if (!factor_) {
      mean_ = sum_->sum() / static_cast<double>(sum_->count());
      factor_.emplace(mean_);
    }
    factor_->add(finite.points());
  }

  std::vector<MetricRecord> finish() override {
    Value::Table parameters;
    parameters["space"] = "ambient";
    parameters["features"] = "coordinates";
    parameters["ddof"] = 1;
    parameters["null_method"] = "closed form for Gaussians with the reference's covariance";
    MetricRecord record = make_record("fd", "lower", parameters, input_);
    record.unit = "length^2";
    record.n_samples = n_samples_;
    record.n_nonfinite = n_nonfinite_;
    if (input_.reference == nullptr) return {not_applicable(record, "no reference")};
    const FiniteColumns reference(*input_.reference);
    record.n_reference = reference.size();
    if (reference.size() < 2) return {not_applicable(record, "fewer than two reference points")};
    if (!factor_) return {failed(record, "fewer than two finite samples")};
    const auto own = remember<Fitted>("fd-fit/" + fingerprint(reference.points()),
                                      [&] { return fit(reference.points()); });
    const Index n = sum_->count();
    const Eigen::MatrixXd factor = factor_->factor() / std::sqrt(static_cast<double>(n - 1));
    record.value = frechet_distance(own->mean, own->factor, mean_, factor);
    const Vector eigenvalues = singular_values(own->factor).cwiseAbs2();
    record.null = frechet_null(eigenvalues, reference.size(), n);
    record.null_sd = frechet_null_sd(eigenvalues, reference.size(), n);
    return {record};
  }

 private:
  const MetricInput& input_;
  bool wanted_;
  Index n_samples_ = 0;
  Index n_nonfinite_ = 0;
  std::optional<TreeVectorSum> sum_;
  Vector mean_;
  std::optional<TriangularFactor> factor_;
};

class Fd final : public Metric {
 public:
  [[nodiscard]] std::unique_ptr<MetricStream> stream(const MetricInput& input) const override {
    return std::make_unique<FdStream>(input, input.reference != nullptr);
  }

 private:
  std::vector<MetricRecord> do_evaluate(const MetricInput& input) const override {
    return evaluate_as_one_chunk(*stream(input), input);
  }
};

class FdInf final : public Metric {
 public:
  explicit FdInf(Settings& settings) : seed_(settings.integer("seed", 0, 0)) {}

 private:
  std::vector<MetricRecord> do_evaluate(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "ambient";
    parameters["features"] = "coordinates";
    parameters["ddof"] = 1;
    parameters["points"] = fd_inf_points;
    parameters["seed"] = static_cast<std::int64_t>(seed_);
    parameters["null_method"] = "closed form for Gaussians, the reference's part";
    MetricRecord record = make_record("fd_inf", "lower", parameters, input);
    record.unit = "length^2";
    const FiniteColumns samples(*input.samples);
    record.n_nonfinite = samples.nonfinite();
    if (input.reference == nullptr) return {not_applicable(record, "no reference")};
    const FiniteColumns reference(*input.reference);
    record.n_reference = reference.size();
    if (reference.size() < 2) return {not_applicable(record, "fewer than two reference points")};
    if (samples.size() < fd_inf_least) return {failed(record, "not enough finite samples")};
    record.value = frechet_distance_at_infinity(reference.points(), samples.points(),
                                                Stream(static_cast<std::uint64_t>(seed_), "metrics/fd_inf"));
    const auto own = remember<Fitted>("fd-fit/" + fingerprint(reference.points()),
                                      [&] { return fit(reference.points()); });
    // Only the samples are extrapolated: what the finite reference adds stays.
    record.null = frechet_null(singular_values(own->factor).cwiseAbs2(), reference.size(),
                               std::numeric_limits<Index>::max());
    return {record};
  }

  Index seed_;
};

}  // namespace

double frechet_distance_at_infinity(const Points& x, const Points& y, const Stream& stream) {
  check_dimension(y, x.rows(), "samples");
  const Index n = y.cols();
  if (x.cols() < 2 || n < fd_inf_least) throw InvalidInput("fd_inf: not enough points");
  const Fitted reference = fit(x);
  const double first = std::max(2.0, std::min(5000.0, static_cast<double>(n) / 10));
  Eigen::Matrix<double, fd_inf_points, 1> inverse;
  Eigen::Matrix<double, fd_inf_points, 1> distance;
  for (int s = 0; s < fd_inf_points; ++s) {
    const auto size =
        static_cast<Index>(std::floor(first + (static_cast<double>(n) - first) * s / (fd_inf_points - 1)));
    Stream own = stream.at(static_cast<std::uint64_t>(s));
    std::vector<Index> order = own.permutation(n);
    order.resize(static_cast<std::size_t>(size));
    const Fitted other = fit(y(Eigen::all, order));
    inverse[s] = 1 / static_cast<double>(size);
    distance[s] = frechet_distance(reference.mean, reference.factor, other.mean, other.factor);
  }
  const double mean = inverse.mean();
  const double slope =
      (inverse.array() - mean).matrix().dot(distance) / (inverse.array() - mean).square().sum();
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
  return (mean_x - mean_y).squaredNorm() + factor_x.squaredNorm() + factor_y.squaredNorm() -
         2 * nuclear_norm(product);
}

double frechet_distance(const Points& x, const Points& y) {
  check_dimension(y, x.rows(), "samples");
  if (x.cols() < 2 || y.cols() < 2) throw InvalidInput("fd: fewer than two points");
  const Fitted a = fit(x);
  const Fitted b = fit(y);
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
std::unique_ptr<Metric> make_fd(Settings&) {
  return std::make_unique<Fd>();
}

}  // namespace onmanifold
