import os
from pathlib import Path
from typing import Any

import pytest

from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Prepared, Status
from oomtop.actions.base.requests import CompactRequest, Keep, Request, SysctlRequest
from oomtop.actions.dispatch import prepare
from oomtop.actions.machine.sysctl import KEPT_IN, read_kept
from oomtop.analysis.settings.table import SETTINGS
from oomtop.host.meminfo import Meminfo
from oomtop.host.root import Root
from tests.actions.children import GIB, as_nobody, context, undo_of
from tests.present import present

BUDDYINFO = "Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      3 \n"


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    (tmp_path / "proc/sys/vm").mkdir(parents=True)
    (tmp_path / "etc/sysctl.d").mkdir(parents=True)
    for name, value in (("swappiness", 60), ("min_free_kbytes", 90112), ("compact_memory", "")):
        (tmp_path / "proc/sys/vm" / name).write_text(f"{value}\n" if value else "")
    (tmp_path / "proc/buddyinfo").write_text(BUDDYINFO)
    return tmp_path


def ask(request: Request, fake: Path, **more: Any) -> Prepared:
    return prepare(request, context(root=Root(str(fake)), **more))


def value_of(fake: Path, name: str = "swappiness") -> str:
    return (fake / "proc/sys/vm" / name).read_text().strip()


def test_runtime_and_undo(fake: Path) -> None:
    outcome = ask(SysctlRequest("vm.swappiness", 10), fake).perform(print)
    assert outcome.status is Status.DONE
    assert value_of(fake) == "10"
    assert not os.path.exists(f"{fake}{KEPT_IN}")
    assert ask(undo_of(outcome), fake).perform(print).status is Status.DONE
    assert value_of(fake) == "60"


def test_persistent_keeps_other_lines_and_undo_takes_its_own_out(fake: Path) -> None:
    ask(SysctlRequest("min_free_kbytes", 80000, Keep.PERSISTENT), fake).perform(print)
    outcome = ask(SysctlRequest("swappiness", 10, Keep.PERSISTENT), fake).perform(print)
    root = Root(str(fake))
    assert read_kept(root) == {"min_free_kbytes": "80000", "swappiness": "10"}
    undo = undo_of(outcome)
    assert isinstance(undo, SysctlRequest)
    assert undo.keep is Keep.FORGET
    ask(undo, fake).perform(print)
    assert read_kept(root) == {"min_free_kbytes": "80000"}
    assert os.listdir(fake / "etc/sysctl.d") == ["60-oomtop.conf"]


def test_the_last_line_takes_the_file_with_it(fake: Path) -> None:
    outcome = ask(SysctlRequest("swappiness", 10, Keep.PERSISTENT), fake).perform(print)
    ask(undo_of(outcome), fake).perform(print)
    assert os.listdir(fake / "etc/sysctl.d") == []


def test_a_missing_folder_is_partly(fake: Path) -> None:
    (fake / "etc/sysctl.d").rmdir()
    outcome = ask(SysctlRequest("swappiness", 10, Keep.PERSISTENT), fake).perform(print)
    assert outcome.status is Status.PARTLY
    assert "will be lost at the next boot" in outcome.details[0]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (SysctlRequest("swappiness", 201), "from 0 to 200"),
        (SysctlRequest("panic_on_oom", -1), "from 0 to 2"),
        (SysctlRequest("../../etc/passwd", 1), "not a setting"),
        (SysctlRequest("panic_on_oom", 1), "no such file"),
    ],
)
def test_refusals(fake: Path, request_: SysctlRequest, words: str) -> None:
    assert words in present(ask(request_, fake).plan.refusal)


def test_modes_and_privileges(fake: Path) -> None:
    assert "--read-only" in present(ask(SysctlRequest("swappiness", 1), fake, guard=Guard(read_only=True)).plan.refusal)
    assert "recording" in present(ask(CompactRequest(), fake, guard=Guard(replay=True)).plan.refusal)
    if os.geteuid() == 0:
        said = as_nobody(lambda: prepare(SysctlRequest("swappiness", 1), context()).plan.refusal or "no refusal")
        assert "uid 0" in said


def test_too_much_min_free_is_warned_of(fake: Path) -> None:
    prepared = ask(SysctlRequest("min_free_kbytes", 400_000), fake, meminfo=Meminfo(GIB, GIB))
    assert "out of memory at once" in prepared.plan.warnings[0]
    prepared.close()


def test_the_running_kernel_has_these_settings() -> None:
    missing = [setting.name for setting in SETTINGS if not os.path.exists(setting.file)]
    assert missing == []


def test_compaction_counts_large_blocks(fake: Path) -> None:
    assert "(7 blocks of 2.0M are free now)" in ask(CompactRequest(), fake).plan.effect
    outcome = ask(CompactRequest(), fake).perform(print)
    assert outcome.status is Status.DONE
    assert value_of(fake, "compact_memory") == "1"
    assert outcome.summary.startswith("free blocks of 2.0M: 7 -> 7")


def test_a_malformed_buddyinfo(fake: Path) -> None:
    (fake / "proc/buddyinfo").write_text("Node 0, zone DMA x y\n")
    assert "cannot read" in present(ask(CompactRequest(), fake).plan.refusal)


def test_without_buddyinfo_a_dash_stands_for_the_blocks(fake: Path) -> None:
    (fake / "proc/buddyinfo").unlink()
    assert ask(CompactRequest(), fake).perform(print).summary.startswith("free blocks of 2.0M: - -> -")
