// SPDX-License-Identifier: Apache-2.0
#include "metrics/pairwise.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {
namespace {

constexpr Index lanes = 32;
constexpr Index direct_dimension = 24;  // above it the blocked product is faster

// Fixed order: 32 lanes, then halving. Entries after count up to the next multiple of 32 are overwritten by
// zeros.
double sum_block(double* values, Index count) {
  const Index padded = (count + lanes - 1) / lanes * lanes;
  std::fill(values + count, values + padded, 0.0);
  alignas(64) std::array<double, lanes> total = {};
  for (Index i = 0; i < padded; i += lanes) {
    for (Index l = 0; l < lanes; ++l) total[static_cast<std::size_t>(l)] += values[i + l];
  }
  for (std::size_t half = lanes / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) total[l] += total[l + half];
  }
  return total[0];
}

double tenth_power(double x) {
  const double two = x * x;
  const double four = two * two;
  return four * four * two;
}

// exp(-scale x) of n values.
void exp_minus_scaled(const double* x_values, double scale, double* values, Index n) {
  constexpr double log2e = 1.4426950408889634074;
  constexpr double ln2_high = 6.93147180369123816490e-01;  // 33 bits: products with |n| < 2^20 are exact
  constexpr double ln2_low = 1.90821492927058770002e-10;
  constexpr double shift = 0x1.8p52;  // adding it rounds to an integer and leaves that in the low bits
  for (Index i = 0; i < n; ++i) {
    const double x = -std::min(scale * x_values[i], 690.0);
    const double shifted = x * log2e + shift;
    const double k = shifted - shift;
    const double r = (x - k * ln2_high) - k * ln2_low;
    double p = 2.5110037605963777712e-8;
    p = p * r + 2.7632639639041029749e-7;
    p = p * r + 2.7557240918578969823e-6;
    p = p * r + 0.000024801485482328492419;
    p = p * r + 0.00019841269890047113707;
    p = p * r + 0.0013888888952314774652;
    p = p * r + 0.0083333333333196006109;
    p = p * r + 0.041666666666488095495;
    p = p * r + 0.16666666666666680806;
    p = p * r + 0.50000000000000183855;
    p = p * r + 1.0;
    p = p * r + 1.0;
    const auto exponent = std::bit_cast<std::uint64_t>(shifted) << 52U;
    values[i] = std::bit_cast<double>(std::bit_cast<std::uint64_t>(p) + exponent);
  }
}

}  // namespace

void PairFunction::apply(double* d2, Index n) const {
  if (radius > 0) {
    for (Index i = 0; i < n; ++i) {
      const double angle = 2 * std::asin(std::min(1.0, 0.5 * std::sqrt(d2[i]) / radius));
      d2[i] = radius * radius * angle * angle;
    }
  }
  if (kind == Kind::radial) {
    kernel->apply(d2, n);
  } else {
    for (Index i = 0; i < n; ++i) d2[i] = std::sqrt(d2[i]);
  }
}

void exp_minus(double* values, Index n) {
  exp_minus_scaled(values, 1, values, n);
}

RadialKernel::RadialKernel(std::vector<double> gammas) : gammas_(std::move(gammas)) {
  if (gammas_.empty()) throw InvalidInput("radial kernel: no gamma");
  int run = 0;
  for (std::size_t g = 0; g < gammas_.size(); ++g) {
    if (!(gammas_[g] > 0) || !std::isfinite(gammas_[g])) {
      throw InvalidInput(fmt::format("radial kernel: gamma {} is not positive", gammas_[g]));
    }
    const bool tenfold = g > 0 && run < 4 && std::abs(gammas_[g] - 10 * gammas_[g - 1]) <= 4e-16 * gammas_[g];
    power_.push_back(tenfold);
    run = tenfold ? run + 1 : 0;
  }
}

std::string RadialKernel::key() const {
  return fmt::format("radial[{}]", fmt::join(gammas_, ","));
}

