// SPDX-License-Identifier: Apache-2.0
// Never compiled: the layering test must find this include.
#include "metrics/metric.hpp"
