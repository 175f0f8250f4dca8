// SPDX-License-Identifier: Apache-2.0
#include "models/flow_matching/velocity_field.hpp"

#include <algorithm>

namespace onmanifold {
namespace {

/// One step from time index \p from by way of from ± 1 to from ± 2; \p integral gains that of div v.
void runge_kutta_step(const VelocityField& field, const VelocityGrid& grid, Index from, Index direction, Points& x,
                      Vector* integral) {
  const double h = grid.position(from + 2 * direction) - grid.position(from);
  Points k1(x.rows(), x.cols());
  Points k2 = k1;
  Points k3 = k1;
  Points k4 = k1;
  Vector d1;
  Vector d2;
  Vector d3;
  Vector d4;
  const bool with = integral != nullptr;
  field.evaluate(x, from, k1, with ? &d1 : nullptr);
  field.evaluate(x + 0.5 * h * k1, from + direction, k2, with ? &d2 : nullptr);
  field.evaluate(x + 0.5 * h * k2, from + direction, k3, with ? &d3 : nullptr);
  field.evaluate(x + h * k3, from + 2 * direction, k4, with ? &d4 : nullptr);
  x += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
  if (with) *integral += h / 6 * (d1 + 2 * d2 + 2 * d3 + d4);
  field.restore(x);
}

}  // namespace

Points transport(const VelocityField& field, const VelocityGrid& grid, const Points& x) {
  Points result(x.rows(), x.cols());
  for (Index first = 0; first < x.cols(); first += velocity_block) {
    Points block = x.middleCols(first, std::min(velocity_block, x.cols() - first));
    for (Index k = 0; k < grid.steps(); ++k) runge_kutta_step(field, grid, grid.times() - 2 * k, -1, block, nullptr);
    result.middleCols(first, block.cols()) = block;
  }
  return result;
}

Vector transported_log_density(const VelocityField& field, const VelocityGrid& grid, const Points& x,
                               const std::function<Vector(const Points&)>& base_log_density) {
  Vector result(x.cols());
  for (Index first = 0; first < x.cols(); first += velocity_block) {
    Points block = x.middleCols(first, std::min(velocity_block, x.cols() - first));
    Vector integral = Vector::Zero(block.cols());  // of div v from u = 1 to 0: minus the one that counts
    for (Index k = 0; k < grid.steps(); ++k) runge_kutta_step(field, grid, 1 + 2 * k, 1, block, &integral);
    result.segment(first, block.cols()) = base_log_density(block) + integral;
  }
  return result;
}

}  // namespace onmanifold
