// SPDX-License-Identifier: Apache-2.0
#include "manifolds/backbone.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/registry.hpp"

namespace onmanifold {
namespace {

constexpr double degree = M_PI / 180;

Points random_torsions(Index residues, Index n, const char* name) {
  return M_PI * (2 * Stream(1, name).uniform(3 * residues - 3, n).array() - 1).matrix();
}

// Everything that a test needs of J, dense and by the definition.
struct Dense {
  explicit Dense(const Backbone& backbone) : manifold(backbone), atoms(3 * backbone.residues()) {
    const bool held = backbone.frame() == BackboneFrame::middle;
    const Index first = 3 * middle_residue(backbone.residues());
    Index column = 0;
    for (Index a = 0; a < atoms; ++a) start.push_back(held && a >= first && a < first + 3 ? -1 : 3 * column++);
    for (Index i = 0; i + 1 < atoms; ++i) {
      for (const Index j : {i + 1, i + 2}) {
        if (j < atoms && (at(i) >= 0 || at(j) >= 0)) pairs.emplace_back(i, j);
      }
    }
  }
  [[nodiscard]] Index at(Index atom) const { return start[static_cast<std::size_t>(atom)]; }
  // Rows (x_j - x_i) at j and minus that at i.
  [[nodiscard]] Points jacobian(const Vector& x) const {
    const Vector chain = manifold.full_coordinates(x);
    Points result = Points::Zero(static_cast<Index>(pairs.size()), x.size());
    for (std::size_t c = 0; c < pairs.size(); ++c) {
      const auto [i, j] = pairs[c];
      const Eigen::RowVector3d v = (chain.segment<3>(3 * j) - chain.segment<3>(3 * i)).transpose();
      if (at(i) >= 0) result.block<1, 3>(static_cast<Index>(c), at(i)) -= v;
      if (at(j) >= 0) result.block<1, 3>(static_cast<Index>(c), at(j)) += v;
    }
    return result;
  }
  // q_c(w) = |w_j - w_i|^2
  [[nodiscard]] Vector quadratic(const Vector& w) const {
    Vector result(static_cast<Index>(pairs.size()));
    for (std::size_t c = 0; c < pairs.size(); ++c) {
      Eigen::Vector3d difference = Eigen::Vector3d::Zero();
      if (at(pairs[c].first) >= 0) difference -= w.segment<3>(at(pairs[c].first));
      if (at(pairs[c].second) >= 0) difference += w.segment<3>(at(pairs[c].second));
      result(static_cast<Index>(c)) = difference.squaredNorm();
    }
    return result;
  }

