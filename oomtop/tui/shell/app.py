"""The app: a thread samples and assesses, a message brings each assessment here, one reactive shows it."""

from __future__ import annotations

import os
import signal
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.worker import Worker, WorkerState, get_current_worker

from oomtop.analysis.model.assessment import Assessment
from oomtop.host.process import ProcessId
from oomtop.snapshot import Snapshot
from oomtop.sources.live import LiveSource, Source
from oomtop.tui.base.feed import Feed, hand_on
from oomtop.tui.base.messages import (
    ActionEnded,
    ActionProgress,
    NewAssessment,
    RowActivated,
    RowSelected,
    SourceEnded,
    Told,
    ToolChosen,
    TotalsShown,
)
from oomtop.tui.base.options import Options as Options
from oomtop.tui.base.sampling import Sample, samples
from oomtop.tui.base.session import State, state_of
from oomtop.tui.dashboard.screen import Dashboard
from oomtop.tui.shell.bindings import APP_BINDINGS
from oomtop.tui.shell.key_actions import KeyActions
from oomtop.tui.shell.lifecycle import settle, watch_terminal
from oomtop.tui.shell.load_shedding import refresh_every, shed_work, watch_selected
from oomtop.tui.shell.tab_factory import MAKERS, Maker
from oomtop.tui.style.palette import make_look
from oomtop.tui.style.theme import theme_or_default
from oomtop.tui.terminal.textual_private import count_as_styled
from oomtop.tui.widgets.tab_screen import TabScreen

if TYPE_CHECKING:
    from oomtop.actions.base.guard import Guard
    from oomtop.selfguard import SelfGuard
    from oomtop.tui.actions.controller import ActionDesk
    from oomtop.tui.plain.screen import PlainScreen
    from oomtop.tui.process.controller import Inspections
    from oomtop.tui.replay.controller import ReplayDesk

_HAPPENED = ("done", "partly")
"""How an action ended that the chart marks."""


