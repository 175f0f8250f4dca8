// SPDX-License-Identifier: Apache-2.0
// Heat kernels: mass, heat equation, gradient, moments and draws against closed forms, and the two forms of
// each kernel against each other.

#include "manifolds/heat_kernel.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/registry.hpp"

namespace onmanifold {
namespace {

constexpr double pi = std::numbers::pi;

struct Kernel {
  const char* name;
  Index dim;
  double (*area)(double angle);  // of the sphere of this radius; its integral normalises
  RadialHeat (*heat)(double angle, double t);
  double eigenvalue;  // the smallest above 0 of the Laplacian
  double (*eigenfunction)(double angle);
};

double cosine(double angle) {
  return std::cos(angle);
}
double character(double angle) {
  return (1 + 2 * std::cos(angle)) / 3;
}

const Kernel kernels[] = {
    {"circle", 1, [](double) { return 1.0; }, circle_heat, 1, cosine},
    {"sphere2", 2, [](double a) { return std::sin(a); }, [](double a, double t) { return sphere_heat(2, a, t); }, 2,
     cosine},
    {"sphere3", 3, [](double a) { return std::sin(a) * std::sin(a); },
     [](double a, double t) { return sphere_heat(3, a, t); }, 3, cosine},
    {"sphere5", 5, [](double a) { return std::pow(std::sin(a), 4); },
     [](double a, double t) { return sphere_heat(5, a, t); }, 5, cosine},
    {"rotations", 3, [](double a) { return 1 - std::cos(a); }, rotation_heat, 2, character},
};

class Heat : public testing::TestWithParam<Kernel> {
 protected:
  /// E f(angle) under the kernel at time t, by Simpson's rule on where it has mass.
  template <class F>
  [[nodiscard]] static double expectation(double t, const F& f) {
    const Kernel& kernel = GetParam();
    constexpr Index n = 4000;
    const auto integral = [](double largest, const auto& g) {
      double sum = g(0.0) + g(largest);
      for (Index i = 1; i < n; ++i) sum += (i % 2 == 1 ? 4 : 2) * g(largest * static_cast<double>(i) / n);
      return sum * largest / (3 * n);
    };
    const double uniform = integral(pi, kernel.area);
    const double sum = integral(std::min(pi, std::sqrt(t) * 9), [&](double angle) {
      return kernel.area(angle) * std::exp(kernel.heat(angle, t).log_ratio) * f(angle);
    });
    return sum / uniform;
  }
};

TEST_P(Heat, HasMassOneAndDecaysAsItsEigenvaluesSay) {
  const bool expanded = GetParam().dim != 1 && GetParam().heat != rotation_heat && GetParam().dim != 3;
  for (const double t : {1e-4, 1e-2, 0.05, 0.19, 0.21, 1.9, 2.1, 3.9, 4.1, 20.0}) {
    // The expansion leaves out terms of t^2. The rest: Simpson's rule.
    const double tolerance = expanded && t < 0.2 ? (GetParam().dim == 2 ? 0.004 : 0.1) * t * t + 1e-9 : 1e-9;
    EXPECT_NEAR(expectation(t, [](double) { return 1.0; }), 1, tolerance) << GetParam().name << " " << t;
    EXPECT_NEAR(expectation(t, GetParam().eigenfunction), std::exp(-GetParam().eigenvalue * t / 2), 2 * tolerance)
        << GetParam().name << " " << t;
  }
}

TEST_P(Heat, SlopeIsTheDerivativeOfTheLogarithm) {
  for (const double t : {1e-4, 1e-2, 0.19, 0.21, 1.9, 2.1, 3.9, 4.1, 20.0}) {
    for (const double angle : {1e-9, 1e-3, 0.009, 0.011, 0.09, 0.11, 0.5, 1.5, 2.9}) {
      if (angle > 6 * std::sqrt(t)) continue;  // where the kernel has no mass
      const double h = 1e-4 * std::min(1.0, std::sqrt(t));
      const double below = std::abs(angle - h);
      const double difference =
          (GetParam().heat(angle + h, t).log_ratio - GetParam().heat(below, t).log_ratio) / (2 * h);
      // Rounding of the logarithm (up to 20, 1e-15 relative) over 2h, and h^2.
      EXPECT_NEAR(angle * -GetParam().heat(angle, t).slope, difference, 1e-6 / std::min(1.0, std::sqrt(t)) + 1e-6)
          << GetParam().name << " " << t << " " << angle;
    }
  }
}

TEST_P(Heat, BothFormsAgreeWhereTheyMeet) {
  // Times at which circle, sphere and rotations change form; slopes move by 1e-9 for other reasons.
  for (const double t : {4.0, 2.0, 0.2}) {
    for (double angle = 0; angle <= std::min(pi, 5.5 * std::sqrt(t)); angle += 0.05) {
      const double below = GetParam().heat(angle, t * (1 - 1e-10)).slope;
      const double above = GetParam().heat(angle, t).slope;
      const bool expanded = t == 0.2 && GetParam().heat != rotation_heat && GetParam().dim != 1;
      const double tolerance = expanded ? (GetParam().dim == 2 ? 2e-4 : 6e-3) : 1e-8;
      EXPECT_NEAR(below / above, 1, tolerance) << GetParam().name << " " << t << " " << angle;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Heat, testing::ValuesIn(kernels), [](const auto& entry) { return entry.param.name; });

TEST(RotationHeat, IsNormalForSmallTimes) {
  // E theta^2/(3t) = .999 at t = .01.
  double square = 0;
  double mass = 0;
  for (Index i = 0; i < 4000; ++i) {
    const double angle = (static_cast<double>(i) + 0.5) * 1.0 / 4000;
    const double weight = (1 - std::cos(angle)) * std::exp(rotation_heat(angle, 0.01).log_ratio);
    mass += weight;
    square += weight * angle * angle;
  }
  EXPECT_NEAR(square / mass / 0.03, 0.999, 5e-4);
}

class HeatOn : public testing::TestWithParam<const char*> {
 protected:
  std::shared_ptr<const Manifold> manifold_ = make_manifold(GetParam());
  std::unique_ptr<Geodesics> geodesics_ = manifold_->geodesics();
  const HeatKernel kernel_{*geodesics_, {1e-3, 0.1, 0.7, 5.0}};
};

TEST_P(HeatOn, ScoreIsTheGradientOfTheLogDensity) {
  const Index n = 40;
  const Points y = manifold_->random_points(n, Stream(1, "y"));
  std::vector<Index> index;
  for (Index j = 0; j < n; ++j) index.push_back(j % 4);
  const Points x =
      kernel_.diffuse(y, index, Stream(1, "z").normal(y.rows(), n), Stream(1, "u").uniform(kernel_.factors(), n));
  EXPECT_LT(manifold_->residual(x).cwiseAbs().maxCoeff(), 1e-12);
  const Points score = kernel_.score(x, y, index);
  EXPECT_LT(manifold_->normal_component(x, score).cwiseAbs().maxCoeff(), 1e-8 * score.cwiseAbs().maxCoeff());
  Points direction = manifold_->tangent_component(x, Stream(2, "v").normal(y.rows(), n));
  direction.colwise().normalize();
  constexpr double h = 1e-5;
  const Vector difference = (kernel_.log_density(geodesics_->exp(x, h * direction), y, index) -
                             kernel_.log_density(geodesics_->exp(x, -h * direction), y, index)) /
                            (2 * h);
  const Vector stated = score.cwiseProduct(direction).colwise().sum().transpose();
  for (Index j = 0; j < n; ++j) {
    // h^2 times the third derivative, and rounding over h; relative to the size of a score, 1/sqrt(t).
    const double size = 1 / std::sqrt(kernel_.times()[static_cast<std::size_t>(j % 4)]);
    EXPECT_NEAR(difference[j], stated[j], 1e-6 * size) << j;
  }
  EXPECT_GT((difference - 1.02 * stated).cwiseAbs().maxCoeff(), 1e-2);  // a gradient wrong by 2 % shows
}

TEST_P(HeatOn, DrawsHaveTheirDensity) {
  // E[score(x | y)·log(x, y)-like] needs no other density: for a smooth field V with compact support in t,
  // E[score·V + div V] = 0. V = tangent part of a constant a has divergence a·H, H the mean curvature.
  constexpr Index n = 20000;
  const Points y = manifold_->random_points(1, Stream(3, "y")).replicate(1, n);
  const Vector a = Stream(3, "a").normal(y.rows(), 1);
  for (const Index time : {0, 1, 2, 3}) {
    const std::vector<Index> index(static_cast<std::size_t>(n), time);
    const Points x =
        kernel_.diffuse(y, index, Stream(4, "z").normal(y.rows(), n), Stream(4, "u").uniform(kernel_.factors(), n));
    const Vector terms = kernel_.score(x, y, index).transpose() * a + geodesics_->mean_curvature(x).transpose() * a;
    const double error = std::sqrt((terms.array() - terms.mean()).square().sum()) / n;
    EXPECT_LT(std::abs(terms.mean()), 4.5 * error) << time;  // alpha 7e-6, 16 comparisons
    // And length: E|x - y|^2 on unit factors follows from eigenfunctions; a wrong time shows in E[x] = y
    // decayed.
    const Vector mean = x.rowwise().mean();
    const double decay = mean.dot(Vector(y.col(0))) / y.col(0).squaredNorm();
    const double t = kernel_.times()[static_cast<std::size_t>(time)];
    if (std::string(GetParam()) == "sphere:dim=2,radius=1.5") {
      EXPECT_NEAR(decay, std::exp(-t / 2.25), 4.5 / std::sqrt(n));
    } else if (std::string(GetParam()) == "so3") {
      EXPECT_NEAR(decay, std::exp(-t / 2),
                  4.5 / std::sqrt(n));  // eigenvalue 2 in angles, lengths are sqrt(2) angles
    } else if (std::string(GetParam()) == "torus:dim=2") {
      EXPECT_NEAR(decay, std::exp(-t / 2), 4.5 / std::sqrt(n));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, HeatOn,
                         testing::Values("sphere:dim=2,radius=1.5", "sphere:dim=1,radius=2", "so3", "torus:dim=2"));

TEST(HeatKernel, RefusesWhatItCannotServe) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const auto geodesics = sphere->geodesics();
  EXPECT_THROW(HeatKernel(*geodesics, {0.0}), InvalidInput);
  EXPECT_NEAR(HeatKernel::relaxation_time(*geodesics, 1e-4), std::log(1e4), 1e-12);  // e^{-2t/2}
}

}  // namespace
}  // namespace onmanifold
