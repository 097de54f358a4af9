"""Parsers of the kernel's machine-wide files, on captured and on broken text."""

import os
from pathlib import Path

import pytest

from oomtop.errors import ParseError
from oomtop.host.cgroup import CgroupLayout, count_cgroups, find_layout, list_cgroups, read_cgroup
from oomtop.host.checked_meminfo import read_meminfo
from oomtop.host.containers import name_of
from oomtop.host.meminfo import parse_meminfo
from oomtop.host.pressure import parse_pressure, read_pressure
from oomtop.host.process_scan import parse_cgroup, parse_stat, parse_status
from oomtop.host.root import Root
from oomtop.host.swaps import parse_swaps
from oomtop.host.vmstat import parse_vmstat
from oomtop.host.zoneinfo import parse_zoneinfo
from oomtop.sources.sampler import Sampler

HEX = "0123456789abcdef" * 4


def test_meminfo_is_in_bytes_and_unknown_lines_are_skipped() -> None:
    memory = parse_meminfo("MemTotal: 100 kB\nMemFree:  40 kB\nNewThing: 5 kB\nHugePages_Total: 3\n")
    assert (memory.mem_total, memory.mem_free, memory.huge_pages_total) == (102400, 40960, 3)
    assert memory.mem_available is None


@pytest.mark.parametrize("text", ["", "MemTotal: x kB\nMemFree: 1 kB\n", "MemFree: 1 kB\n"])
def test_meminfo_without_its_figures_is_an_error(text: str) -> None:
    with pytest.raises(ParseError, match="/proc/meminfo"):
        parse_meminfo(text)


def test_meminfo_equals_the_kernels_own_file() -> None:
    total = int(open("/proc/meminfo").readline().split()[1]) * 1024
    assert read_meminfo(Root()).mem_total == total


def test_vmstat_sums_the_zones_and_leaves_the_rest_unknown() -> None:
    counters = parse_vmstat("allocstall_dma 1\nallocstall_normal 2\noom_kill 4\n")
    assert (counters.allocstall, counters.oom_kill, counters.workingset_refault_pages) == (3, 4, None)


def test_vmstat_with_a_word_for_a_number_is_an_error() -> None:
    with pytest.raises(ParseError):
        parse_vmstat("oom_kill many\n")


def test_pressure_without_full_is_that_of_cpu_before_5_13() -> None:
    pressure = parse_pressure("some avg10=1.50 avg60=0.20 avg300=0.00 total=77\n")
    assert pressure.some.avg10 == 1.5
    assert pressure.some.total_us == 77
    assert pressure.full is None


def test_missing_pressure_is_none(tmp_path: Path) -> None:
    assert read_pressure(str(tmp_path / "memory")) is None


def test_zoneinfo_keeps_zones_that_hold_memory() -> None:
    text = (
        "Node 0, zone      DMA\n  pages free     10\n        boost    0\n        min      1\n        low      2\n"
        "        high     3\n        spanned  9\n        present  9\n        managed  8\n        protection: (0, 5)\n"
        "Node 0, zone  Movable\n  pages free     0\n        min      0\n        low      0\n        high     0\n"
        "        spanned  0\n        present  0\n        managed  0\n"
    )
    (zone,) = parse_zoneinfo(text, 4096)
    assert (zone.name, zone.free, zone.min, zone.protection) == ("DMA", 40960, 4096, (0, 20480))


def test_swaps_are_in_bytes() -> None:
    (device,) = parse_swaps("Filename Type Size Used Priority\n/swap file 2097148 10 -2\n")
    assert device.path == "/swap"
    (odd,) = parse_swaps("Filename Type Size Used Priority\n/a\\040b\\134c\\011 file 4 0 -2\n")
    assert odd.path == "/a b\\c\t"
    assert (device.size, device.used, device.priority) == (2097148 * 1024, 10240, -2)


STAT = b"42 (a) R 1 2 (x\n) S 1 42 42 0 -1 4194560 2561 0 3 0 7 1 0 0 20 0 1 0 8421 9420800 812 0 0 0 0"


def test_a_name_full_of_parentheses_and_newlines_does_not_shift_the_fields() -> None:
    process = parse_stat(STAT, 4096, 100)
    assert process.comm == "a) R 1 2 (x\n"
    assert (process.state, process.ppid, process.id.start_time, process.rss) == ("S", 1, 8421, 812 * 4096)
    assert (process.major_faults, process.cpu_seconds, process.threads) == (3, 0.08, 1)


def test_a_cut_stat_line_is_an_error() -> None:
    with pytest.raises(ParseError):
        parse_stat(STAT[:40], 4096, 100)


