// SPDX-License-Identifier: Apache-2.0
#include "manifolds/product.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

Product::Product(std::vector<std::shared_ptr<const Manifold>> factors) : factors_(std::move(factors)) {
  if (factors_.empty()) throw InvalidInput("product: there is no factor");
  for (const auto& factor : factors_) {
    if (factor == nullptr) throw InvalidInput("product: a factor is null");
    ambient_dimension_ += factor->ambient_dimension();
    dimension_ += factor->dimension();
  }
}

double Product::do_reach() const {
  double result = std::numeric_limits<double>::infinity();
  for (const auto& factor : factors_) result = std::min(result, factor->reach());
  return result;
}

double Product::do_scale() const {
  double result = 0;
  for (const auto& factor : factors_) result = std::max(result, factor->scale());
  return result;
}

double Product::do_constraint_tolerance() const {
  double square = 0;
  for (const auto& factor : factors_) square += factor->constraint_tolerance() * factor->constraint_tolerance();
  return std::sqrt(square);
}

std::string Product::do_spec() const {
  std::string text = "product:factors=";
  for (std::size_t i = 0; i < factors_.size();) {
    const std::string spec = factors_[i]->spec();
    std::size_t end = i + 1;
    while (end < factors_.size() && factors_[end]->spec() == spec) ++end;
    if (i > 0) text += '*';
    text += spec;
    if (end - i > 1) text += fmt::format("^{}", end - i);
    i = end;
  }
  return text;
}

Projection Product::do_project(const PointsRef& x) const {
  Projection result{x, Vector::Zero(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  result.converged.setConstant(true);
  Index row = 0;
  for (const auto& factor : factors_) {
    const Index rows = factor->ambient_dimension();
    const Projection part = factor->project(x.middleRows(row, rows));
    result.points.middleRows(row, rows) = part.points;
    result.converged = result.converged && part.converged;
    result.distance += part.distance.cwiseAbs2();
    row += rows;
  }
  for (Index j = 0; j < x.cols(); ++j) {
    result.distance(j) = result.converged(j) ? std::sqrt(result.distance(j)) : std::numeric_limits<double>::quiet_NaN();
    if (!result.converged(j)) result.points.col(j) = x.col(j);
  }
  return result;
}

Points Product::do_residual(const PointsRef& x) const {
  std::vector<Points> parts;
  Index total = 0;
  Index row = 0;
  for (const auto& factor : factors_) {
    parts.push_back(factor->residual(x.middleRows(row, factor->ambient_dimension())));
    total += parts.back().rows();
    row += factor->ambient_dimension();
  }
  Points result(total, x.cols());
  row = 0;
  for (const Points& part : parts) {
    result.middleRows(row, part.rows()) = part;
    row += part.rows();
  }
  return result;
}

Points Product::do_normal_bases(const PointsRef& y) const {
  const Index k = codimension();
  Points result = Points::Zero(y.rows(), k * y.cols());
  Index row = 0;
  Index first = 0;
  for (const auto& factor : factors_) {
    const Index rows = factor->ambient_dimension();
    const Index count = factor->codimension();
    const Points bases = factor->normal_bases(y.middleRows(row, rows));
    for (Index j = 0; j < y.cols(); ++j) {
      result.block(row, k * j + first, rows, count) = bases.middleCols(count * j, count);
    }
    row += rows;
    first += count;
  }
  return result;
}

Points Product::do_tangent_bases(const PointsRef& y) const {
  const Index d = dimension();
  Points result = Points::Zero(y.rows(), d * y.cols());
  Index row = 0;
  Index first = 0;
  for (const auto& factor : factors_) {
    const Index rows = factor->ambient_dimension();
    const Index count = factor->dimension();
    const Points bases = factor->tangent_bases(y.middleRows(row, rows));
    for (Index j = 0; j < y.cols(); ++j) {
      result.block(row, d * j + first, rows, count) = bases.middleCols(count * j, count);
    }
    row += rows;
    first += count;
  }
  return result;
}

Points Product::do_normal_component(const PointsRef& y, const PointsRef& v) const {
  Points result(y.rows(), y.cols());
  Index row = 0;
  for (const auto& factor : factors_) {
    const Index rows = factor->ambient_dimension();
    result.middleRows(row, rows) = factor->normal_component(y.middleRows(row, rows), v.middleRows(row, rows));
    row += rows;
  }
  return result;
}

Points Product::do_random_points(Index n, Stream stream) const {
  Points result(ambient_dimension_, n);
  Index row = 0;
  std::uint64_t number = 0;
  for (const auto& factor : factors_) {
    result.middleRows(row, factor->ambient_dimension()) = factor->random_points(n, stream.at("factor").at(number++));
    row += factor->ambient_dimension();
  }
  return result;
}

}  // namespace onmanifold
