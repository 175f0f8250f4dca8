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
[ "$(id -u)" -eq 0 ] || fail "chroot needs root"
command -v debootstrap >/dev/null || fail "debootstrap is not installed"
root="${root:-$here/build/roots/$suite}"
mirror="${DEBIAN_MIRROR:-http://deb.debian.org/debian}"

if [ ! -e "$root/.complete" ]; then
  mkdir -p "$root"
  debootstrap --variant=minbase --include=ca-certificates,git "$suite" "$root" "$mirror"
  touch "$root/.complete"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
# What the machine needs to reach its mirrors.
for file in /etc/apt/apt.conf.d/*proxy*; do
  [ ! -e "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/"
done

# Of the last commit. A tree that is there keeps its build directory.
tree="$root/root/onmanifold"
if [ ! -d "$tree/.git" ]; then
  git clone --quiet --no-local "$here" "$tree"
fi
git -C "$tree" fetch --quiet "$here" HEAD
git -C "$tree" checkout --quiet --detach FETCH_HEAD

# inside COMMAND: in the tree, with /proc and /dev of its own; nothing stays mounted.
inside() {
  unshare --mount --fork -- bash -euc '
    mount --bind /dev "$0/dev"
    mount -t proc proc "$0/proc" 2>/dev/null || mount --rbind /proc "$0/proc"
    mount -t tmpfs tmpfs "$0/dev/shm" 2>/dev/null || true
    exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
      http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" bash -euc "cd /root/onmanifold && $1"' "$root" "$1"
}

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
