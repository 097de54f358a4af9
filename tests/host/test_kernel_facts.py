"""Settings, free lists, huge pages and slab caches, on captured and on broken text, and on this machine."""

from pathlib import Path

import pytest

from oomtop.errors import ParseError
from oomtop.host.buddyinfo import parse_buddyinfo
from oomtop.host.hugepages import read_hugepages
from oomtop.host.kernel_facts import KernelFacts, KernelWatch, read_kernel_facts
from oomtop.host.root import Root
from oomtop.host.slabinfo import parse_slabinfo
from oomtop.host.sysctl import chosen

BUDDY = "Node 0, zone      DMA      1      0      2 \nNode 1, zone   Normal   1240   1701   3 \n"
SLAB = (
    "slabinfo - version: 2.1\n"
    "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables\n"
    "empty                  0      0    312   13    1 : tunables    0    0    0 : slabdata      0      0      0\n"
    "dentry              1104   1155    192   21    1 : tunables    0    0    0 : slabdata     55     55      0\n"
    "my cache: 7            2      4   1024    4    8 : tunables    0    0    0 : slabdata     99     99      0\n"
)


def tree(folder: Path, files: dict[str, str]) -> Root:
    for name, text in files.items():
        path = folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Root(str(folder))


def test_free_lists_count_pages_by_order() -> None:
    dma, normal = parse_buddyinfo(BUDDY)
    assert (dma.zone, dma.counts, dma.free_pages, dma.pages_from(1)) == ("DMA", (1, 0, 2), 9, 8)
    assert normal.node == 1


@pytest.mark.parametrize("text", ["Node 0, zone\n", "Node 0, zone DMA x\n"])
def test_broken_free_lists_are_an_error(text: str) -> None:
    with pytest.raises(ParseError, match="buddyinfo"):
        parse_buddyinfo(text)


def test_slab_caches_are_sorted_by_what_their_pages_take_and_a_name_may_hold_blanks() -> None:
    first, second = parse_slabinfo(SLAB, 4096)
    assert (first.name, first.bytes, first.objsize) == ("my cache: 7", 99 * 8 * 4096, 1024)
    assert (second.name, second.active_objs) == ("dentry", 1104)


def test_a_slab_line_without_numbers_is_an_error() -> None:
    with pytest.raises(ParseError, match="slabinfo"):
        parse_slabinfo("dentry many\n", 4096)


def test_huge_pools_by_size(tmp_path: Path) -> None:
    folder = "/sys/kernel/mm/hugepages"
    root = tree(
        tmp_path,
        {
            f"{folder}/hugepages-1048576kB/nr_hugepages": "1\n",
            f"{folder}/hugepages-2048kB/nr_hugepages": "64\n",
            f"{folder}/hugepages-2048kB/free_hugepages": "60\n",
            f"{folder}/junk/nr_hugepages": "9\n",
        },
    )
    small, large = read_hugepages(root)
    assert (small.page_size, small.total, small.free, small.reserved) == (2 << 20, 64, 60, 0)
    assert large.page_size == 1 << 30


def test_a_machine_without_these_files_has_empty_facts(tmp_path: Path) -> None:
    assert read_kernel_facts(Root(str(tmp_path)), with_slabs=True) == KernelFacts(())


def test_settings_by_name(tmp_path: Path) -> None:
    root = tree(tmp_path, {"/proc/sys/vm/swappiness": "60\n", "/proc/sys/vm/lowmem_reserve_ratio": "256\t32\n"})
    facts = read_kernel_facts(root)
    assert facts.number("swappiness") == 60
    assert facts.setting("lowmem_reserve_ratio") == "256\t32"
    assert facts.number("lowmem_reserve_ratio") is None
    assert facts.number("nothing") is None


def test_the_bracketed_word_is_the_chosen_one() -> None:
    assert chosen("always [madvise] never") == "madvise"
    assert chosen("60") == "60"


def test_the_watch_reads_again_after_thirty_seconds_or_when_slabs_are_wanted(tmp_path: Path) -> None:
    root = tree(tmp_path, {"/proc/sys/vm/swappiness": "60\n", "/proc/slabinfo": SLAB})
    watch = KernelWatch(root, 4096)
    first = watch.facts(100.0, False)
    assert watch.facts(129.0, False) is first
    wanted = watch.facts(129.5, True)
    assert wanted.slabs is not None
    assert watch.facts(130.0, True) is wanted
    assert watch.facts(135.0, True) is not wanted
    assert watch.facts(170.0, False).slabs is None


def test_this_machine() -> None:
    facts = read_kernel_facts(Root(), with_slabs=True)
    assert facts.number("min_free_kbytes")
    assert facts.setting("swappiness") is not None
