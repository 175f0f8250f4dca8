// SPDX-License-Identifier: Apache-2.0
// Known-bad sample sets must move each metric in the right direction, well out of the band of a perfect
// model.
#include <gtest/gtest.h>

#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

struct Control {
  const char* metric;
  const char* samples;
  int sign;  // of (value - value of a perfect model)
};

Points known_bad(const SphereScene& scene, const std::string& kind) {
  const Index n = scene.truth.cols();
  if (kind == "shifted") return (scene.truth.array() + 0.4).matrix();
  if (kind == "mode dropped") return TwoBumpSampler(1.0).sample(n, Stream(5, "dropped"));
  if (kind == "collapsed") return scene.truth.col(0) * Eigen::RowVectorXd::Ones(n);
  if (kind == "memorised") return scene.training;
  if (kind == "blown off") return scene.truth * 1.8;
  throw InvalidInput(kind);
}

class NegativeControls : public testing::TestWithParam<Control> {};

TEST_P(NegativeControls, MoveTheMetric) {
  const Control& control = GetParam();
  const SphereScene scene(600);
  const Points bad = known_bad(scene, control.samples);
  const MetricRecord good_record = evaluate(control.metric, scene.input(scene.truth));
  const MetricRecord bad_record = evaluate(control.metric, scene.input(bad));
  ASSERT_EQ(bad_record.status, "ok");
  const double spread =
      std::isnan(good_record.null_sd) ? 0.05 * std::abs(good_record.value) : good_record.null_sd;
  EXPECT_GT(control.sign * (bad_record.value - good_record.value), 5 * spread + 1e-9)
      << good_record.value << " -> " << bad_record.value << ", sd " << spread;
}

std::string control_name(const testing::TestParamInfo<Control>& control) {
  std::string name = std::string(control.param.metric) + "_" + control.param.samples;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    All, NegativeControls,
    testing::Values(
        Control{"tvd", "mode dropped", 1}, Control{"tvd", "shifted", 1}, Control{"tvd", "collapsed", 1},
        Control{"tvd_corrected", "mode dropped", 1}, Control{"js_divergence", "mode dropped", 1},
        Control{"js_distance", "mode dropped", 1}, Control{"coverage", "mode dropped", -1},
        Control{"coverage", "collapsed", -1}, Control{"coverage", "shifted", -1},
        Control{"density", "blown off", -1}, Control{"precision", "blown off", -1},
        Control{"recall", "mode dropped", -1}, Control{"cov_match", "mode dropped", -1},
        Control{"cov_match", "collapsed", -1}, Control{"mmd_min", "mode dropped", 1},
        Control{"mmd_min_gen", "shifted", 1}, Control{"chamfer", "collapsed", 1},
        Control{"one_nna", "shifted", 1}, Control{"one_nna", "mode dropped", 1},
        Control{"mmd2_rbf_biased", "mode dropped", 1}, Control{"mmd2_rbf_unbiased", "shifted", 1},
        Control{"mmd2_rbf_unbiased(bandwidth=bank)", "collapsed", 1},
        Control{"train_copy_rate", "memorised", 1}, Control{"constraint_mean", "blown off", 1},
        Control{"constraint_max", "shifted", 1}, Control{"violation_rate(tau=0.1)", "blown off", 1},
        Control{"projection_distance", "blown off", 1}, Control{"projection_distance_rms", "shifted", 1},
        Control{"projection_distance_max", "shifted", 1}, Control{"kid", "shifted", 1},
        Control{"energy", "mode dropped", 1}, Control{"energy_u", "shifted", 1},
        Control{"fd", "mode dropped", 1}, Control{"ks(coordinate=2)", "mode dropped", 1},
        Control{"fd_inf", "mode dropped", 1}, Control{"c2st", "mode dropped", 1},
        Control{"c2st(classifier=logistic)", "shifted", 1},
        Control{"mmd2_rbf_unbiased(space=geodesic)", "mode dropped", 1},
        Control{"energy(space=geodesic)", "mode dropped", 1}, Control{"energy(space=torsions)", "shifted", 1},
        Control{"w1(size=200)", "mode dropped", 1}, Control{"w2(size=200)", "shifted", 1},
        Control{"w2_sq(size=200)", "collapsed", 1}, Control{"sinkhorn_div(size=150)", "mode dropped", 1},
        Control{"sinkhorn_cost_div(size=150)", "shifted", 1}, Control{"sliced_w2", "shifted", 1},
        Control{"sliced_w2", "collapsed", 1}),
    control_name);

TEST(NegativeControl, FailedProjectionsAreCounted) {
  const SphereScene scene(100);
  Points samples = scene.truth;
  samples.leftCols(10).setZero();  // the centre of the sphere has no nearest point
  const MetricRecord record = evaluate("projection_fail_rate", scene.input(samples));
  EXPECT_DOUBLE_EQ(record.value, 0.1);
  EXPECT_EQ(record.null, 0);
}

TEST(NegativeControl, OneNnaSeesCopiesOfTheReference) {
  const SphereScene scene(300);
  // A copy is the nearest neighbour of its original and the other way round: accuracy far below one half.
  EXPECT_LT(evaluate("one_nna", scene.input(scene.reference)).value, 0.05);
}

TEST(NegativeControl, MemorizerHasCopyRateOne) {
  const SphereScene scene(300);
  EXPECT_EQ(evaluate("train_copy_rate", scene.input(scene.training)).value, 1);
}

TEST(NegativeControl, CopyRateOfDuplicateDataIsNotApplicable) {
  SphereScene scene(100);
  const Points points = scene.truth;
  class Repeating final : public Sampler {
   public:
    [[nodiscard]] Index dimension() const override { return 3; }
    [[nodiscard]] Points sample(Index n, Stream) const override { return Points::Constant(3, n, 0.5); }
  } repeating;
  scene.training = Points::Constant(3, 100, 0.5);
  MetricInput input = scene.input(points);
  input.sampler = &repeating;
  EXPECT_TRUE(evaluate("train_copy_rate", input).status.starts_with("not_applicable"));
  input.training = nullptr;
  EXPECT_TRUE(evaluate("train_copy_rate", input).status.starts_with("not_applicable"));
}

}  // namespace
}  // namespace onmanifold::test
