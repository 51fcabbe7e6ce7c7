# shellcheck shell=bash
# helpers.sh: what the test files of guest/ and system/ share. Source lib.sh first.

# unit_run [-p PROPERTY...] COMMAND...: runs a command as a unit of its own and prints its output.
unit_run() { systemd-run --quiet --wait --pipe --collect "$@" 2>&1; }

# cgroup_of PID|self: the absolute directory of its cgroup in the unified hierarchy.
cgroup_of() { sed -n 's|^0::|/sys/fs/cgroup|p' "/proc/$1/cgroup"; }

# have_controllers: limits work here (a VM or a machine of its own, not nsboot).
have_controllers() { grep -qw memory /sys/fs/cgroup/cgroup.controllers; }
