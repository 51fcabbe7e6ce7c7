#!/bin/bash
# Containers of systemd-nspawn see their own limits, which sit on the unit or scope above their payload.
# shellcheck disable=SC2046 # bind_nspawn's words are options
. ./lib.sh
. ./helpers.sh
needs_lxcfs

story "one command in a container with limits"
out=$(systemd-nspawn -q -D "$ct" --volatile=overlay --pipe --register=yes $(bind_nspawn) --property=MemoryMax=150M --property=AllowedCPUs=0 sh -c "$numbers" </dev/null 2>&1)
sees "nspawn" "$out" 153600 1

story "the same in a user namespace"
out=$(systemd-nspawn -q -D "$ct" --volatile=overlay --pipe --private-users=65536:65536 --private-users-ownership=auto $(bind_nspawn) \
  --property=MemoryMax=150M sh -c "$numbers" </dev/null 2>&1)
sees "user namespace" "$out" 153600 "$(nproc --all)"

story "a booted container"
unit_start ctboot -p TimeoutStopSec=10 -p Delegate=yes -p MemoryMax=150M -p AllowedCPUs=1 systemd-nspawn -q --boot -M booted -D "$ct" --volatile=overlay --keep-unit \
  --register=yes --console=pipe --link-journal=no $(bind_nspawn)
eventually 90 "it runs" systemd-run -q --wait -M booted true
out=$(systemd-run -q --wait --pipe -M booted sh -c "$numbers" </dev/null 2>&1)
sees "service inside" "$out" 153600 1
out=$(systemd-run -q --wait --pipe -M booted -p MemoryMax=50M sh -c "$numbers" </dev/null 2>&1)
is "a service's own limit inside is not the container's" "$(value memory "$out")" 153600
check "it ends, and lets go of the directory" systemctl stop ctboot.service

story "machinectl start: a user namespace and its own network"
modprobe loop && losetup -f >/dev/null # disks of the host, whether a test before made any or not
mkdir -p /run/systemd/system/systemd-nspawn@ct.service.d
printf '[Service]\nMemoryMax=140M\nAllowedCPUs=1\n' >/run/systemd/system/systemd-nspawn@ct.service.d/limits.conf
systemctl daemon-reload
check "settings" lxcfsctl nspawn ct --install
check "it starts" machinectl start ct
machinectl status ct >/dev/null 2>&1 || journalctl -q --no-pager -n 20 -u systemd-nspawn@ct.service | sed 's/^/# /'
leader=$(machinectl show -P Leader ct 2>/dev/null || machinectl show -p Leader --value ct)
out=$(in_machine "$leader" "$numbers")
sees "one that entered from outside" "$out" 143360 1
is "online, which the drop-in attached after the start" "$(value online "$out")" 1
machinectl terminate ct
check "settings removed" lxcfsctl nspawn ct --remove

stop_lxcfs
