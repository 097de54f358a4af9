"""The table of many machines from Prometheus; Enter opens oomtop on one over ssh, in this terminal."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from oomtop.errors import OomtopError
from oomtop.fleet.machines import FleetMachine
from oomtop.host.programs import find_programs
from oomtop.render.fleet import (
    ALERT,
    COLUMNS,
    DOWN,
    NOTHING,
    FleetColumn,
    describe,
    fit,
    is_pressing,
    machine_line,
    state_of,
    title_line,
)
from oomtop.tui.shell.lifecycle import watch_terminal
from oomtop.tui.style.palette import Look, make_look
from oomtop.tui.style.text import Text
from oomtop.tui.style.theme import theme_or_default
from oomtop.tui.terminal.app import PlainApp
from oomtop.tui.widgets.cursor_list import CursorList, move_keys
from oomtop.tui.widgets.key_bar import KeyBar
from oomtop.tui.widgets.prompt_line import PromptLine
from oomtop.tui.widgets.terminal_handover import run_in_place
from oomtop.tui.widgets.text_block import Sheet
from oomtop.units import printable, sparkline

_KEYS = (
    ("Enter", "oomtop there"), ("<>", "Sort"), ("\\", "Filter"), ("r", "Refresh"), ("C", "Copy"), ("q", "Quit"),
)  # fmt: skip
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:%-]{0,252}")
"""Allowed host names for ssh: Prometheus labels are untrusted, and `-oProxyCommand=` would be an option."""


@dataclass
class Read(Message):
    """A response of Prometheus, or why there is none."""

    machines: tuple[FleetMachine, ...] | None
    problem: str
    when: float


class MachineList(CursorList):
    """One line per machine; the cursor follows its machine."""

    BINDINGS: ClassVar[list[BindingType]] = [*move_keys("fleet")]

    def __init__(self, look: Look, moved: Callable[[], object]) -> None:
        super().__init__(id="fleet-machines", moved=moved)
        self._look = look
        self._machines: tuple[FleetMachine, ...] = ()
        self._now = 0.0

    @property
    def machine(self) -> FleetMachine | None:
        """The machine under the cursor."""
        return self._machines[self.cursor] if self._machines else None

    def show(self, machines: tuple[FleetMachine, ...], now: float) -> None:
        """Show these machines."""
        here = self.machine
        self._machines, self._now = machines, now
        places = (at for at, each in enumerate(machines) if here and _name(each) == _name(here))
        self.set_rows(len(machines), next(places, self.cursor))
        self.refresh()

    def draw_row(self, at: int, width: int) -> Text:
        """Draw a machine; alerts and pressure are highlighted."""
        machine = self._machines[at]
        line = Text(machine_line(machine, fit(self._machines, width), self._now))
        if state_of(machine, self._now) in (DOWN, ALERT):
            line.stylize(self._look.style("bad", bold=True) or "bold")
        elif is_pressing(machine):
            line.stylize(self._look.style("warn"))
        return line


def _name(machine: FleetMachine) -> tuple[str, str]:
    return machine.job, machine.instance


class FleetApp(PlainApp):
    """Polls every `interval` seconds in a thread; on failure the last table stays, with its age."""

    TITLE = "oomtop fleet"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layout: vertical; background: $background; color: $foreground; }
    #fleet-head { background: $panel; }
    #fleet-detail { background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,f10,ctrl+c", "quit", "Quit", id="fleet.quit"),
        Binding("enter", "open", "Open", id="fleet.open", priority=False),
        Binding("r,f5", "refresh_now", "Refresh", id="fleet.refresh"),
        Binding("less_than_sign,comma", "sort_beside(-1)", "Sort column left", id="fleet.sort_left"),
        Binding("greater_than_sign,full_stop", "sort_beside(1)", "Sort column right", id="fleet.sort_right"),
        Binding("I", "reverse", "Reverse order", id="fleet.reverse"),
        Binding("backslash,f4", "filter", "Filter", id="fleet.filter"),
        Binding("C", "copy", "Copy", id="fleet.copy"),
    ]

    def __init__(
        self,
        read: Callable[[float], tuple[FleetMachine, ...]],
        url: str,
        interval: float,
        theme: str | None,
        ascii_only: bool,
    ) -> None:
        problem, found = theme_or_default(theme)
        super().__init__(ansi_color=found.ansi)
        self.register_theme(found.theme)
        self.theme = found.theme.name
        self.animation_level = "none"
        self.look = make_look(ascii_only, found.palette)
        self._read = read
        self._url = url
        self._interval = interval
        self._machines: tuple[FleetMachine, ...] = ()
        self._when: float | None = None
        self._problem = ""
        self._remark = problem or ""
        self._sort: FleetColumn | None = None
        """None: by need."""
        self._reversed = False
        self._text = ""

    def compose(self) -> ComposeResult:
        """Mount every widget once."""
        yield Sheet(self._head, id="fleet-head")
        yield Sheet(self._titles, id="fleet-titles")
        yield MachineList(self.look, self._show_detail)
        yield Sheet(self._detail, id="fleet-detail")
        yield PromptLine(self._focus)
        yield KeyBar(_KEYS, self.look, id="fleet-keys")

    def on_mount(self) -> None:
        """Poll now and then every interval."""
        self._focus()
        self.action_refresh_now()
        self.set_interval(self._interval, self.action_refresh_now)
        if not self.is_headless:
            watch_terminal(self._leave)

    def _focus(self) -> None:
        self.query_one(MachineList).focus()

    def _leave(self) -> None:
        os._exit(128 + signal.SIGHUP) if not os.isatty(0) else self.exit(return_code=0)

    def remark(self, text: str) -> None:
        """Show a remark in the second line."""
        self._remark = text
        if self.is_running:
            self._draw()

    def action_refresh_now(self) -> None:
        """Poll Prometheus now, unless a request is pending."""
        if not any(worker.is_running for worker in self.workers):
            self._ask()

    @work(thread=True, exit_on_error=False)
    def _ask(self) -> None:
        now = time.time()
        try:
            self.post_message(Read(self._read(now), "", now))
        except OomtopError as error:
            self.post_message(Read(None, str(error), now))

    @on(Read)
    def _on_read(self, message: Read) -> None:
        self._problem = message.problem
        if message.machines is not None:
            self._machines, self._when = message.machines, message.when
        self._draw()

    def _draw(self) -> None:
        self.query_one(MachineList).show(self._arranged(), self._when or time.time())
        for sheet in self.query(Sheet):
            sheet.update()

    def _arranged(self) -> tuple[FleetMachine, ...]:
        wanted = self._text.casefold()
        machines = [each for each in self._machines if wanted in f"{each.job} {each.instance} {each.host}".casefold()]
        if self._sort is not None:
            machines.sort(key=self._sort.order)
        return tuple(reversed(machines)) if self._reversed else tuple(machines)

    # -- what is said -------------------------------------------------------------------------------

    def _head(self, width: int) -> list[Text]:
        line = Text().append(" oomtop fleet ", self.look.style("accent", bold=True) or "bold")
        if self._when is None:
            return [line.append("asking ..." if not self._problem else ""), *self._said()]
        down = sum(not machine.up for machine in self._machines)
        pressing = sum(machine.up and is_pressing(machine) for machine in self._machines)
        line.append(f" {len(self._machines)} machines")
        if down:
            line.append(f", {down} down", self.look.style("bad", bold=True) or "bold")
        if pressing:
            line.append(f", {pressing} short of memory", self.look.style("warn"))
        order = "by need" if self._sort is None else f"by {self._sort.title}"
        line.append(f", {order}{', reversed' if self._reversed else ''}", self.look.style("dim"))
        if self._text:
            line.append(f", filter {printable(self._text)!r}")
        clock = f"{printable(self._url)}  {time.strftime('%H:%M:%S', time.localtime(self._when))} "
        room = width - line.cell_len
        line.append(clock.rjust(room) if len(clock) <= room else f" {clock[-9:]}".rjust(room))
        return [line, *self._said()]

    def _said(self) -> list[Text]:
        """Return the error and the remark."""
        lines = []
        if self._problem:
            lines.append(Text(f" {printable(self._problem)}", self.look.style("bad") or "bold"))
        if self._remark:
            lines.append(Text(f" {printable(self._remark)}", self.look.style("warn")))
        return lines

    def _titles(self, width: int) -> list[Text]:
        if self._when is not None and not self._machines:
            return [Text(f" {NOTHING}", self.look.style("warn"))]
        return [Text(title_line(fit(self._machines, width)), "bold")]

    def _show_detail(self) -> None:
        self.query_one("#fleet-detail", Sheet).update()

    def _detail(self, width: int) -> list[Text]:
        machine = self.query_one(MachineList).machine
        if machine is None:
            return [Text("")]
        first, *more = describe(machine, self._when or time.time())
        lines = [Text(f" {first}", "bold"), *(Text(f"  {line}") for line in more)]
        if machine.history:
            values = [share for _, share in machine.history]
            drawn = sparkline(values, max(1, width - 32), 0.0, 1.0, self.look.ascii)
            lines.append(Text(f"  available  {drawn} of the last hour"))
        return lines

    # -- keys ---------------------------------------------------------------------------------------

    def action_sort_beside(self, step: int) -> None:
        """Sort by the next column; the order by need comes before the first."""
        orders: list[FleetColumn | None] = [None, *COLUMNS]
        self._sort = orders[(orders.index(self._sort) + step) % len(orders)]
        self._draw()

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._reversed = not self._reversed
        self._draw()

    def action_filter(self) -> None:
        """Ask which machines to show."""
        self.query_one(PromptLine).ask("filter: part of a machine's name or job", self._filtered, self._text)

    def _filtered(self, text: str) -> None:
        self._text = text
        self._draw()

    def action_copy(self) -> None:
        """Copy the details of the machine under the cursor."""
        machine = self.query_one(MachineList).machine
        if machine is not None:
            self.copy_to_clipboard("\n".join(describe(machine, self._when or time.time())))
            self.remark(f"copied the details of {machine.instance}")

    def action_open(self) -> None:
        """Open oomtop there over ssh; the table returns when it exits."""
        machine = self.query_one(MachineList).machine
        if machine is None:
            return
        if not _HOST.fullmatch(machine.host):
            self.remark(f"{machine.host!r} is not a valid host name for ssh; see --host-label")
        elif not find_programs(["ssh"]):
            self.remark("ssh is not installed (apt install openssh-client)")
        else:
            command = ("ssh", "-t", "--", machine.host, "oomtop")
            if not run_in_place(self, command, command):
                self.remark("ssh: this terminal cannot be handed over")
            self.call_after_refresh(partial(self.refresh, layout=True))
            self.action_refresh_now()
