// SPDX-License-Identifier: Apache-2.0
#include "models/controls/blur.hpp"

#include "core/error.hpp"

namespace onmanifold {
namespace {

class Blur final : public GenerativeModel {
 public:
  explicit Blur(double width) : width_(width) {}

 private:
  void do_fit(const FitContext& context) override {
    training_ = context.training;
    check_finite(training_->clean_points(), "training points");
  }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    const Points& points = training_->clean_points();
    Stream draws = stream;
    Points samples(points.rows(), n);
    for (Index i = 0; i < n; ++i) {
      samples.col(i) = points.col(static_cast<Index>(draws.integer(static_cast<std::uint64_t>(points.cols()))));
    }
    return samples + width_ * draws.normal(points.rows(), n);
  }
  void do_load(const ModelState&, const FitContext& context) override { do_fit(context); }

  double width_;
  const TrainingSource* training_ = nullptr;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_blur(Settings& settings) {
  return std::make_unique<Blur>(settings.number("width", 0.05, 0.0, 10.0, "width of the noise, in units of the data"));
}

}  // namespace onmanifold
