"""Kills by userspace daemons: systemd-oomd, earlyoom, nohang, Meta's oomd, the kubelet, containerd.

systemd-oomd.service(8); earlyoom(1) of all versions since 1.1; nohang; oomd's `/dev/kmsg` lines.
Sample lines: `Killed /system.slice/x.service due to memory pressure for /system.slice being 91.73% > 50.00% for > 20s`,
`sending SIGTERM to process 12006 uid 1000 "python3": badness 209, VmRSS 2891 MiB`
"""

from __future__ import annotations

import re
from collections.abc import Callable

from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.oomlog.lines import number
from oomtop.oomlog.records import LOG_KERN, Record

DAEMONS = frozenset({"systemd-oomd", "earlyoom", "nohang", "nohang-desktop", "oomd"})
"""Daemons that kill by themselves, by the names of their programs and of their units."""
_SYSTEMD = re.compile(r"^Killed (?P<cgroup>/\S.{0,4095}?) due to (?P<why>memory (?:used|pressure) .{1,400})$")
_SYSTEMD_MARKED = re.compile(r"^Marked (?P<cgroup>/\S.{0,4095}?) for killing(?: due to (?P<why>.{1,400}))?$")
_EARLYOOM = re.compile(
    r"^sending (?P<signal>SIG[A-Z]{3,6}) to process (?P<pid>\d{1,10})(?: uid (?P<uid>\d{1,10}))? "
    r'"(?P<name>.{0,255}?)": '
    r"(?:badness|oom_score) (?P<score>-?\d{1,10}),(?: oom_score_adj (?P<adj>-?\d{1,5}),)? VmRSS (?P<rss>\d{1,10}) MiB"
)
_EARLYOOM_1_2 = re.compile(
    r"^Killing process '(?P<name>.{0,255}?)' with signal (?P<signal>\d{1,2}), pid: (?P<pid>\d{1,10}), "
    r"badness: (?P<score>-?\d{1,10}), VmRSS: (?P<rss>\d{1,10}) MiB"
)
_EARLYOOM_1_3 = re.compile(
    r'^killing process (?P<pid>\d{1,10}) "(?P<name>.{0,255}?)" with signal (?P<signal>\d{1,2}): '
    r"badness (?P<score>-?\d{1,10}), VmRSS (?P<rss>\d{1,10}) MiB"
)
_EARLYOOM_1_1 = re.compile(r"^Killing process (?P<pid>\d{1,10}) (?P<name>\S.{0,255})$")
_LOW = re.compile(r"^(?:low memory! (?P<new>.{1,200})|Out of memory! (?P<old>avail: .{1,200}))$")
_NOHANG_VICTIM = re.compile(
    r"^ {2}(?P<key>PID|name|EUID|badness|oom_score|oom_score_adj|VmRSS): +(?P<value>.{0,200})$", re.I
)
_NOHANG_SIGNAL = re.compile(r"^ {2}Sending (?P<signal>SIG[A-Z]{3,6}) to the victim")
_META = re.compile(
    r"^oomd kill: (?P<why>[\d. ]{5,60}) (?P<cgroup>\S{1,4096}) (?P<bytes>\d{1,20}) (?P<rest>ruleset:.{1,400})$"
)
_KUBELET = re.compile(r"System OOM encountered, victim process: (?P<name>.{0,64}), pid: (?P<pid>\d{1,10})")
_CONTAINERD = re.compile(r'TaskOOM event.{0,10}container_?[iI][dD]: ?\\?"(?P<id>[0-9a-f]{12,64})')

Step = Callable[[Record, str], "OomEvent | None"]


