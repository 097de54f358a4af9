"""Kills by earlyoom, versions 0.1 to 1.9 (kill.c, main.c).

Sample lines: `sending SIGTERM to process 12006 uid 1000 "python3": badness 209, VmRSS 2891 MiB`,
`Killing process 'bash' with signal 15, pid: 5874, badness: 538, VmRSS: 3160 MiB`, `process 12006 did not exit`
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from oomtop.oomlog.event import OomEvent, Victim
from oomtop.oomlog.killers.story import Killer, Phrase, register
from oomtop.oomlog.lines import number
from oomtop.oomlog.records import Record

_NAME = r"(?P<name>.{0,255}?)"
_RSS = r"VmRSS:? (?P<rss>\d{1,10}) MiB"
_SIGNALS = (
    Phrase(  # 1.3 to 1.9
        r"(?:^|[\s:])sending (?P<signal>SIG[A-Z0-9]{1,6}) to process (?P<pid>\d{1,10})(?: uid (?P<uid>\d{1,10}))? "
        rf'"{_NAME}": (?:badness|oom_score) -?\d{{1,10}},(?: oom_score_adj (?P<adj>-?\d{{1,5}}),)? {_RSS}',
        "sending SIG",
    ),
    Phrase(
        rf'(?:^|[\s:])killing process (?P<pid>\d{{1,10}}) "{_NAME}" with signal (?P<signal>\d{{1,2}}): '
        rf"badness -?\d{{1,10}}, {_RSS}",
        "killing process ",
    ),
    Phrase(  # 1.2
        rf"(?:^|[\s:])Killing process '{_NAME}' with signal (?P<signal>\d{{1,2}}), pid: (?P<pid>\d{{1,10}}), "
        rf"badness: -?\d{{1,10}}, {_RSS}",
        "Killing process '",
    ),
    Phrase(  # 1.1
        rf"(?:^|[\s:])Killing process: {_NAME}, pid: (?P<pid>\d{{1,10}}), badness: -?\d{{1,10}}, {_RSS}",
        "Killing process: ",
    ),
)
# Up to 1.0; any program might write it, so it counts only after earlyoom's own line about memory.
_OLDEST = Phrase(r"^Killing process (?P<pid>\d{1,10}) (?P<name>\S.{0,255})$", "Killing process ")
_LOW = Phrase(
    r"(?:^|[\s:])(?:low memory! (?P<new>at or below .{1,200})|Low Memory! (?P<old>At or below .{1,200})"
    r"|Low memory! (?P<kill>At or below .{1,200})|Out of memory! (?P<oldest>(?:avail|mem min): .{1,200}))$",
    "emory! ",
)
_ENDS = (
    (Phrase(r"(?:^|[\s:])process (?:(?P<pid>\d{1,10}) )?exited after [\d.]{1,12} seconds", "exited after "), "killed"),
    (Phrase(r"(?:^|[\s:])process (?P<pid>\d{1,10}) did not exit\b", " did not exit"), "failed"),
    (Phrase(r"(?:^|[\s:])(?P<pid>)kill failed: ", "kill failed: "), "failed"),
    (Phrase(r"(?:^|[\s:])(?P<pid>)dryrun, not actually sending any signal", "dryrun, not "), "dry-run"),
)
_ESCALATES = Phrase(r"(?:^|[\s:])escalating to SIGKILL after [\d.]{1,12} seconds", "escalating to ")
_NOBODY = Phrase(r"(?:^|[\s:])Could not find a process to kill\.", "Could not find a process")


@register
class Earlyoom(Killer):
    """Reads the kills of earlyoom."""

    needle = rb"earlyoom|[Ll]ow [Mm]emory!|Out of memory!|oom_score "
    phrases_only = True
    programs = ("earlyoom",)

    def __init__(self) -> None:
        super().__init__()
        self._reason: str | None = None

    def feed(self, record: Record, text: str) -> Iterator[OomEvent]:
        """Take one record in; yield the events that it ends."""
        if not self.is_from(record):
            return
        low = _LOW.search(text)
        if low is not None:
            self._reason = next(word for word in low.groups() if word)
            return
        if not self._is_told(record, text):
            yield from self._signal(record, text)

    def _signal(self, record: Record, text: str) -> Iterator[OomEvent]:
        match = next((found for shape in _SIGNALS if (found := shape.search(text))), None)
        if match is None and self._reason is not None:
            match = _OLDEST.search(text)
        if match is None or _is_quoted(text, match):
            return
        reason, self._reason = self._reason, None
        groups = match.groupdict()
        # Signal 0 is sent at the start, to check the permission.
        if groups.get("signal") not in ("SIG0", "0"):
            event = OomEvent("earlyoom", "process", victim=_victim(groups), reason=reason, outcome="sent", attempts=1)
            yield from self._stories.act(int(match["pid"]), event, record)

    def _is_told(self, record: Record, text: str) -> bool:
        """Take a line about a process that got a signal; return whether it was one."""
        if _ESCALATES.search(text):
            last = self._stories.last
            if last is not None and last.victim is not None:
                tuple(self._stories.act(last.victim.pid, last, record))
            return True
        if _NOBODY.search(text) and record.program in self.programs:
            event = OomEvent("earlyoom", "process", reason=self._reason, outcome="failed", no_killable_processes=True)
            tuple(self._stories.act(None, event, record))
            return True
        for shape, outcome in _ENDS:
            match = shape.search(text)
            if match is not None:
                self._stories.note(record, number(match["pid"] or None), outcome)
                return True
        return False


def _is_quoted(text: str, match: re.Match[str]) -> bool:
    return any(mark in text[: match.start()] for mark in "\"'`#")


def _victim(groups: dict[str, str | None]) -> Victim:
    return Victim(
        pid=int(groups["pid"] or 0),
        name=groups["name"] or "",
        uid=number(groups.get("uid")),
        oom_score_adj=number(groups.get("adj")),
        rss=number(groups.get("rss"), 1 << 20),
    )
