"""What the screen remembers beside the assessment: modes and remarks."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oomtop.analysis.dangers.order import Choice, subject_of
from oomtop.analysis.load_policy import DUTIES, Level
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import Armed, Danger
from oomtop.frozen import frozen
from oomtop.host.privileges import describe_rights
from oomtop.sources.slow_reads import SlowFacts

if TYPE_CHECKING:
    from oomtop.tui.base.options import Options


Remark = tuple[float, str]
"""(Unix time, text) of a line in the event pane."""


@frozen
class OwnState:
    """What the header tells about oomtop itself."""

    rights: str
    guard: str
    modes: tuple[str, ...] = ()
    interval: float = 2.0


@dataclass(slots=True)
class State:
    """One per app, changed only by the app."""

    rights: str
    guard: str = ""
    interval: float = 2.0
    read_only: bool = False
    paused: bool = False
    replay: bool = False
    level: Level = Level.FULL
    """How much is done while the machine stalls."""
    columns: tuple[str, ...] = ()
    sort: str | None = None
    """The column sorted by at start."""
    hidden: tuple[str, ...] = ()
    """The sections that are left out."""
    chart_seconds: int = 0
    """How far back the chart goes; 0: as far as is known, up to ten minutes."""
    choice: Choice | None = None
    """The danger that was chosen with `n`, None for the nearest."""
    armed: Armed | None = None
    """The action that is carried out just before a limit is full."""
    remarks: deque[Remark] = field(default_factory=lambda: deque(maxlen=100))
    _progress: Remark | None = None
    slow: SlowFacts = field(default_factory=SlowFacts)
    """Reads that may hang, for all screens together."""

    def subject(self, assessment: Assessment) -> Danger | None:
        """Return the danger that strip, forecast, mark and `J` speak of."""
        return subject_of(assessment.dangers, self.choice)

    def add_remark(self, text: str) -> None:
        """Keep a line for the event pane."""
        self.remarks.appendleft((time.time(), text))

    def show_progress(self, text: str) -> None:
        """Put a line on top of the event pane in place of the one that the call before put there."""
        if self.remarks and self.remarks[0] == self._progress:
            self.remarks.popleft()
        self.add_remark(text)
        self._progress = self.remarks[0]

    @property
    def standing(self) -> OwnState:
        """What the header tells about oomtop itself."""
        modes = (
            (DUTIES[self.level].word, self.level > Level.FULL),
            ("paused", self.paused),
            ("read-only", self.read_only),
            ("replay", self.replay),
            ("armed", self.armed is not None),
        )
        return OwnState(self.rights, self.guard, tuple(name for name, on in modes if on), self.interval)


def state_of(options: Options) -> State:
    """Return the state that a monitor with these options begins with."""
    return State(
        rights=describe_rights(),
        interval=options.interval,
        read_only=options.read_only,
        replay=options.replay,
        columns=options.columns,
        sort=options.sort,
        hidden=options.hidden,
    )
