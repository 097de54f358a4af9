"""A numeric menu: signals, levels, columns, copies."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from oomtop.tui.base.screens import Question
from oomtop.units import printable

_TITLE = 2 * 64
_LONGEST_NUMBER = 20


class PagedChoices(OptionList):
    """A list of choices that takes keys before it is drawn."""

    def action_page_up(self) -> None:
        """Move up a page, if there are pages yet: Textual's looks up lines that it lays out when it draws."""
        with contextlib.suppress(LookupError):
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """Move down a page, if there are pages yet."""
        with contextlib.suppress(LookupError):
            super().action_page_down()  # type: ignore[no-untyped-call]


class Menu(Question["int | None"]):
    """A list of numbers with their meaning; optionally with an input for other numbers."""

    DEFAULT_CSS = """
    Menu Vertical { width: 72; max-width: 100%; height: auto; max-height: 100%; }
    Menu Vertical { background: $panel; padding: 0 1; border: round $primary; }
    Menu OptionList { height: auto; max-height: 16; background: $panel; }
    Menu OptionList, Menu OptionList:focus { border: none; }
    Menu Input { background: $surface; }
    Menu .keys { text-style: dim; dock: bottom; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "cancel", "Cancel", id="dialog.cancel")]

    def __init__(
        self, title: str, choices: Sequence[tuple[int, str]], chosen: int = 0, typed: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._chosen = chosen
        self._typed = typed

    def compose(self) -> ComposeResult:
        """Build the list."""
        with Vertical():
            yield Static(Text(_short(self._title)), markup=False)
            # str() of a Signals is its name before Python 3.11.
            yield PagedChoices(*(Option(Text(label), id=str(int(value))) for value, label in self._choices))
            if self._typed is not None:
                hint = f"or any value from {self._typed[0]} to {self._typed[1]}"
                yield Input(placeholder=hint, type="integer", compact=True, max_length=_LONGEST_NUMBER)
            yield Static("Enter: choose   Esc: cancel", classes="keys", markup=False)

    def on_mount(self) -> None:
        """Preselect."""
        choices = self.query_one(PagedChoices)
        choices.highlighted = self._chosen
        choices.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Give the chosen number back."""
        self.dismiss(int(event.option.id or 0))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the typed number back, if it is one in range."""
        low, high = self._typed or (0, 0)
        try:
            value = int(event.value)
        except ValueError:
            value = high + 1
        if low <= value <= high:
            self.dismiss(value)
        else:
            event.input.value = ""
            event.input.placeholder = f"expected {low} to {high}"

    def action_cancel(self) -> None:
        """Choose nothing."""
        self.dismiss(None)


def _short(title: str) -> str:
    """Return a title of two lines at most: a command line may be longer than the menu below it."""
    shown = printable(title)
    return shown if len(shown) <= _TITLE else f"{shown[: _TITLE - 3]}..."
