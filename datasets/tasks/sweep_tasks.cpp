// SPDX-License-Identifier: Apache-2.0
// sphere-sweep: one law on a sphere of chosen dimension in a space of chosen dimension.
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/laws/embedded_law.hpp"
#include "datasets/laws/sphere_partition.hpp"
#include "datasets/laws/vmf_mixture.hpp"
#include "datasets/laws/von_mises_mixture.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/placed_sphere.hpp"

namespace onmanifold {
namespace {

/// The law of a·x0 + sigma·z on R^D from that on R^(d+1): the flat normals are one more independent Gaussian.
class PlacedScore final : public DiffusedScore {
 public:
  PlacedScore(Points basis, std::shared_ptr<const DiffusedScore> inner, const Lift& lift)
      : basis_(std::move(basis)), inner_(std::move(inner)), lift_(lift) {}

  [[nodiscard]] Index dimension() const override { return basis_.rows(); }

 private:
  void do_evaluate(const PointsRef& x, double a, double sigma, Points* score, Vector* log_density) const override {
    const double lifted = lift_.type == LiftType::none ? 0 : a * a * lift_.sigma * lift_.sigma;
    const double variance = sigma * sigma + lifted;
    const Index ambient = basis_.rows();
    const Index rank = basis_.cols();
    Points u(rank, x.cols());
    Points rest(ambient, x.cols());
    for (Index j = 0; j < x.cols(); ++j) {
      for (Index i = 0; i < ambient; ++i) rest(i, j) = x(i, j);
      for (Index k = 0; k < rank; ++k) {
        double value = 0;
        for (Index i = 0; i < ambient; ++i) value += basis_(i, k) * rest(i, j);
        u(k, j) = value;
        for (Index i = 0; i < ambient; ++i) rest(i, j) -= value * basis_(i, k);
      }
    }
    if (score != nullptr) {
      const Points inside = inner_->score(u, a, sigma);
      for (Index j = 0; j < x.cols(); ++j) {
        for (Index i = 0; i < ambient; ++i) {
          double value = -rest(i, j) / variance;
          for (Index k = 0; k < rank; ++k) value += basis_(i, k) * inside(k, j);
          (*score)(i, j) = value;
        }
      }
    }
    if (log_density != nullptr) {
      const Vector inside = inner_->log_density(u, a, sigma);
      for (Index j = 0; j < x.cols(); ++j) {
        double square = 0;
        for (Index i = 0; i < ambient; ++i) square += rest(i, j) * rest(i, j);
        (*log_density)[j] = inside[j] - 0.5 * square / variance -
                            0.5 * static_cast<double>(ambient - rank) * std::log(2 * M_PI * variance);
      }
    }
  }

  Points basis_;
  std::shared_ptr<const DiffusedScore> inner_;
  Lift lift_;
};

}  // namespace

Task make_sphere_sweep(Settings& settings) {
  const Index dimension = settings.integer("dim", 2, 1, 2, "dimension of the manifold");
  const Index ambient = settings.integer("ambient", 16, 2, 256, "dimension D of the space around it");
  if (ambient <= dimension) {
    throw InvalidInput(fmt::format("{}: {} must exceed dim = {}", settings.locate("ambient"), ambient, dimension));
  }
  const auto surface = std::make_shared<const PlacedSphere>(dimension, ambient);

  Task task;
  task.version = 2;  // the same bits on every machine
  task.name =
      dimension == 2 && ambient == 16 ? "sphere-sweep" : fmt::format("sphere-sweep-{}-in-{}", dimension, ambient);
  double variance = 0;  // summed over the coordinates
  std::shared_ptr<const EmbeddedLaw> law;
  std::function<std::shared_ptr<const DiffusedScore>(const Lift&)> inner_score;
  std::string law_name;
  if (dimension == 1) {
    const auto circle = std::make_shared<const VonMisesMixture>(
        std::vector<VonMisesMixture::Mode>{{{0.0}, {8.0}, 0.5}, {{2.0}, {8.0}, 0.3}, {{4.0}, {8.0}, 0.2}});
    const auto cells = std::make_shared<const TorusPartition>(
        1, settings.integer("bins", 128, 1, 4096, "bins along each axis of the partition"));
    law = std::make_shared<const EmbeddedLaw>(surface, circle, circle);
    inner_score = [circle](const Lift& lift) { return make_diffused_von_mises(*circle, lift); };
    law_name = "three von Mises laws, kappa = 8, means 0, 2, 4, weights .5 .3 .2";
    variance = 2 * circle->standard_deviation() * circle->standard_deviation();
    task.data_hash = hash_of_law(fmt::format("sphere-sweep frame=0/frame/{} von-mises 0:8:.5 2:8:.3 4:8:.2", ambient));
    task.partition = std::make_shared<const EmbeddedPartition>(surface, cells);
    task.masses = circle->masses(*cells);
  } else {
    Settings defaults(Value(Value::Table{}), "sphere-vmf6");
    const Task sphere = make_sphere_vmf6(defaults);
    const auto mixture = std::dynamic_pointer_cast<const VmfMixture>(sphere.density);
    const Index bands = settings.integer("bands", 12, 1, 256, "bands of latitude of the partition");
    const Index sectors = settings.integer("sectors", 24, 1, 512, "sectors of longitude of the partition");
    const auto cells = std::make_shared<const SpherePartition>(bands, sectors);
    law = std::make_shared<const EmbeddedLaw>(surface, sphere.sampler, sphere.density);
    inner_score = sphere.make_diffused_score;
    law_name = "the law of sphere-vmf6";
    variance = 3 * mixture->standard_deviation() * mixture->standard_deviation();
    task.data_hash = hash_of_law(fmt::format("sphere-sweep frame=0/frame/{} {}", ambient, sphere.data_hash));
    task.partition = std::make_shared<const EmbeddedPartition>(surface, cells);
    task.masses = integrate_on_sphere(*mixture, *cells, bands >= 12 && sectors >= 24 ? 16 : 96).masses;
  }
  const double deviation = std::sqrt(variance / static_cast<double>(ambient));
  task.description = fmt::format("{} on the unit sphere S^{} of a linear subspace of R^{} in fixed random directions",
                                 law_name, dimension, ambient);
  task.manifold = surface;
  task.sampler = law;
  task.density = law;
  task.entropy = law->entropy().value();
  task.preregistered_sigma = 0.1 * std::min(1.0, deviation);
  task.sigma_grid = {0.01, 0.03, 0.1, 0.3, 1};
  task.make_diffused_score = [surface, inner_score](const Lift& lift) -> std::shared_ptr<const DiffusedScore> {
    std::shared_ptr<const DiffusedScore> inner = inner_score(lift);
    return inner == nullptr ? nullptr : std::make_shared<const PlacedScore>(surface->basis(), std::move(inner), lift);
  };
  read_common_settings(task, settings, deviation);
  return task;
}

}  // namespace onmanifold
