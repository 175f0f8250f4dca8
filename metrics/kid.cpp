// SPDX-License-Identifier: Apache-2.0
#include "metrics/kid.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

constexpr Index tile = 256;

// k(x, y) = (x.y/D + 1)^3 less what depends on x or on y alone, which no estimate of MMD^2 sees, around a common
// centre c: with A = c.c/D + 1, u = c.(x-c)/D, v = c.(y-c)/D and p = (x-c).(y-c)/D it is (A + u + v + p)^3 - g(u) -
// g(v). Offsets of the data then multiply differences and do not drown them.
class CentredPolynomial {
 public:
  CentredPolynomial(const Points& x, const Points& y)
      : centre_(0.5 * (tree_mean(x) + tree_mean(y))),
        scale_(1 / static_cast<double>(x.rows())),
        a_(centre_.squaredNorm() * scale_ + 1) {}

  struct Set {
    Points points;
    Vector along;  // u
  };
  [[nodiscard]] Set set(const Points& points) const {
    Set result{points.colwise() - centre_, {}};
    result.along = scale_ * (result.points.transpose() * centre_);
    return result;
  }
  [[nodiscard]] double operator()(double product, double u, double v) const {
    const double p = product * scale_;
    const double w = u + v;
    return 3 * a_ * a_ * p + 3 * a_ * (2 * u * v + 2 * w * p + p * p) + 3 * u * v * w + 3 * w * p * (w + p) + p * p * p;
  }
  // Values of all pairs, tile by tile: use(first row, column, values of the rows, their number).
  template <class Use>
  void visit(const Set& x, const Set& y, const Use& use) const {
    Points products;
    for (Index a = 0; a < x.points.cols(); a += tile) {
      const Index height = std::min(tile, x.points.cols() - a);
      for (Index b = 0; b < y.points.cols(); b += tile) {
        const Index width = std::min(tile, y.points.cols() - b);
        products.noalias() = x.points.middleCols(a, height).transpose() * y.points.middleCols(b, width);
        for (Index j = 0; j < width; ++j) {
          for (Index i = 0; i < height; ++i) products(i, j) = (*this)(products(i, j), x.along[a + i], y.along[b + j]);
          use(a, b + j, products.col(j).data(), height);
        }
      }
    }
  }
  [[nodiscard]] double pair(const Set& x, Index i, const Set& y, Index j) const {
    return (*this)(x.points.col(i).dot(y.points.col(j)), x.along[i], y.along[j]);
  }

 private:
  Vector centre_;
  double scale_;
  double a_;
};

// Sums over all i, j of k(x_i, y_j), and over i = j.
struct PolynomialSums {
  double all = 0;
  double diagonal = 0;
};

PolynomialSums polynomial_sums(const CentredPolynomial& kernel, const CentredPolynomial::Set& x,
                               const CentredPolynomial::Set& y) {
  TreeSum all;
  TreeSum diagonal;
  kernel.visit(x, y, [&](Index, Index, const double* values, Index count) { all.add(values, count); });
  for (Index i = 0; i < std::min(x.along.size(), y.along.size()); ++i) diagonal.add(kernel.pair(x, i, y, i));
  return {all.sum(), diagonal.sum()};
}

// sum_j k(x_i, y_j) for every i, the diagonal left out where \p own.
Vector polynomial_rows(const CentredPolynomial& kernel, const CentredPolynomial::Set& x,
                       const CentredPolynomial::Set& y, bool own) {
  Vector rows = Vector::Zero(x.along.size());
  kernel.visit(x, y, [&](Index a, Index, const double* values, Index count) {
    rows.segment(a, count) += Eigen::Map<const Vector>(values, count);
  });
  for (Index i = 0; own && i < rows.size(); ++i) rows[i] -= kernel.pair(x, i, x, i);
  return rows;
}

double kid_error(const Points& x, const Points& y) {
  const CentredPolynomial kernel(x, y);
  const CentredPolynomial::Set a = kernel.set(x);
  const CentredPolynomial::Set b = kernel.set(y);
  return first_order_error(polynomial_rows(kernel, a, a, true), polynomial_rows(kernel, b, b, true),
                           polynomial_rows(kernel, a, b, false), polynomial_rows(kernel, b, a, false));
}

KernelMoments polynomial_moments(const Points& some) {
  const CentredPolynomial kernel(some, some);
  const CentredPolynomial::Set set = kernel.set(some);
  TreeSum squares;
  kernel.visit(set, set, [&](Index a, Index j, const double* values, Index count) {
    for (Index i = 0; i < count; ++i) squares.add(a + i == j ? 0.0 : values[i] * values[i]);
  });
  return kernel_moments(polynomial_rows(kernel, set, set, true), squares.sum());
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
    record.version = 2;  // does not cancel far from the origin
    const FinitePair sets(input, record, 2, 2);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    record.value = kid(sets.reference(), sets.samples()).unbiased;
    if (!std::isfinite(record.value)) return {failed(record, "the sixth power of the coordinates overflows")};
    record.se = kid_error(sets.reference(), sets.samples());
    const auto moments = input.target.memo().get<KernelMoments>(
        "kid", [&] { return polynomial_moments(kernel_moments_points(input.target.finite())); });
    record.null = 0;
    record.null_sd = mmd2_null_sd(*moments, sets.reference().cols(), sets.samples().cols(), false);
    return {record};
  }
};

}  // namespace

MmdEstimates kid(const Points& x, const Points& y) {
  check_dimension(y, x.rows(), "samples");
  if (x.cols() < 2 || y.cols() < 2) throw InvalidInput("kid: fewer than two points");
  const CentredPolynomial kernel(x, y);
  const CentredPolynomial::Set a = kernel.set(x);
  const CentredPolynomial::Set b = kernel.set(y);
  const PolynomialSums xx = polynomial_sums(kernel, a, a);
  const PolynomialSums yy = polynomial_sums(kernel, b, b);
  const PolynomialSums xy = polynomial_sums(kernel, a, b);
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
