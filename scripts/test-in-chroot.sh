#!/usr/bin/env bash
# Does the tree build and pass on a new machine? Makes a minimal Debian, clones the tree into it (the last commit),
# installs by scripts/install-dependencies.sh, builds with warnings as errors, runs the tests and the quickstart.
#   scripts/test-in-chroot.sh bookworm|trixie [--root DIRECTORY] [--jobs N] [--target NAME]... [--base-only]
# --root keeps the system there (default: build/roots/SUITE); one that exists is used again. --target builds this and
# nothing else, and runs nothing. --base-only stops with the packages installed. Needs root, debootstrap and the network.
set -euo pipefail
here="$(cd "$(dirname "$0")/.." && pwd)"

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0"; }
fail() { echo "test-in-chroot.sh: $1" >&2; exit 2; }

suite="" root="" jobs="$(nproc)" base_only="" targets=()
while [ $# -gt 0 ]; do
  case "$1" in
    --root | --jobs | --target)
      [ $# -ge 2 ] || fail "$1 needs a value"
      case "$1" in
        --root) root="$2" ;;
        --jobs) jobs="$2" ;;
        --target) targets+=("$2") ;;
      esac
      shift 2 ;;
    --base-only) base_only=yes; shift ;;
    -h | --help) usage; exit 0 ;;
    bookworm | trixie) suite="$1"; shift ;;
    *) fail "unknown argument '$1'" ;;
  esac
done
[ -n "$suite" ] || fail "which Debian: bookworm or trixie?"
root="${root:-$here/build/roots/$suite}"
. "$here/scripts/minimal-root.sh"
make_root "$suite" "$root" git

# Of the last commit. A tree that is there keeps its build directory.
tree="$root/root/onmanifold"
if [ ! -d "$tree/.git" ]; then
  git clone --quiet --no-local "$here" "$tree"
fi
git -C "$tree" fetch --quiet "$here" HEAD
git -C "$tree" checkout --quiet --detach FETCH_HEAD

inside() { in_root "$root" "cd /root/onmanifold && $1"; }

began=$SECONDS
step() {
  echo "== $1 ($((SECONDS - began)) s)"
}
step "packages"
inside "scripts/install-dependencies.sh --build --test"
[ -z "$base_only" ] || exit 0
step "configure"
inside "cmake --preset release -DONMANIFOLD_WERROR=ON -DONMANIFOLD_BUILD_TESTS=ON -DONMANIFOLD_BUILD_BENCHMARKS=ON"
step "build"
if [ ${#targets[@]} -gt 0 ]; then
  inside "cmake --build --preset release -j $jobs --target ${targets[*]}"
  exit 0
fi
inside "cmake --build --preset release -j $jobs"
step "tests"
inside "ctest --preset release -j $jobs"
step "quickstart"
inside "scripts/quickstart.sh"
step "done"