def test_status_gives_bytes_and_both_uids() -> None:
    values = parse_status(b"Name:\tx\nUid:\t1\t2\t3\t4\nRssAnon:\t  12 kB\nVmSwap:\t 4 kB\n")
    assert values == {"uid": 1, "euid": 2, "rss_anon": 12288, "swap": 4096}


def test_cgroup_path_of_v1_v2_and_hybrid() -> None:
    hybrid = b"5:memory:/a/b\n1:name=systemd:/c\n0::/d\n"
    assert parse_cgroup(hybrid) == "/a/b"
    assert parse_cgroup(hybrid, memory_hierarchy=False) == "/d"
    assert parse_cgroup(b"0::/user.slice:x\n") == "/user.slice:x"
    assert parse_cgroup(b"") is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", None),
        ("/user.slice", None),
        ("/system.slice/ssh.service", "ssh.service"),
        ("/system.slice/dev-disk\\x2da.swap", "dev-disk-a.swap"),
        (f"/system.slice/docker-{HEX}.scope", f"docker/{HEX[:12]}"),
        (f"/docker/{HEX}", f"docker/{HEX[:12]}"),
        (f"/machine.slice/libpod-{HEX}.scope/container", f"libpod/{HEX[:12]}"),
        (f"/kubepods/burstable/pod{HEX[:8]}-1234-1234-1234-{HEX[:12]}/{HEX}", f"pod/{HEX[:8]}/{HEX[:12]}"),
        ("/lxc/web1", "lxc/web1"),
        ("/lxc.payload.web1", "lxc/web1"),
        ("/lxc.payload.web1/system.slice/nginx.service", "lxc/web1"),
        ("/user.slice/user-0.slice/session-2.scope", "session-2.scope"),
    ],
)
def test_the_name_in_a_cgroup_path(path: str, name: str | None) -> None:
    assert name_of(path) == name


def layout_of(folder: Path, files: dict[str, str]) -> CgroupLayout:
    """Write files below a folder and return the cgroup layout found there."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    layout = find_layout(Root(str(folder)))
    assert layout is not None
    return layout


def test_cgroup_v2_tree(tmp_path: Path) -> None:
    mount = "sys/fs/cgroup"
    files = {
        "proc/self/mounts": "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0",
        f"{mount}/cgroup.controllers": "cpu memory",
        f"{mount}/a.service/memory.current": "1000",
        f"{mount}/a.service/memory.max": "max",
        f"{mount}/a.service/memory.high": "2000",
        f"{mount}/a.service/memory.events": "low 0\nhigh 3\nmax 0\noom 1\noom_kill 1\nnew_event 4",
    }
    layout = layout_of(tmp_path, files)
    assert list_cgroups(layout, 100) == ("/", "/a.service")
    facts = read_cgroup(layout, "/a.service")
    assert facts is not None
    assert (facts.current, facts.max, facts.high, facts.events.high, facts.events.oom_kill) == (1000, None, 2000, 3, 1)
    assert read_cgroup(layout, "/gone") is None


def test_cgroup_v1_says_unlimited_with_a_huge_number(tmp_path: Path) -> None:
    files = {
        "proc/self/mounts": "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "4096",
        "sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2",
    }
    layout = layout_of(tmp_path, files)
    facts = read_cgroup(layout, "/")
    assert facts is not None
    assert (layout.version, facts.max, facts.current, facts.events.oom_kill) == (1, None, 4096, 2)


@pytest.mark.parametrize(
    ("version", "name", "text", "count"),
    [
        (1, "proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t3\t9\t1\nmemory\t4\t71\t1\n", 71),
        (1, "proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n", None),
        (2, "sys/fs/cgroup/cgroup.stat", "nr_descendants 42\nnr_dying_descendants 7\n", 42),
        (2, "sys/fs/cgroup/other", "", None),
    ],
)
def test_groups_are_counted_without_listing_them(
    tmp_path: Path, version: int, name: str, text: str, count: int | None
) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(text)
    layout = CgroupLayout(version, str(tmp_path / "sys/fs/cgroup"), None)
    assert count_cgroups(Root(str(tmp_path)), layout) == count


def test_a_new_group_is_there_at_the_next_sample() -> None:
    layout = find_layout(Root())
    if layout is None:
        pytest.skip("no memory cgroup controller is mounted")
    sampler = Sampler()
    for _ in range(3):
        sampler.sample()
    folder = Path(layout.memory_mount, f"oomtop-new-{os.getpid()}")
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"may not create a cgroup: {error}")
    try:
        assert f"/{folder.name}" in {group.path for group in sampler.sample().cgroups}
    finally:
        folder.rmdir()
        sampler.close()
