// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the radius of a point with normal lift has its mass, given the noised point: panels for
// Gauss–Legendre rules. Shared by the sphere (one radius) and the flat torus (one a circle).

#include <vector>

#include "core/points.hpp"

namespace onmanifold {

struct RadialPanel {
  double low;
  double high;
};

inline constexpr Index radial_nodes = 64;  ///< of the rule on each panel

/// Integrands exp(-(r - 1)²/2 lift² - (a r)²/2 sigma²) F(|kappa mu + a r x/sigma²|), F the von Mises(–Fisher)
/// normaliser of the dimension, as functions of the signed radius r, x0 = r y.
///
/// Given y, the integrand is a Gaussian in r of variance v = (1/lift² + a²/σ²)^-1 whose centre lies between
/// m- and m+, m± = v (1/lift² ± a|x|/σ²). Centres strictly between the two matter only where the data term
/// a|r||x|/σ² does not outweigh κ. So three intervals hold all the mass: m- ± 8.5√v, m+ ± 8.5√v and |r| <=
/// 4κσ²/(a|x|). Panels are at most 18√v long, so that 64 nodes keep 1e-14; the one around m+ comes first.
/// \param slope a|x|/σ². \param width √v.
void list_radial_panels(double minus, double plus, double width, double slope, double largest_kappa,
                        std::vector<RadialPanel>& panels);

}  // namespace onmanifold
