// SPDX-License-Identifier: Apache-2.0
#pragma once
// Points: a set of points is a D×N matrix, one point per column. The same memory is an N×D dataset of HDF5 and
// NumPy and a D×N matrix of Armadillo.

#include <string_view>

#include <Eigen/Core>

namespace onmanifold {

using Index = Eigen::Index;
using Points = Eigen::MatrixXd;
using PointsRef = Eigen::Ref<const Points>;
using Vector = Eigen::VectorXd;
using VectorRef = Eigen::Ref<const Vector>;

/// \throw InvalidInput, naming \p what, unless \p points has \p dimension rows.
void check_dimension(const PointsRef& points, Index dimension, std::string_view what);

/// \throw InvalidInput, naming \p what and the first bad column, unless all entries are finite.
void check_finite(const PointsRef& points, std::string_view what);

/// Index of the first column with a NaN or an infinity, or -1.
[[nodiscard]] Index first_nonfinite_column(const PointsRef& points);

}  // namespace onmanifold
