// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/training_radius.hpp"

#include "diagnostics/cell_input.hpp"

namespace onmanifold {
namespace {

class TrainingRadius final : public Diagnostic {
 public:
  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    return {{"radius", scalar(input.training->clean_points().colwise().norm().maxCoeff())}};
  }
};

}  // namespace

std::unique_ptr<Diagnostic> make_training_radius(Settings&) {
  return std::make_unique<TrainingRadius>();
}

}  // namespace onmanifold
