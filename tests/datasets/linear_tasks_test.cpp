// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "datasets/laws/planar_mixture.hpp"
#include "datasets/laws/subspace_mixture.hpp"
#include "goodness_of_fit.hpp"
#include "manifolds/affine.hpp"
#include "manifolds/random_frame.hpp"
#include "score_checks.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

Task linear(Index dimension, Index ambient) {
  Settings settings(Value(Value::Table{{"dim", dimension}, {"ambient", ambient}}), "test");
  Task task = task_registry().get("linear-64d").factory(settings);
  settings.finish();
  return task;
}

/// The log-density of a·x0 + sigma·z by its list of Gaussians with full covariance.
Vector listed(const SubspaceMixture& law, const Lift& lift, const Points& x, double a, double sigma) {
  const Index ambient = law.dimension();
  const Eigen::MatrixXd along = law.frame().basis * law.frame().basis.transpose();
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(ambient, ambient);
  Eigen::MatrixXd clean = law.width() * law.width() * along;
  if (lift.type == LiftType::normal) clean += lift.sigma * lift.sigma * (identity - along);
  if (lift.type == LiftType::isotropic) clean += lift.sigma * lift.sigma * identity;
  const Eigen::MatrixXd covariance = a * a * clean + sigma * sigma * identity;
  const Eigen::MatrixXd inverse = covariance.inverse();
  const double constant = -0.5 * std::log((2 * M_PI * covariance).determinant());
  Vector result(x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    double total = 0;
    for (Index m = 0; m < 3; ++m) {
      for (Index n = 0; n < 3; ++n) {
        const Eigen::Vector2d centre(law.centres()[m], law.centres()[n]);
        const Vector offset = x.col(j) - a * law.frame().embed(centre);
        total += law.weights()(0, m) * law.weights()(1, n) * std::exp(constant - 0.5 * offset.dot(inverse * offset));
      }
    }
    result[j] = std::log(total);
  }
  return result;
}

TEST(RandomFrame, IsOrthonormalToRounding) {
  for (const Index dimension : {1, 2, 64, 128}) {
    const Points frame = random_frame(dimension);
    EXPECT_LE((frame.transpose() * frame - Points::Identity(dimension, dimension)).cwiseAbs().maxCoeff(), 2e-15);
  }
  EXPECT_THROW((void)random_frame(0), InvalidInput);
  EXPECT_THROW((void)random_frame(257), InvalidInput);
}

TEST(LinearTask, IsThePlanarMixtureWhereBothExist) {
  // The same law as plane-gmm9 through the other code: equal weights in the plane's own frame.
  const PlaneFrame plane;
  const SubspaceFrame frame{plane.basis(), plane.offset() * plane.normal()};
  const SubspaceMixture law(frame, Eigen::Vector3d(-1, 0, 1), Eigen::MatrixXd::Constant(2, 3, 1.0 / 3), 0.1);
  const PlanarMixture other = PlanarMixture::grid9(plane, 0.1);
  EXPECT_NEAR(law.entropy().value(), other.entropy().value(), 1e-10);
  EXPECT_NEAR(law.standard_deviation(), other.standard_deviation(), 1e-14);
  const Points x = other.sample(200, Stream(1, "linear"));
  EXPECT_LE((law.log_density(x) - other.log_density(x)).cwiseAbs().maxCoeff(), 1e-11);
  EXPECT_LE((law.masses({frame, 1.6, 32}) - other.masses({plane, 1.6, 32})).cwiseAbs().maxCoeff(), 1e-14);
  for (const Lift& lift : {Lift{}, Lift{LiftType::normal, 0.2}, Lift{LiftType::isotropic, 0.2}}) {
    const Points noised = 0.9 * x + 0.3 * Stream(2, "linear").normal(3, 200);
    const Points difference = make_diffused_subspace_mixture(law, lift)->score(noised, 0.9, 0.3) -
                              make_diffused_planar_mixture(other, lift)->score(noised, 0.9, 0.3);
    EXPECT_LE(difference.cwiseAbs().maxCoeff(), 1e-10) << name_of(lift.type);
  }
}

