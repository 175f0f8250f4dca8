// SPDX-License-Identifier: Apache-2.0
#include "models/controls/oracle.hpp"

#include "core/error.hpp"

namespace onmanifold {
namespace {

class Oracle final : public GenerativeModel {
  void do_fit(const FitContext& context) override {
    if (context.sampler == nullptr) throw Unsupported("oracle needs a task with a sampler");
    sampler_ = context.sampler;
  }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override { return sampler_->sample(n, stream); }
  void do_load(const ModelState&, const FitContext& context) override { do_fit(context); }

  const Sampler* sampler_ = nullptr;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_oracle(Settings&) {
  return std::make_unique<Oracle>();
}

}  // namespace onmanifold
