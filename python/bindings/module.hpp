// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the entry point of the Python module knows of the library behind it.

#include <Python.h>

namespace onmanifold::python {

/// The module onmanifold._core; the one symbol of its shared library (cmake/levels.cmake).
[[gnu::visibility("default")]] PyObject* make_module();

}  // namespace onmanifold::python
