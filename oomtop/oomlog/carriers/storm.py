"""Storms of kills: the same line of rsyslog or dmesg over and over, which one expression reads whole.

A cgroup whose limit is hit every second writes 150,000 of them in a day.  A line that follows one of them opens an
event of its own, so that nothing but the line itself has to be looked at: half of the time of reading it as any other.
Sample line: `Nov 24 08:00:00 h kernel: [ 1000.5] Memory cgroup out of memory: Killed process 42 (db) total-vm:9kB, ...`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from sys import intern

from oomtop.oomlog.carriers.prefixes import FAST, when_of
from oomtop.oomlog.event import OomEvent, Victim

_SIZE = r"(\d{1,15})kB"
_KILL = re.compile(
    rf"{FAST}(?P<message>(?P<scope>Memory cgroup out|Out) of memory: Killed process (?P<pid>\d{{1,10}}) "
    rf"\((?P<name>[\w./:@+-]{{1,16}})\) total-vm:{_SIZE}, anon-rss:{_SIZE}, file-rss:{_SIZE}(?:, shmem-rss:{_SIZE})?"
    rf"(?:, UID:(\d{{1,10}}))?(?: pgtables:{_SIZE})?(?: oom_score_adj:(-?\d{{1,5}}))?)\n",
    re.A,
)
_CHUNK = 1 << 16
_FEWEST = 4
"""Lines below which reading them one by one costs no more."""


class Storm:
    """The stretches of kill lines in one block."""

    def __init__(self, block: bytes, source: str, reference: float | None) -> None:
        """`reference` is the Unix time before which dates without a year lie."""
        self._block = block
        self._source = source
        self._reference = reference
        self._tried = 0

    def begins(self, at: int) -> bool:
        """Whether a line is a kill that a stretch may begin with."""
        end = self._block.find(b"\n", at) + 1
        if at < self._tried or self._block.find(b": Killed process ", at, end) < 0:
            return False
        return _KILL.match(self._block[at:end].decode("latin-1")) is not None

    def stretch(self, at: int, last: int) -> tuple[int, list[OomEvent]]:
        """Return where a stretch that begins with a line ends, and its kills, each of another process than the last.

        `last` is the pid of the kill before.

        No kills where there are few of them: each is then read by itself.
        """
        # Only ASCII fits, so that places in the text are places in the block.
        text = self._block[at : at + _CHUNK].decode("latin-1")
        place, found = 0, list[OomEvent]()
        for end, victim, event in _kills(text, self._source, self._reference):
            if victim.pid == last:
                break
            last, place = victim.pid, end
            found.append(event)
        self._tried = at + place
        return (at + place, found) if len(found) >= _FEWEST else (at, [])


def _kills(text: str, source: str, reference: float | None) -> Iterator[tuple[int, Victim, OomEvent]]:
    """Yield the kills of the lines that a text begins with, each with its line's end and its victim."""
    sizes: dict[str | None, int | None] = {None: None}

    def size(digits: str | None) -> int | None:
        # One object for a number that many lines share.
        if digits not in sizes:
            sizes[digits] = int(digits or 0) * 1024
        return sizes[digits]

    place = 0
    while (match := _KILL.match(text, place)) is not None:
        date, host, stamp, message, scope, pid, name, total_vm, anon, file, shmem, uid, pgtables, adj = match.groups()
        victim = Victim(
            int(pid), intern(name), None if uid is None else int(uid), size(total_vm), size(anon), size(file),
            size(shmem), size(pgtables), None if adj is None else int(adj),
        )  # fmt: skip
        place, date = match.end(), date and intern(date)
        yield place, victim, OomEvent(
            "kernel", "global" if scope == "Out" else "memcg", when_of(date, reference) if date else None, float(stamp),
            host and intern(host), source, date, victim=victim, outcome="killed", raw=(message,),
        )  # fmt: skip
