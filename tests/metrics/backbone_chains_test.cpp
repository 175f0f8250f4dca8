// SPDX-License-Identifier: Apache-2.0
#include "metrics/backbone_chains.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/backbone.hpp"
#include "metrics/histogram.hpp"
#include "metrics/one_dimensional.hpp"
#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

constexpr double degree = M_PI / 180;

MetricRecord evaluate_on(const std::string& metric, const Backbone& backbone, const Points& samples,
                         const Points& reference) {
  return evaluate(metric, {.samples = &samples,
                           .reference = &reference,
                           .manifold = &backbone,
                           .evaluation = Stream(2, "test/evaluation")});
}

// Torsions of a two-state walk along the chain: residues agree with the one before, as in helices and
// strands.
Points correlated_chains(const Backbone& backbone, Index n, Stream stream) {
  Points torsions = 0.3 * stream.at("noise").normal(3 * backbone.residues() - 3, n);
  const Points u = stream.at("state").uniform(1, n);
  for (Index j = 0; j < n; ++j) torsions.col(j).array() += u(0, j) < 0.5 ? -1.0 : 2.0;
  return backbone.from_full_coordinates(build_backbone(torsions, backbone.geometry()));
}

TEST(BackboneChains, GiveAKnownErrorBack) {
  // The middle residue is made exactly by the frame, so one changed geometry gives errors known by counting.
  const BackboneGeometry ideal = backbone_geometry("engh-huber-1991");
  BackboneGeometry other = ideal;
  other.bonds[2] += 0.02;           // C–N
  other.angles[1] -= 3.0 * degree;  // CA–C–N
  const Backbone backbone(4, ideal);
  const Points torsions = Stream(1, "torsions").uniform(9, 5);
  const Points samples = build_backbone(torsions, other);
  const Points reference = build_backbone(torsions, ideal);
  // 11 bonds, 3 of them C–N; 10 angles, 3 of them CA–C–N. Rounding of coordinates of size 10.
  EXPECT_NEAR(evaluate_on("bond_length_error", backbone, samples, reference).value, 0.02 * 3 / 11, 1e-13);
  EXPECT_NEAR(evaluate_on("bond_length_error_max", backbone, samples, reference).value, 0.02, 1e-13);
  EXPECT_NEAR(evaluate_on("bond_angle_error", backbone, samples, reference).value, 3.0 * 3 / 10, 1e-11);
  EXPECT_NEAR(evaluate_on("bond_angle_error_max", backbone, samples, reference).value, 3.0, 1e-11);
  for (const char* metric :
       {"bond_length_error", "bond_length_error_max", "bond_angle_error", "bond_angle_error_max"}) {
    const MetricRecord record = evaluate_on(metric, backbone, samples, reference);
    EXPECT_LT(record.null, 1e-11) << "the reference is ideal";
    EXPECT_EQ(record.unit, std::string(metric).starts_with("bond_length") ? "Å" : "degrees");
  }
}

TEST(BackboneChains, CountTheAtomsOfTheFrame) {
  const Backbone free(4, backbone_geometry("igfold"));
  const Backbone middle(4, backbone_geometry("igfold"), BackboneFrame::middle);
  const Points reference = middle.random_points(20, Stream(1, "reference"));
  const Points samples = reference + 0.1 * Stream(1, "noise").normal(reference.rows(), 20);
  for (const char* metric :
       {"bond_length_error", "bond_angle_error_max", "radius_of_gyration_w1", "ramachandran_tvd"}) {
    EXPECT_DOUBLE_EQ(
        evaluate_on(metric, middle, samples, reference).value,
        evaluate_on(metric, free, middle.full_coordinates(samples), middle.full_coordinates(reference)).value);
  }
}

