// SPDX-License-Identifier: Apache-2.0
#include "metrics/histogram.hpp"

#include <cmath>
#include <optional>

#include <boost/math/special_functions/bessel.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/binomial_moments.hpp"

namespace onmanifold {
namespace {

void check_sizes(const VectorRef& p, const VectorRef& q) {
  if (p.size() != q.size()) throw InvalidInput(fmt::format("histograms of {} and {} cells", p.size(), q.size()));
}

double half_kl(double p, double m) {
  return p > 0 ? 0.5 * p * std::log(p / m) : 0.0;
}

double js_term(double p, double q) {
  const double m = 0.5 * (p + q);
  return half_kl(p, m) + half_kl(q, m);
}

double tvd_term(double p, double q) {
  return 0.5 * std::abs(p - q);
}

// Columns in every cell, over chunks.
class CellCounts {
 public:
  void add(const Partition& partition, const Points& points) {
    if (counts_.size() == 0) counts_.setZero(partition.size());
    const Eigen::VectorXi cells = partition.assign(points);
    for (Index i = 0; i < cells.size(); ++i) {
      if (cells[i] < 0) continue;
      ++counts_[cells[i]];
      ++counted_;
    }
  }
  [[nodiscard]] const Eigen::Matrix<Index, Eigen::Dynamic, 1>& counts() const { return counts_; }
  // Columns that were counted.
  [[nodiscard]] Index counted() const { return counted_; }
  [[nodiscard]] Vector shares() const { return counts_.cast<double>() / static_cast<double>(counted_); }

 private:
  Eigen::Matrix<Index, Eigen::Dynamic, 1> counts_;
  Index counted_ = 0;
};

// e^-x (I0(x) + I1(x)), without overflow.
double scaled_bessel_sum(double x) {
  if (x > 500) {
    // Asymptotic series of both functions; the next term is below 1e-11.
    const double root = std::sqrt(2 * M_PI * x);
    return (2 - 0.25 / x - 3.0 / 64 / (x * x)) / root;
  }
  return std::exp(-x) * (boost::math::cyl_bessel_i(0, x) + boost::math::cyl_bessel_i(1, x));
}

NullMoments two_sample_moments(Index n, Index m, const Vector& masses) {
  const double rate = 1.0 / static_cast<double>(n) + 1.0 / static_cast<double>(m);
  const Eigen::ArrayXd variance = masses.array() * (1 - masses.array());
  const double sd = 0.5 * std::sqrt((1 - 2 / M_PI) * tree_sum(Vector(variance * rate)));
  return {tvd_null_two_samples(n, m, masses), sd};
}

enum class Kind { tvd, tvd_corrected, js_divergence, js_distance };

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::tvd:
      return "tvd";
    case Kind::tvd_corrected:
      return "tvd_corrected";
    case Kind::js_divergence:
      return "js_divergence";
    case Kind::js_distance:
      return "js_distance";
  }
  return "";
}

class HistogramStream final : public MetricStream {
 public:
  HistogramStream(Kind kind, Index bins, const MetricInput& input) : kind_(kind), bins_(bins), input_(input) {
    if (bins_ == 0) {
      partition_ = input.target.partition;
      if (partition_ == nullptr) lacking_ = "no partition; give bins";
      return;
    }
    lacking_ = "bins need a reference";
    if (input.target.reference == nullptr) return;
    const FiniteColumns& finite = input.target.finite();
    lacking_ = "the reference has no finite column";
    if (finite.size() == 0) return;
    std::vector<Index> coordinates;
    for (Index i = 0; i < finite.points().rows(); ++i) coordinates.push_back(i);
    const Vector low = finite.points().rowwise().minCoeff();
    Vector high = finite.points().rowwise().maxCoeff();
    for (Index i = 0; i < high.size(); ++i) {
      // A constant coordinate: one bin is in use. Beside 2^53 one is nothing.
      if (!(high[i] > low[i])) high[i] = low[i] + 1;
      if (!(high[i] > low[i])) high[i] = low[i] + std::abs(low[i]);
    }
    box_.emplace(coordinates, low, high, bins_);
    partition_ = &*box_;
    lacking_ = nullptr;
  }
  HistogramStream(const HistogramStream&) = delete;
  HistogramStream& operator=(const HistogramStream&) = delete;

  void add(int /*pass*/, const Points& chunk, const Projection* /*projection*/) override {
    n_samples_ += chunk.cols();
    if (partition_ != nullptr) samples_.add(*partition_, chunk);
  }

