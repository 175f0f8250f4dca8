// SPDX-License-Identifier: Apache-2.0
#include "models/registry.hpp"

namespace onmanifold {

const Registry<MethodFactory>& method_registry() {
  static const Registry<MethodFactory> registry = [] {
    Registry<MethodFactory> methods("method");
    return methods;
  }();
  return registry;
}

}  // namespace onmanifold
