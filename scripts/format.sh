#!/usr/bin/env bash
# Formats every C++ file of the tree; with --check only says which differ, and fails if any does.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i)
if [ "${1:-}" = --check ]; then mode=(--dry-run -Werror); fi
git ls-files -z '*.cpp' '*.hpp' | xargs -0 -n 40 -P "$(nproc)" clang-format-14 "${mode[@]}"