  std::vector<MetricRecord> finish() override {
    Value::Table parameters;
    parameters["space"] = "ambient";
    MetricRecord record = make_record(name_of(kind_), "lower", parameters, input_);
    record.n_samples = n_samples_;
    if (kind_ == Kind::tvd_corrected) record.version = 2;  // the null of sparse cells
    const bool js = kind_ == Kind::js_divergence || kind_ == Kind::js_distance;
    if (js) record.version = 2;  // the null of thin cells
    if (js) record.unit = kind_ == Kind::js_divergence ? "nats" : "sqrt(nats)";
    if (partition_ == nullptr) return {not_applicable(record, lacking_)};
    parameters["partition"] = partition_->description();
    parameters["cells"] = static_cast<std::int64_t>(partition_->size());

    const Index n = samples_.counted();
    record.n_nonfinite = n_samples_ - n;

    const bool exact = bins_ == 0 && input_.target.masses != nullptr && input_.target.masses->size() > 0;
    Vector p;
    CellCounts reference;
    Index n_reference = 0;
    if (exact) {
      if (input_.target.masses->size() != partition_->size()) {
        throw InvalidInput(fmt::format("{} masses for {} cells", input_.target.masses->size(), partition_->size()));
      }
      p = *input_.target.masses;
    } else {
      if (input_.target.reference == nullptr) return {not_applicable(record, "neither exact masses nor a reference")};
      reference.add(*partition_, *input_.target.reference);
      n_reference = reference.counted();
      if (n_reference == 0) return {not_applicable(record, "the reference has no finite column")};
      p = reference.shares();
    }
    parameters["reference"] = exact ? "exact masses" : "sample";
    record.n_reference = n_reference;
    if (n == 0) {
      record.parameters = to_json(parameters);
      return {failed(record, "no finite sample")};
    }
    const Vector q = samples_.shares();

    const bool sparse = !exact && (unseen_mass(reference) > sparse_mass || (js && thin_share(reference) > thin_cells));
    const NullMoments null =
        sparse ? split_moments(reference, js, parameters) : null_moments(p, n, n_reference, exact, js, parameters);
    switch (kind_) {
      case Kind::tvd:
        record.value = total_variation(p, q);
        record.null = null.mean;
        record.null_sd = null.sd;
        break;
      case Kind::tvd_corrected: {
        const double tvd = total_variation(p, q);
        const double u = tvd * tvd - null.mean * null.mean - null.sd * null.sd;
        record.value = std::copysign(std::sqrt(std::abs(u)), u);
        // u has mean 0 and, for a normal tvd, the variance 4 null² sd² + 2 sd⁴; of its signed root the mean
        // is about 0 and the second moment E|u| = sd(u) sqrt(2/pi).
        const double variance = null.sd * null.sd;
        const double sd_u = std::sqrt(4 * null.mean * null.mean * variance + 2 * variance * variance);
        record.null = 0;
        record.null_sd = std::sqrt(sd_u * std::sqrt(2 / M_PI));
        break;
      }
      case Kind::js_divergence:
        record.value = jensen_shannon(p, q);
        record.null = null.mean;
        record.null_sd = null.sd;
        break;
      case Kind::js_distance:
        record.value = std::sqrt(std::max(0.0, jensen_shannon(p, q)));
        parameters["null_method"] =
            (sparse ? random_splits(reference) : std::string(exact ? "exact binomial" : "(K-1)/8 (1/N + 1/M)")) +
            ", delta method for the root";
        if (null.mean > 0) {
          record.null = std::sqrt(null.mean) * (1 - null.sd * null.sd / (8 * null.mean * null.mean));
          record.null_sd = null.sd / (2 * std::sqrt(null.mean));
        } else {
          record.null = record.null_sd = 0;
        }
        break;
    }
    record.se = delta_error(p, q, n, n_reference, js);
    if (kind_ == Kind::js_distance)
      record.se = record.value > 0 ? record.se / (2 * record.value) : MetricRecord::unknown;
    if (kind_ == Kind::tvd_corrected) {
      const double tvd = total_variation(p, q);
      record.se = record.value != 0 ? record.se * tvd / std::abs(record.value) : MetricRecord::unknown;
    }
    record.parameters = to_json(parameters);
    return {record};
  }

  // First-order spread of a function of multinomial counts: the derivative by each share of a cell is taken
  // as a number that every point in that cell carries. A finite reference adds its own part.
  static double delta_error(const Vector& p, const Vector& q, Index n, Index m, bool js) {
    const auto part = [&](const Vector& own, const Vector& other, Index size) {
      const auto slope = [&](Index b) {
        if (own[b] <= 0) return 0.0;
        if (js) return 0.5 * std::log(2 * own[b] / (own[b] + other[b]));
        return own[b] > other[b] ? 0.5 : own[b] < other[b] ? -0.5 : 0.0;
      };
      const double mean = tree_sum_over(own.size(), [&](Index b) { return own[b] * slope(b); });
      const double square = tree_sum_over(own.size(), [&](Index b) { return own[b] * slope(b) * slope(b); });
      return std::max(0.0, square - mean * mean) / static_cast<double>(size);
    };
    return std::sqrt(part(q, p, n) + (m > 0 ? part(p, q, m) : 0));
  }

