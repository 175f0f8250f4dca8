// SPDX-License-Identifier: Apache-2.0
#include "datasets/fresh_source.hpp"

#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/training_points.hpp"

namespace onmanifold {
namespace {

class FreshSource final : public TrainingSource {
 public:
  FreshSource(Points clean, const Sampler& sampler, const Manifold& manifold, const Lift& lift, const Stream& stream)
      : clean_(std::move(clean)), sampler_(sampler), manifold_(manifold), lift_(lift), stream_(stream) {
    check_training_points(clean_, manifold_);
  }

  [[nodiscard]] Index dimension() const override { return clean_.rows(); }
  [[nodiscard]] Index size() const override { return clean_.cols(); }
  [[nodiscard]] const Points& clean_points() const override { return clean_; }
  [[nodiscard]] Points epoch(Index epoch) const override {
    if (epoch < 0) throw InvalidInput(fmt::format("epoch {} is negative", epoch));
    const auto number = static_cast<std::uint64_t>(epoch);
    return lift_.apply(epoch == 0 ? clean_ : sampler_.sample(size(), stream_.at("fresh").at(number)), manifold_,
                       stream_.at("lift").at(number));
  }

 private:
  Points clean_;
  const Sampler& sampler_;
  const Manifold& manifold_;
  Lift lift_;
  Stream stream_;
};

}  // namespace

std::unique_ptr<TrainingSource> make_fresh_source(Points clean, const Sampler& sampler, const Manifold& manifold,
                                                  const Lift& lift, Stream stream) {
  return std::make_unique<FreshSource>(std::move(clean), sampler, manifold, lift, stream);
}

}  // namespace onmanifold
