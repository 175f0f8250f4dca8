// SPDX-License-Identifier: Apache-2.0
// Alignment of Lyapunov vectors with tangent spaces of planes and spheres, at random, and where there is no
// manifold.
#include "diagnostics/alignment.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "datasets/laws/planar_mixture.hpp"
#include "datasets/laws/vmf_mixture.hpp"
#include "manifolds/sphere.hpp"
#include "tests/diagnostics/laws.hpp"

namespace onmanifold {
namespace {

using testing::flat_manifold;
using testing::flat_variance;
using testing::NormalLaw;

const Stream stream(1, "alignment");

Points noised(const Sampler& sampler, double s, Index n) {
  Points y = sampler.sample(n, stream.at("data"));
  y += s * stream.at("noise").normal(y.rows(), n);
  return y;
}

TEST(Alignment, MeasuresAnglesBetweenSpaces) {
  // span(e1, e2) against span(cos a e1 + sin a e3, cos b e2 + sin b e4) in R^4.
  const double a = 1e-9;
  const double b = 0.7;
  Points t = Points::Zero(4, 2);
  t(0, 0) = t(1, 1) = 1;
  Points q = Points::Zero(4, 3);
  q(0, 0) = std::cos(a);
  q(2, 0) = std::sin(a);
  q(1, 1) = std::cos(b);
  q(3, 1) = std::sin(b);
  q.col(2) = Vector::Unit(4, 3);  // not among the first two: without effect
  Points score = Points::Zero(4, 1);
  score(3, 0) = 5;
  const Alignment result = alignment(t, 2, q, 3, score);
  EXPECT_NEAR(result.angles(0, 0) / a, 1, 1e-6);  // an arc cosine would say 0
  EXPECT_NEAR(result.angles(1, 0), b, 1e-14);
  EXPECT_NEAR(result.a1[0], (1 + std::cos(b) * std::cos(b)) / 2, 1e-14);
  EXPECT_NEAR(result.a2[0], std::sin(b) / 2, 1e-14);
  EXPECT_NEAR(result.a3[0], std::sin(b), 1e-14);
  EXPECT_THROW((void)alignment(t, 2, q, 1, score), InvalidInput);
}

TEST(Alignment, OfRandomVectorsIsTheShareOfDimensions) {
  const Index n = 4000;
  const NormalLaw law(flat_variance(2, 5, 1, 1));
  const auto field = make_exact_score_field(law, geometric_levels(1, 0.9, 2));
  // A round law turns no vector.
  const LyapunovResult result = lyapunov(*field, Points::Ones(5, n), {.vectors = 2}, stream);
  const Points tangents = tangents_at(flat_manifold(2, 5), result.end);
  const Alignment found = alignment(tangents, 2, result.vectors, 2, field->score(result.end, 1));
  EXPECT_NEAR(mean(found.a1), random_alignment(2, 5), 4.5 * standard_error(found.a1));
}

TEST(Alignment, AfterAFiniteGapHasItsClosedForm) {
  EXPECT_NEAR(plane_alignment(0), 2.0 / 3, 1e-12);
  EXPECT_NEAR(plane_alignment(2.3), 0.930, 5e-4);
  EXPECT_NEAR(plane_alignment(2.4), 0.936, 5e-4);
  EXPECT_NEAR(1 - plane_alignment(6), std::numbers::pi / 4 * std::exp(-6), 1e-5);
  EXPECT_NEAR(plane_alignment(0.5 * std::log1p(0.99e-4)), plane_alignment(0.5 * std::log1p(1.01e-4)), 1e-6);
  const NormalLaw law(flat_variance(2, 3, 0.1, 0));
  const auto field = make_exact_score_field(law, geometric_levels(10, 0.01, 120));
  Points start = 10 * stream.at("gap").normal(3, 1500);
  const LyapunovResult result = lyapunov(*field, start, {.vectors = 2}, stream);
  const Alignment found = alignment(tangents_at(flat_manifold(2, 3), result.end), 2, result.vectors, 2, result.end);
  const double gap = gaussian_exponent(0.1, 10, 0.01) - gaussian_exponent(0, 10, 0.01);
  const double tolerance = 4.5 * standard_error(found.a1);
  EXPECT_NEAR(mean(found.a1), plane_alignment(gap), tolerance);
  EXPECT_GT(std::abs(mean(found.a1) - plane_alignment(gap + 0.5)), tolerance);
}

// From 1 to .0005 the gap is above 4.4 on both, and then the median alignment .99.
TEST(Alignment, WithExactScoresOnPlaneAndSphere) {
  const PlaneFrame frame;
  const PlanarMixture plane = PlanarMixture::grid9(frame, 0.1);
  const auto plane_law = make_diffused_planar_mixture(plane, Lift{});
  const Affine plane_manifold = frame.manifold();
  const VmfMixture sphere({{{0, 0, 1}, 10, 0.5}, {{1, 0, 0}, 20, 0.5}});
  const auto sphere_law = make_diffused_vmf_mixture(sphere, Lift{});
  const Sphere sphere_manifold(2);
  const auto check = [&](const DiffusedScore& law, const Sampler& sampler, const Manifold& manifold) {
    const auto field = make_exact_score_field(law, geometric_levels(1, 5e-4, 120));
    const LyapunovResult result = lyapunov(*field, noised(sampler, 1, 30), {}, stream);
    EXPECT_EQ(result.failures, 0);
    const Points score = field->score(result.end, 119);
    const Alignment found = alignment(tangents_at(manifold, result.end), 2, result.vectors, 3, score);
    EXPECT_GE(median(spectral_gaps(result, 2)), 4.4);
    EXPECT_GE(median(found.a1), 0.99);
    EXPECT_EQ(lyapunov_dimension(result).median, 2);
    // Tangents of another point of the cloud are none here, unless the manifold is flat.
    const LyapunovResult few = lyapunov(*field, noised(sampler, 1, 30), {.last_level = 1}, stream);
    EXPECT_LT(median(alignment(tangents_at(manifold, few.end), 2, few.vectors, 3, field->score(few.end, 1)).a1), 0.95);
  };
  check(*plane_law, plane, plane_manifold);
  check(*sphere_law, sphere, sphere_manifold);
}

TEST(Alignment, LocalTangentsAreThoseOfASphere) {
  const Sphere sphere(2);
  const Points cloud = sphere.random_points(4000, stream.at("cloud"));
  const Points at = sphere.random_points(20, stream.at("at"));
  const Points found = local_tangents(cloud, at, 2, 30);  // within about .17 of the point
  const Points exact = tangents_at(sphere, at);
  const Alignment compared = alignment(exact, 2, found, 2, at);
  EXPECT_LT(compared.a3.maxCoeff(), 0.17);
  EXPECT_GT(compared.a1.minCoeff(), 0.99);
  // Neighbours that reach around the sphere know no tangent.
  EXPECT_LT(alignment(exact, 2, local_tangents(cloud, at, 2, 4000), 2, at).a1.minCoeff(), 0.99);
  EXPECT_THROW((void)local_tangents(cloud, at, 2, 2), InvalidInput);
}

TEST(AlignmentCondition, PredictsTheAngleOnPlaneAndSphere) {
  // On a plane with a normal law nothing turns: predicted = e^-gap tan(0) exactly where all tangents stretch
  // alike.
  const NormalLaw flat(flat_variance(2, 3, 0.1, 0));
  const auto flat_field = make_exact_score_field(flat, geometric_levels(1, 1e-3, 200));
  Points start = flat.sample(40, stream.at("flat"));
  start += stream.at("flat noise").normal(3, 40);
  const AlignmentCondition plane = alignment_condition(*flat_field, flat_manifold(2, 3), start, {}, stream);
  const double gap = gaussian_exponent(0.1, 1, 1e-3) - gaussian_exponent(0, 1, 1e-3);
  for (Index c = 0; c < 40; ++c) {
    EXPECT_NEAR(plane.contraction[c], gap, 1e-3);
    EXPECT_NEAR(plane.predicted[c], plane.measured[c], 1e-6);
  }
  EXPECT_GT((!plane.vacuous).count(), 35);

  const VmfMixture sphere({{{0, 0, 1}, 10, 0.5}, {{1, 0, 0}, 20, 0.5}});
  const auto law = make_diffused_vmf_mixture(sphere, Lift{});
  const auto field = make_exact_score_field(*law, geometric_levels(0.1, 1e-3, 80));
  const AlignmentCondition curved = alignment_condition(*field, Sphere(2), noised(sphere, 0.1, 60), {}, stream);
  ASSERT_EQ(curved.failures, 0);
  Index above = 0;
  for (Index c = 0; c < 60; ++c) {
    EXPECT_GE(curved.bound[c], curved.measured[c] - 1e-12);  // a theorem
    EXPECT_GE(curved.widest_bound[c], curved.widest[c]);
    above += curved.measured[c] > curved.predicted[c] ? 1 : 0;
  }
  EXPECT_LE(curved.vacuous.count(), 3);
  // Without the quadratic term it is none: where M is curved, the share of normals in the tangents turns
  // either way.
  EXPECT_GT(above, 10);
  // From afar the quadratic term is too large for wide starts, and the condition says nothing of them.
  const auto far_field = make_exact_score_field(*law, geometric_levels(3, 1e-3, 80));
  const AlignmentCondition far = alignment_condition(*far_field, Sphere(2), noised(sphere, 3, 20), {}, stream);
  EXPECT_GT(far.vacuous.count(), 15);
  // The same levels from .1 on.
  Index near = 0;
  while (far_field->levels()[near] > 0.1) ++near;
  const AlignmentCondition part = alignment_condition(
      *far_field, Sphere(2), noised(sphere, far_field->levels()[near], 20), {.first_level = near}, stream);
  EXPECT_LT(part.vacuous.count(), 5);
  EXPECT_THROW((void)alignment_condition(*field, Sphere(2), noised(sphere, 1, 2), {.first_level = 79}, stream),
               InvalidInput);
  EXPECT_THROW((void)alignment_condition(*field, Sphere(2), noised(sphere, 1, 2), {.widest_start = 90}, stream),
               InvalidInput);
}

// A wide start needs e^2.43 = tan(85 degrees) to say anything; here normals contract by less than e against
// tangents. Noise down to .1 keeps the sum over points a smooth law.
TEST(AlignmentCondition, IsVacuousWhereThereIsNoManifold) {
  const ThickCircle law;
  for (const double s_max : {3.0, 0.3}) {
    const auto field = make_exact_score_field(law, geometric_levels(s_max, 0.1, 40));
    Points start(2, 40);
    for (Index c = 0; c < 40; ++c) start.col(c) = law.centres().col(7 * c);
    start += s_max * stream.at("circle").normal(2, 40);
    const AlignmentCondition found = alignment_condition(*field, Sphere(1), start, {}, stream);
    EXPECT_EQ(found.vacuous.count(), 40);
    EXPECT_LT(median(found.contraction), 1);
  }
  EXPECT_EQ(thick_circle_condition(40, stream).vacuous.count(), 40);
  EXPECT_THROW((void)thick_circle_condition(401, stream), InvalidInput);
  EXPECT_THROW((void)law.log_density(Points::Ones(2, 1), 1, 0.1), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
