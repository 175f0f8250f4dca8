#!/usr/bin/env bash
# Is what is shipped as fast as what is built for this machine? The same benchmarks, compiled for LEVEL (default: the best that
# this processor runs) and for native, run in turns; prints native's time over the level's for every one of them.
#   scripts/level-speed.sh [LEVEL] [--rounds N]
# An idle machine, please. Exit code 1 if the geometric mean of a benchmark falls below .95.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=5 level=""
while [ $# -gt 0 ]; do
  case "$1" in
    --rounds) rounds="${2:?--rounds needs a value}"; shift 2 ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "level-speed.sh: unknown option '$1'" >&2; exit 2 ;;
    *) level="$1"; shift ;;
  esac
done
if [ -z "$level" ]; then
  level="$(/lib64/ld-linux-x86-64.so.2 --help | sed -n 's/^ *\(x86-64-v[0-9]\) (supported.*/\1/p' | head -n 1)"
fi
programs=(denoiser_benchmark unet_benchmark closest_point_benchmark metric_benchmark)

# As cmake/levels.cmake compiles the program: position-independent, one symbol to see.
configure() {
  cmake -S . -B "build/speed/$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DONMANIFOLD_MARCH="$1" -DONMANIFOLD_BUILD_TESTS=OFF \
    -DONMANIFOLD_BUILD_BENCHMARKS=ON "${@:2}" >/dev/null
  cmake --build "build/speed/$1" --target "${programs[@]}"
}
configure "$level" -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_CXX_VISIBILITY_PRESET=hidden
configure native

results="$(mktemp -d)"
trap 'rm -rf "$results"' EXIT
for ((round = 0; round < rounds; ++round)); do
  for program in "${programs[@]}"; do
    for build in "$level" native; do
      "build/speed/$build/benchmarks/$program" --benchmark_min_time=0.2 --benchmark_format=json \
        >"$results/$program.$build.$round.json" 2>/dev/null
    done
  done
done
python3 - "$results" "$level" "${programs[@]}" <<'PYTHON'
import collections, json, math, pathlib, sys
folder, level, programs = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
slow = False
for program in programs:
    best = collections.defaultdict(dict)  # the least CPU time of the rounds
    for build in (level, "native"):
        for path in folder.glob(f"{program}.{build}.*.json"):
            for run in json.loads(path.read_text())["benchmarks"]:
                if "cpu_time" in run:
                    best[run["name"]][build] = min(run["cpu_time"], best[run["name"]].get(build, math.inf))
    ratios = {name: times["native"] / times[level] for name, times in best.items() if len(times) == 2}
    for name, ratio in sorted(ratios.items()):
        print(f"  {ratio:5.2f}  {name}")
    mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
    slow |= mean < 0.95
    print(f"{mean:7.3f}  {program}: geometric mean of {len(ratios)}, native over {level}")
sys.exit(slow)
PYTHON
