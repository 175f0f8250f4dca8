#!/usr/bin/env bash
# Builds the wheel of the Python package for the Python and the glibc of this machine: Debian 12 and 13 each build their own.
#   scripts/build-wheel.sh [--base-only] [-o DIRECTORY]
# The wheel (default: build/wheel/dist) holds the library for x86-64-v2, -v3 and -v4, of which the loader takes the best, the
# libraries of Debian that it needs with their licences, data and suites. --base-only leaves -v3 and -v4 out: a third of the
# time, and slower on machines since 2013. scripts/install-dependencies.sh --build --python brings what this needs.
set -euo pipefail
cd "$(dirname "$0")/.."

levels="x86-64-v3;x86-64-v4" out=build/wheel/dist
while [ $# -gt 0 ]; do
  case "$1" in
    --base-only) levels=""; shift ;;
    -o) out="${2:?-o needs a value}"; shift 2 ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "build-wheel.sh: unknown argument '$1' (known: --base-only, -o)" >&2; exit 2 ;;
  esac
done

cmake --preset wheel "-DONMANIFOLD_LEVELS=$levels" >/dev/null
targets=(onmanifold_package)
for level in ${levels//;/ }; do targets+=("level-$level"); done
cmake --build build/wheel --target "${targets[@]}"

stage=build/wheel/stage
rm -rf "$stage"
cmake --install build/wheel --component wheel --prefix "$stage" --strip >/dev/null
package="$stage/onmanifold"
for level in ${levels//;/ }; do
  mkdir -p "$package/lib/glibc-hwcaps/$level"
  strip -o "$package/lib/glibc-hwcaps/$level/libonmanifold_python.so" \
    "build/wheel/levels/$level/python/onmanifold/lib/libonmanifold_python.so"
done

# Everything that it needs beside glibc and the run-time libraries of GCC, which a system with Python has. They find each other by
# the RPATH of the package's own libraries, which a RUNPATH of theirs (OpenBLAS has one) would hide.
system='^(linux-vdso|ld-linux-x86-64|libc|libm|libdl|librt|libpthread|libresolv|libstdc\+\+|libgcc_s)\.so'
mkdir -p "$package/licences"
while read -r name _ path _; do
  [[ "$name" =~ $system ]] && continue
  cp -L "$path" "$package/lib/$name"
  chmod u+w "$package/lib/$name"
  [ -z "$(patchelf --print-rpath "$package/lib/$name")" ] || patchelf --remove-rpath "$package/lib/$name"
  debian="$(dpkg -S "$(readlink -f "$path")" 2>/dev/null || dpkg -S "$(readlink -f "$path" | sed 's|^/usr||')")"
  cp "/usr/share/doc/$(echo "$debian" | head -n 1 | sed 's/:.*//')/copyright" "$package/licences/$name.copyright"
done < <(ldd build/wheel/python/onmanifold/lib/libonmanifold_python.so | grep '=> /')
cp LICENSE "$package/licences/onmanifold.LICENSE"
cp cmake/debian/copyright "$package/licences/onmanifold.copyright"
# What is compiled in as headers.
for header in gemmi-dev libboost-dev libcli11-dev libeigen3-dev liblemon-dev libnanoflann-dev librandom123-dev nlohmann-json3-dev \
  pybind11-dev tao-pegtl-dev; do
  cp "/usr/share/doc/$header/copyright" "$package/licences/$header.copyright"
done

# The oldest glibc that has every symbol: what the tag of the wheel promises.
glibc="$(find "$package" -path "$package/licences" -prune -o -name '*.so*' -exec objdump -T {} + | grep -o 'GLIBC_2\.[0-9]*' | sort -t. -k2 -n | tail -n 1 | sed 's/GLIBC_//')"
cp python/pyproject.toml python/setup.py python/README.md "$stage/"
PYTHONPATH=build/wheel/python /usr/bin/python3 -c 'import onmanifold; print(onmanifold.__version__)' >"$stage/VERSION"
printf '[bdist_wheel]\nplat_name = manylinux_%s_x86_64\n' "${glibc/./_}" >"$stage/setup.cfg"
rm -f "$out"/onmanifold-*.whl
/usr/bin/python3 -m pip wheel --quiet --no-build-isolation --no-deps --no-index -w "$out" "$stage"
ls -l "$out"/onmanifold-*.whl
