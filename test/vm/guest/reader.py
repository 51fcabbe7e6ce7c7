"""reader.py SECONDS TOTAL: reads files over and over, as fast as it can; prints "reads errors worst" (ms).

Every /proc/meminfo must say MemTotal: TOTAL kB. An error is a failed open or read, an empty file, or another total.
"""
import sys
import time

FILES = ("/proc/meminfo", "/proc/stat", "/proc/uptime", "/proc/loadavg", "/proc/cpuinfo")


def main(seconds, total):
    reads = errors = 0
    worst = 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name in FILES:
            start = time.monotonic()
            try:
                with open(name, encoding="ascii") as f:
                    text = f.read()
                if not text or (name == "/proc/meminfo" and int(text.split()[1]) != total):
                    errors += 1
                    print(name, repr(text[:60]), file=sys.stderr)
            except OSError as e:
                errors += 1
                print(name, e, file=sys.stderr)
            reads += 1
            worst = max(worst, time.monotonic() - start)
    print(reads, errors, int(worst * 1000))


main(float(sys.argv[1]), int(sys.argv[2]))
