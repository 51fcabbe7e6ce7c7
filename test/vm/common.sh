# shellcheck shell=bash
# common.sh: sourced by the scripts of this directory: where the cache is, which images there are, where Debian packages come from.

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
cache=${LXCFS_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/lxcfs-test}
tools_suite=trixie # its QEMU (10.0) is known to be good under TCG; bookworm's (7.2) panics guests now and then

die() { echo "${0##*/}: $*" >&2; exit 1; }
say() { echo "${0##*/}: $*" >&2; }

# image_suite IMAGE: the Debian release that an image is made of.
image_suite() {
  case $1 in
    bookworm | trixie | forky) echo "$1" ;;
    trixie-backports | trixie-incus) echo trixie ;;
    *) die "unknown image $1 (there are: bookworm trixie trixie-backports trixie-incus forky)" ;;
  esac
}

# key WORD FILE...: a short name for WORD and what is in FILEs, so that a changed script makes a new cache entry.
key() { { echo "$1"; shift; cat "$@"; } | sha256sum | cut -c1-12; }

image_dir() { # IMAGE: its directory in the cache: root/ disk.ext4 vmlinux
  echo "$cache/$1-$(key "$1" "$here"/{common.sh,mkroot,mkimage,agent,vmlinux.py})"
}
tools_dir() { echo "$cache/tools-$(key "$tools_suite" "$here"/{common.sh,mktools})"; }

# debian_mirror: the repository that this machine's own apt takes Debian from; empty: mmdebstrap's default.
debian_mirror() {
  # The Label tells the main archive from security updates and third parties; it is known only after an apt-get update.
  apt-get indextargets --format "\$(REPO_URI) \$(ORIGIN)/\$(LABEL)" 'Created-By: Packages' 2>/dev/null |
    awk '$2 == "Debian/Debian" { print $1; exit }'
}

# bootstrap SUITE OUTDIR PACKAGES [OPTION...]: unpacks and configures Debian packages in OUTDIR; documentation is left out.
bootstrap() {
  local suite=$1 out=$2 packages=$3 mirror
  shift 3
  mirror=$(debian_mirror)
  mmdebstrap --mode=root --format=directory --variant=minbase --include="$packages" \
    --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='force-unsafe-io' \
    --setup-hook='mkdir -p "$1/etc/dpkg/dpkg.cfg.d"; printf "path-exclude=/usr/share/%s/*\n" man locale doc >"$1/etc/dpkg/dpkg.cfg.d/lean"' \
    "$@" "$suite" "$out" ${mirror:+"$mirror"}
}

# backports_line SUITE: the sources.list line of SUITE's backports.
backports_line() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || die "no Debian repository among this machine's apt sources: no backports"
  echo "deb [signed-by=$keyring] $mirror $1-backports main"
}
