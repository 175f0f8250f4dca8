// SPDX-License-Identifier: Apache-2.0
#include "metrics/frechet.hpp"

#include <cmath>

#include "core/error.hpp"
#include "core/linear_algebra.hpp"
#include "core/summation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

struct Fitted {
  Vector mean;
  Eigen::MatrixXd factor;  // FᵀF is the covariance
};

Fitted fit(const Points& x) {
  const double root = std::sqrt(static_cast<double>(x.cols() - 1));
  return {tree_mean(x), centred_triangular_factor(x) / root};
}

class Fd final : public Metric {
 private:
  std::vector<MetricRecord> do_evaluate(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "ambient";
    parameters["features"] = "coordinates";
    parameters["ddof"] = 1;
    parameters["null_method"] = "closed form for Gaussians with the reference's covariance";
    MetricRecord record = make_record("fd", "lower", parameters, input);
    record.unit = "length^2";
    const FiniteColumns samples(*input.samples);
    record.n_nonfinite = samples.nonfinite();
    if (input.reference == nullptr) return {not_applicable(record, "no reference")};
    const FiniteColumns reference(*input.reference);
    record.n_reference = reference.size();
    if (reference.size() < 2) return {not_applicable(record, "fewer than two reference points")};
    if (samples.size() < 2) return {failed(record, "fewer than two finite samples")};
    const auto own = remember<Fitted>("fd-fit/" + fingerprint(reference.points()),
                                      [&] { return fit(reference.points()); });
    const Fitted other = fit(samples.points());
    record.value = frechet_distance(own->mean, own->factor, other.mean, other.factor);
    const Vector eigenvalues = singular_values(own->factor).cwiseAbs2();
    record.null = frechet_null(eigenvalues, reference.size(), samples.size());
    return {record};
  }
};

}  // namespace

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

std::unique_ptr<Metric> make_fd(Settings&) {
  return std::make_unique<Fd>();
}

}  // namespace onmanifold
