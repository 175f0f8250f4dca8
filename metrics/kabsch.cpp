// SPDX-License-Identifier: Apache-2.0
#include "metrics/kabsch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Geometry>
#include <Eigen/SVD>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "manifolds/chain_view.hpp"
#include "metrics/null_simulation.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

using Atoms = Eigen::Map<const Eigen::Matrix3Xd>;

// Both centred.
Superposition superpose_centred(const Atoms& p, const Atoms& q) {
  Superposition result;
  const Eigen::Matrix3d h = q * p.transpose();
  const Eigen::JacobiSVD<Eigen::Matrix3d> svd(h, Eigen::ComputeFullU | Eigen::ComputeFullV);
  const double sign = (svd.matrixV() * svd.matrixU().transpose()).determinant() < 0 ? -1 : 1;
  result.rotation = svd.matrixV() * Eigen::Vector3d(1, 1, sign).asDiagonal() * svd.matrixU().transpose();
  result.rmsd = std::sqrt((p - result.rotation * q).squaredNorm() / static_cast<double>(p.cols()));
  return result;
}

// A superposition takes about a microsecond: 10^8 pairs are some minutes.
constexpr Index rmsd_size_limit = 10'000;

Points centred(const Points& conformations) {
  Points result = conformations;
  const Index atoms = result.rows() / 3;
  for (Index i = 0; i < result.cols(); ++i) {
    Eigen::Map<Eigen::Matrix3Xd> own(result.col(i).data(), 3, atoms);
    const Eigen::Vector3d mean = own.rowwise().mean();
    own.colwise() -= mean;
  }
  return result;
}

double rmsd(const Points& x, Index i, const Points& y, Index j) {
  const Index atoms = x.rows() / 3;
  return superpose_centred(Atoms(x.col(i).data(), 3, atoms), Atoms(y.col(j).data(), 3, atoms)).rmsd;
}

// For every column of y the RMSD to its nearest column of x.
Vector nearest(const Points& x, const Points& y) {
  // A rotation cannot bring two centred sets nearer than the difference of their sizes.
  const Vector size_x = x.colwise().norm();
  const Vector size_y = y.colwise().norm();
  const double root = std::sqrt(static_cast<double>(x.rows()) / 3);
  Vector distances(y.cols());
  for (Index j = 0; j < y.cols(); ++j) {
    double best = std::numeric_limits<double>::infinity();
    for (Index i = 0; i < x.cols(); ++i) {
      if (std::abs(size_x[i] - size_y[j]) < best * root) best = std::min(best, rmsd(x, i, y, j));
    }
    distances[j] = best;
  }
  return distances;
}

double pairwise(const Points& x) {
  TreeSum sum;
  for (Index j = 0; j < x.cols(); ++j) {
    for (Index i = 0; i < j; ++i) sum.add(rmsd(x, i, x, j));
  }
  return sum.sum() / static_cast<double>(sum.count());
}

double cross(const Points& x, const Points& y) {
  TreeSum sum;
  for (Index j = 0; j < y.cols(); ++j) {
    for (Index i = 0; i < x.cols(); ++i) sum.add(rmsd(x, i, y, j));
  }
  return sum.sum() / static_cast<double>(sum.count());
}

enum class Kind { nearest, pairwise, cross };

class RmsdMetric final : public Metric {
 public:
  RmsdMetric(Kind kind, Settings& settings)
      : kind_(kind), size_(settings.integer("size", 0, 0, "so many points of each set, drawn at random; 0: all")) {}

