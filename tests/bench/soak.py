"""A day at speed: the monitor on a terminal, ticks 0.864 s apart by their own clock, as fast as it paints them.

`soak.py TICKS FILE`: the resident size in bytes goes to FILE at each of ten marks, one per line; then it ends.
A process is born every tick and ends ten ticks later, and a kill is told every thousand ticks, because what stands
still cannot grow.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from oomtop.host.root import Root
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.log_files import read_file
from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler
from oomtop.tui.shell.app import OomtopApp, Options

DAY = 86400.0
REPORT = Path(__file__).parents[1] / "fixtures" / "events" / "global.log"


class Hurry:
    """A source whose next tick comes when the screen has taken the last."""

    app: OomtopApp

    def __init__(self, count: int, out: str) -> None:
        self._count, self._out, self._closed = count, out, False
        self._sampler = Sampler(Root())
        self._children: deque[int] = deque()

    def ticks(self) -> Iterator[Tick]:
        """Yield the ticks of a day and end the program."""
        events = read_file(str(REPORT))
        with open(self._out, "w", buffering=1) as file:
            for number in range(self._count):
                self._be_born()
                snapshot = self._sampler.sample()
                shift = number * DAY / self._count
                snapshot = replace(snapshot, time=snapshot.time + shift, monotonic=snapshot.monotonic + shift)
                yield Tick(snapshot, dated(events, snapshot.time) if number % 1000 == 999 else ())
                while not self._closed and getattr(self.app.facts, "monotonic", 0.0) < snapshot.monotonic:
                    time.sleep(0.0005)
                if self._closed:
                    return
                if number * 10 % self._count == 0 or number == self._count - 1:
                    file.write(f"{number} {resident()}\n")
        self.app.call_from_thread(self.app.exit)

    def _be_born(self) -> None:
        pid = os.posix_spawn("/bin/sleep", ["sleep", "60"], {})
        self._children.append(pid)
        if len(self._children) > 10:
            old = self._children.popleft()
            os.kill(old, 9)
            os.waitpid(old, 0)

    def close(self) -> None:
        """End the row of ticks."""
        self._closed = True
        while self._children:
            os.kill(self._children.popleft(), 9)


def dated(events: tuple[OomEvent, ...], when: float) -> tuple[OomEvent, ...]:
    """Return the events as if they were of this moment."""
    return tuple(replace(event, time=when) for event in events)


def resident() -> int:
    """Return VmRSS in bytes."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))


def main() -> None:
    """Run."""
    source = Hurry(int(sys.argv[1]), sys.argv[2])
    source.app = OomtopApp(source, Options())
    source.app.run()


if __name__ == "__main__":
    main()
