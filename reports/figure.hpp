// SPDX-License-Identifier: Apache-2.0
#pragma once
// A two-dimensional figure as data: what gnuplot is told and the words beside it. The page and the files of a
// report are drawn from the same.

#include <string>

namespace onmanifold {

/// Empty commands: there is nothing to draw.
struct Figure {
  std::string name;    ///< a file name without its ending, such as "sphere-vmf6-pareto-time"
  std::string title;   ///< words above it
  std::string detail;  ///< how to read it
  std::string commands;
  int width = 640;
  int height = 300;
};

}  // namespace onmanifold
