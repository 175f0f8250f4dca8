// SPDX-License-Identifier: Apache-2.0
// The identities of metrics/metric.hpp over every registered metric, and deliberately broken metrics that the
// same checks must catch.
#include <functional>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/backbone.hpp"
#include "metrics/support.hpp"
#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

using Evaluate = std::function<std::vector<MetricRecord>(const Given&)>;

bool same_number(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

bool same_record(const MetricRecord& a, const MetricRecord& b) {
  return a.name == b.name && same_number(a.value, b.value) && same_number(a.target, b.target) &&
         same_number(a.null, b.null) && same_number(a.null_sd, b.null_sd) && same_number(a.se, b.se) &&
         a.unit == b.unit && a.direction == b.direction && a.version == b.version && a.parameters == b.parameters &&
         a.n_reference == b.n_reference && a.n_samples == b.n_samples && a.n_nonfinite == b.n_nonfinite &&
         a.status == b.status;
}

bool same_records(const std::vector<MetricRecord>& a, const std::vector<MetricRecord>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_record);
}

// One number an identity: empty if it holds, else what is wrong.
std::string violations(const Evaluate& evaluate, const std::function<void()>& others) {
  const SphereScene scene(250);
  const Given input = scene.input(scene.truth);
  std::string found;
  const auto blame = [&](const char* what) { found += std::string(found.empty() ? "" : "; ") + what; };

  // 1. Deterministic, whatever was evaluated before.
  const std::vector<MetricRecord> first = evaluate(input);
  if (!same_records(first, evaluate(input))) blame("a second evaluation differs");
  others();
  if (!same_records(first, evaluate(input))) blame("depends on other metrics");
  const Points elsewhere = scene.sampler.sample(250, Stream(9, "elsewhere"));
  static_cast<void>(evaluate(scene.input(elsewhere)));
  if (!same_records(first, evaluate(input))) blame("depends on which cell came first");

  // 2. The frame of a record.
  if (first.empty()) blame("no record");
  for (const MetricRecord& record : first) {
    if (record.name.empty() || record.version < 1) blame("no name or version");
    if (!record.direction) blame("no direction");
    if (record.n_samples != scene.truth.cols()) blame("wrong n_samples");
    try {
      if (parse_json(record.parameters, "parameters").get_if<Value::Table>() == nullptr)
        blame("parameters are no object");
    } catch (const InvalidInput&) {
      blame("parameters are no JSON");
    }
    if (!record.status.ok()) blame("not ok on a complete input");
    if (!std::isfinite(record.value)) blame("no value on a complete input");
  }

  // 3. Without anything but samples: not applicable, and NaN, never 0; or a value that needs no more.
  const Given bare{.samples = &scene.truth, .evaluation = Stream(7, "bare")};
  for (const MetricRecord& record : evaluate(bare)) {
    const bool not_applicable = record.status.state == RecordState::not_applicable;
    if (not_applicable && !std::isnan(record.value)) blame("a number where nothing can be computed");
    if (!not_applicable && !std::isfinite(record.value)) blame("neither a value nor a reason");
  }

  // 4. Non-finite columns are counted and left out.
  Points broken(3, scene.truth.cols() + 3);
  broken << scene.truth.leftCols(100), Points::Constant(3, 3, std::nan("")), scene.truth.rightCols(150);
  broken(0, 101) = std::numeric_limits<double>::infinity();
  const Given with_nan = scene.input(broken);
  const std::vector<MetricRecord> counted = evaluate(with_nan);
  for (const MetricRecord& record : counted) {
    if (record.n_nonfinite != 3) blame("non-finite columns are not counted");
    if (!std::isfinite(record.value)) blame("non-finite columns are not left out");
  }
  const Points nothing = Points::Constant(3, 5, std::nan(""));
  for (const MetricRecord& record : evaluate(scene.input(nothing))) {
    if (record.n_nonfinite != 5) blame("non-finite columns are not counted");
    if (record.status.ok() && record.name != "projection_fail_rate") blame("ok without a finite sample");
  }

  // 5. Wrong dimension and no samples.
  const Points flat = Points::Zero(2, 20);
  const Points empty(3, 0);
  for (const Points* bad : {&flat, &empty}) {
    try {
      static_cast<void>(evaluate(scene.input(*bad)));
      blame(bad == &flat ? "takes samples of the wrong dimension" : "takes no samples");
    } catch (const InvalidInput&) {
    }
  }
  return found;
}