class KillerReader:
    """Feeds on records and gives the kills of userspace daemons; one reader per log."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._reason: str | None = None
        self._nohang: dict[str, str] | None = None
        self._steps: tuple[Step, ...] = (
            self._systemd, self._earlyoom, self._nohang_line, self._meta, self._kubelet, self._containerd,
        )  # fmt: skip

    def feed(self, record: Record) -> tuple[OomEvent, ...]:
        """Take one record in; return the event it tells."""
        text = record.text.rstrip()
        low = _LOW.match(text)
        if low is not None:
            self._reason = low["new"] or low["old"]
            return ()
        for step in self._steps:
            event = step(record, text)
            if event is not None:
                return (self._dated(event, record),)
        return ()

    def _dated(self, event: OomEvent, record: Record) -> OomEvent:
        return replace(
            event, time=record.time, kernel_time=record.kernel_time, host=record.host, source=self._source,
            raw=(record.text,),
        )  # fmt: skip

    def _systemd(self, record: Record, text: str) -> OomEvent | None:
        if not _is_from(record, "systemd-oomd"):
            return None
        match = _SYSTEMD.match(text) or _SYSTEMD_MARKED.match(text)
        if match is None:
            return None
        return OomEvent("systemd-oomd", "cgroup", cgroup=match["cgroup"], reason=match["why"])

    def _earlyoom(self, record: Record, text: str) -> OomEvent | None:
        if not _is_from(record, "earlyoom"):
            return None
        match = _EARLYOOM.match(text) or _EARLYOOM_1_3.match(text) or _EARLYOOM_1_2.match(text)
        reason, self._reason = self._reason, None
        if match is not None and (match["signal"] in ("SIG0", "0")):
            return None
        if match is not None:
            return OomEvent("earlyoom", "process", victim=_earlyoom_victim(match), reason=reason)
        old = _EARLYOOM_1_1.match(text) if reason is not None else None
        if old is None:
            self._reason = reason
            return None
        return OomEvent("earlyoom", "process", victim=Victim(int(old["pid"]), old["name"]), reason=reason)

    def _nohang_line(self, record: Record, text: str) -> OomEvent | None:
        """Collect nohang's block about its victim; the line that says what it sends completes the event."""
        if text.startswith("Victim status"):
            self._nohang = {}
            return None
        if self._nohang is None:
            return None
        fact = _NOHANG_VICTIM.match(text)
        if fact is not None:
            self._nohang[fact["key"].lower()] = fact["value"].strip()
            return None
        if _NOHANG_SIGNAL.match(text) is None:
            return None
        facts, self._nohang = self._nohang, None
        pid = facts.get("pid", "")
        if not pid.isdigit():
            return None
        return OomEvent("nohang", "process", victim=Victim(int(pid), facts.get("name", ""), _digits(facts.get("euid"))))

    def _meta(self, record: Record, text: str) -> OomEvent | None:
        match = _META.match(text) if text.startswith("oomd kill: ") else None
        if match is None:
            return None
        return OomEvent("oomd", "cgroup", cgroup=match["cgroup"], reason=match["rest"])

    def _kubelet(self, record: Record, text: str) -> OomEvent | None:
        match = _KUBELET.search(text) if _is_named(record, "kubelet") else None
        return (
            None if match is None else OomEvent("kubelet", "process", victim=Victim(int(match["pid"]), match["name"]))
        )

    def _containerd(self, record: Record, text: str) -> OomEvent | None:
        match = _CONTAINERD.search(text) if _is_named(record, "containerd") else None
        return None if match is None else OomEvent("containerd", "cgroup", cgroup=match["id"], reason="TaskOOM")


def _earlyoom_victim(match: re.Match[str]) -> Victim:
    groups = match.groupdict()
    return Victim(
        pid=int(match["pid"]),
        name=match["name"],
        uid=number(groups.get("uid")),
        anon_rss=None,
        oom_score_adj=number(groups.get("adj")),
    )


def _digits(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _is_from(record: Record, program: str) -> bool:
    """Whether a record is the daemon's own: by its tag, or bare text as the daemon writes it to its terminal."""
    return record.program == program or (record.program == "kernel" and record.facility == LOG_KERN
                                         and record.kernel_time is None)  # fmt: skip


def _is_named(record: Record, program: str) -> bool:
    return record.program == program
