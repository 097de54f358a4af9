"""What keys and mouse do on every tab, except the actions on processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input

from oomtop.analysis.dangers.order import step
from oomtop.sources.live import LiveSource, Source
from oomtop.tui.base.options import beside_interval
from oomtop.tui.dashboard.screen import Dashboard
from oomtop.tui.replay.bindings import ANYWHERE
from oomtop.tui.shell.tab_factory import tab_beside
from oomtop.tui.widgets.panel import PanelClicked, PanelPointedAt
from oomtop.tui.widgets.shell import Shell
from oomtop.tui.widgets.tab_screen import TabScreen, open_once

if TYPE_CHECKING:
    from oomtop.tui.process.controller import Inspections
    from oomtop.tui.replay.controller import ReplayDesk


class KeyActions(Shell):
    """The keys of the app; `OomtopApp` has what they are for."""

    dashboard: Dashboard
    _source: Source

    @property
    def inspections(self) -> Inspections:
        """The keys that inspect one process."""
        raise NotImplementedError

    @property
    def replay(self) -> ReplayDesk:
        """What the keys of a replay do."""
        raise NotImplementedError

    def action_open(self, what: str, *arguments: str) -> None:
        """Open the help, the setup, the menu of copies; write the screen to a file."""
        raise NotImplementedError

    def show_replay(self) -> None:
        """Draw where a replay stands."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Actions are off in a recording and in read-only mode, and while a dialog is open; text is no key."""
        if action == "act":
            return not (self.options.read_only or self.state.replay) and isinstance(self.screen, TabScreen)
        if action == "ask":
            return isinstance(self.screen, TabScreen) and not isinstance(self.focused, Input)
        if action == "select_victim":
            return isinstance(self.screen, TabScreen)
        if action == "nearest_danger":
            return self.state.choice is not None and isinstance(self.screen, TabScreen)
        if action == "danger":
            # In a recording `n` goes to the next event.
            return isinstance(self.screen, TabScreen) and not (self.state.replay and parameters[0] == 1)
        if action == "replay":
            is_possible = self.state.replay or parameters[0] in ANYWHERE
            return is_possible and isinstance(self.screen, TabScreen)
        return True

    @on(PanelClicked)
    def _on_panel_clicked(self, message: PanelClicked) -> None:
        """Go to the tab, the victim or the post-mortem, or open the help at the figure, that was clicked."""
        from oomtop.tui.help.mouse import figure_under, tab_clicked

        tab, figure = tab_clicked(message), figure_under(message)
        if message.panel.id == "strip" and isinstance(self.screen, TabScreen):
            self.action_select_victim()
        elif message.panel.id == "events" and (event := self.dashboard.event_on(message.y)) is not None:
            from oomtop.tui.events.post_mortem import PostMortemScreen

            open_once(self, PostMortemScreen(self.state, self.look, event))
        elif tab is not None:
            self.go_to_tab(tab)
        elif figure is not None:
            self.action_open("help", figure.name)

    @on(PanelPointedAt)
    def _on_panel_pointed_at(self, message: PanelPointedAt) -> None:
        from oomtop.tui.help.mouse import explain_beside

        explain_beside(message)

    def action_beside(self, step: int) -> None:
        """Go to the tab beside this one."""
        self.go_to_tab(tab_beside(self.current_mode, step))

    def go_to_tab(self, name: str) -> None:
        """Show a tab, unless the app is about to end."""
        if not self.is_running:
            return
        self.switch_mode(name)
        if isinstance(self._source, LiveSource):
            self._source.with_slabs = self.current_mode == "kernel"
            self._source.refresh()
        self.feed()

    def action_danger(self, by: int) -> None:
        """Show the next danger (1) or the previous one (-1)."""
        if self.latest is not None:
            self.state.choice = step(self.latest.dangers, self.state.choice, by)
            self.dashboard.table.let_go()
            self._show_subject()

    def action_select_victim(self) -> None:
        """Go to the process table, from whatever is open over it, and select the victim of the danger on the strip."""
        self.go_to_tab("processes")
        while self.screen is not self.dashboard and isinstance(self.screen, TabScreen):
            self.pop_screen()
        self.feed()
        self.dashboard.table.select_victim()

    def action_nearest_danger(self) -> None:
        """Speak of the nearest danger again."""
        self.state.choice = None
        self.dashboard.table.let_go()
        self._show_subject()

    def _show_subject(self) -> None:
        for screen in self.screens_in_sight():
            screen.watch_assessment(screen.assessment)

    def action_pause(self) -> None:
        """Freeze the screen; sampling goes on."""
        self.state.paused = not self.state.paused
        if not self.state.paused:
            self.feed()
        self.show_state()

    def action_change_interval(self, step: int) -> None:
        """Refresh less often (1) or more often (-1)."""
        self.refresh_every(beside_interval(self.options.interval, step))

    def action_chart(self, further: bool = False) -> None:
        """Show or hide the chart, or have it go further back."""
        self.dashboard.chart_further() if further else self.dashboard.toggle_chart()

    def action_rescan(self) -> None:
        """Sample now and paint everything anew."""
        if isinstance(self._source, LiveSource):
            self._source.refresh()
        self.refresh(repaint=True, layout=True)

    def action_ask(self, what: str) -> None:
        """Have the tab in sight ask for a text to search, for a filter, or for a user."""
        tab = self.tab
        {"search": tab.search, "filter": tab.filter, "user": tab.choose_user}[what]()

    def action_look_into(self, what: str) -> None:
        """Show the environment, the open files or the whole command of the process, or follow its system calls."""
        self.inspections.do(what)

    def action_replay(self, what: str, number: int = 0) -> None:
        """Move on the time line of a recording, open one, leave it, compare two moments."""
        self.replay.do(what, number)
        self.show_replay()
