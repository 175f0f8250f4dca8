// SPDX-License-Identifier: Apache-2.0
#pragma once
// The curves that a claim is read from, as numbers: what is drawn can be tested, and who draws it knows no experiment.

#include <map>
#include <string>
#include <vector>

#include "claims/evidence.hpp"

namespace onmanifold {

/// A curve over replicates: mean and 95 % t interval of the mean at every x.
struct CurveBand {
  std::string label;
  Vector x;
  Vector mean;
  Vector low;  ///< NaN for one replicate
  Vector high;
  bool reference = false;  ///< an exact curve or a bound, drawn as a broken line
  std::string group = {};  ///< bands of one group share a colour; "": that of the label
};

/// Curves that share axes.
struct CurveFigure {
  std::string title;
  std::string x_label;
  std::string y_label;
  bool log_x = false;
  bool log_y = false;
  std::vector<CurveBand> bands = {};
};

/// Mean and interval of \p y over the seeds that have the x of the first one (relative tolerance 1e-6); with a
/// logarithm, values that are not positive are left out, and the interval is that of the logarithms. Points that are
/// not finite in a seed count for the others alone. Empty for no seeds.
[[nodiscard]] CurveBand band_over_seeds(const std::string& label, const std::map<int, Vector>& x,
                                        const std::map<int, Vector>& y, bool log_y = false);

/// One series of a diagnostic against another, of one configuration of one task.
struct CurveSource {
  std::string label;
  std::string task;
  Configuration configuration;
  std::string diagnostic;
  std::string x;
  std::string y;
  bool reference = false;
  std::string group = {};
};
/// Adds what the results hold of \p sources. Nothing: no figure.
[[nodiscard]] std::vector<CurveFigure> figure_of(CurveFigure figure, const ResultSet& results,
                                                 const std::vector<CurveSource>& sources = {});
/// Adds \p band unless it is empty.
void add_band(CurveFigure& figure, CurveBand band, bool reference = false);

}  // namespace onmanifold
