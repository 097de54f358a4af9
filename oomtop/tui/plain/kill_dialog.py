"""The plan of a kill on the plain screen, held by pidfd while it is read; Enter carries it out."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from oomtop.actions.base.context import context_of
from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Prepared
from oomtop.actions.base.requests import KillRequest
from oomtop.actions.dispatch import carry_out, prepare
from oomtop.actions.journal.audit_log import Audit
from oomtop.crash import reason_of
from oomtop.host.process import ProcessId
from oomtop.host.root import Root
from oomtop.render.plan import describe, describe_outcome
from oomtop.threads import begin
from oomtop.tui.plain.screen import PlainScreen
from oomtop.tui.style.text import Text

_ENTER = ("\r", "\n")


class KillDialog:
    """A plan with its keys."""

    def __init__(self, screen: PlainScreen, prepared: Prepared, target: ProcessId, wake: Callable[[], None]) -> None:
        self._screen, self._prepared, self._target, self._wake = screen, prepared, target, wake

    @classmethod
    def load(cls) -> None:
        """Import what carries out a kill."""
        import oomtop.actions.process.kill_run  # noqa: F401

    @classmethod
    def of(
        cls,
        screen: PlainScreen,
        wake: Callable[[], None],
        target: ProcessId | None = None,
        number: int = signal.SIGTERM,
    ) -> KillDialog | None:
        """Return the dialog for the process under the cursor, or for another; None without one."""
        target = target or screen.picture.table.selected
        if target is None or screen.latest is None:
            return None
        options = screen.options
        guard = Guard(options.protected, options.read_only, options.replay)
        context = context_of(screen.latest.snapshot, guard, Root())
        return cls(screen, prepare(KillRequest((target,), number), context), target, wake)

    def lines(self) -> list[Text]:
        """Return the lines of the plan and its keys."""
        is_refused = self._prepared.plan.refusal is not None
        keys = "press any key to close" if is_refused else "Enter: run   9: SIGKILL instead   any other key: cancel"
        return [*(Text(f" {line}") for line in describe(self._prepared.plan).splitlines()), Text(f" {keys}", "bold")]

    def press(self, key: str) -> KillDialog | None:
        """Return the dialog that is open after a key."""
        if self._prepared.plan.refusal is None and key in _ENTER:
            begin(threading.Thread(target=self._perform, name="kill", daemon=True))
            return None
        self._prepared.close()
        if self._prepared.plan.refusal is None and key == "9":
            return KillDialog.of(self._screen, self._wake, self._target, signal.SIGKILL)
        return None

    def _perform(self) -> None:
        try:
            outcome = carry_out(self._prepared, Audit(), self._tell)
            self._tell(describe_outcome(outcome).splitlines()[0])
        except Exception as error:  # noqa: BLE001 - a thread has no caller; it is told
            self._tell(reason_of(error))
        finally:
            self._prepared.close()

    def _tell(self, text: str) -> None:
        self._screen.tell(text)
        self._wake()
