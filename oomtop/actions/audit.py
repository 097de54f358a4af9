"""The audit log: one JSON object a line for every action, append-only, mode 0600, rotated by size.

`/var/log/oomtop/audit.jsonl` for root, `$XDG_STATE_HOME/oomtop/audit.jsonl` for everyone else.  An action writes a
`start` line before it acts and an `end` line after it; a start without an end is an action that was cut off.
Sample line: `{"phase": "end", "id": "4711-1764000000.000000-1", "action": "kill", "status": "done", ...}`
"""

from __future__ import annotations

import itertools
import json
import os
import pwd
import time
from collections.abc import Mapping
from dataclasses import dataclass

from oomtop.actions.plan import Outcome, Plan

MAX_BYTES = 4 << 20
"""At this size the file becomes `audit.jsonl.1`, and the one before `.2`."""
_KEPT = 3
_COMMAND = 300
_Json = str | int | float | None | list["_Json"] | dict[str, "_Json"]


def audit_path(environ: Mapping[str, str] = os.environ) -> str:
    """Return where this user's log is."""
    if os.geteuid() == 0:
        return "/var/log/oomtop/audit.jsonl"
    state = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):
        state = os.path.expanduser("~/.local/state")
    return os.path.join(state, "oomtop", "audit.jsonl")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the ids, the login behind a sudo, and the terminal."""

    uid: int
    user: str
    sudo_user: str | None
    tty: str | None


def current_actor(environ: Mapping[str, str] = os.environ) -> Actor:
    """Return who runs this process."""
    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    return Actor(uid, user, environ.get("SUDO_USER"), _terminal())


def _terminal() -> str | None:
    for descriptor in (0, 1, 2):
        try:
            return os.ttyname(descriptor)
        except OSError:
            continue
    return None


class Audit:
    """Appends to one log file; no failure of it ever stops an action, but it is returned in words."""

    def __init__(self, path: str | None = None, max_bytes: int = MAX_BYTES) -> None:
        self.path = path or audit_path()
        self._max_bytes = max_bytes
        self._actor = current_actor()
        self._numbers = itertools.count(1)

    def start(self, plan: Plan) -> tuple[str, str | None]:
        """Note that `plan` is about to be performed; return the entry's id and the problem, if any."""
        now = time.time()
        entry = f"{os.getpid()}-{now:.6f}-{next(self._numbers)}"
        return entry, self._append({"phase": "start", "id": entry, "time": now, **self._who(), **_of_plan(plan)})

    def end(self, entry: str, plan: Plan, outcome: Outcome) -> str | None:
        """Note what came of it; return the problem, if any."""
        return self._append(
            {"phase": "end", "id": entry, "time": time.time(), **self._who(), **_of_plan(plan), **_of_outcome(outcome)}
        )

    def _who(self) -> dict[str, _Json]:
        actor = self._actor
        return {"uid": actor.uid, "user": actor.user, "sudo_user": actor.sudo_user, "tty": actor.tty}

    def _append(self, line: dict[str, _Json]) -> str | None:
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            self._rotate()
            _write_line(self.path, json.dumps(line, ensure_ascii=True) + "\n")
        except OSError as error:
            return f"not in the audit log: {self.path}: {os.strerror(error.errno or 0)}"
        return None

    def _rotate(self) -> None:
        try:
            if os.stat(self.path).st_size < self._max_bytes:
                return
        except FileNotFoundError:
            return
        for number in range(_KEPT - 1, 0, -1):
            older = f"{self.path}.{number}"
            if os.path.exists(older):
                os.replace(older, f"{self.path}.{number + 1}")
        os.replace(self.path, f"{self.path}.1")


def _write_line(path: str, line: str) -> None:
    """Append in one write, so that two running programs never mix their lines."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def _of_plan(plan: Plan) -> dict[str, _Json]:
    return {
        "action": plan.action,
        "title": plan.title,
        "steps": list(plan.steps),
        "targets": [
            {
                "pid": target.id.pid,
                "start_time": target.id.start_time,
                "name": target.name,
                "command": target.command[:_COMMAND] if target.command else None,
                "user": target.user,
                "unit": target.unit,
                "rss": target.rss,
            }
            for target in plan.targets
        ],
        "refusal": plan.refusal,
    }


def _of_outcome(outcome: Outcome) -> dict[str, _Json]:
    return {
        "status": outcome.status.value,
        "summary": outcome.summary,
        "details": list(outcome.details),
        "freed": outcome.freed,
        "seconds": outcome.seconds,
        "before": outcome.before,
        "after": outcome.after,
    }


def unfinished(path: str) -> tuple[str, ...]:
    """Return the titles of actions that were started and never ended, oldest first.

    A line that is no JSON, cut off by a power failure, is passed over.
    """
    open_entries: dict[str, str] = {}
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
    except OSError:
        return ()
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if not isinstance(entry, dict):
            continue
        if entry.get("phase") == "start":
            open_entries[str(entry.get("id"))] = str(entry.get("title"))
        else:
            open_entries.pop(str(entry.get("id")), None)
    return tuple(open_entries.values())