 private:
  // Good and Turing: the share of points that are alone in their cell is about the mass of the cells not seen at all.
  [[nodiscard]] double unseen_mass(const CellCounts& reference) const {
    const Index alone = ((reference.counts() + samples_.counts()).array() == 1).count();
    return static_cast<double>(alone) / static_cast<double>(reference.counted() + samples_.counted());
  }

  // Share of the cells seen that hold too few points for (p - q)²/(8p) to be their part of the divergence.
  [[nodiscard]] double thin_share(const CellCounts& reference) const {
    const auto both = (reference.counts() + samples_.counts()).array();
    const auto seen = (both > 0).count();
    return static_cast<double>((both > 0 && both < thin_cell).count()) / static_cast<double>(seen);
  }

  // As many as 40 million points allow.
  [[nodiscard]] Index splits(const CellCounts& reference) const {
    return std::clamp<Index>(40'000'000 / (reference.counted() + samples_.counted()), 20, 200);
  }
  [[nodiscard]] std::string random_splits(const CellCounts& reference) const {
    return fmt::format("{} random splits of both sets together, for cells are sparse", splits(reference));
  }

  // Cells that no point has seen are no part of a plug-in null. What both sets have seen, dealt out again at random,
  // has the right mean for every grid; its spread is that of the value around it.
  NullMoments split_moments(const CellCounts& reference, bool js, Value::Table& parameters) const {
    parameters["null_method"] = random_splits(reference);
    // The box is that of the reference, of which nothing lies outside: so many true samples would, and stay samples.
    const Index last = reference.counts().size() - 1;
    Index outside = 0;
    if (box_) {
      const auto size = static_cast<double>(reference.counted());
      const double inside = std::pow((size - 1) / (size + 1), static_cast<double>(input_.target.reference->rows()));
      outside = std::min(samples_.counts()[last],
                         static_cast<Index>(std::ceil((1 - inside) * static_cast<double>(samples_.counted()))));
    }
    Index cells = 1;  // with a point; 0: what stays outside
    std::vector<Index> pooled;
    for (Index b = 0; b <= last; ++b) {
      const Index count = reference.counts()[b] + samples_.counts()[b] - (b == last ? outside : 0);
      if (count > 0) pooled.insert(pooled.end(), static_cast<std::size_t>(count), cells++);
    }
    const Stream stream = input_.target.evaluation.at("null").at("histogram");
    Vector values(splits(reference));
    for (Index s = 0; s < values.size(); ++s) {
      Stream own = stream.at(static_cast<std::uint64_t>(s));
      const std::vector<Index> order = own.permutation(static_cast<Index>(pooled.size()));
      Vector p = Vector::Zero(cells);
      Vector q = Vector::Zero(cells);
      q[0] = static_cast<double>(outside);
      for (Index i = 0; const Index at : order) {
        (i++ < reference.counted() ? p : q)[pooled[static_cast<std::size_t>(at)]] += 1;
      }
      p /= static_cast<double>(reference.counted());
      q /= static_cast<double>(samples_.counted());
      values[s] = js ? jensen_shannon(p, q) : total_variation(p, q);
    }
    return moments_of(values);
  }

  NullMoments null_moments(const Vector& p, Index n, Index m, bool exact, bool js, Value::Table& parameters) const {
    if (exact) {
      parameters["null_method"] = "exact binomial";
      return *input_.target.memo().get<NullMoments>(fmt::format("histogram/{}/{}", js, n), [&]() -> NullMoments {
        NullMoments moments = multinomial_sum_moments(n, p, js ? js_term : tvd_term);
        if (!js) moments.mean = tvd_null(n, p);
        return moments;
      });
    }
    if (js) {
      // Each cell of the divergence is (p - q)²/(8p) to leading order: a scaled chi-squared of K - 1 degrees.
      parameters["null_method"] = "(K-1)/8 (1/N + 1/M)";
      const double rate = 1.0 / static_cast<double>(n) + 1.0 / static_cast<double>(m);
      const auto degrees = static_cast<double>((p.array() > 0).count() - 1);
      return {degrees * rate / 8, std::sqrt(2 * degrees) * rate / 8};
    }
    parameters["null_method"] =
        n == m ? "two samples, Bessel form, plug-in masses" : "two samples, normal, plug-in masses";
    return two_sample_moments(n, m, p);
  }

  static constexpr double sparse_mass = 0.01;
  static constexpr double thin_cells = 0.05;
  static constexpr Index thin_cell = 10;

  Kind kind_;
  Index bins_;
  const MetricInput& input_;
  std::optional<BoxPartition> box_;
  const Partition* partition_ = nullptr;
  const char* lacking_ = nullptr;  // why there is no partition
  CellCounts samples_;
  Index n_samples_ = 0;
};