  const Backbone& manifold;
  Index atoms;
  std::vector<Index> start;
  std::vector<std::pair<Index, Index>> pairs;
};

double largest_square_error(const Backbone& backbone, const Points& points) {
  const Dense dense(backbone);
  const Points chains = backbone.full_coordinates(points);
  double worst = 0;
  for (const auto& [i, j] : dense.pairs) {
    const double length = j == i + 1 ? backbone.geometry().bond(i) : backbone.geometry().span(i);
    for (Index n = 0; n < points.cols(); ++n) {
      const double square = (chains.col(n).segment<3>(3 * j) - chains.col(n).segment<3>(3 * i)).squaredNorm();
      worst = std::max(worst, std::abs(square - length * length));
    }
  }
  return worst;
}

TEST(BackboneGeometry, TablesAndDerivedDistances) {
  const BackboneGeometry& geometry = backbone_geometry("engh-huber-1991");
  EXPECT_NEAR(geometry.angles[0], 111.2 * degree, 1e-15);
  // The 1-3 distances of the foldingdiff constants, to the digits given with them.
  const BackboneGeometry& folding = backbone_geometry("foldingdiff");
  EXPECT_NEAR(folding.span(0), 2.4428, 5e-5);
  EXPECT_NEAR(folding.span(1), 2.4313, 5e-5);
  EXPECT_NEAR(folding.span(2), 2.4377, 5e-5);
  for (const BackboneGeometry& known : backbone_geometries()) {
    EXPECT_NEAR(known.angles[0] / degree, 111, 2.1) << known.name << ": degrees and radians mixed up";
    EXPECT_NEAR(known.angles[1] / degree, 116, 1.3) << known.name;
    EXPECT_NEAR(known.angles[2] / degree, 121.5, 0.6) << known.name;
  }
  EXPECT_THROW((void)backbone_geometry("engh-huber"), InvalidInput);
}

TEST(BackboneGeometry, TransPeptidesHaveTheKnownDistanceOfAlphaCarbons) {
  Points torsions = random_torsions(5, 3, "trans");
  for (Index j = 1; j < torsions.rows(); j += 3) torsions.row(j).setConstant(M_PI);
  const Points chains = build_backbone(torsions, backbone_geometry("engh-huber-1991"));
  for (Index r = 0; r < 4; ++r) {
    const double distance = (chains.middleRows(9 * r + 12, 3) - chains.middleRows(9 * r + 3, 3)).col(1).norm();
    EXPECT_NEAR(distance, 3.80395494, 1e-8);
  }
}

TEST(BackboneGeometry, TorsionsHaveTheSignOfTheConvention) {
  // Looking along CA -> C (the first axis), psi turns the next N clockwise from the first N: for psi = 90
  // degrees and N on the second axis it has a positive third coordinate.
  Points torsions = Points::Zero(3, 1);
  torsions(0, 0) = 90 * degree;
  const Points chain = build_backbone(torsions, backbone_geometry("engh-huber-1991"));
  EXPECT_GT(chain(9 + 2, 0), 1);
  EXPECT_NEAR(chain(9 + 1, 0), 0, 1e-15);
}

TEST(BackboneGeometry, NerfAndItsInverseAgree) {
  for (const Index residues : {2, 3, 16, 64}) {
    const Points torsions = random_torsions(residues, 20, "round-trip");
    for (const BackboneGeometry& geometry : backbone_geometries()) {
      const Points chains = build_backbone(torsions, geometry);
      const Points difference = backbone_torsions(chains) - torsions;
      EXPECT_LT(difference.array().sin().abs().maxCoeff(), 1e-10) << geometry.name << ", L = " << residues;
      EXPECT_GT(difference.array().cos().minCoeff(), 0.9) << "off by half a turn";
      EXPECT_LT((build_backbone(backbone_torsions(chains), geometry) - chains).cwiseAbs().maxCoeff(), 1e-10);
    }
  }
  EXPECT_THROW((void)build_backbone(Points::Zero(4, 1), backbone_geometry("igfold")), InvalidInput);
  EXPECT_THROW((void)backbone_torsions(Points::Zero(10, 1)), InvalidInput);
}

TEST(BackboneGeometry, TheMiddleFrameUndoesRigidMotions) {
  const BackboneGeometry& geometry = backbone_geometry("promod3");
  const Points chains = build_backbone(random_torsions(8, 5, "rigid"), geometry);
  Points moved = chains;
  const Eigen::Matrix3d rotation = Eigen::AngleAxisd(2.1, Eigen::Vector3d(1, 2, -1).normalized()).toRotationMatrix();
  for (Index i = 0; i < moved.rows(); i += 3) {
    moved.middleRows(i, 3) = (rotation * chains.middleRows(i, 3)).colwise() + Eigen::Vector3d(3, -40, 7);
  }
  EXPECT_LT((to_middle_frame(moved) - chains).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT((backbone_torsions(moved) - backbone_torsions(chains)).cwiseAbs().maxCoeff(), 1e-12);
  // A mirror image is another chain: all torsions change sign.
  Points mirrored = chains;
  for (Index i = 2; i < mirrored.rows(); i += 3) mirrored.row(i) *= -1;
  EXPECT_LT((backbone_torsions(mirrored) + backbone_torsions(chains)).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Backbone, DimensionsAndSpecifications) {
  const auto free = make_manifold("backbone:residues=16,geometry=igfold");
  EXPECT_EQ(free->ambient_dimension(), 144);
  EXPECT_EQ(free->dimension(), 51);
  EXPECT_EQ(free->codimension(), 93);
  const auto middle = make_manifold("backbone:residues=16,frame=middle");
  EXPECT_EQ(middle->ambient_dimension(), 135);
  EXPECT_EQ(middle->dimension(), 45);
  EXPECT_EQ(middle->codimension(), 90);
  EXPECT_EQ(middle->spec(), "backbone:residues=16,geometry=engh-huber-1991,frame=middle");
  EXPECT_EQ(make_manifold(free->spec())->spec(), free->spec());
  for (const char* wrong :
       {"backbone", "backbone:residues=1", "backbone:residues=8,geometry=unknown", "backbone:residues=8,frame=first"}) {
    EXPECT_THROW((void)make_manifold(wrong), InvalidInput) << wrong;
  }
}

TEST(Backbone, ResidualIsTheErrorOfTheDistances) {
  for (const BackboneFrame frame : {BackboneFrame::free, BackboneFrame::middle}) {
    const Backbone backbone(4, backbone_geometry("engh-huber-1991"), frame);
    const Dense dense(backbone);
    const Points x = backbone.random_points(9, Stream(2, "residual")) +
                     0.1 * Stream(3, "residual").normal(backbone.ambient_dimension(), 9);
    const Points h = backbone.residual(x);
    ASSERT_EQ(h.rows(), backbone.codimension());
    const Points chains = backbone.full_coordinates(x);
    for (Index n = 0; n < 9; ++n) {
      std::vector<double> found(h.col(n).begin(), h.col(n).end());
      std::vector<double> expected;
      for (const auto& [i, j] : dense.pairs) {
        const double length = j == i + 1 ? backbone.geometry().bond(i) : backbone.geometry().span(i);
        const double square = (chains.col(n).segment<3>(3 * j) - chains.col(n).segment<3>(3 * i)).squaredNorm();
        expected.push_back((square - length * length) / (2 * length));
      }
      for (std::size_t c = 0; c < expected.size(); ++c) EXPECT_NEAR(found[c], expected[c], 1e-13);
    }
  }
}

TEST(Backbone, NormalSpacesAreThoseOfTheDenseJacobian) {
  for (const BackboneFrame frame : {BackboneFrame::free, BackboneFrame::middle}) {
    const Backbone backbone(6, backbone_geometry("engh-huber-1991"), frame);
    const Dense dense(backbone);
    const Points y = backbone.random_points(11, Stream(4, "normals"));
    const Points v = Stream(5, "normals").normal(backbone.ambient_dimension(), 11);
    const Points along = backbone.normal_component(y, v);
    for (Index n = 0; n < 11; ++n) {
      const Points j = dense.jacobian(y.col(n));
      EXPECT_EQ(Eigen::FullPivLU<Points>(j).rank(), backbone.codimension());
      const Vector expected = j.transpose() * (j * j.transpose()).ldlt().solve(j * v.col(n));
      EXPECT_LT((along.col(n) - expected).norm(), 1e-11 * v.col(n).norm());
      // The lift's noise is orthogonal to the tangent space.
      EXPECT_LT((j * (v.col(n) - along.col(n))).norm(), 1e-12 * v.col(n).norm());
    }
  }
}

TEST(Backbone, JacobianIsTheDerivativeOfTheResidual) {
  const Backbone backbone(5, backbone_geometry("engh-huber-1991"), BackboneFrame::middle);
  const Dense dense(backbone);
  const Points y = backbone.random_points(3, Stream(6, "derivative"));
  const Points v = Stream(7, "derivative").normal(y.rows(), 3);
  const double step = 1e-6;  // rounding leaves 1e-9; h is quadratic, so the central difference has no other error
  const Points difference = (backbone.residual(y + step * v) - backbone.residual(y - step * v)) / (2 * step);
  for (Index n = 0; n < 3; ++n) {
    Vector expected = dense.jacobian(y.col(n)) * v.col(n);
    for (std::size_t c = 0; c < dense.pairs.size(); ++c) {
      const auto [i, j] = dense.pairs[c];
      expected(static_cast<Index>(c)) /= j == i + 1 ? backbone.geometry().bond(i) : backbone.geometry().span(i);
    }
    EXPECT_LT((difference.col(n) - expected).cwiseAbs().maxCoeff(), 1e-8);
  }
}

TEST(Backbone, GaussNewtonConvergesInEightSteps) {
  const Index n = 400;
  for (const BackboneFrame frame : {BackboneFrame::free, BackboneFrame::middle}) {
    const Backbone backbone(16, backbone_geometry("engh-huber-1991"), frame);
    const Points y = backbone.random_points(n, Stream(8, "noised"));
    for (const double sigma : {0.02, 0.05, 0.1}) {
      const Points x = y + sigma * Stream(9, "noised").normal(y.rows(), n);
      const BackboneProjection report = backbone.project_with_report(x, false);
      EXPECT_EQ(report.projection.failures(), 0);
      EXPECT_LE(report.gauss_newton_steps.maxCoeff(), 8);
      EXPECT_LE(largest_square_error(backbone, report.projection.points), 1e-10);
      EXPECT_EQ(report.refinement_steps.maxCoeff(), 0);
    }
  }
}

TEST(Backbone, ProjectionIsTheNearestPointAndGaussNewtonIsNot) {
  const Index n = 300;
  const Backbone backbone(8, backbone_geometry("engh-huber-1991"), BackboneFrame::middle);
  const Points y = backbone.random_points(n, Stream(10, "nearest"));
  const double sigma = 0.05;
  const Points noise =
      sigma * backbone.from_normal_coordinates(y, Stream(11, "nearest").normal(backbone.codimension(), n));
  const BackboneProjection report = backbone.project_with_report(y + noise);
  EXPECT_EQ(report.projection.failures(), 0);
  EXPECT_LE(largest_square_error(backbone, report.projection.points), 1e-10);
  Index returned = 0;
  double tilt = 0;
  for (Index j = 0; j < n; ++j) {
    returned += (report.projection.points.col(j) - y.col(j)).norm() < 1e-6 ? 1 : 0;
    const Vector move = y.col(j) + noise.col(j) - report.projection.points.col(j);
    const Points tangent = backbone.tangent_component(report.projection.points.col(j), move);
    tilt = std::max(tilt, tangent.norm() / move.norm());
    EXPECT_NEAR(report.projection.distance(j), move.norm(), 1e-12);
  }
  EXPECT_GE(returned, n * 98 / 100);
  EXPECT_LT(tilt, 2e-10);
  // A certificate is a proof: no certified point is farther than the base point, which is on M.
  EXPECT_GT(report.certified.count(), n * 98 / 100);
  for (Index j = 0; j < n; ++j) {
    if (!report.certified(j)) continue;
    EXPECT_LE(report.projection.distance(j), noise.col(j).norm() * (1 + 1e-9));
  }
  // Negative control: Gauss-Newton alone misses by O(|n|^2), far above the bound of "returned".
  const BackboneProjection landed = backbone.project_with_report(y + noise, false);
  Index exact = 0;
  for (Index j = 0; j < n; ++j) exact += (landed.projection.points.col(j) - y.col(j)).norm() < 1e-6 ? 1 : 0;
  EXPECT_EQ(exact, 0);
}

// Noise in all directions, the size of the chains and of the noise that speed is measured at.
TEST(Backbone, NoisedChainsGoToAPointThatIsExactlyNormalToThem) {
  const Index n = 200;
  const Backbone backbone(16, backbone_geometry("engh-huber-1991"), BackboneFrame::middle);
  const Points y = backbone.random_points(n, Stream(30, "noised"));
  for (const double sigma : {0.05, 0.1}) {
    const Points x = y + sigma * Stream(31, "noised").normal(y.rows(), n);
    const Projection projection = backbone.project(x);
    EXPECT_EQ(projection.failures(), 0);
    EXPECT_LE(largest_square_error(backbone, projection.points), 1e-10);
    const Points move = x - projection.points;
    const Points tangent = backbone.tangent_component(projection.points, move);
    // The bound of convergence is 1e-10 of the distance, and rounding of coordinates of 10 Å.
    EXPECT_LT((tangent.colwise().norm().array() / move.colwise().norm().array()).maxCoeff(), 2e-10);
    // Negative control: where Gauss-Newton lands the move has a tangential part.
    const Points landed = backbone.project_with_report(x, false).projection.points;
    const Points slanted = backbone.tangent_component(landed, x - landed);
    EXPECT_GT((slanted.colwise().norm().array() / move.colwise().norm().array()).minCoeff(), 1e-4);
  }
}

// From y + t n the landing point is O(t^2) away: halving t divides by four.
TEST(Backbone, GaussNewtonIsSecondOrderFromTheNearestPoint) {
  const Backbone backbone(8, backbone_geometry("engh-huber-1991"), BackboneFrame::free);
  const Points y = backbone.random_points(40, Stream(12, "order"));
  const Points direction = backbone.from_normal_coordinates(y, Stream(13, "order").normal(backbone.codimension(), 40));
  const auto miss = [&](double t) {
    return (backbone.project_with_report(y + t * direction, false).projection.points - y).colwise().norm().mean();
  };
  const double ratio = miss(2e-3) / miss(1e-3);
  EXPECT_NEAR(ratio, 4, 0.05);
}

TEST(Backbone, FarPointsConvergeOrAreCounted) {
  const Index n = 200;
  const Backbone backbone(8, backbone_geometry("engh-huber-1991"), BackboneFrame::middle);
  const Points x = backbone.random_points(n, Stream(14, "far")) + 3 * Stream(15, "far").normal(63, n);
  const Projection projection = backbone.project(x);
  EXPECT_LE(projection.failures(), n / 20);
  const Points h = backbone.residual(projection.points);
  for (Index j = 0; j < n; ++j) {
    if (projection.converged(j)) {
      EXPECT_LE(h.col(j).cwiseAbs().maxCoeff(), backbone.constraint_tolerance());
    } else {
      EXPECT_EQ(projection.points.col(j), x.col(j));
      EXPECT_TRUE(std::isnan(projection.distance(j)));
    }
  }
}

TEST(Backbone, UnusableColumnsAreCountedAndLeaveTheOthersAlone) {
  const Backbone backbone(4, backbone_geometry("engh-huber-1991"), BackboneFrame::middle);
  const Points good = backbone.random_points(11, Stream(16, "bad")) + 0.05 * Stream(17, "bad").normal(27, 11);
  Points x = good;
  x(3, 2) = std::numeric_limits<double>::quiet_NaN();
  x(0, 5) = std::numeric_limits<double>::infinity();
  x(1, 6) = 1e200;
  x.col(7).setZero();  // all atoms in one place: no direction to move in
  const Projection expected = backbone.project(good);
  const Projection found = backbone.project(x);
  for (const Index bad : {2, 5, 6}) EXPECT_FALSE(found.converged(bad));
  for (const Index fine : {0, 1, 3, 4, 8, 9, 10}) {
    EXPECT_TRUE(found.converged(fine));
    EXPECT_EQ(found.points.col(fine), expected.points.col(fine)) << "bits depend on neighbours";
  }
  EXPECT_THROW((void)backbone.project(Points::Zero(26, 1)), InvalidInput);
}

TEST(Backbone, BitsDoNotDependOnTheBatch) {
  const Backbone backbone(8, backbone_geometry("engh-huber-1991"), BackboneFrame::free);
  const Points x = backbone.random_points(21, Stream(18, "batch")) + 0.2 * Stream(19, "batch").normal(72, 21);
  const Projection together = backbone.project(x);
  const Points noise = Stream(20, "batch").normal(backbone.codimension(), 21);
  const Points lifted = backbone.from_normal_coordinates(x, noise);
  for (const Index j : {0, 6, 8, 13, 20}) {
    const Projection alone = backbone.project(x.col(j));
    EXPECT_EQ(alone.points.col(0), together.points.col(j));
    EXPECT_EQ(alone.distance(0), together.distance(j));
    EXPECT_EQ(backbone.from_normal_coordinates(x.col(j), noise.col(j)).col(0), lifted.col(j));
  }
}

// Federer: |w|^2 / |J^+ q(w)| >= reach for every pair of points, and for tangent w its local form. The bound
// must hold for the worst chain that is easy to name, the stretched one, and for random ones.
TEST(Backbone, ReachIsALowerBound) {
  for (const BackboneFrame frame : {BackboneFrame::free, BackboneFrame::middle}) {
    const Backbone backbone(8, backbone_geometry("engh-huber-1991"), frame);
    const Dense dense(backbone);
    Points torsions = random_torsions(8, 30, "reach");
    torsions.leftCols(10).setConstant(M_PI);
    torsions.middleCols(10, 10) = M_PI + 0.3 * torsions.middleCols(10, 10).array();
    const Points y = backbone.from_full_coordinates(build_backbone(torsions, backbone.geometry()));
    double smallest = std::numeric_limits<double>::infinity();
    for (Index n = 0; n < y.cols(); ++n) {
      const Points j = dense.jacobian(y.col(n));
      const auto solver = (j * j.transpose()).ldlt();
      // Pairs of points, and the worst of random tangents after a few steps of ascent by chance.
      for (Index other = 0; other < y.cols(); ++other) {
        if (other == n) continue;
        const Vector w = y.col(other) - y.col(n);
        if (w.norm() < 1e-6) continue;
        smallest = std::min(smallest, w.squaredNorm() / (j.transpose() * solver.solve(dense.quadratic(w))).norm());
      }
      const Points tangents = backbone.tangent_bases(y.col(n));
      const Points mixed = tangents * Stream(21, "reach").at(static_cast<std::uint64_t>(n)).normal(tangents.cols(), 50);
      for (const Points& candidates : {tangents, mixed}) {
        for (const auto& w : candidates.colwise()) {
          smallest = std::min(smallest, w.squaredNorm() / (j.transpose() * solver.solve(dense.quadratic(w))).norm());
        }
      }
    }
    EXPECT_GT(smallest, backbone.reach());
    EXPECT_LT(smallest, 300 * backbone.reach()) << "the bound has become useless";
  }
  // Longer chains have less.
  EXPECT_LT(Backbone(16, backbone_geometry("igfold")).reach(), Backbone(8, backbone_geometry("igfold")).reach());
}

Backbone planar_backbone(Index residues, BackboneFrame frame) {
  return {residues, backbone_geometry("engh-huber-1991"), frame, BackboneOmega::planar};
}

constexpr BackboneFrame frames[] = {BackboneFrame::free, BackboneFrame::middle};

// D×D unit steps through the public residual. h is at most quadratic, so the central difference has rounding
// for its only error: 1e-11 with steps of 1e-3.
Points jacobian_by_differences(const Backbone& backbone, const Vector& y) {
  const double step = 1e-3;
  const Points steps = step * Points::Identity(y.size(), y.size());
  return (backbone.residual(y.replicate(1, y.size()) + steps) - backbone.residual(y.replicate(1, y.size()) - steps)) /
         (2 * step);
}

// Largest distance of an omega from 180 degrees, radians.
double largest_twist(const Points& torsions) {
  double worst = 0;
  for (Index j = 1; j < torsions.rows(); j += 3) {
    worst = std::max(worst, (M_PI - torsions.row(j).cwiseAbs().array()).maxCoeff());
  }
  return worst;
}

// Volume of CA, C, N', CA' of every peptide, the largest, Å^3: zero in a plane.
double largest_volume(const Points& chains) {
  double worst = 0;
  for (Index n = 0; n < chains.cols(); ++n) {
    for (Index a = 3; a + 11 < chains.rows(); a += 9) {
      Eigen::Matrix3d edges;
      for (Index t = 0; t < 3; ++t) {
        edges.col(t) = chains.col(n).segment<3>(a + 3 * t + 3) - chains.col(n).segment<3>(a + 3 * t);
      }
      worst = std::max(worst, std::abs(edges.determinant()));
    }
  }
  return worst;
}

TEST(PlanarBackbone, DimensionsAndSpecification) {
  const auto middle = make_manifold("backbone:residues=16,frame=middle,planar=true");
  EXPECT_EQ(middle->ambient_dimension(), 135);
  EXPECT_EQ(middle->dimension(), 30);
  EXPECT_EQ(middle->codimension(), 105);
  const auto free = make_manifold("backbone:residues=16,planar=true");
  EXPECT_EQ(free->ambient_dimension(), 144);
  EXPECT_EQ(free->dimension(), 36);
  EXPECT_EQ(make_manifold(middle->spec())->spec(), middle->spec());
  EXPECT_EQ(middle->residual(Points::Zero(135, 1)).rows(), 105);
}

TEST(PlanarBackbone, EquationsHoldForFlatTransPeptidesOnly) {
  for (const BackboneFrame frame : frames) {
    const Backbone backbone = planar_backbone(7, frame);
    Points torsions = random_torsions(7, 20, "flat");
    const auto residual = [&](double omega) {
      for (Index j = 1; j < torsions.rows(); j += 3) torsions.row(j).setConstant(omega);
      return backbone.residual(backbone.from_full_coordinates(build_backbone(torsions, backbone.geometry())));
    };
    EXPECT_LT(residual(M_PI).cwiseAbs().maxCoeff(), 1e-13);
    // Transversal: an angle of .01 moves CA' by .01 sin(58.3 degrees) 1.458 Å out of the plane.
    EXPECT_NEAR(residual(M_PI + 0.01).colwise().norm().minCoeff(), 0.01 * std::sqrt(6.0) * 1.24, 0.005);
    // Controls: cis peptides are flat, and their volume is zero too, but they do not satisfy the equations.
    EXPECT_GT(residual(0).colwise().lpNorm<Eigen::Infinity>().minCoeff(), 0.5);
    EXPECT_LT(largest_volume(build_backbone(torsions, backbone.geometry())), 1e-13);
  }
}

TEST(PlanarBackbone, NormalSpacesAreThoseOfTheJacobianByDifferences) {
  for (const BackboneFrame frame : frames) {
    for (const Index residues : {2, 3, 6, 9}) {
      const Backbone backbone = planar_backbone(residues, frame);
      const Points y = backbone.random_points(9, Stream(40, "planar"));
      const Points v = Stream(41, "planar").normal(backbone.ambient_dimension(), 9);
      const Points along = backbone.normal_component(y, v);
      const Points lift =
          backbone.from_normal_coordinates(y, Stream(42, "planar").normal(y.rows(), 9).topRows(backbone.codimension()));
      for (Index n = 0; n < 9; ++n) {
        const Points j = jacobian_by_differences(backbone, y.col(n));
        ASSERT_EQ(Eigen::FullPivLU<Points>(j).rank(), backbone.codimension());
        const auto normal_part = [&](const Vector& u) -> Vector {
          return j.transpose() * (j * j.transpose()).ldlt().solve(j * u);
        };
        EXPECT_LT((along.col(n) - normal_part(v.col(n))).norm(), 1e-8 * v.col(n).norm());
        EXPECT_LT((lift.col(n) - normal_part(lift.col(n))).norm(), 1e-8 * lift.col(n).norm());
        // The chain's own tangents: turns about bonds other than C–N leave h alone.
        const Points tangents = backbone.tangent_bases(y.col(n));
        EXPECT_LT((j * tangents).cwiseAbs().maxCoeff(), 1e-8);
      }
    }
  }
}

TEST(PlanarBackbone, NoisedChainsGoToTheNearestFlatChain) {
  const Index n = 200;
  for (const BackboneFrame frame : frames) {
    const Backbone backbone = planar_backbone(16, frame);
    const Backbone bent(16, backbone.geometry(), frame);
    const Points y = backbone.random_points(n, Stream(43, "noised"));
    for (const double sigma : {0.05, 0.1}) {
      const Points x = y + sigma * Stream(44, "noised").normal(y.rows(), n);
      const BackboneProjection landed = backbone.project_with_report(x, false);
      EXPECT_EQ(landed.projection.failures(), 0);
      EXPECT_LE(landed.gauss_newton_steps.maxCoeff(), 8);
      EXPECT_LE(largest_square_error(bent, landed.projection.points), 1e-10);
      const Projection projection = backbone.project(x);
      EXPECT_EQ(projection.failures(), 0);
      EXPECT_LE(largest_square_error(bent, projection.points), 1e-10);
      const Points torsions = backbone.torsions(projection.points);
      // All trans; arcs of 1e-10 Å are below 1e-9 radians.
      EXPECT_LT(largest_twist(torsions), 1e-9);
      EXPECT_LT(largest_volume(backbone.full_coordinates(projection.points)), 1e-9);
      // First-order condition, and idempotence.
      const Points move = x - projection.points;
      const Points tangent = backbone.tangent_component(projection.points, move);
      EXPECT_LT((tangent.colwise().norm().array() / move.colwise().norm().array()).maxCoeff(), 2e-10);
      EXPECT_LT((backbone.project(projection.points).points - projection.points).cwiseAbs().maxCoeff(), 1e-12);
      // NeRF of the torsions at exactly 180 degrees is the chain.
      if (frame == BackboneFrame::middle) {
        Points flat = torsions;
        flatten_omega(flat);
        const Points again = backbone.from_full_coordinates(build_backbone(flat, backbone.geometry()));
        EXPECT_LT((again - projection.points).cwiseAbs().maxCoeff(), 1e-9);
      }
      // Controls: without the equations omega stays bent, and where Gauss-Newton lands is not the nearest
      // point.
      EXPECT_GT(largest_twist(bent.torsions(bent.project(x).points)), 0.1);
      const Points slanted = backbone.tangent_component(landed.projection.points, x - landed.projection.points);
      EXPECT_GT((slanted.colwise().norm().array() / move.colwise().norm().array()).minCoeff(), 1e-5);
    }
  }
}

TEST(PlanarBackbone, NormalNoiseIsUndoneAndCisPeptidesAreNotKept) {
  const Index n = 300;
  const Backbone backbone = planar_backbone(8, BackboneFrame::middle);
  const Points y = backbone.random_points(n, Stream(45, "return"));
  const Points x =
      y + 0.05 * backbone.from_normal_coordinates(y, Stream(46, "return").normal(backbone.codimension(), n));
  const BackboneProjection report = backbone.project_with_report(x);
  EXPECT_EQ(report.projection.failures(), 0);
  const auto misses = (report.projection.points - y).colwise().norm().array();
  EXPECT_GE((misses < 1e-6).count(), n * 97 / 100);
  EXPECT_GT(report.certified.count(), n * 97 / 100);
  for (Index j = 0; j < n; ++j) {
    if (!report.certified(j)) continue;
    EXPECT_LE(report.projection.distance(j), (x.col(j) - y.col(j)).norm() * (1 + 1e-9));
  }
  // From cis chains, and from far away: whatever converges is flat and trans.
  Points torsions = random_torsions(8, n, "cis");
  for (Index j = 1; j < torsions.rows(); j += 3) torsions.row(j).setZero();
  const Points cis = backbone.from_full_coordinates(build_backbone(torsions, backbone.geometry()));
  for (const Points& start : {cis, Points(y + Stream(47, "far").normal(y.rows(), n))}) {
    const Projection projection = backbone.project(start);
    EXPECT_LE(projection.failures(), n / 10);
    const Points found = backbone.torsions(projection.points);
    for (Index j = 0; j < n; ++j) {
      if (!projection.converged(j)) continue;
      EXPECT_LT(largest_twist(found.col(j)), 1e-8);
    }
  }
}

// As ReachIsALowerBound. h is quadratic, so its second-order part in w is h(y + w) - h(y) - J w, and
// Federer's formula reads |w|^2 / |2 J^+ (second-order part)|.
TEST(PlanarBackbone, ReachIsALowerBound) {
  for (const BackboneFrame frame : frames) {
    const Backbone backbone = planar_backbone(8, frame);
    Points torsions = random_torsions(8, 24, "planar reach");
    torsions.leftCols(8).setConstant(M_PI);
    torsions.middleCols(8, 8) = M_PI + 0.3 * torsions.middleCols(8, 8).array();
    flatten_omega(torsions);
    const Points y = backbone.from_full_coordinates(build_backbone(torsions, backbone.geometry()));
    double smallest = std::numeric_limits<double>::infinity();
    for (Index n = 0; n < y.cols(); ++n) {
      const Points j = jacobian_by_differences(backbone, y.col(n));
      const Points gram = j * j.transpose();
      const auto solver = gram.ldlt();
      const Points tangents = backbone.tangent_bases(y.col(n));
      Points w(y.rows(), y.cols() + tangents.cols() + 50);
      w << y.colwise() - y.col(n), tangents,
          tangents * Stream(48, "reach").at(static_cast<std::uint64_t>(n)).normal(tangents.cols(), 50);
      const Points second =
          backbone.residual(w.colwise() + y.col(n)) - j * w - backbone.residual(y.col(n)).replicate(1, w.cols());
      const Points bend = j.transpose() * solver.solve(second);
      for (Index i = 0; i < w.cols(); ++i) {
        if (w.col(i).norm() < 1e-6) continue;
        smallest = std::min(smallest, w.col(i).squaredNorm() / (2 * bend.col(i).norm()));
      }
    }
    EXPECT_GT(smallest, backbone.reach());
    EXPECT_LT(smallest, 1000 * backbone.reach()) << "the bound has become useless";
  }
}

TEST(PlanarBackbone, BitsDoNotDependOnTheBatch) {
  const Backbone backbone = planar_backbone(8, BackboneFrame::middle);
  const Points x = backbone.random_points(21, Stream(49, "batch")) + 0.2 * Stream(50, "batch").normal(63, 21);
  const Projection together = backbone.project(x);
  for (const Index j : {0, 8, 20}) EXPECT_EQ(backbone.project(x.col(j)).points.col(0), together.points.col(j));
}

}  // namespace
}  // namespace onmanifold