class OomtopApp(KeyActions):
    """The full-screen monitor."""

    TITLE = "oomtop"
    ENABLE_COMMAND_PALETTE = True
    DEFAULT_MODE = "processes"
    BINDINGS: ClassVar[list[BindingType]] = APP_BINDINGS

    def __init__(self, source: Source, options: Options | None = None, state: State | None = None) -> None:
        self.options = options or Options()
        problem, theme = theme_or_default(self.options.theme)
        super().__init__(ansi_color=theme.ansi)
        self._source = source
        self._shown = source
        """The shown source: the program's own, or a recording opened over it."""
        self._behind: NewAssessment | None = None
        """The newest tick of the source while a recording is shown."""
        self.register_theme(theme.theme)
        # Without the watcher, which would parse and apply all styles again (30 ms).
        self.set_reactive(OomtopApp.theme, theme.theme.name)
        self.stylesheet.set_variables(self.get_css_variables())
        self.animation_level = "none"
        self.look = make_look(self.options.ascii, theme.palette)
        self.latest: Assessment | None = None
        self.facts: Snapshot | None = None
        """The facts that plans are made from: those of the last tick."""
        self.self_guard: SelfGuard | None = None
        self.selected: frozenset[ProcessId] = frozenset()
        self.shows_totals = False
        """The process under the cursor."""
        self._settled = False
        self._waiting: NewAssessment | None = None
        """The newest tick that the screen has not taken yet."""
        self.state = state or state_of(self.options)
        self.dashboard = Dashboard(self.state, self.look, lambda: self.latest)
        self.dashboard.set_class(not self.options.chart, "-no-chart")
        self.add_mode("processes", partial(self._make_tab, lambda *_: self.dashboard))
        for name, make in MAKERS.items():
            self.add_mode(name, partial(self._make_tab, make))
        self._begun: Feed | None = None
        """Who samples the source already."""
        if problem:
            self.remark(problem)

    def take_over(self, screen: PlainScreen) -> None:
        """Continue the plain screen: its tick, its cursor, its samples, its terminal.

        Without a tick the screen would be drawn three times before one came (a tenth of the start).
        """
        self.held = screen.terminal if screen.is_open else None
        if screen.shown is not None:
            self.facts, self.latest = screen.shown.snapshot, screen.shown.assessment
        self.dashboard.place = screen.picture.table.place
        self.self_guard = screen.guard
        self._begun = screen.feed
        screen.listener = self.tell

    # -- life ---------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Start sampling; end with the terminal."""
        if self.options.replay:
            self.replay.open(self._source)
        if self._begun is None:
            self._sample(self._source)
        else:
            own = partial(self._take, self._source)
            self._begun.hand_to(own, lambda problem: self.post_message(SourceEnded(problem, True)))
        # A shell wrote over the screen while this was suspended; Textual sends only what differs.
        self.app_resume_signal.subscribe(self, lambda _: self.action_rescan())
        if not self.is_headless:
            watch_terminal(self.leave)

    def _make_tab(self, make: Maker) -> TabScreen:
        """Make a tab, whose widgets are styled as they are mounted, and nothing else once more."""
        screen = make(self.state, self.look)
        screen.fit_terminal()
        count_as_styled(self, screen)
        return screen

    def refresh_css(self, animate: bool = True) -> None:
        """Style all widgets anew; not for the first screen, whose widgets are styled as they are mounted (7 ms)."""
        if self.screen.is_mounted:
            super().refresh_css(animate)

    @cached_property
    def guard(self) -> Guard:
        """What no action touches."""
        from oomtop.actions.base.guard import Guard

        return Guard(self.options.protected, self.options.read_only, self.options.replay)

    @cached_property
    def actions(self) -> ActionDesk:
        """What the keys of the actions do; loaded once the first picture stands."""
        from oomtop.actions.journal.audit_log import Audit
        from oomtop.tui.actions.controller import ActionDesk

        return ActionDesk(self, self.guard, Audit(), self.options.adjust)

    @cached_property
    def inspections(self) -> Inspections:
        """What the keys do that look into one process; loaded with the first of them."""
        from oomtop.tui.process.controller import Inspections

        return Inspections(self, self.guard, self.look)

    @cached_property
    def replay(self) -> ReplayDesk:
        """What the keys of a replay do; loaded with the first of them."""
        from oomtop.tui.replay.controller import ReplayDesk

        return ReplayDesk(self, self.look)

    def turn_to(self, source: Source | None) -> None:
        """Show a recording instead of the live machine, which is still watched; None goes back to the machine."""
        self._shown = source or self._source
        self.state.replay, self.state.paused = source is not None, False
        self._waiting = None
        if source is not None:
            self._sample(source)
        elif self._behind is not None:
            self._offer(self._behind)
        self.show_state()

    def clear_selection(self) -> None:
        """Clear selected text; on Python 3.12, whose tasks are eager, an input line asks before there is a screen."""
        if self.screen_stack:
            super().clear_selection()

    def _handle_exception(self, error: Exception) -> None:
        """Leave a report of an error of oomtop's own; the screen would print the values of all variables."""
        from oomtop.tui.shell.user_files import crash_of

        if not self.is_moot(error):
            super()._handle_exception(error if self.is_headless else crash_of(error))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A failed thread ends nothing; it is reported."""
        from oomtop.tui.shell.user_files import crash_of

        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.remark(str(crash_of(event.worker.error)))

    def leave(self) -> None:
        """End after a signal, at once if the terminal is gone."""
        self._source.close()
        os._exit(128 + signal.SIGHUP) if not os.isatty(0) else self.exit(return_code=0)

    def on_unmount(self) -> None:
        """Stop sampling."""
        self._source.close()
        self._shown.close()
        if self._begun is not None:
            self._begun.close()
        if "actions" in self.__dict__:
            self.actions.disarm()

    @work(thread=True, group="sampling", exit_on_error=False)
    def _sample(self, source: Source) -> None:
        """The sampling thread: it hands out frozen values only."""
        worker = get_current_worker()
        alerts = self.options.alerts if source is self._source else None

        problem = hand_on(
            lambda: samples(source, alerts, self.tell),
            partial(self._take, source),
            lambda: worker.is_cancelled,
            self.tell,
            may_begin_again=isinstance(source, LiveSource),
        )
        self.post_message(SourceEnded(problem, source is self._source))

    def tell(self, text: str, bell: bool = False) -> None:
        """Put a line into the event pane, from any thread; optionally with the terminal bell."""
        if self.is_running:
            self.post_message(Told(text, bell))
        else:
            self.remark(text)

    def _take(self, source: Source, sample: Sample) -> None:
        """Keep a tick of the source that a recording is shown over; offer any other."""
        message = NewAssessment(sample.assessment, sample.snapshot)
        if source is self._source:
            self._behind = message
        if source is self._shown:
            self._offer(message)

    def _offer(self, message: NewAssessment) -> None:
        """Post a tick, or put it in the place of one not yet taken: a tool may own the terminal for hours."""
        is_first, self._waiting = self._waiting is None, message
        if is_first:
            self.post_message(message)

    @on(NewAssessment)
    def _on_new_assessment(self, message: NewAssessment) -> None:
        message, self._waiting = self._waiting or message, None
        self.facts, self.latest = message.snapshot, message.assessment
        shed_work(self, self._source, message.assessment)
        if self.options.alerts is not None and self._shown is self._source:
            self.show_title(self.options.alerts.title(message.assessment.alerts))
        if not self.state.paused and not getattr(self.screen, "covers_all", False):
            self.feed()
        if "actions" in self.__dict__ and not self.state.replay:
            self.actions.follow(message.snapshot)
        if not self._settled and not self.is_headless:
            self._settled = True
            load = lambda: (self.actions, self.inspections)  # noqa: E731
            work = partial(settle, self, load, lambda: self.actions.look_back())
            self.call_after_refresh(partial(self.run_worker, work, thread=True, group="settling", exit_on_error=False))

    def feed(self) -> None:
        """Show the last assessment on the visible screens."""
        for screen in self.screens_in_sight():
            screen.assessment = self.latest
        self.show_replay()

    def show_replay(self) -> None:
        """Draw where a replay stands."""
        if "replay" in self.__dict__:
            for screen in self.screens_in_sight():
                self.replay.show(screen)

    def draw_again(self) -> None:
        """Redraw the visible screens with other colours or columns."""
        for screen in self.screens_in_sight():
            screen.watch_assessment(screen.assessment)
            screen.refresh(layout=True)
        self.show_state()

    def show_state(self) -> None:
        """Redraw what the visible screens show about oomtop itself."""
        for screen in self.screens_in_sight():
            screen.show_remarks()
        self.show_replay()

    @on(RowSelected)
    def _on_selected(self, message: RowSelected) -> None:
        """Request the slow facts of the process under the cursor with every tick."""
        self.selected = frozenset([message.row.process.id] if message.row is not None else [])
        watch_selected(self, self._source)
        if "replay" in self.__dict__:
            self.replay.watch(self.selected)

    @on(TotalsShown)
    def _on_totals_shown(self, message: TotalsShown) -> None:
        """Request PSS, so that shared memory is counted once; it takes a read of its own."""
        self.shows_totals = message.shown
        watch_selected(self, self._source)

    @on(RowActivated)
    def _on_activated(self, message: RowActivated) -> None:
        """Open the screen of the process."""
        self.inspections.open_process(message.row.process.id)

    @on(ToolChosen)
    def _on_tool_chosen(self, message: ToolChosen) -> None:
        """Show what the tool does to the process, and open it when told to."""
        from oomtop.tui.actions.dialogs import PlanDialog

        plan = self.inspections.tool_plan(message.tool, message.identity)
        if plan is None or not isinstance(self.screen, TabScreen):
            return

        def answered(done: bool | None) -> None:
            if done:
                # Once the dialog is gone: the tool gets the terminal.
                self.call_after_refresh(self.inspections.run_tool, message.tool, message.identity)

        self.push_screen(PlanDialog(plan, lambda: None), answered)

    @on(SourceEnded)
    def _on_source_ended(self, message: SourceEnded) -> None:
        """A screen without samples would act on old facts: it ends, or goes back to the live machine."""
        if message.problem is None:
            return
        if message.is_own:
            self.exit(return_code=1, message=f"oomtop: {message.problem}")
        else:
            self.remark(f"the recording ended: {message.problem}")
            self.turn_to(None)

    @on(Told)
    def _on_told(self, message: Told) -> None:
        if message.bell:
            self.bell()
        self.remark(message.text)

    def remark(self, text: str) -> None:
        """Put a line into the event pane."""
        self.state.add_remark(text)
        if self.is_running:
            self.show_state()

    # -- keys ---------------------------------------------------------------------------------------

    def action_command_palette(self) -> None:
        """Open the command palette over the visible tab."""
        from oomtop.tui.setup.apply import setup_commands
        from oomtop.tui.shell.command_palette import Palette, entries_of

        if isinstance(self.screen, TabScreen):
            more = setup_commands(self, self.dashboard)
            change_setting = lambda name: self.actions.change_setting(name)  # noqa: E731
            self.push_screen(Palette(list(entries_of(self, self.go_to_tab, change_setting, more))))

    def action_open(self, what: str, *arguments: str) -> None:
        """Open the help, the setup, the menu of copies; write the screen to a file."""
        from oomtop.tui.setup.apply import open_setup
        from oomtop.tui.shell.overlays import OPENINGS

        if what == "setup":
            open_setup(self, self.dashboard)
        else:
            OPENINGS[what](self, *arguments)

    def refresh_every(self, seconds: float) -> None:
        """Change the refresh interval, in seconds."""
        refresh_every(self, self._source, seconds)

    # -- actions ------------------------------------------------------------------------------------

    def action_act(self, what: str) -> None:
        """Begin the action with this name on the tab in sight."""
        self.actions.do(what)

    @on(ActionProgress)
    def _on_action_progress(self, message: ActionProgress) -> None:
        self.state.show_progress(message.text)
        self.show_state()

    @on(ActionEnded)
    def _on_action_ended(self, message: ActionEnded) -> None:
        if message.outcome.status.value in _HAPPENED and isinstance(self._source, LiveSource):
            self._source.note_deed(message.plan.title)
        for line in self.actions.remember(message):
            self.remark(line)
