#!/usr/bin/env bash
# Installs the Debian packages that are missing, as root or through sudo.
#   scripts/install-dependencies.sh [--build|--test|--python|--style|--browser|--slurm|--fuzz|--meshes|--peers|--docs]...
# Without an argument: what is needed to build. --test adds the tests' packages, --python what builds and tests the Python
# package and its wheel, --style the tools that check form, --browser
# and --slurm the browser and the scheduler that one test each starts where they are installed, --fuzz clang's fuzzer,
# --meshes the files of scripts/real-meshes.sh, --peers the Python tools that benchmarks/peers/ compares with (about 1 GB),
# --docs what draws the documentation.
set -euo pipefail

build=(
  ca-certificates cmake g++ gemmi-dev git ninja-build
  gnuplot-nox libarmadillo-dev libboost-dev libboost-math-dev libcli11-dev libeigen3-dev libfmt-dev libhdf5-dev
  libdnnl-dev libjs-three liblemon-dev libnanoflann-dev libopenblas-serial-dev librandom123-dev libssl-dev libtomlplusplus-dev
  nlohmann-json3-dev tao-pegtl-dev zlib1g-dev
)
test=(libbenchmark-dev libgmock-dev libgtest-dev python3 python3-h5py python3-numpy texlive-latex-base texlive-latex-recommended)
python=(mypy patchelf pybind11-dev python3-dev python3-matplotlib python3-numpy python3-pandas python3-pip python3-pytest python3-setuptools
  python3-venv python3-wheel)
style=(clang-14 clang-format-14 clang-tidy-14)
browser=(chromium)
slurm=(munge slurm-wlm)
fuzz=(clang-14 libclang-rt-14-dev)
meshes=(assimp-testmodels libcgal-demo)
peers=(python3 python3-h5py python3-numpy python3-scipy python3-sklearn python3-torch)
docs=(doxygen texlive-binaries)

wanted=("${build[@]}")
for argument in "$@"; do
  case "$argument" in
    --build) ;;
    --test) wanted+=("${test[@]}") ;;
    --python) wanted+=("${python[@]}") ;;
    --style) wanted+=("${style[@]}") ;;
    --browser) wanted+=("${browser[@]}") ;;
    --slurm) wanted+=("${slurm[@]}") ;;
    --fuzz) wanted+=("${fuzz[@]}") ;;
    --meshes) wanted+=("${meshes[@]}") ;;
    --peers) wanted+=("${peers[@]}") ;;
    --docs) wanted+=("${docs[@]}") ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "install-dependencies.sh: unknown argument '$argument' (known: --build, --test, --python, --style, --browser, --slurm, --fuzz, --meshes, --peers, --docs)" >&2; exit 2 ;;
  esac
done

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif command -v sudo >/dev/null; then
  as_root=(sudo)
else
  echo "install-dependencies.sh: these packages are missing and there is no sudo: ${missing[*]}" >&2
  exit 1
fi
echo "Installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
