"""The comparison of two moments: which part of memory, which processes and which groups grew in between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from oomtop.analysis.comparison import Change, Comparison, ProcessChange
from oomtop.tui.base.screens import Dialog
from oomtop.tui.style.palette import Look
from oomtop.units import format_bytes, format_duration, printable

_PROCESSES, _GROUPS = 40, 20


class CompareScreen(Dialog[None]):
    """What changed, the largest first."""

    DEFAULT_CSS = """
    CompareScreen { align: center middle; }
    CompareScreen VerticalScroll { width: 95%; height: 90%; background: $panel; padding: 0 1; border: round $primary; }
    CompareScreen Static { text-wrap: nowrap; text-overflow: ellipsis; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,equals_sign,enter", "dismiss", "Close", id="compare.close")
    ]

    def __init__(self, comparison: Comparison, look: Look) -> None:
        super().__init__()
        self._comparison = comparison
        self._look = look

    def compose(self) -> ComposeResult:
        """Write it all out."""
        with VerticalScroll():
            yield Static(Text("\n").join(self.lines()), markup=False)

    def lines(self) -> Iterator[Text]:
        """Yield the lines: a heading, then the account, the processes, the groups."""
        found, look = self._comparison, self._look
        seconds = format_duration(found.end - found.start)
        count = f"{found.events} OOM event{'' if found.events == 1 else 's'}"
        yield Text(f"{_clock(found.start)} to {_clock(found.end)}, {seconds}; {count}  (Esc closes)", "bold")
        yield Text("")
        yield _head("Memory", look)
        yield from (self._change(change) for change in found.memory)
        yield Text("")
        yield _head("Processes (RSS+swap)", look)
        yield from (self._process(change) for change in found.processes[:_PROCESSES])
        yield Text("")
        yield _head("Groups", look)
        yield from (self._change(change) for change in found.cgroups[:_GROUPS])

    def _change(self, change: Change) -> Text:
        return self._line(change.delta, change.before, change.after, printable(change.name))

    def _process(self, change: ProcessChange) -> Text:
        name = f"{change.id.pid} {printable(change.user)} {printable(change.name)}"
        return self._line(change.delta, change.before, change.after, name)

    def _line(self, delta: int, before: int | None, after: int | None, name: str) -> Text:
        change = ("+" if delta >= 0 else "") + format_bytes(delta)
        style = self._look.style("warn") if delta > 0 else self._look.style("dim")
        line = Text(f"{change:>7}", style)
        return line.append(f"  {_size(before, 'began'):>6} -> {_size(after, 'ended'):6}  ").append(name)


def _size(value: int | None, none: str) -> str:
    return none if value is None else format_bytes(value)


def _clock(when: float) -> str:
    return time.strftime("%b %d %H:%M:%S", time.localtime(when))


def _head(title: str, look: Look) -> Text:
    return Text(title, look.style("accent", bold=True) or "bold")
