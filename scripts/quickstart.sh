#!/usr/bin/env bash
# From a fresh Debian 12 to the first table: installs what is missing, builds the program, runs the suite 'quick'
# (a minute and a half on two cores), prints its table and the path of its page.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-dependencies.sh --build
# Tests and benchmarks are left as an earlier configuration chose; a fresh one does without them.
if [ ! -f build/release/CMakeCache.txt ]; then
  cmake --preset release -DONMANIFOLD_BUILD_TESTS=OFF -DONMANIFOLD_BUILD_BENCHMARKS=OFF >/dev/null
fi
cmake --build --preset release --target onmanifold

build/release/onmanifold run quick
build/release/onmanifold report results/quick
