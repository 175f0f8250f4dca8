#!/usr/bin/env bash
# Are the data of the tasks the same bits, whatever the program was compiled for?
#   scripts/same-data.sh [--jobs N] [MARCH...]
# Builds what makes data for each MARCH (default: x86-64, x86-64-v3 and native; the machine must be able to run it) below
# build/same-data and compares the hashes of every task with tests/data_hashes/tasks.txt, as glibc takes the processor and
# without fused operations. Exit code 1 if one differs.
set -euo pipefail
cd "$(dirname "$0")/.."

jobs="$(nproc)"
marches=()
while [ $# -gt 0 ]; do
  case "$1" in
    --jobs)
      [ $# -ge 2 ] || { echo "same-data.sh: --jobs needs a value" >&2; exit 2; }
      jobs="$2"
      shift 2 ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "same-data.sh: unknown option '$1'" >&2; exit 2 ;;
    *) marches+=("$1"); shift ;;
  esac
done
[ ${#marches[@]} -gt 0 ] || marches=(x86-64 x86-64-v3 native)

status=0
for march in "${marches[@]}"; do
  folder="build/same-data/$march"
  began=$SECONDS
  log="build/same-data/$march.log"
  mkdir -p build/same-data
  { cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DONMANIFOLD_MARCH="$march" -DONMANIFOLD_BUILD_TESTS=ON \
      -DONMANIFOLD_BUILD_BENCHMARKS=OFF && cmake --build "$folder" -j "$jobs" --target data_hashes; } >"$log" 2>&1 ||
    { tail -n 30 "$log" >&2; echo "same-data.sh: cannot be built for $march" >&2; exit 2; }
  built=$((SECONDS - began))
  for hidden in "" "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX512F,-AVX"; do
    code=0
    text="$(GLIBC_TUNABLES="$hidden" "$folder/tests/data_hashes/data_hashes" tests/data_hashes/tasks.txt)" || code=1
    [ "$code" -eq 0 ] || { status=1; printf '%s\n' "$text" | sed '$d'; }
    printf '%-10s %-32s %s (built in %d s)\n' "$march" "$([ -z "$hidden" ] && echo "processor as it is" || echo "without fused operations")" \
      "$(printf '%s\n' "$text" | tail -n 1)" "$built"
  done
done
exit "$status"
