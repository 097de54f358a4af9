"""Screens that close once, however often the key that closes them was pressed.

Textual's `dismiss` closes whatever is on top: the second Enter of two in one burst would close the screen below, or
the plan that the first one had opened.
"""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen

Result = TypeVar("Result")


class ClosedOnce(Screen[Result]):
    """A screen that closes itself and no other one."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, unless it is closed already or another screen stands over it."""
        if self.app.screen is not self:
            return AwaitComplete()
        return super().dismiss(result)


class Dialog(ModalScreen[Result], ClosedOnce[Result]):
    """A question over what is in sight."""

    # ModalScreen comes first: Textual takes style sheets from the first base only.
