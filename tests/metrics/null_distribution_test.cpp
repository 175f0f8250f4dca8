// SPDX-License-Identifier: Apache-2.0
// True samples against true reference points, many times, for every metric that states a null value and every source
// of it: what it shows must be what it says a perfect model shows. ONMANIFOLD_NULL_DRAWS sets the number of pairs and
// prints the table of docs/metrics.md (scripts/null-check.sh).
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

struct Source {
  std::string name;
  bool sampler = false;  // null values by simulation, as of a task
  Index n = 0;
  bool ties = false;
};

Points true_points(const Source& source, Index n, Stream stream) {
  Points points = stream.normal(2, n);
  if (source.ties) points = points.array().round();
  return points;
}

class SourceSampler final : public Sampler {
 public:
  explicit SourceSampler(Source source) : source_(std::move(source)) {}
  [[nodiscard]] Index dimension() const override { return 2; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override { return true_points(source_, n, stream); }

 private:
  Source source_;
};

struct Observed {
  NullMoments value;
  NullMoments null;
  double stated_sd = 0;
};

Observed observe(const std::string& metric, const Source& source, Index draws) {
  const SourceSampler sampler(source);
  std::vector<double> values;
  std::vector<double> nulls;
  double variance = 0;
  Index spreads = 0;
  for (Index d = 0; d < draws; ++d) {
    const Stream own = Stream(21, "null-check").at(source.name).at(static_cast<std::uint64_t>(d));
    const Points reference = true_points(source, source.n, own.at("reference"));
    const Points samples = true_points(source, source.n, own.at("samples"));
    const MetricRecord record = evaluate(metric, Given{.samples = &samples,
                                                       .reference = &reference,
                                                       .sampler = source.sampler ? &sampler : nullptr,
                                                       .evaluation = own.at("evaluation")});
    if (!std::isfinite(record.value) || std::isnan(record.null)) continue;
    values.push_back(record.value);
    nulls.push_back(record.null);
    if (std::isnan(record.null_sd)) continue;
    variance += record.null_sd * record.null_sd;
    ++spreads;
  }
  const auto moments = [](const std::vector<double>& all) {
    return moments_of(Eigen::Map<const Vector>(all.data(), static_cast<Index>(all.size())));
  };
  return {moments(values), moments(nulls),
          spreads == 0 ? MetricRecord::unknown : std::sqrt(variance / static_cast<double>(spreads))};
}

const std::vector<std::string> stated = {"tvd(bins=5)",
                                         "tvd(bins=40)",
                                         "tvd_corrected(bins=5)",
                                         "js_divergence(bins=5)",
                                         "js_divergence(bins=40)",
                                         "js_distance(bins=5)",
                                         "coverage",
                                         "density",
                                         "precision",
                                         "recall",
                                         "cov_match",
                                         "mmd_min",
                                         "mmd_min_gen",
                                         "chamfer",
                                         "one_nna",
                                         "mmd2_rbf_biased",
                                         "mmd2_rbf_unbiased",
                                         "kid",
                                         "energy",
                                         "energy_u",
                                         "fd",
                                         "c2st",
                                         "ks",
                                         "sliced_w2",
                                         "w1",
                                         "w2",
                                         "sinkhorn_div"};

Index draws_asked_for() {
  const char* text = std::getenv("ONMANIFOLD_NULL_DRAWS");
  return text == nullptr ? 0 : std::max(2, std::atoi(text));
}

class NullDistribution : public testing::TestWithParam<Source> {};

TEST_P(NullDistribution, IsWhatTrueSamplesShow) {
  const Source source = GetParam();
  const Index asked = draws_asked_for();
  const Index draws = asked > 0 ? asked : 40;
  for (const std::string& metric : stated) {
    const Observed seen = observe(metric, source, draws);
    if (std::isnan(seen.value.mean)) continue;  // none is stated
    const double sd = std::max(seen.value.sd, 1e-12);
    const double off = (seen.value.mean - seen.null.mean) / sd;
    const double ratio = seen.stated_sd / sd;
    if (asked > 0) {
      fmt::print("| {} | {} | {:.4g} | {:.4g} | {:.4g} | {:.4g} | {:+.2f} | {:.2f} |\n", source.name, metric,
                 seen.value.mean, seen.null.mean, seen.value.sd, seen.stated_sd, off, ratio);
    }
    // Four standard errors (alpha 6e-5 each) and what the approximations may be off: half a spread of one value. The
    // stated spread may be off by a third; four standard errors of a spread come on top.
    const double root = std::sqrt(static_cast<double>(draws));
    EXPECT_LT(std::abs(off), 0.5 + 4 / root * std::sqrt(1 + std::pow(seen.null.sd / sd, 2)))
        << source.name << " " << metric << " shows " << seen.value.mean << ", says " << seen.null.mean;
    if (std::isnan(ratio)) continue;
    EXPECT_GT(ratio * (1 + 3 / root), 0.66)
        << source.name << " " << metric << " spread " << sd << ", says " << seen.stated_sd;
    EXPECT_LT(ratio * (1 - 3 / root), 1.5)
        << source.name << " " << metric << " spread " << sd << ", says " << seen.stated_sd;
  }
}

INSTANTIATE_TEST_SUITE_P(Sources, NullDistribution,
                         testing::Values(Source{"task", true, 120, false}, Source{"file", false, 120, false},
                                         Source{"small", true, 30, false}, Source{"small_file", false, 40, false},
                                         Source{"ties", true, 120, true}),
                         [](const auto& source) { return source.param.name; });

// Broken twin: a file of half the spread is not what the null of the full one says.
TEST(NullDistributionTwin, SeesSamplesThatAreNotTrue) {
  const Points reference = Stream(22, "twin").at("x").normal(2, 120);
  const Points samples = 0.5 * Stream(22, "twin").at("y").normal(2, 120);
  for (const char* metric : {"energy", "sliced_w2", "fd", "mmd2_rbf_unbiased"}) {
    const MetricRecord record =
        evaluate(metric, Given{.samples = &samples, .reference = &reference, .evaluation = Stream(22, "e")});
    EXPECT_GT((record.value - record.null) / record.null_sd, 4) << metric;
  }
}

}  // namespace
}  // namespace onmanifold::test
