#!/usr/bin/env python3
"""vmlinux.py BZIMAGE VMLINUX: the uncompressed ELF kernel in a bzImage.

QEMU starts an ELF kernel directly (PVH), which saves the slow decompression under emulation. Offsets are those of
Documentation/arch/x86/boot.rst: setup_sects at 0x1f1, payload_offset and payload_length at 0x248.
"""
import struct
import subprocess
import sys

FORMATS = (  # first bytes of the payload, how to unpack it, bytes of length that follow the stream
    (b"\x28\xb5\x2f\xfd", ["zstd", "-dc"], 4),
    (b"\xfd7zX", ["xz", "-dc", "--single-stream"], 0),
    (b"\x1f\x8b", ["gzip", "-dc"], 0),
    (b"\x02!L\x18", ["lz4", "-dc"], 4),
)


def main(source, target):
    with open(source, "rb") as f:
        image = f.read()
    setup = (image[0x1F1] or 4) * 512 + 512
    offset, length = struct.unpack_from("<II", image, 0x248)
    payload = image[setup + offset : setup + offset + length]
    for magic, command, tail in FORMATS:
        if payload.startswith(magic):
            data = payload[: len(payload) - tail]
            unpacked = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            if unpacked[:4] != b"\x7fELF":
                sys.exit(f"{source}: what {command[0]} unpacked is not an ELF file")
            with open(target, "wb") as f:
                f.write(unpacked)
            return
    sys.exit(f"{source}: unknown compression {payload[:6]!r}")


main(*sys.argv[1:3])
