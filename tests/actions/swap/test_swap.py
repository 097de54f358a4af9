import errno
import os
import stat
import subprocess
import uuid
from pathlib import Path

import pytest

from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Status
from oomtop.actions.base.requests import SwapFileRequest, SwapOffRequest, SweepZramRequest
from oomtop.actions.dispatch import prepare
from oomtop.actions.swap import file as swap_file
from oomtop.actions.swap import off as swap_off
from oomtop.actions.swap.syscalls import swap_header
from oomtop.host.meminfo import Meminfo
from oomtop.host.privileges import Capability, has_capability
from oomtop.host.root import Root
from oomtop.host.swaps import SwapDevice
from tests.actions.children import GIB, as_nobody, context
from tests.present import present

MIB = 1 << 20
needs_admin = pytest.mark.skipif(not has_capability(Capability.SYS_ADMIN), reason="needs CAP_SYS_ADMIN")


@pytest.fixture
def switched_on(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int | None]]:
    """Switching on is recorded, not done: it would change the machine the tests run on."""
    seen: list[tuple[str, int | None]] = []
    monkeypatch.setattr(swap_file, "swapon", lambda path, priority: seen.append((path, priority)))
    return seen


@needs_admin
def test_a_file_is_private_full_and_signed(tmp_path: Path, switched_on: list[tuple[str, int | None]]) -> None:
    path = str(tmp_path / "swap file")
    prepared = prepare(SwapFileRequest(path, 8 * MIB, 5), context())
    if prepared.plan.refusal and "cannot swap" in prepared.plan.refusal:
        pytest.skip(prepared.plan.refusal)
    outcome = prepared.perform(print)
    assert outcome.status is Status.DONE
    assert switched_on == [(path, 5)]
    found = os.stat(path)
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_size == 8 * MIB
    assert found.st_blocks * 512 >= 8 * MIB
    assert outcome.undo == SwapOffRequest(path, remove=True)
    said = subprocess.run(["file", "-b", path], capture_output=True, text=True, check=False) if _has_file() else None
    assert said is None or "swap file" in said.stdout


def _has_file() -> bool:
    return any(os.access(f"{folder}/file", os.X_OK) for folder in os.environ["PATH"].split(":"))


@needs_admin
def test_holes_are_written_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [OSError(errno.EINVAL, "holes"), None]

    def swapon(path: str, priority: int | None) -> None:
        answer = answers.pop(0)
        if answer:
            raise answer

    monkeypatch.setattr(swap_file, "swapon", swapon)
    outcome = prepare(SwapFileRequest(str(tmp_path / "swap"), 2 * MIB), context()).perform(print)
    assert outcome.status is Status.DONE
    assert answers == []


@needs_admin
def test_a_failure_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def swapon(path: str, priority: int | None) -> None:
        raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(swap_file, "swapon", swapon)
    outcome = prepare(SwapFileRequest(str(tmp_path / "swap"), 2 * MIB), context()).perform(print)
    assert outcome.status is Status.FAILED
    assert "not permitted" in outcome.summary
    assert os.listdir(tmp_path) == []


@needs_admin
def test_refusals_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    cases = {
        SwapFileRequest(str(tmp_path / "there"), 2 * MIB): "already exists",
        SwapFileRequest("relative", 2 * MIB): "absolute",
        SwapFileRequest(f"{tmp_path}/a\nb", 2 * MIB): "control characters",
        SwapFileRequest(f"{tmp_path}/a\0b", 2 * MIB): "control characters",
        SwapFileRequest(str(tmp_path / "x"), 10): "at least",
        SwapFileRequest(str(tmp_path / "x"), 1 << 60): "not enough space",
        SwapFileRequest(str(tmp_path / "none" / "x"), 2 * MIB): "no such file",
        SwapFileRequest("/proc/x", 2 * MIB): "cannot swap to a file on proc",
    }
    for request, words in cases.items():
        assert words in present(prepare(request, context()).plan.refusal)
    assert (tmp_path / "there").read_text() == "mine"
    guarded = context(guard=Guard(read_only=True))
    assert "--read-only" in present(prepare(SwapFileRequest(str(tmp_path / "x"), 2 * MIB), guarded).plan.refusal)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_without_the_right() -> None:
    said = as_nobody(lambda: prepare(SwapFileRequest("/tmp/oomtop-none", 2 * MIB), context()).plan.refusal or "no")
    assert "CAP_SYS_ADMIN" in said


