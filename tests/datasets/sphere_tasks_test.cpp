// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "datasets/laws/sphere_partition.hpp"
#include "datasets/laws/vmf_mixture.hpp"
#include "goodness_of_fit.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

std::vector<VmfMixture::Mode> modes_of(const Task& task) {
  return std::dynamic_pointer_cast<const VmfMixture>(task.density)->modes();
}

TEST(VmfFunctions, MatchClosedFormsAndSeries) {
  EXPECT_NEAR(vmf_log_normaliser(0), -std::log(4 * M_PI), 1e-15);
  EXPECT_NEAR(vmf_log_normaliser(2), std::log(2 / (4 * M_PI * std::sinh(2.0))), 1e-14);
  EXPECT_NEAR(vmf_log_normaliser(1e4), std::log(1e4 / (2 * M_PI)) - 1e4, 1e-11);
  EXPECT_NEAR(vmf_log_normaliser(0.9999e-3), vmf_log_normaliser(1.0001e-3),
              1e-10);  // both sides of the switch
  EXPECT_NEAR(vmf_mean_length(2), std::cosh(2.0) / std::sinh(2.0) - 0.5, 1e-15);
  EXPECT_NEAR(vmf_mean_length(0.00999), 0.00999 / 3 - std::pow(0.00999, 3) / 45, 1e-12);
  EXPECT_NEAR(vmf_mean_length(0.01001), 0.01001 / 3 - std::pow(0.01001, 3) / 45, 1e-12);
}

TEST(SphereVmf6, HasTheStatedNumbers) {
  const Task task = default_task("sphere-vmf6");
  EXPECT_NEAR(task.entropy, 1.45440, 5e-6);
  const auto law = std::dynamic_pointer_cast<const VmfMixture>(task.density);
  const Eigen::Vector3d mean = law->mean();
  EXPECT_NEAR(mean[0], 0.1493, 5e-5);
  EXPECT_NEAR(mean[1], 0.2986, 5e-5);
  EXPECT_NEAR(mean[2], 0.4402, 5e-5);

  // Total variation to the uniform law and to the antipodal image, on a fine grid of cells.
  const SpherePartition fine(200, 400);
  Points points(3, fine.size());
  for (Index band = 0; band < fine.bands(); ++band) {
    const double z = (2.0 * static_cast<double>(band) + 1) / 200 - 1;
    for (Index sector = 0; sector < fine.sectors(); ++sector) {
      const double angle = 2 * M_PI * (static_cast<double>(sector) + 0.5) / 400;
      points.col(band * 400 + sector) << std::sqrt(1 - z * z) * std::cos(angle), std::sqrt(1 - z * z) * std::sin(angle),
          z;
    }
  }
  const Eigen::ArrayXd p = law->log_density(points).array().exp();
  const Eigen::ArrayXd q = law->log_density(-points).array().exp();
  const double area = 4 * M_PI / static_cast<double>(fine.size());
  EXPECT_NEAR(p.sum() * area, 1, 1e-4);
  EXPECT_NEAR((p - 1 / (4 * M_PI)).abs().sum() * area / 2, 0.5893, 1e-4);
  EXPECT_NEAR((p - q).abs().sum() * area / 2, 0.9755, 1e-4);

  // Floor of the total variation over 288 cells with exact masses, large-sample form.
  EXPECT_NEAR(testing::total_variation_floor(task.masses, 1e4), 0.0463, 5e-5);
  EXPECT_NEAR(testing::total_variation_floor(task.masses, 1e5), 0.0147, 5e-5);
  EXPECT_EQ(task.partition->size(), 288);
}

TEST(SphereVmf, EntropyOfOneModeIsTheClosedForm) {
  const VmfMixture one({{{0, 0.6, 0.8}, 15, 1.0}});
  const double closed = -vmf_log_normaliser(15) - 15 * vmf_mean_length(15);
  EXPECT_NEAR(closed, 0.1298, 5e-5);
  EXPECT_NEAR(one.entropy().value(), closed, 1e-11);  // quadrature
}

TEST(SphereVmf, MassesAgreeWithAFinerRule) {
  for (const char* name : {"sphere-vmf6", "sphere-vmf2"}) {
    const Task task = default_task(name);
    const SphereIntegrals fine = integrate_on_sphere(*task.density, SpherePartition(12, 24), 31);
    EXPECT_NEAR(task.masses.sum(), 1, 1e-10);
    EXPECT_LE((fine.masses - task.masses).cwiseAbs().maxCoeff(), 1e-12);
    EXPECT_NEAR(fine.entropy, task.entropy, 1e-10);
    // Another parametrisation: cells of a grid that halves every cell.
    const SphereIntegrals halves = integrate_on_sphere(*task.density, SpherePartition(24, 48), 12);
    for (Index band = 0; band < 12; ++band) {
      for (Index sector = 0; sector < 24; ++sector) {
        const auto part = [&](Index i, Index j) { return halves.masses[(2 * band + i) * 48 + 2 * sector + j]; };
        EXPECT_NEAR(part(0, 0) + part(0, 1) + part(1, 0) + part(1, 1), task.masses[band * 24 + sector], 1e-12);
      }
    }
  }
}

