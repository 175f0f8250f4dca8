// SPDX-License-Identifier: Apache-2.0
#include "metrics/constraint.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/math/summation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

enum class Kind { mean, max, violation };

// |h| of a set of points in chunks: the mean or the maximum over columns and components, or the rate of
// columns above tau.
class Summary {
 public:
  Summary(Kind kind, double tau) : kind_(kind), tau_(tau) {}

  void add(int pass, const Points& residual) {
    count_ += pass == 0 ? residual.cols() : 0;
    if (kind_ == Kind::max) {
      if (residual.size() > 0) largest_ = std::max(largest_, residual.cwiseAbs().maxCoeff());
      return;
    }
    Vector columns = Vector::Zero(residual.cols());
    if (residual.rows() > 0) {
      for (Index i = 0; i < residual.cols(); ++i) {
        columns[i] = kind_ == Kind::mean ? residual.col(i).cwiseAbs().sum() / static_cast<double>(residual.rows())
                                         : (residual.col(i).cwiseAbs().maxCoeff() > tau_ ? 1.0 : 0.0);
      }
    }
    moments_.add(pass, columns);
  }
  [[nodiscard]] Index count() const { return count_; }
  [[nodiscard]] double value() const {
    if (count_ == 0) return MetricRecord::unknown;
    return kind_ == Kind::max ? largest_ : moments_.mean();
  }
  // Spread of a column's number; unknown for the maximum.
  [[nodiscard]] double column_sd() const { return kind_ == Kind::max ? MetricRecord::unknown : moments_.sd(); }

 private:
  Kind kind_;
  double tau_;
  Index count_ = 0;
  double largest_ = 0;
  StreamedMoments moments_;
};

class ConstraintStream final : public MetricStream {
 public:
  ConstraintStream(Kind kind, double tau, const MetricInput& input)
      : kind_(kind), input_(input), tau_(tau), own_(kind, tau) {}

  [[nodiscard]] int passes() const override { return kind_ == Kind::max ? 1 : 2; }

  void add(int pass, const Points& chunk, const Projection* /*projection*/) override {
    const FiniteColumns finite(chunk);
    if (pass == 0) {
      n_samples_ += chunk.cols();
      n_nonfinite_ += finite.nonfinite();
    }
    if (input_.target.manifold != nullptr) own_.add(pass, input_.target.manifold->residual(finite.points()));
  }

  std::vector<MetricRecord> finish() override {
    static constexpr const char* names[] = {"constraint_mean", "constraint_max", "violation_rate"};
    Value::Table parameters;
    parameters["space"] = "ambient";
    if (input_.target.manifold != nullptr) parameters["manifold"] = input_.target.manifold->spec();
    if (kind_ == Kind::violation) parameters["tau"] = tau_;
    parameters["null_method"] = "the reference's own value";
    MetricRecord record = make_record(names[static_cast<int>(kind_)], "lower", parameters, input_);
    if (kind_ != Kind::violation) record.unit = "length";
    record.n_samples = n_samples_;
    record.n_nonfinite = n_nonfinite_;
    if (input_.target.manifold == nullptr) return {not_applicable(record, "no manifold")};
    if (own_.count() == 0) return {failed(record, "no finite sample")};
    record.value = own_.value();
    const double root = std::sqrt(static_cast<double>(own_.count()));
    record.se = own_.column_sd() / root;
    if (input_.target.reference != nullptr) {
      const FiniteColumns& reference = input_.target.finite();
      record.n_reference = reference.size();
      Summary null(kind_, tau_);
      const Points residual = input_.target.manifold->residual(reference.points());
      for (int pass = 0; pass < passes(); ++pass) null.add(pass, residual);
      record.null = null.value();
      record.null_sd = null.column_sd() / root;
    }
    return {record};
  }

 private:
  Kind kind_;
  const MetricInput& input_;
  double tau_;
  Summary own_;
  Index n_samples_ = 0;
  Index n_nonfinite_ = 0;
};

class ConstraintMetric final : public Metric {
 public:
  ConstraintMetric(Kind kind, double tau) : kind_(kind), tau_(tau) {}

  [[nodiscard]] std::unique_ptr<MetricStream> do_stream(const MetricInput& input) const override {
    const double tau = tau_ >= 0 ? tau_
                                 : (input.target.manifold == nullptr ? MetricRecord::unknown
                                                                     : input.target.manifold->constraint_tolerance());
    return std::make_unique<ConstraintStream>(kind_, tau, input);
  }

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    return measure_as_one_chunk(*do_stream(input), input);
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
  const double tau = settings.number("tau", 0, 0, std::numeric_limits<double>::max(),
                                     "what counts as a violation; without it the tolerance of the manifold");
  return std::make_unique<ConstraintMetric>(Kind::violation, given ? tau : -1);
}

}  // namespace onmanifold
