// SPDX-License-Identifier: Apache-2.0
#include "metrics/mmd.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/point_space.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

enum class Bandwidth { sigma, median, bank };

}  // namespace

template <>
struct EnumNames<Bandwidth> {
  static constexpr const char* kind = "bandwidth";
  static constexpr std::array<EnumName<Bandwidth>, 3> names = {
      {{Bandwidth::sigma, "sigma"}, {Bandwidth::median, "median"}, {Bandwidth::bank, "bank"}}};
};

namespace {

class MmdMetric final : public Metric {
 public:
  MmdMetric(bool biased, Settings& settings)
      : biased_(biased),
        space_(settings),
        permutations_(settings.integer("permutations", 0, 0, 100'000, "random relabellings for a p-value; 0: none")) {
    if (settings.has("sigma")) {
      if (settings.has("bandwidth")) throw InvalidInput(settings.where() + ": give sigma or bandwidth, not both");
      sigma_ = settings.number("sigma", 1, 1e-150, 1e150,
                               "bandwidth of the kernel in data units; without it bandwidth chooses");
      bandwidth_ = Bandwidth::sigma;
    } else {
      bandwidth_ =
          parse_named<Bandwidth>(settings.choice("bandwidth", "median", {"median", "bank"},
                                                 "median distance of the pooled points, or a sum over five kernels"));
    }
  }

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = space_.name();
    parameters["permutations"] = static_cast<std::int64_t>(permutations_);
    parameters["estimator"] = biased_ ? "biased" : "unbiased";
    parameters["bandwidth"] = std::string(name_of(bandwidth_));
    parameters["null_method"] = "centred kernel moments of the reference";
    MetricRecord record = make_record(biased_ ? "mmd2_rbf_biased" : "mmd2_rbf_unbiased", "lower", parameters, input);
    record.version = 2;  // distances do not cancel far from the origin
    const FinitePair sets(input, record, 2, 2);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    if (const std::string why = space_.obstacle(input); !why.empty()) return {not_applicable(record, why)};
    const Points x = space_.embed(sets.reference(), input);
    const Points y = space_.embed(sets.samples(), input);

    double sigma = sigma_;
    if (bandwidth_ == Bandwidth::median) {
      sigma = *input.memo().get<double>(fmt::format("median/{}", space_.name()), [&] {
        Points pooled(x.rows(), x.cols() + y.cols());
        pooled << x, y;
        return median_distance(pooled);
      });
      // On great circles: the arc of the median chord.
      if (const double radius = space_.radius(input); radius > 0)
        sigma = 2 * radius * std::asin(std::min(1.0, 0.5 * sigma / radius));
      if (!(sigma > 0)) return {failed(record, "the median distance is 0")};
      const double gamma = 0.5 / (sigma * sigma);
      if (!std::isfinite(gamma) || !(gamma > 0)) {
        return {failed(record, fmt::format("the median distance {:.3g} over- or underflows when squared", sigma))};
      }
    }
    const RadialKernel kernel(bandwidth_ == Bandwidth::bank ? std::vector<double>{.01, .1, 1, 10, 100}
                                                            : std::vector<double>{0.5 / (sigma * sigma)});
    if (bandwidth_ == Bandwidth::bank) {
      parameters["gammas"] = Value::Array(kernel.gammas().begin(), kernel.gammas().end());
    } else if (bandwidth_ == Bandwidth::sigma) {  // a median is computed, not part of the protocol
      parameters["sigma"] = sigma;
    }
    record.parameters = to_json(parameters);

    const auto n = static_cast<double>(x.cols());
    const auto m = static_cast<double>(y.cols());
    const PairFunction f{PairFunction::Kind::radial, &kernel, space_.radius(input)};
    // A median bandwidth is that of one pair of sets; a given one is the same for all samples.
    const Memo& of_reference = bandwidth_ == Bandwidth::median ? input.memo() : input.target.memo();
    const std::string key = fmt::format("kernel/{}/{}", space_.name(), kernel.key());
    const auto xx = of_reference.get<PairRows>(key + "/reference", [&] { return rows_over_pairs(x, f); });
    const auto yy = input.memo().get<PairRows>(key, [&] { return rows_over_pairs(y, f); });
    const auto xy = input.memo().get<std::pair<Vector, Vector>>(key, [&] { return rows_over_pairs(x, y, f); });
    const GroupSums sums{xx->total, yy->total, tree_sum(xy->second)};
    record.value = estimate(sums, n, m);
    if (biased_) record.value = std::max(0.0, record.value);  // a squared norm, up to rounding
    record.se = first_order_error(xx->own, yy->own, xy->first, xy->second);
    const auto moments = of_reference.get<KernelMoments>(
        key, [&] { return kernel_moments(space_.embed(kernel_moments_points(input.target.finite()), input), f); });
    record.null = biased_ ? (1 / n + 1 / m) * (1 - 2 * sums.first / (n * (n - 1))) : 0.0;
    record.null_sd = mmd2_null_sd(*moments, x.cols(), y.cols(), biased_);
    if (permutations_ > 0) {
      record.p_value = permutation_p(space_.embed(input.target.finite().sorted(), input),
                                     space_.embed(input.finite().sorted(), input), f, permutations_,
                                     input.target.evaluation.at("permutation"),
                                     [&](const GroupSums& split) { return estimate(split, n, m); });
    }
    return {record};
  }

  [[nodiscard]] std::optional<int> do_degree() const override {
    const bool scales = bandwidth_ == Bandwidth::median && space_.kind() == PointSpace::Kind::ambient;
    return scales ? std::optional<int>(0) : std::nullopt;
  }

