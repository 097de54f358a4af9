"""The input line at the foot of a tab: asks for one text, Enter gives it, Escape does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class PromptLine(Input):
    """Hidden until it asks."""

    DEFAULT_CSS = """
    PromptLine { display: none; height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel", id="prompt.leave")]

    def __init__(self, after: Callable[[], object]) -> None:
        super().__init__(id="line", compact=True)
        self._after = after
        self._use: Callable[[str], None] | None = None

    def ask(self, what: str, use: Callable[[str], None], text: str = "") -> None:
        """Open with `text` and hand the answer to `use`."""
        self._use = use
        self.placeholder, self.value, self.display = what, text, True
        # Now: `focus()` waits its turn, and the next keys would be for whoever has the focus until then.
        self.screen.set_focus(self)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the answer on."""
        event.stop()
        use = self._use
        self.action_leave()
        if use is not None:
            use(event.value)

    def action_leave(self) -> None:
        """Close without an answer."""
        self._use = None
        self.display = False
        self._after()
