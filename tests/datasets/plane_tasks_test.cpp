// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/scaled_bessel.hpp"
#include "datasets/laws/planar_mixture.hpp"
#include "datasets/laws/smiley.hpp"
#include "goodness_of_fit.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

/// Tensor Gauss–Legendre mass of a density over the cells of a grid: independent of the closed forms.
Vector masses_by_quadrature(const Density& density, const PlanePartition& partition, Index nodes) {
  const PlaneFrame frame;
  const Index bins = partition.bins();
  Vector result = Vector::Zero(partition.size());
  for (Index row = 0; row < bins; ++row) {
    const QuadratureRule v = gauss_legendre(nodes, partition.edge(row), partition.edge(row + 1));
    for (Index column = 0; column < bins; ++column) {
      const QuadratureRule u = gauss_legendre(nodes, partition.edge(column), partition.edge(column + 1));
      Points uv(2, nodes * nodes);
      for (Index i = 0; i < nodes; ++i) {
        for (Index j = 0; j < nodes; ++j) uv.col(i * nodes + j) << u.nodes[j], v.nodes[i];
      }
      const Vector log_p = density.log_density(frame.embed(uv));
      double sum = 0;
      for (Index i = 0; i < nodes; ++i) {
        for (Index j = 0; j < nodes; ++j) sum += v.weights[i] * u.weights[j] * std::exp(log_p[i * nodes + j]);
      }
      result[row * bins + column] = sum;
    }
  }
  result[bins * bins] = 1 - result.head(bins * bins).sum();
  return result;
}

