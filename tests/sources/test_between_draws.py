"""A group that fills between two draws is told of before the end of a long interval, as with `--ssh`."""

import os
import threading
import time
from pathlib import Path

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment
from oomtop.history import History
from oomtop.host.root import Root
from oomtop.sources.live import LiveSource
from oomtop.units import MIB
from tests.present import present
from tests.sources.test_limit_watch import MEMINFO

HOUR, PATIENCE = 3600.0, 60.0


def write(group: Path, held: int) -> None:
    """Let the group hold so many bytes: in place, as descriptors are kept, and in one length, so that no file is cut."""
    for name, text in (
        ("memory.max", f"{100 * MIB}"), ("memory.current", f"{held}"),
        ("memory.stat", f"anon {held}\nactive_file 0\ninactive_file 0"),
    ):  # fmt: skip
        descriptor = os.open(group / name, os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, text.ljust(80).encode())
        os.close(descriptor)


def test_a_group_that_fills_between_two_draws_is_told_of_at_once(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(MEMINFO)
    (tmp_path / "proc/self/mounts").write_text("cgroup2 /groups cgroup2 rw 0 0\n")
    group = tmp_path / "groups/a"
    group.mkdir(parents=True)
    (tmp_path / "groups/cgroup.controllers").write_text("memory\n")
    write(group, 20 * MIB)
    source, history, ended = LiveSource(HOUR, Root(str(tmp_path))), History(), threading.Event()
    found: Assessment | None = None

    def fill() -> None:
        begun = time.monotonic()
        while not ended.wait(0.05) and time.monotonic() - begun < PATIENCE:
            write(group, min(99 * MIB, int((20 + 8 * (time.monotonic() - begun)) * MIB)))
        source.refresh()

    filler = threading.Thread(target=fill)
    for tick in source.ticks():
        history.add(tick)
        found = assess(tick, history, found)
        if history.ticks == 2:
            filler.start()
        if history.ticks >= 2 and (found.dangers[0].median is not None or history.ticks == 8):
            source.close()
    ended.set()
    filler.join()
    first = present(found).dangers[0]
    assert (first.subject, history.ticks < 8) == ("/a", True)
    assert present(first.latest) < PATIENCE
