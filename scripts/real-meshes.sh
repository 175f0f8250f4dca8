#!/usr/bin/env bash
# Reads the meshes that Debian ships for the tests of CGAL and Assimp (libcgal-demo, assimp-testmodels; installed if
# missing) and prints how many load, why the others are refused, and whether areas and volumes are those of a second
# computation; see real_meshes.py. Exit code 1 for a crash, a hang, a wrong area, or too many refused.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-dependencies.sh --build --test --meshes
cmake --preset release >/dev/null
cmake --build --preset release --target read_surface

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mapfile -t files < <(dpkg -L libcgal-demo assimp-testmodels)
number=0
for file in "${files[@]}"; do
  case "${file,,}" in
    *.tar.gz) mkdir "$scratch/$((++number))" && tar -xzf "$file" -C "$scratch/$number" ;;
    *.off | *.obj | *.ply | *.stl) mkdir "$scratch/$((++number))" && cp "$file" "$scratch/$number" ;;
  esac
done
/usr/bin/python3 scripts/real_meshes.py build/release/manifolds/read_surface "$scratch"
