// SPDX-License-Identifier: Apache-2.0
// Fréchet distances of named features, principal axes, and the metrics of negative pixels.
#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "metrics/frechet.hpp"
#include "metrics/principal_axes.hpp"
#include "metrics/support.hpp"
#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

TEST(FidLenet, IsTheFrechetDistanceOfTheNamedFeatures) {
  const SphereScene scene(200);
  const MetricRecord record = evaluate("fid_lenet", scene.input(scene.truth));
  const FeatureMap& map = *scene.features.find("lenet").map;
  EXPECT_EQ(record.name, "fid_lenet");
  EXPECT_EQ(record.value, frechet_distance(map.map(scene.reference), map.map(scene.truth)));
  EXPECT_NE(record.value, evaluate("fd", scene.input(scene.truth)).value);
  // What a reader must know of the network stands beside the number.
  EXPECT_NE(record.parameters.find("\"accuracy\":0.5"), std::string::npos) << record.parameters;
  EXPECT_NE(record.parameters.find("squares@1"), std::string::npos) << record.parameters;
  EXPECT_GT(record.null, 0);

  const MetricRecord pca = evaluate("fd(features=pca64)", scene.input(scene.truth));
  EXPECT_EQ(pca.name, "fd");
  EXPECT_EQ(pca.value, frechet_distance(scene.reference.topRows(2), scene.truth.topRows(2)));
}

TEST(FidLenet, SaysWhyThereIsNone) {
  const SphereScene scene(50);
  Given input = scene.input(scene.truth);
  input.feature_maps = nullptr;
  const MetricRecord record = evaluate("fid_lenet", input);
  EXPECT_TRUE(record.status.text().starts_with("not_applicable: no features 'lenet'")) << record.status.text();
  EXPECT_TRUE(std::isnan(record.value));
}

TEST(FidLenet, StreamsToTheSameBits) {
  const SphereScene scene(300);
  const Given input = scene.input(scene.truth);
  const std::unique_ptr<Metric> metric = metric_of("fid_lenet");
  const Comparison comparison(input);
  const auto stream = metric->prepare(comparison.target).stream(*comparison.input);
  for (int pass = 0; pass < stream->passes(); ++pass) {
    for (Index first = 0; first < 300; first += 77)
      stream->add(pass, scene.truth.middleCols(first, std::min<Index>(77, 300 - first)), nullptr);
  }
  EXPECT_EQ(stream->finish().at(0).value, evaluate(*metric, input).at(0).value);
}

TEST(FidLenet, SamplesWhoseFeaturesOverflowFail) {
  const SphereScene scene(50);
  Points samples = scene.truth;
  samples.col(3) *= 1e200;  // finite, but not its square
  const MetricRecord record = evaluate("fid_lenet", scene.input(samples));
  EXPECT_EQ(record.status.state, RecordState::failed) << record.status.text();
  EXPECT_TRUE(std::isnan(record.value));
}

TEST(NegativePixels, ExactValues) {
  Points samples(4, 2);
  samples << 1, 2,  //
      -1, 0,        //
      3, 0,         //
      -5, -2e-9;
  const Points reference = samples.cwiseAbs();
  const Given input{.samples = &samples, .reference = &reference, .evaluation = Stream(1, "e")};
  const auto value = [&](const char* metric) { return evaluate(metric, input).value; };
  EXPECT_DOUBLE_EQ(value("negative_pixel_rate"), (0.5 + 0.25) / 2);
  EXPECT_DOUBLE_EQ(value("negative_pixel_rate(tau=1e-8)"), 0.25);
  // Strictly below -tau.
  EXPECT_DOUBLE_EQ(value("negative_pixel_rate(tau=1)"), 0.125);
  EXPECT_DOUBLE_EQ(value("negative_pixel_mass"), (0.6 + 2e-9 / (2 + 2e-9)) / 2);
  const MetricRecord record = evaluate("negative_pixel_mass", input);
  EXPECT_EQ(record.null, 0);
  EXPECT_EQ(record.null_sd, 0);
  // Two values a and b: spread |a - b|/sqrt 2, over sqrt 2.
  EXPECT_NEAR(record.se, std::abs(0.6 - 1e-9) / 2, 1e-12);
  const Points zero = Points::Zero(4, 2);
  const Given nothing{.samples = &zero, .evaluation = Stream(1, "e")};
  EXPECT_EQ(evaluate("negative_pixel_mass", nothing).value, 0);
  EXPECT_TRUE(std::isnan(evaluate("negative_pixel_mass", nothing).null));
}

/// Points with standard deviations 4, 2, 1 along the first three axes of R^5, 1e-3 along the others.
Points flat_points(Index n) {
  Points x = Stream(4, "flat").normal(5, n);
  const Vector scale{{4, 2, 1, 1e-3, 1e-3}};
  return scale.asDiagonal() * x;
}

TEST(PrincipalAxes, FindTheAxesInTheOrderOfTheirVariance) {
  const Points training = flat_points(4000);
  const FeatureMap map = make_principal_axes(training, 2);
  EXPECT_TRUE(map.name.starts_with("pca2@sha256:")) << map.name;
  EXPECT_EQ(map.name.size(), std::string("pca2@sha256:").size() + 64);
  const Points features = map.map(training);
  ASSERT_EQ(features.rows(), 2);
  // Axes of a finite sample are off by about sqrt(l1 l2)/(l1 - l2)/sqrt n = .01.
  EXPECT_NEAR((features.row(0) - training.row(0)).cwiseAbs().maxCoeff(), 0, 0.3);
  const double mean0 = features.row(0).mean();
  const double variance0 = (features.row(0).array() - mean0).square().sum() / 3999;
  EXPECT_NEAR(mean0, 0, 1e-12);
  // The leading variance is the largest of any direction: at least that of the first coordinate.
  EXPECT_GE(variance0, (training.row(0).array() - training.row(0).mean()).square().sum() / 3999);
  // Uncorrelated, exactly.
  EXPECT_NEAR(features.row(0).dot(features.row(1)) / 3999, 0, 1e-10);

  // The hash names what was fitted: other training points are other features.
  EXPECT_NE(make_principal_axes(training.leftCols(3999), 2).name, map.name);
  EXPECT_EQ(make_principal_axes(training, 2).name, map.name);
  // A column has the same bits alone and among others.
  EXPECT_EQ(map.map(training.col(17)), features.col(17));
}

TEST(PrincipalAxes, DoNotSeeWhatTrainingPointsLack) {
  // Negative control of the distance: samples that differ from the reference only off the axes look perfect.
  const Points reference = flat_points(500);
  Points off = reference;
  off.row(4).array() += 3;
  Points along = reference;
  along.row(0).array() += 3;
  const FeatureMap map = make_principal_axes(flat_points(2000), 2);
  const auto distance = [&](const Points& x) { return frechet_distance(map.map(reference), map.map(x)); };
  EXPECT_LT(distance(off), 1e-3);
  EXPECT_GT(distance(along), 8);
  EXPECT_GT(frechet_distance(reference, off), 8);
}

TEST(PrincipalAxes, BadSizesAreRefused) {
  EXPECT_THROW(static_cast<void>(make_principal_axes(flat_points(10), 5)), InvalidInput);
  EXPECT_THROW(static_cast<void>(make_principal_axes(flat_points(2), 2)), InvalidInput);
  const FeatureMap map = make_principal_axes(flat_points(10), 2);
  EXPECT_THROW(static_cast<void>(map.map(Points::Zero(4, 1))), InvalidInput);
}

}  // namespace
}  // namespace onmanifold::test
