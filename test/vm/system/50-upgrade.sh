#!/bin/bash
# Upgrades in place: old, new, old, new, by restart and by SIGUSR1, under readers.
. ./lib.sh
. ./helpers.sh
needs_units
up='active active active mounted stored'
host_total=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
program=$(command -v lxcfs)

# version N: puts another build in the place of the program, as a package does: by rename. Data at the end of an ELF file changes nothing.
cp "$program" /run/lxcfs.old
version() {
  cp -p /run/lxcfs.old "$program.new"
  echo "$1" >>"$program.new"
  mv "$program.new" "$program"
}

story "readers at work"
check "start" systemctl start lxcfs.service
before=$(superblock)
for i in 1 2; do
  unit_start "reader-$i" -p StandardOutput="file:/run/read.$i" -p StandardError="file:/run/err.$i" -p BindReadOnlyPaths="$tree/proc/meminfo:/proc/meminfo" \
    -p BindReadOnlyPaths="$tree/proc/stat:/proc/stat" python3 /run/test/guest/reader.py 10 "$host_total"
done
sleep .5

story "restart runs the new program under the old mount"
for n in 1 2; do
  version "$n"
  check "restart $n" systemctl restart lxcfs.service
  check "the new program runs" runs_installed
done

story "SIGUSR1 executes it under the same pid"
pid=$(systemctl show -P MainPID lxcfs.service)
for n in 3 4 5; do
  version "$n"
  systemctl kill -s USR1 --kill-whom=main lxcfs.service
  eventually 10 "the new program runs" runs_installed
  settles "state" "$up"
  is "the process" "$(systemctl show -P MainPID lxcfs.service)" "$pid"
done
kill -USR1 "$pid"
kill -USR1 "$pid"
settles "state after two at once" "$up"
is "the process" "$(systemctl show -P MainPID lxcfs.service)" "$pid"
check "reload after it" systemctl reload lxcfs.service

story "a program that can't be executed changes nothing"
mv "$program" /run/lxcfs.away
systemctl kill -s USR1 --kill-whom=main lxcfs.service
sleep 1
is "a read" "$(total)" "$host_total"
is "the process" "$(systemctl show -P MainPID lxcfs.service)" "$pid"
mv /run/lxcfs.away "$program"
settles "state" "$up"

story "no reader noticed"
for i in 1 2; do
  try 30 test -s "/run/read.$i"
  between "reads of reader $i" "$(cut -d' ' -f1 "/run/read.$i")" 50 10000000
  is "errors of reader $i" "$(cut -d' ' -f2 "/run/read.$i")$(head -n 2 "/run/err.$i")" 0
  echo "# reader $i: $(cat "/run/read.$i")"
done
is "the superblock" "$(superblock)" "$before"
is "deaths, as the daemon counts them" "$(systemctl show -P StatusText lxcfs.service | grep -o '[0-9]* deaths\?')" "0 deaths"
stop_lxcfs
