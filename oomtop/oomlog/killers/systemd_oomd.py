"""Kills by systemd-oomd, systemd 247 to 260 (src/oom/oomd-manager.c, oomd-util.c).

Sample lines: `Killed /a.slice/x.scope due to memory pressure for /a.slice being 9.10% > 5.00% for > 20s ...`,
`Marked /a.slice/x.service for killing due to ...` (259), `oomd attempting to kill 407 with KILL`,
`Failed to kill any cgroup(s) under /a.slice based on pressure: No such device`
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.killers.story import FRONT, Killer, Phrase, dated, register
from oomtop.oomlog.records import Record

_KILLED = Phrase(
    FRONT + r"Killed (?P<cgroup>/\S.{0,4095}?) due to (?P<why>memory (?:used|pressure) .{1,400})$", " due to memory "
)
_MARKED = Phrase(FRONT + r"Marked (?P<cgroup>/\S.{0,4095}?) for killing(?: due to (?P<why>.{1,400}))?$", " for killing")
_DRY = Phrase(
    FRONT + r"oomd dry-run: Would have tried to kill (?P<cgroup>/\S{0,4095}?)"
    r"(?: and all its descendants| with recurse=.{1,8})?$",
    "oomd dry-run: ",
)
_FAILED = Phrase(
    FRONT + r"Failed to kill any cgroups?(?:\(s\))?(?: under (?P<cgroup>/\S{0,4095}))? based on (?P<why>.{1,300})$",
    "Failed to kill any cgroup",
)
_SHORTAGE = Phrase(
    FRONT + r"(?P<why>Memory pressure for (?P<cgroup>/\S{0,4095}) is (?:greater than )?.{1,200}|Swap used \(.{1,200}"
    r"|Memory used \(.{1,200})$",
    "Memory pressure for ",
    " used (",
)
_ATTEMPT = Phrase(FRONT + r"oomd attempting to kill (?P<pid>\d{1,10}) with (?:SIG)?[A-Z]{3,6}$", "oomd attempting ")
_CONSIDERED = Phrase(r"^Considered ", "Considered ")
_MOUNT = "/sys/fs/cgroup"
# Versions up to 247 announce a kill in these words, and say nothing more when it succeeds.
_OLD = "and there was reclaim activity"


@register
class SystemdOomd(Killer):
    """Reads the kills of systemd-oomd; the lines before a kill give the shortage and the pids."""

    needle = rb"systemd-oomd|due to memory|oomd (?:attempting|dry-run)"
    phrases_only = True
    programs = ("systemd-oomd",)

    def __init__(self) -> None:
        super().__init__()
        self._shortage: tuple[Record, str | None, str] | None = None
        self._pids: list[str] = []
        self._before: list[str] = []
        self._just_killed = False

    def feed(self, record: Record, text: str) -> Iterator[OomEvent]:
        """Take one record in; yield the event that it tells."""
        if not self.is_from(record):
            return
        killed = _KILLED.search(text)
        deed = killed or _MARKED.search(text)
        if deed is not None:
            yield self._event(record, deed["cgroup"], deed["why"], "sent" if killed is None else "killed")
            self._just_killed = True
        elif (match := _DRY.search(text)) is not None:
            yield self._event(record, match["cgroup"].removeprefix(_MOUNT), self._why(), "dry-run")
        elif (match := _FAILED.search(text)) is not None:
            yield from self._failed(record, match)
        else:
            yield from self._around(record, text)

    def _failed(self, record: Record, match: re.Match[str]) -> Iterator[OomEvent]:
        # The last round's kill is followed by such a line where the second attempt of the round finds nothing.
        if not self._just_killed:
            yield self._event(record, match["cgroup"], self._why() or match["why"], "failed")

    def _around(self, record: Record, text: str) -> Iterator[OomEvent]:
        shortage, attempt = _SHORTAGE.search(text), _ATTEMPT.search(text)
        if shortage is not None:
            yield from self.finish()
            self._shortage, self._just_killed = (record, shortage["cgroup"], shortage["why"]), False
        elif attempt is not None:
            if self._shortage is None:
                self._shortage = record, None, ""
            self._pids.append(attempt["pid"])
        elif _CONSIDERED.search(text):
            self._just_killed = False
        else:
            return
        self._before = [*self._before, record.text][-60:]

    def _why(self) -> str | None:
        return self._shortage[2] or None if self._shortage else None

    def _event(self, record: Record, cgroup: str | None, why: str | None, outcome: str) -> OomEvent:
        count, before = len(set(self._pids)), tuple(self._before)
        self._shortage, self._pids, self._before = None, [], []
        event = OomEvent(
            "systemd-oomd", "cgroup", cgroup=cgroup, task_memcg=cgroup, reason=why, outcome=outcome,
            processes_killed=count if count and outcome == "killed" else None, attempts=count or None, raw=before,
        )  # fmt: skip
        return dated(event, record)

    def flush(self) -> tuple[OomEvent, ...]:
        """Return a kill that began with a signal, or in the wording of 247, and whose outcome no line states."""
        if self._shortage is None or not (self._pids or _OLD in self._shortage[2]):
            return ()
        record, cgroup, why = self._shortage
        event = OomEvent(
            "systemd-oomd", "cgroup", cgroup=cgroup, task_memcg=cgroup, reason=why or None, outcome="sent",
            attempts=len(set(self._pids)) or None,
        )  # fmt: skip
        return (replace(dated(event, record), raw=tuple(self._before)),)

    def finish(self) -> tuple[OomEvent, ...]:
        """Return the kill under way and forget it."""
        begun = self.flush()
        self._shortage, self._pids, self._before = None, [], []
        return begun
