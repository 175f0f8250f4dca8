# For scripts that try the project on a new machine; source it. A minimal Debian in a folder, and commands inside it.
# Needs root, debootstrap and the network.

# make_root SUITE FOLDER [PACKAGE,PACKAGE]: a minimal system there, unless there is one, with what it needs of this machine to
# reach its mirror (DEBIAN_MIRROR, proxies).
make_root() {
  local suite="$1" root="$2" include="ca-certificates${3:+,$3}"
  [ "$(id -u)" -eq 0 ] || { echo "$(basename "$0"): chroot needs root" >&2; exit 2; }
  command -v debootstrap >/dev/null || { echo "$(basename "$0"): debootstrap is not installed" >&2; exit 2; }
  if [ ! -e "$root/.complete" ]; then
    mkdir -p "$root"
    debootstrap --variant=minbase --include="$include" "$suite" "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" \
      >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 2; }
    touch "$root/.complete"
  fi
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  local file
  for file in /etc/apt/apt.conf.d/*proxy*; do
    [ ! -e "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/"
  done
}

# in_root ROOT COMMAND: by its bash, with /proc and /dev of its own and nothing of this environment; nothing stays mounted.
in_root() {
  unshare --mount --fork -- bash -euc '
    mount --bind /dev "$0/dev"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$0/dev/pts" 2>/dev/null || true
    mount -t proc proc "$0/proc" 2>/dev/null || mount --rbind /proc "$0/proc"
    mount -t tmpfs tmpfs "$0/dev/shm" 2>/dev/null || true
    exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
      http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" bash -euc "$1"' "$1" "$2"
}
