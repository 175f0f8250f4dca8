// SPDX-License-Identifier: Apache-2.0
#include "python/bindings/module.hpp"

#include <cmath>
#include <exception>
#include <vector>

#include <fmt/format.h>

#include "cli/program.hpp"
#include "contracts/metric_record.hpp"
#include "core/error.hpp"
#include "python/bindings/parts.hpp"
#include "results/provenance.hpp"

namespace onmanifold::python {

Eigen::Map<const Points> columns(const Rows& rows, const char* what) {
  if (rows.ndim() != 2)
    throw InvalidInput(fmt::format("{}: an array of {} dimensions, expected N×D", what, rows.ndim()));
  return {rows.data(), rows.shape(1), rows.shape(0)};
}

namespace {

/// An array of this shape in the memory of \p points, which it owns.
py::array adopt(Points&& points, const std::vector<py::ssize_t>& shape) {
  auto* kept = new Points(std::move(points));
  const py::capsule owner(kept, [](void* memory) { delete static_cast<Points*>(memory); });
  return py::array_t<double>(shape, kept->data(), owner);
}

}  // namespace

py::array to_rows(Points&& points) {
  const std::vector<py::ssize_t> shape = {points.cols(), points.rows()};
  return adopt(std::move(points), shape);
}

py::array to_stacks(Points&& bases, Index count) {
  const std::vector<py::ssize_t> shape = {count == 0 ? 0 : bases.cols() / count, count, bases.rows()};
  return adopt(std::move(bases), shape);
}

py::array copy_rows(const PointsRef& points) {
  return to_rows(Points(points));
}

py::array to_array(const Vector& vector) {
  return py::array_t<double>(vector.size(), vector.data());
}

Points points_from(const py::object& given, const char* what) {
  const auto rows = py::module_::import("onmanifold._arrays").attr("as_points")(given, what).cast<Rows>();
  return columns(rows, what);
}

py::object to_python(const Value& value) {
  if (const auto* flag = value.get_if<bool>()) return py::bool_(*flag);
  if (const auto* integer = value.get_if<std::int64_t>()) return py::int_(*integer);
  if (const auto* number = value.get_if<double>()) return py::float_(*number);
  if (const auto* text = value.get_if<std::string>()) return py::str(*text);
  if (const auto* array = value.get_if<Value::Array>()) {
    py::list list;
    for (const Value& item : *array) list.append(to_python(item));
    return list;
  }
  if (const auto* table = value.get_if<Value::Table>()) {
    py::dict dict;
    for (const auto& [key, item] : *table) dict[py::str(key)] = to_python(item);
    return dict;
  }
  return py::none();
}

Value to_value(const py::handle& object, const std::string& where) {
  if (object.is_none()) return {};
  if (py::isinstance<py::bool_>(object)) return object.cast<bool>();
  if (py::isinstance<py::int_>(object)) return object.cast<std::int64_t>();
  if (py::isinstance<py::float_>(object)) return object.cast<double>();
  if (py::isinstance<py::str>(object)) return object.cast<std::string>();
  if (py::isinstance<py::dict>(object)) {
    Value::Table table;
    for (const auto& [key, item] : object.cast<py::dict>()) {
      if (!py::isinstance<py::str>(key)) throw InvalidInput(where + ": keys are text");
      const auto name = key.cast<std::string>();
      table.emplace(name, to_value(item, where + "." + name));
    }
    return table;
  }
  if (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) {
    Value::Array array;
    for (const py::handle& item : object) array.push_back(to_value(item, where));
    return array;
  }
  throw InvalidInput(fmt::format("{}: {} is no number, text, list or dictionary", where,
                                 py::str(py::type::handle_of(object).attr("__name__")).cast<std::string>()));
}

std::function<void()> signal_checkpoint() {
  return [] {
    const py::gil_scoped_acquire lock;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  };
}

std::string one_line(py::error_already_set& error) {
  std::string text = fmt::format("{}: {}", py::str(error.type().attr("__name__")).cast<std::string>(),
                                 py::str(error.value()).cast<std::string>());
  text = text.substr(0, text.find('\n'));
  py::object trace = error.trace() ? py::reinterpret_borrow<py::object>(error.trace()) : py::none();
  while (!trace.is_none() && !trace.attr("tb_next").is_none()) trace = trace.attr("tb_next");
  if (trace.is_none()) return text;
  return fmt::format("{} ({}:{})", text,
                     py::str(trace.attr("tb_frame").attr("f_code").attr("co_filename")).cast<std::string>(),
                     trace.attr("tb_lineno").cast<int>());
}

namespace {

void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const Interrupted& interrupted) {
    py::error_already_set error = interrupted.error;
    error.restore();
  } catch (const InvalidInput& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const NumericalFailure& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  } catch (const IoError& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
}

/// The program onmanifold with these arguments; its exit code.
int run_main(std::vector<std::string> words) {
  words.insert(words.begin(), "onmanifold");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  return unlocked([&] { return run_program(static_cast<int>(words.size()), arguments.data()); });
}

}  // namespace

PyObject* make_module() {
  static py::module_::module_def definition;
  try {
    py::module_ module =
        py::module_::create_extension_module("_core", "The libraries of OnManifold. See onmanifold.", &definition);
    py::register_local_exception_translator(translate);
    module.attr("__version__") = version();
    module.attr("status_ok") = std::string(name_of(RecordState::ok));
    module.def("main", run_main);
    add_task(module);
    add_results(module);
    add_evaluate(module);
    add_diagnose(module);
    return module.release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_ImportError, error.what());
  }
  return nullptr;
}

}  // namespace onmanifold::python
