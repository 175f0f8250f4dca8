// SPDX-License-Identifier: Apache-2.0
#pragma once
// HDF5 files for writing and for reading, over the C API. A D×N matrix (one point per column) is an N×D
// dataset: the same memory, no copy, what h5py and NumPy see. Numbers are little-endian in the file, texts
// are UTF-8, booleans are the enumeration that h5py shows as bool. No time stamps: equal content gives equal
// bytes.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/points.hpp"

namespace onmanifold {

/// A table of records: named columns of equal length, in order. One compound dataset in the file, with packed
/// fields and texts of fixed length (the longest of the column, padded with NUL).
struct Hdf5Table {
  using Column = std::variant<std::vector<double>, std::vector<std::int64_t>, std::vector<std::string>>;
  std::vector<std::pair<std::string, Column>> columns;

  /// Number of records. \throw InvalidInput if the columns differ in length.
  [[nodiscard]] Index rows() const;
  /// A column by name and type. \throw InvalidInput naming it if it is missing or of another type.
  [[nodiscard]] const std::vector<double>& numbers(const std::string& name) const;
  [[nodiscard]] const std::vector<std::int64_t>& integers(const std::string& name) const;
  [[nodiscard]] const std::vector<std::string>& texts(const std::string& name) const;
};

/// A new HDF5 file. It is put together in memory and reaches the disk in commit(), complete or absent
/// (AtomicFile): so a full disk is an ordinary error and HDF5 never meets one. Costs memory: twice the size
/// of the file in commit().
///
/// Names are paths from the root, "/samples/raw"; groups on the way are made. Writing a name twice is an
/// error. Numeric arrays from 64 KiB on are stored in chunks of at most 256 KiB, whole rows of the dataset,
/// through the filters shuffle and deflate.
class Hdf5Writer {
 public:
  /// \throw IoError if HDF5 cannot start. Nothing on disk yet.
  explicit Hdf5Writer(std::string path);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  /// \p values D×N -> dataset N×D.
  void write_matrix(const std::string& name, const Eigen::Ref<const Eigen::MatrixXd>& values);
  void write_matrix(const std::string& name, const Eigen::Ref<const Eigen::MatrixXf>& values);
  void write_matrix(const std::string& name, const Eigen::Ref<const Eigen::MatrixXi>& values);
  void write_vector(const std::string& name, const VectorRef& values);
  void write_flags(const std::string& name, const Eigen::Array<bool, Eigen::Dynamic, 1>& values);
  void write_number(const std::string& name, double value);
  void write_integer(const std::string& name, std::int64_t value);
  /// A scalar text of variable length. \throw InvalidInput if \p text holds a NUL, which HDF5 cannot store.
  void write_text(const std::string& name, std::string_view text);
  void write_texts(const std::string& name, const std::vector<std::string>& texts);
  void write_table(const std::string& name, const Hdf5Table& table);
  /// An empty group, or nothing if it is there.
  void make_group(const std::string& name);

  /// Attributes of the group or dataset \p object, "/" for the root.
  void set_attribute(const std::string& object, const std::string& name, std::int64_t value);
  void set_attribute(const std::string& object, const std::string& name, double value);
  void set_attribute(const std::string& object, const std::string& name, std::string_view value);

  /// Writes the file under its final name. Sets the root attribute `file_digest` to "sha256:" and 64
  /// hexadecimal digits: SHA-256 of the whole file with these digits, wherever they are, read as zeros.
  /// \throw IoError. Nothing can be written afterwards.
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// An HDF5 file open for reading, made by this program or by another. Numbers are widened where that loses
/// nothing (float to double, small integers to double), never narrowed. Every error names "<path>:<dataset>".
///
/// \throw InvalidInput if the file does not exist, is not HDF5, or has another content than asked for (name,
/// rank, type, size); IoError, with the text of HDF5's error stack, if it is damaged or cannot be read.
class Hdf5Reader {
 public:
  explicit Hdf5Reader(std::string path);
  ~Hdf5Reader();
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;

  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] bool has(const std::string& name) const;
  [[nodiscard]] bool is_group(const std::string& name) const;
  /// Names of the members of a group, sorted; empty if there is no such group.
  [[nodiscard]] std::vector<std::string> children(const std::string& group) const;
  /// Paths, relative to \p group, of all datasets below it, sorted; empty if there is no such group.
  [[nodiscard]] std::vector<std::string> datasets(const std::string& group) const;
  /// Lengths of the axes as HDF5 counts them: {N, D} for D×N points, {} for a scalar.
  [[nodiscard]] std::vector<Index> shape(const std::string& dataset) const;

  /// Dataset N×D -> D×N. \p rows >= 0 asks for this D, \p cols >= 0 for this N.
  [[nodiscard]] Eigen::MatrixXd matrix(const std::string& dataset, Index rows = -1, Index cols = -1) const;
  [[nodiscard]] Eigen::MatrixXf float_matrix(const std::string& dataset) const;
  [[nodiscard]] Eigen::MatrixXi integer_matrix(const std::string& dataset) const;
  [[nodiscard]] Vector vector(const std::string& dataset, Index size = -1) const;
  [[nodiscard]] Eigen::Array<bool, Eigen::Dynamic, 1> flags(const std::string& dataset, Index size = -1) const;
  [[nodiscard]] double number(const std::string& dataset) const;
  /// The scalars that are the members of a group, by name; none if there is no such group.
  [[nodiscard]] std::map<std::string, double> numbers(const std::string& group) const;
  [[nodiscard]] std::int64_t integer(const std::string& dataset) const;
  [[nodiscard]] std::string text(const std::string& dataset) const;
  [[nodiscard]] std::vector<std::string> texts(const std::string& dataset) const;
  [[nodiscard]] Hdf5Table table(const std::string& dataset) const;

  [[nodiscard]] bool has_attribute(const std::string& object, const std::string& name) const;
  [[nodiscard]] std::int64_t integer_attribute(const std::string& object, const std::string& name) const;
  [[nodiscard]] double number_attribute(const std::string& object, const std::string& name) const;
  [[nodiscard]] std::string text_attribute(const std::string& object, const std::string& name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Compares a file with its attribute `file_digest`, which finds every changed byte. Works on the bytes
/// alone, so HDF5 never has to read a damaged file. \return empty if they agree, else one line that says what
/// is wrong.
[[nodiscard]] std::string check_file_digest(const std::string& path);

}  // namespace onmanifold
