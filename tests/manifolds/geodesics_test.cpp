// SPDX-License-Identifier: Apache-2.0
// Exponential, logarithm, mean curvature, volume and uniform points of the manifolds with geodesics in closed form.

#include "manifolds/geodesics.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/registry.hpp"

namespace onmanifold {
namespace {

class GeodesicsOn : public testing::TestWithParam<const char*> {
 protected:
  std::shared_ptr<const Manifold> manifold_ = make_manifold(GetParam());
  std::unique_ptr<Geodesics> geodesics_ = manifold_->geodesics();
};

TEST_P(GeodesicsOn, ExpAndLogAreInverse) {
  const Points y = manifold_->random_points(200, Stream(1, "y"));
  const Points z = manifold_->random_points(200, Stream(1, "z"));
  const Points v = geodesics_->log(y, z);
  // Next to the cut locus the logarithm is as wrong as its argument over the sine that it divides by: 200 points come
  // within 1e-2 of it.
  EXPECT_LT((manifold_->normal_component(y, v)).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT((geodesics_->exp(y, v) - z).cwiseAbs().maxCoeff(), 1e-12);
  for (const double length : {1e-9, 1e-3, 0.5}) {
    const Points short_v = length * manifold_->tangent_component(y, Stream(2, "v").normal(y.rows(), 200)) / 3;
    EXPECT_LT((geodesics_->log(y, geodesics_->exp(y, short_v)) - short_v).cwiseAbs().maxCoeff(), 1e-14) << length;
    // The speed is constant: half the way is half the vector (a straight line, projected, would differ at 1e-3).
    const Points middle = geodesics_->exp(y, 0.5 * short_v);
    EXPECT_LT((geodesics_->log(middle, geodesics_->exp(y, short_v)).colwise().norm() - 0.5 * short_v.colwise().norm())
                  .cwiseAbs()
                  .maxCoeff(),
              1e-14)
        << length;
  }
}

TEST_P(GeodesicsOn, GeodesicsDoNotAccelerateAlongTheManifold) {
  const Points y = manifold_->random_points(50, Stream(3, "y"));
  const Points v = manifold_->tangent_component(y, Stream(3, "v").normal(y.rows(), 50));
  constexpr double h = 1e-4;
  const Points acceleration = (geodesics_->exp(y, h * v) - 2 * y + geodesics_->exp(y, -h * v)) / (h * h);
  EXPECT_LT(manifold_->tangent_component(y, acceleration).cwiseAbs().maxCoeff(), 1e-6);
  EXPECT_GT(manifold_->normal_component(y, acceleration).cwiseAbs().maxCoeff(), 0.1);
}

TEST_P(GeodesicsOn, MeanCurvatureIsTheSumOfAccelerations) {
  const Points y = manifold_->random_points(20, Stream(4, "y"));
  const Points bases = manifold_->tangent_bases(y);
  const Index d = manifold_->dimension();
  constexpr double h = 1e-4;
  const Points h_vector = geodesics_->mean_curvature(y);
  for (Index j = 0; j < 20; ++j) {
    Points sum = Points::Zero(y.rows(), 1);
    for (Index i = 0; i < d; ++i) {
      const Points e = h * bases.col(d * j + i);
      sum += (geodesics_->exp(y.col(j), e) - 2 * y.col(j) + geodesics_->exp(y.col(j), -e)) / (h * h);
    }
    EXPECT_LT((sum - h_vector.col(j)).norm(), 1e-6);
    EXPECT_GT((sum - 0.9 * h_vector.col(j)).norm(), 1e-2);
  }
}

TEST_P(GeodesicsOn, DivergenceFormulaHoldsForALinearField) {
  // n(x) = A x: div_M(P_T n) by differences along geodesics against tr(P_T A) + n·H.
  const Index D = manifold_->ambient_dimension();
  const Index d = manifold_->dimension();
  const Eigen::MatrixXd a = Stream(5, "a").normal(D, D);
  const Points y = manifold_->random_points(10, Stream(5, "y"));
  const Points bases = manifold_->tangent_bases(y);
  const Points curvature = geodesics_->mean_curvature(y);
  constexpr double h = 1e-5;
  for (Index j = 0; j < 10; ++j) {
    double divergence = 0;
    double trace = 0;
    for (Index i = 0; i < d; ++i) {
      const Points e = bases.col(d * j + i);
      const Points up = geodesics_->exp(y.col(j), h * e);
      const Points down = geodesics_->exp(y.col(j), -h * e);
      const Points change = (manifold_->tangent_component(up, a * up) - manifold_->tangent_component(down, a * down));
      divergence += e.col(0).dot(change.col(0)) / (2 * h);
      trace += e.col(0).dot(a * e.col(0));
    }
    EXPECT_NEAR(divergence, trace + curvature.col(j).dot(a * y.col(j)), 1e-7);
  }
}

TEST_P(GeodesicsOn, ProjectedNormalsAreUniform) {
  // Second moments of every coordinate against those of random_points: 20,000 points each, relative standard error
  // below sqrt(2 · 2/20000) = .014 of the moment; 4.5 of them over at most 17 coordinates, alpha = 2e-4.
  constexpr Index n = 20000;
  const Points a = geodesics_->uniform_from_normals(Stream(6, "z").normal(manifold_->ambient_dimension(), n));
  const Points b = manifold_->random_points(n, Stream(6, "b"));
  const Vector second_a = a.cwiseAbs2().rowwise().mean();
  const Vector second_b = b.cwiseAbs2().rowwise().mean();
  EXPECT_LT(((second_a - second_b).array().abs() / second_b.array()).maxCoeff(), 4.5 * 0.0142);
  EXPECT_LT((a.rowwise().mean() - b.rowwise().mean()).cwiseAbs().maxCoeff(), 0.05 * manifold_->scale());
  EXPECT_LT(manifold_->residual(a).cwiseAbs().maxCoeff(), manifold_->constraint_tolerance());
}

INSTANTIATE_TEST_SUITE_P(ClosedForms, GeodesicsOn,
                         testing::Values("sphere:dim=1,radius=2", "sphere:dim=2,radius=1.5", "sphere:dim=4,radius=1",
                                         "so3", "torus:dim=2", "product:factors=so3*torus:dim=1"),
                         [](const auto& entry) {
                           std::string name = entry.param;
                           for (char& c : name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           }
                           return name;
                         });

TEST(Geodesics, Volumes) {
  const auto volume = [](const char* spec) {
    const auto manifold = make_manifold(spec);
    return std::exp(manifold->geodesics()->log_volume());
  };
  EXPECT_NEAR(volume("sphere:dim=1,radius=2"), 4 * M_PI, 1e-12);
  EXPECT_NEAR(volume("sphere:dim=2,radius=1.5"), 9 * M_PI, 1e-12);
  EXPECT_NEAR(volume("sphere:dim=3,radius=1"), 2 * M_PI * M_PI, 1e-12);
  EXPECT_NEAR(volume("so3"), 8 * M_PI * M_PI * std::pow(2, 1.5), 1e-10);
  EXPECT_NEAR(volume("product:factors=sphere:dim=1,radius=1*torus:dim=2"), std::pow(2 * M_PI, 3), 1e-10);
}

TEST(Geodesics, OnlyWhereThereIsAClosedForm) {
  EXPECT_EQ(make_manifold("donut:major=2,minor=0.6")->geodesics(), nullptr);
  EXPECT_EQ(make_manifold("product:factors=so3*cube:dim=2")->geodesics(), nullptr);
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const auto geodesics = sphere->geodesics();
  EXPECT_THROW((void)geodesics->exp(Points::Zero(2, 1), Points::Zero(2, 1)), InvalidInput);
  EXPECT_THROW((void)geodesics->log(Points::Zero(3, 1), Points::Zero(3, 2)), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
