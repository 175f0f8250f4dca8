#!/usr/bin/env bash
# Fuzzes the readers for the given number of seconds (default 60) under libFuzzer with the address and
# undefined-behaviour sanitizers:
#   scripts/fuzz.sh [SECONDS [READER]]
#   scripts/fuzz.sh --pack
# READER, one of the names below, has all the time; without it every input chooses its own. Needs clang 14 and its runtime
# (installed if missing). A crash leaves its input in build/fuzz and a non-zero exit code. What is new is kept in
# build/fuzz/corpus; --pack makes the fewest of these that reach all that they reach the corpus of the tests
# (tests/fuzz/corpus.tar.gz), from which every run starts.
set -euo pipefail
cd "$(dirname "$0")/.."
readers=(off obj ply npy csv toml json manifold metrics idx-images idx-labels structure cell stl)  # as in readers_fuzz.cpp
pack=
if [ "${1:-}" = --pack ]; then
  pack=yes
  shift
fi
seconds=${1:-60}
if [ $# -gt 1 ]; then
  for i in "${!readers[@]}"; do
    if [ "${readers[$i]}" = "$2" ]; then export ONMANIFOLD_FUZZ_READER=$i; fi
  done
  [ -n "${ONMANIFOLD_FUZZ_READER:-}" ] || { echo "fuzz.sh: unknown reader '$2' (known: ${readers[*]})" >&2; exit 2; }
fi

scripts/install-dependencies.sh --build --fuzz
cmake -G Ninja -S . -B build/fuzz -DCMAKE_BUILD_TYPE=Sanitize -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_C_COMPILER=clang-14 \
  -DONMANIFOLD_SANITIZE=address,undefined,fuzzer-no-link -DONMANIFOLD_BUILD_FUZZER=ON -DONMANIFOLD_BUILD_TESTS=OFF \
  -DONMANIFOLD_BUILD_BENCHMARKS=OFF -DONMANIFOLD_WERROR=OFF >/dev/null
cmake --build build/fuzz --target readers_fuzz

mkdir -p build/fuzz/corpus
cp tests/fuzz/seeds/* build/fuzz/corpus/
tar -xzf tests/fuzz/corpus.tar.gz -C build/fuzz
cd build/fuzz
if [ -z "$pack" ]; then
  ./readers_fuzz -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2000 -max_len=4096 -verbosity=0 -print_final_stats=1 corpus
  exit
fi

rm -rf packed
mkdir -p packed/corpus
for i in "${!readers[@]}"; do
  rm -rf fewest
  mkdir fewest
  ONMANIFOLD_FUZZ_READER=$i ./readers_fuzz -merge=1 -max_len=4096 -verbosity=0 fewest corpus
  # The first byte chooses the reader where nothing else does.
  for file in fewest/*; do
    { printf '%b' "\\x$(printf '%02x' "$i")"; tail -c +2 "$file"; } >"packed/corpus/${readers[$i]}-$(basename "$file" | cut -c1-12)"
  done
done
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C packed -cf - corpus | gzip -9n >../../tests/fuzz/corpus.tar.gz
echo "tests/fuzz/corpus.tar.gz: $(find packed/corpus -type f | wc -l) inputs"
