// SPDX-License-Identifier: Apache-2.0
#include "metrics/backbone_chains.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <Eigen/Geometry>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/histogram.hpp"
#include "metrics/one_dimensional.hpp"

namespace onmanifold {
namespace {

constexpr double degrees = 180 / M_PI;

Index atoms_of(const PointsRef& chains, Index least) {
  if (chains.rows() % 3 != 0 || chains.rows() < 3 * least)
    throw InvalidInput(fmt::format("{} coordinates are no chain of {} atoms or more", chains.rows(), least));
  return chains.rows() / 3;
}

const ChainView* backbone_of(const MetricInput& input) {
  return input.target.manifold == nullptr ? nullptr : input.target.manifold->chain_view();
}

enum class Quantity { length, angle };

// Deviations of points in chunks: their mean or their largest.
class Deviations {
 public:
  Deviations(Quantity quantity, bool largest, const ChainView& backbone)
      : quantity_(quantity), maximum_(largest), backbone_(backbone) {}

  void add(int pass, const Points& points) {
    count_ += pass == 0 ? points.cols() : 0;
    const Points chains = backbone_.full_coordinates(points);
    const Points values = quantity_ == Quantity::length ? bond_length_deviations(chains, backbone_.geometry())
                                                        : bond_angle_deviations(chains, backbone_.geometry());
    if (maximum_) {
      // Written so that a NaN, an angle at coinciding atoms, stays.
      for (Index i = 0; i < values.size(); ++i) {
        if (!(values.data()[i] <= largest_)) largest_ = values.data()[i];
        if (std::isnan(largest_)) return;
      }
      return;
    }
    moments_.add(pass, values.colwise().mean().transpose());
  }
  [[nodiscard]] Index count() const { return count_; }
  [[nodiscard]] double value() const {
    if (count_ == 0) return MetricRecord::unknown;
    return maximum_ ? largest_ : moments_.mean();
  }
  // Spread of a chain's number; unknown for the maximum.
  [[nodiscard]] double chain_sd() const { return maximum_ ? MetricRecord::unknown : moments_.sd(); }

 private:
  Quantity quantity_;
  bool maximum_;
  const ChainView& backbone_;
  Index count_ = 0;
  double largest_ = 0;
  StreamedMoments moments_;
};

class DeviationStream final : public MetricStream {
 public:
  DeviationStream(Quantity quantity, bool largest, const MetricInput& input)
      : quantity_(quantity), largest_(largest), input_(input) {
    if (const ChainView* backbone = backbone_of(input)) own_.emplace(quantity, largest, *backbone);
  }

  [[nodiscard]] int passes() const override { return largest_ ? 1 : 2; }

  void add(int pass, const Points& chunk, const Projection* /*projection*/) override {
    const FiniteColumns finite(chunk);
    if (pass == 0) {
      n_samples_ += chunk.cols();
      n_nonfinite_ += finite.nonfinite();
    }
    if (own_) own_->add(pass, finite.points());
  }

  std::vector<MetricRecord> finish() override {
    Value::Table parameters;
    parameters["space"] = quantity_ == Quantity::length ? "bond lengths" : "bond angles";
    if (own_) parameters["geometry"] = backbone_of(input_)->geometry().name;
    parameters["null_method"] = "the reference's own value";
    const std::string name =
        fmt::format("bond_{}_error{}", quantity_ == Quantity::length ? "length" : "angle", largest_ ? "_max" : "");
    MetricRecord record = make_record(name, "lower", parameters, input_);
    record.unit = quantity_ == Quantity::length ? "Å" : "degrees";
    record.n_samples = n_samples_;
    record.n_nonfinite = n_nonfinite_;
    if (!own_) return {not_applicable(record, "the manifold is no backbone")};
    if (own_->count() == 0) return {failed(record, "no finite sample")};
    if (std::isnan(own_->value())) return {failed(record, "a bond angle at coinciding atoms")};
    record.value = own_->value();
    const double root = std::sqrt(static_cast<double>(own_->count()));
    record.se = own_->chain_sd() / root;
    if (input_.target.reference != nullptr) {
      const FiniteColumns& reference = input_.target.finite();
      record.n_reference = reference.size();
      Deviations null(quantity_, largest_, *backbone_of(input_));
      for (int pass = 0; pass < passes(); ++pass) null.add(pass, reference.points());
      record.null = null.value();
      record.null_sd = null.chain_sd() / root;
    }
    return {record};
  }

 private:
  Quantity quantity_;
  bool largest_;
  const MetricInput& input_;
  std::optional<Deviations> own_;
  Index n_samples_ = 0;
  Index n_nonfinite_ = 0;
};

class DeviationMetric final : public Metric {
 public:
  DeviationMetric(Quantity quantity, bool largest) : quantity_(quantity), largest_(largest) {}

