"""Set the `oom_score_adj` of a systemd service through a drop-in file.

systemd.exec(5) ("OOMScoreAdjust="), systemd.unit(5) (drop-ins).
Sample of `/etc/systemd/system/ssh.service.d/60-oomtop.conf`: `[Service]`, `OOMScoreAdjust=-900`
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from functools import partial

from oomtop.actions.base.atomic_file import read_text, remove_text, replace_text
from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import UnitAdjRequest
from oomtop.actions.base.run_program import find_tool, run_tool
from oomtop.actions.process.adjust import HIGHEST, LOWEST
from oomtop.errors import ActionRefused
from oomtop.host.root import Root
from oomtop.units import printable

ACTION = "protect"
_FOLDER = "/etc/systemd/system"
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,200}\.service")
_RELOAD = ("systemctl", "daemon-reload")


def drop_in_of(unit: str) -> str:
    """Return the path of oomtop's drop-in of a service."""
    return f"{_FOLDER}/{unit}.d/60-oomtop.conf"


def read_drop_in(unit: str, root: Root) -> int | None:
    """Return the value that the drop-in sets, None without one.

    Raises:
        OSError: it cannot be read.
    """
    for line in (read_text(root.at(drop_in_of(unit))) or "").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "OOMScoreAdjust" and re.fullmatch(r"-?\d{1,4}", value.strip()):
            return int(value)
    return None


def prepare_unit_adj(request: UnitAdjRequest, context: ActionContext) -> PreparedAction:
    """Check the service and plan the file to write or remove."""
    unit = request.unit if "." in request.unit else f"{request.unit}.service"
    what = "Remove the oom_score_adj" if request.value is None else f"Set oom_score_adj to {request.value}"
    title = f"{what} of {printable(unit)} from its next start on"
    try:
        before = _checked(unit, request, context)
    except ActionRefused as refusal:
        return refused(ACTION, title, str(refusal))
    except OSError as error:
        return refused(ACTION, title, in_words(error))
    path = drop_in_of(unit)
    step = f"remove {path}" if request.value is None else f"write OOMScoreAdjust={request.value} to {path}"
    plan = Plan(
        action=ACTION,
        title=title,
        steps=(f"{step} (now {'none' if before is None else before})", " ".join(_RELOAD)),
        effect="applies to the service and its children from its next start; running processes keep their value",
        risk="" if request.value != LOWEST else "-1000: if this service leaks, everything else is killed",
        undo="restore the previous drop-in",
        recovery=UnitAdjRequest(unit, before),
    )
    return PreparedAction(plan, partial(_drop_now, unit, request.value, before, context.root))


def _checked(unit: str, request: UnitAdjRequest, context: ActionContext) -> int | None:
    context.guard.check_mode()
    if not _UNIT.fullmatch(unit):
        raise ActionRefused("OOMScoreAdjust= needs a systemd service, such as ssh.service")
    if request.value is not None and not LOWEST <= request.value <= HIGHEST:
        raise ActionRefused(f"oom_score_adj must be from {LOWEST} to {HIGHEST}")
    if not os.path.isdir(context.root.at("/run/systemd/system")) or find_tool("systemctl") is None:
        raise ActionRefused("this machine does not run systemd")
    if not os.access(context.root.at(_FOLDER), os.W_OK):
        raise ActionRefused(f"not permitted: {_FOLDER} can only be written by root")
    return read_drop_in(unit, context.root)


def _drop_now(unit: str, value: int | None, before: int | None, root: Root, report: Callable[[str], None]) -> Outcome:
    """Change the file; if the reload fails, systemd reads it at the next boot."""
    path = root.at(drop_in_of(unit))
    if value is None:
        remove_text(path)
        with contextlib.suppress(OSError):
            # Keep the folder if it has other drop-ins.
            os.rmdir(os.path.dirname(path))
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        replace_text(path, f"# Written by oomtop.\n[Service]\nOOMScoreAdjust={value}\n")
    details = _tell_systemd(report)
    after = read_drop_in(unit, root)
    return Outcome(
        action=ACTION,
        status=Status.PARTLY if details else Status.DONE,
        summary=f"drop-in of {printable(unit)}: {_word(before)} -> {_word(after)}",
        details=details,
        before=_word(before),
        after=_word(after),
        undo=UnitAdjRequest(unit, before),
    )


def _tell_systemd(report: Callable[[str], None]) -> tuple[str, ...]:
    report(" ".join(_RELOAD))
    try:
        run_tool(_RELOAD)
    except OSError as error:
        return (f"{in_words(error)}: it takes effect after the next reload of systemd",)
    return ()


def _word(value: int | None) -> str:
    return "none" if value is None else str(value)
