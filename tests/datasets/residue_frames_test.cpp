// SPDX-License-Identifier: Apache-2.0
#include "datasets/readers/residue_frames.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "datasets/readers/backbone_fragments.hpp"
#include "manifolds/rotation_group.hpp"
#include "tasks_under_test.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

using Eigen::Matrix3d;
using Eigen::Vector3d;

/// A residue whose frame is the identity: CA at the origin, C on the first axis, N in the plane of the first
/// two.
Points identity_residue() {
  Points atoms(3, 3);
  atoms << -0.5, 0, 1.5,  //
      1.4, 0, 0,          //
      0, 0, 0;
  return atoms;
}

/// Two residues with the frames \p first and \p second, somewhere in space.
Points fragment(const Matrix3d& first, const Matrix3d& second) {
  Points result(18, 1);
  const Points one = (first * identity_residue()).colwise() + Vector3d(1, -2, 3);
  const Points two = (second * identity_residue()).colwise() + Vector3d(4, 0, 5);
  result << Eigen::Map<const Vector>(one.data(), 9), Eigen::Map<const Vector>(two.data(), 9);
  return result;
}

Matrix3d as_matrix(const Points& points) {
  return Eigen::Map<const Matrix3d>(points.data()).transpose();
}

TEST(ResidueFrames, GiveBackTheTurnBetweenTwoResidues) {
  const Matrix3d first = rotation_exp({0.3, -1.1, 0.4});
  const Matrix3d second = rotation_exp({2, 0.5, -0.7});
  const Points turn = relative_residue_rotations(fragment(first, second), 0);
  // A few operations on numbers of size one.
  EXPECT_LT((as_matrix(turn) - first.transpose() * second).norm(), 1e-14);
  // The frame of reference plays no part, the order of the residues does.
  const Matrix3d moved = rotation_exp({-0.2, 0.9, 1.3});
  EXPECT_LT((relative_residue_rotations(fragment(moved * first, moved * second), 0) - turn).norm(), 1e-14);
  EXPECT_GT((relative_residue_rotations(fragment(second, first), 0) - turn).norm(), 0.1);
}

TEST(ResidueFrames, SeeAMirrorImage) {
  const Points right = fragment(rotation_exp({0.3, -1.1, 0.4}), rotation_exp({2, 0.5, -0.7}));
  Points mirrored = right;
  for (Index atom = 0; atom < 6; ++atom) mirrored(3 * atom + 2, 0) *= -1;
  const Points turn = relative_residue_rotations(mirrored, 0);
  EXPECT_NEAR(as_matrix(turn).determinant(), 1, 1e-14) << "still a rotation";
  EXPECT_GT((turn - relative_residue_rotations(right, 0)).norm(), 0.1) << "and another one";
}

TEST(ResidueFrames, RefuseWhatIsNoResidue) {
  Points line = fragment(Matrix3d::Identity(), Matrix3d::Identity());
  line(0, 0) = line(3, 0) - 1;  // N on the other side of CA, opposite to C
  line(1, 0) = line(4, 0);
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)relative_residue_rotations(line, 0); },
                                           {"fragment 0", "residue 0", "line"}));
  const Points good = fragment(Matrix3d::Identity(), Matrix3d::Identity());
  EXPECT_THROW((void)relative_residue_rotations(good, 1), InvalidInput);
  EXPECT_THROW((void)relative_residue_rotations(good.topRows(17), 0), InvalidInput);
}

TEST(So3Frames, IsMadeOfRealRotationsInDisjointSplits) {
  const Task task = testing::default_task("so3-frames");
  ASSERT_TRUE(task.splits.has_value());
  EXPECT_EQ(task.splits->train->size(), 10000);
  EXPECT_EQ(task.splits->validation->size(), 3000);
  EXPECT_EQ(task.splits->reference->size(), 3000);
  EXPECT_EQ(task.sampler, task.splits->validation);
  for (const auto& split : {task.splits->train, task.splits->validation, task.splits->reference}) {
    EXPECT_LT(task.manifold->residual(split->points()).cwiseAbs().maxCoeff(), 1e-14);
  }
  // By hand from the first fragment, in a way of its own: the angle of the turn from the trace of products of
  // axes.
  const BackboneFragments& fragments = shipped_backbone_fragments();
  const auto axes = [&](Index residue) {
    const auto atom = [&](Index k) { return Vector3d(fragments.coordinates.col(0).segment<3>(9 * residue + 3 * k)); };
    Matrix3d raw;
    raw << atom(2) - atom(1), atom(0) - atom(1), (atom(2) - atom(1)).cross(atom(0) - atom(1));
    const Eigen::HouseholderQR<Matrix3d> qr(raw);
    Matrix3d q = qr.householderQ();
    const Matrix3d r = qr.matrixQR();
    for (Index c = 0; c < 3; ++c) q.col(c) *= r(c, c) < 0 ? -1 : 1;
    return q;
  };
  const Points turn = relative_residue_rotations(fragments.coordinates.leftCols(1), 7);
  EXPECT_LT((as_matrix(turn) - axes(7).transpose() * axes(8)).norm(), 1e-13);
  EXPECT_LE(task.smallest_noise, task.preregistered_sigma / 3);
}

}  // namespace
}  // namespace onmanifold
