// SPDX-License-Identifier: Apache-2.0
#include "models/controls/memorizer.hpp"

namespace onmanifold {
namespace {

class Memorizer final : public GenerativeModel {
  void do_fit(const FitContext& context) override { training_ = context.training; }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    const Points& points = training_->clean_points();
    Stream draws = stream;
    Points samples(points.rows(), n);
    for (Index i = 0; i < n; ++i) {
      samples.col(i) = points.col(static_cast<Index>(draws.integer(static_cast<std::uint64_t>(points.cols()))));
    }
    return samples;
  }
  void do_load(const ModelState&, const FitContext& context) override { do_fit(context); }

  const TrainingSource* training_ = nullptr;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_memorizer(Settings&) {
  return std::make_unique<Memorizer>();
}

}  // namespace onmanifold
