import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Prepared, Status
from oomtop.actions.base.requests import ReclaimProcessRequest
from oomtop.actions.dispatch import prepare
from oomtop.actions.process.page_out import Range, parse_maps
from oomtop.errors import ParseError
from oomtop.host.meminfo import Meminfo
from oomtop.host.privileges import Capability, has_capability
from oomtop.host.process import ProcessId
from tests.actions.children import as_nobody, context, end, facts, identity, start
from tests.present import present

MIB = 1 << 20


@pytest.fixture
def child(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A child that has 20 MiB of a file privately mapped and read: clean pages that no one else maps."""
    path = tmp_path / "mapped"
    path.write_bytes(bytes(20 * MIB))
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    process = start(
        "import mmap\n"
        f"file = open({str(path)!r}, 'rb')\n"
        "held = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)\n"
        "total = sum(held[at] for at in range(0, len(held), 4096))"
    )
    yield process
    end(process)


def ask(pid: int, **more: Any) -> Prepared:
    return prepare(ReclaimProcessRequest(identity(pid)), context([facts(pid)], **more))


def test_mapped_file_pages_go(child: subprocess.Popen[str]) -> None:
    if not has_capability(Capability.SYS_NICE):
        pytest.skip("needs CAP_SYS_NICE")
    before = facts(child.pid).rss
    outcome = ask(child.pid).perform(print)
    if "does not have it" in outcome.summary:
        pytest.skip("needs Linux 5.10")
    assert outcome.status is Status.DONE
    assert before - facts(child.pid).rss > 15 * MIB
    assert present(outcome.freed) > 15 * MIB


@pytest.mark.parametrize(
    ("total", "free", "said"),
    [(0, 0, r"there is no swap: all [\d.]+M of anonymous memory stay in RAM; of 2[\d.]+M of file and shared pages"),
     (MIB, 0, r"swap is full: all "), (4 * MIB, MIB, r"up to 1.0M of [\d.]+M of anonymous memory to swap, which is full"),
     (1 << 30, 1 << 30, r"up to [\d.]+M of anonymous memory to swap \(1.0G free\)")],
)  # fmt: skip
def test_a_plan_says_what_goes_to_swap_and_what_stays(
    child: subprocess.Popen[str], total: int, free: int, said: str
) -> None:
    prepared = ask(child.pid, meminfo=Meminfo(1 << 30, 1 << 29, swap_total=total, swap_free=free))
    assert re.match(said, prepared.plan.effect)
    assert prepared.plan.targets[0].frees is None
    prepared.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_stranger_may_not(child: subprocess.Popen[str]) -> None:
    said = as_nobody(lambda: ask(child.pid).plan.refusal or "no refusal")
    assert "its mappings cannot be read" in said


def test_refusals(child: subprocess.Popen[str]) -> None:
    assert "pid 1" in present(ask(1).plan.refusal)
    assert "recording" in present(ask(child.pid, guard=Guard(replay=True)).plan.refusal)
    reused = ProcessId(child.pid, identity(child.pid).start_time + 7)
    assert "now another process" in present(prepare(ReclaimProcessRequest(reused), context()).plan.refusal)


def test_which_mappings_are_taken() -> None:
    raw = (
        b"00400000-00401000 r-xp 00000000 fe:00 1 /bin/a file with\tblanks\n"
        b"7f0000000000-7f0000002000 rw-p 00000000 00:00 0 \n"
        b"7f0000002000-7f0000003000 ---p 00000000 00:00 0 \n"
        b"7f0000003000-7f0000004000 rw-s 00000000 00:01 5 /memfd:x (deleted)\n"
        b"7fff00000000-7fff00001000 r-xp 00000000 00:00 0 [vdso]\n"
    )
    assert parse_maps(raw) == (Range(0x400000, 4096), Range(0x7F0000000000, 8192))
    with pytest.raises(ParseError):
        parse_maps(b"hello\n")
