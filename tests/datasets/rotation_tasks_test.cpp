// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <boost/math/special_functions/bessel.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/scaled_bessel.hpp"
#include "core/math/statistics.hpp"
#include "datasets/laws/first_column_partition.hpp"
#include "datasets/laws/matrix_fisher.hpp"
#include "datasets/laws/wrapped_normal_mixture.hpp"
#include "goodness_of_fit.hpp"
#include "manifolds/fisher_moments.hpp"
#include "manifolds/rotation_group.hpp"
#include "score_checks.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

using Eigen::Matrix3d;
using testing::default_task;

/// Nodes and weights of Haar probability: Euler angles about z, y, z, exact for entries of degree 2n - 1.
struct HaarRule {
  explicit HaarRule(Index n) : rotations(9, 4 * n * n * n), weights(4 * n * n * n) {
    const QuadratureRule z = gauss_legendre(n);
    Index column = 0;
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; j < 2 * n; ++j) {
        for (Index k = 0; k < 2 * n; ++k, ++column) {
          const double step = M_PI / static_cast<double>(n);
          set_rotation(rotations, column,
                       rotation_exp({0, 0, step * static_cast<double>(j)}) *
                           rotation_exp({0, std::acos(z.nodes[i]), 0}) *
                           rotation_exp({0, 0, step * static_cast<double>(k)}));
          weights[column] = z.weights[i] / 2 / static_cast<double>(4 * n * n);
        }
      }
    }
  }
  Points rotations;
  Vector weights;
};

std::shared_ptr<const FisherMixture> fisher_of(const Task& task) {
  return std::dynamic_pointer_cast<const FisherMixture>(task.density);
}

std::shared_ptr<const WrappedNormalMixture> mixture_of(const Task& task) {
  return std::dynamic_pointer_cast<const WrappedNormalMixture>(task.density);
}

// --- matrix Fisher ---------------------------------------------------------------------------------------

TEST(MatrixFisher, NormaliserIsTheClosedFormForMultiplesOfARotation) {
  // c(k I) = exp(k) (I_0(2k) - I_1(2k)); left and right turns change nothing.
  const Matrix3d turn = rotation_exp({0.3, -1, 0.8});
  for (const double k : {1e-6, 0.1, 1.0, 5.0, 20.0, 100.0}) {
    const double difference = boost::math::cyl_bessel_i(0, 2 * k) - boost::math::cyl_bessel_i(1, 2 * k);
    const double expected = k + std::log(difference);
    // At large k Boost's difference loses 2k ulp.
    EXPECT_NEAR(fisher_moments(k * turn).log_normaliser, expected, 1e-13 * (1 + 4 * k)) << k;
  }
  EXPECT_NEAR(fisher_moments(Matrix3d::Zero()).log_normaliser, 0, 3e-14);
  EXPECT_NEAR(fisher_moments(Matrix3d::Zero()).mean.norm(), 0, 1e-14);
}

TEST(MatrixFisher, MomentsMatchQuadratureOverTheGroup) {
  const HaarRule rule(24);
  Matrix3d f;
  f << 3, -1, 0.5, 2, 1, -2, 0.3, 0.4, -1.5;
  for (const double scale : {0.5, 2.0, -2.0}) {  // det < 0 for one of the signs
    Vector density(rule.weights.size());
    Points weighted = rule.rotations;
    for (Index j = 0; j < density.size(); ++j) {
      density[j] = rule.weights[j] * std::exp((scale * f).cwiseProduct(rotation_matrix(rule.rotations.col(j))).sum());
    }
    const FisherMoments moments = fisher_moments(scale * f);
    const double c = density.sum();
    EXPECT_NEAR(moments.log_normaliser, std::log(c), 1e-11);
    const Vector mean = rule.rotations * density / c;
    EXPECT_LT((rotation_matrix(mean) - moments.mean).cwiseAbs().maxCoeff(), 1e-11) << scale;
  }
}