TEST(BackboneChains, ErrorsOfNoiseAreTheMeanOfAFoldedNormal) {
  // To first order the error of a bond between two atoms with noise s is normal with spread sqrt(2) s.
  const Backbone backbone(16, backbone_geometry("igfold"));
  const double s = 1e-3;
  const Points reference = backbone.random_points(500, Stream(1, "reference"));
  const Points samples = reference + s * Stream(1, "noise").normal(reference.rows(), 500);
  const MetricRecord record = evaluate_on("bond_length_error", backbone, samples, reference);
  // 23,500 bonds, neighbours correlated: spread of the mean 0.6 %; four of them.
  EXPECT_NEAR(record.value, std::sqrt(2.0) * s * std::sqrt(2 / M_PI), 4 * record.se);
  EXPECT_LT(record.se, 0.01 * record.value);
}

TEST(BackboneChains, SayWhereAnglesAreLost) {
  const Backbone backbone(3, backbone_geometry("igfold"));
  const Points reference = backbone.random_points(4, Stream(1, "reference"));
  Points samples = reference;
  samples.block<3, 1>(3, 2) = samples.block<3, 1>(0, 2);  // two atoms at one place
  EXPECT_EQ(evaluate_on("bond_length_error", backbone, samples, reference).status.text(), "ok");
  for (const char* metric : {"bond_angle_error", "bond_angle_error_max"})
    EXPECT_EQ(evaluate_on(metric, backbone, samples, reference).status.state, RecordState::failed) << metric;
  const Sphere sphere(26);
  for (const char* metric : {"bond_length_error", "bond_angle_error", "radius_of_gyration_w1", "ramachandran_tvd"}) {
    const MetricRecord record = evaluate(metric, {.samples = &samples,
                                                  .reference = &reference,
                                                  .manifold = &sphere,
                                                  .evaluation = Stream(2, "test/evaluation")});
    EXPECT_EQ(record.status.state, RecordState::not_applicable) << metric;
    EXPECT_TRUE(std::isnan(record.value));
  }
}

