// SPDX-License-Identifier: Apache-2.0
#include "metrics/mmd.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/summation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

double kernel_pairs(const Points& x, const RadialKernel& kernel) {
  const std::string key = fmt::format("kernel-pairs/{}/{}", kernel.key(), fingerprint(x));
  return *remember<double>(key, [&] { return sum_over_pairs(x, {PairFunction::Kind::radial, &kernel}); });
}

double kernel_cross(const Points& x, const Points& y, const RadialKernel& kernel) {
  const std::string key = fmt::format("kernel-cross/{}/{}/{}", kernel.key(), fingerprint(x), fingerprint(y));
  return *remember<double>(key, [&] { return sum_over_pairs(x, y, {PairFunction::Kind::radial, &kernel}); });
}

class MmdMetric final : public Metric {
 public:
  MmdMetric(bool biased, Settings& settings) : biased_(biased) {
    if (settings.has("sigma")) {
      if (settings.has("bandwidth"))
        throw InvalidInput(settings.where() + ": give sigma or bandwidth, not both");
      sigma_ = settings.number("sigma", 1, 1e-150, 1e150);
      bandwidth_ = "sigma";
    } else {
      bandwidth_ = settings.choice("bandwidth", "median", {"median", "bank"});
    }
  }

 private:
  std::vector<MetricRecord> do_evaluate(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "ambient";
    parameters["estimator"] = biased_ ? "biased" : "unbiased";
    parameters["bandwidth"] = bandwidth_;
    parameters["null_method"] = "centred kernel moments of the reference";
    MetricRecord record =
        make_record(biased_ ? "mmd2_rbf_biased" : "mmd2_rbf_unbiased", "lower", parameters, input);
    const FiniteColumns samples(*input.samples);
    record.n_nonfinite = samples.nonfinite();
    if (input.reference == nullptr) return {not_applicable(record, "no reference")};
    const FiniteColumns reference(*input.reference);
    record.n_reference = reference.size();
    if (reference.size() < 2) return {not_applicable(record, "fewer than two reference points")};
    if (samples.size() < 2) return {failed(record, "fewer than two finite samples")};
    const Points& x = reference.points();
    const Points& y = samples.points();

    double sigma = sigma_;
    if (bandwidth_ == "median") {
      sigma = *remember<double>(fmt::format("median/{}/{}", fingerprint(x), fingerprint(y)), [&] {
        Points pooled(x.rows(), x.cols() + y.cols());
        pooled << x, y;
        return median_distance(pooled);
      });
      if (!(sigma > 0)) return {failed(record, "the median distance is 0")};
    }
    const RadialKernel kernel(bandwidth_ == "bank" ? std::vector<double>{.01, .1, 1, 10, 100}
                                                   : std::vector<double>{0.5 / (sigma * sigma)});
    if (bandwidth_ == "bank") {
      parameters["gammas"] = Value::Array(kernel.gammas().begin(), kernel.gammas().end());
    } else {
      parameters["sigma"] = sigma;
    }
    record.parameters = to_json(parameters);

    const auto n = static_cast<double>(x.cols());
    const auto m = static_cast<double>(y.cols());
    const double xx = kernel_pairs(x, kernel);
    const double yy = kernel_pairs(y, kernel);
    const double xy = kernel_cross(x, y, kernel);
    const double cross = 2 * xy / (n * m);
    record.value = biased_ ? (2 * xx + n) / (n * n) + (2 * yy + m) / (m * m) - cross
                           : 2 * xx / (n * (n - 1)) + 2 * yy / (m * (m - 1)) - cross;
    const auto moments =
        remember<KernelMoments>(fmt::format("kernel-moments/{}/{}", kernel.key(), fingerprint(x)),
                                [&] { return kernel_moments(x, kernel); });
    record.null = biased_ ? (1 / n + 1 / m) * (1 - 2 * xx / (n * (n - 1))) : 0.0;
    record.null_sd = mmd2_null_sd(*moments, x.cols(), y.cols(), biased_);
    return {record};
  }

  bool biased_;
  double sigma_ = 0;
  std::string bandwidth_;
};

}  // namespace

