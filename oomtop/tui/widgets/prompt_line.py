"""The prompt line at the foot of a tab: Enter accepts the text, Escape cancels."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import Input

from oomtop.tui.style.cell_width import cell_len

MOST_TYPED = 1000
"""Characters of an answer: each key measures the whole line, of 6,000 they would hold the screen up for a minute."""


class PromptLine(Input):
    """Hidden until it asks; what it asks for stands before what is typed."""

    DEFAULT_CSS = """
    PromptLine { display: none; height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel", id="prompt.leave")]

    def __init__(self, after: Callable[[], object]) -> None:
        super().__init__(id="line", compact=True, max_length=MOST_TYPED)
        self._after = after
        self._use: Callable[[str], None] | None = None
        self._typed: Callable[[str], object] | None = None
        self._label = ""
        self._before = ""

    def ask(
        self, what: str, use: Callable[[str], None], text: str = "", typed: Callable[[str], object] | None = None
    ) -> None:
        """Open with `text` and hand the answer to `use`; `typed` gets every change, and on Escape what was before.

        What stands before the colon of `what` stays while something is typed; all of it is told while nothing is.
        """
        self._use, self._typed, self._before = use, None, text
        label = what.partition(":")[0]
        self._label = f" {label}: " if label != "/" else "/"
        self.styles.padding = (0, 0, 0, cell_len(self._label))
        self.placeholder, self.value, self.display = what.partition(": ")[2], text, True
        self._typed = typed
        # Now: `focus()` waits its turn, and the next keys would be for whoever has the focus until then.
        self.screen.set_focus(self)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the line with its label."""
        strips = super().render_lines(crop)
        label = self._label[crop.x :]
        if strips and label:
            rest = strips[0].crop(cell_len(label))
            strips[0] = Strip([Segment(label, self.rich_style), *rest])
        return strips

    def on_input_changed(self, event: Input.Changed) -> None:
        """Hand on what is typed so far."""
        event.stop()
        if self._typed is not None:
            self._typed(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the answer on."""
        event.stop()
        use, self._typed = self._use, None
        self.action_leave()
        if use is not None:
            use(event.value)

    def action_leave(self) -> None:
        """Close without an answer."""
        if self._typed is not None:
            self._typed(self._before)
        self._use = self._typed = None
        self.display = False
        self._after()