void RadialKernel::apply(double* d2, Index n) const {
  if (gammas_.size() == 1) {
    const double gamma = gammas_[0];
    exp_minus_scaled(d2, gamma, d2, n);
    return;
  }
  // The bank: a gamma and its next four tenfolds, whose values stay in registers.
  const bool one_chain_of_five = gammas_.size() == 5 && std::count(power_.begin(), power_.end(), true) == 4;
  constexpr Index chunk = SquaredDistances::block;
  alignas(64) std::array<double, chunk> kernel;
  alignas(64) std::array<double, chunk> total;
  for (Index begin = 0; begin < n; begin += chunk) {
    const Index count = std::min(chunk, n - begin);
    double* squares = d2 + begin;
    double* const k = kernel.data();
    double* const t = total.data();
    const double share = 1.0 / static_cast<double>(gammas_.size());
    if (one_chain_of_five) {
      exp_minus_scaled(squares, gammas_[0], k, count);
      for (Index i = 0; i < count; ++i) {
        const double tenth = tenth_power(k[i]);
        const double hundredth = tenth_power(tenth);
        const double next = tenth_power(hundredth);
        squares[i] = share * (k[i] + tenth + hundredth + next + tenth_power(next));
      }
      continue;
    }
    std::fill(t, t + count, 0.0);
    for (std::size_t g = 0; g < gammas_.size();) {
      const double gamma = gammas_[g];
      exp_minus_scaled(squares, gamma, k, count);
      std::size_t powers = 0;
      while (g + powers + 1 < gammas_.size() && power_[g + powers + 1]) ++powers;
      for (Index i = 0; i < count; ++i) t[i] += k[i];
      for (std::size_t step = 0; step < powers; ++step) {
        for (Index i = 0; i < count; ++i) t[i] += k[i] = tenth_power(k[i]);
      }
      g += powers + 1;
    }
    for (Index i = 0; i < count; ++i) squares[i] = share * t[i];
  }
}

void check_squares(const Points& points, const char* what) {
  if (points.size() == 0) return;
  const double largest = points.cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
  if (!(largest <= 0x1p500)) {
    throw NumericalFailure(fmt::format("{}: coordinates as large as {:.3g} overflow when squared", what, largest));
  }
  if (largest <= 0x1p200) return;
  const auto apart = [](double x) { return x != 0 && std::abs(x) < 0x1p-537; };
  if (std::any_of(points.data(), points.data() + points.size(), apart)) {
    throw NumericalFailure(fmt::format("{}: squares underflow, for coordinates span too many magnitudes", what));
  }
}

SquaredDistances::SquaredDistances(const Points& x, const Vector& centre)
    : points_(x), n_(x.cols()), products_(x.rows() > direct_dimension), centre_(centre) {
  check_squares(x, "squared distances");
  if (products_) {
    centred_ = x.colwise() - centre;
    norms_ = centred_.colwise().squaredNorm();
    return;
  }
  stride_ = (n_ + block - 1) / block * block;
  coordinates_.assign(static_cast<std::size_t>(stride_ * x.rows()), 0.0);
  for (Index i = 0; i < n_; ++i) {
    for (Index c = 0; c < x.rows(); ++c) coordinates_[static_cast<std::size_t>(c * stride_ + i)] = x(c, i);
  }
}

void SquaredDistances::direct(const double* query, Index begin, Index count, double* d2) const {
  const Index dimension = centre_.size();
  const double* row = coordinates_.data() + begin;
  if (dimension == 3) {
    const double* second = row + stride_;
    const double* third = second + stride_;
    const double q0 = query[0];
    const double q1 = query[1];
    const double q2 = query[2];
    for (Index i = 0; i < count; ++i) {
      const double a = row[i] - q0;
      const double b = second[i] - q1;
      const double c = third[i] - q2;
      d2[i] = a * a + b * b + c * c;
    }
    return;
  }
  std::fill(d2, d2 + count, 0.0);
  for (Index c = 0; c < dimension; ++c, row += stride_) {
    const double q = query[c];
    for (Index i = 0; i < count; ++i) {
      const double difference = row[i] - q;
      d2[i] += difference * difference;
    }
  }
}

double sum_over_pairs(const Points& x, const PairFunction& f) {
  if (x.cols() < 2) return 0;
  const SquaredDistances distances(x, tree_mean(x));
  TreeSum sum;
  distances.visit(
      x, [](Index j) { return j; },
      [&](Index, Index, Index count, double* d2) {
        f.apply(d2, count);
        sum.add(sum_block(d2, count));
      });
  return sum.sum();
}

double sum_over_pairs(const Points& x, const Points& y, const PairFunction& f) {
  check_dimension(y, x.rows(), "second set");
  if (x.cols() == 0 || y.cols() == 0) return 0;
  const SquaredDistances distances(x, tree_mean(x));
  TreeSum sum;
  const Index n = x.cols();
  distances.visit(
      y, [n](Index) { return n; },
      [&](Index, Index, Index count, double* d2) {
        f.apply(d2, count);
        sum.add(sum_block(d2, count));
      });
  return sum.sum();
}

