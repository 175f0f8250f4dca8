#!/usr/bin/env bash
# Random runs of `score` in one process, under the address and undefined-behaviour sanitizers:
#   scripts/score-fuzz.sh [COUNT [FIRST]]          default: 100000 from 0
# A fault names its run; `score_fuzz 1 RUN` repeats it. tests/fuzz/score_fuzz.cpp says what is a fault; 5,000 runs are the test
# score_fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-dependencies.sh --build --test
cmake --preset asan >/dev/null
cmake --build --preset asan --target score_fuzz
build/asan/tests/fuzz/score_fuzz "${1:-100000}" "${2:-0}"
