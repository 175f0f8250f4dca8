#!/usr/bin/env bash
# Do two versions of the program compute the same numbers on this machine?
#   scripts/same-bits.sh OLD NEW                                          two commits, each built in a worktree
#   scripts/same-bits.sh --old-binary PROGRAM --new-binary PROGRAM        two programs that are built already
# Either side may be a commit or a program. Runs the suite smoke and a thinned methods (one seed, few steps, few points) with
# both and compares: /samples and both hashes bit for bit, /metrics to 1e-12. What may differ, and why, is listed in
# scripts/same-bits.exceptions. Both programs run the suites of OLD, since an old program need not know new keys; beside
# --old-binary, --suites DIRECTORY says where they are (default: those of this tree). Further options: --keep DIRECTORY keeps
# the results, --jobs N (default: all cores).
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(dirname "$here")"

usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; }
fail() { echo "same-bits.sh: $1" >&2; exit 2; }

old_binary="" new_binary="" suites="$root/suite/suites" keep="" jobs="$(nproc)"
commits=()
while [ $# -gt 0 ]; do
  case "$1" in
    --old-binary | --new-binary | --suites | --keep | --jobs)
      [ $# -ge 2 ] || fail "$1 needs a value"
      case "$1" in
        --old-binary) old_binary="$(realpath "$2")" ;;
        --new-binary) new_binary="$(realpath "$2")" ;;
        --suites) suites="$(realpath "$2")" ;;
        --keep) mkdir -p "$2" && keep="$(realpath "$2")" ;;
        --jobs) jobs="$2" ;;
      esac
      shift 2 ;;
    -h | --help) usage; exit 0 ;;
    -*) fail "unknown option '$1'" ;;
    *) commits+=("$1"); shift ;;
  esac
done
next=0
old="" new=""
if [ -z "$old_binary" ]; then old="${commits[$next]:-}"; next=$((next + 1)); fi
if [ -z "$new_binary" ]; then new="${commits[$next]:-}"; next=$((next + 1)); fi
[ "$next" -eq "${#commits[@]}" ] || fail "${#commits[@]} commits given, $next expected"
for program in "$old_binary" "$new_binary"; do
  [ -z "$program" ] || [ -x "$program" ] || fail "$program is not a program"
done
for commit in "$old" "$new"; do
  [ -z "$commit" ] || git -C "$root" rev-parse --quiet --verify "$commit^{commit}" >/dev/null || fail "no commit '$commit'"
done

work="$(mktemp -d)"
cleanup() {
  for side in old new; do
    [ ! -d "$work/$side" ] || git -C "$root" worktree remove --force "$work/$side"
  done
  rm -rf "$work"
}
trap cleanup EXIT
results="${keep:-$work/results}"

# build SIDE COMMIT: prints the program.
build() {
  git -C "$root" worktree add --quiet --detach "$work/$1" "$2"
  (cd "$work/$1" &&
    cmake --preset release -DONMANIFOLD_BUILD_TESTS=OFF -DONMANIFOLD_BUILD_BENCHMARKS=OFF >"$work/$1.log" &&
    cmake --build --preset release -j "$jobs" --target onmanifold >>"$work/$1.log") ||
    { tail -n 30 "$work/$1.log" >&2; fail "$2 cannot be built"; }
  echo "$work/$1/build/release/onmanifold"
}
[ -n "$old_binary" ] || old_binary="$(build old "$old")"
[ -n "$new_binary" ] || new_binary="$(build new "$new")"

[ -z "$old" ] || suites="$work/old/suite/suites"
/usr/bin/python3 "$here/thin_suite.py" "$suites/methods.toml" "$work/methods-thin.toml"
cp "$suites/smoke.toml" "$work/smoke.toml"
# What only reports read is unknown to older programs and enters no hash.
sed -i -E '/^(purpose|claims)[[:space:]]*=/d' "$work/smoke.toml" "$work/methods-thin.toml"
status=0
for suite in smoke methods-thin; do
  for side in old new; do
    program="${side}_binary"
    # Cells that cannot be computed end a run with exit code 1; what became of them is compared like the rest.
    (cd "$work" && "${!program}" run "$suite.toml" -o "$results/$side/$suite" -j "$jobs" >"$work/run.log" 2>&1) || [ $? -eq 1 ] ||
      { tail -n 5 "$work/run.log" >&2; fail "$suite with the $side program"; }
  done
  echo "$suite:"
  /usr/bin/python3 "$here/same_bits.py" "$results/old/$suite" "$results/new/$suite" --exceptions "$here/same-bits.exceptions" ||
    status=1
done
exit "$status"
