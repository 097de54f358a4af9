import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.requests import AdjustRequest, KillRequest
from oomtop.actions.dispatch import carry_out, prepare
from oomtop.actions.journal.audit_log import Audit, audit_path
from tests.actions.children import context, end, facts, identity, start

PLAN = Plan("kill", "Send SIGTERM to 1 (x\x1b[31m)", ("a step",))
DONE = Outcome("kill", Status.DONE, "exited")


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def test_an_action_leaves_a_start_and_an_end(tmp_path: Path) -> None:
    path = str(tmp_path / "state" / "audit.jsonl")
    child = start()
    try:
        prepared = prepare(AdjustRequest((identity(child.pid),), 300), context([facts(child.pid)]))
        outcome = carry_out(prepared, Audit(path), print)
    finally:
        end(child)
    first, last = lines(path)
    assert (first["phase"], last["phase"]) == ("start", "end")
    assert first["id"] == last["id"]
    assert last["status"] == "done"
    assert last["after"] == "300"
    assert last["targets"][0]["pid"] == child.pid
    assert last["uid"] == os.getuid()
    assert outcome.details == ()


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    path = str(tmp_path / "audit.jsonl")
    Audit(path).start(PLAN)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_refusals_are_logged_too(tmp_path: Path) -> None:
    path = str(tmp_path / "audit.jsonl")
    prepared = prepare(KillRequest((identity(1),)), context([facts(1)]))
    assert carry_out(prepared, Audit(path), print).status is Status.REFUSED
    assert "pid 1" in lines(path)[-1]["refusal"]


def test_escapes_stay_escaped_and_lines_stay_lines(tmp_path: Path) -> None:
    path = str(tmp_path / "audit.jsonl")
    Audit(path).start(Plan("kill", "a\nb\x1b[31m\u202e", ()))
    raw = (tmp_path / "audit.jsonl").read_bytes()
    assert raw.count(b"\n") == 1
    assert b"\x1b" not in raw
    assert raw.isascii()


def test_it_is_rotated_by_size_and_three_old_ones_are_kept(tmp_path: Path) -> None:
    path = str(tmp_path / "audit.jsonl")
    audit = Audit(path, max_bytes=10)
    for _ in range(8):
        audit.start(PLAN)
    assert sorted(os.listdir(tmp_path)) == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2", "audit.jsonl.3"]


def test_a_log_that_cannot_be_written_stops_nothing_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    audit = Audit(str(tmp_path / "file" / "audit.jsonl"))
    child = start()
    try:
        prepared = prepare(AdjustRequest((identity(child.pid),), 300), context([facts(child.pid)]))
        outcome = carry_out(prepared, audit, print)
    finally:
        end(child)
    assert outcome.status is Status.DONE
    assert outcome.details[0].startswith("not in the audit log: ")


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "other")
    _, problem = Audit(str(tmp_path / "audit.jsonl")).start(PLAN)
    assert problem is not None
    assert (tmp_path / "other").read_text() == ""


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert audit_path({"OOMTOP_AUDIT_LOG": "/x/log", "XDG_STATE_HOME": "/s"}) == "/x/log"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert audit_path({"XDG_STATE_HOME": "/s"}) == "/s/oomtop/audit.jsonl"
    assert audit_path({"XDG_STATE_HOME": "relative", "HOME": "/h"}).endswith("/.local/state/oomtop/audit.jsonl")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert audit_path({}) == "/var/log/oomtop/audit.jsonl"


def test_a_disk_that_is_full_amid_a_line_is_named_and_costs_no_other_line(tmp_path: Path) -> None:
    """The limit of a file's size cuts a write short as a full disk does."""
    path = tmp_path / "audit.jsonl"
    code = f"""
import resource
from oomtop.actions.journal.audit_log import Audit
resource.setrlimit(resource.RLIMIT_FSIZE, (20, resource.RLIM_INFINITY))
print(Audit({str(path)!r}).settle("a", "first"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(Audit({str(path)!r}).settle("b", "second"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"not in the audit log: {path}: No space left on device", "None"]
    cut, line = path.read_text().splitlines()
    assert len(cut) == 20
    assert json.loads(line)["summary"] == "second"
