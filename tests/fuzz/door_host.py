"""Kernel files that say what cannot be, as lxcfs, gVisor or a FUSE file system over `/proc` may: shown or named, never raised."""

import os
import shutil
import tempfile
from pathlib import Path
from random import Random

from oomtop.analysis.assessment import assess
from oomtop.errors import ParseError
from oomtop.exporter.families import families
from oomtop.history import History
from oomtop.host.root import Root
from oomtop.render.assessment_json import assessment_to_json
from oomtop.render.json_text import json_text
from oomtop.render.top import render_top
from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler
from tests.fuzz.harness import Door, mutate

# For each tick the files that change; None: the file is gone.
Case = list[dict[str, bytes | None]]
NUMBERS = (
    b"0", b"-1", b"1", b"3", b"4294967296", b"18446744073709551615", b"18446744073709551616", b"9" * 25, b"9" * 400,
    b"9" * 5000, b"nan", b"-inf", b"1e308", b"3.5", b"0x10", b"max", b"", b"\xd9\xa3", b"\xff", b"1_0",
)  # fmt: skip
KIB = {
    "MemTotal": 16_000_000, "MemFree": 4_000_000, "MemAvailable": 9_000_000, "Buffers": 100_000, "Cached": 1_000_000,
    "SwapCached": 10, "Active(file)": 500_000, "Inactive(file)": 500_000, "Mlocked": 8, "SwapTotal": 1000, "SwapFree": 900,
    "Zswap": 8, "Zswapped": 16, "Dirty": 5, "Writeback": 5, "AnonPages": 2_000_000, "Mapped": 100_000, "Shmem": 100_000,
    "KReclaimable": 100_000, "Slab": 200_000, "SReclaimable": 100_000, "SUnreclaim": 100_000, "KernelStack": 10_000,
    "PageTables": 20_000, "Percpu": 10_000, "CommitLimit": 8_000_000, "Committed_AS": 4_000_000, "Hugetlb": 2048,
    "Hugepagesize": 2048,
}  # fmt: skip
PRESSURE = "".join(f"{kind} avg10=1.00 avg60=2.00 avg300=3.00 total=400\n" for kind in ("some", "full"))
GROUP = {
    "memory.current": "100000000", "memory.max": "200000000", "memory.high": "max", "memory.swap.current": "4096",
    "memory.swap.max": "max", "memory.stat": "anon 90000000\nfile 9000000\ninactive_file 100\nslab_reclaimable 50\nshmem 1",
    "memory.events": "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1", "memory.pressure": PRESSURE, "cgroup.procs": "100\n101",
    "memory.peak": "120000000", "memory.oom.group": "0", "cgroup.controllers": "memory", "cgroup.events": "populated 1",
}  # fmt: skip
FILES = {
    "proc/meminfo": "".join(f"{name}: {kib} kB\n" for name, kib in KIB.items())
    + "HugePages_Total: 1\nHugePages_Free: 1",
    "proc/loadavg": "0.1 0.1 0.1 1/100 5000",
    "proc/vmstat": "pgfault 1000\npgmajfault 10\npswpin 0\npswpout 0\noom_kill 2\nworkingset_refault_anon 4\nallocstall_normal 2",
    "proc/pressure/memory": PRESSURE,
    "proc/pressure/io": PRESSURE,
    "proc/swaps": "Filename Type Size Used Priority\n/swap\\040file file 1000 10 -2\n/dev/zram0 partition 1000 10 5",
    "proc/zoneinfo": "Node 0, zone   Normal\n  pages free     900000\n        boost    0\n        min      100\n        low      200\n"
    "        high     300\n        spanned  4000000\n        present  4000000\n        managed  4000000\n"
    "        protection: (0, 0, 0)",
    "proc/buddyinfo": "Node 0, zone   Normal      1      2      3      4      5      6      7      8      9     10     11",
    "proc/uptime": "1000.0 2000.0",
    "proc/stat": "cpu 1 2 3 4 5 6 7\nbtime 1700000000",
    "proc/self/mounts": "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0",
    "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw",
    "proc/self/cgroup": "0::/",
    "proc/spl/kstat/zfs/arcstats": "13 1 0x01 1 2 3 4\nname type data\nsize 4 1000000\nc_min 4 100\nc_max 4 2000000",
    "proc/slabinfo": "slabinfo - version: 2.1\n# name\nkmalloc-8 100 100 8 512 1 : tunables 0 0 0 : slabdata 1 1 0",
    "sys/block/zram0/mm_stat": "4096 2048 8192 0 8192 1 0 0 0",
    "sys/block/zram0/disksize": "1024000",
    "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "1",
    "sys/fs/cgroup/cgroup.controllers": "memory",
    "sys/fs/cgroup/memory.stat": GROUP["memory.stat"],
    **{f"proc/sys/vm/{name}": value for name, value in (("swappiness", "60"), ("overcommit_memory", "2"))},
    **{f"proc/sys/vm/{name}": "50" for name in ("overcommit_ratio", "overcommit_kbytes", "min_free_kbytes")},
    **{f"proc/sys/kernel/{name}": "x" for name in ("hostname", "osrelease", "random/boot_id")},
    **{
        f"sys/fs/cgroup/{group}/{name}": text
        for group in ("a.slice", "a.slice/b.service")
        for name, text in GROUP.items()
    },
}
PROCESSES = (1, 100, 101)


