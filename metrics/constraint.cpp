// SPDX-License-Identifier: Apache-2.0
#include "metrics/constraint.hpp"

#include <cmath>
#include <limits>

#include "core/summation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

enum class Kind { mean, max, violation };

// |h| of one set of points, a number a column: the mean or the maximum over the components.
struct Summary {
  double value = MetricRecord::unknown;
  double column_sd = MetricRecord::unknown;  // spread of a column's number; meaningless for the maximum
};

Summary summarise(const Points& residual, Kind kind, double tau) {
  Summary summary;
  if (residual.cols() == 0) return summary;
  if (kind == Kind::max) {
    summary.value = residual.size() == 0 ? 0 : residual.cwiseAbs().maxCoeff();
    return summary;
  }
  Vector columns = Vector::Zero(residual.cols());
  if (residual.rows() > 0) {
    for (Index i = 0; i < residual.cols(); ++i) {
      columns[i] = kind == Kind::mean
                       ? residual.col(i).cwiseAbs().sum() / static_cast<double>(residual.rows())
                       : (residual.col(i).cwiseAbs().maxCoeff() > tau ? 1.0 : 0.0);
    }
  }
  const NullMoments moments = moments_of(columns);
  summary.value = moments.mean;
  summary.column_sd = moments.sd;
  return summary;
}

class ConstraintMetric final : public Metric {
 public:
  ConstraintMetric(Kind kind, double tau) : kind_(kind), tau_(tau) {}

 private:
  std::vector<MetricRecord> do_evaluate(const MetricInput& input) const override {
    static constexpr const char* names[] = {"constraint_mean", "constraint_max", "violation_rate"};
    const double tau = tau_ >= 0 ? tau_
                                 : (input.manifold == nullptr ? MetricRecord::unknown
                                                              : input.manifold->constraint_tolerance());
    Value::Table parameters;
    parameters["space"] = "ambient";
    if (input.manifold != nullptr) parameters["manifold"] = input.manifold->spec();
    if (kind_ == Kind::violation) parameters["tau"] = tau;
    parameters["null_method"] = "the reference's own value";
    MetricRecord record = make_record(names[static_cast<int>(kind_)], "lower", parameters, input);
    if (kind_ != Kind::violation) record.unit = "length";
    const FiniteColumns samples(*input.samples);
    record.n_nonfinite = samples.nonfinite();
    if (input.manifold == nullptr) return {not_applicable(record, "no manifold")};
    if (samples.size() == 0) return {failed(record, "no finite sample")};

    const Summary own = summarise(input.manifold->residual(samples.points()), kind_, tau);
    record.value = own.value;
    const auto n = static_cast<double>(samples.size());
    if (kind_ != Kind::max) record.se = own.column_sd / std::sqrt(n);
    if (input.reference != nullptr) {
      const FiniteColumns reference(*input.reference);
      record.n_reference = reference.size();
      const Summary null = summarise(input.manifold->residual(reference.points()), kind_, tau);
      record.null = null.value;
      if (kind_ != Kind::max) record.null_sd = null.column_sd / std::sqrt(n);
    }
    return {record};
  }

  Kind kind_;
  double tau_;
};

}  // namespace

std::unique_ptr<Metric> make_constraint_mean(Settings&) {
  return std::make_unique<ConstraintMetric>(Kind::mean, -1);
}
std::unique_ptr<Metric> make_constraint_max(Settings&) {
  return std::make_unique<ConstraintMetric>(Kind::max, -1);
}
std::unique_ptr<Metric> make_violation_rate(Settings& settings) {
  const bool given = settings.has("tau");
  const double tau = settings.number("tau", 0, 0, std::numeric_limits<double>::max());
  return std::make_unique<ConstraintMetric>(Kind::violation, given ? tau : -1);
}

}  // namespace onmanifold