TEST(MatrixFisher, SixtyFourNodesAreEnough) {
  // Against 40 × 64 nodes of the same integral: panels that shrink by 0.6 towards both ends of l = (1 - u)/2.
  for (const Eigen::Vector3d& s :
       {Eigen::Vector3d(1e4, 1e4, -1e4), Eigen::Vector3d(1e4, 1e4, 1e4), Eigen::Vector3d(1e4, 10, 10),
        Eigen::Vector3d(1e4, 0, 0), Eigen::Vector3d(1e4, 20, -19.9), Eigen::Vector3d(400, 399, -385),
        Eigen::Vector3d(1e3, 500, -480), Eigen::Vector3d(30, 15, -5), Eigen::Vector3d(9, 8, 1)}) {
    std::vector<double> edges = {0.0};
    for (int i = 30; i >= 0; --i) edges.push_back(0.5 * std::pow(0.6, i));
    for (int i = 1; i <= 30; ++i) edges.push_back(1 - 0.5 * std::pow(0.6, i));
    edges.push_back(1);
    double total = 0;
    double first = 0;
    double third = 0;
    for (std::size_t p = 0; p + 1 < edges.size(); ++p) {
      const QuadratureRule rule = gauss_legendre(64, edges[p], edges[p + 1]);
      for (Index i = 0; i < 64; ++i) {
        const double l = rule.nodes[i];
        const double a = (s[0] - s[1]) * l;
        const double b = (s[0] + s[1]) * (1 - l);
        const double weight = rule.weights[i] * std::exp(-2 * (s[1] + s[2]) * l);
        total += weight * scaled_bessel_i0(a) * scaled_bessel_i0(b);
        first += weight *
                 (scaled_bessel_i1(a) * scaled_bessel_i0(b) * l + scaled_bessel_i0(a) * scaled_bessel_i1(b) * (1 - l));
        third += weight * scaled_bessel_i0(a) * scaled_bessel_i0(b) * (1 - 2 * l);
      }
    }
    const FisherMoments moments = fisher_moments(s.asDiagonal());
    // 1e-15 of the exponent s1 + s2 + s3, which is added at the end.
    EXPECT_NEAR(moments.log_normaliser, s.sum() + std::log(total), 1e-11 + 1e-15 * s.cwiseAbs().sum());
    EXPECT_NEAR(moments.mean(0, 0), first / total, 1e-11) << s.transpose();
    EXPECT_NEAR(moments.mean(2, 2), third / total, 1e-11) << s.transpose();
  }
}

TEST(MatrixFisher, MeanIsTheGradientOfTheLogNormaliser) {
  Stream stream(1, "fisher");
  for (const double size : {0.1, 3.0, 40.0, 3000.0}) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      const Points entries = stream.normal(9, 1);
      const Matrix3d f = size * rotation_matrix(entries);
      const Matrix3d mean = fisher_moments(f).mean;
      for (Index i = 0; i < 3; ++i) {
        for (Index j = 0; j < 3; ++j) {
          // Step 1e-3 of the scale on which the mean changes, at least; log c is 1e-16 · size accurate.
          const double h = 1e-3 * std::max(1.0, size / 10);
          const auto shifted = [&](double d) {
            Matrix3d moved = f;
            moved(i, j) += d;
            return fisher_moments(moved).log_normaliser;
          };
          const double slope = (8 * (shifted(h) - shifted(-h)) - (shifted(2 * h) - shifted(-2 * h))) / (12 * h);
          EXPECT_NEAR(slope, mean(i, j), 1e-8) << size << " " << f.determinant();
        }
      }
    }
  }
}

TEST(MatrixFisher, LargeParametersFollowTheExpansion) {
  // d log c/d s_i = 1 - 1/2 (1/(s_i + s_j) + 1/(s_i + s_l)) + O(1/s²).
  const Eigen::Vector3d s(3000, 1000, 500);
  const Matrix3d mean = fisher_moments(s.asDiagonal()).mean;
  for (Index i = 0; i < 3; ++i) {
    const double sums = 1 / (s[i] + s[(i + 1) % 3]) + 1 / (s[i] + s[(i + 2) % 3]);
    EXPECT_NEAR(mean(i, i), 1 - sums / 2, 2e-6);
  }
}

TEST(So3Fisher, HasTheStatedNumbers) {
  const Task task = default_task("so3-fisher");
  const auto law = fisher_of(task);
  EXPECT_NEAR(fisher_moments(law->modes()[0].parameter).log_normaliser, 43.221999, 1e-6);
  for (std::size_t m = 1; m < 4; ++m) {
    EXPECT_NEAR(fisher_moments(law->modes()[m].parameter).log_normaliser, 52.864152, 1e-6);
  }
  EXPECT_NEAR(law->entropy_haar(), -4.201762, 1e-6);
  EXPECT_NEAR(law->entropy_of_rotation_vectors(), 0.167140, 1e-6);
  EXPECT_NEAR(task.entropy, 0.167140 + 1.5 * std::log(2.0), 1e-6);
}

