// SPDX-License-Identifier: Apache-2.0
#pragma once
// Points in the files of other programs: NumPy's .npy, .csv, and a dataset of an .h5 file. One point a row
// there, one a column here: an N×D array of the file is D×N, the same memory order.

#include <memory>
#include <optional>
#include <string>

#include "core/points.hpp"

namespace onmanifold {

/// A name of a file of points, taken apart at the colon before a dataset.
struct PointFileName {
  std::string path;
  std::optional<std::string> dataset;  ///< of an .h5 or .hdf5 file; nullopt where none is named
};

/// Says nothing of whether there is such a file, or of its kind.
[[nodiscard]] PointFileName split_point_file_name(const std::string& spec);

/// Reads points block by block, also from files larger than memory.
///
/// \p spec is a path that ends in
///  - .npy: format versions 1 to 3, floats and integers of any width and byte order, C or Fortran order, 1-D (N: D
///    = 1) or 2-D; integers beyond 2^53 are refused;
///  - .csv: numbers between commas, semicolons, tabs or spaces, one point a line; empty lines and lines that start with
///    # are skipped, and so is a first line of names: without any number, or 0, 1, … D-1 above numbers that are not
///    whole;
///  - .h5 or .hdf5, optionally followed by :dataset (default "samples"): floating point or integer, 1-D or
///  2-D.
///
/// \throw InvalidInput for a file that is missing, truncated, longer than it says, or of another kind, naming
/// the path and, for text, line and column; IoError if reading fails.
class PointReader {
 public:
  explicit PointReader(const std::string& spec);
  ~PointReader();
  PointReader(PointReader&&) noexcept;
  PointReader& operator=(PointReader&&) noexcept;

  [[nodiscard]] Index dimension() const;  ///< D
  [[nodiscard]] Index size() const;       ///< N, points in the whole file
  /// Reads the next points into the first columns of \p chunk (D rows).
  /// \return how many: chunk.cols() unless the file ends before; 0 at its end.
  [[nodiscard]] Index read(Eigen::Ref<Points> chunk);

  class Source;  ///< one kind of file

 private:
  std::unique_ptr<Source> source_;
};

/// All points of a file, D×N. Errors and \p spec as for PointReader.
[[nodiscard]] Points read_points(const std::string& spec);

/// Writes \p points, D×N, complete or absent, in the format of the name (.npy: float64, C order, N×D; .csv:
/// the shortest decimals that read back to the same bits, no header; .h5[:dataset], default "samples":
/// float64 N×D). Directories are made. Reading gives the same bits, except the payload of a NaN in .csv.
/// \throw InvalidInput for another extension, IoError (e.g. a full disk) naming the path.
void write_points(const std::string& spec, const PointsRef& points);

}  // namespace onmanifold