PairRows rows_over_pairs(const Points& x, const PairFunction& f) {
  PairRows rows{Vector::Zero(x.cols()), 0};
  if (x.cols() < 2) return rows;
  const SquaredDistances distances(x, tree_mean(x));
  TreeSum sum;
  distances.visit(
      x, [](Index j) { return j; },
      [&](Index j, Index begin, Index count, double* d2) {
        f.apply(d2, count);
        double* const own = rows.own.data() + begin;
        for (Index i = 0; i < count; ++i) own[i] += d2[i];
        const double part = sum_block(d2, count);
        rows.own[j] += part;
        sum.add(part);
      });
  rows.total = sum.sum();
  return rows;
}

std::pair<Vector, Vector> rows_over_pairs(const Points& x, const Points& y, const PairFunction& f) {
  check_dimension(y, x.rows(), "second set");
  std::pair<Vector, Vector> rows{Vector::Zero(x.cols()), Vector::Zero(y.cols())};
  if (x.cols() == 0 || y.cols() == 0) return rows;
  const SquaredDistances distances(x, tree_mean(x));
  const Index n = x.cols();
  distances.visit(
      y, [n](Index) { return n; },
      [&](Index j, Index begin, Index count, double* d2) {
        f.apply(d2, count);
        double* const own = rows.first.data() + begin;
        for (Index i = 0; i < count; ++i) own[i] += d2[i];
        rows.second[j] += sum_block(d2, count);
      });
  return rows;
}

std::vector<GroupSums> group_sums(const Points& pooled, Index n, const PairFunction& f, Index permutations,
                                  const Stream& stream) {
  const Index all = pooled.cols();
  const Index splits = permutations + 1;
  // Column b: 1 for the first group of split b, one row a point.
  Eigen::MatrixXd labels = Eigen::MatrixXd::Zero(all, splits);
  labels.col(0).head(n).setOnes();
  for (Index b = 1; b < splits; ++b) {
    Stream own = stream.at(static_cast<std::uint64_t>(b));
    const std::vector<Index> order = own.permutation(all);
    for (Index i = 0; i < n; ++i) labels(order[static_cast<std::size_t>(i)], b) = 1;
  }
  // With K symmetric and without diagonal, r its row sums, l the labels: l'Kl is twice the sum inside the
  // first group, l'r - l'Kl the sum across, and the rest is inside the second.
  const SquaredDistances distances(pooled, tree_mean(pooled));
  constexpr Index width = 64;
  Vector rows(all);
  Vector inside = Vector::Zero(splits);
  Eigen::MatrixXd tile(all, width);
  Eigen::MatrixXd product(splits, width);
  for (Index first = 0; first < all; first += width) {
    const Index count = std::min(width, all - first);
    const Points queries = pooled.middleCols(first, count);
    distances.visit(
        queries, [all](Index) { return all; },
        [&](Index j, Index begin, Index size, double* d2) {
          f.apply(d2, size);
          tile.col(j).segment(begin, size) = Eigen::Map<const Vector>(d2, size);
        });
    for (Index j = 0; j < count; ++j) {
      tile(first + j, j) = 0;
      rows[first + j] = tree_sum(tile.col(j));
    }
    product.leftCols(count).noalias() = labels.transpose() * tile.leftCols(count);
    inside += product.leftCols(count).cwiseProduct(labels.middleRows(first, count).transpose()).rowwise().sum();
  }
  const double total = tree_sum(rows);
  std::vector<GroupSums> sums;
  for (Index b = 0; b < splits; ++b) {
    const double touched = tree_sum(labels.col(b).cwiseProduct(rows));
    GroupSums split;
    split.first = 0.5 * inside[b];
    split.cross = touched - inside[b];
    split.second = 0.5 * (total - inside[b]) - split.cross;
    sums.push_back(split);
  }
  return sums;
}

double permutation_p(const Vector& statistics) {
  const double scale = statistics.cwiseAbs().maxCoeff();
  const Index permutations = statistics.size() - 1;
  const Index reached = (statistics.tail(permutations).array() >= statistics[0] - 1e-12 * scale).count();
  return static_cast<double>(1 + reached) / static_cast<double>(permutations + 1);
}

double permutation_p(const Points& x, const Points& y, const PairFunction& f, Index permutations, const Stream& stream,
                     const std::function<double(const GroupSums&)>& statistic) {
  Points pooled(x.rows(), x.cols() + y.cols());
  pooled << x, y;
  const auto splits = group_sums(pooled, x.cols(), f, permutations, stream);
  Vector statistics(static_cast<Index>(splits.size()));
  for (Index b = 0; b < statistics.size(); ++b) statistics[b] = statistic(splits[static_cast<std::size_t>(b)]);
  return permutation_p(statistics);
}

