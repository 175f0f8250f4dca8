// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/training_record.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "diagnostics/cell_input.hpp"

namespace onmanifold {
namespace {

class Training final : public Diagnostic {
 public:
  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    const Curves curves = input.model->curves();
    const auto loss = curves.find("loss");
    if (loss == curves.end() || loss->second.size() == 0) throw Unsupported("the method records no loss");
    const auto tail = [](const Vector& values, Index share) -> Vector {
      return values.tail(std::max<Index>(1, values.size() / share));
    };
    Curves result = {{"final_loss", scalar(mean(tail(loss->second, 10)))}};
    const auto gradient = curves.find("gradient_norm");
    if (gradient != curves.end() && gradient->second.size() >= 10) {
      result["gradient_norm"] = scalar(mean(tail(gradient->second, 5)));
      result["gradient_norm_sd"] = scalar(standard_deviation(tail(gradient->second, 5)));
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<Diagnostic> make_training_record(Settings& /*settings*/) {
  return std::make_unique<Training>();
}

}  // namespace onmanifold
