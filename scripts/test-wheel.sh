#!/usr/bin/env bash
# Does the wheel work where nothing of the project is? Installs it in a minimal Debian that has Debian's NumPy and no compiler, as
# its README says, compares the references of all tasks with tests/data_hashes, and runs the suite 'quick' from Python.
#   scripts/test-wheel.sh bookworm|trixie [--root DIRECTORY] [--suite NAME] [DIRECTORY OF WHEELS]
# The wheel (default: build/wheel/dist) comes from scripts/build-wheel.sh on the same Debian. Needs root and debootstrap.
set -euo pipefail
here="$(cd "$(dirname "$0")/.." && pwd)"
. "$here/scripts/minimal-root.sh"

debian="" root="" suite=quick wheels="$here/build/wheel/dist"
while [ $# -gt 0 ]; do
  case "$1" in
    --root) root="${2:?--root needs a value}"; shift 2 ;;
    --suite) suite="${2:?--suite needs a value}"; shift 2 ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    bookworm | trixie) debian="$1"; shift ;;
    -*) echo "test-wheel.sh: unknown option '$1'" >&2; exit 2 ;;
    *) wheels="$1"; shift ;;
  esac
done
[ -n "$debian" ] || { echo "test-wheel.sh: which Debian: bookworm or trixie?" >&2; exit 2; }
root="${root:-$here/build/roots/$debian-wheel}"

make_root "$debian" "$root"
in_root "$root" "apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 python3-numpy python3-venv >/dev/null"
in_root "$root" "! command -v c++ >/dev/null" || { echo "test-wheel.sh: the root has a compiler" >&2; exit 1; }
rm -rf "$root/root/wheel"
mkdir -p "$root/root/wheel"
cp "$wheels"/onmanifold-*.whl "$root/root/wheel/"
sed -n 's/^\([^# ]*\) .* reference \([0-9a-f]*\)$/\1 \2/p' "$here/tests/data_hashes/tasks.txt" >"$root/root/wheel/references.txt"
# The example of the package's README, word for word.
sed -n '/^```python$/,/^```$/p' "$here/python/README.md" | sed '/^```/d' >"$root/root/wheel/example.py"
cat >"$root/root/wheel/check.py" <<'PYTHON'
import subprocess
import sys
import time

import onmanifold as om

count = differ = 0
for line in open("references.txt", encoding="ascii"):
    task, digest = line.split()
    told = subprocess.run([sys.executable, "-m", "onmanifold", "export", task, "-n", "500", "--reference", "-o", "/tmp/points.npy"],
                          capture_output=True, text=True).stdout
    count += 1
    differ += digest not in told
print(f"== {count} references, {differ} differ")
assert count > 0 and differ == 0
began = time.monotonic()
done = om.run(sys.argv[1], out="/tmp/results", jobs=2)
print(done)
assert done.computed > 0 and done.failed == 0
print(f"== {sys.argv[1]}: {time.monotonic() - began:.1f} s")
PYTHON
in_root "$root" "
  cd /root/wheel && rm -rf venv /tmp/results
  python3 -m venv --system-site-packages venv
  venv/bin/pip install --quiet --no-index onmanifold-*.whl
  echo \"== installed: \$(du -sh --apparent-size venv/lib/python3*/site-packages/onmanifold | cut -f1), wheel \$(du -h --apparent-size onmanifold-*.whl | cut -f1)\"
  venv/bin/python3 example.py
  venv/bin/python3 check.py $suite
  venv/bin/onmanifold --version"
