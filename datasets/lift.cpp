// SPDX-License-Identifier: Apache-2.0
#include "datasets/lift.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/training_points.hpp"

namespace onmanifold {
namespace {

/// Normal bases are kept between epochs up to this size; beyond it they are computed again, block by block.
constexpr double largest_basis_cache_bytes = 256e6;
/// Columns whose bases are held at once where they are not kept.
constexpr Index basis_block = 1024;

void check_lift(const Lift& lift) {
  if (!std::isfinite(lift.sigma) || lift.sigma < 0) {
    throw InvalidInput(fmt::format("lift '{}': sigma = {} is not a number >= 0", name_of(lift.type), lift.sigma));
  }
  if (lift.type == LiftType::none && lift.sigma != 0) {
    throw InvalidInput(fmt::format("lift 'none' takes no sigma, but {} was given", lift.sigma));
  }
}

/// Adds sigma·U_j·xi_j to column j of \p points; \p bases D×(kN), \p xi k×N.
void add_normal_noise(Eigen::Ref<Points> points, const PointsRef& bases, const PointsRef& xi, double sigma) {
  const Index k = xi.rows();
  for (Index j = 0; j < points.cols(); ++j) {
    for (Index i = 0; i < k; ++i) points.col(j) += (sigma * xi(i, j)) * bases.col(k * j + i);
  }
}

class LiftedSource final : public TrainingSource {
 public:
  LiftedSource(Points clean, const Manifold& manifold, const Lift& lift, const Stream& stream)
      : clean_(std::move(clean)),
        manifold_(manifold),
        lift_(lift),
        order_(stream.at("order")),
        noise_(stream.at("lift")) {
    check_lift(lift_);
    check_training_points(clean_, manifold_);
    if (normal()) {
      const double bytes = 8.0 * static_cast<double>(clean_.size()) * static_cast<double>(manifold_.codimension());
      if (bytes <= largest_basis_cache_bytes) bases_ = manifold_.normal_bases(clean_);
    }
  }

  [[nodiscard]] Index dimension() const override { return clean_.rows(); }
  [[nodiscard]] Index size() const override { return clean_.cols(); }
  [[nodiscard]] const Points& clean_points() const override { return clean_; }

  [[nodiscard]] Points epoch(Index epoch) const override {
    if (epoch < 0) throw InvalidInput(fmt::format("epoch {} is negative", epoch));
    const auto number = static_cast<std::uint64_t>(epoch);
    const std::vector<Index> order = order_.at(number).permutation(size());
    Points result(dimension(), size());
    for (Index j = 0; j < size(); ++j) result.col(j) = clean_.col(order[static_cast<std::size_t>(j)]);
    if (lift_.type == LiftType::none || lift_.sigma == 0) return result;

    Stream noise = noise_.at(number);
    if (lift_.type == LiftType::isotropic) {
      result += lift_.sigma * noise.normal(dimension(), size());
    } else {
      lift_normal(result, order, noise.normal(manifold_.codimension(), size()));
    }
    return result;
  }

 private:
  [[nodiscard]] bool normal() const { return lift_.type == LiftType::normal && lift_.sigma > 0; }

  void lift_normal(Points& points, const std::vector<Index>& order, const Points& xi) const {
    const Index k = manifold_.codimension();
    for (Index begin = 0; begin < size(); begin += basis_block) {
      const Index count = std::min(basis_block, size() - begin);
      if (bases_.size() == 0) {
        // The block still holds clean points.
        points.middleCols(begin, count) += manifold_.from_normal_coordinates(points.middleCols(begin, count),
                                                                             lift_.sigma * xi.middleCols(begin, count));
        continue;
      }
      Points bases(dimension(), k * count);
      for (Index j = 0; j < count; ++j) {
        bases.middleCols(k * j, k) = bases_.middleCols(k * order[static_cast<std::size_t>(begin + j)], k);
      }
      add_normal_noise(points.middleCols(begin, count), bases, xi.middleCols(begin, count), lift_.sigma);
    }
  }

  Points clean_;
  const Manifold& manifold_;
  Lift lift_;
  Stream order_;
  Stream noise_;
  Points bases_;  // D×(kN), or empty
};

}  // namespace

Points Lift::apply(const PointsRef& points, const Manifold& manifold, Stream stream) const {
  check_lift(*this);
  check_dimension(points, manifold.ambient_dimension(), "lift");
  Points result = points;
  if (type == LiftType::isotropic) {
    result += sigma * stream.normal(points.rows(), points.cols());
  } else if (type == LiftType::normal) {
    result += manifold.from_normal_coordinates(points, sigma * stream.normal(manifold.codimension(), points.cols()));
  }
  return result;
}

std::unique_ptr<TrainingSource> make_training_source(Points clean, const Manifold& manifold, const Lift& lift,
                                                     Stream stream) {
  return std::make_unique<LiftedSource>(std::move(clean), manifold, lift, stream);
}

}  // namespace onmanifold
