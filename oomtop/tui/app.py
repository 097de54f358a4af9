"""The app: a thread samples and assesses, a message brings each assessment here, one reactive shows it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import get_current_worker

from oomtop.actions.audit import Audit
from oomtop.actions.catalogue import carry_out, prepare
from oomtop.actions.context import context_of
from oomtop.actions.guard import Guard
from oomtop.actions.plan import Prepared
from oomtop.actions.requests import AdjustRequest, DropCachesRequest, KillRequest, Request
from oomtop.analysis.assessment import assess
from oomtop.analysis.model import Assessment
from oomtop.errors import OomtopError
from oomtop.history import History
from oomtop.host.process import ProcessId
from oomtop.host.root import Root
from oomtop.selfguard import guard_self
from oomtop.snapshot import Snapshot
from oomtop.source import LiveSource, Source
from oomtop.tui.dashboard import Dashboard
from oomtop.tui.dialogs import ADJUSTMENTS, CACHES, SIGNALS, Menu, PlanDialog
from oomtop.tui.help_screen import HelpScreen
from oomtop.tui.look import Look
from oomtop.tui.messages import ActionEnded, NewAssessment, SourceEnded
from oomtop.tui.process_table import ProcessTable
from oomtop.tui.state import State
from oomtop.tui.theme import DEFAULT, ThemeFile, load_theme


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line and the configuration decide."""

    interval: float = 2.0
    theme: str | None = None
    read_only: bool = False
    ascii: bool = False
    replay: bool = False
    columns: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()


_ACTIONS = frozenset({"kill", "adjust", "drop_caches", "undo"})


