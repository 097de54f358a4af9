"""Kills by Android's lmkd and by the kernel driver lowmemorykiller before it.

system/memory/lmkd/lmkd.cpp; drivers/staging/android/lowmemorykiller.c until 4.11, with what vendors made of it.
Sample lines: `Kill 'com.app' (1234), uid 10123, oom_score_adj 905 to free 45678kB rss, 12kB swap; reason: ...`,
`lowmemorykiller: Killing 'd.process.media' (2846) (tgid 2846), adj 999,` and `   to free 81288kB on behalf of ...`
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent, Trigger, Victim
from oomtop.oomlog.killers.story import Killer, Phrase, dated, register
from oomtop.oomlog.lines import number
from oomtop.oomlog.records import Record

_PROGRAMS = ("lowmemorykiller", "lmkd")
_KILL = Phrase(
    r"\bKill(?:ing)? '(?P<name>[^']{0,255})' \((?:pid=)?(?P<pid>\d{1,10})(?:\)(?: \(tgid \d{1,10}\))?)?,"
    r"(?: uid[ =](?P<uid>\d{1,10}),)?(?: (?:oom_)?(?:score_)?adj[ =](?P<adj>-?\d{1,5})\)?)?"
    r"(?:, score_adj (?P<score_adj>-?\d{1,5}))?",
    "Kill",
)
_SIGKILL = Phrase(
    r"\bsend sigkill to (?P<pid>\d{1,10}) \((?P<name>[^)]{0,255})\), adj (?P<adj>-?\d{1,5})\b", "send sigkill to "
)
_FREES = Phrase(r"(?:\b|\\x0a)to free (?P<kib>\d{1,12})kB(?: rss)?", "to free ")
_BEHALF = Phrase(r"\bon behalf of '(?P<name>[^']{0,255})' \((?P<pid>\d{1,10})\)", "on behalf of ")
_WHY = Phrase(
    r"\breason: (?P<why>.{1,300})|(?:\b|\\x0a)(?P<cache>cache -?\d{1,12}kB is below .{1,120}?)(?:\\x0a|\n|$)",
    "reason: ",
    "is below ",
)
_IS_OF_MEMORY = re.compile(r"lowmemorykiller|\blmkd\b|\bto free \d{1,12}kB|, uid \d{1,10}, (?:oom_)?(?:score_)?adj ")
_DETAILS = 14
"""Lines that may follow a kill and belong to it."""


@register
class Android(Killer):
    """Reads the kills of both; the lines after a kill say how much it frees, and for whom."""

    needle = rb"lowmemorykiller|lmkd|oom_(?:score_)?adj"
    phrases_only = True

    def __init__(self) -> None:
        super().__init__()
        self._open: OomEvent | None = None
        self._left = 0

    def feed(self, record: Record, text: str) -> Iterator[OomEvent]:
        """Take one record in; yield the event that it ends."""
        kill = _KILL.search(text) or _SIGKILL.search(text)
        if kill is not None and self._is_meant(record, text, kill):
            yield from self.finish()
            self._open, self._left = dated(_event(record, text, kill), record), _DETAILS
            self._learn(text)
        elif self._open is not None:
            self._left -= 1
            if _FREES.search(text) or _WHY.search(text):
                self._open = replace(self._open, raw=(*self._open.raw, record.text))
                self._learn(text)
            elif self._left <= 0:
                yield from self.finish()

    @property
    def counts_lines(self) -> bool:
        """Whether the details of a kill may still follow, within a number of lines."""
        return self._open is not None

    def _is_meant(self, record: Record, text: str, kill: re.Match[str]) -> bool:
        is_quoted = any(mark in text[: kill.start()] for mark in "\"'`#")
        return not is_quoted and (record.program in _PROGRAMS or _IS_OF_MEMORY.search(text) is not None)

    def _learn(self, text: str) -> None:
        event = self._open
        if event is None or event.victim is None:
            return
        frees, behalf, why = _FREES.search(text), _BEHALF.search(text), _WHY.search(text)
        if frees is not None and event.victim.rss is None:
            event = replace(event, victim=replace(event.victim, rss=int(frees["kib"]) * 1024))
        if behalf is not None and event.trigger is None:
            event = replace(event, trigger=Trigger(behalf["name"], int(behalf["pid"])))
        if why is not None and event.reason is None:
            event = replace(event, reason=(why["why"] or why["cache"]).strip())
        self._open = event

    def flush(self) -> tuple[OomEvent, ...]:
        """Return the kill whose details may still follow."""
        return () if self._open is None else (self._open,)

    def finish(self) -> tuple[OomEvent, ...]:
        """Return the kill whose details may still follow, and forget it."""
        ended, self._open = self.flush(), None
        return ended


def _event(record: Record, text: str, kill: re.Match[str]) -> OomEvent:
    groups = kill.groupdict()
    is_daemon = bool(groups.get("uid")) or record.program == "lmkd" or text[kill.start() :].startswith("Kill '")
    victim = Victim(
        int(kill["pid"]), kill["name"], number(groups.get("uid")),
        oom_score_adj=number(groups.get("score_adj") or groups.get("adj")),
    )  # fmt: skip
    killer = "lmkd" if is_daemon else "lowmemorykiller"
    return OomEvent(killer, "process", victim=victim, outcome="killed", attempts=1)
