"""Login names of user ids, looked up away from the tick: NSS may ask a network, and LDAP or sssd answer late or never.

nsswitch.conf(5), getpwuid_r(3).  Until the answer is there, a user is shown by its number.
"""

from __future__ import annotations

import os
import pwd
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from oomtop.threads import begin

T = TypeVar("T")

_NO_HOME = "/nonexistent"
PATIENCE = 0.02
"""Seconds that a tick waits for names asked for just now: more than files need, too little to be seen."""
DEADLINE = 2.0
"""Seconds after which a lookup no longer holds up those behind it."""
_WORKERS = 4
_MOST_WORKERS = 12


class UserNames:
    """Asks for each uid once, in threads of its own, and remembers the answers."""

    def __init__(self, look_up: Callable[[int], str] | None = None) -> None:
        self._look_up = look_up or user_name
        self._asked: set[int] = set()
        self._names: dict[int, str] = {}
        self._work: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        self._threads = 0
        self._heard = 0.0
        """Monotonic time of the last answer, or of the oldest request without one."""

    def names(self, uids: Iterable[int], patience: float = PATIENCE) -> tuple[tuple[int, str], ...]:
        """Return (uid, name) of those known; waits `patience` seconds at most, and not behind a slow answer."""
        if not self._pending:
            self._heard = time.monotonic()
        else:
            patience = 0.0
        for uid in set(uids) - self._asked:
            self._asked.add(uid)
            self._work.put(uid)
        if self._pending:
            self._staff()
            self._collect(patience)
        return tuple(self._names.items())

    @property
    def overdue(self) -> int:
        """How many names have not come within the deadline."""
        return self._pending if self._is_late else 0

    @property
    def _pending(self) -> int:
        return len(self._asked) - len(self._names)

    @property
    def _is_late(self) -> bool:
        return self._pending > 0 and time.monotonic() - self._heard > DEADLINE

    def _collect(self, patience: float) -> None:
        end = time.monotonic() + patience
        while self._pending:
            try:
                uid, name = self._done.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return
            self._names[uid] = name
            self._heard = time.monotonic()

    def _staff(self) -> None:
        """Start threads for the waiting requests, and more when the present ones hang."""
        most = _MOST_WORKERS if self._is_late else _WORKERS
        while self._threads < min(most, self._pending):
            try:
                begin(threading.Thread(target=self._run, name="oomtop-users", daemon=True))
            except RuntimeError:
                # No thread can be started now: the numbers stay, and the next tick tries again.
                return
            self._threads += 1

    def _run(self) -> None:
        while True:
            uid = self._work.get()
            self._done.put((uid, self._look_up(uid)))


def user_name(uid: int) -> str:
    """Return the login name of `uid`, or the number where the machine does not know it; may block."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OSError, OverflowError):
        return str(uid)


def user_name_soon(uid: int) -> str:
    """Return the login name of `uid`, or the number where it does not come within a second."""
    return answer_soon(lambda: user_name(uid), str(uid))


def home_folder() -> str:
    """Return `$HOME`, else what NSS says within a second; a path that does not exist if it does not answer."""
    return os.environ.get("HOME") or answer_soon(lambda: pwd.getpwuid(os.getuid()).pw_dir, _NO_HOME)


def config_home(environ: Mapping[str, str] = os.environ) -> str:
    """Return the folder of the user's configurations: `$XDG_CONFIG_HOME`, of which only an absolute one counts."""
    return _base_folder(environ, "XDG_CONFIG_HOME", ".config")


def state_home(environ: Mapping[str, str] = os.environ) -> str:
    """Return the folder of what programs keep for the user: `$XDG_STATE_HOME`."""
    return _base_folder(environ, "XDG_STATE_HOME", ".local/state")


def _base_folder(environ: Mapping[str, str], name: str, usual: str) -> str:
    named = environ.get(name, "")
    return named if os.path.isabs(named) else os.path.join(environ.get("HOME") or home_folder(), usual)


def answer_soon(ask: Callable[[], T], otherwise: T, seconds: float = 1.0) -> T:
    """Return what NSS answers to a question, `otherwise` where it knows nothing or does not answer in time."""
    answers: queue.SimpleQueue[T] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(ask())
        except (KeyError, OSError):
            answers.put(otherwise)

    try:
        begin(threading.Thread(target=run, name="oomtop-nss", daemon=True))
        return answers.get(timeout=seconds)
    except (RuntimeError, queue.Empty):
        return otherwise
