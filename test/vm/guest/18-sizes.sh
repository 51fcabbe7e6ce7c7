#!/bin/bash
# st_size, and every way to read a file, where kernels differ: what goes through the page cache (6.5), and how io_uring reads (after 6.12).
# shellcheck disable=SC2016 # units expand their scripts
. ./lib.sh
. ./helpers.sh
needs_lxcfs

# Files that say the same each time. cpuinfo is longer than a page only on machines of more CPUs.
files=("$tree/proc/cpuinfo" "$tree/proc/swaps" "$tree/proc/partitions" "$tree/sys/devices/system/cpu/online")

story "every system call reads the same"
check "as read(2)" ways "${files[@]}"

story "a size is 0, and 0 is not what is read"
for f in "${files[@]}"; do
  n=$(cat "$f" | wc -c)
  is "st_size and st_blocks of ${f#"$tree"}" "$(stat -c '%s %b' "$f")" "0 0"
  # The kernel's inode has another, or sendfile(2) and io_uring would find nothing.
  is "and the inode's, of ${f#"$tree"}, is above what is read" "$(stat --cached=always -c %s "$f" | awk -v n="$n" '{ print ($1 >= n && $1 > 0) }')" 1
  is "bytes of busybox cat" "$(busybox cat "$f" | wc -c)" "$n"
  is "bytes of wc" "$(wc -c <"$f")" "$n"
  is "bytes of cp" "$(cp "$f" /run/copy && wc -c </run/copy)" "$n"
  is "bytes of busybox cp" "$(busybox cp "$f" /run/copy && wc -c </run/copy)" "$n"
  is "bytes of Python's copyfile" "$(python3 -c 'import shutil, sys; shutil.copyfile(sys.argv[1], "/run/copy")' "$f" && wc -c </run/copy)" "$n"
  is "the last line, by tail" "$(tail -n 1 "$f" | wc -c)" "$(sed -n '$p' "$f" | wc -c)"
  is "the last bytes, by tail" "$(tail -c 3 "$f" | od -c)" "$(cat "$f" | tail -c 3 | od -c)"
  check "tar ends well" tar -cPf /run/archive "$f"
done

story "a unit reads its own numbers in every way"
binds=(-p "BindReadOnlyPaths=$tree/proc/cpuinfo:/proc/cpuinfo" -p "BindReadOnlyPaths=$tree/sys/devices/system/cpu:/sys/devices/system/cpu")
out=$(unit_run -p AllowedCPUs=1 "${binds[@]}" \
  sh -c 'ways /proc/cpuinfo /sys/devices/system/cpu/online && echo well; busybox cat /sys/devices/system/cpu/online')
is "what it says" "$out" $'well\n1'
