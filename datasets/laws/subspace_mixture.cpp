// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/subspace_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {
namespace {

/// One factor at one noise level: log density and its derivative.
struct LineMixture {
  double log_density(double u, double& derivative) const {
    double largest = -std::numeric_limits<double>::infinity();
    for (Index m = 0; m < centres.size(); ++m) {
      exponents[m] = log_weights[m] - (u - centres[m]) * (u - centres[m]) / (2 * variance);
      largest = std::max(largest, exponents[m]);
    }
    double total = 0;
    double mean = 0;
    for (Index m = 0; m < centres.size(); ++m) {
      const double share = portable::exp(exponents[m] - largest);
      total += share;
      mean += share * centres[m];
    }
    derivative = (mean / total - u) / variance;
    return largest + portable::log(total) - 0.5 * portable::log(2 * M_PI * variance);
  }

  Vector centres;
  Vector log_weights;
  double variance;
  mutable Vector exponents = Vector(centres.size());
};

std::vector<LineMixture> factors(const SubspaceMixture& mixture, double scale, double variance) {
  std::vector<LineMixture> result;
  for (Index i = 0; i < mixture.weights().rows(); ++i) {
    Vector log_weights = mixture.weights().row(i);
    for (double& weight : log_weights) weight = portable::log(weight);
    result.push_back({scale * mixture.centres(), log_weights, variance});
  }
  return result;
}

class DiffusedSubspaceMixture final : public DiffusedScore {
 public:
  DiffusedSubspaceMixture(SubspaceMixture mixture, const Lift& lift) : mixture_(std::move(mixture)), lift_(lift) {}

  [[nodiscard]] Index dimension() const override { return mixture_.dimension(); }

 private:
  void do_evaluate(const PointsRef& x, double a, double sigma, Points* score, Vector* log_density) const override {
    const double lifted = lift_.type == LiftType::none ? 0 : a * a * lift_.sigma * lift_.sigma;
    const double along =
        a * a * mixture_.width() * mixture_.width() + sigma * sigma + (lift_.type == LiftType::isotropic ? lifted : 0);
    const double across = sigma * sigma + lifted;
    const Points& basis = mixture_.frame().basis;
    const Vector origin = a * mixture_.frame().origin;
    const Index dimension = basis.rows();
    const std::vector<LineMixture> lines = factors(mixture_, a, along);
    Vector rest(dimension);  // the normal part of x - a·origin
    Vector slopes(basis.cols());
    for (Index j = 0; j < x.cols(); ++j) {
      for (Index i = 0; i < dimension; ++i) rest[i] = x(i, j) - origin[i];
      double log_p = 0;
      for (Index k = 0; k < basis.cols(); ++k) {
        double u = 0;
        for (Index i = 0; i < dimension; ++i) u += basis(i, k) * rest[i];
        for (Index i = 0; i < dimension; ++i) rest[i] -= u * basis(i, k);
        log_p += lines[static_cast<std::size_t>(k)].log_density(u, slopes[k]);
      }
      if (score != nullptr) {
        for (Index i = 0; i < dimension; ++i) {
          double value = -rest[i] / across;
          for (Index k = 0; k < basis.cols(); ++k) value += basis(i, k) * slopes[k];
          (*score)(i, j) = value;
        }
      }
      if (log_density != nullptr) {
        double square = 0;
        for (Index i = 0; i < dimension; ++i) square += rest[i] * rest[i];
        (*log_density)[j] = log_p - 0.5 * square / across -
                            0.5 * static_cast<double>(dimension - basis.cols()) * std::log(2 * M_PI * across);
      }
    }
  }

  SubspaceMixture mixture_;
  Lift lift_;
};

}  // namespace

Points SubspaceFrame::embed(const PointsRef& u) const {
  check_dimension(u, basis.cols(), "coordinates of a subspace");
  Points result(basis.rows(), u.cols());
  for (Index j = 0; j < u.cols(); ++j) {
    for (Index i = 0; i < basis.rows(); ++i) {
      double value = origin[i];
      for (Index k = 0; k < basis.cols(); ++k) value += basis(i, k) * u(k, j);
      result(i, j) = value;
    }
  }
  return result;
}

Points SubspaceFrame::coordinates(const PointsRef& x) const {
  check_dimension(x, basis.rows(), "points");
  Points result(basis.cols(), x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    for (Index k = 0; k < basis.cols(); ++k) {
      double value = 0;
      for (Index i = 0; i < basis.rows(); ++i) value += basis(i, k) * x(i, j);
      result(k, j) = value;
    }
  }
  return result;
}

SubspacePartition::SubspacePartition(SubspaceFrame frame, double half_width, Index bins)
    : frame_(std::move(frame)), half_width_(half_width), bins_(bins) {
  bool fits = bins >= 1 && half_width > 0 && std::isfinite(half_width);
  for (Index i = 0; fits && i < frame_.basis.cols(); ++i) {
    cubes_ *= bins;
    fits = cubes_ <= Index{1} << 24;
  }
  if (!fits) {
    throw InvalidInput(fmt::format("subspace partition: {} bins in each of {} coordinates, half width {}", bins,
                                   frame_.basis.cols(), half_width));
  }
}

