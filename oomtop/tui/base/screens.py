"""Screens that close only once, however often the closing key is pressed.

Textual's `dismiss` closes the topmost screen: a second quick Enter would close the screen below, or
the plan that the first one had opened.
"""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen

Result = TypeVar("Result")


class ClosedOnce(Screen[Result]):
    """A screen that only closes itself."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, unless already closed or covered by another screen."""
        if self.app.screen is not self:
            return AwaitComplete()
        return super().dismiss(result)


class Dialog(ModalScreen[Result], ClosedOnce[Result]):
    """A dialog over the visible screen, which is not dimmed: it shows the danger."""

    DEFAULT_CSS = "Dialog { background: transparent; }"

    # ModalScreen comes first: Textual takes style sheets from the first base only.


class Question(Dialog[Result]):
    """A dialog that leaves the header and the danger strip in sight where there is room for both."""

    DEFAULT_CSS = """
    Question { align: center middle; }
    Question.-roomy > Vertical { margin-top: 5; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-scant"), (22, "-roomy")]  # noqa: RUF012
