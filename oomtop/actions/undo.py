"""What can be taken back: a bounded stack of requests, each the inverse of something that was done."""

from __future__ import annotations

from dataclasses import dataclass

from oomtop.actions.plan import Outcome
from oomtop.actions.requests import Request

_DEPTH = 50


@dataclass(frozen=True, slots=True)
class UndoStep:
    """One inverse request, and what it takes back."""

    summary: str
    request: Request


@dataclass(frozen=True, slots=True)
class UndoStack:
    """The steps, newest last."""

    steps: tuple[UndoStep, ...] = ()

    def with_outcome(self, outcome: Outcome) -> UndoStack:
        """Return the stack with the inverse of `outcome` on top, the same stack where it has none."""
        if outcome.undo is None:
            return self
        return UndoStack((*self.steps, UndoStep(outcome.summary, outcome.undo))[-_DEPTH:])

    @property
    def top(self) -> UndoStep | None:
        """What `z` would take back now."""
        return self.steps[-1] if self.steps else None

    def without_top(self) -> UndoStack:
        """Return the stack after its top was taken back."""
        return UndoStack(self.steps[:-1])
