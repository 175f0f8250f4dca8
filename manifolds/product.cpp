// SPDX-License-Identifier: Apache-2.0
#include "manifolds/product.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "manifolds/geodesics.hpp"
#include "manifolds/heat_kernel.hpp"
#include "manifolds/normal_lift.hpp"
#include "manifolds/uniform_posterior.hpp"

namespace onmanifold {
namespace {

class ProductGeodesics final : public Geodesics {
 public:
  ProductGeodesics(const Manifold& product, std::vector<std::unique_ptr<Geodesics>> factors)
      : Geodesics(product), factors_(std::move(factors)) {}
  [[nodiscard]] double log_volume() const override {
    double sum = 0;
    for (const auto& factor : factors_) sum += factor->log_volume();
    return sum;
  }

 private:
  /// Applies \p part(factor, first row, rows) to every factor.
  template <class Part>
  [[nodiscard]] Points assemble(Index columns, const Part& part) const {
    Points result(manifold().ambient_dimension(), columns);
    Index first = 0;
    for (const auto& factor : factors_) {
      const Index rows = factor->manifold().ambient_dimension();
      result.middleRows(first, rows) = part(*factor, first, rows);
      first += rows;
    }
    return result;
  }
  [[nodiscard]] Points do_exp(const PointsRef& y, const PointsRef& v) const override {
    return assemble(y.cols(), [&](const Geodesics& factor, Index first, Index rows) {
      return factor.exp(y.middleRows(first, rows), v.middleRows(first, rows));
    });
  }
  [[nodiscard]] Points do_log(const PointsRef& y, const PointsRef& z) const override {
    return assemble(y.cols(), [&](const Geodesics& factor, Index first, Index rows) {
      return factor.log(y.middleRows(first, rows), z.middleRows(first, rows));
    });
  }
  [[nodiscard]] Points do_mean_curvature(const PointsRef& y) const override {
    return assemble(y.cols(), [&](const Geodesics& factor, Index first, Index rows) {
      return factor.mean_curvature(y.middleRows(first, rows));
    });
  }
  [[nodiscard]] Points do_uniform_from_normals(const PointsRef& z) const override {
    return assemble(z.cols(), [&](const Geodesics& factor, Index first, Index rows) {
      return factor.uniform_from_normals(z.middleRows(first, rows));
    });
  }
  std::vector<std::unique_ptr<Geodesics>> factors_;
};

class ProductPosterior final : public UniformPosterior {
 public:
  explicit ProductPosterior(std::vector<std::unique_ptr<UniformPosterior>> factors) : factors_(std::move(factors)) {}
  [[nodiscard]] Index dimension() const override {
    Index sum = 0;
    for (const auto& factor : factors_) sum += factor->dimension();
    return sum;
  }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double sigma) const override {
    Points result(x.rows(), x.cols());
    Index first = 0;
    for (const auto& factor : factors_) {
      const Index rows = factor->dimension();
      result.middleRows(first, rows) = factor->mean(x.middleRows(first, rows), a, sigma);
      first += rows;
    }
    return result;
  }
  std::vector<std::unique_ptr<UniformPosterior>> factors_;
};

}  // namespace

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

std::unique_ptr<Geodesics> Product::do_geodesics() const {
  std::vector<std::unique_ptr<Geodesics>> parts;
  for (const auto& factor : factors_) {
    parts.push_back(factor->geodesics());
    if (parts.back() == nullptr) return nullptr;
  }
  return std::make_unique<ProductGeodesics>(*this, std::move(parts));
}

std::unique_ptr<UniformPosterior> Product::do_uniform_posterior() const {
  std::vector<std::unique_ptr<UniformPosterior>> parts;
  for (const auto& factor : factors_) {
    parts.push_back(factor->uniform_posterior());
    if (parts.back() == nullptr) return nullptr;
  }
  return std::make_unique<ProductPosterior>(std::move(parts));
}

std::vector<HeatFactor> Product::do_heat_factors() const {
  std::vector<HeatFactor> all;
  Index first = 0;
  for (const auto& factor : factors_) {
    const std::vector<HeatFactor> own = factor->heat_factors();
    if (own.empty()) return {};
    for (HeatFactor part : own) {
      part.first += first;
      all.push_back(part);
    }
    first += factor->ambient_dimension();
  }
  return all;
}

std::optional<TubeFactor> Product::do_mean_log_tube_factor(double sigma) const {
  TubeFactor sum;
  for (const auto& factor : factors_) {
    const std::optional<TubeFactor> one = factor->mean_log_tube_factor(sigma);
    if (!one) return std::nullopt;
    sum.value += one->value;
    // Equal factors share the fixed stream, so their errors add.
    sum.se += one->se;
  }
  return sum;
}

std::optional<double> Product::do_flip_rate(double sigma) const {
  double returns = 1;
  for (const auto& factor : factors_) {
    const std::optional<double> one = factor->flip_rate(sigma);
    if (!one) return std::nullopt;
    returns *= 1 - *one;
  }
  return 1 - returns;
}

}  // namespace onmanifold
