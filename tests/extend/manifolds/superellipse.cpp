// SPDX-License-Identifier: Apache-2.0
#include "manifolds/superellipse.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "manifolds/implicit_manifold.hpp"

namespace onmanifold {
namespace {

class SuperellipseEquation final : public ImplicitFunction {
 public:
  explicit SuperellipseEquation(int power) : power_(power) {}
  [[nodiscard]] Index ambient_dimension() const override { return 2; }
  [[nodiscard]] Index codimension() const override { return 1; }
  [[nodiscard]] Vector value(const Vector& x) const override {
    return Vector::Constant(1, std::pow(x(0), power_) + std::pow(x(1), power_) - 1);
  }
  [[nodiscard]] Eigen::MatrixXd jacobian(const Vector& x) const override {
    return power_ * Eigen::RowVector2d(std::pow(x(0), power_ - 1), std::pow(x(1), power_ - 1));
  }

 private:
  int power_;
};

}  // namespace

std::shared_ptr<const Manifold> make_superellipse(Settings& settings) {
  const Index power = settings.integer("power", 4, 2, 8, "power of the coordinates");
  if (power % 2 != 0) throw InvalidInput(fmt::format("{}: {} is not even", settings.locate("power"), power));
  return std::make_shared<ImplicitManifold>(std::make_shared<SuperellipseEquation>(static_cast<int>(power)), 0.0, 1.0,
                                            fmt::format("superellipse:power={}", power));
}

}  // namespace onmanifold
