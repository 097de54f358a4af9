"""The dialogs of an action: the value prompt, and the plan with its confirmation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static

from oomtop.actions.base.plan import Plan
from oomtop.actions.base.requests import Request
from oomtop.actions.machine.drop_caches import clean_cache
from oomtop.host.meminfo import Meminfo
from oomtop.host.privileges import Capability, has_capability
from oomtop.render.plan import describe
from oomtop.tui.actions.menus import Ask
from oomtop.tui.base.screens import Question
from oomtop.tui.widgets.prompt_line import MOST_TYPED
from oomtop.units import format_bytes, format_duration, printable

ADJUSTMENTS: tuple[tuple[int, str], ...] = (
    (-900, "-900  protected: almost never killed"),
    (-500, "-500  spared while others are bigger"),
    (0, "   0  normal"),
    (500, " 500  killed early"),
    (1000, "1000  always killed first"),
    (-1000, "-1000  never killed, even if it leaks"),
)


_RUN, _CLOSE = "Enter: run   Esc: cancel", "Esc: close"
_OLD = 5.0
"""Seconds from which the age of figures is said."""


def adjustments(now: Sequence[int]) -> tuple[tuple[tuple[int, str], ...], int]:
    """Return the values to choose from, each with whether it is permitted, and the first permitted one."""
    # The kernel permits down to the lowest value ever set with the capability: 0 if none was.
    least = -1000 if has_capability(Capability.SYS_RESOURCE) else min((0, *now))
    denied = "  (needs CAP_SYS_RESOURCE)"
    found = tuple((value, text if value >= least else f"{text}{denied}") for value, text in ADJUSTMENTS)
    return found, next((at for at, (value, _) in enumerate(ADJUSTMENTS) if value >= least), 0)


def caches_of(info: Meminfo) -> tuple[tuple[int, str], ...]:
    """Return what can be dropped, with its size."""
    cache, slab = clean_cache(info), info.s_reclaimable or 0
    return (
        (1, f"1  clean page cache, {format_bytes(cache)}"),
        (2, f"2  reclaimable slab, {format_bytes(slab)}: dentries and inodes"),
        (3, f"3  both, {format_bytes(cache + slab)}"),
    )


class AskDialog(Question[Request | None]):
    """A prompt for one value; errors are shown below it."""

    DEFAULT_CSS = """
    AskDialog Vertical { width: 76; max-width: 100%; height: auto; max-height: 100%; }
    AskDialog Vertical { background: $panel; padding: 0 1; border: round $primary; }
    AskDialog Input { background: $surface; }
    AskDialog .wrong { color: $error; }
    AskDialog .keys { text-style: dim; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="dialog.leave")]

    def __init__(self, ask: Ask) -> None:
        super().__init__()
        self._ask = ask

    def compose(self) -> ComposeResult:
        """Build the line."""
        with Vertical():
            yield Static(Text(printable(self._ask.title)), markup=False)
            yield Input(self._ask.text, select_on_focus=False, compact=True, max_length=MOST_TYPED)
            for line in self._ask.hint.splitlines():
                yield Static(Text(printable(line)), markup=False)
            yield Static("", classes="wrong", markup=False)
            yield Static("Enter: show plan   Esc: cancel", classes="keys", markup=False)

    def on_mount(self) -> None:
        """Put the cursor after the text."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the request, or show what is wrong."""
        event.stop()
        try:
            request = self._ask.make(event.value)
        except ValueError as error:
            self.query_one(".wrong", Static).update(Text(printable(str(error))))
            return
        self.dismiss(request)

    def action_cancel(self) -> None:
        """Choose nothing."""
        self.dismiss(None)


class PlanDialog(Question[bool]):
    """A plan, exactly as it will be carried out; Enter runs it, Escape cancels."""

    DEFAULT_CSS = """
    PlanDialog Vertical { width: 90%; max-width: 110; height: auto; max-height: 100%; }
    PlanDialog Vertical { background: $panel; padding: 0 1; border: round $warning; }
    PlanDialog VerticalScroll { height: auto; max-height: 100h; background: $panel; }
    PlanDialog .keys { text-style: bold; dock: bottom; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "confirm", "Run", id="dialog.confirm"),
        Binding("escape,n,q", "cancel", "Cancel", id="dialog.refuse"),
    ]

    def __init__(self, plan: Plan, go: Callable[[], object]) -> None:
        super().__init__()
        self.plan = plan
        self._go = go

    def compose(self) -> ComposeResult:
        """Show the plan."""
        refused = self.plan.refusal is not None
        with Vertical():
            with VerticalScroll():
                yield Static(Text(describe(self.plan)), classes="plan", markup=False)
            yield Static(_CLOSE if refused else _RUN, classes="keys", markup=False)

    def renew(self, plan: Plan) -> None:
        """Show the same plan with the figures of the last tick."""
        if describe(plan) != describe(self.plan):
            self.query_one(".plan", Static).update(Text(describe(plan)), layout=False)
        self.plan = plan

    def show_age(self, seconds: float) -> None:
        """Say how old the figures are, of a plan that is not renewed, in steps of five seconds."""
        if seconds >= _OLD and self.plan.refusal is None:
            old = f"{_RUN}   figures {format_duration(seconds // _OLD * _OLD)} old"
            self.query_one(".keys", Static).update(old, layout=False)

    def action_confirm(self) -> None:
        """Run the plan, unless it is refused."""
        if self.plan.refusal is None:
            # Before closing the dialog: with 5,000 rows behind it that takes too long for a signal.
            self._go()
        self.dismiss(self.plan.refusal is None)

    def action_cancel(self) -> None:
        """Cancel."""
        self.dismiss(False)
