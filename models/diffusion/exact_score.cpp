// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/exact_score.hpp"

#include <optional>

#include "core/error.hpp"
#include "models/diffusion/diffusion_sampler.hpp"

namespace onmanifold {
namespace {

class ExactScore final : public GenerativeModel {
 public:
  explicit ExactScore(Settings& settings)
      : diffusion_(DiffusionSettings::read(settings)), sampler_(SamplerOptions::read(settings)) {}

  [[nodiscard]] std::unique_ptr<ScoreField> score_field() const override {
    const Index steps = schedule_->steps();
    Vector levels(steps);
    for (Index k = 0; k < steps; ++k) levels[k] = standardisation_.scale * schedule_->level(steps - k);
    return make_exact_score_field(*score_, std::move(levels));
  }

 private:
  void do_fit(const FitContext& context) override {
    if (context.diffused_score == nullptr) {
      throw Unsupported("exact_score needs a task with an analytic diffused score");
    }
    score_ = context.diffused_score;
    schedule_.emplace(diffusion_.make_schedule(context.smallest_noise));
    standardisation_ = standardisation(*context.training);
  }

  void do_load(const ModelState&, const FitContext& context) override { do_fit(context); }

  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    const double scale = standardisation_.scale;
    const Vector& mean = standardisation_.mean;
    const BlockDenoiser epsilon = [&](const Points& x, Index t, Points& predicted) {
      const double a = schedule_->signal(t);
      const double sigma = schedule_->noise(t);
      const Points y = (scale * x).colwise() + a * mean;
      predicted = -sigma * scale * score_->score(y, a, scale * sigma);
    };
    Points samples = sample_diffusion(*schedule_, sampler_, epsilon, mean.size(), n, stream);
    samples *= scale;
    samples.colwise() += mean;
    return samples;
  }

  DiffusionSettings diffusion_;
  SamplerOptions sampler_;
  const DiffusedScore* score_ = nullptr;
  std::optional<NoiseSchedule> schedule_;
  Standardisation standardisation_;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_exact_score(Settings& settings) {
  return std::make_unique<ExactScore>(settings);
}

}  // namespace onmanifold
