"""From a key to an outcome: choose, plan, confirm, perform; the targets are pinned when the dialog opens."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from oomtop.actions.audit import Audit
from oomtop.actions.catalogue import carry_out, prepare
from oomtop.actions.context import context_of
from oomtop.actions.guard import Guard
from oomtop.actions.plan import Outcome, Prepared
from oomtop.actions.requests import AdjustRequest, DropCachesRequest, KillRequest, Request
from oomtop.actions.undo import UndoStack
from oomtop.host.root import Root
from oomtop.tui.dialogs import ADJUSTMENTS, CACHES, SIGNALS, Menu, PlanDialog
from oomtop.tui.messages import ActionEnded

if TYPE_CHECKING:
    from oomtop.tui.app import OomtopApp

_NOBODY = "no process is selected: choose one with the arrow keys"


class Remedies:
    """What the keys of the actions do on the tab in sight."""

    def __init__(self, app: OomtopApp, guard: Guard, audit: Audit) -> None:
        self._app = app
        self._guard = guard
        self.audit = audit
        self._undo = UndoStack()

    def remember(self, outcome: Outcome) -> None:
        """Keep what takes the outcome back."""
        self._undo = self._undo.with_outcome(outcome)

    def kill(self) -> None:
        """Choose a signal for the selection."""
        targets = self._app.tab.targets()
        if not targets:
            self._app.remark(_NOBODY)
            return
        self.choose(Menu(self._app.tab.targets_title(), SIGNALS), lambda number: KillRequest(targets, number))

    def adjust(self) -> None:
        """Choose an oom_score_adj for the selection."""
        targets = self._app.tab.targets()
        if not targets:
            self._app.remark(_NOBODY)
            return
        menu = Menu(self._app.tab.targets_title(), ADJUSTMENTS, typed=(-1000, 1000))
        self.choose(menu, lambda value: AdjustRequest(targets, value))

    def drop_caches(self) -> None:
        """Choose what to drop."""
        self.choose(Menu("Drop caches", CACHES, chosen=2), DropCachesRequest)

    def undo(self) -> None:
        """Take the last reversible action back."""
        step = self._undo.top
        if step is None:
            self._app.remark("nothing to undo")
            return
        self._undo = self._undo.without_top()
        self.confirm(step.request)

    def choose(self, menu: Menu, request: Callable[[int], Request]) -> None:
        """Let a menu's number make the request; rows stay in their places meanwhile."""
        tab = self._app.tab
        tab.hold(True)

        def chosen(value: int | None) -> None:
            if value is None:
                tab.hold(False)
            else:
                self.confirm(request(value))

        self._app.push_screen(menu, chosen)

    def confirm(self, request: Request) -> None:
        """Open what the action needs, show its plan, and perform it when told to."""
        facts = self._app.facts
        if facts is None:
            return
        tab = self._app.tab
        tab.hold(True)
        prepared = prepare(request, context_of(facts, self._guard, Root()))

        def answered(go: bool | None) -> None:
            tab.hold(False)
            if go:
                work = partial(self._perform, prepared)
                self._app.run_worker(work, thread=True, group="actions", exit_on_error=False)
            else:
                prepared.close()

        self._app.push_screen(PlanDialog(prepared.plan), answered)

    def _perform(self, prepared: Prepared) -> None:
        outcome = carry_out(prepared, self.audit, lambda text: None)
        self._app.post_message(ActionEnded(prepared.plan, outcome))
