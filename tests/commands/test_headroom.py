"""`oomtop headroom`: what it says of a limited group is what happens there; the arithmetic of every kind of limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oomtop.analysis.headroom import CanStart, HeadroomAnswer, answer_headroom
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import DangerKind
from oomtop.frozen import replace
from oomtop.host.cgroup import find_layout
from oomtop.host.root import Root
from oomtop.host.swaps import SwapDevice
from oomtop.render.answers.headroom import render_headroom
from oomtop.units import GIB, MIB
from tests.docs.test_schemas import hold
from tests.present import present
from tests.tui.factories import calm_danger, make_assessment

LAYOUT = find_layout(Root())
TAKE = "import sys; taken = b'x' * (int(sys.argv[1]) << 20)"


def ask(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "oomtop", "headroom", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_the_machine_of_this_test() -> None:
    assert ask("1K").stdout.startswith("yes: 1.0K fits now")
    done = ask("100000G")
    assert done.returncode == 9
    assert done.stdout.startswith("no: ")
    assert "largest programs there: " in done.stdout


def test_a_size_that_is_none_and_a_group_that_is_not_there() -> None:
    assert ask("many").returncode == 2
    assert "no cgroup" in ask("1M", "--cgroup", "/not/there").stderr


@pytest.fixture
def group() -> Iterator[Path]:
    """A group of 64 MiB."""
    if LAYOUT is None or os.geteuid() != 0:
        pytest.skip("may not make a cgroup")
    folder = Path(LAYOUT.memory_mount, f"oomtop-headroom-{os.getpid()}")
    folder.mkdir()
    (folder / ("memory.max" if LAYOUT.version == 2 else "memory.limit_in_bytes")).write_text(str(64 * MIB))
    swap = folder / ("memory.swap.max" if LAYOUT.version == 2 else "memory.memsw.limit_in_bytes")
    if swap.exists():
        swap.write_text(str(0 if LAYOUT.version == 2 else 64 * MIB))
    yield folder
    folder.rmdir()


@pytest.mark.parametrize(("size", "fit", "code"), [(32, "yes", 0), (96, "no", 9)])
def test_what_a_limited_group_takes_is_what_is_said(group: Path, size: int, fit: str, code: int) -> None:
    done = ask(f"{size}M", "--cgroup", f"/{group.name}", "--json")
    found = json.loads(done.stdout)
    hold("headroom", found)
    assert (found["fit"], done.returncode) == (fit, code)
    words = ["sh", "-c", 'echo $$ > "$1/cgroup.procs" && exec "$2" -S -c "$3" "$4"', "sh"]
    taken = subprocess.run([*words, str(group), sys.executable, TAKE, str(size)], check=False)
    assert taken.returncode == (0 if fit == "yes" else -9)


def answer(size: int, assessment: Assessment, group: str | None = None) -> HeadroomAnswer:
    found = present(answer_headroom(assessment, size, group))
    assert render_headroom(found)
    return found


def test_swap_makes_room_but_for_zram() -> None:
    now = make_assessment()
    assert answer(10 * GIB, now).fit is CanStart.YES
    assert answer(12 * GIB, now).fit is CanStart.AFTER_RECLAIM
    assert answer(14 * GIB, now).fit is CanStart.NO
    zram = replace(now, swap=replace(now.swap, devices=(SwapDevice("/dev/zram0", "partition", 4 * GIB, GIB, 100),)))
    assert answer(12 * GIB, zram).fit is CanStart.NO


def test_all_limits_from_the_group_up_count_and_no_other() -> None:
    outer = calm_danger("/a", held=GIB, limit=3 * GIB)
    inner = calm_danger("/a/b", held=GIB, limit=9 * GIB, brake=2 * GIB)
    other = calm_danger("/c", held=GIB, limit=GIB)
    now = make_assessment(dangers=(outer, inner, other))
    assert answer(GIB, now, "/a/b").fit is CanStart.YES
    found = answer(int(1.5 * GIB), now, "/a/b")
    assert found.fit is CanStart.AFTER_RECLAIM
    assert [room.kind for room in found.rooms if room.now < found.size] == ["throttle"]
    found = answer(int(2.5 * GIB), now, "/a/b")
    assert found.fit is CanStart.NO
    assert {room.name for room in found.rooms if room.now < found.size} == {"/a", "/a/b"}
    assert answer(8 * GIB, now, "/d").fit is CanStart.YES


def test_the_commit_limit_refuses() -> None:
    commit = calm_danger("commit", held=7 * GIB, limit=8 * GIB, kind=DangerKind.COMMIT)
    assert answer(2 * GIB, make_assessment(dangers=(commit,))).fit is CanStart.NO


def test_nothing_is_said_where_nothing_is_known() -> None:
    now = make_assessment()
    assert answer_headroom(replace(now, memory=replace(now.memory, available=None)), GIB, None) is None
