"""The state of the app besides the assessment: modes and remarks."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from oomtop.analysis.dangers.order import Choice, subject_of
from oomtop.analysis.load_policy import DUTIES, Level
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import Armed, Danger
from oomtop.frozen import field, frozen, slotted
from oomtop.host.privileges import describe_rights
from oomtop.sources.slow_reads import SlowFacts
from oomtop.tui.base.rights import Rights

if TYPE_CHECKING:
    from oomtop.tui.base.options import Options


Remark = tuple[float, str]
"""(Unix time, text) of a line in the event pane."""


@frozen
class OwnState:
    """The state of oomtop itself, for the header."""

    rights: str
    guard: str
    modes: tuple[str, ...] = ()
    interval: float = 2.0


@slotted
class State:
    """The state of one app; only the app changes it."""

    rights: str
    guard: str = ""
    interval: float = 2.0
    read_only: bool = False
    paused: bool = False
    replay: bool = False
    level: Level = Level.FULL
    """The load level while the machine stalls."""
    columns: tuple[str, ...] = ()
    sort: str | None = None
    """The column sorted by at start."""
    hidden: tuple[str, ...] = ()
    """Hidden sections."""
    chart_seconds: int = 0
    """Seconds shown by the chart; 0: all known, up to ten minutes."""
    more_chart: int = 0
    """Lines that the chart of the first tab has besides its own, as few processes need them."""
    spare_chart: bool = False
    """Whether there is a chart only because few processes leave room for it."""
    choice: Choice | None = None
    """The danger chosen with `n`, None for the nearest."""
    armed: Armed | None = None
    """The action that is carried out just before a limit is full."""
    remarks: deque[Remark] = field(default_factory=lambda: deque(maxlen=100))
    _progress: Remark | None = None
    may: Rights = field(default_factory=Rights)
    """Which actions are permitted."""
    slow: SlowFacts = field(default_factory=SlowFacts)
    """Slow reads, shared by all screens."""

    def subject(self, assessment: Assessment) -> Danger | None:
        """Return the danger that strip, forecast, mark and `J` refer to."""
        return subject_of(assessment.dangers, self.choice)

    def add_remark(self, text: str) -> None:
        """Keep a line for the event pane."""
        self.remarks.appendleft((time.time(), text))

    def show_progress(self, text: str) -> None:
        """Replace the progress line on top of the event pane."""
        if self.remarks and self.remarks[0] == self._progress:
            self.remarks.popleft()
        self.add_remark(text)
        self._progress = self.remarks[0]

    @property
    def standing(self) -> OwnState:
        """The state of oomtop itself, for the header."""
        modes = (
            (DUTIES[self.level].word, self.level > Level.FULL),
            ("paused", self.paused),
            ("read-only", self.read_only),
            ("replay", self.replay),
            ("armed", self.armed is not None),
        )
        return OwnState(self.rights, self.guard, tuple(name for name, on in modes if on), self.interval)


def state_of(options: Options) -> State:
    """Return the initial state for these options."""
    return State(
        rights=describe_rights(),
        interval=options.interval,
        read_only=options.read_only,
        replay=options.replay,
        columns=options.columns,
        sort=options.sort,
        hidden=options.hidden,
        may=Rights(options.protected),
    )