// Every metric of the registry with its default settings.
class MetricConformance : public testing::TestWithParam<std::string> {};

// Metrics of protein chains see the scene as chains: the coordinates of a point, twice, as the torsions of 3
// residues.
bool is_of_chains(const std::string& name) {
  return name.starts_with("bond_") || name == "radius_of_gyration_w1" || name == "ramachandran_tvd";
}

std::vector<MetricRecord> evaluate_on_chains(const Metric& metric, const Given& input) {
  const Backbone backbone(3, backbone_geometry("igfold"), BackboneFrame::middle);
  const auto chains = [&](const Points* points) {
    if (points->rows() != 3) return *points;  // of the wrong dimension it stays
    return backbone.from_full_coordinates(build_backbone(Points(points->replicate(2, 1)), backbone.geometry()));
  };
  Given mapped{.samples = nullptr, .evaluation = input.evaluation};
  const Points samples = chains(input.samples);
  const Points reference = input.reference == nullptr ? Points() : chains(input.reference);
  mapped.samples = &samples;
  if (input.reference != nullptr) mapped.reference = &reference;
  if (input.manifold != nullptr) mapped.manifold = &backbone;
  return test::evaluate(metric, mapped);
}

TEST_P(MetricConformance, KeepsTheIdentities) {
  const std::unique_ptr<Metric> metric = metric_of(GetParam());
  const SphereScene scene(60);
  const auto others = [&] {
    for (const char* name : {"tvd", "coverage", "cov_match", "train_copy_rate"}) {
      static_cast<void>(evaluate(*metric_of(name), scene.input(scene.truth)));
    }
  };
  const auto evaluate = [&](const Given& input) {
    return is_of_chains(GetParam()) ? evaluate_on_chains(*metric, input) : test::evaluate(*metric, input);
  };
  EXPECT_EQ(violations(evaluate, others), "");
}

// What \p records say that the registry does not: empty if they agree.
std::string disagreement(const MetricInfo& info, const std::vector<MetricRecord>& records) {
  for (const MetricRecord& record : records) {
    if (record.direction != info.direction) return record.name + ": direction " + direction_text(record.direction);
    if (record.unit != info.unit) return record.name + ": unit " + record.unit;
    const double slack = 1e-12 * std::abs(record.value);  // sums that are 0 but for rounding
    if (record.value < info.lowest - 1e-12 - slack || record.value > info.highest + 1e-12 + slack) {
      return fmt::format("{}: value {} outside [{}, {}]", record.name, record.value, info.lowest, info.highest);
    }
  }
  return "";
}

TEST_P(MetricConformance, RecordsAgreeWithTheRegistry) {
  const std::unique_ptr<Metric> metric = metric_of(GetParam());
  const MetricInfo& info = metric_registry().get(GetParam()).info;
  EXPECT_NE(info.definition, "");
  EXPECT_TRUE(!info.constraint || info.samples == SampleKind::raw);
  const SphereScene scene(60);
  const Points squeezed = 0.3 * scene.truth;
  for (const Points* samples : {&scene.truth, &scene.reference, &squeezed}) {
    const Given input = scene.input(*samples);
    EXPECT_EQ(
        disagreement(info, is_of_chains(GetParam()) ? evaluate_on_chains(*metric, input) : evaluate(*metric, input)),
        "");
  }
}

TEST(MetricInfo, ADisagreementIsFound) {
  MetricRecord record;
  record.name = "x";
  record.value = 0.5;
  record.direction = Direction::lower;
  MetricInfo info;
  info.lowest = 0;
  info.highest = 1;
  EXPECT_EQ(disagreement(info, {record}), "");
  info.highest = 0.4;
  EXPECT_NE(disagreement(info, {record}), "");
  info.highest = 1;
  info.unit = "nats";
  EXPECT_NE(disagreement(info, {record}), "");
  info.unit = "";
  info.direction = Direction::higher;
  EXPECT_NE(disagreement(info, {record}), "");
}

