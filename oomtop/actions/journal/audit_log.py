"""The audit log: one JSON object per line, append-only, mode 0600, rotated by size.

`$OOMTOP_AUDIT_LOG`, or `/var/log/oomtop/audit.jsonl` for root and `$XDG_STATE_HOME/oomtop/audit.jsonl` for everyone
else.  An action writes a `start` line with its inverse before it acts, and an `end` line after it; a start
without an end is an interrupted action (`recovery`).
Sample line: `{"phase": "end", "id": "4711-1764000000.000000-1", "action": "kill", "status": "done", ...}`
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict

from oomtop.actions.base.atomic_file import append_bytes
from oomtop.actions.base.plan import Outcome, Plan
from oomtop.actions.base.requests import Request, outlives_reboot
from oomtop.actions.journal.request_json import Json, request_to_json
from oomtop.errors import OomtopError, ParseError
from oomtop.frozen import frozen
from oomtop.host.own_terminal import own_terminal
from oomtop.host.process_scan import parse_stat
from oomtop.host.root import read_optional
from oomtop.host.trusted_file import Place, read_trusted
from oomtop.host.user_names import state_home, user_name_soon

MAX_BYTES = 4 << 20
"""At this size the file becomes `audit.jsonl.1`, and the previous one `.2`."""
_KEPT = 3
_LONGEST = 4 * MAX_BYTES
"""Bytes read of a log: more than a rotated one can have."""
_COMMAND = 300


def audit_path(environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of this user's log."""
    named = environ.get("OOMTOP_AUDIT_LOG", "")
    if os.path.isabs(named):
        return named
    if os.geteuid() == 0:
        return "/var/log/oomtop/audit.jsonl"
    return os.path.join(state_home(environ), "oomtop", "audit.jsonl")


@frozen
class Actor:
    """Who acts: ids, the login behind sudo, the terminal, and this run of the program."""

    uid: int
    user: str
    sudo_user: str | None
    tty: str | None
    pid: int
    start_time: int | None
    boot_id: str | None


def current_actor(environ: Mapping[str, str] = os.environ) -> Actor:
    """Return the user and terminal of this process."""
    uid = os.getuid()
    pid = os.getpid()
    return Actor(uid, user_name_soon(uid), environ.get("SUDO_USER"), own_terminal(), pid, start_time_of(pid), boot_id())


def boot_id() -> str | None:
    """Return the id of this boot (`/proc/sys/kernel/random/boot_id`)."""
    return (read_optional("/proc/sys/kernel/random/boot_id") or "").strip() or None


def start_time_of(pid: int) -> int | None:
    """Return the start time of the process `pid`, None if there is none."""
    try:
        return parse_stat((read_optional(f"/proc/{pid}/stat") or "").encode(), 1, 1).id.start_time
    except ParseError:
        return None


class Audit:
    """Appends to one log file; a failure never stops an action, it is returned as text."""

    def __init__(self, path: str | None = None, max_bytes: int = MAX_BYTES, by: str = "user") -> None:
        """`by` is the origin of the actions: `user`, or `rule` for `[[adjust]]` rules."""
        self.path = path or audit_path()
        self._max_bytes = max_bytes
        self._actor = current_actor()
        self._by = by
        self._numbers = itertools.count(1)

    def start(self, plan: Plan, undoes: str | None = None) -> tuple[str, str | None]:
        """Log that `plan` is about to be performed; return the entry's id and the problem, if any."""
        now = time.time()
        entry = f"{os.getpid()}-{now:.6f}-{next(self._numbers)}"
        line: dict[str, Json] = {
            "phase": "start",
            "id": entry,
            "time": now,
            "undoes": undoes,
            "recovery": _of_request(plan.recovery),
        }
        lasting = plan.recovery is not None and outlives_reboot(plan.recovery)
        return entry, self._append({**line, **self._who(), **_of_plan(plan)}, lasting)

    def end(self, entry: str, plan: Plan, outcome: Outcome, undoes: str | None = None) -> str | None:
        """Log the outcome; return the problem, if any."""
        line: dict[str, Json] = {
            "phase": "end",
            "id": entry,
            "time": time.time(),
            "undoes": undoes,
            "undo": _of_request(outcome.undo),
        }
        return self._append({**line, **self._who(), **_of_plan(plan), **outcome_to_json(outcome)})

    def settle(self, entry: str, why: str) -> str | None:
        """Log that nothing is left to undo of an interrupted action; return the problem, if any."""
        line: dict[str, Json] = {"phase": "settled", "id": entry, "time": time.time(), "summary": why}
        return self._append({**line, **self._who()})

    @property
    def actor(self) -> Actor:
        """The current actor."""
        return self._actor

    def _who(self) -> dict[str, Json]:
        return {**asdict(self._actor), "by": self._by}

    def _append(self, line: dict[str, Json], durable: bool = False) -> str | None:
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            self._rotate()
            append_bytes(self.path, json.dumps(line, ensure_ascii=True).encode() + b"\n", durable)
        except OSError as error:
            return f"not in the audit log: {self.path}: {error.strerror}"
        return None

    def _rotate(self) -> None:
        with Place(self.path, follows=False) as place:
            status = place.status()
            if status is None or status.st_size < self._max_bytes:
                return
            for number in range(_KEPT - 1, -1, -1):
                older = f"{place.name}.{number}" if number else place.name
                with contextlib.suppress(FileNotFoundError):
                    newer = f"{place.name}.{number + 1}"
                    os.replace(older, newer, src_dir_fd=place.folder, dst_dir_fd=place.folder)


def _of_plan(plan: Plan) -> dict[str, Json]:
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


def outcome_to_json(outcome: Outcome) -> dict[str, Json]:
    """Return the figures of an outcome."""
    return {
        "status": outcome.status.value,
        "summary": outcome.summary,
        "details": list(outcome.details),
        "freed": outcome.freed,
        "seconds": outcome.seconds,
        "before": outcome.before,
        "after": outcome.after,
    }


def _of_request(request: Request | None) -> Json:
    return None if request is None else request_to_json(request)


def read_entries(path: str) -> tuple[Mapping[str, object], ...]:
    """Return the entries of the log and of the last rotated one, oldest first.

    A line that is not a JSON object, truncated by a power failure, is skipped.

    Raises:
        OomtopError: another user can write it, or it cannot be read; its requests would run as root.
    """
    return tuple(entry for name in (f"{path}.1", path) for entry in _lines_of(name))


def _lines_of(path: str) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    try:
        text = read_trusted(path, _LONGEST)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OomtopError(f"{path}: ignored, so actions of earlier runs cannot be undone: {error.strerror}") from None
    for line in text.split(b"\n"):
        try:
            entry: object = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found
