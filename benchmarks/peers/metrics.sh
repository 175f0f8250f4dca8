#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# metrics.sh [BUILD_DIR]: kernel and neighbour metrics beside scikit-learn and SciPy on one core, in one run. CPU seconds, so that
# other load disturbs little. Needs python3-sklearn and 3 GB.
set -euo pipefail
cd "$(dirname "$0")/../.."
build="${1:-build/release}"
binary="$(find "$build" -name metric_benchmark -type f -perm -u+x | head -n 1)"
[ -n "$binary" ] || { echo "metrics.sh: no metric_benchmark below $build" >&2; exit 2; }
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
peer="$(/usr/bin/python3 benchmarks/peers/metrics.py)"
own="$("$binary" --benchmark_filter='(mmd2_five_bandwidths/10000|mmd2_record_five_bandwidths/10000|prdc_k5/10000|fd_2048|w2_exact/2000)' --benchmark_format=json 2>/dev/null)"
PEER="$peer" OWN="$own" /usr/bin/python3 - <<'PYTHON'
import json, os
peer = json.loads(os.environ["PEER"])
print(f"scikit-learn {peer['sklearn']}, NumPy {peer['numpy']}; N = M = 10,000, D = 3; CPU seconds")
for run in json.loads(os.environ["OWN"])["benchmarks"]:
    name = run["name"].split("/")[0]
    own = run["cpu_time"] / 1000
    peer_name = name.replace("_record", "")
    if peer_name not in peer:
        print(f"{name:28s} onmanifold {own:7.3f}")
        continue
    print(f"{name:28s} Python {peer[peer_name]:8.2f}   onmanifold {own:7.3f}   ratio {peer[peer_name] / own:6.1f}")
PYTHON
