#!/usr/bin/env bash
# Does the package run where nothing of the project is? Installs it in a minimal Debian without a compiler, runs the suite
# 'quick' there, asks for every level of the processor that this machine has, and looks at it with lintian.
#   scripts/test-package.sh bookworm|trixie [--root DIRECTORY] [DIRECTORY OF PACKAGES]
# The packages (default: build/package/packages) come from `cpack --preset package` on the same Debian. Needs root and debootstrap.
set -euo pipefail
here="$(cd "$(dirname "$0")/.." && pwd)"
. "$here/scripts/minimal-root.sh"

suite="" root="" packages="$here/build/package/packages"
while [ $# -gt 0 ]; do
  case "$1" in
    --root) root="${2:?--root needs a value}"; shift 2 ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    bookworm | trixie) suite="$1"; shift ;;
    -*) echo "test-package.sh: unknown option '$1'" >&2; exit 2 ;;
    *) packages="$1"; shift ;;
  esac
done
[ -n "$suite" ] || { echo "test-package.sh: which Debian: bookworm or trixie?" >&2; exit 2; }
package="$(ls -t "$packages"/onmanifold_*.deb | head -n 1)"
root="${root:-$here/build/roots/$suite-package}"

make_root "$suite" "$root"
cp "$package" "$root/root/onmanifold.deb"
began=$SECONDS
in_root "$root" "apt-get update -qq && apt-get install -y -qq --no-install-recommends --reinstall /root/onmanifold.deb >/dev/null"
echo "== installed ($((SECONDS - began)) s, $(du -sh --apparent-size "$root/usr/lib/"*/onmanifold | cut -f1) of libraries)"
in_root "$root" "! command -v c++ >/dev/null" || { echo "test-package.sh: the root has a compiler" >&2; exit 1; }

# The loader takes the best level; hidden features make it take another. Every reference is the same bits on all of them, and
# the library shows one function.
cp "$here/tests/data_hashes/tasks.txt" "$root/root/tasks.txt"
for hidden in "" "-AVX512F" "-AVX512F,-AVX2"; do
  in_root "$root" "
    export GLIBC_TUNABLES=glibc.cpu.hwcaps=$hidden
    library=\$(LD_TRACE_LOADED_OBJECTS=1 /usr/bin/onmanifold | sed -n 's/.*=> \\(.*libonmanifold_program.so\\) .*/\\1/p')
    count=0 different=0
    while read -r task hash; do
      count=\$((count + 1))
      onmanifold export \$task -n 500 --reference -o /tmp/points.npy | grep -q \"\$hash\" || { echo \"\$task differs\"; different=\$((different + 1)); }
    done < <(sed -n 's/^\\([^# ]*\\) .* reference \\([0-9a-f]*\\)\$/\\1 \\2/p' /root/tasks.txt)
    echo \"== \$library: \$count references, \$different differ\"
    [ \$different -eq 0 ] && [ \$count -gt 0 ]"
done
symbols="$(nm -DC --defined-only "$root"/usr/lib/*/onmanifold/libonmanifold_program.so | grep -c ' T ')"
[ "$symbols" -eq 1 ] || { echo "test-package.sh: the library shows $symbols functions" >&2; exit 1; }

began=$SECONDS
in_root "$root" "cd /root && rm -rf results && onmanifold run quick && onmanifold report results/quick"
echo "== quick and its table: $((SECONDS - began)) s"
if command -v lintian >/dev/null; then
  lintian --tag-display-limit 0 "$packages"/*.deb && echo "== lintian: clean"
fi
