#!/usr/bin/env bash
# Installs what is missing, builds the release preset and runs every test. Arguments go to ctest, e.g. -R sphere.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-dependencies.sh --build --test
cmake --preset release -DONMANIFOLD_BUILD_TESTS=ON -DONMANIFOLD_BUILD_BENCHMARKS=ON >/dev/null
cmake --build --preset release
ctest --preset release "$@"
