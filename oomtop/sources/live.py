"""Sources of ticks: the live machine or a recording.  Front ends see only this protocol."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from oomtop.analysis.model.assessment import Assessment
from oomtop.errors import ParseError
from oomtop.frozen import frozen, replace
from oomtop.history import History
from oomtop.host.own_priority import started_with
from oomtop.host.process import ProcessId
from oomtop.host.root import Root
from oomtop.oomlog.event import OomEvent
from oomtop.snapshot import Problem, Snapshot, Tick
from oomtop.sources.limit_watch import LimitWatch
from oomtop.sources.sampler import Sampler

if TYPE_CHECKING:
    from oomtop.oomlog.live import LiveLog

_LOG_SECONDS = 0.5
# From tick to tick while a limit is nearly reached: three soon, for a forecast, then as often as one can read.
_PRESSED_SECONDS = (0.4, 0.9, 0.9, 2.0)
_DAEMON_SECONDS = 10.0
_BLIND_SECONDS = 60.0


@frozen
class Past:
    """What came before a tick that was jumped to, as if all of it had been watched."""

    history: History
    assessment: Assessment | None
    """That of the tick before."""


@frozen
class ReplayTick(Tick):
    """A tick of a recording; one that was jumped to brings its own past."""

    past: Past | None = None


class Source(Protocol):
    """An endless or finite row of ticks."""

    def ticks(self) -> Iterator[Tick]:
        """Yield one tick after the other, waiting for the next where the source is live."""
        ...

    def close(self) -> None:
        """End the row of ticks and give everything back; may be called from another thread."""
        ...


def _programs(snapshot: Snapshot) -> Iterator[str]:
    """Yield the names of all programs; of scripts in Python, that of their unit."""
    for process in snapshot.processes:
        yield process.comm
        if process.comm.startswith("python") and process.cgroup:
            yield process.cgroup.rpartition("/")[2].removesuffix(".service")


class LiveSource:
    """The machine it runs on: samples every `interval` seconds, and at once when an OOM event is logged."""

    def __init__(self, interval: float = 2.0, root: Root | None = None, *, follows_daemons: bool = False) -> None:
        """`follows_daemons`: what runs on has the kills that daemons tell in the journal too."""
        self.interval = interval
        self.watched: frozenset[ProcessId] = frozenset()
        """Processes whose slow facts are read every time: the selected one."""
        self.with_slabs = False
        """Whether the kernel's slab caches are read: while the Kernel tab is in sight."""
        self.pss_patience: float | None = None
        """Seconds to wait for the first PSS of processes; None while nobody looks at totals of several."""
        self._root = root or Root()
        self._sampler = Sampler(self._root)
        self._limits = LimitWatch(self._root)
        self._log: LiveLog | None = None
        self._follows_daemons = follows_daemons
        self._daemons_at = float("-inf")
        self._deeds: deque[tuple[float, str]] = deque()
        """(Unix time, title) of the actions since the last tick."""
        self._pressed = 0
        """Ticks in a row at which a limit was nearly reached."""
        # As whoever makes a source protects itself.
        self._standing = started_with()
        self._wake = threading.Event()
        self._closed = False
        self._blind_since: float | None = None
        """Monotonic time of the first sample that failed; None after one that did not."""

    def ticks(self) -> Iterator[Tick]:
        """Yield ticks until `close`: the first at once, the second with the backlog of the kernel log."""
        try:
            yield Tick(self._sample(), log_read=False)
            if self._closed:
                return
            log = self._open_log()
            events = log.poll()
            while not self._closed:
                snapshot = self._next_sample()
                if snapshot is not None:
                    deeds = tuple(self._deeds.popleft() for _ in range(len(self._deeds)))
                    yield Tick(snapshot, events, watched=self.watched, deeds=deeds)
                    events = ()
                events += self._wait(log)
        finally:
            if self._log is not None:
                self._log.close()
                self._log = None
            self._limits.close()
            self._sampler.close()

    def _open_log(self) -> LiveLog:
        # The readers of all kernels' reports take 20 ms to load, which the first picture does not wait for.
        from oomtop.oomlog.live import LiveLog

        self._log = LiveLog(self._root, self._standing)
        return self._log

    def note_deed(self, title: str) -> None:
        """Have the next tick tell of an action that ended now."""
        self._deeds.append((time.time(), title))

    def refresh(self) -> None:
        """Sample now instead of at the end of the interval."""
        self._wake.set()

    def close(self) -> None:
        """End the row of ticks."""
        self._closed = True
        self._wake.set()

    def _next_sample(self) -> Snapshot | None:
        """Return a sample, None where the kernel gives none at this moment: it has no memory or no descriptor left.

        Raises:
            ParseError: it has not given any for a minute.
        """
        now = time.monotonic()
        try:
            snapshot = self._sample()
        except ParseError:
            self._blind_since = now if self._blind_since is None else self._blind_since
            if now - self._blind_since > _BLIND_SECONDS:
                raise
            return None
        if self._blind_since is not None:
            why = f"could not be read for {now - self._blind_since:.0f} s: no sample was taken"
            snapshot = snapshot.with_problem(Problem("/proc/meminfo", why))
            self._blind_since = None
        return snapshot

    def _sample(self) -> Snapshot:
        facts = self._sampler.sample(self.watched, self.with_slabs, self.pss_patience)
        snapshot = replace(facts, uses=self._limits.take())
        self._limits.follow(snapshot)
        if self._log is not None:
            if self._follows_daemons and snapshot.monotonic >= self._daemons_at:
                # Of 5,000 names: not on every tick, for what is started once a boot.
                self._daemons_at = snapshot.monotonic + _DAEMON_SECONDS
                self._log.follow_daemons(_programs(snapshot))
            for log, why in self._log.problems:
                snapshot = snapshot.with_problem(Problem(log, why))
        return snapshot

    def _wait(self, log: LiveLog) -> tuple[OomEvent, ...]:
        """Wait for the next tick, looking into the logs and at the limits twice a second.

        A limit that is nearly reached does not wait for the end of a long interval.
        """
        begun = time.monotonic()
        while not self._closed:
            left = begun + self.interval - time.monotonic()
            woken = self._wake.wait(min(_LOG_SECONDS, max(0.0, left)))
            self._wake.clear()
            events = log.poll()
            self._limits.read()
            soonest = _PRESSED_SECONDS[min(self._pressed, len(_PRESSED_SECONDS) - 1)]
            is_pressed = self._limits.is_pressing and time.monotonic() - begun >= soonest
            if events or woken or is_pressed or left <= _LOG_SECONDS:
                self._pressed = self._pressed + 1 if self._limits.is_pressing else 0
                return events
        return ()