class HistogramMetric final : public Metric {
 public:
  HistogramMetric(Kind kind, Settings& settings)
      : kind_(kind),
        bins_(settings.integer("bins", 0, 0, 100000, "equal bins a coordinate; 0: the partition of the task")) {}

  [[nodiscard]] std::unique_ptr<MetricStream> do_stream(const MetricInput& input) const override {
    return std::make_unique<HistogramStream>(kind_, bins_, input);
  }

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    return measure_as_one_chunk(*do_stream(input), input);
  }

  [[nodiscard]] std::optional<int> do_degree() const override {
    return bins_ > 0 ? std::optional<int>(0) : std::nullopt;
  }

  Kind kind_;
  Index bins_;
};

}  // namespace

BoxPartition::BoxPartition(std::vector<Index> coordinates, Vector low, Vector high, Index bins)
    : coordinates_(std::move(coordinates)), low_(std::move(low)), high_(std::move(high)), bins_(bins), size_(1) {
  const auto axes = static_cast<Index>(coordinates_.size());
  if (axes == 0 || low_.size() != axes || high_.size() != axes || bins_ < 1 || !(low_.array() < high_.array()).all()) {
    throw InvalidInput("box partition: needs one interval low < high a coordinate and at least one bin");
  }
  for (Index a = 0; a < axes; ++a) {
    size_ *= bins_;
    if (size_ > 10'000'000) {
      throw InvalidInput(fmt::format("{} bins along {} axes are more than 10^7 cells", bins_, axes));
    }
  }
  ++size_;
}

Eigen::VectorXi BoxPartition::assign(const PointsRef& points) const {
  Eigen::VectorXi cells(points.cols());
  for (const Index c : coordinates_) {
    if (c < 0 || c >= points.rows()) throw InvalidInput(fmt::format("box partition: no coordinate {}", c));
  }
  const auto bins = static_cast<double>(bins_);
  for (Index i = 0; i < points.cols(); ++i) {
    if (!points.col(i).allFinite()) {
      cells[i] = -1;
      continue;
    }
    Index cell = 0;
    for (std::size_t a = 0; a < coordinates_.size(); ++a) {
      const auto axis = static_cast<Index>(a);
      const double x = points(coordinates_[a], i);
      if (x < low_[axis] || x > high_[axis]) {
        cell = size_ - 1;
        break;
      }
      const double position = std::floor((x - low_[axis]) / (high_[axis] - low_[axis]) * bins);
      cell = cell * bins_ + std::min(static_cast<Index>(position), bins_ - 1);
    }
    cells[i] = static_cast<int>(cell);
  }
  return cells;
}

std::string BoxPartition::description() const {
  return fmt::format("box, {} bins an axis, coordinates {}, low {}, high {}, overflow", bins_,
                     fmt::join(coordinates_, ","), fmt::join(low_.begin(), low_.end(), ","),
                     fmt::join(high_.begin(), high_.end(), ","));
}

double total_variation(const VectorRef& p, const VectorRef& q) {
  check_sizes(p, q);
  return tree_sum_over(p.size(), [&](Index b) { return tvd_term(p[b], q[b]); });
}

double jensen_shannon(const VectorRef& p, const VectorRef& q) {
  check_sizes(p, q);
  return tree_sum_over(p.size(), [&](Index b) { return js_term(p[b], q[b]); });
}

double tvd_null(Index n, const VectorRef& masses) {
  return tree_sum_over(masses.size(), [&](Index b) { return binomial_mean_absolute_deviation(n, masses[b]); }) /
         (2 * static_cast<double>(n));
}

double tvd_null_two_samples(Index n, Index m, const VectorRef& masses) {
  if (n == m) {
    return tree_sum_over(
        masses.size(), [&](Index b) { return masses[b] * scaled_bessel_sum(2 * static_cast<double>(n) * masses[b]); });
  }
  const double rate = 1.0 / static_cast<double>(n) + 1.0 / static_cast<double>(m);
  return tree_sum_over(masses.size(),
                       [&](Index b) { return std::sqrt(masses[b] * (1 - masses[b]) * rate / (2 * M_PI)); });
}

std::unique_ptr<Metric> make_tvd(Settings& settings) {
  return std::make_unique<HistogramMetric>(Kind::tvd, settings);
}
std::unique_ptr<Metric> make_tvd_corrected(Settings& settings) {
  return std::make_unique<HistogramMetric>(Kind::tvd_corrected, settings);
}
std::unique_ptr<Metric> make_js_divergence(Settings& settings) {
  return std::make_unique<HistogramMetric>(Kind::js_divergence, settings);
}
std::unique_ptr<Metric> make_js_distance(Settings& settings) {
  return std::make_unique<HistogramMetric>(Kind::js_distance, settings);
}

}  // namespace onmanifold