double median_distance(const Points& x, bool lower_middle) {
  const Index n = x.cols();
  if (n < 2) throw InvalidInput("median distance: fewer than two points");
  const auto pairs = static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(n - 1) / 2;
  const std::uint64_t upper_rank = pairs / 2;  // from 0
  const std::uint64_t lower_rank = pairs % 2 == 1 ? upper_rank : upper_rank - 1;
  const SquaredDistances distances(x, tree_mean(x));
  // Non-negative doubles are ordered like their bits: an interval of bits is narrowed, by counting 4096 parts
  // of it, until what it holds fits into memory. use() gets the values inside, block by block; returns how
  // many lie below.
  const auto pass = [&](std::uint64_t low, std::uint64_t width, const auto& use) {
    const auto first = std::bit_cast<double>(low);
    const auto last = std::bit_cast<double>(low + (width - 1));
    std::uint64_t below = 0;
    alignas(64) std::array<double, SquaredDistances::block + 1> inside;
    distances.visit(
        x, [](Index j) { return j; },
        [&](Index, Index, Index count, const double* d2) {
          Index under = 0;
          std::size_t kept = 0;
          for (Index i = 0; i < count; ++i) {
            under += d2[i] < first ? 1 : 0;
            inside[kept] = d2[i];
            kept += static_cast<std::size_t>(d2[i] >= first) & static_cast<std::size_t>(d2[i] <= last);
          }
          below += static_cast<std::uint64_t>(under);
          use(inside.data(), kept);
        });
    return below;
  };
  constexpr std::uint64_t parts = 4096;
  constexpr std::uint64_t keep = 2'000'000;
  constexpr std::uint64_t everything = (std::uint64_t{0x7FF} << 52U) + 1;  // up to infinity
  std::uint64_t low = 0;
  std::uint64_t width = everything;
  std::uint64_t inside = pairs;
  std::uint64_t rank = lower_rank;  // from the start of the interval
  if (pairs > keep) {
    // A first guess from the pairs of 1,000 points spread over the set: wide enough to hold the median of all
    // pairs but in rare cases, which are noticed.
    constexpr Index few = 1000;
    std::vector<double> guess;
    for (Index a = 0; a < few; ++a) {
      for (Index b = 0; b < a; ++b) guess.push_back((x.col(a * n / few) - x.col(b * n / few)).squaredNorm());
    }
    const auto quantile = [&](double share) {
      const auto at = guess.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(guess.size()));
      std::nth_element(guess.begin(), at, guess.end());
      return std::bit_cast<std::uint64_t>(*at);
    };
    low = quantile(0.45);
    width = quantile(0.55) - low + 1;
  }
  while (inside > keep && width > 1) {
    const auto shift = static_cast<unsigned>(std::bit_width((width - 1) / parts));
    std::vector<std::uint64_t> counts(parts, 0);
    const std::uint64_t below = pass(low, width, [&](const double* values, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) ++counts[(std::bit_cast<std::uint64_t>(values[i]) - low) >> shift];
    });
    std::uint64_t rest = lower_rank - below;
    std::size_t part = 0;
    if (lower_rank >= below) {
      while (part < parts && rest >= counts[part]) rest -= counts[part++];
    }
    if (lower_rank < below || part == parts) {  // a bad guess
      low = 0;
      width = everything;
      continue;
    }
    rank = rest;
    inside = counts[part];
    const std::uint64_t end = low + width;
    low += static_cast<std::uint64_t>(part) << shift;
    width = std::min(std::uint64_t{1} << shift, end - low);
  }
  const bool even = upper_rank != lower_rank && !lower_middle;
  double lower = std::bit_cast<double>(low);
  double upper = std::numeric_limits<double>::infinity();
  if (width > 1) {
    std::vector<double> candidates;
    pass(low, width,
         [&](const double* values, std::size_t count) { candidates.insert(candidates.end(), values, values + count); });
    inside = candidates.size();
    const auto middle = candidates.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(candidates.begin(), middle, candidates.end());
    lower = *middle;
    if (middle + 1 != candidates.end()) upper = *std::min_element(middle + 1, candidates.end());
  } else if (rank + 1 < inside) {
    upper = lower;
  }
  if (even && rank + 1 >= inside) {
    // The upper middle value is the smallest one after the interval.
    pass(low + width, everything - (low + width), [&](const double* values, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) upper = std::min(upper, values[i]);
    });
  }
  return even ? 0.5 * (std::sqrt(lower) + std::sqrt(upper)) : std::sqrt(lower);
}

}  // namespace onmanifold
