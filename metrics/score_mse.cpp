// SPDX-License-Identifier: Apache-2.0
#include "metrics/score_mse.hpp"

#include <cmath>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

// One number a point.
Vector errors(const ScoreLevel& level) {
  if (level.model == nullptr || level.exact == nullptr || level.exact->size() == 0)
    throw InvalidInput("score_mse: a level without scores");
  check_dimension(*level.model, level.exact->rows(), "model score");
  if (level.model->cols() != level.exact->cols())
    throw InvalidInput("score_mse: model and exact score are at different numbers of points");
  if (!(level.sigma > 0) || !std::isfinite(level.sigma))
    throw InvalidInput("score_mse: the noise of a level is not positive");
  check_finite(*level.exact, "exact score");
  check_finite(*level.model, "model score");
  const double scale = level.sigma * level.sigma / static_cast<double>(level.exact->rows());
  return scale * (*level.model - *level.exact).colwise().squaredNorm().transpose();
}

class ScoreMse final : public Metric {
 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["scale"] = "sigma^2 / D";
    parameters["null_method"] = "the exact score";
    MetricRecord record = make_record("score_mse", "lower", parameters, input);
    const FiniteColumns& samples = input.finite();
    record.n_nonfinite = samples.nonfinite();
    if (input.projected) return {not_applicable(record, "the score is that of the noised law")};
    if (input.scores == nullptr || input.scores->empty())
      return {not_applicable(record, "no model score beside an exact one")};
    if (samples.size() == 0) return {failed(record, "no finite sample")};
    Value::Array sigmas;
    const auto levels = static_cast<double>(input.scores->size());
    double sum = 0;
    double variance = 0;
    for (const ScoreLevel& level : *input.scores) {
      const Vector own = errors(level);
      const NullMoments moments = moments_of(own);
      sum += moments.mean;
      variance += moments.sd * moments.sd / static_cast<double>(own.size());
      sigmas.emplace_back(level.sigma);
    }
    parameters["points"] = static_cast<std::int64_t>(input.scores->front().exact->cols());
    parameters["sigmas"] = std::move(sigmas);
    record.parameters = to_json(parameters);
    record.value = sum / levels;
    record.se = std::sqrt(variance) / levels;
    record.null = record.null_sd = 0;
    return {record};
  }
};

}  // namespace

double score_error(const ScoreLevel& level) {
  return tree_mean_of(errors(level));
}

std::unique_ptr<Metric> make_score_mse(Settings&) {
  return std::make_unique<ScoreMse>();
}

}  // namespace onmanifold
