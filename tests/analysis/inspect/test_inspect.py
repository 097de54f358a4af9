"""Runtime, tools, growth of mappings, zones and free lists: pure conclusions from captured facts."""

import pytest

from oomtop.analysis.inspect.mappings import MappingsAt, compare, fastest
from oomtop.analysis.inspect.runtime import Runtime, detect_allocator, detect_runtime
from oomtop.analysis.inspect.tools import ADVICE, STRACE, TOOLS, tools_for
from oomtop.analysis.kernel_state import fragmentation, huge_page_order, slab_meaning, zone_states, zram_ratio
from oomtop.host.buddyinfo import BuddyZone
from oomtop.host.hugepages import HugePool
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.smaps import MappedMemory
from oomtop.host.swaps import Zram
from oomtop.host.zoneinfo import Zone
from oomtop.units import MIB
from tests.present import present


@pytest.mark.parametrize(
    ("exe", "comm", "command", "mapped", "sections", "found"),
    [
        ("/usr/bin/python3.11", "gunicorn", None, (), (), Runtime.PYTHON),
        ("/usr/lib/jvm/java-17/bin/java (deleted)", "java", None, (), (), Runtime.JAVA),
        ("/usr/bin/node", "node", None, (), (), Runtime.NODE),
        ("/usr/bin/ruby3.1", "puma: cluster", None, (), (), Runtime.RUBY),
        ("/usr/sbin/php-fpm8.2", "php-fpm8.2", None, (), (), Runtime.PHP),
        ("/usr/bin/dotnet", "dotnet", None, (), (), Runtime.DOTNET),
        ("/usr/lib/erlang/erts/bin/beam.smp", "beam.smp", None, (), (), Runtime.BEAM),
        ("/opt/app/server", "server", None, ("/lib/libjvm.so", "[heap]"), (), Runtime.JAVA),
        ("/opt/app/MyService", "MyService", None, ("/opt/app/libcoreclr.so",), (), Runtime.DOTNET),
        ("/usr/sbin/uwsgi-core", "uwsgi", None, ("/usr/lib/libpython3.11.so.1.0",), (), Runtime.PYTHON),
        ("/usr/bin/dockerd", "dockerd", None, (), (".text", ".go.buildinfo"), Runtime.GO),
        ("/usr/bin/prometheus", "prometheus", None, ("[anon: Go: heap]",), (), Runtime.GO),
        ("/usr/bin/prometheus", "prometheus", None, ("[anon, Go heap]",), (), Runtime.GO),
        ("/usr/sbin/mysqld", "mysqld", None, ("/usr/lib/libjemalloc.so.2",), (".text",), Runtime.NATIVE),
        (None, "python3", "/opt/venv/bin/python3.12 -m app", (), (), Runtime.PYTHON),
        (None, "java", None, (), (), Runtime.JAVA),
        (None, "x", "", (), (), Runtime.NATIVE),
    ],
)
def test_runtimes(
    exe: str | None, comm: str, command: str | None, mapped: tuple[str, ...], sections: tuple[str, ...], found: Runtime
) -> None:
    assert detect_runtime(exe, comm, command, mapped, sections) is found


def test_another_malloc_is_seen() -> None:
    assert detect_allocator(["/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"]) == "jemalloc"
    assert detect_allocator(["[heap]", "/usr/lib/libc.so.6"]) is None


def test_every_runtime_has_a_tool_and_advice_but_the_kernel() -> None:
    for runtime in Runtime:
        assert bool(tools_for(runtime)) == (runtime is not Runtime.KERNEL)
        assert (runtime in ADVICE) == (runtime is not Runtime.KERNEL)
    assert all(any("77" in word for word in tool.command(77)) for tool in (*TOOLS, STRACE))


def reading(when: float, **sizes: int) -> MappingsAt:
    return MappingsAt(when, tuple(MappedMemory(name, count=1, rss=size) for name, size in sizes.items()))


def test_the_mapping_that_grows_is_found_and_noise_is_not() -> None:
    first, later = reading(10.0, heap=50 * MIB, lib=90 * MIB), reading(20.0, lib=90 * MIB, heap=70 * MIB, new=3 * MIB)
    rows = {row.memory.name: row for row in compare(first, later)}
    assert (rows["heap"].change, rows["heap"].rate) == (20 * MIB, 2 * MIB)
    assert rows["new"].change == 3 * MIB
    assert present(fastest(tuple(rows.values()))).memory.name == "heap"
    assert fastest(compare(first, reading(20.0, heap=50 * MIB + 5000))) is None


def test_one_reading_tells_no_change() -> None:
    assert [row.change for row in compare(None, reading(1.0, heap=1))] == [None]
    same = reading(1.0, heap=1)
    assert [row.rate for row in compare(same, same)] == [None]


def test_zones_below_their_watermarks() -> None:
    zones = [Zone(0, "DMA", 5, 10, 20, 30, 100, 100), Zone(0, "Normal", 15, 10, 20, 30, 100, 100, (0, 7))]
    low, middle = zone_states(zones)
    assert (low.word, low.left) == ("requests wait", -5)
    assert (middle.word, middle.reserve) == ("kswapd works", 7)


def test_the_unusable_share_of_free_memory() -> None:
    (state,) = fragmentation([BuddyZone(0, "Normal", (8, 4, 0, 2))])
    assert state.unusable == (0.0, 8 / 32, 0.5, 0.5)
    assert state.share(9) is None
    assert fragmentation([BuddyZone(0, "DMA", (0, 0))])[0].share(1) is None


def test_the_order_of_a_huge_page() -> None:
    assert huge_page_order(KernelFacts(()), 4096) == 9
    assert huge_page_order(KernelFacts((), huge_pools=(HugePool(1 << 25, 0, 0, 0, 0),)), 65536) == 9


def test_what_compression_gains() -> None:
    assert zram_ratio(Zram("zram0", 1 << 30, 300, 100, "zstd")) == 3.0
    assert zram_ratio(Zram("zram0", 1 << 30, 0, 0, None)) is None


def test_known_caches_have_a_meaning() -> None:
    assert "reclaimable" in slab_meaning("ext4_inode_cache")
    assert "dropped" not in slab_meaning("shmem_inode_cache")
    assert slab_meaning("task_group") == ""
