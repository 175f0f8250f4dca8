// SPDX-License-Identifier: Apache-2.0
// Known-bad sample sets must move each metric in the right direction, well out of the band of a perfect
// model.
#include <algorithm>

#include <gtest/gtest.h>

#include "manifolds/backbone.hpp"
#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

struct Control {
  const char* metric;
  const char* samples;
  int sign;  // of (value - value of a perfect model)
};

// Scenes that are not a cloud on the sphere: what kind of input, good or bad, a metric is given.
MetricRecord record_of(const Control& control, bool bad);

Points known_bad(const SphereScene& scene, const std::string& kind) {
  const Index n = scene.truth.cols();
  if (kind == "shifted") return (scene.truth.array() + 0.4).matrix();
  if (kind == "mode dropped") return TwoBumpSampler(1.0).sample(n, Stream(5, "dropped"));
  // Two bumps of shares .7 and .3 around +e3 and -e3, upside down: nothing but the signs changes.
  if (kind == "mirrored") return -scene.truth;
  if (kind == "collapsed") return scene.truth.col(0) * Eigen::RowVectorXd::Ones(n);
  if (kind == "memorised") return scene.training;
  if (kind == "blown off") return scene.truth * 1.8;
  if (kind == "failing") {
    Points samples = scene.truth;
    samples.leftCols(n / 10).setZero();  // the centre of the sphere has no nearest point
    return samples;
  }
  throw InvalidInput(kind);
}

// Conformations of 4 atoms.
MetricRecord record_of_conformations(const Control& control, bool bad) {
  const Points reference = Stream(5, "conformations").normal(12, 60);
  Points samples = Stream(5, "conformations/samples").normal(12, 60);
  if (bad && std::string(control.samples) == "collapsed conformations")
    samples = Points(samples.col(0) * Eigen::RowVectorXd::Ones(60));
  if (bad && std::string(control.samples) == "blown up conformations") samples *= 3;
  return evaluate(control.metric,
                  {.samples = &samples, .reference = &reference, .evaluation = Stream(5, "evaluation")});
}

// Backbones of 6 residues with torsions around those of a helix.
MetricRecord record_of_backbones(const Control& control, bool bad) {
  const Backbone backbone(6, backbone_geometry("igfold"), BackboneFrame::middle);
  const auto chains = [&](const char* name, double centre) {
    const Points torsions = (0.5 * Stream(6, name).normal(15, 300)).array() + centre;
    return backbone.from_full_coordinates(build_backbone(torsions, backbone.geometry()));
  };
  const std::string kind = control.samples;
  const Points reference = chains("reference", -1);
  Points samples = chains("samples", bad && kind == "straightened backbones" ? -2.5 : -1);
  if (bad && kind == "noisy backbones") samples += 0.05 * Stream(6, "noise").normal(samples.rows(), 300);
  return evaluate(
      control.metric,
      {.samples = &samples, .reference = &reference, .manifold = &backbone, .evaluation = Stream(6, "evaluation")});
}

MetricRecord record_of(const Control& control, bool bad) {
  const std::string kind = control.samples;
  if (kind.ends_with("conformations")) return record_of_conformations(control, bad);
  if (kind.ends_with("backbones")) return record_of_backbones(control, bad);
  SphereScene scene(600);
  Given input = scene.input(scene.truth);
  if (kind == "worse densities") {
    if (bad) scene.log_density.array() -= 1;
    return evaluate(control.metric, input);
  }
  if (kind == "perturbed score") {
    if (bad) scene.model_score.array() += 0.3;
    return evaluate(control.metric, input);
  }
  const Points samples = bad ? known_bad(scene, kind) : scene.truth;
  return evaluate(control.metric, scene.input(samples));
}

class NegativeControls : public testing::TestWithParam<Control> {};

