"""Which events `oomtop events` prints: by victim, unit, cgroup, killer and time."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from oomtop.frozen import frozen

if TYPE_CHECKING:
    from oomtop.oomlog.event import OomEvent
    from oomtop.oomlog.mentions.mention import Mention

_COMM = 15
"""Characters of a name that the kernel keeps."""


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("--killed", metavar="NAME", help="only kills of a process with this name")
    parser.add_argument("--unit", metavar="UNIT", help="only kills in a systemd unit: nginx, user@1000.service")
    parser.add_argument("--cgroup", metavar="PATH", help="only kills in a cgroup or below it")
    parser.add_argument(
        "--killer", metavar="NAME", help="only by a killer: kernel, systemd-oomd, earlyoom, nohang, lmkd"
    )


@frozen
class EventFilter:
    """What an event must have; None: anything."""

    since: float | None
    killed: str | None
    unit: str | None
    cgroup: str | None
    killer: str | None

    @classmethod
    def of(cls, options: argparse.Namespace) -> EventFilter:
        """Return the filter of a command line."""
        return cls(options.since, options.killed, options.unit, options.cgroup, options.killer)

    @property
    def is_named(self) -> bool:
        """Whether it asks for more than a time."""
        return any((self.killed, self.unit, self.cgroup, self.killer))

    def takes(self, event: OomEvent) -> bool:
        """Whether an event is wanted."""
        victims = () if event.victim is None else (event.victim, *event.other_victims)
        groups = [path for path in (event.oom_memcg, event.cgroup, event.task_memcg) if path]
        return (
            not self.is_before(event)
            and self.killer in (None, event.killer)
            and (self.killed is None or any(_is_name(victim.name, self.killed) for victim in victims))
            and (self.unit is None or any(_is_in_unit(path, self.unit) for path in groups))
            and (self.cgroup is None or any(_is_below(path, self.cgroup) for path in groups))
        )

    def takes_mention(self, mention: Mention) -> bool:
        """Whether a mention of a kill is wanted."""
        subject = mention.subject or ""
        return (
            (self.since is None or mention.time is None or mention.time >= self.since)
            and self.killer in (None, mention.by)
            and (self.killed is None or _is_name(mention.name or "", self.killed))
            and (self.unit is None or _is_in_unit(subject, self.unit))
            and (self.cgroup is None or _is_below(subject, self.cgroup))
        )

    def is_before(self, event: OomEvent) -> bool:
        """Whether an event is too old; one without any date is not."""
        when = None if self.since is None else time_of(event)
        return self.since is not None and when is not None and when < self.since


def time_of(event: OomEvent) -> float | None:
    """Return when an event was; a date without zone or year is local time in the year before now."""
    from oomtop.oomlog.carriers.dates import assume_time

    if event.time is not None or event.time_text is None:
        return event.time
    return assume_time(event.time_text, time.time())


def _is_name(name: str, wanted: str) -> bool:
    return name == wanted or (len(wanted) > _COMM and name == wanted[:_COMM])


def _is_in_unit(path: str, wanted: str) -> bool:
    return any(part == wanted or part.rpartition(".")[0] == wanted for part in path.split("/"))


def _is_below(path: str, wanted: str) -> bool:
    return f"{path.strip('/')}/".startswith(f"{wanted.strip('/')}/") or wanted == "/"
