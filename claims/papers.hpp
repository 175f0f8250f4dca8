// SPDX-License-Identifier: Apache-2.0
#pragma once
// One function a paper, each in the file of its name: a new paper is a file, a line here and one in claims().

#include "claims/claims.hpp"

namespace onmanifold {

/// Keegan and Ruthotto, manifold-aware perturbations \cite keegan2026: C1 … C14.
[[nodiscard]] std::vector<Claim> map_claims();
/// Loaiza-Ganem et al., through the lens of the manifold hypothesis \cite loaizaganem2024: C15 … C18.
[[nodiscard]] std::vector<Claim> lens_claims();
/// Chandramoorthy and de Clercq, inexact generative models \cite chandramoorthy2025: C19 … C22, C27.
[[nodiscard]] std::vector<Claim> inexact_claims();
/// Levy-Jurgenson et al., manifold-aware denoising \cite levyjurgenson2026: C23 … C25.
[[nodiscard]] std::vector<Claim> mad_claims();
/// Liu et al., lifted noise \cite liu2025: C26.
[[nodiscard]] std::vector<Claim> niso_claims();

}  // namespace onmanifold
