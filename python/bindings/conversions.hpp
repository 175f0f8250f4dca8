// SPDX-License-Identifier: Apache-2.0
#pragma once
// Between Python and the libraries: arrays without a copy, values, the lock of the interpreter, and Ctrl-C.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "core/points.hpp"
#include "core/value.hpp"

namespace onmanifold::python {

namespace py = pybind11;

/// N×D, float64, row-major: the same memory as Points of D×N.
using Rows = py::array_t<double, py::array::c_style>;

/// The memory of \p rows as points; lives as long as the array. \throw InvalidInput naming \p what unless it is N×D.
[[nodiscard]] Eigen::Map<const Points> columns(const Rows& rows, const char* what);
/// N×D, which owns the memory of \p points.
[[nodiscard]] py::array to_rows(Points&& points);
/// N×count×D of D×(count N).
[[nodiscard]] py::array to_stacks(Points&& bases, Index count);
/// A copy, N×D.
[[nodiscard]] py::array copy_rows(const PointsRef& points);
[[nodiscard]] py::array to_array(const Vector& vector);
/// What a function of the caller gave, as onmanifold._arrays reads arrays. D×N.
[[nodiscard]] Points points_from(const py::object& given, const char* what);

[[nodiscard]] py::object to_python(const Value& value);
/// None, booleans, integers, numbers, text, lists and dictionaries. \throw InvalidInput naming \p where.
[[nodiscard]] Value to_value(const py::handle& object, const std::string& where);

/// Without the lock of the interpreter: for whatever takes long.
template <class Work>
auto unlocked(const Work& work) {
  const py::gil_scoped_release release;
  return work();
}

/// Raises KeyboardInterrupt if Ctrl-C was pressed; takes the lock to ask.
[[nodiscard]] std::function<void()> signal_checkpoint();

/// A Python object that may be copied and dropped without the lock.
class Shared {
 public:
  explicit Shared(py::object object)
      : object_(new py::object(std::move(object)), [](py::object* held) {
          const py::gil_scoped_acquire lock;
          delete held;
        }) {}
  [[nodiscard]] const py::object& get() const { return *object_; }

 private:
  std::shared_ptr<py::object> object_;
};

/// Ctrl-C or exit in a function of the caller. No std::exception: it is nobody's failed cell and ends the run.
struct Interrupted {
  py::error_already_set error;
};

/// "ValueError: message (file.py:12)": one line of what a function of the caller raised.
[[nodiscard]] std::string one_line(py::error_already_set& error);

}  // namespace onmanifold::python
