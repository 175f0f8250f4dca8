// SPDX-License-Identifier: Apache-2.0
#include "metrics/kid.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

constexpr Index tile = 256;

double cube(double product, double scale) {
  const double base = product * scale + 1;
  return base * base * base;
}

// Sums over all i, j of k(x_i, y_j), and over i = j where the sets have one size.
struct PolynomialSums {
  double all = 0;
  double diagonal = 0;
};

PolynomialSums polynomial_sums(const Points& x, const Points& y) {
  const double scale = 1 / static_cast<double>(x.rows());
  TreeSum all;
  TreeSum diagonal;
  Points products;
  for (Index a = 0; a < x.cols(); a += tile) {
    const Index height = std::min(tile, x.cols() - a);
    for (Index b = 0; b < y.cols(); b += tile) {
      const Index width = std::min(tile, y.cols() - b);
      products.noalias() = x.middleCols(a, height).transpose() * y.middleCols(b, width);
      for (Index j = 0; j < width; ++j) {
        for (Index i = 0; i < height; ++i) products(i, j) = cube(products(i, j), scale);
        all.add(products.col(j).data(), height);
      }
    }
  }
  for (Index i = 0; i < std::min(x.cols(), y.cols()); ++i) diagonal.add(cube(x.col(i).dot(y.col(i)), scale));
  return {all.sum(), diagonal.sum()};
}

// sum_j k(x_i, y_j) for every i, the diagonal left out where \p own.
Vector polynomial_rows(const Points& x, const Points& y, bool own) {
  const double scale = 1 / static_cast<double>(x.rows());
  Vector rows = Vector::Zero(x.cols());
  Points products;
  for (Index b = 0; b < y.cols(); b += tile) {
    const Index width = std::min(tile, y.cols() - b);
    for (Index a = 0; a < x.cols(); a += tile) {
      const Index height = std::min(tile, x.cols() - a);
      products.noalias() = x.middleCols(a, height).transpose() * y.middleCols(b, width);
      for (Index j = 0; j < width; ++j) {
        for (Index i = 0; i < height; ++i) rows[a + i] += cube(products(i, j), scale);
      }
    }
  }
  for (Index i = 0; own && i < x.cols(); ++i) rows[i] -= cube(x.col(i).squaredNorm(), scale);
  return rows;
}

double kid_error(const Points& x, const Points& y) {
  return first_order_error(polynomial_rows(x, x, true), polynomial_rows(y, y, true), polynomial_rows(x, y, false),
                           polynomial_rows(y, x, false));
}

KernelMoments polynomial_moments(const Points& x) {
  const Index count = std::min<Index>(x.cols(), 2000);
  const double scale = 1 / static_cast<double>(x.rows());
  Vector rows(count);
  TreeSum squares;
  for (Index j = 0; j < count; ++j) {
    Vector k = x.leftCols(count).transpose() * x.col(j);
    for (Index i = 0; i < count; ++i) k[i] = i == j ? 0.0 : cube(k[i], scale);
    rows[j] = tree_sum(k);
    squares.add(k.squaredNorm());
  }
  return kernel_moments(rows, squares.sum());
}

class Kid final : public Metric {
 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "ambient";
    parameters["kernel"] = "(x.y/D + 1)^3";
    parameters["estimator"] = "unbiased";
    parameters["subsets"] = "none: all points";
    parameters["null_method"] = "centred kernel moments of the reference";
    MetricRecord record = make_record("kid", "lower", parameters, input);
    const FinitePair sets(input, record, 2, 2);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    record.value = kid(sets.reference(), sets.samples()).unbiased;
    record.se = kid_error(sets.reference(), sets.samples());
    const auto moments =
        input.target.memo().get<KernelMoments>("kid", [&] { return polynomial_moments(sets.reference()); });
    record.null = 0;
    record.null_sd = mmd2_null_sd(*moments, sets.reference().cols(), sets.samples().cols(), false);
    return {record};
  }
};

}  // namespace

MmdEstimates kid(const Points& x, const Points& y) {
  check_dimension(y, x.rows(), "samples");
  if (x.cols() < 2 || y.cols() < 2) throw InvalidInput("kid: fewer than two points");
  const PolynomialSums xx = polynomial_sums(x, x);
  const PolynomialSums yy = polynomial_sums(y, y);
  const PolynomialSums xy = polynomial_sums(x, y);
  const auto n = static_cast<double>(x.cols());
  const auto m = static_cast<double>(y.cols());
  MmdEstimates estimates;
  estimates.biased = xx.all / (n * n) + yy.all / (m * m) - 2 * xy.all / (n * m);
  const double own = (xx.all - xx.diagonal) / (n * (n - 1)) + (yy.all - yy.diagonal) / (m * (m - 1));
  estimates.unbiased = own - 2 * xy.all / (n * m);
  if (x.cols() == y.cols()) estimates.u = own - 2 * (xy.all - xy.diagonal) / (n * (n - 1));
  return estimates;
}

std::unique_ptr<Metric> make_kid(Settings&) {
  return std::make_unique<Kid>();
}

}  // namespace onmanifold