def _of_process(pid: int) -> dict[str, str]:
    stat = f"{pid} (some thing) S 0 {pid} {pid} 0 -1 4194304 10 0 5 0 10 5 0 0 20 0 2 0 {pid} 100000000 4000 "
    status = f"Name:\tx\nUid:\t{pid}\t{pid}\t{pid}\t{pid}\nVmLck:\t8 kB\nRssAnon:\t8000 kB\nRssFile:\t0 kB\nRssShmem:\t8 kB\n"
    return {
        f"proc/{pid}/stat": stat + "18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0",
        f"proc/{pid}/status": status + "VmPTE:\t100 kB\nVmSwap:\t4 kB\nHugetlbPages:\t0 kB\nSigCgt:\t0000000000004002",
        f"proc/{pid}/statm": "24414 4000 10 1 0 500 0",
        f"proc/{pid}/cmdline": "a\0b\0",
        f"proc/{pid}/cgroup": "0::/a.slice/b.service",
        f"proc/{pid}/oom_score": "666",
        f"proc/{pid}/oom_score_adj": "0",
        f"proc/{pid}/comm": "some thing",
    }


for _pid in PROCESSES:
    FILES.update(_of_process(_pid))


def make(rng: Random) -> Case:
    """Return what three ticks find: a number, a line or some bytes of a few files are changed."""
    return [{name: _damaged(rng, FILES[name]) for name in _some(rng)} for _ in range(3)]


def _some(rng: Random) -> list[str]:
    names = rng.sample(sorted(FILES), rng.choice((1, 1, 2, 5, 20)))
    return [*names, "proc/meminfo"] if rng.random() < 0.3 else names


def _damaged(rng: Random, text: str) -> bytes | None:
    data = (text + "\n").encode()
    kind = rng.random()
    if kind < 0.7:
        words = data.split(b" ") if rng.random() < 0.8 else data.split(b"\n")
        for _ in range(rng.choice((1, 1, 2, 6))):
            words[rng.randrange(len(words))] = rng.choice(NUMBERS)
        return (b" " if b" ".join(words) != data and len(words) > 1 else b"\n").join(words)
    if kind < 0.75:
        return None
    if kind < 0.85:
        lines = data.split(b"\n")
        rng.shuffle(lines)
        return b"\n".join(lines[: rng.randint(0, len(lines))])
    return mutate(rng, data)


def attempt(case: Case) -> None:
    """Sample a machine that says so, and show all that is made of it."""
    folder = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    sampler, history, assessment = Sampler(Root(folder)), History(), None
    try:
        write_machine(folder)
        for damage in case:
            for name, data in damage.items():
                _write(folder, name, data)
            try:
                tick = Tick(sampler.sample(with_slabs=True))
            except ParseError:
                # Of the one file without which there is no tick: it is said, and the next one is tried.
                assert any("proc/meminfo" in each for each in case)
                continue
            history.add(tick)
            assessment = assess(tick, history, assessment)
            render_top(assessment, 10, "rss", 80)
            text = json_text(assessment_to_json(assessment))
            assert "NaN" not in text
            assert "Infinity" not in text
            for family in families(assessment, 10):
                assert all(sample.value == sample.value for sample in family.samples), family.name
    finally:
        sampler.close()
        shutil.rmtree(folder, ignore_errors=True)


def write_machine(folder: str) -> None:
    """Write the kernel files of a small machine below a folder."""
    for name, text in FILES.items():
        _write(folder, name, text.encode() + b"\n")


def _write(folder: str, name: str, data: bytes | None) -> None:
    path = Path(folder, name)
    if data is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


DOOR = Door("host", make, attempt, few=60, many=20_000)