// What a target has found out about itself must not depend on what was measured against it before.
TEST_P(MetricConformance, SharedTargetsChangeNothing) {
  if (is_of_chains(GetParam())) return;  // as the others: they have no path of their own to the target
  const SphereScene scene(60);
  const std::unique_ptr<Metric> metric = metric_of(GetParam());
  const std::vector<MetricRecord> alone = evaluate(*metric, scene.input(scene.truth));
  const Points elsewhere = scene.sampler.sample(60, Stream(9, "elsewhere"));
  const PreparedTarget target(scene.input(scene.truth).target());
  const TrainingPoints training(scene.training);
  const MetricInput first(target, scene.input(elsewhere).sample_set(&training));
  const MetricInput second(target, scene.input(scene.truth).sample_set(&training));
  for (const char* name : {"tvd", "coverage", "energy", "train_copy_rate"}) {
    static_cast<void>(metric_of(name)->prepare(target).measure(second));
  }
  const PreparedMetric prepared = metric->prepare(target);
  static_cast<void>(prepared.measure(first));
  EXPECT_TRUE(same_records(prepared.measure(second), alone));
  EXPECT_TRUE(same_records(prepared.measure(second), alone));
}

TEST(PreparedMetric, RefusesSamplesOfAnotherTarget) {
  const SphereScene scene(60);
  const Comparison one(scene.input(scene.truth));
  const Comparison other(scene.input(scene.truth));
  const std::unique_ptr<Metric> metric = metric_of("fd");
  EXPECT_THROW(static_cast<void>(metric->prepare(one.target).measure(*other.input)), InvalidInput);
}

std::string metric_test_name(const testing::TestParamInfo<std::string>& metric) {
  return metric.param;
}

INSTANTIATE_TEST_SUITE_P(Registry, MetricConformance, testing::ValuesIn(metric_registry().names()), metric_test_name);

// A right metric, and twins with one fault each.
struct Faults {
  bool counts_calls = false;
  bool forgets_nonfinite = false;
  bool zero_for_unknown = false;
  bool no_direction = false;
  bool broken_json = false;
};

class Centre final : public Metric {
 public:
  explicit Centre(Faults faults) : faults_(faults) {}

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    MetricRecord record = make_record("centre", faults_.no_direction ? "" : "lower", {}, input);
    if (faults_.broken_json) record.parameters = "{";
    const FiniteColumns samples(*input.samples);
    if (!faults_.forgets_nonfinite) record.n_nonfinite = samples.nonfinite();
    if (input.target.reference == nullptr) {
      record = not_applicable(record, "no reference");
      if (faults_.zero_for_unknown) record.value = 0;
      return {record};
    }
    if (samples.size() == 0) return {failed(record, "no finite sample")};
    record.value = (samples.points().rowwise().mean() - input.target.reference->rowwise().mean()).norm();
    if (faults_.counts_calls) record.value += ++calls_;
    return {record};
  }

  Faults faults_;
  mutable int calls_ = 0;
};

std::string violations_of(Faults faults) {
  const Centre metric(faults);
  return violations([&](const Given& input) { return test::evaluate(metric, input); }, [] {});
}

TEST(BrokenMetric, IsCaught) {
  EXPECT_EQ(violations_of({}), "");
  EXPECT_NE(violations_of({.counts_calls = true}).find("a second evaluation differs"), std::string::npos);
  EXPECT_NE(violations_of({.forgets_nonfinite = true}).find("not counted"), std::string::npos);
  EXPECT_NE(violations_of({.zero_for_unknown = true}).find("a number where nothing"), std::string::npos);
  EXPECT_NE(violations_of({.no_direction = true}).find("no direction"), std::string::npos);
  EXPECT_NE(violations_of({.broken_json = true}).find("no JSON"), std::string::npos);
}

TEST(BrokenMetric, WithoutChecksOfItsInputIsCaught) {
  const auto careless = [](const Given& input) {
    const Comparison comparison(input);
    MetricRecord record = make_record("careless", "lower", {}, *comparison.input);
    const FiniteColumns samples(*input.samples);
    record.n_nonfinite = samples.nonfinite();
    record.value = 1;
    return std::vector<MetricRecord>{record};
  };
  const std::string found = violations(careless, [] {});
  EXPECT_NE(found.find("wrong dimension"), std::string::npos) << found;
  EXPECT_NE(found.find("takes no samples"), std::string::npos) << found;
  EXPECT_NE(found.find("ok without a finite sample"), std::string::npos) << found;
}

}  // namespace
}  // namespace onmanifold::test