TEST(RadiusOfGyration, OfSquareAndLine) {
  Points atoms(12, 2);
  atoms.col(0) << 1, 1, 7, -1, 1, 7, -1, -1, 7, 1, -1, 7;  // corners of a square: sqrt(2)
  atoms.col(1) << 0, 0, 0, 2, 0, 0, 4, 0, 0, 6, 0, 0;      // -3 -1 1 3 about the middle: sqrt(5)
  const Vector radii = radii_of_gyration(atoms);
  EXPECT_DOUBLE_EQ(radii[0], std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(radii[1], std::sqrt(5.0));
  EXPECT_THROW((void)radii_of_gyration(atoms.topRows(4)), InvalidInput);
}

TEST(RadiusOfGyration, DistanceOfAScaledSet) {
  // Chains times 1.1: every radius grows by a tenth, so W1 is a tenth of the mean radius.
  const Backbone backbone(5, backbone_geometry("igfold"));
  const Points reference = backbone.random_points(40, Stream(1, "reference"));
  const double mean = radii_of_gyration(reference).mean();
  EXPECT_NEAR(evaluate_on("radius_of_gyration_w1", backbone, 1.1 * reference, reference).value, 0.1 * mean, 1e-12);
}

TEST(LineTransportNull, HasTheMomentsOfManyPairs) {
  const Index n = 300;
  const Index m = 200;
  Vector values(1500);
  for (Index i = 0; i < values.size(); ++i) {
    Points x = Stream(3, "x").at(static_cast<std::uint64_t>(i)).normal(1, n);
    Points y = Stream(3, "y").at(static_cast<std::uint64_t>(i)).normal(1, m);
    values[i] = line_transport(x.transpose(), y.transpose(), 1);
  }
  const NullMoments simulated = moments_of(values);
  // The law itself through 3,000 of its quantiles' worth of draws: an error of a few percent in its spread.
  const NullMoments null = line_transport_null(Stream(4, "law").normal(1, 3000).transpose(), n, m);
  EXPECT_NEAR(null.mean, simulated.mean, 0.05 * simulated.mean);
  EXPECT_NEAR(null.sd, simulated.sd, 0.1 * simulated.sd);
  // Half as many points: larger by sqrt(2); the tolerance above would notice.
  EXPECT_GT(line_transport_null(Stream(4, "law").normal(1, 3000).transpose(), n / 2, m / 2).mean, 1.3 * simulated.mean);
}

TEST(LineTransportNull, OfOneValueIsZero) {
  EXPECT_EQ(line_transport_null(Vector::Constant(7, 2.0), 10, 10).mean, 0);
  EXPECT_THROW((void)line_transport_null(Vector(), 10, 10), InvalidInput);
}

TEST(Ramachandran, CellsOfKnownTorsions) {
  // psi_0, omega_0, phi_1, psi_1, omega_1, phi_2, psi_2, omega_2, phi_3.
  Points torsions(9, 1);
  torsions << 0, 0, -179, -1, 0, 179.9, 89, 0, 0;
  const Eigen::MatrixXi cells = ramachandran_cells(torsions * degree, 4);
  ASSERT_EQ(cells.rows(), 2);
  EXPECT_EQ(cells(0, 0), 0 * 4 + 1);
  EXPECT_EQ(cells(1, 0), 3 * 4 + 2);
  torsions(2) = 180;  // closed on the right: the last cell
  EXPECT_EQ(ramachandran_cells(torsions * degree, 4)(0, 0), 3 * 4 + 1);
  EXPECT_THROW((void)ramachandran_cells(torsions.topRows(3), 4), InvalidInput);
}

TEST(Ramachandran, TvdOfHalfMovedChains) {
  // One residue in four cells; half of the chains moved to cells that the reference does not have.
  const Backbone backbone(3, backbone_geometry("igfold"), BackboneFrame::middle);
  const auto chains = [&](double angle, Index n) {
    return backbone.from_full_coordinates(build_backbone(Points::Constant(6, n, angle * degree), backbone.geometry()));
  };
  Points samples(backbone.ambient_dimension(), 8);
  samples << chains(-45, 4), chains(45, 4);
  EXPECT_DOUBLE_EQ(evaluate_on("ramachandran_tvd(bins=4)", backbone, samples, chains(-45, 6)).value, 0.5);
}

TEST(Ramachandran, NullKnowsThatResiduesOfAChainAgree) {
  const Backbone backbone(8, backbone_geometry("igfold"), BackboneFrame::middle);
  Vector values(40);
  const Index n = 300;
  Vector nulls(40);
  Vector spreads(40);
  for (Index i = 0; i < values.size(); ++i) {
    const auto key = static_cast<std::uint64_t>(i);
    const Points reference = correlated_chains(backbone, n, Stream(5, "reference").at(key));
    const Points samples = correlated_chains(backbone, n, Stream(5, "samples").at(key));
    const MetricRecord record = evaluate_on("ramachandran_tvd(bins=6)", backbone, samples, reference);
    values[i] = record.value;
    nulls[i] = record.null;
    spreads[i] = record.null_sd;
  }
  const NullMoments truth = moments_of(values);
  // 40 pairs: the mean is known to sd/sqrt(40); empty cells of a reference make the null smaller by some
  // percent.
  EXPECT_NEAR(nulls.mean(), truth.mean, 4 * truth.sd / std::sqrt(40.0) + 0.05 * truth.mean);
  EXPECT_NEAR(spreads.mean(), truth.sd, 0.5 * truth.sd);
  // As if the residues were independent: 6 times as many draws, a null too small by far.
  const Points reference = correlated_chains(backbone, n, Stream(5, "reference"));
  const Eigen::MatrixXi cells = ramachandran_cells(backbone.torsions(reference), 6);
  Vector shares = Vector::Zero(36);
  for (Index i = 0; i < cells.size(); ++i) shares[cells.data()[i]] += 1.0 / static_cast<double>(cells.size());
  EXPECT_LT(tvd_null_two_samples(6 * n, 6 * n, shares), 0.8 * truth.mean);
}

}  // namespace
}  // namespace onmanifold::test