Eigen::VectorXi SubspacePartition::assign(const PointsRef& points) const {
  const Points u = frame_.coordinates(points);
  Eigen::VectorXi cells(points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    Index cell = 0;
    Index stride = 1;
    bool inside = true;
    for (Index i = 0; i < u.rows(); ++i, stride *= bins_) {
      inside = inside && std::abs(u(i, j)) <= half_width_;
      if (!inside) break;
      const auto bin = static_cast<Index>((u(i, j) + half_width_) / (2 * half_width_) * static_cast<double>(bins_));
      cell += stride * std::min(bin, bins_ - 1);
    }
    cells[j] = static_cast<int>(!points.col(j).allFinite() ? -1 : inside ? cell : cubes_);
  }
  return cells;
}

std::string SubspacePartition::description() const {
  return fmt::format("{}^{} cubes over [-{}, {}] along the subspace, and the rest", bins_, frame_.basis.cols(),
                     half_width_, half_width_);
}

double SubspacePartition::edge(Index i) const {
  return half_width_ * (2 * static_cast<double>(i) / static_cast<double>(bins_) - 1);
}

SubspaceMixture::SubspaceMixture(SubspaceFrame frame, Vector centres, Eigen::MatrixXd weights, double width)
    : frame_(std::move(frame)), centres_(std::move(centres)), weights_(std::move(weights)), width_(width) {
  check_finite(centres_, "mixture centres");
  if (weights_.rows() != frame_.basis.cols() || weights_.cols() != centres_.size() || !(weights_.minCoeff() > 0) ||
      !((weights_.rowwise().sum().array() - 1).abs().maxCoeff() <= 1e-12)) {
    throw InvalidInput("subspace mixture: weights must be positive, one a coordinate and centre, with sum 1");
  }
  if (!(width_ > 0) || !std::isfinite(width_)) throw InvalidInput(fmt::format("subspace mixture: width {}", width_));
}

Points SubspaceMixture::sample(Index n, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("sample: n = {} is negative", n));
  const Points pick = stream.at("component").uniform(weights_.rows(), n);
  Points u = width_ * stream.at("noise").normal(weights_.rows(), n);
  for (Index j = 0; j < n; ++j) {
    for (Index i = 0; i < weights_.rows(); ++i) {
      Index m = 0;
      double rest = pick(i, j) - weights_(i, 0);
      while (rest >= 0 && m + 1 < centres_.size()) rest -= weights_(i, ++m);
      u(i, j) += centres_[m];
    }
  }
  return frame_.embed(u);
}

Vector SubspaceMixture::log_density(const PointsRef& points) const {
  const std::vector<LineMixture> lines = factors(*this, 1.0, width_ * width_);
  const Points u = frame_.coordinates(points);
  Vector result = Vector::Zero(points.cols());
  double derivative = 0;
  for (Index j = 0; j < points.cols(); ++j) {
    for (Index i = 0; i < u.rows(); ++i) {
      result[j] += lines[static_cast<std::size_t>(i)].log_density(u(i, j), derivative);
    }
  }
  return result;
}

std::optional<double> SubspaceMixture::entropy() const {
  const double step = width_ / 8;
  const double low = centres_.minCoeff() - 9 * width_;
  const auto steps = static_cast<Index>(std::ceil((centres_.maxCoeff() + 9 * width_ - low) / step)) + 1;
  TreeSum sum;
  double derivative = 0;
  for (const LineMixture& line : factors(*this, 1.0, width_ * width_)) {
    for (Index i = 0; i < steps; ++i) {
      const double log_p = line.log_density(low + step * static_cast<double>(i), derivative);
      sum.add(-portable::exp(log_p) * log_p * step);
    }
  }
  return sum.sum();
}

Vector SubspaceMixture::masses(const SubspacePartition& partition) const {
  const Index bins = partition.bins();
  Eigen::MatrixXd shares = Eigen::MatrixXd::Zero(bins, weights_.rows());
  for (Index i = 0; i < weights_.rows(); ++i) {
    for (Index b = 0; b < bins; ++b) {
      for (Index m = 0; m < centres_.size(); ++m) {
        shares(b, i) += weights_(i, m) * normal_mass((partition.edge(b) - centres_[m]) / width_,
                                                     (partition.edge(b + 1) - centres_[m]) / width_);
      }
    }
  }
  Vector result(partition.size());
  const Index cubes = partition.size() - 1;
  for (Index cell = 0; cell < cubes; ++cell) {
    double mass = 1;
    Index rest = cell;
    for (Index i = 0; i < weights_.rows(); ++i, rest /= bins) mass *= shares(rest % bins, i);
    result[cell] = mass;
  }
  result[cubes] = std::max(0.0, 1 - tree_sum(Vector(result.head(cubes))));
  return result;
}

double SubspaceMixture::standard_deviation() const {
  double variance = 0;
  for (Index i = 0; i < weights_.rows(); ++i) {
    const Vector w = weights_.row(i).transpose();
    const double mean = tree_sum_over(w.size(), [&](Index m) { return w[m] * centres_[m]; });
    variance += width_ * width_ +
                tree_sum_over(w.size(), [&](Index m) { return w[m] * ((centres_[m] - mean) * (centres_[m] - mean)); });
  }
  return std::sqrt(variance / static_cast<double>(dimension()));
}

std::shared_ptr<const DiffusedScore> make_diffused_subspace_mixture(const SubspaceMixture& mixture, const Lift& lift) {
  return std::make_shared<DiffusedSubspaceMixture>(mixture, lift);
}

}  // namespace onmanifold
