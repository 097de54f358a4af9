"""The help screen: every key, every column, and what the figures of the dashboard mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from oomtop.tui.columns import COLUMNS

_FIGURES = (
    ("Mem", "MemTotal split up: what cannot be given back first; `|` marks the min watermark (/proc/meminfo)"),
    ("available", "what programs can still get without swapping (MemAvailable); worry below 10 %"),
    ("Swap", "used of total, bytes per second in and out; both at once is a swap storm (/proc/vmstat)"),
    ("PSI", "per cent of time stalled on memory over 10, 60, 300 s; full above 10 is thrashing (/proc/pressure)"),
    ("majf", "major faults per second: pages read from disk because they were evicted"),
    ("Left", "time to exhaustion of what runs out first, with range and confidence; or not growing"),
    ("Next", "whom the kernel's OOM killer would take now, by its own badness formula"),
)


class HelpScreen(ModalScreen[None]):
    """Keys, columns, figures."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen VerticalScroll { width: 95%; height: 95%; background: $panel; padding: 0 1; border: round $primary; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1,question_mark,h", "dismiss", "Close", id="help.close")
    ]

    def __init__(self, bindings: Iterable[Binding]) -> None:
        super().__init__()
        self._keys = tuple(bindings)

    def compose(self) -> ComposeResult:
        """Write it all out."""
        with VerticalScroll():
            yield Static(self._text(), markup=False)

    def _text(self) -> Text:
        text = Text("Keys (Esc closes)\n", "bold")
        for binding in self._keys:
            text.append(f"  {_key_name(binding.key):14} {binding.description}\n")
        text.append("\nFigures\n", "bold")
        for name, meaning in _FIGURES:
            text.append(f"  {name:14} {meaning}\n")
        text.append("\nColumns\n", "bold")
        for column in COLUMNS:
            text.append(f"  {column.title:14} {column.help}\n")
        return text


_NAMES = {"question_mark": "?", "slash": "/", "backslash": "\\", "colon": ":", "less_than_sign": "<",
          "greater_than_sign": ">", "plus": "+", "minus": "-", "equals_sign": "="}  # fmt: skip


def _key_name(key: str) -> str:
    return " ".join(_NAMES.get(part, part.upper() if part[:1] == "f" and part[1:].isdigit() else part)
                    for part in key.split(","))  # fmt: skip
