#!/usr/bin/env bash
# A container image of the program: a minimal Debian with the package in it, no registry of images asked.
#   scripts/make-container.sh bookworm|trixie [DIRECTORY OF PACKAGES [IMAGE.tar]]
# The packages (default: build/package/packages) come from `cpack --preset package` on the same Debian. Writes an OCI archive
# (default: build/container/onmanifold.tar) for `podman load`, `docker load` or `skopeo`, and runs it once. Needs root,
# debootstrap and buildah.
set -euo pipefail
here="$(cd "$(dirname "$0")/.." && pwd)"
. "$here/scripts/minimal-root.sh"

case "${1:-}" in
  bookworm | trixie) suite="$1" ;;
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "make-container.sh: which Debian: bookworm or trixie?" >&2; exit 2 ;;
esac
packages="${2:-$here/build/package/packages}"
archive="${3:-$here/build/container/onmanifold.tar}"
command -v buildah >/dev/null || { echo "make-container.sh: buildah is not installed" >&2; exit 2; }
package="$(ls -t "$packages"/onmanifold_*.deb | head -n 1)"
mkdir -p "$(dirname "$archive")"
root="$(mktemp -d "$(dirname "$archive")/root.XXXXXX")"
# Where containers cannot be nested, buildah needs neither namespaces nor overlays.
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER="${STORAGE_DRIVER:-vfs}"
container=""
trap '[ -z "$container" ] || buildah rm "$container" >/dev/null; rm -rf "$root" "$root.log"' EXIT

make_root "$suite" "$root"
cp "$package" "$root/onmanifold.deb"
# gnuplot draws the figures.
in_root "$root" "apt-get update -qq
  apt-get install -y -qq --no-install-recommends /onmanifold.deb gnuplot-nox >/dev/null
  rm -rf /onmanifold.deb /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /usr/share/man/* /usr/share/locale/*
  find /usr/share/doc -type f ! -name copyright -delete
  rm -f /etc/apt/apt.conf.d/*proxy* /etc/resolv.conf /.complete"

container="$(buildah from scratch)"
buildah add --quiet "$container" "$root" / >/dev/null
buildah config --entrypoint '["/usr/bin/onmanifold"]' --cmd --help --workingdir /work --label org.opencontainers.image.title=onmanifold \
  "$container"
buildah run "$container" -- sh -c "mkdir -p /work && onmanifold --version && onmanifold export sphere-vmf6 -n 10 -o /tmp/points.npy"
rm -f "$archive"
buildah commit --quiet "$container" "oci-archive:$archive:onmanifold" >/dev/null
echo "$archive: $(du -m --apparent-size "$archive" | cut -f1) MB packed, $(du -sm --apparent-size "$root" | cut -f1) MB unpacked"
