#!/usr/bin/env bash
# clang-tidy with the checks of .clang-tidy; fails on any finding.
#   scripts/tidy.sh                   the whole tree
#   scripts/tidy.sh FILE...           these files
#   scripts/tidy.sh --changed [N]     what differs from origin/main, or without that branch the last commit; at most N files,
#                                     the others are named (default: no limit)
# A header is checked with the .cpp of its name, and wherever else it is included.
set -euo pipefail
cd "$(dirname "$0")/.."

changed_files() {
  local base
  base="$(git merge-base HEAD origin/main 2>/dev/null || true)"
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then base="$(git rev-parse --quiet --verify HEAD~1 || true)"; fi
  [ -n "$base" ] || return 0  # one commit and no other
  git diff --name-only --diff-filter=d "$base" -- '*.cpp' '*.hpp' | sed 's/\.hpp$/.cpp/' | sort -u
}

most=0
case "${1:-}" in
  --changed) most="${2:-0}"; mapfile -t files < <(changed_files) ;;
  -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
  "") mapfile -t files < <(git ls-files '*.cpp') ;;
  *) files=("$@") ;;
esac

scripts/install-dependencies.sh --build --test --style
cmake --preset tidy >/dev/null
# Only what the build compiles: examples have a build of their own.
chosen=()
for file in "${files[@]}"; do
  if [ -f "$file" ] && grep -qF "\"file\": \"$PWD/$file\"" build/tidy/compile_commands.json; then chosen+=("$file"); fi
done
if [ "$most" -gt 0 ] && [ "${#chosen[@]}" -gt "$most" ]; then
  printf 'not checked, beyond %s files: %s\n' "$most" "${chosen[*]:$most}"
  chosen=("${chosen[@]:0:$most}")
fi
echo "clang-tidy: ${#chosen[@]} files"
[ "${#chosen[@]}" -gt 0 ] || exit 0
printf '%s\0' "${chosen[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 --quiet -p build/tidy
