"""The one implementation of `Prepared`: a plan, what was opened for it, and the function that carries it out.

A descriptor that is closed while another thread is about to signal through it may come back as someone
else's, so only one of `perform` and `close` ever touches what is held.
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
    """Anything that holds a descriptor."""

    def close(self) -> None:
        """Give it back."""
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
        """Take the plan and what carries it out; `ask` raises ActionRefused where the guard forbids it by now."""
        self.plan = plan
        self._act = act
        self._held = tuple(held)
        self._ask = ask
        self._lock = threading.Lock()
        self._spent = False

    def perform(self, report: Report) -> Outcome:
        """Do it, or say why not; an error of the kernel becomes the outcome, in words."""
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
        """Give back what is held, unless `perform` is at it, which does so when it ends."""
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
    """Return why none of several targets is left; `NothingLeft` where each of them is gone."""
    kind = NothingLeft if all(isinstance(reason, NothingLeft) for reason in reasons) else ActionRefused
    return kind("; ".join(map(str, reasons)))


def refused(action: str, title: str, reason: str | OomtopError) -> PreparedAction:
    """Return an action that is refused as a whole, with nothing opened; `NothingLeft` makes its plan moot."""
    is_moot = isinstance(reason, NothingLeft)
    return PreparedAction(Plan(action, title, (), refusal=str(reason), is_moot=is_moot), None)
