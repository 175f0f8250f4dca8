// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the claims look like: the verdicts at one glance, the evidence of each claim against what it asks for,
// and the curves behind it. Data first, pictures second, so that what is drawn can be tested.

#include <string>
#include <vector>

#include "reports/claims.hpp"
#include "reports/figure.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// A curve over replicates: mean and 95 % t interval of the mean at every x.
struct CurveBand {
  std::string label;
  Vector x;
  Vector mean;
  Vector low;  ///< NaN for one replicate
  Vector high;
  bool reference = false;  ///< a law or a bound, drawn as a broken line
};

/// Curves that share axes.
struct CurveFigure {
  std::string title;
  std::string x_label;
  std::string y_label;
  bool log_x = false;
  bool log_y = false;
  std::vector<CurveBand> bands;
};

/// Mean and interval of \p y over the seeds that have the x of the first one (relative tolerance 1e-6); with
/// a logarithm, values that are not positive are left out, and the interval is that of the logarithms. Points
/// that are not finite in a seed count for the others alone. Empty for no seeds.
[[nodiscard]] CurveBand band_over_seeds(const std::string& label, const std::map<int, Vector>& x,
                                        const std::map<int, Vector>& y, bool log_y = false);

/// The curves that a claim is read from, where the results hold them: lift sweeps (C1, C2, C13), the normal
/// part of the score (C3, C4, C18), training likelihoods (C5, C6), shifts by errors of the drift (C19),
/// Lyapunov spectra (C21).
[[nodiscard]] std::vector<CurveFigure> claim_curves(const ResultSet& results, const std::string& claim_id);

/// A figure of one claim; its name is "claims" for that of all of them, "claim-C7", "claim-C13-curve-1".
struct ClaimFigure {
  std::string claim;  ///< "C7", or "" for that of all
  Figure figure;
};

/// First all statistics that are counted in smallest relevant effects, with their intervals; then for each
/// claim its evidence (every seed, mean and interval by task, and the region that the claim asks for) and its
/// curves. Claims of which nothing is on disk have none.
[[nodiscard]] std::vector<ClaimFigure> claim_figures(const ResultSet& results, const std::vector<ClaimResult>& judged);

}  // namespace onmanifold