TEST(So3Fisher, DrawsHaveTheMeanAndSpreadOfEveryMode) {
  const Task task = default_task("so3-fisher");
  const Index n = 20000;
  for (const FisherMixture::Mode& mode : fisher_of(task)->modes()) {
    const FisherMixture one({{mode.parameter, 1.0}});
    const Points draws = one.sample(n, Stream(2, "fisher draws"));
    const Matrix3d mean = fisher_moments(mode.parameter).mean;
    const FisherMoments wrong = fisher_moments(1.1 * mode.parameter);
    double deviation = 0;
    double wrong_deviation = 0;
    for (Index i = 0; i < 9; ++i) {
      const Vector entry = draws.row(i);
      const double error = standard_error(entry);
      deviation = std::max(deviation, std::abs(onmanifold::mean(entry) - mean(i / 3, i % 3)) / error);
      wrong_deviation = std::max(wrong_deviation, std::abs(onmanifold::mean(entry) - wrong.mean(i / 3, i % 3)) / error);
    }
    EXPECT_LT(deviation, 4.5) << "nine entries, normal quantile of 1e-5";
    EXPECT_GT(wrong_deviation, 6) << "a parameter off by 10 % is seen";
  }
}

/// Columns in the order 2, 3, 1.
Matrix3d cycle() {
  Matrix3d p;
  p << 0, 0, 1, 1, 0, 0, 0, 1, 0;
  return p;
}

Points turned(const Points& rotations, const Matrix3d& right) {
  Points result(9, rotations.cols());
  for (Index j = 0; j < rotations.cols(); ++j) set_rotation(result, j, rotation_matrix(rotations.col(j)) * right);
  return result;
}

TEST(So3Fisher, DrawsFollowTheLawOfEveryColumn) {
  // R P with a permutation P of the columns follows the law with parameters F P: the masses of the first
  // column are then those of the second and the third of R.
  const auto law = fisher_of(default_task("so3-fisher"));
  const Points draws = law->sample(40000, Stream(3, "columns"));
  const FirstColumnPartition cells(12, 24);
  Matrix3d right = Matrix3d::Identity();
  for (int column = 0; column < 3; ++column, right = right * cycle()) {
    std::vector<FisherMixture::Mode> modes = law->modes();
    for (FisherMixture::Mode& mode : modes) mode.parameter = mode.parameter * right;
    const Vector masses = FisherMixture(modes).first_column_masses(cells.sphere());
    EXPECT_GT(testing::chi_square_p_value(cells, masses, turned(draws, right)), testing::alpha) << column;
    // A turn of the body by 3 degrees, about the first column for a start, is seen in the others.
    if (column > 0) {
      const Points off = turned(turned(draws, rotation_exp({0.05, 0, 0})), right);
      EXPECT_LT(testing::chi_square_p_value(cells, masses, off), 1e-6) << column;
    }
  }
}

TEST(So3Fisher, ScoreIsTheGradientOfTheLogDensity) {
  const Task task = default_task("so3-fisher");
  for (const Lift& lift : {Lift{}, Lift{LiftType::isotropic, 0.1}}) {
    const auto law = task.diffused_score(lift);
    ASSERT_NE(law, nullptr);
    EXPECT_EQ(law->dimension(), 9);
    for (const double sigma : {0.05, 0.3, 1.0, 5.0}) {
      for (const double a : {1.0, 0.4}) {
        Points x = a * task.sampler->sample(20, Stream(4, "score")) + sigma * Stream(5, "score").normal(9, 20);
        x.rightCols(5) *= -1;  // negative determinants
        EXPECT_LT(testing::gradient_error(*law, x, a, sigma), 1e-7) << sigma << " " << a;
      }
    }
  }
  EXPECT_EQ(task.diffused_score({LiftType::normal, 0.1}), nullptr) << "no closed form";
}

TEST(So3Fisher, DiffusedDensityIsThatOfDraws) {
  const Task task = default_task("so3-fisher");
  const Points draws = task.sampler->sample(20000, Stream(6, "density"));
  const double a = 0.8;
  const double sigma = 0.5;
  const Points x = a * draws.leftCols(5) + sigma * Stream(7, "density").normal(9, 5);
  EXPECT_LT(testing::monte_carlo_deviation(*task.diffused_score({}), draws, x, a, sigma), 4.5);
  const Lift lift{LiftType::isotropic, 0.3};
  EXPECT_LT(testing::monte_carlo_deviation(*task.diffused_score(lift),
                                           lift.apply(draws, *task.manifold, Stream(8, "density")), x, a, sigma),
            4.5);
  EXPECT_GT(testing::monte_carlo_deviation(*task.diffused_score(lift), draws, x, a, sigma), 10)
      << "the wrong lift is seen";
}