TEST(LinearTask, NoisedLawIsThatOfItsGaussiansOneByOne) {
  const Task task = linear(2, 6);
  const auto law = std::dynamic_pointer_cast<const SubspaceMixture>(task.density);
  for (const Lift& lift : {Lift{}, Lift{LiftType::normal, 0.2}, Lift{LiftType::isotropic, 0.2}}) {
    for (const double sigma : {0.1, 0.5}) {
      const Points x = 0.9 * law->sample(50, Stream(1, "listed")) + sigma * Stream(2, "listed").normal(6, 50);
      const Vector expected = listed(*law, lift, x, 0.9, sigma);
      EXPECT_LE((task.diffused_score(lift)->log_density(x, 0.9, sigma) - expected).cwiseAbs().maxCoeff(), 1e-10);
      const Lift wrong = {LiftType::normal, 0.25};
      EXPECT_GT((task.diffused_score(wrong)->log_density(x, 0.9, sigma) - expected).cwiseAbs().maxCoeff(), 1e-3);
    }
  }
}

TEST(LinearTask, ScoreIsTheGradientInSixtyFourDimensions) {
  const Task task = default_task("linear-64d");
  EXPECT_EQ(task.manifold->codimension(), 62);
  for (const Lift& lift : {Lift{}, Lift{LiftType::normal, 0.1}, Lift{LiftType::isotropic, 0.1}}) {
    const auto law = task.diffused_score(lift);
    for (const double sigma : {0.05, 0.6}) {
      const Points x = 0.9 * lift.apply(task.sampler->sample(5, Stream(1, "g")), *task.manifold, Stream(2, "g")) +
                       sigma * Stream(3, "g").normal(64, 5);
      // As in three dimensions, with |log p| up to 1e3: rounding gives 1e-13·1e2/1e-2 of 1/sigma.
      EXPECT_LE(testing::gradient_error(*law, x, 0.9, sigma), 1e-6) << name_of(lift.type) << " " << sigma;
    }
  }
}

TEST(LinearTask, FrameAndManifoldAreOnePlane) {
  for (const Index dimension : {1, 2, 4}) {
    const Task task = linear(dimension, 64);
    const Points points = task.sampler->sample(2000, Stream(1, "on"));
    EXPECT_LE(task.manifold->residual(points).cwiseAbs().maxCoeff(), 1e-14);
    const Points noise = Lift{LiftType::normal, 0.3}.apply(points, *task.manifold, Stream(2, "on")) - points;
    const Points along = std::dynamic_pointer_cast<const SubspaceMixture>(task.density)->frame().basis;
    EXPECT_LE((along.transpose() * noise).cwiseAbs().maxCoeff(), 1e-12 * noise.colwise().norm().maxCoeff());
    EXPECT_NEAR(task.masses.sum(), 1, 1e-12);
    EXPECT_GT(testing::chi_square_p_value(*task.partition, task.masses, task.sampler->sample(20000, Stream(3, "on"))),
              testing::alpha);
  }
  EXPECT_EQ(linear(4, 64).name, "linear-64d-dim4");
  EXPECT_EQ(linear(2, 128).name, "linear-128d");
  EXPECT_THROW((void)linear(4, 4), InvalidInput);
}

TEST(LinearTask, RefusesWhatIsNoLaw) {
  const SubspaceFrame frame{random_frame(3).leftCols(1), random_frame(3).col(1)};
  const Vector centre = Vector::Zero(1);
  EXPECT_THROW(SubspaceMixture(frame, centre, Eigen::MatrixXd::Constant(1, 1, 0.9), 0.1), InvalidInput);
  EXPECT_THROW(SubspaceMixture(frame, centre, Eigen::MatrixXd::Ones(2, 1), 0.1), InvalidInput);
  EXPECT_THROW(SubspaceMixture(frame, centre, Eigen::MatrixXd::Ones(1, 1), 0), InvalidInput);
  EXPECT_THROW(SubspacePartition(frame, 1, 0), InvalidInput);
  EXPECT_THROW(SubspacePartition(frame, 0, 3), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
