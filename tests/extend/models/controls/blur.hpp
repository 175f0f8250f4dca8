// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// Training points with Gaussian noise of the given width.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_blur(Settings& settings);

}  // namespace onmanifold