TEST(So3Fisher, ScoreStaysFiniteAndPassesBadPointsThrough) {
  const auto law = default_task("so3-fisher").diffused_score({});
  for (const double sigma : {1e-3, 0.03, 1.0, 50.0}) {
    for (const double a : {0.0, 1e-3, 1.0}) {
      Points x = Stream(9, "far").normal(9, 10);
      x.col(0).setZero();
      x.col(1) *= 50;
      const Points score = law->score(x, a, sigma);
      EXPECT_TRUE(score.allFinite() && law->log_density(x, a, sigma).allFinite()) << sigma << " " << a;
      if (a == 0) {
        EXPECT_LE((score + x / (sigma * sigma)).cwiseAbs().maxCoeff(), 1e-11 / (sigma * sigma));
      }
    }
  }
  Points x = Points::Ones(9, 2);
  x(4, 0) = NAN;
  EXPECT_TRUE(std::isnan(law->score(x, 1, 0.5)(0, 0)));
  EXPECT_EQ(law->score(x, 1, 0.5).col(1), law->score(x.col(1), 1, 0.5));
  EXPECT_THROW((void)law->score(x, 1, 0), InvalidInput);
}

// --- wrapped normals -------------------------------------------------------------------------------------

TEST(So3Mixture, FloorsAreThoseOfRandomModes) {
  // Mean over draws of the modes -.916, -.228, .456 with deviations .043, .035, .035: ours is one draw,
  // within 3.5.
  struct Floor {
    const char* task;
    double mean;
    double deviation;
    double apart;
  };
  for (const Floor& floor :
       {Floor{"so3-mixture16", -0.916, 0.043, -0.911}, Floor{"so3-mixture32", -0.228, 0.035, -0.217},
        Floor{"so3-mixture64", 0.456, 0.035, 0.476}}) {
    const Task task = default_task(floor.task);
    const auto law = mixture_of(task);
    EXPECT_NEAR(law->entropy_of_rotation_vectors(), floor.mean, 3.5 * floor.deviation) << floor.task;
    EXPECT_NEAR(task.entropy - law->entropy_of_rotation_vectors(), 1.5 * std::log(2.0), 1e-14);
    // Without overlap the entropy is a mean over modes: bounds it from above.
    double apart = 0;
    for (const auto& mode : law->modes()) apart += 1.5 * std::log(2 * M_PI * M_E * mode.deviation * mode.deviation);
    apart = apart / static_cast<double>(law->modes().size()) + std::log(static_cast<double>(law->modes().size()));
    EXPECT_NEAR(apart, floor.apart, 3.5 * floor.deviation);
    EXPECT_LT(law->entropy_of_rotation_vectors(), apart);
    EXPECT_GT(law->entropy_of_rotation_vectors(), apart - 0.1);
  }
}

TEST(So3Mixture, ErrorOfTheEntropyIsAsStated) {
  const auto law = mixture_of(default_task("so3-mixture16"));
  EXPECT_NEAR(law->overlap(0.5), law->overlap(0.25), 2e-5);
  // Two close modes, where the overlap is large: against draws, within 4 standard errors.
  const WrappedNormalMixture pair({{{1, 0, 0, 0}, 0.1}, {{1, 0.08, 0, 0}, 0.08}});
  EXPECT_NEAR(pair.overlap(0.5), pair.overlap(0.25), 2e-5);
  const Vector log_p = pair.log_density(pair.sample(40000, Stream(10, "overlap")));
  EXPECT_NEAR(-mean(log_p), pair.entropy().value(), 4 * standard_error(log_p));
  EXPECT_GT(pair.overlap(0.5), 0.1);
}

TEST(So3Mixture, DensityIntegratesToOne) {
  // Wide modes, so that a product rule resolves them; Riemannian volume 8 pi² 2^1.5.
  const WrappedNormalMixture wide({{{1, 0, 0, 0}, 0.2}, {{0.3, 0.5, -0.2, 0.8}, 0.25}});
  const HaarRule rule(24);
  const double volume = std::exp(log_volume_of_rotations());
  EXPECT_NEAR(volume, 8 * M_PI * M_PI * std::pow(2, 1.5), 1e-12);
  const Vector log_p = wide.log_density(rule.rotations);
  double mass = 0;
  for (Index j = 0; j < log_p.size(); ++j) mass += rule.weights[j] * std::exp(log_p[j]);
  EXPECT_NEAR(volume * mass, 1, 1e-6);
}

