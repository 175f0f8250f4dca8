// SPDX-License-Identifier: Apache-2.0
#include "datasets/data_split.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "datasets/task.hpp"

namespace onmanifold {
namespace {

Points numbered(Index n, double first) {
  Points points(2, n);
  for (Index j = 0; j < n; ++j) points.col(j).setConstant(first + static_cast<double>(j));
  return points;
}

TEST(SplitSampler, RepeatsNoPointBeforeEveryPointCameOnce) {
  const SplitSampler sampler(numbered(7, 0), "split 'test'");
  const Stream stream(1, "splits");
  const Points points = sampler.sample(17, stream);
  for (const Index begin : {0, 7}) {
    std::vector<double> pass(points.row(0).begin() + begin, points.row(0).begin() + begin + 7);
    std::sort(pass.begin(), pass.end());
    EXPECT_EQ(pass, (std::vector<double>{0, 1, 2, 3, 4, 5, 6}));
  }
  EXPECT_NE(points.leftCols(7), points.middleCols(7, 7)) << "every pass has its own order";
  EXPECT_EQ(sampler.sample(5, stream), points.leftCols(5));
  EXPECT_NE(sampler.sample(5, stream.at("other")), points.leftCols(5));
  EXPECT_EQ(sampler.sample(0, stream).cols(), 0);
  EXPECT_THROW((void)sampler.sample(-1, stream), InvalidInput);
  EXPECT_THROW(SplitSampler(Points(2, 0), "split 'test'"), InvalidInput);
}

TEST(DataSplits, TrainingAndReferenceComeFromTheirSplits) {
  Task task;
  task.name = "numbers";
  task.splits = DataSplits{std::make_shared<const SplitSampler>(numbered(10, 0), "train"),
                           std::make_shared<const SplitSampler>(numbered(5, 100), "validation"),
                           std::make_shared<const SplitSampler>(numbered(6, 200), "reference")};
  task.sampler = task.splits->validation;
  const Points training = sample_training(task, 8, training_stream(task, 0, 0));
  EXPECT_EQ(training.cols(), 8);
  EXPECT_LT(training.maxCoeff(), 10);
  EXPECT_EQ(sample_training(task, 1000, training_stream(task, 0, 0)).cols(), 10) << "there are no more";
  const Points reference = sample_reference(task, 1000, reference_stream(task, 0));
  EXPECT_EQ(reference.cols(), 6);
  EXPECT_GE(reference.minCoeff(), 200);
  EXPECT_EQ(simulation_sampler(task), nullptr);
  task.splits.reset();
  EXPECT_EQ(simulation_sampler(task), task.sampler.get());
  EXPECT_EQ(sample_training(task, 8, training_stream(task, 0, 0)),
            task.sampler->sample(8, training_stream(task, 0, 0)));
}

}  // namespace
}  // namespace onmanifold
