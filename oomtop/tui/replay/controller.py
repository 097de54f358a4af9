"""Handles the replay keys; the live source continues in the background."""

from __future__ import annotations

import os
from collections.abc import Callable

from oomtop.analysis.comparison import compare
from oomtop.analysis.model.assessment import Assessment
from oomtop.errors import OomtopError
from oomtop.host.process import ProcessId
from oomtop.recording.layout import default_path
from oomtop.recording.reader import Recording
from oomtop.sources.live import Source
from oomtop.sources.replay import ReplaySource
from oomtop.times import parse_time
from oomtop.tui.replay.bar import ReplayBar
from oomtop.tui.replay.compare_screen import CompareScreen
from oomtop.tui.replay.time_line import TimeLineState
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.shell import Shell
from oomtop.tui.widgets.tab_screen import TabScreen

_MINUTES_BEFORE = 120.0


class ReplayDesk:
    """The controls of the replay in sight, and the moment marked to compare with."""

    def __init__(self, app: Shell, look: Look) -> None:
        self._app = app
        self._look = look
        self._marked: Assessment | None = None
        self.source: ReplaySource | None = None
        """What is replayed now."""
        self.path = app.options.recording or default_path()
        """The recording with the minutes before an event."""

    def do(self, what: str, number: int) -> None:
        """Do what the key of this name does."""
        moves: dict[str, Callable[[], None]] = {
            "play": self.play,
            "step": lambda: self.step(number),
            "change_speed": lambda: self.change_speed(number),
            "beside": lambda: self.beside(number),
            "highest_pressure": self.highest_pressure,
            "ask_time": self.ask_time,
            "mark": self.mark,
            "compare": self.compare,
            "minutes_before": self.minutes_before,
            "leave": self.leave,
        }
        moves[what]()

    def open(self, source: Source) -> None:
        """Set the controls of a recording that is shown from the start."""
        if isinstance(source, ReplaySource):
            self.source = source

    def watch(self, selected: frozenset[ProcessId]) -> None:
        """Request the curve of the process under the cursor with every tick."""
        if self.source is not None:
            self.source.watched = selected

    def show(self, screen: TabScreen) -> None:
        """Add the time line to a screen, or remove it."""
        bars = screen.query(ReplayBar)
        if self.source is None:
            bars.remove()
        elif bars:
            bars.first().show(self._standing(self.source))
        else:
            bar = ReplayBar(self._look)
            screen.mount(bar)
            bar.show(self._standing(self.source))
        for keys in screen.query("#keys"):
            if keys.display == (self.source is not None):
                keys.display = self.source is None

    def _standing(self, source: ReplaySource) -> TimeLineState:
        position, moments = source.position, source.recording.moments
        return TimeLineState(
            now=position.time,
            first=moments[0].time,
            last=moments[-1].time,
            playing=position.playing,
            speed=position.speed,
            marks=tuple((when, is_event) for _, is_event, when in source.marks()),
            compared=None if self._marked is None else self._marked.time,
            can_leave=not self._app.options.replay,
        )

    # -- moving -------------------------------------------------------------------------------------

    def play(self) -> None:
        """Play or pause."""
        if self.source is not None:
            self.source.toggle()

    def step(self, count: int) -> None:
        """Go ticks on or back."""
        if self.source is not None:
            self.source.step(count)

    def change_speed(self, step: int) -> None:
        """Play faster or slower."""
        if self.source is not None:
            self.source.change_speed(step)

    def beside(self, direction: int) -> None:
        """Go to the next event or action, or the one before."""
        if self.source is not None and self.source.beside(direction) is None:
            self._app.remark(f"no event or action {'after' if direction > 0 else 'before'} this moment")

    def highest_pressure(self) -> None:
        """Go to the highest memory pressure."""
        if self.source is not None:
            self.source.highest_pressure()

    def ask_time(self) -> None:
        """Ask for a time and go there."""
        prompt = self._app.tab.prompt
        if prompt is not None:
            prompt.ask("time: 14:05, 2026-11-24 14:05:30, -10m before the end", self._asked)

    def _asked(self, text: str) -> None:
        if self.source is None or not text:
            return
        try:
            self.source.seek(parse_time(text, self.source.recording.moments[-1].time))
        except ValueError as error:
            self._app.remark(str(error))

    # -- comparing ----------------------------------------------------------------------------------

    def mark(self) -> None:
        """Remember this moment."""
        self._marked = self._app.latest
        self._app.remark("moment marked: go to another one and press = to compare")

    def compare(self) -> None:
        """Show what changed between the marked moment and this one."""
        latest = self._app.latest
        if self._marked is None or latest is None:
            self._app.remark("mark a moment with m first")
            return
        self._app.push_screen(CompareScreen(compare(self._marked, latest), self._look))

    # -- between live and recorded ------------------------------------------------------------------

    def minutes_before(self) -> None:
        """Open the recording two minutes before the newest OOM event in sight."""
        event = self._app.tab.event()
        if event is None or event.time is None:
            self._app.remark("no OOM event with a date here")
            return
        if self.source is not None:
            self.source.seek(event.time - _MINUTES_BEFORE)
            return
        try:
            if not os.path.exists(self.path):
                raise OomtopError(
                    f"nothing is recorded yet: `oomtop record` keeps the minutes before a kill in {self.path}"
                )
            recording = Recording(self.path)
            if not recording.covers(event.time):
                recording.close()
                raise OomtopError("no recording of the minutes before it; `oomtop record` keeps them")
            source = ReplaySource(recording, event.time - _MINUTES_BEFORE)
        except OomtopError as error:
            self._app.remark(str(error))
            return
        self.source = source
        self._app.turn_to(source)

    def leave(self) -> None:
        """Go back to the live machine."""
        if self.source is not None and not self._app.options.replay:
            self.source.close()
            self.source = self._marked = None
            self._app.turn_to(None)