TEST(So3Mixture, AnglesToTheModeFollowTheirLaw) {
  // |v|/s is chi with three degrees of freedom.
  const Matrix3d centre = rotation_exp({1, 2, -0.5});
  const double s = 0.07;
  const WrappedNormalMixture one({{quaternion_from_rotation(centre), s}});
  const Points draws = one.sample(20000, Stream(11, "angles"));
  Vector ratio(draws.cols());
  Vector height(draws.cols());
  for (Index j = 0; j < draws.cols(); ++j) {
    const Eigen::Vector3d v = rotation_log(centre.transpose() * rotation_matrix(draws.col(j)));
    ratio[j] = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) / s;
    height[j] = v[2] / s / ratio[j];
  }
  const auto chi = [](double r) { return boost::math::gamma_p(1.5, r * r / 2); };
  EXPECT_GT(kolmogorov_smirnov_test(ratio, chi).p, testing::alpha);
  EXPECT_GT(kolmogorov_smirnov_test(height, [](double z) { return (z + 1) / 2; }).p, testing::alpha);
  EXPECT_LT(kolmogorov_smirnov_test(1.05 * ratio, chi).p, 1e-6) << "s off by 5 % is seen";
  // Entropy of one mode: 1.5 log(2 pi e s²) to first order in s².
  EXPECT_NEAR(one.entropy_of_rotation_vectors(), 1.5 * std::log(2 * M_PI * M_E * s * s) - s * s / 4, 1e-5);
}

TEST(So3Mixture, DrawsFollowTheLawOfEveryColumn) {
  const auto law = mixture_of(default_task("so3-mixture16"));
  const Points draws = law->sample(40000, Stream(12, "columns"));
  const FirstColumnPartition cells(12, 24);
  Matrix3d right = Matrix3d::Identity();
  for (int column = 0; column < 3; ++column, right = right * cycle()) {
    std::vector<WrappedNormalMixture::Mode> modes = law->modes();
    for (WrappedNormalMixture::Mode& mode : modes) {
      mode.quaternion = quaternion_from_rotation(rotation_from_quaternion(mode.quaternion) * right);
    }
    const Vector masses = WrappedNormalMixture(modes).first_column_masses(cells.sphere());
    EXPECT_GT(testing::chi_square_p_value(cells, masses, turned(draws, right)), testing::alpha) << column;
    if (column > 0) {
      const Points off = turned(turned(draws, rotation_exp({0.05, 0, 0})), right);
      EXPECT_LT(testing::chi_square_p_value(cells, masses, off), 1e-6) << column;
    }
  }
}

TEST(So3Mixture, MassesOfTheFirstColumnAgreeWithAFinerGrid) {
  const auto law = mixture_of(default_task("so3-mixture16"));
  const Vector coarse = law->first_column_masses(SpherePartition(12, 24));
  const Vector fine = law->first_column_masses(SpherePartition(24, 48));
  for (Index band = 0; band < 12; ++band) {
    for (Index sector = 0; sector < 24; ++sector) {
      double sum = 0;
      for (const Index i : {0, 1}) {
        for (const Index j : {0, 1}) sum += fine[(2 * band + i) * 48 + 2 * sector + j];
      }
      EXPECT_NEAR(coarse[band * 24 + sector], sum, 1e-11);
    }
  }
}

TEST(So3Mixture, ModesAreFixed) {
  // The law is part of the protocol: a change of the stream or the rounding must be a new version.
  EXPECT_EQ(default_task("so3-mixture16").data_hash, default_task("so3-mixture16").data_hash);
  const auto modes = WrappedNormalMixture::draw_modes(16, Stream(0, "so3-mixture16/modes"));
  double mean = 0;
  for (const auto& mode : modes) {
    EXPECT_NEAR(mode.deviation, 0.0707, 0.02);
    mean += mode.deviation / 16;
    EXPECT_EQ(mode.quaternion[0], std::round(mode.quaternion[0] * 1e12) / 1e12);
  }
  EXPECT_NEAR(mean, 0.0707, 0.004);
  EXPECT_THROW(WrappedNormalMixture({}), InvalidInput);
  EXPECT_THROW(WrappedNormalMixture({{{0, 0, 0, 0}, 0.1}}), InvalidInput);
  EXPECT_THROW(WrappedNormalMixture({{{1, 0, 0, 0}, 0.5}}), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