  [[nodiscard]] double estimate(const GroupSums& sums, double n, double m) const {
    const double cross = 2 * sums.cross / (n * m);
    return biased_ ? (2 * sums.first + n) / (n * n) + (2 * sums.second + m) / (m * m) - cross
                   : 2 * sums.first / (n * (n - 1)) + 2 * sums.second / (m * (m - 1)) - cross;
  }

  bool biased_;
  PointSpace space_;
  Index permutations_;
  double sigma_ = 0;
  Bandwidth bandwidth_ = Bandwidth::median;
};

}  // namespace

MmdEstimates mmd2(const Points& x, const Points& y, const RadialKernel& kernel) {
  if (x.cols() < 2 || y.cols() < 2) throw InvalidInput("mmd2: fewer than two points");
  const auto n = static_cast<double>(x.cols());
  const auto m = static_cast<double>(y.cols());
  const PairFunction f{PairFunction::Kind::radial, &kernel};
  const double xx = sum_over_pairs(x, f);
  const double yy = sum_over_pairs(y, f);
  const double xy = sum_over_pairs(x, y, f);
  MmdEstimates estimates;
  estimates.biased = (2 * xx + n) / (n * n) + (2 * yy + m) / (m * m) - 2 * xy / (n * m);
  estimates.unbiased = 2 * xx / (n * (n - 1)) + 2 * yy / (m * (m - 1)) - 2 * xy / (n * m);
  if (x.cols() == y.cols()) {
    Vector diagonal = (x - y).colwise().squaredNorm();
    kernel.apply(diagonal.data(), diagonal.size());
    estimates.u = 2 * (xx + yy - (xy - tree_sum(diagonal))) / (n * (n - 1));
  }
  return estimates;
}

Points kernel_moments_points(const FiniteColumns& set) {
  return set.size() > kernel_moments_size ? set.drawn(kernel_moments_size) : set.sorted();
}

KernelMoments kernel_moments(const Points& x, const RadialKernel& kernel, Index limit) {
  return kernel_moments(x, PairFunction{PairFunction::Kind::radial, &kernel}, limit);
}

KernelMoments kernel_moments(const Points& x, const PairFunction& kernel, Index limit) {
  const Index count = std::min(x.cols(), limit);
  if (count < 4) return {};
  const Points subset = x.leftCols(count);
  const SquaredDistances distances(subset, tree_mean(subset));
  Vector rows = Vector::Zero(count);
  TreeSum squares;
  distances.visit(
      subset, [count](Index) { return count; },
      [&](Index j, Index begin, Index size, double* d2) {
        kernel.apply(d2, size);
        if (j >= begin && j < begin + size) d2[j - begin] = 0;
        const Eigen::Map<const Vector> k(d2, size);
        rows[j] += tree_sum(k);
        squares.add(k.squaredNorm());
      });
  return kernel_moments(rows, squares.sum());
}

KernelMoments kernel_moments(const Vector& rows, double square) {
  KernelMoments moments;
  if (rows.size() < 4) return moments;
  const auto n = static_cast<double>(rows.size());
  // U-statistics over distinct indices: E k(1,2)^2, E k(1,2) k(1,3), E k(1,2) k(3,4).
  const double total = tree_sum(rows);
  const double paths = tree_sum(rows.cwiseAbs2()) - square;
  const double apart = total * total - 4 * paths - 2 * square;
  const double mean_square = square / (n * (n - 1));
  const double mean_path = paths / (n * (n - 1) * (n - 2));
  const double mean_apart = apart / (n * (n - 1) * (n - 2) * (n - 3));
  moments.mean = total / (n * (n - 1));
  moments.centred_square = std::max(0.0, mean_square - 2 * mean_path + mean_apart);
  moments.diagonal_variance = std::max(0.0, 4 * (mean_path - mean_apart));  // k~(x,x) = k(x,x) - 2 g(x) + E k
  return moments;
}

double first_order_error(const Vector& xx, const Vector& yy, const Vector& xy, const Vector& yx) {
  const auto n = static_cast<double>(xx.size());
  const auto m = static_cast<double>(yy.size());
  const double sd_x = moments_of(Vector(xx / (n - 1) - xy / m)).sd;
  const double sd_y = moments_of(Vector(yy / (m - 1) - yx / n)).sd;
  return 2 * std::sqrt(sd_x * sd_x / n + sd_y * sd_y / m);
}

double mmd2_null_sd(const KernelMoments& moments, Index size_x, Index size_y, bool biased) {
  const auto n = static_cast<double>(size_x);
  const auto m = static_cast<double>(size_y);
  const double zeta = moments.centred_square;
  if (!biased) return std::sqrt(2 * zeta * (1 / (n * (n - 1)) + 1 / (m * (m - 1)) + 2 / (n * m)));
  const double pairs = 2 * zeta * ((n - 1) / (n * n * n) + (m - 1) / (m * m * m) + 2 / (n * m));
  return std::sqrt(pairs + moments.diagonal_variance * (1 / (n * n * n) + 1 / (m * m * m)));
}

std::unique_ptr<Metric> make_mmd2_rbf_biased(Settings& settings) {
  return std::make_unique<MmdMetric>(true, settings);
}
std::unique_ptr<Metric> make_mmd2_rbf_unbiased(Settings& settings) {
  return std::make_unique<MmdMetric>(false, settings);
}

}  // namespace onmanifold
