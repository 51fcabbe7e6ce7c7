#!/bin/bash
# Many unprivileged readers hammer while the daemon is killed: a neighbour's reads are all right.
. ./lib.sh
. ./helpers.sh
needs_units
up='active active active mounted stored'
host_total=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)

# hammer SECONDS: 64 threads that open, read a little, seek, stat, interrupt and leave, as nobody.
cat >/run/hammer.py <<'PY'
import os, random, signal, sys, threading, time
end = time.monotonic() + float(sys.argv[1])
top = sys.argv[2]
files = [os.path.join(d, f) for d, _, names in os.walk(top + "/proc") for f in names]
def work(seed):
    r = random.Random(seed)
    while time.monotonic() < end:
        try:
            f = os.open(r.choice(files), os.O_RDONLY)
            for _ in range(r.randrange(4)):
                os.pread(f, r.choice((1, 100, 4096, 1 << 20)), r.choice((0, 1, 5000, 1 << 40)))
                os.fstat(f)
            os.close(f)
            os.listdir(top + "/proc")
            os.stat(top + "/proc/none") if r.random() < .1 else None
        except OSError:
            pass
for i in range(64):
    threading.Thread(target=work, args=(i,), daemon=True).start()
while time.monotonic() < end:
    time.sleep(.1)
os._exit(0)
PY

story "a neighbour of 64 hostile threads reads on while the daemon is killed"
check "start" systemctl start lxcfs.service
before=$(superblock)
unit_start hostile -p User=nobody python3 /run/hammer.py 10 "$tree"
unit_start neighbour -p StandardOutput=file:/run/read -p StandardError=file:/run/err -p BindReadOnlyPaths="$tree/proc/meminfo:/proc/meminfo" \
  -p BindReadOnlyPaths="$tree/proc/stat:/proc/stat" python3 /run/test/guest/reader.py 8 "$host_total"
sleep .5
for _ in $(seq 12); do
  systemctl kill -s KILL lxcfs.service
  sleep .3
done
try 30 test -s /run/read
echo "# neighbour: $(cat /run/read)"
between "its reads" "$(cut -d' ' -f1 /run/read)" 20 10000000
is "its errors" "$(cut -d' ' -f2 /run/read)$(head -n 2 /run/err)" 0
settles "state" "$up"
is "the superblock" "$(superblock)" "$before"

story "nobody is left stuck and nothing has grown"
not_active() { ! systemctl is-active --quiet hostile.service; }
eventually 30 "the hostile unit ends" not_active
is "a read" "$(total)" "$host_total"
between "memory of the daemon, kB" "$(awk '/^VmRSS:/ { print $2 }' "/proc/$(server)/status")" 1000 200000
between "its descriptors" "$(find "/proc/$(server)/fd" -mindepth 1 | wc -l)" 5 2000
stop_lxcfs
