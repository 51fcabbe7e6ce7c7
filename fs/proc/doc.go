// Package proc renders the files of /proc as a container sees them: one pure
// function for each file, from the bytes of the host's own file and a
// [view.View] of the container.
//
// The host's text is edited, not printed anew: its order, columns, and every
// line that is not known here stay as the kernel wrote them. A known line that
// the kernel could not have written is an error that wraps
// [cgroup.ErrFormat] and quotes the line; so is text that does not end in a
// newline. After an error the caller serves the host's own file.
//
// [Figures] has single numbers of these files, for the bus.
//
// Values in a View are bytes. kB (1024 bytes) are only where text of the kernel is
// parsed or made: in this package, in fs/memory, which reckons for it, in
// fs/sys, and where fs/view reads the host's meminfo.
//
// Some files are left out, so that a container sees the kernel's own:
//
//   - schedstat, interrupts and softirqs count per CPU what the kernel knows for
//     the machine alone. A container's share does not exist, and their readers
//     (mpstat -I, turbostat) want the machine.
//   - zoneinfo, buddyinfo and pagetypeinfo are the machine's physical memory. No
//     cgroup has zones; what readers want of them, /proc/meminfo tells.
//
// The package reads no file, knows no container and no clock, and keeps no
// state. Appending to a slice with room allocates nothing.
package proc
