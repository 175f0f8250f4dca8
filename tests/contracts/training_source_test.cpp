// SPDX-License-Identifier: Apache-2.0
#include "contracts/training_source.hpp"

#include <gtest/gtest.h>

namespace onmanifold {
namespace {

class FixedPoints : public TrainingSource {
 public:
  explicit FixedPoints(Points points) : points_(std::move(points)) {}
  [[nodiscard]] Index dimension() const override { return points_.rows(); }
  [[nodiscard]] Index size() const override { return points_.cols(); }
  [[nodiscard]] const Points& clean_points() const override { return points_; }
  [[nodiscard]] Points epoch(Index /*epoch*/) const override { return 100 * points_; }  // must not matter

 private:
  Points points_;
};

TEST(Standardisation, OneScaleForAllCoordinatesOfTheCleanPoints) {
  const Points points = (Points(2, 4) << 1, 3, 1, 3, 10, 10, 14, 14).finished();
  const Standardisation result = standardisation(FixedPoints(points));
  EXPECT_TRUE(result.mean.isApprox(Eigen::Vector2d(2, 12)));
  EXPECT_DOUBLE_EQ(result.scale, std::sqrt((1.0 + 4.0) / 2));  // mean of the variances 1 and 4, ddof 0
}

TEST(Standardisation, ConstantDataKeepTheirScale) {
  EXPECT_EQ(standardisation(FixedPoints(Points::Constant(3, 5, 7))).scale, 1);
}

}  // namespace
}  // namespace onmanifold
