#!/bin/bash
# The configuration: what is in force at a start, after a reload, and with a mistake in it.
. ./lib.sh
. ./helpers.sh
needs_units
needs_swap() { [ "$(wc -l </proc/swaps)" -gt 1 ]; }
conf=/etc/lxcfs/lxcfs.conf.d
mkdir -p $conf
main_pid() { systemctl show -P MainPID lxcfs.service; }
logged() { journalctl -b -u lxcfs.service --no-pager -o cat | grep -c -- "$1"; }
has_logged() { [ "$(logged "$1")" -ge "${2:-1}" ]; }
field() { journalctl -b -u lxcfs.service --no-pager -o cat --output-fields="$1" "$2" | tail -n 1; }
debug() { [ "$(busctl get-property org.linuxcontainers.lxcfs1 /org/freedesktop/LogControl1 org.freedesktop.LogControl1 LogLevel 2>/dev/null)" = 's "debug"' ]; }

story "a mistake at the start costs its own line only"
printf '[View]\nswap=maybe\nloadavg=no\n' >$conf/50-test.conf
check "start" systemctl start lxcfs.service
eventually 10 "file, line and reason are in the journal" has_logged "50-test.conf.*line=2.*\"maybe\" is not a boolean"
is "the file in a field of its own" "$(field LXCFS_FILE LXCFS_LINE=2)" "$conf/50-test.conf"
is "priority of the message" "$(field PRIORITY LXCFS_LINE=2)" 3

story "a reload takes over what is right"
pid=$(main_pid)
printf '[View]\nswap=no\n[Manager]\nLogLevel=debug\n' >$conf/50-test.conf
check "reload" systemctl reload lxcfs.service
eventually 10 "it says so" has_logged "configuration loaded"
sleep 1 # for a second one, which there must not be
is "times that it was loaded" "$(logged "configuration loaded")" 1
is "the process" "$(main_pid)" "$pid"
if busctl status org.linuxcontainers.lxcfs1 >/dev/null 2>&1; then eventually 10 "the log level" debug; fi

story "a reload with a mistake leaves the old configuration in force"
printf '[View]\ncpu=everything\n' >$conf/50-test.conf
refuses "reload" systemctl reload lxcfs.service
eventually 10 "the mistake is in the journal" has_logged "50-test.conf.*line=2.*cpu=\"everything\" is not one of"
eventually 10 "what it means as well" has_logged "the old one stays in force"
is "the process" "$(main_pid)" "$pid"
is "active" "$(systemctl is-active lxcfs.service)" active
is "the mistake is said once by the server" "$(journalctl -b --no-pager -o cat "_PID=$(server)" | grep -c 'cpu="everything" is not one of')" 1
rm $conf/50-test.conf
eventually 10 "a reload comes to its end" systemctl reload lxcfs.service

story "a directory that the daemon may not read makes a reload fail"
chmod 700 /run/lxcfs # as another lxcfs leaves it
refuses "reload" systemctl reload lxcfs.service
like "what it says" "$(journalctl -b -u lxcfs.service --no-pager -o cat | tail -n 20)" 'run/lxcfs/lxcfs.conf.d.*permission denied'
is "active" "$(systemctl is-active lxcfs.service)" active
systemd-tmpfiles --create /usr/lib/tmpfiles.d/lxcfs.conf
check "reload, when the mode is set again" systemctl reload lxcfs.service

story "the status line"
like "it" "$(systemctl show -P StatusText lxcfs.service)" '^Serving 1 connection to [0-9]+ containers?; [0-9]+ restarts?, 0 deaths$'

story "options of a mount win over the configuration"
mkdir -p /mnt/other
check "mount" mount -t fuse.lxcfs lxcfs /mnt/other -o noswap,cpu=cpuset
is "a read" "$(total /mnt/other)" "$(total)"
check "umount" umount /mnt/other
stop_lxcfs
