"""The undo stack: a bounded stack of inverse requests."""

from __future__ import annotations

from oomtop.actions.base.plan import Outcome
from oomtop.actions.base.requests import Request
from oomtop.frozen import frozen

_DEPTH = 50


@frozen
class UndoStep:
    """One inverse request, the action it undoes, and that action's audit log entry."""

    summary: str
    request: Request
    entry: str | None = None


@frozen
class UndoStack:
    """The steps, newest last."""

    steps: tuple[UndoStep, ...] = ()

    def with_outcome(self, outcome: Outcome) -> UndoStack:
        """Return the stack with the inverse of `outcome` on top, or unchanged if there is none."""
        if outcome.undo is None:
            return self
        return self.with_step(UndoStep(outcome.summary, outcome.undo, outcome.entry))

    def with_step(self, step: UndoStep) -> UndoStack:
        """Return the stack with `step` on top."""
        return UndoStack((*self.steps, step)[-_DEPTH:])

    @property
    def top(self) -> UndoStep | None:
        """The action that `z` would undo."""
        return self.steps[-1] if self.steps else None

    def set_aside(self, step: UndoStep) -> UndoStack:
        """Return the stack with `step`, whose undo failed, moved to the bottom."""
        return UndoStack((step, *self.without(step).steps)) if step in self.steps else self

    def without(self, step: UndoStep) -> UndoStack:
        """Return the stack without `step`, which was undone."""
        return UndoStack(tuple(other for other in self.steps if other is not step))