  [[nodiscard]] std::unique_ptr<MetricStream> do_stream(const MetricInput& input) const override {
    return std::make_unique<DeviationStream>(quantity_, largest_, input);
  }

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    return measure_as_one_chunk(*do_stream(input), input);
  }

  Quantity quantity_;
  bool largest_;
};

class GyrationMetric final : public Metric {
 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "radius of gyration of N, CA, C";
    parameters["null_method"] = "limit law, plug-in distribution";
    MetricRecord record = make_record("radius_of_gyration_w1", "lower", parameters, input);
    record.unit = "Å";
    const ChainView* backbone = backbone_of(input);
    if (backbone == nullptr) return {not_applicable(record, "the manifold is no backbone")};
    const FinitePair sets(input, record);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    const Vector x = radii_of_gyration(backbone->full_coordinates(sets.reference()));
    const Vector y = radii_of_gyration(backbone->full_coordinates(sets.samples()));
    record.value = line_transport(x, y, 1);
    const NullMoments null = line_transport_null(x, x.size(), y.size());
    record.null = null.mean;
    record.null_sd = null.sd;
    return {record};
  }
};

class RamachandranMetric final : public Metric {
 public:
  explicit RamachandranMetric(Settings& settings) : bins_(settings.integer("bins", 36, 1, 360, "bins of each angle")) {}

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    Value::Table parameters;
    parameters["space"] = "(phi, psi) of all inner residues";
    parameters["bins"] = static_cast<std::int64_t>(bins_);
    parameters["cells"] = static_cast<std::int64_t>(bins_ * bins_);
    parameters["reference"] = "sample";
    parameters["null_method"] = fmt::format("{} pairs of sets of chains drawn again from the reference", resamples);
    MetricRecord record = make_record("ramachandran_tvd", "lower", parameters, input);
    const ChainView* backbone = backbone_of(input);
    if (backbone == nullptr) return {not_applicable(record, "the manifold is no backbone")};
    if (backbone->residues() < 3) return {not_applicable(record, "no residue has both phi and psi")};
    const FinitePair sets(input, record);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    const Eigen::MatrixXi p = ramachandran_cells(backbone->torsions(sets.reference()), bins_);
    const Eigen::MatrixXi q = ramachandran_cells(backbone->torsions(sets.samples()), bins_);
    record.value = total_variation(shares(p), shares(q));
    const std::string key = fmt::format("ramachandran_tvd/{}/{}", bins_, q.cols());
    const auto null = input.target.memo().get<NullMoments>(key, [&] {
      Stream stream = input.target.evaluation.at("null").at("ramachandran_tvd");
      Vector values(resamples);
      for (Index i = 0; i < resamples; ++i) {
        const Vector first = resampled_shares(p, p.cols(), stream);
        const Vector second = resampled_shares(p, q.cols(), stream);
        values[i] = total_variation(first, second);
      }
      return moments_of(values);
    });
    record.null = null->mean;
    record.null_sd = null->sd;
    return {record};
  }

  [[nodiscard]] Vector shares(const Eigen::MatrixXi& cells) const {
    Vector counts = Vector::Zero(bins_ * bins_);
    for (Index i = 0; i < cells.size(); ++i) counts[cells.data()[i]] += 1;
    return counts / static_cast<double>(cells.size());
  }

  [[nodiscard]] Vector resampled_shares(const Eigen::MatrixXi& cells, Index n, Stream& stream) const {
    Vector counts = Vector::Zero(bins_ * bins_);
    for (Index i = 0; i < n; ++i) {
      const auto chain = static_cast<Index>(stream.integer(static_cast<std::uint64_t>(cells.cols())));
      for (Index r = 0; r < cells.rows(); ++r) counts[cells(r, chain)] += 1;
    }
    return counts / static_cast<double>(cells.rows() * n);
  }

  static constexpr Index resamples = 40;
  Index bins_;
};

}  // namespace

Points bond_length_deviations(const PointsRef& chains, const BackboneGeometry& geometry) {
  const Index atoms = atoms_of(chains, 2);
  Points result(atoms - 1, chains.cols());
  for (Index j = 0; j < chains.cols(); ++j) {
    for (Index i = 0; i + 1 < atoms; ++i) {
      const Eigen::Vector3d bond = chains.col(j).segment<3>(3 * i + 3) - chains.col(j).segment<3>(3 * i);
      result(i, j) = std::abs(bond.norm() - geometry.bond(i));
    }
  }
  return result;
}

Points bond_angle_deviations(const PointsRef& chains, const BackboneGeometry& geometry) {
  const Index atoms = atoms_of(chains, 3);
  Points result(atoms - 2, chains.cols());
  for (Index j = 0; j < chains.cols(); ++j) {
    for (Index i = 0; i + 2 < atoms; ++i) {
      const Eigen::Vector3d middle = chains.col(j).segment<3>(3 * i + 3);
      const Eigen::Vector3d a = chains.col(j).segment<3>(3 * i) - middle;
      const Eigen::Vector3d b = chains.col(j).segment<3>(3 * i + 6) - middle;
      // By the arc tangent: the arc cosine loses half of the digits near 180 degrees.
      const double sine = a.cross(b).norm();
      const double cosine = a.dot(b);
      result(i, j) = sine == 0 && cosine == 0 ? MetricRecord::unknown
                                              : std::abs(std::atan2(sine, cosine) - geometry.angle(i)) * degrees;
    }
  }
  return result;
}

