// SPDX-License-Identifier: Apache-2.0
// Mean squares of regression targets against their closed forms.
#include "diagnostics/target_variance.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "datasets/laws/vmf_mixture.hpp"
#include "manifolds/finite_set.hpp"
#include "manifolds/rotation_group.hpp"
#include "manifolds/sphere.hpp"
#include "manifolds/torus.hpp"
#include "tests/diagnostics/laws.hpp"

namespace onmanifold {
namespace {

const Stream stream(1, "target variance");

const TargetVariance& find(const std::vector<TargetVariance>& all, TargetKind kind, double s) {
  for (const TargetVariance& one : all) {
    if (one.kind == kind && one.s == s) return one;
  }
  throw InvalidInput("no " + to_string(kind));
}

TEST(TargetVariance, OfBareAndLiftedTargetsIsTheClosedForm) {
  const Sphere sphere(2);
  const double c = 0.1;
  const auto all = target_variance(sphere, nullptr, sphere.random_points(10000, stream.at("x")),
                                   Vector{{0.3, 0.1, 0.03}}, {c}, stream);
  EXPECT_EQ(all.size(), 9U);
  for (const TargetVariance& one : all) {
    // Fixed streams: four standard errors.
    EXPECT_NEAR(one.total, one.closed_form, 4 * one.total_se) << to_string(one.kind) << " " << one.s;
    const double normal = one.kind == TargetKind::niso ? 1 / (one.s * one.s + c * c) : 1 / (one.s * one.s);
    EXPECT_NEAR(one.normal, normal, 4 * one.normal_se) << to_string(one.kind) << " " << one.s;
    EXPECT_LT(one.total_se, 0.02 * one.total);
  }
  for (const double s : {0.3, 0.1, 0.03}) {
    const double expected = normal_target_ratio(s, c);
    const TargetVariance& map = find(all, TargetKind::map, s);
    const TargetVariance& niso = find(all, TargetKind::niso, s);
    const double relative = std::hypot(map.normal_se / map.normal, niso.normal_se / niso.normal);
    EXPECT_NEAR(map.normal / niso.normal / expected, 1, 4 * relative);
    EXPECT_EQ(map.total, find(all, TargetKind::dsm, s).total);  // the same z
    // The twin: a noise of the same size in all directions has no such ratio.
    if (s < 0.2) {
      EXPECT_GT(std::abs(map.total / niso.total / expected - 1), 4 * relative);
    }
  }
  // s = .3, c = .5: 2.94 against 11.1.
  EXPECT_NEAR(1 / (0.09 + 0.25), 2.94, 0.005);
  EXPECT_NEAR(normal_target_ratio(0.3, 0.5), 11.1 / 2.94, 0.01);
}

TEST(TargetVariance, OfMadOnTheSphereIsTheTable) {
  const Sphere sphere(2);
  const VmfMixture law({{{0, 0, 1}, 5, 1}});
  const Points x = law.sample(40000, stream.at("vmf"));
  const auto base = sphere.uniform_posterior();
  const Vector levels{{0.3, 0.1, 0.03}};
  const auto all = target_variance(sphere, base.get(), x, levels, {}, stream);
  EXPECT_EQ(all.size(), 6U);
  const double table[] = {1.89, 1.99, 2.00};
  for (Index i = 0; i < 3; ++i) {
    const double s = levels[i];
    const TargetVariance& mad = find(all, TargetKind::mad, s);
    // Half a digit of the table, and four standard errors.
    EXPECT_NEAR(s * s * mad.total, table[i], 0.005 + 4 * s * s * mad.total_se) << s;
    EXPECT_LT(4 * s * s * mad.total_se, 0.05);
    EXPECT_TRUE(std::isnan(mad.closed_form));
    // Seen from where the network looks. E (1 - rho)^2 = 1 for rho ~ Exp(1), + O(s^2); its standard error
    // .014.
    EXPECT_NEAR(mad.normal_at_foot, 1, 0.06 + s * s) << s;
    EXPECT_NEAR(s * s * find(all, TargetKind::dsm, s).total, 3, 0.05) << s;
  }
  // A base law on a sphere of radius 1.02 leaves an offset of .02/s^2 along the normal.
  const Sphere other(2, 1.02);
  const auto wrong = other.uniform_posterior();
  const auto broken = target_variance(sphere, wrong.get(), x.leftCols(1000), levels, {}, stream);
  EXPECT_GT(find(broken, TargetKind::mad, 0.03).normal_at_foot, 100);
  EXPECT_GT(0.03 * 0.03 * find(broken, TargetKind::mad, 0.03).total, 2.2);
}

TEST(TargetVariance, OfMadIsTheDimension) {
  const double s = 0.1;
  const auto scaled = [&](const Manifold& manifold, Index n) {
    const auto base = manifold.uniform_posterior();
    return s * s *
           find(target_variance(manifold, base.get(), manifold.random_points(n, stream.at("x")), Vector{{s}}, {},
                                stream),
                TargetKind::mad, s)
               .total;
  };
  // d within 5 %, of which four standard errors of chi-square draws are 2 to 3 %.
  EXPECT_NEAR(scaled(Torus(2), 20000) / 2, 1, 0.05);
  EXPECT_NEAR(scaled(RotationGroup(), 10000) / 3, 1, 0.05);
  const Affine plane = testing::flat_manifold(2, 5);
  const auto base = plane.uniform_posterior();
  const auto all =
      target_variance(plane, base.get(), plane.random_points(1000, stream.at("x")), Vector{{s}}, {}, stream);
  const TargetVariance& mad = find(all, TargetKind::mad, s);
  EXPECT_LT(mad.normal, 1e-20);
  EXPECT_NEAR(s * s * mad.total, 2, 4 * s * s * mad.total_se);
}

TEST(TargetVariance, OfMadOnAtomsVanishes) {
  const SignCube cube(3);
  const Points x = cube.random_points(2000, stream.at("corners"));
  const auto base = cube.uniform_posterior();
  // A tenth of the smallest distance of atoms.
  const Vector levels{{0.2, 0.1}};
  for (const TargetVariance& one : target_variance(cube, base.get(), x, levels, {}, stream)) {
    if (one.kind == TargetKind::mad) {
      EXPECT_LE(one.s * one.s * one.total, 1e-3) << one.s;
    }
    if (one.kind == TargetKind::dsm) {
      EXPECT_NEAR(one.s * one.s * one.total, 3, 0.3);
    }
  }
  // Atoms a thousandth off: the target is the offset over s^2.
  const FiniteSet moved(
      Points{{-1, 1, -1, 1, -1, 1, -1, 1.01}, {-1, -1, 1, 1, -1, -1, 1, 1}, {-1, -1, -1, -1, 1, 1, 1, 1}});
  const auto wrong = moved.uniform_posterior();
  const auto broken = target_variance(cube, wrong.get(), x, levels, {}, stream);
  EXPECT_GT(0.01 * find(broken, TargetKind::mad, 0.1).total, 1e-3);
}

TEST(TargetVariance, RefusesWhatItCannotUse) {
  const Sphere sphere(2);
  const Points x = sphere.random_points(5, stream);
  EXPECT_THROW((void)target_variance(sphere, nullptr, x, Vector{{0.1, 0}}, {}, stream), InvalidInput);
  EXPECT_THROW((void)target_variance(sphere, nullptr, x, Vector{{0.1}}, {-1}, stream), InvalidInput);
  EXPECT_THROW((void)target_variance(sphere, nullptr, x.leftCols(1), Vector{{0.1}}, {}, stream), InvalidInput);
  const Sphere circle(1);
  const auto base = circle.uniform_posterior();
  EXPECT_THROW((void)target_variance(sphere, base.get(), x, Vector{{0.1}}, {}, stream), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
