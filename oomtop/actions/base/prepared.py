"""The implementation of `Prepared`: a plan, the descriptors opened for it, and the function that performs it.

A descriptor closed while another thread is about to use it may be reused for something
else, so only one of `perform` and `close` touches the open descriptors.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.errors import ActionRefused, NothingLeft, OomtopError

Report = Callable[[str], None]


class Closable(Protocol):
    """An object that holds a descriptor."""

    def close(self) -> None:
        """Close it."""
        ...


class PreparedAction:
    """A plan that can be performed once, or closed."""

    def __init__(
        self,
        plan: Plan,
        act: Callable[[Report], Outcome] | None,
        held: Sequence[Closable] = (),
        ask: Callable[[], object] | None = None,
    ) -> None:
        """Take the plan and its function; `ask` raises ActionRefused if the guard now forbids it."""
        self.plan = plan
        self._act = act
        self._held = tuple(held)
        self._ask = ask
        self._lock = threading.Lock()
        self._spent = False

    def perform(self, report: Report) -> Outcome:
        """Perform the plan; a kernel error becomes a failed outcome."""
        action = self.plan.action
        if self.plan.refusal is not None or self._act is None:
            self.close()
            return Outcome(action, Status.REFUSED, self.plan.refusal or "nothing to do")
        with self._lock:
            if self._spent:
                return Outcome(action, Status.REFUSED, "already performed or closed")
            try:
                if self._ask is not None:
                    self._ask()
                return self._act(report)
            except ActionRefused as refusal:
                return Outcome(action, Status.REFUSED, str(refusal))
            except OSError as error:
                return Outcome(action, Status.FAILED, f"{self.plan.title}: {in_words(error)}")
            finally:
                self._give_back()

    def close(self) -> None:
        """Close everything, unless `perform` is running, which does so at its end."""
        if self._lock.acquire(blocking=False):
            try:
                self._give_back()
            finally:
                self._lock.release()

    def _give_back(self) -> None:
        if not self._spent:
            self._spent = True
            for item in self._held:
                item.close()


def all_refused(reasons: Sequence[ActionRefused]) -> ActionRefused:
    """Return why no target is left; `NothingLeft` if all of them are gone."""
    kind = NothingLeft if all(isinstance(reason, NothingLeft) for reason in reasons) else ActionRefused
    return kind("; ".join(map(str, reasons)))


def refused(action: str, title: str, reason: str | OomtopError) -> PreparedAction:
    """Return a refused action with nothing opened; `NothingLeft` marks its plan as moot."""
    is_moot = isinstance(reason, NothingLeft)
    return PreparedAction(Plan(action, title, (), refusal=str(reason), is_moot=is_moot), None)
