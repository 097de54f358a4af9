"""Kills by Meta's oomd, which writes one line into the kernel log (plugins/BaseKillPlugin.cpp).

Sample line: `oomd kill: 15.42 9.11 3.20 system.slice/build.service 8412332032 ruleset:[x] detectorgroup:[y] ...`
"""

from __future__ import annotations

from collections.abc import Iterator

from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.killers.story import Killer, Phrase, dated, register
from oomtop.oomlog.records import Record

_KILL = Phrase(
    r"(?:^|[\s:])oomd kill: (?P<pressure>[\d. ]{5,60}) (?P<cgroup>\S{1,4096}) (?P<bytes>\d{1,20}) "
    r"(?P<rest>ruleset:.{1,400})$",
    "oomd kill: ",
)


@register
class MetaOomd(Killer):
    """Reads the kills of oomd."""

    needle = rb"oomd kill: "
    phrases_only = True
    programs = ("oomd",)

    def feed(self, record: Record, text: str) -> Iterator[OomEvent]:
        """Take one record in; yield the event that it tells."""
        match = _KILL.search(text)
        if match is None or any(mark in text[: match.start()] for mark in "\"'`#"):
            return
        is_dry = "killer:(dry)" in match["rest"]
        event = OomEvent(
            "oomd", "cgroup", cgroup=match["cgroup"], task_memcg=match["cgroup"], memcg_usage=int(match["bytes"]),
            reason=match["rest"], outcome="dry-run" if is_dry else "killed",
        )  # fmt: skip
        yield dated(event, record)
