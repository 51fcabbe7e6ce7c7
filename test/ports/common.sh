# shellcheck shell=bash
# common.sh: the machines of this directory; sourced by build and boot. Each is a Debian kernel and an initramfs of
# busybox, bash, lxcfs and the checks: no disk, no network, no systemd. What a machine needs of the kernel is built in, or
# one module.
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../vm/common.sh"
ports=$here/../ports

# shellcheck disable=SC2034 # of build and boot
# machine NAME: sets suite, arch (Debian's), goarch, kernel (a pattern of package names), pages (KiB), qemu and append.
machine() {
  suite=trixie append='' name=$1
  case $1 in
    arm64-16k) # a Raspberry Pi 5's page size
      arch=arm64 goarch=arm64 kernel='linux-image-[0-9.+deb]*-arm64-16k' pages=16
      qemu=(qemu-system-aarch64 -M virt -cpu cortex-a76 -smp 2) append=console=ttyAMA0 ;;
    ppc64le-64k)
      arch=ppc64el goarch=ppc64le kernel='linux-image-[0-9.+deb]*-powerpc64le-64k' pages=64
      qemu=(qemu-system-ppc64 -M pseries -cpu power9 -smp 2) append=console=hvc0 ;;
    s390x) # big endian
      arch=s390x goarch=s390x kernel='linux-image-[0-9.+deb]*-s390x' pages=4
      qemu=(qemu-system-s390x -M s390-ccw-virtio -cpu max -smp 2) append=console=ttysclp0 ;;
    amd64-5.10) # the oldest kernel that README names
      suite=bullseye arch=amd64 goarch=amd64 kernel='linux-image-5.10.[0-9-]*-cloud-amd64' pages=4
      qemu=(qemu-system-x86_64 -M q35 -cpu qemu64 -smp 2) append='console=ttyS0 psi=1' ;;
    *) die "unknown machine $1 (there are: ${all_ports[*]})" ;;
  esac
}
# shellcheck disable=SC2034 # of test/run
all_ports=(arm64-16k ppc64le-64k s390x amd64-5.10)

ports_dir() { # its directory in the cache: kernel root/
  machine "$1"
  echo "$cache/ports-$1-$(key "$1" "$ports"/{common.sh,build})"
}
