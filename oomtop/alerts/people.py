"""Alerts to where people are: all logged-in terminals by wall(1), and desktops by notify-send(1), each in a deadline.

The text is printable already; what notify-send and the desktop would make of it further is escaped here.
"""

from __future__ import annotations

import glob
import html
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from threading import Event

from oomtop.alerts.hook import Hook
from oomtop.alerts.notice import Letter
from oomtop.host.privileges import parse_capabilities
from oomtop.host.root import read_optional
from oomtop.selfguard import SelfGuard

SECONDS = 5.0
"""A terminal that takes nothing holds up `wall`, a desktop that hangs `notify-send`."""
_LONGEST = 400
_MOST_DESKTOPS = 16
_URGENCY = {"info": "low", "warning": "normal", "critical": "critical"}
_TITLES = {"firing": "Memory", "resolved": "Memory: over"}
_USERS = "/run/user"
_STATUS = "/proc/self/status"
_BECOME_OTHERS = 1 << 6 | 1 << 7
"""CAP_SETGID and CAP_SETUID (include/uapi/linux/capability.h)."""
_NO_WALL = "wall reaches no terminal: this service is not root and may gain no rights (NoNewPrivs)"
_NO_PROGRAM = "notify-send is not installed (libnotify-bin)"
_NO_OTHERS = "desktop may not become another user here: docs/configuration.md has a drop-in for the unit"


class Wall(Hook):
    """Writes the sentence of a letter to the terminals of all who are logged in."""

    def __init__(self, unguarded: SelfGuard, closing: Event, status: str = _STATUS) -> None:
        super().__init__(("wall",), SECONDS, unguarded, closing)
        self._status = status

    def __call__(self, letter: Letter) -> str | None:
        """Write it; return what went wrong."""
        # `wall` has the group of all terminals (setgid), which that bit withholds; it would say nothing of it.
        if os.geteuid() != 0 and "\nNoNewPrivs:\t1" in (read_optional(self._status) or ""):
            return _NO_WALL
        # On its standard input: an argument could be the name of a file.
        return super().__call__(Letter(f"oomtop: {_sentence(letter)}\n".encode(), {}))


class Desktop:
    """Shows the sentence of a letter on the desktop of this user; root's on those of all users."""

    def __init__(
        self,
        unguarded: SelfGuard,
        closing: Event,
        users: str = _USERS,
        environ: Mapping[str, str] = os.environ,
        status: str = _STATUS,
    ) -> None:
        self._unguarded = unguarded
        self._closing = closing
        self._users = users
        self._environ = environ
        self._status = status

    def __call__(self, letter: Letter) -> str | None:
        """Show it; return what went wrong with the first desktop that did not take it."""
        said = [self._show(letter, prefix) for prefix in islice(self._desktops(), _MOST_DESKTOPS)]
        if said:
            return next((problem for problem in said if problem), None)
        return f"no desktop: {'nobody has a' if os.geteuid() == 0 else 'this user can reach no'} session bus"

    def _show(self, letter: Letter, prefix: Sequence[str]) -> str | None:
        is_other = prefix[:1] == ("setpriv",)
        if is_other and parse_capabilities(read_optional(self._status) or "") & _BECOME_OTHERS != _BECOME_OTHERS:
            return _NO_OTHERS
        problem = Hook((*prefix, *_notification(letter)), SECONDS, self._unguarded, self._closing)(letter)
        # env(1): the command cannot be found; setpriv(1): it may not change something.
        if problem is None or not problem.endswith(" exited with code 127"):
            return problem
        return f"{_NO_PROGRAM}, or {_NO_OTHERS}" if is_other else _NO_PROGRAM

    def _desktops(self) -> Iterator[tuple[str, ...]]:
        """Yield for each session bus the words before the command that speaks to it."""
        has_own = bool(self._environ.get("DBUS_SESSION_BUS_ADDRESS"))
        if has_own:
            yield ()
        for folder in sorted(glob.glob(f"{self._users}/*/")):
            with suppress(OSError):
                bus, owner = os.stat(f"{folder}bus"), os.stat(folder)
                if stat.S_ISSOCK(bus.st_mode) and not (has_own and owner.st_uid == os.geteuid()):
                    yield from _way_to(folder, owner.st_uid, owner.st_gid)


def _way_to(folder: str, owner: int, group: int) -> Iterator[tuple[str, ...]]:
    """A bus takes its owner only, who gets nothing of root's environment."""
    bus = ("env", f"DBUS_SESSION_BUS_ADDRESS=unix:path={folder}bus")
    if owner == os.geteuid():
        yield bus
    elif os.geteuid() == 0:
        yield ("setpriv", f"--reuid={owner}", f"--regid={group}", "--clear-groups", "--reset-env", *bus)


def _notification(letter: Letter) -> tuple[str, ...]:
    """Return the command: notify-send takes back slashes for escapes in the body, a desktop markup."""
    urgency = _URGENCY[letter.environ["OOMTOP_SEVERITY"]]
    body = html.escape(_sentence(letter), quote=False).replace("\\", "\\\\")
    return (
        "notify-send",
        "--app-name=oomtop",
        f"--urgency={urgency}",
        "--",
        _TITLES[letter.environ["OOMTOP_STATE"]],
        body,
    )


def _sentence(letter: Letter) -> str:
    return letter.environ["OOMTOP_TEXT"][:_LONGEST]
