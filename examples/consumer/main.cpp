// SPDX-License-Identifier: Apache-2.0
// Lift samples of a law on a sphere along the normals, project them back, and measure how far they are from fresh ones.
#include <iostream>

#include "datasets/lift.hpp"
#include "datasets/task.hpp"
#include "metrics/registry.hpp"

int main() {
  using namespace onmanifold;
  Settings settings(Value(Value::Table{}), "sphere-vmf6");
  const Task task = task_registry().get("sphere-vmf6").factory(settings);
  const Points clean = task.sampler->sample(10000, Stream(1, "consumer/samples"));
  const Points reference = task.sampler->sample(10000, Stream(1, "consumer/reference"));

  const std::unique_ptr<Metric> metric = make_metric(parse_metric_list("tvd").front());
  const PreparedTarget target(Target{.reference = &reference,
                                     .partition = task.partition.get(),
                                     .masses = &task.masses,
                                     .evaluation = Stream(1, "consumer/metrics")});
  for (const double sigma : {0.1, 0.5}) {
    const Points lifted = Lift{LiftType::normal, sigma}.apply(clean, *task.manifold, Stream(1, "consumer/lift"));
    const Projection back = task.manifold->project(lifted);
    const MetricRecord tvd = metric->prepare(target).measure(MetricInput(target, {.samples = &back.points})).front();
    std::cout << "sigma " << sigma << ": moved by the projection " << back.distance.mean() << ", returned to within "
              << (back.points - clean).colwise().norm().maxCoeff() << ", tvd " << tvd.value << " (a perfect model "
              << tvd.null << ")\n";
  }
}
