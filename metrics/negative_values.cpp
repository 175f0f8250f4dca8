// SPDX-License-Identifier: Apache-2.0
#include "metrics/negative_values.hpp"

#include <cmath>
#include <limits>

#include "metrics/support.hpp"

namespace onmanifold {
namespace {

enum class Kind { rate, mass };

Vector shares(Kind kind, double tau, const Points& x) {
  Vector result(x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    if (kind == Kind::rate) {
      result[j] = static_cast<double>((x.col(j).array() < -tau).count()) / static_cast<double>(x.rows());
    } else {
      const double total = x.col(j).cwiseAbs().sum();
      result[j] = total > 0 ? -x.col(j).cwiseMin(0.0).sum() / total : 0.0;
    }
  }
  return result;
}

class NegativeStream final : public MetricStream {
 public:
  NegativeStream(Kind kind, double tau, const MetricInput& input) : kind_(kind), tau_(tau), input_(input) {}

  [[nodiscard]] int passes() const override { return 2; }

  void add(int pass, const Points& chunk, const Projection* /*projection*/) override {
    const FiniteColumns finite(chunk);
    if (pass == 0) {
      n_samples_ += chunk.cols();
      n_nonfinite_ += finite.nonfinite();
      n_ += finite.size();
    }
    own_.add(pass, shares(kind_, tau_, finite.points()));
  }

  std::vector<MetricRecord> finish() override {
    Value::Table parameters;
    parameters["space"] = "ambient";
    if (kind_ == Kind::rate) parameters["tau"] = tau_;
    parameters["null_method"] = "the reference's own value";
    MetricRecord record =
        make_record(kind_ == Kind::rate ? "negative_pixel_rate" : "negative_pixel_mass", "lower", parameters, input_);
    record.n_samples = n_samples_;
    record.n_nonfinite = n_nonfinite_;
    if (n_ == 0) return {failed(record, "no finite sample")};
    record.value = own_.mean();
    const double root = std::sqrt(static_cast<double>(n_));
    record.se = own_.sd() / root;
    if (input_.target.reference != nullptr) {
      const FiniteColumns& reference = input_.target.finite();
      record.n_reference = reference.size();
      const Vector values = shares(kind_, tau_, reference.points());
      StreamedMoments null;
      for (int pass = 0; pass < passes(); ++pass) null.add(pass, values);
      record.null = null.mean();
      record.null_sd = null.sd() / root;
    }
    return {record};
  }

 private:
  Kind kind_;
  double tau_;
  const MetricInput& input_;
  StreamedMoments own_;
  Index n_ = 0;
  Index n_samples_ = 0;
  Index n_nonfinite_ = 0;
};

class NegativeValues final : public Metric {
 public:
  NegativeValues(Kind kind, double tau) : kind_(kind), tau_(tau) {}

  [[nodiscard]] std::unique_ptr<MetricStream> do_stream(const MetricInput& input) const override {
    const double natural = input.target.manifold == nullptr ? 0 : input.target.manifold->constraint_tolerance();
    return std::make_unique<NegativeStream>(kind_, tau_ >= 0 ? tau_ : natural, input);
  }

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    return measure_as_one_chunk(*do_stream(input), input);
  }

  Kind kind_;
  double tau_;
};

}  // namespace

std::unique_ptr<Metric> make_negative_pixel_rate(Settings& settings) {
  const bool given = settings.has("tau");
  const double tau = settings.number("tau", 0, 0, std::numeric_limits<double>::max(),
                                     "what counts as a violation; without it the tolerance of the manifold");
  return std::make_unique<NegativeValues>(Kind::rate, given ? tau : -1);
}

std::unique_ptr<Metric> make_negative_pixel_mass(Settings& /*settings*/) {
  return std::make_unique<NegativeValues>(Kind::mass, -1);
}

}  // namespace onmanifold
