#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The 35-128-128-128-3 denoiser, OnManifold beside PyTorch, on one core and one thread, in interleaved rounds.
#   benchmarks/peers/denoiser.sh [BUILD_DIRECTORY] [ROUNDS] [CORE]
# Needs a PyTorch for $PYTHON (default /usr/bin/python3; Debian: python3-torch). Numbers are medians over the rounds of CPU times.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../build/release}
rounds=${2:-5}
core=${3:-0}
python=${PYTHON:-/usr/bin/python3}
ours=$build/benchmarks/denoiser_benchmark
[ -x "$ours" ] || { echo "denoiser.sh: $ours is missing: build target denoiser_benchmark" >&2; exit 2; }
"$python" -c 'import torch' 2>/dev/null || { echo "denoiser.sh: $python has no torch" >&2; exit 2; }
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
results=$(mktemp)
trap 'rm -f "$results"' EXIT
round=0
while [ "$round" -lt "$rounds" ]; do
  taskset -c "$core" "$python" "$here/denoiser.py" 5 | sed 's/^/torch /' >>"$results"
  # name,iterations,real_time,cpu_time,time_unit,…,GFLOP/s: CPU time and rate of each repetition.
  taskset -c "$core" "$ours" --benchmark_repetitions=5 --benchmark_min_time=0.05 --benchmark_format=csv 2>/dev/null |
    awk -F, '/^"(training|sampling|matrix)/ && !/_(mean|median|stddev|cv)"/ {
      gsub(/"/, ""); printf "ours %s %s\nrate %s %s\n", $1, $4, $1, $NF }' >>"$results"
  round=$((round + 1))
done
median() {  # median KIND NAME
  awk -v kind="$1" -v name="$2" '$1 == kind && $2 == name { print $3 }' "$results" | sort -g |
    awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
product=$(median rate matrix_product_panels)
echo "core $core, $rounds rounds; matrix product 128x128x256: $(printf %.1f "$product") GFLOP/s" \
  "(Eigen: $(printf %.1f "$(median rate matrix_product_eigen)"))"
printf '%-22s %10s %10s %7s %9s %9s\n' step 'torch ms' 'ours ms' ratio GFLOP/s 'of product'
for name in training_step sampling_step; do
  for variant in '' _table; do
    awk -v name="$name$variant" -v torch="$(median torch "$name$variant")" -v ours="$(median ours "$name")" \
      -v rate="$(median rate "$name")" -v product="$product" 'BEGIN {
        printf "%-22s %10.3f %10.3f %7.2f %9.1f %8.0f%%\n", name, torch, ours, torch / ours, rate, 100 * rate / product }'
  done
done
echo "…_table: the same PyTorch network with its time embedding looked up instead of computed."
