#!/bin/bash
# The Debian package, from its installation to its purge, and in the place of the distribution's.
# starts without the build: this file installs packages
. ./lib.sh
. ./helpers.sh
up='active active active mounted stored'
host_total=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
shopt -s nullglob
debs=(/host/debs/lxcfs_0.9.1-1*.deb /host/debs/lxcfs_0.9.2-1*.deb)
if [ ${#debs[@]} != 2 ]; then
  story "the packages"
  skip "needs packages of this build; have: none"
  exit 0
fi
old=${debs[0]} new=${debs[1]}
other=/host/debs/distribution.deb

put() { DEBIAN_FRONTEND=noninteractive dpkg "$@" </dev/null; }
installed() { dpkg-query -W -f '${db:Status-Abbrev}${Version}' lxcfs 2>/dev/null; }
# Units look as they would on a machine that is no container.
mkdir -p /run/systemd/system/lxcfs.service.d
printf '[Unit]\nConditionVirtualization=\n' >/run/systemd/system/lxcfs.service.d/machine.conf
# files: all there is of lxcfs outside of the records of dpkg and systemd.
files() {
  {
    find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/lib/dpkg -o -path /var/log -o -path /host -o -path "$tree/*" \) -prune \
      -o -path '*lxcfs*' ! -path '/var/lib/systemd/deb-systemd-helper-*' -print
    grep -l lxcfs /etc/passwd /etc/group
  } | sort
}
before=$(files)
follower follower Requires=lxcfs.service After=lxcfs.service # as Incus has it
follower_start() { systemctl daemon-reload && systemctl start follower.service; }
follower_end() { touch /run/follower.release; systemctl stop follower.service; rm /run/follower.release; }
# readers N SECONDS: in units that have the served file bound; judge_readers tells what they saw.
readers() {
  local i
  for i in $(seq "$1"); do
    rm -f "/run/read.$i" "/run/err.$i"
    unit_start "reader-$i" -p StandardOutput="file:/run/read.$i" -p StandardError="file:/run/err.$i" -p BindReadOnlyPaths="$tree/proc/meminfo:/proc/meminfo" \
      -p BindReadOnlyPaths="$tree/proc/stat:/proc/stat" python3 /run/test/guest/reader.py "$2" "$host_total"
  done
  sleep .3
}
judge_readers() {
  local i
  for i in $(seq "$1"); do
    try 40 test -s "/run/read.$i"
    between "reads of reader $i" "$(cut -d' ' -f1 "/run/read.$i")" 20 10000000
    is "errors of reader $i" "$(cut -d' ' -f2 "/run/read.$i")$(head -n 2 "/run/err.$i")" 0
  done
}

story "installation starts it"
check "dpkg -i" put -i "$old"
settles "state" "$up"
is "a read" "$(total)" "$host_total"
is "the version" "$(lxcfs --version)" 0.9.1
is "refusals of the bus" "$(journalctl -b --no-pager -o cat -u lxcfs.service | grep -c 'not on the message bus')" 0
eventually 10 "it is on the bus" lxcfsctl status
is "enabled" "$(systemctl is-enabled lxcfs.service lxcfs.socket | tr '\n' ' ')" "enabled enabled "
check "the user" getent passwd lxcfs
superblock=$(superblock)
check "a unit that requires it starts" follower_start
follower=$(life follower.service)

# change WHAT PACKAGE VERSION: installs it under readers, who must not notice.
change() {
  local pid main
  story "$1 under readers: no read fails"
  pid=$(server) main=$(systemctl show -P MainPID lxcfs.service)
  readers 2 6
  check "dpkg -i" put -i "$2"
  is "the version" "$(lxcfs --version)" "$3"
  eventually 10 "its processes run it" runs_installed
  judge_readers 2
  settles "state" "$up"
  is "the processes" "$(server) $(systemctl show -P MainPID lxcfs.service)" "$pid $main"
  is "who requires it" "$(life follower.service)" "$follower"
  is "the superblock" "$(superblock)" "$superblock"
}
change upgrade "$new" 0.9.2
change downgrade "$old" 0.9.1

follower_end
story "what was stopped and disabled stays so"
systemctl disable --now lxcfs.service lxcfs.socket 2>/dev/null
check "dpkg -i" put -i "$new"
settles "state" "inactive inactive inactive unmounted nothing stored"
systemctl enable --now lxcfs.socket lxcfs.service 2>/dev/null
settles "state again" "$up"

story "removal ends it and keeps the configuration"
check "dpkg -r" put -r lxcfs
refuses "the mount" mountpoint -q "$tree"
refuses "the unit" systemctl is-active lxcfs.service var-lib-lxcfs.mount lxcfs.socket
check "the configuration" test -e /etc/lxcfs/lxcfs.conf

story "purge leaves nothing"
check "dpkg -P" put -P lxcfs
is "what is left" "$(files)" "$before"

story "it takes the place of the distribution's package"
if [ ! -e "$other" ]; then
  skip "needs the distribution's package; have: none"
  exit 0
fi
check "the distribution's" put --force-depends -i "$other"
systemctl start lxcfs.service
eventually 10 "its mount" mountpoint -q "$tree"
pid=$(server)
check "a unit that requires it starts" follower_start
follower=$(life follower.service)
is "its daemon" "$(cat "/proc/$pid/comm")" lxcfs
# shellcheck disable=SC2016 # the unit expands it
unit_start container -p BindReadOnlyPaths="$tree/proc/uptime:/proc/uptime" sh -c 'while sleep .2; do cat /proc/uptime >/run/uptime.new 2>&1 && mv /run/uptime.new /run/uptime; done'
eventually 10 "a container with its files" test -s /run/uptime
check "dpkg -i" put -i "$new"
settles "state" "$up"
is "the version" "$(lxcfs --version)" 0.9.2
is "mode of /run/lxcfs, which the distribution's makes 700" "$(stat -c %a /run/lxcfs)" 755
check "reload" systemctl reload lxcfs.service
refuses "the old daemon" test -d "/proc/$pid"
is "who requires it" "$(life follower.service)" "$follower"
rm -f /run/uptime
eventually 20 "the container reads on" test -s /run/uptime
systemctl stop container.service
is "what is left of the distribution's" "$(find /etc/init.d /etc/sv /etc/rc?.d -name '*lxcfs*' 2>/dev/null)" ""

story "it gives way again"
check "the distribution's" put --force-depends --force-confmiss -i "$other"
is "installed" "$(installed | cut -c1-2)" ii
systemctl start lxcfs.service
eventually 10 "its mount" mountpoint -q "$tree"
is "what serves" "$(tr '\0' ' ' <"/proc/$(server)/cmdline")" "/usr/bin/lxcfs $tree "
refuses "our socket" systemctl is-active lxcfs.socket
is "who requires it" "$(life follower.service)" "$follower"
follower_end
systemctl stop lxcfs.service
umount -l "$tree" 2>/dev/null
put -P --force-depends lxcfs >/dev/null 2>&1
rm -r /run/systemd/system/lxcfs.service.d /run/systemd/system/follower.service
