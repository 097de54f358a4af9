"""`undo` takes back what this user did on this terminal, and is never stuck behind what cannot be undone."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.requests import RestoreAdjRequest, SwapOffRequest
from oomtop.actions.journal.audit_log import Actor, Audit, boot_id, read_entries
from oomtop.actions.recovery import check, cut_off, to_undo, undoable
from oomtop.host.own_terminal import name_of_terminal, own_terminal
from oomtop.host.process import ProcessId
from tests.actions.children import context, end, facts, identity, start

ME = replace(Audit("/nowhere").actor, uid=1000, user="ann", sudo_user=None, tty="/dev/pts/3", pid=4194303, start_time=1)
BACK = RestoreAdjRequest(((ProcessId(5, 6), 0),))


class Log:
    """Writes one action of an actor to a log: done, cut off, or done by a rule."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __call__(
        self,
        title: str,
        actor: Actor = ME,
        finished: bool = True,
        by: str = "user",
        undo: RestoreAdjRequest | SwapOffRequest = BACK,
        undoes: str | None = None,
        status: Status = Status.DONE,
    ) -> str:
        audit = Audit(self.path, by=by)
        audit._actor = actor
        plan = Plan("protect", title, (), recovery=undo)
        entry, _ = audit.start(plan, undoes)
        if finished:
            audit.end(entry, plan, Outcome("protect", status, title, undo=undo), undoes)
        return entry


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(str(tmp_path / "audit.jsonl"))


def undone(log: Log, actor: Actor = ME) -> list[str]:
    entries = read_entries(log.path)
    return [item.title for item in to_undo(cut_off(entries, boot_id()), undoable(entries, boot_id()), actor)]


def test_only_what_the_same_user_did_on_the_same_terminal(log: Log) -> None:
    log("mine")
    log("another user's", replace(ME, uid=1001))
    log("of another terminal", replace(ME, tty="/dev/pts/4"))
    log("through sudo by somebody else", replace(ME, sudo_user="bob"))
    log("without a terminal", replace(ME, tty=None))
    log("by a rule of the configuration", by="rule")
    assert undone(log) == ["mine"]
    assert undone(log, replace(ME, tty=None)) == ["without a terminal"]


def test_what_was_cut_off_goes_first_from_any_terminal_of_the_user(log: Log) -> None:
    log("lost its terminal", replace(ME, tty="/dev/pts/9"), finished=False)
    log("done")
    log("lost by another user", replace(ME, uid=0), finished=False)
    assert undone(log) == ["lost its terminal", "done"]


def test_what_failed_to_be_undone_comes_last(log: Log) -> None:
    log("older")
    stuck = log("stuck")
    log("an attempt", undoes=stuck, status=Status.FAILED)
    assert undone(log) == ["older", "stuck"]


def test_a_settled_action_is_not_offered_again(log: Log) -> None:
    entry = log("gone")
    log("cut", finished=False)
    Audit(log.path).settle(entry, "the process is gone")
    assert undone(log) == ["cut"]


def test_a_start_offers_only_what_this_user_left(log: Log) -> None:
    child = start()
    try:
        back = RestoreAdjRequest(((identity(child.pid), 0),))
        log("mine", finished=False, undo=back)
        other = log("hers", replace(ME, uid=4321, user="eve"), finished=False, undo=back)
        audit = Audit(log.path)
        audit._actor = ME
        found = check(audit, context([facts(child.pid)]))
    finally:
        end(child)
    assert [item.title for item in found.undo] == ["mine"]
    assert "by eve" in found.lines[1]
    assert f"oomtop undo {other}" in found.lines[1]


def test_what_is_not_permitted_now_is_not_settled(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oomtop.actions.swap.off.has_capability", lambda capability: False)
    log("swap", finished=False, undo=SwapOffRequest("/nowhere/swap", remove=True))
    audit = Audit(log.path)
    audit._actor = ME
    assert "not permitted" in check(audit, context()).lines[0]
    assert check(audit, context()).undo


def oomtop(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oomtop", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


@contextmanager
def adjusted_child(adj: int) -> Iterator[subprocess.Popen[str]]:
    child = start()
    try:
        assert oomtop("protect", str(child.pid), "--adj", str(adj), "--yes").returncode == 0
        yield child
    finally:
        end(child)


def adj_of(child: subprocess.Popen[str]) -> int:
    with open(f"/proc/{child.pid}/oom_score_adj") as file:
        return int(file.read())


def test_the_command_goes_past_what_is_gone_and_settles_it() -> None:
    with adjusted_child(300) as older:
        with adjusted_child(200):
            pass
        shown = oomtop("undo", "--dry-run")
        first = oomtop("undo", "--yes")
        assert adj_of(older) == 0
        last = oomtop("undo", "--yes")
    assert "has already exited" in shown.stdout
    assert "has already exited" in first.stdout
    assert (first.returncode, last.returncode) == (0, 1)
    assert "has already exited" not in last.stdout


def test_a_cut_off_swap_is_settled_and_the_older_action_is_undone() -> None:
    with adjusted_child(300) as child:
        with open(os.environ["OOMTOP_AUDIT_LOG"]) as file:
            line = json.loads(file.readline())
        recovery = {"kind": "SwapOffRequest", "path": "/nowhere/swap", "remove": True, "override": False}
        cut = {**line, "id": "cut", "pid": 4194303, "title": "Add a swap file", "recovery": recovery}
        with open(os.environ["OOMTOP_AUDIT_LOG"], "a") as file:
            file.write(json.dumps(cut) + "\n")
        done = oomtop("undo", "--yes")
        assert adj_of(child) == 0
        assert "Add a swap file" not in oomtop("undo", "--list").stdout
    assert done.returncode == 0


def test_what_somebody_else_did_is_undone_by_its_id_only() -> None:
    with adjusted_child(300) as child:
        alone = oomtop("undo", "--yes", SUDO_USER="somebody")
        assert (alone.returncode, adj_of(child)) == (1, 300)
        assert "1 of others" in alone.stderr
        entry = oomtop("undo", "--list").stdout.split()[-1]
        assert oomtop("undo", entry, "--yes", SUDO_USER="somebody").returncode == 0
        assert adj_of(child) == 0
        assert oomtop("undo", "nonsense").returncode == 1


def test_the_terminal_is_known_whatever_is_redirected() -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        for descriptor in range(3):
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
        os._exit(0 if (own_terminal() or "").startswith("/dev/pts/") else 1)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert status == 0


def test_the_names_of_terminals() -> None:
    assert name_of_terminal(os.makedev(136, 3)) == "/dev/pts/3"
    assert name_of_terminal(os.makedev(137, 0)) == "/dev/pts/256"
    assert name_of_terminal(os.makedev(4, 1)) == "/dev/char/4:1"
    assert name_of_terminal(0) is None