TEST_P(NegativeControls, MoveTheMetric) {
  const Control& control = GetParam();
  const MetricRecord good_record = record_of(control, false);
  const MetricRecord bad_record = record_of(control, true);
  ASSERT_EQ(bad_record.status.text(), "ok");
  const double spread = std::isnan(good_record.null_sd) ? 0.05 * std::abs(good_record.value) : good_record.null_sd;
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

const Control controls[] = {Control{"tvd", "mode dropped", 1},
                            Control{"tvd", "shifted", 1},
                            Control{"tvd", "collapsed", 1},
                            Control{"tvd_corrected", "mode dropped", 1},
                            Control{"js_divergence", "mode dropped", 1},
                            Control{"js_distance", "mode dropped", 1},
                            Control{"coverage", "mode dropped", -1},
                            Control{"coverage", "collapsed", -1},
                            Control{"coverage", "shifted", -1},
                            Control{"density", "blown off", -1},
                            Control{"precision", "blown off", -1},
                            Control{"recall", "mode dropped", -1},
                            Control{"cov_match", "mode dropped", -1},
                            Control{"cov_match", "collapsed", -1},
                            Control{"mmd_min", "mode dropped", 1},
                            Control{"mmd_min_gen", "shifted", 1},
                            Control{"chamfer", "collapsed", 1},
                            Control{"one_nna", "shifted", 1},
                            Control{"one_nna", "mode dropped", 1},
                            Control{"mmd2_rbf_biased", "mode dropped", 1},
                            Control{"mmd2_rbf_unbiased", "shifted", 1},
                            Control{"mmd2_rbf_unbiased(bandwidth=bank)", "collapsed", 1},
                            Control{"train_copy_rate", "memorised", 1},
                            Control{"constraint_mean", "blown off", 1},
                            Control{"constraint_max", "shifted", 1},
                            Control{"violation_rate(tau=0.1)", "blown off", 1},
                            Control{"projection_distance", "blown off", 1},
                            Control{"projection_distance_rms", "shifted", 1},
                            Control{"projection_distance_max", "shifted", 1},
                            Control{"kid", "shifted", 1},
                            Control{"energy", "mode dropped", 1},
                            Control{"energy_u", "shifted", 1},
                            Control{"fd", "mode dropped", 1},
                            Control{"fd(features=pca64)", "shifted", 1},
                            Control{"fid_lenet", "mode dropped", 1},
                            Control{"negative_pixel_rate(tau=0.1)", "mirrored", 1},
                            Control{"negative_pixel_mass", "mirrored", 1},
                            Control{"ks(coordinate=2)", "mode dropped", 1},
                            Control{"fd_inf", "mode dropped", 1},
                            Control{"c2st", "mode dropped", 1},
                            Control{"c2st(classifier=logistic)", "shifted", 1},
                            Control{"mmd2_rbf_unbiased(space=geodesic)", "mode dropped", 1},
                            Control{"energy(space=geodesic)", "mode dropped", 1},
                            Control{"energy(space=torsions)", "shifted", 1},
                            Control{"w1(size=200)", "mode dropped", 1},
                            Control{"w2(size=200)", "shifted", 1},
                            Control{"w2_sq(size=200)", "collapsed", 1},
                            Control{"sinkhorn_div(size=150)", "mode dropped", 1},
                            Control{"sinkhorn_cost_div(size=150)", "shifted", 1},
                            Control{"sliced_w2", "shifted", 1},
                            Control{"sliced_w2", "collapsed", 1},
                            Control{"projection_fail_rate", "failing", 1},
                            Control{"w2(size=200,space=geodesic)", "mode dropped", 1},
                            Control{"bond_length_error", "noisy backbones", 1},
                            Control{"bond_length_error_max", "noisy backbones", 1},
                            Control{"bond_angle_error", "noisy backbones", 1},
                            Control{"bond_angle_error_max", "noisy backbones", 1},
                            Control{"radius_of_gyration_w1", "straightened backbones", 1},
                            Control{"ramachandran_tvd", "straightened backbones", 1},
                            Control{"nll", "worse densities", 1},
                            Control{"score_mse", "perturbed score", 1},
                            Control{"rmsd_nearest", "blown up conformations", 1},
                            Control{"rmsd_pairwise", "collapsed conformations", -1},
                            Control{"rmsd_cross", "blown up conformations", 1}};

INSTANTIATE_TEST_SUITE_P(All, NegativeControls, testing::ValuesIn(controls), control_name);

// The registered metrics without a row in \p table.
std::vector<std::string> without_control(const std::vector<std::string>& registered,
                                         const std::vector<std::string>& table) {
  std::vector<std::string> missing;
  for (const std::string& name : registered) {
    if (std::find(table.begin(), table.end(), name) == table.end()) missing.push_back(name);
  }
  return missing;
}

TEST(NegativeControlTable, HasARowForEveryRegisteredMetric) {
  std::vector<std::string> table;
  for (const Control& control : controls) table.push_back(parse_metric_list(control.metric)[0].name);
  EXPECT_EQ(without_control(metric_registry().names(), table), std::vector<std::string>{});
  // A metric that is registered without a row is found.
  EXPECT_EQ(without_control({"tvd", "new_metric"}, table), std::vector<std::string>{"new_metric"});
}

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
  Given input = scene.input(points);
  input.sampler = &repeating;
  EXPECT_EQ(evaluate("train_copy_rate", input).status.state, RecordState::not_applicable);
  input.training = nullptr;
  EXPECT_EQ(evaluate("train_copy_rate", input).status.state, RecordState::not_applicable);
}

}  // namespace
}  // namespace onmanifold::test
