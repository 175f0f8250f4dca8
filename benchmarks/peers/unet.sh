#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The U-Net at 28x28, OnManifold beside PyTorch, on one core and one thread, in interleaved rounds.
#   benchmarks/peers/unet.sh [BUILD_DIRECTORY] [ROUNDS] [CORE]
# Needs a PyTorch for $PYTHON (default /usr/bin/python3; Debian: python3-torch). Numbers are medians over the rounds of CPU
# times, so that other work on the machine disturbs them little.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../build/release}
rounds=${2:-3}
core=${3:-0}
python=${PYTHON:-/usr/bin/python3}
ours=$build/benchmarks/unet_benchmark
[ -x "$ours" ] || { echo "unet.sh: $ours is missing: build target unet_benchmark" >&2; exit 2; }
"$python" -c 'import torch' 2>/dev/null || { echo "unet.sh: $python has no torch" >&2; exit 2; }
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
results=$(mktemp)
trap 'rm -f "$results"' EXIT
round=0
while [ "$round" -lt "$rounds" ]; do
  taskset -c "$core" "$python" "$here/unet.py" 9 | sed 's/^/torch /' >>"$results"
  # name,iterations,real_time,cpu_time,…: the CPU time of each repetition.
  taskset -c "$core" "$ours" --benchmark_filter=/28 --benchmark_repetitions=5 --benchmark_min_time=0.2 \
    --benchmark_format=csv 2>/dev/null |
    awk -F, '/^"unet/ && !/_(mean|median|stddev|cv)"/ { gsub(/"/, ""); sub(/\/28/, "", $1); print "ours", $1, $4 }' >>"$results"
  round=$((round + 1))
done
median() {  # median KIND NAME
  awk -v kind="$1" -v name="$2" '$1 == kind && $2 == name { print $3 }' "$results" | sort -g |
    awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
printf '%-34s %9s %9s %6s %12s\n' step 'torch ms' 'ours ms' ratio 'our images/s'
for row in unet_training_step:64 unet_sampling_step:512; do
  for layout in '' _channels_last; do
    awk -v name="${row%:*}" -v layout="$layout" -v images="${row#*:}" -v torch="$(median torch "${row%:*}$layout")" \
      -v ours="$(median ours "${row%:*}")" 'BEGIN {
        printf "%-34s %9.2f %9.2f %6.2f %12.0f\n", name layout, torch, ours, torch / ours, images / ours * 1000 }'
  done
done
