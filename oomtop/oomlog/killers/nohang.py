"""Kills by nohang, all versions and forms: a block about the victim, the deed, what became of it (src/nohang).

Sample lines: `  PID:       903309, name: mysqld, state: S (sleeping), EUID: 110`, `  Sending SIGTERM to the victim`,
`  Victim is tail, pid: 12297, badness: 727, VmRSS: 9000 MiB`, `The victim died in 0.052s`
"""

from __future__ import annotations

from collections.abc import Iterator

from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.oomlog.killers.story import Killer, Phrase, register
from oomtop.oomlog.lines import number
from oomtop.oomlog.records import Record

_BEGINS = Phrase(
    r"Victim (?:status|info(?:rmation)?)\b|(?:[Pp]rocess|victim) with (?:the )?highest badness|Worst process \("
    r"|Process .{1,40} is a victim",
    "ictim",
    "highest badness",
    "Worst process ",
)
_STATUS = Phrase(r"Victim (?:status|info(?:rmation)?)\b", "Victim ")
_CAUSE = Phrase(r"^ {1,80}(?i:MemAvailable|SwapFree|MemUsed|Zram|PSI)\b.{1,200}(?:<=|>=|<|>) .{1,200}$", "<", ">")
_THRESHOLD = Phrase(r"that requires? corrective actions?", "corrective action")
_FACTS = (
    ("pid", Phrase(r"(?<![A-Za-z])(?:PID|Pid|pid): *(\d{1,10})", "PID:", "id:")),
    ("name", Phrase(r"(?<![A-Za-z])(?:Name|name): *(.{0,255}?)(?:, [A-Za-z]|\)|$)", "ame:")),
    ("name", Phrase(r"Victim is (.{1,255}?), pid: ", "Victim is ")),
    ("name", Phrase(r"Process (.{1,255}?) is a victim", " is a victim")),
    ("uid", Phrase(r"(?<![A-Za-z])E?UID: *(\d{1,10})", "UID:")),
    ("adj", Phrase(r"oom_score_adj: *(-?\d{1,5})", "oom_score_adj:")),
    ("rss", Phrase(r"(?:VmRSS|(?<![A-Za-z])RSS): *(\d{1,10})", "RSS:")),
    ("cgroup", Phrase(r"^ +cgroup_v[12]: *(/\S.{0,4095})$", "cgroup_v")),
)
_SIGNAL = Phrase(r"(?:^|\s)Send(?:ing)? SIG[A-Z0-9]{1,6} to the victim\b", " to the victim")
_COMMAND = Phrase(
    r"^(?: +|.{0,80}: +)(?:Execut(?:e|ing)(?: the)? command|Run the command)\b:? *\S.{0,400}$", " command"
)
_ENDS = (
    (Phrase(r"[Tt]he victim died in [\d.]+ ?s|[Tt]he victim became a zombie in", "he victim "), "killed"),
    (Phrase(r"[Tt]he victim doesn't respond on corrective action", "he victim "), "failed"),
    (
        Phrase(
            r"Cannot send a signal: |Cannot execute the command in the new thread|no such process; ",
            "Cannot ",
            "no such process; ",
        ),
        "failed",
    ),
    (
        Phrase(
            r"Selected process died before corrective action|[Tt]he victim died in the search process",
            "Selected process ",
            "he victim ",
        ),
        "failed",
    ),
)


@register
class Nohang(Killer):
    """Reads the kills of nohang."""

    needle = rb"emory status|oom_score:"
    phrases_only = True
    programs = ("nohang", "nohang-desktop")
    notes_dates = True

    def __init__(self) -> None:
        super().__init__()
        self._facts: dict[str, str] | None = None
        self._causes: list[str] = []
        self._last: Record | None = None

    def feed(self, record: Record, text: str) -> Iterator[OomEvent]:
        """Take one record in; yield the events that it ends."""
        if not self.is_from(record):
            return
        if record.time_text is not None:
            self._last = record
        elif record.kernel_time is None and self._last is not None and text.startswith(" "):
            # In a log of its own the first line of an entry alone is dated.
            record = replace(record, time=self._last.time, time_text=self._last.time_text, host=self._last.host)
        if _THRESHOLD.search(text):
            self._causes = []
        elif _CAUSE.search(text) and len(self._causes) < 4:
            self._causes.append(text.strip())
        if self._facts is None or _BEGINS.search(text):
            self._begin(text)
        if self._facts is not None:
            self._learn(self._facts, text)
            yield from self._act(self._facts, record, text)
        else:
            self._end(record, text)

    def _begin(self, text: str) -> None:
        """Open a block; one about the victim's status adds to what was said of the process with the highest badness."""
        if _BEGINS.search(text):
            self._facts = self._facts if self._facts and _STATUS.search(text) else {}

    def _learn(self, facts: dict[str, str], text: str) -> None:
        for key, shape in _FACTS:
            found = shape.search(text) if key not in facts else None
            if found is not None:
                facts[key] = found[1]

    def _act(self, facts: dict[str, str], record: Record, text: str) -> Iterator[OomEvent]:
        is_signal = _SIGNAL.search(text) is not None
        if not (is_signal or _COMMAND.search(text)) or "pid" not in facts:
            self._end(record, text)
            return
        self._facts = None
        reason = "; ".join(self._causes) or None
        event = OomEvent(
            "nohang", "process", victim=_victim(facts), reason=reason, outcome="sent", attempts=int(is_signal),
            task_memcg=facts.get("cgroup"),
        )  # fmt: skip
        yield from self._stories.act(int(facts["pid"]), event, record)
        self._end(record, text)

    def _end(self, record: Record, text: str) -> None:
        for shape, outcome in _ENDS:
            if shape.search(text):
                self._stories.note(record, outcome=outcome)
                # Between a signal and its outcome nohang looks for no victim: what it found before no longer counts.
                self._facts = None
                return


def _victim(facts: dict[str, str]) -> Victim:
    return Victim(
        int(facts["pid"]), facts.get("name", ""), number(facts.get("uid")), oom_score_adj=number(facts.get("adj")),
        rss=number(facts.get("rss"), 1 << 20),
    )  # fmt: skip