TEST(PlaneFrame, IsOrthonormalAndRoundTrips) {
  const PlaneFrame frame;
  Eigen::Matrix3d axes;
  axes << frame.basis(), frame.normal();
  EXPECT_LE((axes.transpose() * axes - Eigen::Matrix3d::Identity()).cwiseAbs().maxCoeff(), 1e-15);
  EXPECT_NEAR(axes.determinant(), 1, 1e-15);
  const Points uv = Stream(1, "frame").normal(2, 50);
  const Points x = frame.embed(uv);
  EXPECT_LE((frame.coordinates(x) - uv).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_LE(frame.heights(x).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_LE(frame.manifold().residual(x).cwiseAbs().maxCoeff(), 1e-14);
}

TEST(PlanePartition, CountsRightEdgesOnceAndTheRestAsOverflow) {
  const PlaneFrame frame;
  const PlanePartition cells(frame, 2, 4);
  Points uv(2, 6);
  uv << -2, 2, 0, 2.0001, -0.5, 0,  //
      -2, 2, 0, 0, 1.5, -1e300;
  const Eigen::VectorXi result = cells.assign(frame.embed(uv));
  // The embedding rounds, so that exact edges are tested through interior points and the overflow only.
  EXPECT_EQ(result[3], 16);
  EXPECT_EQ(result[4], 3 * 4 + 1);
  EXPECT_EQ(result[5], 16);
  EXPECT_EQ(cells.edge(0), -2);
  EXPECT_EQ(cells.edge(4), 2);
  EXPECT_THROW(PlanePartition(frame, 0, 4), InvalidInput);
}

TEST(PlaneGmm9, EntropyIsTwiceThatOfTheOneDimensionalMixture) {
  // The law is a product of two equal mixtures on the line; their entropy by a rule of its own.
  double line = 0;
  const QuadratureRule rule = gauss_legendre(1000, -2, 2);
  for (Index i = 0; i < rule.nodes.size(); ++i) {
    double p = 0;
    for (const double centre : {-1.0, 0.0, 1.0}) {
      p += std::exp(-50 * std::pow(rule.nodes[i] - centre, 2)) / (3 * std::sqrt(2 * M_PI) * 0.1);
    }
    line -= rule.weights[i] * p * std::log(p);
  }
  const Task task = default_task("plane-gmm9");
  EXPECT_NEAR(task.entropy, 2 * line, 1e-9);
  EXPECT_NEAR(task.entropy, std::log(9) + 1 + std::log(2 * M_PI * 0.01), 1e-4);  // no overlap
  // Data scale: (2 (2/3 + 0.01))/3.
  EXPECT_NEAR(task.preregistered_sigma, 0.1 * std::sqrt(2 * (2.0 / 3 + 0.01) / 3), 1e-15);
}

TEST(PlaneGmm9, MassesAgreeWithQuadrature) {
  const Task task = default_task("plane-gmm9");
  const PlanePartition cells(PlaneFrame(), 1.6, 32);
  EXPECT_LE((masses_by_quadrature(*task.density, cells, 8) - task.masses).cwiseAbs().maxCoeff(), 1e-11);
  EXPECT_NEAR(task.masses.sum(), 1, 1e-14);
}

TEST(PlaneGmm9, SamplerMatchesTheDensityAndBrokenOnesDoNot) {
  const Task task = default_task("plane-gmm9");
  const PlaneFrame frame;
  const auto p_value = [&](const Sampler& sampler) {
    return testing::chi_square_p_value(*task.partition, task.masses, sampler.sample(100000, Stream(21, "gmm9")));
  };
  EXPECT_GT(p_value(*task.sampler), testing::alpha);
  EXPECT_LT(p_value(PlanarMixture::grid9(frame, 0.11)), 1e-6) << "width off by 10 %";
  const PlanarMixture grid = PlanarMixture::grid9(frame, 0.1);
  Vector weights = grid.weights();
  weights[0] *= 1.1;
  weights[8] -= weights.sum() - 1;
  EXPECT_LT(p_value(PlanarMixture(frame, grid.centres(), weights, 0.1)), 1e-6) << "weights";

  // Marginal along e1.
  const Points uv = frame.coordinates(task.sampler->sample(20000, Stream(22, "gmm9")));
  const std::vector<double> u(uv.row(0).begin(), uv.row(0).end());
  const auto law = [](double width) {
    return [width](double x) {
      return (normal_mass(-INFINITY, (x + 1) / width) + normal_mass(-INFINITY, x / width) +
              normal_mass(-INFINITY, (x - 1) / width)) /
             3;
    };
  };
  EXPECT_GT(testing::ks_p_value(u, law(0.1)), testing::alpha);
  EXPECT_LT(testing::ks_p_value(u, law(0.13)), 1e-3);
}

TEST(ScaledBessel, MatchesTheStandardLibrary) {
  for (const double z : {0.0, 1e-3, 0.5, 5.0, 29.9, 30.1, 100.0, 600.0}) {
    const double expected = std::cyl_bessel_i(0.0, z) * std::exp(-z);
    EXPECT_NEAR(scaled_bessel_i0(z) / expected, 1, 1e-13) << z;
  }
  EXPECT_NEAR(scaled_bessel_i0(2500) * std::sqrt(2 * M_PI * 2500), 1 + 1.0 / (8 * 2500), 1e-7);
}

TEST(PlaneSmiley, DensityIsTheConvolutionOfItsParts) {
  // Direct sums over the curves, with a rule of their own, at points in every part and between them.
  const PlaneFrame frame;
  const Smiley smiley(frame, 0.02);
  Points uv(2, 9);
  uv << 1.0, 0.70710678, 0.4, -0.41, 0.0, 0.29, 0.0, 0.1, -0.6,  //
      0.0, 0.72, 0.4, 0.39, -0.3, -0.2, 0.0, 0.9, 0.3;
  const Vector log_p = smiley.log_density(frame.embed(uv));
  const auto kernel = [](double du, double dv, double width) {
    return std::exp(-(du * du + dv * dv) / (2 * width * width)) / (2 * M_PI * width * width);
  };
  for (Index j = 0; j < uv.cols(); ++j) {
    const double u = uv(0, j);
    const double v = uv(1, j);
    double expected = 0;
    for (int i = 0; i < 20000; ++i) {
      const double circle = 2 * M_PI * i / 20000;
      expected += 0.5 / 20000 * kernel(u - std::cos(circle), v - std::sin(circle), 0.02);
      const double mouth = M_PI / 2 * ((i + 0.5) / 20000 - 0.5);  // midpoint rule: 1e-7 from the ends of the mouth
      expected += 0.25 / 20000 * kernel(u - 0.4 * std::sin(mouth), v + 0.3 * std::cos(mouth), 0.02);
    }
    const double eye = std::sqrt(5e-4);
    expected += 0.125 * (kernel(u - 0.4, v - 0.4, eye) + kernel(u + 0.4, v - 0.4, eye));
    EXPECT_NEAR(log_p[j], std::log(expected), 1e-6) << j;
  }
}

TEST(PlaneSmiley, MassesAndEntropyAgreeWithQuadrature) {
  const Task task = default_task("plane-smiley");
  const PlanePartition cells(PlaneFrame(), 1.28, 32);
  // 0.08 wide cells, features of 0.02: 14 nodes leave 2e-9.
  EXPECT_LE((masses_by_quadrature(*task.density, cells, 14) - task.masses).cwiseAbs().maxCoeff(), 1e-8);
  EXPECT_NEAR(task.masses.sum(), 1, 1e-14);
}

TEST(PlaneSmiley, SamplerMatchesTheDensityAndABrokenOneDoesNot) {
  const Task task = default_task("plane-smiley");
  const auto p_value = [&](const Sampler& sampler) {
    return testing::chi_square_p_value(*task.partition, task.masses, sampler.sample(100000, Stream(23, "smiley")));
  };
  EXPECT_GT(p_value(*task.sampler), testing::alpha);
  EXPECT_LT(p_value(Smiley(PlaneFrame(), 0.022)), 1e-6) << "jitter off by 10 %";

  const Points points = task.sampler->sample(100000, Stream(24, "smiley"));
  const double scale = std::sqrt((points.colwise() - points.rowwise().mean()).squaredNorm() / 3e5);
  EXPECT_NEAR(task.preregistered_sigma, 0.1 * scale,
              0.1 * 0.005 * scale);  // se of the standard deviation: 0.2 %
}

}  // namespace
}  // namespace onmanifold