TEST(SphereVmf, SamplerMatchesTheDensityAndBrokenOnesDoNot) {
  const Index n = 100000;
  for (const char* name : {"sphere-vmf6", "sphere-vmf2"}) {
    const Task task = default_task(name);
    const auto p_value = [&](const Sampler& sampler) {
      return testing::chi_square_p_value(*task.partition, task.masses, sampler.sample(n, Stream(11, name)));
    };
    EXPECT_GT(p_value(*task.sampler), testing::alpha);

    std::vector<VmfMixture::Mode> sharp = modes_of(task);
    for (VmfMixture::Mode& mode : sharp) mode.kappa *= 1.1;
    EXPECT_LT(p_value(VmfMixture(sharp)), 1e-6) << "kappa off by 10 %";

    std::vector<VmfMixture::Mode> swapped = modes_of(task);
    if (swapped.size() > 2) {
      std::swap(swapped[2].weight, swapped[3].weight);
    } else {
      swapped[0].weight = 0.52;
      swapped[1].weight = 0.48;
    }
    EXPECT_LT(p_value(VmfMixture(swapped)), 1e-6) << "weights";
  }
}

TEST(SphereVmf, CosineToTheModeFollowsItsDistribution) {
  for (const double kappa : {0.1, 15.0, 400.0}) {
    const Eigen::Vector3d mode(0.6, 0, 0.8);
    const Points points = VmfMixture({{mode, kappa, 1.0}}).sample(20000, Stream(12, "cosine"));
    std::vector<double> cosines;
    std::vector<double> azimuths;
    for (Index j = 0; j < points.cols(); ++j) {
      cosines.push_back(mode.dot(points.col(j)));
      azimuths.push_back(std::atan2(points(1, j), 0.8 * points(0, j) - 0.6 * points(2, j)));
    }
    const auto law = [&](double k) {
      return [k](double w) { return std::exp(k * (w - 1)) * -std::expm1(-k * (w + 1)) / -std::expm1(-2 * k); };
    };
    EXPECT_GT(testing::ks_p_value(cosines, law(kappa)), testing::alpha) << kappa;
    EXPECT_GT(testing::ks_p_value(azimuths, [](double angle) { return angle / (2 * M_PI) + 0.5; }), testing::alpha);
    if (kappa > 1) {
      EXPECT_LT(testing::ks_p_value(cosines, law(1.1 * kappa)), 1e-6) << "kappa off by 10 %";
    }
  }
}

TEST(SpherePartition, AssignsEqualAreasByDirection) {
  const SpherePartition cells(12, 24);
  Points points(3, 6);
  points.col(0) << 0, 0, 1;
  points.col(1) << 0, 0, -7;
  points.col(2) << 1e-300, 1e-301, 0;  // direction survives tiny and huge lengths
  points.col(3) << 0, -1e300, 1e299;
  points.col(4) << 0, 0, 0;  // as (0, 0, 1)
  points.col(5) << INFINITY, 0, 0;
  const Eigen::VectorXi result = cells.assign(points);
  EXPECT_EQ(result[0], 11 * 24);
  EXPECT_EQ(result[1], 0);
  EXPECT_EQ(result[2], 6 * 24);
  EXPECT_EQ(result[3], 6 * 24 + 18);
  EXPECT_EQ(result[4], 11 * 24);
  EXPECT_EQ(result[5], -1);

  // Uniform points fill them equally.
  Points uniform = Stream(13, "uniform").normal(3, 50000);
  EXPECT_GT(testing::chi_square_p_value(cells, Vector::Constant(288, 1.0 / 288), uniform), testing::alpha);
  uniform.row(2) *= 1.03;
  uniform.row(0) *= 0.97;
  EXPECT_LT(testing::chi_square_p_value(cells, Vector::Constant(288, 1.0 / 288), uniform), 1e-3);
  EXPECT_THROW(SpherePartition(0, 3), InvalidInput);
}

TEST(VmfMixture, RefusesModesThatAreNone) {
  EXPECT_THROW(VmfMixture({{{0, 0, 2}, 1, 1.0}}), InvalidInput);
  EXPECT_THROW(VmfMixture({{{0, 0, 1}, 0, 1.0}}), InvalidInput);
  EXPECT_THROW(VmfMixture({{{0, 0, 1}, 1, 0.9}}), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
