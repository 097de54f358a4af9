"""`RecordedSource`: the live machine with a recorder that takes some of the ticks."""

from __future__ import annotations

from collections.abc import Iterator

from oomtop.recording.density import Density
from oomtop.recording.recorder import Recorder
from oomtop.snapshot import Tick
from oomtop.sources.live import LiveSource

_EARLY = 0.1
"""Share of an interval by which a tick may come early and still be taken."""


class RecordedSource(LiveSource):
    """Records as densely as the recorder alone would, as far as the screen's interval goes."""

    def __init__(self, interval: float, recorder: Recorder) -> None:
        super().__init__(interval, follows_daemons=True)
        self._recorder = recorder

    def ticks(self) -> Iterator[Tick]:
        """Yield the ticks of the machine; putting one into the recording never waits."""
        pace, due = Density(), 0.0
        try:
            for tick in super().ticks():
                seconds = pace.after(tick)
                if tick.log_read and (tick.events or tick.snapshot.monotonic >= due):
                    self._recorder.put(tick)
                    due = tick.snapshot.monotonic + seconds * (1 - _EARLY)
                due = min(due, tick.snapshot.monotonic + seconds)
                yield tick
        finally:
            # Sampling that failed begins again, with the same recorder.
            if self._closed:
                self._recorder.close()
