# SPDX-License-Identifier: BSD-2-Clause
"""Builds DPDK's example l3fwd for these drivers: from a copy of Debian's source, into the build directory.

What is changed in the copy, and why:
- no receive checksum offload: the software drivers have none, and 22.11 stops without it;
- the number of buffers comes from LBDP_BENCH_MBUFS, and each has the size that the other programs' have;
- a packet that no rule matches is dropped, not sent back: so received = transmitted proves that all were found;
- a million rules are not printed one by one.
"""

import hashlib
import pathlib
import shutil
import subprocess

from lib.errors import BenchError

SOURCE = pathlib.Path("/usr/share/dpdk/examples")
# File, text of DPDK 22.11, what it becomes. Each must be there at least once.
EDITS = (
    ("main.c", ".offloads = RTE_ETH_RX_OFFLOAD_CHECKSUM,", ".offloads = 0,"),
    ("main.c", "(unsigned)8192)", '(unsigned)atoi(getenv("LBDP_BENCH_MBUFS")))'),
    ("main.c", "RTE_MBUF_DEFAULT_BUF_SIZE, socketid", "256, socketid"),
    ("l3fwd_em_hlm.h", "portid : ipv4_l3fwd_out_if", "BAD_PORT : ipv4_l3fwd_out_if"),
    ("l3fwd_em_hlm.h", "dst_port[i] = portid;", "dst_port[i] = BAD_PORT;"),
    ("l3fwd_em.c", 'printf("EM: Adding route', 'if (0) printf("EM: Adding route'),
)
FILES = ("l3fwd_em.c", "l3fwd_lpm.c", "l3fwd_acl.c", "l3fwd_fib.c", "l3fwd_event.c", "l3fwd_event_generic.c",
         "l3fwd_event_internal_port.c", "main.c")


def flags(what):
    result = subprocess.run(["pkg-config", what, "libdpdk"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BenchError(f"pkg-config {what} libdpdk: {result.stderr.strip()}")
    return result.stdout.split()


def patched_copy(to):
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(SOURCE / "l3fwd", to / "l3fwd")
    shutil.copytree(SOURCE / "common", to / "common")
    for name, old, new in EDITS:
        path = to / "l3fwd" / name
        text = path.read_text()
        if old not in text:
            raise BenchError(f"{SOURCE}/l3fwd/{name} is another version than bench/lib/l3fwd.py knows: no {old!r}")
        path.write_text(text.replace(old, new))


def build(directory):
    """The program's path; builds it under `directory` unless that has been done with this source and these edits."""
    if not (SOURCE / "l3fwd/main.c").exists():
        raise BenchError(f"no {SOURCE}/l3fwd: apt-get install dpdk-doc (scripts/install)")
    version = subprocess.run(["pkg-config", "--modversion", "libdpdk"], capture_output=True, text=True, check=False)
    key = hashlib.sha256(repr((version.stdout, EDITS, FILES)).encode()).hexdigest()[:12]
    program = directory / f"l3fwd-{key}" / "l3fwd-em"
    if program.exists():
        return program
    patched_copy(program.parent)
    source = program.parent / "l3fwd"
    command = ["cc", "-O3", *flags("--cflags"), "-DALLOW_EXPERIMENTAL_API", "-w", f"-I{program.parent / 'common'}",
               *(str(source / name) for name in FILES), "-o", str(program), *flags("--libs")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BenchError(f"l3fwd does not build: {' '.join(command)}\n{result.stderr[-2000:]}")
    return program
