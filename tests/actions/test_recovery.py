"""A kill between any two steps: what is left is named by the next start, and can be undone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from oomtop.actions.base import atomic_file as config_file
from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.requests import (
    AdjustRequest,
    FreezeCgroupRequest,
    Keep,
    KillRequest,
    RestoreAdjRequest,
    SwapFileRequest,
    SwapOffRequest,
    SysctlRequest,
)
from oomtop.actions.dispatch import carry_out, prepare
from oomtop.actions.journal.audit_log import Audit, boot_id, read_entries
from oomtop.actions.recovery import check, cut_off, undoable
from oomtop.actions.swap import artifacts as swap_remains
from oomtop.actions.swap import file as swap_file
from oomtop.actions.swap import fstab
from oomtop.actions.swap import off as swap_off
from oomtop.actions.swap.syscalls import LABEL, swap_header
from oomtop.host.cgroup import CgroupLayout
from oomtop.host.privileges import Capability, has_capability
from oomtop.host.process import ProcessId
from oomtop.host.root import Root
from tests.actions.children import context, end, facts, identity, start
from tests.actions.cutting import die_at_each_step, recover
from tests.present import present

MIB = 1 << 20
needs_admin = pytest.mark.skipif(not has_capability(Capability.SYS_ADMIN), reason="needs CAP_SYS_ADMIN")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of its own: /etc/fstab, and a /proc/swaps that the faked swapon and swapoff keep."""
    for folder in ("proc/self", "etc", "disk"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 1000000 kB\nMemFree: 1000 kB\nMemAvailable: 900000 kB\n")
    (tmp_path / "proc/swaps").write_text("Filename Type Size Used Priority\n")
    (tmp_path / "proc/self/mounts").write_text(f"/dev/sda1 {tmp_path} ext4 rw 0 0\n")
    (tmp_path / "etc/fstab").write_text("/dev/sda1 / ext4 defaults 0 1")
    swaps = tmp_path / "proc/swaps"

    def swapon(path: str, priority: int | None) -> None:
        assert not os.path.exists(path + ".oomtop-part")
        escaped = path.replace(" ", "\\040")
        swaps.write_text(swaps.read_text() + f"{escaped} file 2048 0 -2\n")

    def swapoff(path: str) -> None:
        kept = [line for line in swaps.read_text().splitlines() if line.split()[0] != path.replace(" ", "\\040")]
        swaps.write_text("\n".join(kept) + "\n")

    monkeypatch.setattr(swap_file, "swapon", swapon)
    monkeypatch.setattr(swap_off, "swapoff", swapoff)
    return tmp_path


def leftovers_of(fake: Path) -> tuple[list[str], bool, bool]:
    found = [str(path.relative_to(fake)) for path in (fake / "disk").iterdir()]
    if "swap" not in (fake / "etc/fstab").read_text():
        found += [path.name for path in (fake / "etc").iterdir() if path.name != "fstab"]
    text = (fake / "etc/fstab").read_text()
    used = (fake / "proc/swaps").read_text()
    return found, "swap" in text, str(fake / "disk") in used


@needs_admin
@pytest.mark.parametrize("persist", [False, True])
def test_adding_a_swap_file_cut_off_anywhere(fake: Path, tmp_path: Path, persist: bool) -> None:
    path = str(fake / "disk" / "swap file")
    audit = Audit(str(tmp_path / "audit.jsonl"))
    where = context(root=Root(str(fake)))
    before = (fake / "etc/fstab").read_text()

    def work() -> None:
        own = Audit(audit.path)
        assert carry_out(prepare(SwapFileRequest(path, 2 * MIB, persist=persist), where), own, print).entry

    def afterwards(step: int) -> None:
        left, in_fstab, in_use = leftovers_of(fake)
        findings = recover(audit, where)
        if left or in_fstab or in_use:
            assert any("Add a swap file" in line for line in findings.lines), (step, left, in_fstab, in_use)
        assert leftovers_of(fake) == ([], False, False), step
        assert (fake / "etc/fstab").read_text() == before, step
        assert check(audit, where).lines == (), step

    assert die_at_each_step(work, afterwards) > (10 if persist else 6)
    left, in_fstab, in_use = leftovers_of(fake)
    assert (in_fstab, in_use) == (persist, True)
    assert left == ["disk/swap file"]


@needs_admin
def test_removing_a_swap_file_cut_off_anywhere(fake: Path, tmp_path: Path) -> None:
    path = str(fake / "disk" / "swap")
    audit = Audit(str(tmp_path / "audit.jsonl"))
    where = context(root=Root(str(fake)))
    request = SwapFileRequest(path, 2 * MIB, persist=True)
    assert prepare(request, where).perform(print).status is Status.DONE

    def work() -> None:
        assert carry_out(prepare(SwapOffRequest(path, remove=True), where), Audit(audit.path), print).entry

    def afterwards(step: int) -> None:
        findings = recover(audit, where)
        if not findings.lines:
            # Killed before the audit log knew of it, and so before anything was done.
            assert leftovers_of(fake) == (["disk/swap"], True, True), step
            return
        assert leftovers_of(fake) == ([], False, False), step
        assert prepare(request, where).perform(print).status is Status.DONE

    assert die_at_each_step(work, afterwards) > 4
    assert leftovers_of(fake) == ([], False, False)


def test_a_kernel_setting_cut_off_anywhere(tmp_path: Path) -> None:
    for folder in ("proc/sys/vm", "etc/sysctl.d"):
        (tmp_path / folder).mkdir(parents=True)
    value, kept = tmp_path / "proc/sys/vm/swappiness", tmp_path / "etc/sysctl.d/60-oomtop.conf"
    value.write_text("60")
    audit = Audit(str(tmp_path / "audit.jsonl"))
    where = context(root=Root(str(tmp_path)))

    def work() -> None:
        request = SysctlRequest("swappiness", 10, Keep.PERSISTENT)
        assert carry_out(prepare(request, where), Audit(audit.path), print).entry

    def afterwards(step: int) -> None:
        recover(audit, where)
        assert value.read_text() == "60", step
        assert os.listdir(tmp_path / "etc/sysctl.d") == [], step

    assert die_at_each_step(work, afterwards) > 4
    assert value.read_text() == "10"
    assert "vm.swappiness = 10" in kept.read_text()


def test_what_is_under_way_now_is_not_cut_off(tmp_path: Path) -> None:
    audit = Audit(str(tmp_path / "audit.jsonl"))
    audit.start(Plan("swap", "Add a swap file", ()))
    assert cut_off(read_entries(audit.path), boot_id()) == ()
    (found,) = cut_off(read_entries(audit.path), boot_id(), lambda pid: None)
    assert found.title == "Add a swap file"
    # Its number belongs to another process by now.
    assert cut_off(read_entries(audit.path), boot_id(), lambda pid: 1)


def test_after_a_reboot_only_what_is_in_files_is_undone(tmp_path: Path) -> None:
    audit = Audit(str(tmp_path / "audit.jsonl"))
    audit.start(Plan("protect", "adj", (), recovery=RestoreAdjRequest(((ProcessId(1, 1), 0),))))
    audit.start(Plan("freeze", "frozen", (), recovery=FreezeCgroupRequest("/a", thaw=True)))
    audit.start(Plan("swap", "swap file", (), recovery=SwapOffRequest("/s", remove=True)))
    audit.start(Plan("sysctl", "kept", (), recovery=SysctlRequest("swappiness", 60, Keep.FORGET)))
    found = cut_off(read_entries(audit.path), "another boot")
    assert [(item.title, item.request is not None) for item in found] == [
        ("adj", False), ("frozen", False), ("swap file", True), ("kept", True)
    ]  # fmt: skip


def test_what_has_nothing_to_undo_is_named_once(tmp_path: Path) -> None:
    audit = Audit(str(tmp_path / "audit.jsonl"))
    audit._actor = type(audit._actor)(0, "root", None, None, 4194303, 1, boot_id())
    audit.start(Plan("kill", "Send SIGTERM to 5", ("step",)))
    first, second = check(audit, context()), check(audit, context())
    assert ["Send SIGTERM to 5" in line for line in first.lines] == [True]
    assert second.lines == ()


def test_in_read_only_mode_it_stays_to_be_named(tmp_path: Path) -> None:
    audit = Audit(str(tmp_path / "audit.jsonl"))
    audit._actor = type(audit._actor)(0, "root", None, None, 4194303, 1, boot_id())
    audit.start(Plan("freeze", "Freeze /a", (), recovery=FreezeCgroupRequest("/a", thaw=True)))
    where = context(guard=Guard(read_only=True), layout=CgroupLayout(2, str(tmp_path), str(tmp_path)))
    assert "--read-only" in check(audit, where).lines[0]
    assert check(audit, where).lines


@needs_admin
def test_what_cannot_be_undone_for_now_stays_to_be_named(fake: Path, tmp_path: Path) -> None:
    path = fake / "disk" / "swap"
    path.write_bytes(swap_header(MIB, 4096))
    used = f"Filename Type Size Used Priority\n{path} file 900000 {{}} -2\n"
    audit = Audit(str(tmp_path / "audit.jsonl"))
    audit._actor = type(audit._actor)(0, "root", None, None, 4194303, 1, boot_id())
    audit.start(Plan("swap", "Add a swap file", (), recovery=SwapOffRequest(str(path), remove=True)))
    where = context(root=Root(str(fake)))
    (fake / "proc/swaps").write_text(used.format(890_000))
    for _ in range(2):
        assert "cannot be undone now: does not fit" in check(audit, where).lines[0]
    (fake / "proc/swaps").write_text(used.format(0))
    recover(audit, where)
    assert leftovers_of(fake) == ([], False, False)
    assert check(audit, where).lines == ()


def test_what_was_done_can_be_undone_once_by_a_later_run(tmp_path: Path) -> None:
    audit = Audit(str(tmp_path / "audit.jsonl"))
    plan = Plan("protect", "adj", ())
    undo = RestoreAdjRequest(((ProcessId(5, 6), 0),))
    entry, _ = audit.start(plan)
    audit.end(entry, plan, Outcome("protect", Status.DONE, "done", undo=undo))
    (found,) = undoable(read_entries(audit.path), boot_id())
    assert (found.entry, found.request) == (entry, undo)
    other, _ = audit.start(plan, entry)
    audit.end(other, plan, Outcome("protect", Status.FAILED, "no"), entry)
    assert undoable(read_entries(audit.path), boot_id())
    audit.end(other, plan, Outcome("protect", Status.DONE, "back", undo=AdjustRequest((), 1)), entry)
    assert undoable(read_entries(audit.path), boot_id()) == ()


def test_damaged_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    audit = Audit(str(tmp_path / "audit.jsonl"))
    audit.start(Plan("kill", "one", ()))
    with open(audit.path, "a") as file:
        for line in ('{"phase": "sta', "[]", "null", '{"phase": "start", "id": "x", "recovery": {"kind": "Nonsense"}}'):
            file.write(line + "\n")
        file.write(json.dumps({"phase": "start", "id": "y", "recovery": {"kind": "KillRequest", "targets": 5}}) + "\n")
        file.write(json.dumps({"phase": "start", "id": "z", "time": "x", "pid": "1", "recovery": []}) + "\n")
    found = cut_off(read_entries(audit.path), boot_id(), lambda pid: None)
    assert [item.request for item in found] == [None] * 4


def test_a_file_of_somebody_else_is_never_removed(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fake / "disk" / "mine"
    path.write_bytes(b"precious")
    (fake / "disk" / "theirs").write_bytes(swap_header(MIB, 4096).replace(LABEL, b"other!"))
    where = context(root=Root(str(fake)))
    for name in ("mine", "theirs"):
        assert prepare(SwapOffRequest(str(fake / "disk" / name), remove=True), where).plan.refusal is not None
    os.symlink(path, fake / "disk" / "link")
    assert prepare(SwapOffRequest(str(fake / "disk" / "link"), remove=True), where).plan.refusal is not None
    assert path.read_bytes() == b"precious"
    assert swap_remains.find_remains("/dev/zram99", False, Root(str(fake))) == ()


def test_a_name_taken_meanwhile_is_left_alone(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fake / "disk" / "swap"
    prepared = prepare(SwapFileRequest(str(path), 2 * MIB), context(root=Root(str(fake))))
    if prepared.plan.refusal:
        pytest.skip(prepared.plan.refusal)
    path.write_text("somebody was quicker")
    assert prepared.perform(print).status is Status.FAILED
    assert path.read_text() == "somebody was quicker"
    assert os.listdir(fake / "disk") == ["swap"]


def test_the_line_of_fstab(tmp_path: Path) -> None:
    root = Root(str(tmp_path))
    (tmp_path / "etc").mkdir()
    table = tmp_path / "etc/fstab"
    table.write_bytes(b"# caf\xe9\n/dev/sda1 / ext4 defaults 0 1\n/swap#1 none swap sw 0 0")
    table.chmod(0o640)
    before = table.read_bytes()
    fstab.add("/my swap", 5, root)
    assert table.read_bytes() == before + b"\n/my\\040swap none swap sw,nofail,pri=5 0 0\n"
    assert (tmp_path / "etc/fstab.oomtop-before").read_bytes() == before
    assert table.stat().st_mode & 0o777 == 0o640
    assert fstab.remove("/my swap", root) is True
    assert table.read_bytes() == before
    assert os.listdir(tmp_path / "etc") == ["fstab"]
    assert fstab.remove("/my swap", root) is False


def test_a_full_disk_leaves_the_old_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        config_file.replace_text(str(path), "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_disk_that_fills_amid_the_text_leaves_the_old_one(tmp_path: Path) -> None:
    """The limit of a file's size cuts a write short as a full disk does."""
    path = tmp_path / "file"
    path.write_text("old")
    code = f"""
import resource
from oomtop.actions.base.atomic_file import replace_text
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
replace_text({str(path)!r}, "x" * 3000)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "OSError" in done.stderr
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_linked_configuration_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/fstab").write_text("old")
    (tmp_path / "fstab").symlink_to("kept/fstab")
    config_file.replace_text(str(tmp_path / "fstab"), "new")
    assert (tmp_path / "fstab").is_symlink()
    assert (tmp_path / "kept/fstab").read_text() == "new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_configuration_that_is_a_mount_point_is_named_and_nothing_lies_about(tmp_path: Path) -> None:
    """As in a container, whose /etc/fstab or /etc/hosts is bound in."""
    for name in ("fstab", "other"):
        (tmp_path / name).write_text("old")
    code = f"""
import subprocess
from oomtop.actions.base.atomic_file import replace_text
subprocess.run(["mount", "--bind", "{tmp_path}/other", "{tmp_path}/fstab"], check=True)
try:
    replace_text("{tmp_path}/fstab", "new")
except OSError as error:
    print(error.strerror)
"""
    words = ["unshare", "--mount", sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "Device or resource busy\n"
    assert sorted(os.listdir(tmp_path)) == ["fstab", "other"]


def test_a_real_kill_of_the_command_is_named_by_the_next(tmp_path: Path) -> None:
    """The whole program, killed while it waits for a process that does not end."""
    child = start(stubborn=True)
    try:
        arguments = [sys.executable, "-m", "oomtop", "kill", str(child.pid), "--yes", "--wait", "60"]
        run = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert "sent" in present(run.stderr).readline()
        run.kill()
        run.wait()
        present(run.stderr).close()
        done = subprocess.run([*arguments[:3], "undo", "--list"], capture_output=True, text=True, check=False)
        assert "cut off" in done.stdout
        assert f"SIGTERM to {child.pid}" in done.stdout
    finally:
        end(child)


def test_a_kill_has_nothing_to_take_back() -> None:
    child = start()
    try:
        prepared = prepare(KillRequest((identity(child.pid),)), context([facts(child.pid)]))
        assert prepared.plan.recovery is None
        prepared.close()
    finally:
        end(child)
