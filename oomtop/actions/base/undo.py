"""What can be taken back: a bounded stack of requests, each the inverse of something that was done."""

from __future__ import annotations

from oomtop.actions.base.plan import Outcome
from oomtop.actions.base.requests import Request
from oomtop.frozen import frozen

_DEPTH = 50


@frozen
class UndoStep:
    """One inverse request, what it takes back, and the entry of that in the audit log."""

    summary: str
    request: Request
    entry: str | None = None


@frozen
class UndoStack:
    """The steps, newest last."""

    steps: tuple[UndoStep, ...] = ()

    def with_outcome(self, outcome: Outcome) -> UndoStack:
        """Return the stack with the inverse of `outcome` on top, the same stack where it has none."""
        if outcome.undo is None:
            return self
        return self.with_step(UndoStep(outcome.summary, outcome.undo, outcome.entry))

    def with_step(self, step: UndoStep) -> UndoStack:
        """Return the stack with `step` on top."""
        return UndoStack((*self.steps, step)[-_DEPTH:])

    @property
    def top(self) -> UndoStep | None:
        """What `z` would take back now."""
        return self.steps[-1] if self.steps else None

    def set_aside(self, step: UndoStep) -> UndoStack:
        """Return the stack with `step`, which could not be taken back, below all others."""
        return UndoStack((step, *self.without(step).steps)) if step in self.steps else self

    def without(self, step: UndoStep) -> UndoStack:
        """Return the stack after `step` was taken back."""
        return UndoStack(tuple(other for other in self.steps if other is not step))