def test_the_signature() -> None:
    header = swap_header(8 * MIB, 4096)
    assert len(header) == 4096
    assert header.endswith(b"SWAPSPACE2")
    assert header[1024:1036] == (1).to_bytes(4, "little") + (2047).to_bytes(4, "little") + bytes(4)


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 1000000 kB\nMemFree: 1000 kB\nMemAvailable: 200000 kB\n")
    _swaps(tmp_path, used=100_000)
    return tmp_path


def _swaps(folder: Path, used: int) -> None:
    lines = f"Filename Type Size Used Priority\n{folder}/swap file 500000 {used} -2\n"
    (folder / "proc/swaps").write_text(lines)
    (folder / "swap").write_text("x")


@needs_admin
def test_off_and_removed(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(swap_off, "swapoff", seen.append)
    path = str(fake / "swap")
    outcome = prepare(SwapOffRequest(path, remove=True), context(root=Root(str(fake)))).perform(print)
    assert outcome.status is Status.DONE
    assert seen == [path]
    assert not os.path.exists(path)


@needs_admin
def test_off_by_a_name_with_a_link_in_it_and_with_what_the_kernel_escapes(
    fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/proc/swaps` has the name without links; a blank, a tab and a backslash are octal there."""
    seen: list[str] = []
    monkeypatch.setattr(swap_off, "swapoff", seen.append)
    (fake / "a disk\\").mkdir()
    (fake / "link").symlink_to("a disk\\")
    (fake / "link/swap").write_text("x")
    lines = f"Filename Type Size Used Priority\n{fake}/a\\040disk\\134/swap file 500000 0 -2\n"
    (fake / "proc/swaps").write_text(lines)
    prepared = prepare(SwapOffRequest(f"{fake}/link/swap", remove=True), context(root=Root(str(fake))))
    assert prepared.perform(print).status is Status.DONE
    assert seen == [f"{fake}/link/swap"]
    assert os.listdir(fake / "a disk\\") == []


@needs_admin
def test_zram_in_use_that_a_cut_off_action_left_is_known_by_its_signature(fake: Path) -> None:
    own, other = uuid.uuid4(), uuid.uuid4()
    for folder in ("dev", "sys/block/zram5", "sys/block/zram6"):
        (fake / folder).mkdir(parents=True)
    (fake / "dev/zram5").write_bytes(swap_header(8 * MIB, 4096, own))
    (fake / "dev/zram6").write_bytes(swap_header(8 * MIB, 4096, other))
    lines = "".join(f"/dev/zram{number} partition 8192 0 100\n" for number in (5, 6))
    (fake / "proc/swaps").write_text(f"Filename Type Size Used Priority\n{lines}")
    where = context(root=Root(str(fake)))
    prepared = prepare(SweepZramRequest((), str(own)), where)
    assert prepared.plan.title == "Stop swapping to /dev/zram5"
    assert "remove zram5" in prepared.plan.steps
    prepared.close()
    for request in (SweepZramRequest(("zram5", "zram6"), str(own)), SweepZramRequest((), str(uuid.uuid4()))):
        assert "no such device is left" in present(prepare(request, where).plan.refusal)


@needs_admin
def test_what_does_not_fit_is_refused(fake: Path) -> None:
    _swaps(fake, used=300_000)
    request = SwapOffRequest(str(fake / "swap"))
    assert "does not fit" in present(prepare(request, context(root=Root(str(fake)))).plan.refusal)


@needs_admin
def test_a_failed_swapoff_keeps_the_file(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def swapoff(path: str) -> None:
        raise OSError(errno.ENOMEM, "no memory")

    monkeypatch.setattr(swap_off, "swapoff", swapoff)
    outcome = prepare(SwapOffRequest(str(fake / "swap"), remove=True), context(root=Root(str(fake)))).perform(print)
    assert outcome.status is Status.FAILED
    assert "out of memory" in outcome.summary
    assert os.path.exists(fake / "swap")


def test_not_in_use(fake: Path) -> None:
    assert "not a swap area" in present(prepare(SwapOffRequest("/none"), context(root=Root(str(fake)))).plan.refusal)


def test_other_swap_counts_as_room() -> None:
    one, two = SwapDevice("/a", "file", GIB, GIB, -2), SwapDevice("/b", "file", GIB, 0, -3)
    assert swap_off.room_without(one, (one, two), Meminfo(GIB, 0, mem_available=0)) == GIB