Vector radii_of_gyration(const PointsRef& chains) {
  const Index atoms = atoms_of(chains, 1);
  Vector result(chains.cols());
  for (Index j = 0; j < chains.cols(); ++j) {
    Eigen::Vector3d centre = Eigen::Vector3d::Zero();
    for (Index i = 0; i < atoms; ++i) centre += chains.col(j).segment<3>(3 * i);
    centre /= static_cast<double>(atoms);
    double squares = 0;
    for (Index i = 0; i < atoms; ++i) squares += (chains.col(j).segment<3>(3 * i) - centre).squaredNorm();
    result[j] = std::sqrt(squares / static_cast<double>(atoms));
  }
  return result;
}

Eigen::MatrixXi ramachandran_cells(const PointsRef& torsions, Index bins) {
  if (torsions.rows() % 3 != 0 || torsions.rows() < 6)
    throw InvalidInput(fmt::format("{} torsions are those of no chain of 3 residues or more", torsions.rows()));
  const Index inner = torsions.rows() / 3 - 1;
  const auto cell = [&](double angle) {
    const double position = std::floor((angle / (2 * M_PI) + 0.5) * static_cast<double>(bins));
    return std::clamp<Index>(static_cast<Index>(position), 0, bins - 1);
  };
  Eigen::MatrixXi result(inner, torsions.cols());
  for (Index j = 0; j < torsions.cols(); ++j) {
    for (Index r = 0; r < inner; ++r) {
      // Order psi_0, omega_0, phi_1, psi_1, …
      result(r, j) = static_cast<int>(cell(torsions(3 * r + 2, j)) * bins + cell(torsions(3 * r + 3, j)));
    }
  }
  return result;
}

NullMoments line_transport_null(Vector values, Index n, Index m) {
  if (values.size() == 0 || n < 1 || m < 1) throw InvalidInput("line transport: no points");
  std::sort(values.begin(), values.end());
  constexpr Index most = 400;
  if (values.size() > most) {
    Vector kept(most);
    for (Index i = 0; i < most; ++i) kept[i] = values[i * (values.size() - 1) / (most - 1)];
    values = std::move(kept);
  }
  const Index gaps = values.size() - 1;
  if (gaps < 1) return {0, 0};
  // Between two values F is constant. E|X| of a normal X is sqrt(2/pi) sd, and Cov(|X|, |Y|) is
  // 2/pi sd sd' (sqrt(1 - r^2) + r asin r - 1) at correlation r.
  Vector level(gaps);
  Vector weight(gaps);
  for (Index i = 0; i < gaps; ++i) {
    level[i] = (static_cast<double>(i) + 1) / static_cast<double>(gaps + 1);
    weight[i] = (values[i + 1] - values[i]) * std::sqrt(level[i] * (1 - level[i]));
  }
  double variance = 0;
  for (Index i = 0; i < gaps; ++i) {
    for (Index j = 0; j < gaps; ++j) {
      const double low = std::min(level[i], level[j]);
      const double high = std::max(level[i], level[j]);
      const double r = std::min(1.0, std::sqrt(low * (1 - high) / (high * (1 - low))));
      variance += weight[i] * weight[j] * (std::sqrt(1 - r * r) + r * std::asin(r) - 1);
    }
  }
  const double rate = 1.0 / static_cast<double>(n) + 1.0 / static_cast<double>(m);
  return {std::sqrt(2 / M_PI * rate) * tree_sum(weight), std::sqrt(std::max(0.0, 2 / M_PI * rate * variance))};
}

std::unique_ptr<Metric> make_bond_length_error(Settings& /*settings*/) {
  return std::make_unique<DeviationMetric>(Quantity::length, false);
}
std::unique_ptr<Metric> make_bond_length_error_max(Settings& /*settings*/) {
  return std::make_unique<DeviationMetric>(Quantity::length, true);
}
std::unique_ptr<Metric> make_bond_angle_error(Settings& /*settings*/) {
  return std::make_unique<DeviationMetric>(Quantity::angle, false);
}
std::unique_ptr<Metric> make_bond_angle_error_max(Settings& /*settings*/) {
  return std::make_unique<DeviationMetric>(Quantity::angle, true);
}
std::unique_ptr<Metric> make_radius_of_gyration_w1(Settings& /*settings*/) {
  return std::make_unique<GyrationMetric>();
}
std::unique_ptr<Metric> make_ramachandran_tvd(Settings& settings) {
  return std::make_unique<RamachandranMetric>(settings);
}

}  // namespace onmanifold
