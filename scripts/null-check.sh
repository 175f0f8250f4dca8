#!/usr/bin/env bash
# True samples against true reference points, PAIRS times (default 400) for every metric and source of null values; prints the
# table of docs/metrics.md. tests/metrics/null_distribution_test.cpp does the same with 40 pairs.
#   scripts/null-check.sh [PAIRS]
# Fails, and says where, if a null does not hold.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-dependencies.sh --build --test
cmake --preset release >/dev/null
cmake --build --preset release --target metrics_test
# Of every line "| source | metric | value | null | spread | mean | sd |": a row a metric, a column a source.
ONMANIFOLD_NULL_DRAWS="${1:-400}" build/release/tests/metrics/metrics_test --gtest_filter='*NullDistribution.*' --gtest_brief=1 |
  awk -F ' *[|] *' '
    NF < 9 { print > "/dev/stderr"; next }
    !($3 in rows) { rows[$3] = ++n; metric[n] = $3 }
    !($2 in columns) { columns[$2] = ++m; source[m] = $2 }
    { cell[$3, $2] = $8 ~ /nan/ ? "mean only" : $7 " · " $8 }
    END {
      head = "| metric |"; rule = "|---|"
      for (j = 1; j <= m; j++) { head = head " " source[j] " |"; rule = rule "--:|" }
      print head; print rule
      for (i = 1; i <= n; i++) {
        line = "| `" metric[i] "` |"
        for (j = 1; j <= m; j++) line = line " " ((metric[i], source[j]) in cell ? cell[metric[i], source[j]] : "–") " |"
        print line
      }
    }'
