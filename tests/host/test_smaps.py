"""smaps, environment, details: captured and hostile text, this very process, one that is gone, one that is denied."""

import contextlib
import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from oomtop.errors import ParseError
from oomtop.host.elf import read_section_names
from oomtop.host.environ import read_arguments, read_environ, split_words
from oomtop.host.process import ProcessId
from oomtop.host.process_details import parse_inner_pid, parse_limits, parse_status_sizes, read_process_details
from oomtop.host.process_folder import NoMemoryMap, ProcessGone
from oomtop.host.process_scan import parse_stat
from oomtop.host.root import Root
from oomtop.host.smaps import parse_smaps, read_smaps, read_smaps_rollup, total
from tests.present import present

SMAPS = b"""\
5640f0451000-5640f0453000 r--p 00000000 fe:00 260131                     /usr/bin/my program
Size:                  8 kB
Rss:                   8 kB
Pss:                   4 kB
Private_Clean:         0 kB
VmFlags: rd mr mw me
5640f0453000-5640f0458000 r-xp 00002000 fe:00 260131                     /usr/bin/my program
Rss:                  16 kB
THPeligible:           0
c000000000-c000400000 rw-p 00000000 00:00 0
Rss:                 100 kB
Private_Dirty:       100 kB
7f0000000000-7f0000400000 rw-p 00000000 00:00 0
Rss:                  10 kB
Swap:                300 kB
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack:17]
Rss:                  12 kB
7fff00000000-7fff00021000 rw-s 00000000 00:01 7                          /memfd:x\\012y (deleted)
Rss:                   1 kB
"""


def identity(pid: int) -> ProcessId:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return parse_stat(file.read(), 1, 1).id


def test_mappings_are_added_up_by_name_largest_first() -> None:
    found = {mapping.name: mapping for mapping in parse_smaps(SMAPS.split(b"\n"))}
    assert list(found) == [
        "[anon]",
        "[anon, Go heap]",
        "/usr/bin/my program",
        "[stack]",
        "/memfd:x\\012y (deleted)",
    ]
    program = found["/usr/bin/my program"]
    assert (program.count, program.size, program.rss, program.pss) == (2, 8192, 24 * 1024, 4096)
    assert found["[anon, Go heap]"].uss == 100 * 1024
    assert found["[anon]"].swap == 300 * 1024


@pytest.mark.parametrize("text", [b"Rss: 5 kB\n", b"00400000-00452000 r-xp 00000000 08:02 1 /x\nRss: many kB\n"])
def test_broken_smaps_are_an_error(text: bytes) -> None:
    with pytest.raises(ParseError, match="smaps"):
        parse_smaps(text.split(b"\n"))


def test_the_rollup_of_this_process_counts_what_it_touched() -> None:
    me = identity(os.getpid())
    before = read_smaps_rollup(Root(), me)
    with mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as area:
        for _ in range(128):
            area.write(b"x" * (64 << 10))
        after = read_smaps_rollup(Root(), me)
        mappings = read_smaps(Root(), me)
    assert 7 << 20 < after.uss - before.uss < 24 << 20
    assert after.rss >= after.pss >= after.uss > 0
    assert abs(total(mappings).uss - after.uss) < 2 << 20


def test_another_process_with_the_same_number_is_not_read() -> None:
    me = identity(os.getpid())
    with pytest.raises(ProcessGone):
        read_smaps(Root(), ProcessId(me.pid, me.start_time + 1))


def test_a_process_that_was_reaped_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = identity(child.pid)
    child.communicate(b"\n")
    for read in (read_smaps, read_smaps_rollup, read_environ, read_arguments, read_process_details):
        with pytest.raises(ProcessGone):
            read(Root(), name)


def test_a_zombie_has_no_memory_and_no_words() -> None:
    reader, writer = os.pipe()
    child = subprocess.Popen([sys.executable, "-c", "pass"], stdout=writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as end:
        end.read()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    name = identity(child.pid)
    assert read_arguments(Root(), name) == ()
    details = read_process_details(Root(), name)
    assert details.exe is None
    assert details.peak_rss is None
    child.wait()


def test_a_kernel_thread_is_not_said_to_have_exited() -> None:
    try:
        kthreadd = identity(2)
    except FileNotFoundError:
        pytest.skip("no kernel threads in this pid namespace")
    for read in (read_smaps, read_environ, read_arguments):
        # Some kernels give an empty file, others ESRCH; a ProcessGone would be a lie.
        with contextlib.suppress(NoMemoryMap):
            assert not read(Root(), kthreadd)


def test_words_of_another_process() -> None:
    program = "print(flush=True); input()"
    environment = {"B": "2", "A": "\x1b[31mred\n", "LANG": "C"}
    child = subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, env=environment)
    present(child.stdout).readline()
    name = identity(child.pid)
    assert read_environ(Root(), name) == ("A=\x1b[31mred\n", "B=2", "LANG=C")
    assert read_arguments(Root(), name) == (sys.executable, "-c", program)
    child.communicate(b"\n")


def test_words_are_split_at_zero_bytes() -> None:
    assert split_words(b"") == ()
    assert split_words(b"\0\0") == ()
    assert split_words(b"nginx: worker\0\0\0") == ("nginx: worker",)
    assert split_words(b"a\0\0b\0") == ("a", "", "b")


def test_details_of_this_process() -> None:
    details = read_process_details(Root(), identity(os.getpid()))
    assert details.exe == os.readlink("/proc/self/exe")
    assert details.cwd == os.getcwd()
    assert details.peak_rss
    assert ".text" in details.sections
    assert sum(count for _, count in details.thread_states) >= 1


def test_peaks_namespaces_and_limits() -> None:
    status = "Name:\tx\nVmHWM:\t 3060 kB\nVmData:\t many kB\nNStgid:\t25974\t7\n"
    assert parse_status_sizes(status) == {"peak_rss": 3060 * 1024}
    assert parse_inner_pid(status) == 7
    assert parse_inner_pid("NStgid:\t25974\n") is None
    limits = "Max locked memory         8388608     8388608    bytes\nMax address space         unlimited   unlimited  bytes\n"
    assert parse_limits(limits) == (("locked memory", 8388608),)


@pytest.mark.parametrize("length", [0, 3, 64, 200])
def test_no_elf_or_a_broken_one_has_no_sections(tmp_path: Path, length: int) -> None:
    file = tmp_path / "broken"
    file.write_bytes((b"\x7fELF\x02\x01" + b"\xff" * 300)[:length])
    with open(file, "rb") as opened:
        assert read_section_names(opened.fileno()) == frozenset()
