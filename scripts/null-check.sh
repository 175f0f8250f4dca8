#!/usr/bin/env bash
# True samples against true reference points, PAIRS times (default 400) for every metric and source of null values; prints the
# table of docs/metrics.md. tests/metrics/null_distribution_test.cpp does the same with 40 pairs.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-dependencies.sh --build --test
cmake --preset release >/dev/null
cmake --build --preset release --target metrics_test
ONMANIFOLD_NULL_DRAWS="${1:-400}" build/release/tests/metrics/metrics_test --gtest_filter='*NullDistribution*' --gtest_brief=1