MmdEstimates mmd2(const Points& x, const Points& y, const RadialKernel& kernel) {
  if (x.cols() < 2 || y.cols() < 2) throw InvalidInput("mmd2: fewer than two points");
  const auto n = static_cast<double>(x.cols());
  const auto m = static_cast<double>(y.cols());
  const PairFunction f{PairFunction::Kind::radial, &kernel};
  const double xx = sum_over_pairs(x, f);
  const double yy = sum_over_pairs(y, f);
  const double xy = sum_over_pairs(x, y, f);
  MmdEstimates estimates;
  estimates.biased = (2 * xx + n) / (n * n) + (2 * yy + m) / (m * m) - 2 * xy / (n * m);
  estimates.unbiased = 2 * xx / (n * (n - 1)) + 2 * yy / (m * (m - 1)) - 2 * xy / (n * m);
  if (x.cols() == y.cols()) {
    Vector diagonal = (x - y).colwise().squaredNorm();
    kernel.apply(diagonal.data(), diagonal.size());
    estimates.u = 2 * (xx + yy - (xy - tree_sum(diagonal))) / (n * (n - 1));
  }
  return estimates;
}

KernelMoments kernel_moments(const Points& x, const RadialKernel& kernel, Index limit) {
  return kernel_moments(x, PairFunction{PairFunction::Kind::radial, &kernel}, limit);
}

KernelMoments kernel_moments(const Points& x, const PairFunction& kernel, Index limit) {
  const Index count = std::min(x.cols(), limit);
  if (count < 4) return {};
  const Points subset = x.leftCols(count);
  const SquaredDistances distances(subset, tree_mean(subset));
  Vector rows = Vector::Zero(count);
  TreeSum squares;
  distances.visit(
      subset, [count](Index) { return count; },
      [&](Index j, Index begin, Index size, double* d2) {
        kernel.apply(d2, size);
        if (j >= begin && j < begin + size) d2[j - begin] = 0;
        const Eigen::Map<const Vector> k(d2, size);
        rows[j] += tree_sum(k);
        squares.add(k.squaredNorm());
      });
  return kernel_moments(rows, squares.sum());
}

KernelMoments kernel_moments(const Vector& rows, double square) {
  KernelMoments moments;
  if (rows.size() < 4) return moments;
  const auto n = static_cast<double>(rows.size());
  // U-statistics over distinct indices: E k(1,2)^2, E k(1,2) k(1,3), E k(1,2) k(3,4).
  const double total = tree_sum(rows);
  const double paths = tree_sum(rows.cwiseAbs2()) - square;
  const double apart = total * total - 4 * paths - 2 * square;
  const double mean_square = square / (n * (n - 1));
  const double mean_path = paths / (n * (n - 1) * (n - 2));
  const double mean_apart = apart / (n * (n - 1) * (n - 2) * (n - 3));
  moments.mean = total / (n * (n - 1));
  moments.centred_square = std::max(0.0, mean_square - 2 * mean_path + mean_apart);
  moments.diagonal_variance = std::max(0.0, 4 * (mean_path - mean_apart));  // k~(x,x) = k(x,x) - 2 g(x) + E k
  return moments;
}

double mmd2_null_sd(const KernelMoments& moments, Index size_x, Index size_y, bool biased) {
  const auto n = static_cast<double>(size_x);
  const auto m = static_cast<double>(size_y);
  const double zeta = moments.centred_square;
  if (!biased) return std::sqrt(2 * zeta * (1 / (n * (n - 1)) + 1 / (m * (m - 1)) + 2 / (n * m)));
  const double pairs = 2 * zeta * ((n - 1) / (n * n * n) + (m - 1) / (m * m * m) + 2 / (n * m));
  return std::sqrt(pairs + moments.diagonal_variance * (1 / (n * n * n) + 1 / (m * m * m)));
}

std::unique_ptr<Metric> make_mmd2_rbf_biased(Settings& settings) {
  return std::make_unique<MmdMetric>(true, settings);
}
std::unique_ptr<Metric> make_mmd2_rbf_unbiased(Settings& settings) {
  return std::make_unique<MmdMetric>(false, settings);
}

}  // namespace onmanifold
