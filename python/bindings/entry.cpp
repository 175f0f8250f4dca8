// SPDX-License-Identifier: Apache-2.0
#include "python/bindings/module.hpp"

extern "C" [[gnu::visibility("default")]] PyObject* PyInit__core() {
  return onmanifold::python::make_module();
}
