"""What an audit log says: the actions that can be taken back; a damaged line is passed over."""

import json
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from oomtop.actions.base.requests import (
    AdjustRequest,
    FreezeCgroupRequest,
    FreezeRequest,
    Limit,
    LimitRequest,
    RestoreAdjRequest,
    SwapOffRequest,
)  # fmt: skip
from oomtop.actions.journal.audit_log import read_entries
from oomtop.actions.journal.request_json import request_from_json, request_to_json
from oomtop.actions.recovery import cut_off, undoable
from oomtop.host.process import ProcessId
from oomtop.recording.audit_tail import parse_deed
from tests.fuzz.harness import Door, mutate
from tests.present import present

SOME = ProcessId(4711, 99)
REQUESTS = (
    AdjustRequest((SOME,), 5), RestoreAdjRequest(((SOME, -5),)), FreezeRequest((SOME,), thaw=True),
    FreezeCgroupRequest("/a", thaw=True), LimitRequest("/a", Limit.MAX, 1), SwapOffRequest("/swapfile"),
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 10**400, float("nan"), float("inf"), "", "start", "end", "done", "1e999", [], [[]], {},
    {"kind": "AdjustRequest"}, {"kind": "Request", "a": 1}, [1, 2], [[-1, 10**30]], "\x1b[31m", "a\0b",
)  # fmt: skip


def make(rng: Random) -> bytes:
    """Return a log of right lines with odd values, some of them damaged."""
    lines = [_line(rng) for _ in range(rng.randrange(6))]
    raw = "\n".join(lines).encode("utf-8", "surrogateescape")
    return mutate(rng, raw) if raw and rng.random() < 0.4 else raw


def _line(rng: Random) -> str:
    entry: dict[str, Any] = {
        "phase": rng.choice(("start", "end", "settled")), "id": rng.choice("abc"), "time": 1.0, "undoes": None,
        "pid": 2, "start_time": 3, "boot_id": "b", "title": "t", "status": rng.choice(("done", "partly", "failed")),
        "recovery": request_to_json(rng.choice(REQUESTS)), "undo": request_to_json(rng.choice(REQUESTS)),
    }  # fmt: skip
    for place in (entry, entry["recovery"], entry["undo"]):
        if rng.random() < 0.4:
            place[rng.choice(list(present(place)))] = rng.choice(VALUES)
    return json.dumps(entry)


def attempt(raw: bytes) -> None:
    """Read it, and write what can be taken back as it stands in a log."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audit.jsonl")
        path.write_bytes(raw)
        entries = read_entries(str(path))
    for line in raw.split(b"\n"):
        parse_deed(line)
    for leftover in (*cut_off(entries, "b"), *undoable(entries, "b")):
        if leftover.request is not None:
            assert request_from_json(request_to_json(leftover.request)) == leftover.request


DOOR = Door("audit_log", make, attempt, few=300, many=50_000)