class OomtopApp(App[None]):
    """The full-screen monitor."""

    TITLE = "oomtop"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1,h", "help", "Help", id="app.help"),
        Binding("k,f9", "kill", "Signal menu: end, freeze, go on", id="action.kill"),
        Binding("o", "adjust", "oom_score_adj: protect or sacrifice", id="action.adjust"),
        Binding("d", "drop_caches", "Drop caches", id="action.drop_caches"),
        Binding("z", "undo", "Undo the last reversible action", id="action.undo"),
        Binding("slash,f3", "search", "Search", id="app.search"),
        Binding("backslash,f4", "filter", "Filter: text, !regex, rss>1g and user=root", id="app.filter"),
        Binding("u", "user", "One user only", id="app.user"),
        Binding("Z", "pause", "Pause", id="app.pause"),
        Binding("v", "chart", "Chart on or off", id="app.chart"),
        Binding("colon", "command_palette", "Command palette", id="app.palette"),
        Binding("ctrl+l", "rescan", "Redraw and rescan", id="app.rescan"),
        Binding("q,f10,ctrl+c", "quit", "Quit", id="app.quit", priority=False),
    ]

    def __init__(self, source: Source, options: Options | None = None) -> None:
        self.options = options or Options()
        problem, theme = _theme(self.options.theme)
        super().__init__(ansi_color=theme.ansi)
        self._source = source
        self._own_theme = theme.theme
        self._look = Look(self.options.ascii, {} if os.environ.get("NO_COLOR") else theme.palette)
        self._snapshot: Snapshot | None = None
        self._latest: Assessment | None = None
        self._guard = Guard(self.options.protected, self.options.read_only, self.options.replay)
        self._audit = Audit()
        self._line_use: Callable[[str], None] | None = None
        self.state = State(
            rights="root" if os.geteuid() == 0 else "unprivileged",
            interval=self.options.interval,
            read_only=self.options.read_only,
            replay=self.options.replay,
            columns=self.options.columns,
        )
        self._ended = False
        if problem:
            self.remark(problem)

    # -- life ---------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Dress, show the dashboard, start to sample, end when the terminal does."""
        self.register_theme(self._own_theme)
        self.theme = self._own_theme.name
        self.animation_level = "none"
        self._dashboard = Dashboard(self.state, self._look)
        self.push_screen(self._dashboard)
        self._sample()
        if not self.is_headless:
            self._watch_terminal()
            self.call_after_refresh(self._guard_self)

    def _guard_self(self) -> None:
        """Lock memory and lower the own score once the first screen was drawn, so that what it needed is in."""
        self.state.guard = guard_self().describe()
        self._dashboard.show_remarks()

    def _watch_terminal(self) -> None:
        """A terminal that hangs up sends SIGHUP; the default action of Textual's driver would hide it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self._leave)

    def _leave(self) -> None:
        self._source.close()
        os._exit(128 + signal.SIGHUP) if not os.isatty(0) else self.exit(return_code=0)

    def on_unmount(self) -> None:
        """Stop sampling."""
        self._source.close()

    @work(thread=True, exclusive=True, group="sampling", exit_on_error=False)
    def _sample(self) -> None:
        """The sampling thread: history and assessment live here, only frozen values leave it."""
        worker, history = get_current_worker(), History()
        assessment: Assessment | None = None
        try:
            for tick in self._source.ticks():
                if worker.is_cancelled:
                    return
                history.add(tick)
                assessment = assess(tick, history, assessment)
                self.post_message(NewAssessment(assessment, tick.snapshot))
        except (OomtopError, OSError) as error:
            self.post_message(SourceEnded(str(error)))
            return
        self.post_message(SourceEnded(None))

    @on(NewAssessment)
    def _on_new_assessment(self, message: NewAssessment) -> None:
        self._snapshot, self._latest = message.snapshot, message.assessment
        if not self.state.paused:
            self._dashboard.assessment = message.assessment

    @on(ProcessTable.Selected)
    def _on_selected(self, message: ProcessTable.Selected) -> None:
        """Have the slow facts of the process under the cursor read on every tick."""
        if isinstance(self._source, LiveSource):
            self._source.watched = frozenset([message.row.process.id] if message.row is not None else [])

    @on(SourceEnded)
    def _on_source_ended(self, message: SourceEnded) -> None:
        if message.problem is not None:
            self.remark(f"sampling ended: {message.problem}")

    def remark(self, text: str) -> None:
        """Put a line into the event pane."""
        self.state.remarks.appendleft((time.time(), text))
        if self.is_running:
            self._dashboard.show_remarks()

    # -- keys ---------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Actions are off in a recording and in read-only mode, and while a dialog is open."""
        if action in _ACTIONS:
            return not (self.options.read_only or self.options.replay) and self.screen.id == "dashboard"
        return True

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every key's action, in the palette."""
        for binding in self.BINDINGS:
            if isinstance(binding, Binding) and binding.action != "command_palette":
                run = getattr(self, f"action_{binding.action}")
                yield SystemCommand(binding.description, f"key {binding.key.split(',')[0]}", run)

    def action_help(self) -> None:
        """Show keys, figures and columns."""
        bindings = [b for b in (*self.BINDINGS, *ProcessTable.BINDINGS) if isinstance(b, Binding)]
        self.push_screen(HelpScreen(bindings))

    def action_pause(self) -> None:
        """Freeze the screen; sampling goes on."""
        self.state.paused = not self.state.paused
        if not self.state.paused and self._latest is not None:
            self._dashboard.assessment = self._latest
        self._dashboard.show_remarks()

    def action_chart(self) -> None:
        """Show or hide the chart."""
        self._dashboard.toggle_chart()

    def action_rescan(self) -> None:
        """Sample now and paint everything anew."""
        if isinstance(self._source, LiveSource):
            self._source.refresh()
        self.refresh(repaint=True, layout=True)

    def action_search(self) -> None:
        """Ask for a text and go to the next row that holds it."""
        self._ask("/", lambda text: self._searched(text))

    def _searched(self, text: str) -> None:
        if text and not self._dashboard.table.search(text):
            self.remark(f"no process matches {text!r}")

    def action_filter(self) -> None:
        """Ask for a filter; an empty one shows everything."""
        self._ask("filter: text, !regex, rss>1g and user=root", self._filtered)

    def _filtered(self, text: str) -> None:
        problem = self._dashboard.table.set_filter(text)
        if problem is not None:
            self.remark(f"filter: {problem}")

    def action_user(self) -> None:
        """Ask for a user; an empty answer shows everyone."""
        self._ask("user", lambda text: self._dashboard.table.set_user(text or None))

    def _ask(self, what: str, use: Callable[[str], None]) -> None:
        line = self._dashboard.query_one("#line", Input)
        self._line_use = use
        line.placeholder, line.value, line.display = what, "", True
        line.focus()

    @on(Input.Submitted, "#line")
    def _on_line(self, event: Input.Submitted) -> None:
        use, self._line_use = self._line_use, None
        self._close_line()
        if use is not None:
            use(event.value)

    def on_key(self, event: object) -> None:
        """Escape leaves the input line."""
        if getattr(event, "key", "") == "escape" and self._line_use is not None:
            self._line_use = None
            self._close_line()

    def _close_line(self) -> None:
        self._dashboard.query_one("#line", Input).display = False
        self._dashboard.table.focus()

    # -- actions: choose, plan, confirm, perform ------------------------------------------------------

    def _targets(self) -> tuple[ProcessId, ...]:
        """Return what is tagged, else the process under the cursor."""
        table = self._dashboard.table
        if table.tagged:
            return tuple(row.process.id for row in table.tagged_rows)
        return (table.selected,) if table.selected is not None else ()

    def _title(self, targets: tuple[ProcessId, ...]) -> str:
        row = self._dashboard.table.selected_row
        if len(targets) == 1 and row is not None and row.process.id == targets[0]:
            return f"{row.process.pid} {row.user} {(row.process.command or row.process.comm)[:200]}"
        return f"{len(targets)} processes"

    def action_kill(self) -> None:
        """Choose a signal for the selection; the targets are pinned from here on."""
        targets = self._targets()
        if not targets:
            self.remark("no process is selected: choose one with the arrow keys")
            return
        self._choose(Menu(self._title(targets), SIGNALS), lambda number: KillRequest(targets, number))

    def action_adjust(self) -> None:
        """Choose an oom_score_adj for the selection."""
        targets = self._targets()
        if not targets:
            self.remark("no process is selected: choose one with the arrow keys")
            return
        menu = Menu(self._title(targets), ADJUSTMENTS, typed=(-1000, 1000))
        self._choose(menu, lambda value: AdjustRequest(targets, value))

    def action_drop_caches(self) -> None:
        """Choose what to drop."""
        self._choose(Menu("Drop caches", CACHES, chosen=2), DropCachesRequest)

    def action_undo(self) -> None:
        """Take the last reversible action back."""
        step = self.state.undo.top
        if step is None:
            self.remark("nothing to undo")
            return
        self.state.undo = self.state.undo.without_top()
        self._confirm(step.request)

    def _choose(self, menu: Menu, request: Callable[[int], Request]) -> None:
        self._dashboard.table.hold_order = True

        def chosen(value: int | None) -> None:
            if value is None:
                self._dashboard.table.hold_order = False
            else:
                self._confirm(request(value))

        self.push_screen(menu, chosen)

    def _confirm(self, request: Request) -> None:
        """Open what the action needs, show its plan, and perform it when told to."""
        if self._snapshot is None:
            return
        self._dashboard.table.hold_order = True
        prepared = prepare(request, context_of(self._snapshot, self._guard, Root()))

        def answered(go: bool | None) -> None:
            self._dashboard.table.hold_order = False
            if go:
                self._perform(prepared)
            else:
                prepared.close()

        self.push_screen(PlanDialog(prepared.plan), answered)

    @work(thread=True, group="actions", exit_on_error=False)
    def _perform(self, prepared: Prepared) -> None:
        outcome = carry_out(prepared, self._audit, lambda text: None)
        self.post_message(ActionEnded(prepared.plan, outcome))

    @on(ActionEnded)
    def _on_action_ended(self, message: ActionEnded) -> None:
        outcome = message.outcome
        self.state.undo = self.state.undo.with_outcome(outcome)
        self.remark(f"{message.plan.title}: {outcome.status.value}: {outcome.summary}")
        for detail in outcome.details[:5]:
            self.remark(detail)


def _theme(name: str | None) -> tuple[str | None, ThemeFile]:
    """Return (problem, theme): a bad theme is said and the default takes its place."""
    try:
        return None, load_theme(name or DEFAULT)
    except OomtopError as error:
        return str(error), load_theme(DEFAULT)