 private:
  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    static constexpr const char* names[] = {"rmsd_nearest", "rmsd_pairwise", "rmsd_cross"};
    Value::Table parameters;
    parameters["space"] = "conformations modulo rotation and translation";
    parameters["atoms"] = static_cast<std::int64_t>(input.samples->rows() / 3);
    parameters["size"] = static_cast<std::int64_t>(size_);
    const char* name = names[static_cast<int>(kind_)];
    MetricRecord record = make_record(name, kind_ == Kind::nearest ? "lower" : "target", parameters, input);
    record.unit = "length";
    record.version = 2;  // size draws
    const FiniteColumns& samples = input.finite();
    record.n_nonfinite = samples.nonfinite();
    if (input.samples->rows() % 3 != 0) return {not_applicable(record, "columns are not xyz of atoms")};
    if (input.target.reference == nullptr) return {not_applicable(record, "no reference")};
    const FiniteColumns& reference = input.target.finite();
    if (reference.size() < 2) return {not_applicable(record, "fewer than two reference points")};
    // Backbones in the frame of their middle residue get its atoms back.
    const ChainView* backbone = input.target.manifold == nullptr ? nullptr : input.target.manifold->chain_view();
    const auto atoms = [&](const PointsRef& points) {
      return centred(backbone == nullptr ? Points(points) : backbone->full_coordinates(points));
    };
    const Points x = atoms(reference.drawn(size_));
    const Points y = atoms(samples.drawn(size_));
    parameters["atoms"] = static_cast<std::int64_t>(x.rows() / 3);
    record.n_reference = x.cols();
    const Index larger = std::max(x.cols(), y.cols());
    if (larger > rmsd_size_limit) {
      throw InvalidInput(
          fmt::format("{} of {} points compares up to {:.3g} pairs, above the limit of {:.3g}; "
                      "size={} fits",
                      name, larger, static_cast<double>(larger) * static_cast<double>(larger),
                      static_cast<double>(rmsd_size_limit * rmsd_size_limit), rmsd_size_limit));
    }
    if (y.cols() < (kind_ == Kind::pairwise ? 2 : 1)) return {failed(record, "not enough finite samples")};
    if (kind_ == Kind::nearest) {
      const NullMoments moments = moments_of(nearest(x, y));
      record.value = moments.mean;
      record.se = moments.sd / std::sqrt(static_cast<double>(y.cols()));
      parameters["null_method"] = "none: read the oracle's row";
      // Simulated only where it takes about as long as the value.
      constexpr Index pairs = 500'000;
      const Index draws = std::min<Index>(40, pairs / std::max<Index>(1, x.cols() * y.cols()));
      if (draws >= 8 && input.target.sampler != nullptr) {
        NullPlan plan;
        plan.small_draws = draws;
        plan.small_total = x.cols() + y.cols();
        const auto null = simulated_null(
            input, name, x.cols(), y.cols(), 1, plan,
            [&](const Points& a, const Points& b) { return Vector::Constant(1, nearest(atoms(a), atoms(b)).mean()); });
        record.null = null->mean[0];
        record.null_sd = null->sd[0];
        parameters["null_method"] = null->method;
      }
    } else {
      record.value = kind_ == Kind::pairwise ? pairwise(y) : cross(x, y);
      record.target = record.null =
          *input.target.memo().get<double>(fmt::format("rmsd_pairwise/{}", size_), [&] { return pairwise(x); });
      parameters["null_method"] = "the reference's own pairs";
    }
    record.parameters = to_json(parameters);
    return {record};
  }

  Kind kind_;
  Index size_;
};

}  // namespace

Superposition superpose(const PointsRef& p, const PointsRef& q) {
  check_dimension(p, 3, "atoms");
  check_dimension(q, 3, "atoms");
  if (p.cols() != q.cols() || p.cols() == 0)
    throw InvalidInput(fmt::format("superposition of {} and {} atoms", p.cols(), q.cols()));
  const Eigen::Matrix3Xd a = p.colwise() - p.rowwise().mean();
  const Eigen::Matrix3Xd b = q.colwise() - q.rowwise().mean();
  return superpose_centred(Atoms(a.data(), 3, a.cols()), Atoms(b.data(), 3, b.cols()));
}

std::unique_ptr<Metric> make_rmsd_nearest(Settings& settings) {
  return std::make_unique<RmsdMetric>(Kind::nearest, settings);
}
std::unique_ptr<Metric> make_rmsd_pairwise(Settings& settings) {
  return std::make_unique<RmsdMetric>(Kind::pairwise, settings);
}
std::unique_ptr<Metric> make_rmsd_cross(Settings& settings) {
  return std::make_unique<RmsdMetric>(Kind::cross, settings);
}

}  // namespace onmanifold
