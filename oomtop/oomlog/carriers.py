"""Messages wrapped in JSON or in a container runtime's prefix: the journal, docker, Google Cloud, Kubernetes' CRI.

systemd.journal-fields(7); Kubernetes' CRI log format; docker's json-file driver.
Sample lines: `{"_TRANSPORT":"kernel","MESSAGE":"...","__REALTIME_TIMESTAMP":"1727870430745678"}`,
`2024-10-02T12:00:30.745678000Z stdout F [   30.745678] ...`, `{"log":"...\\n","stream":"stdout","time":"..."}`
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime

FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_TRANSPORT,_HOSTNAME,_SOURCE_MONOTONIC_TIMESTAMP,_SYSTEMD_UNIT,_UID"
"""What of an entry of the journal is read."""
UNITS = frozenset({
    "containerd", "crio", "docker", "earlyoom", "k3s", "k3s-agent", "kubelet", "nohang", "nohang-desktop", "nomad",
    "oomd", "rke2-agent", "rke2-server", "slurmd", "systemd-oomd",
})  # fmt: skip
"""The units whose processes tell of kills; journald notes them itself."""
CRI = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) std(?:out|err) (?P<tag>[FP]) "
)
_MAX_JSON = 1 << 20


class Wrapped:
    """A message taken out of its wrapping; what the wrapping does not tell is None."""

    __slots__ = ("host", "is_attested", "kernel_time", "program", "text", "time", "unverified")

    def __init__(
        self, text: str, time: float | None, kernel_time: float | None, program: str | None, host: str | None
    ) -> None:
        self.text = text
        self.time = time
        self.kernel_time = kernel_time
        self.program = program
        """None where the inner text has to tell, as with docker and CRI."""
        self.host = host
        self.is_attested = False
        """Whether journald itself noted who wrote the message."""
        self.unverified: str | None = None


def unwrap_json(line: str) -> Wrapped | None:
    """Return the message of one JSON object, None for text that is not one of the known wrappings."""
    if len(line) > _MAX_JSON:
        return None
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    inner = data.get("jsonPayload")
    if isinstance(inner, dict):
        return _journal(inner, parse_time(data.get("timestamp")))
    if isinstance(data.get("textPayload"), str):
        return Wrapped(data["textPayload"], parse_time(data.get("timestamp")), None, None, None)
    if isinstance(data.get("log"), str):
        return Wrapped(data["log"], parse_time(data.get("time")), None, None, None)
    return _journal(data, None)


def _journal(data: Mapping[str, object], time: float | None) -> Wrapped | None:
    text = _message(data.get("MESSAGE", data.get("message")))
    if text is None:
        return None
    program = data.get("SYSLOG_IDENTIFIER")
    transport = data.get("_TRANSPORT")
    if transport == "kernel":
        program = "kernel"
    elif transport is not None and program == "kernel":
        # An identifier is whatever a program calls itself.
        program = "-"
    wrapped = Wrapped(
        text,
        time if time is not None else _microseconds(data.get("__REALTIME_TIMESTAMP")),
        _microseconds(data.get("_SOURCE_MONOTONIC_TIMESTAMP")),
        program if isinstance(program, str) else "-",
        host if isinstance(host := data.get("_HOSTNAME"), str) else None,
    )
    wrapped.is_attested = transport is not None
    wrapped.unverified = None if transport in (None, "kernel") else _doubt(data)
    return wrapped


def _doubt(data: Mapping[str, object]) -> str | None:
    """Return why a message of the journal may not be a daemon's own: fields with `_` are written by journald alone."""
    unit, uid = data.get("_SYSTEMD_UNIT"), data.get("_UID")
    if isinstance(unit, str) and unit.endswith(".service") and unit.removesuffix(".service") in UNITS:
        return None
    if isinstance(uid, str) and uid.isascii() and uid.isdecimal() and _is_of_system(uid):
        return None
    return f"written by uid {uid or 'unknown'} in {unit or 'no unit'}, which any program may do under this name"


def _is_of_system(uid: str) -> bool:
    """Whether a uid is of the system's own: below 1000, or one that systemd gives out (`DynamicUser=`)."""
    return len(uid) <= 10 and (int(uid) < 1000 or 61184 <= int(uid) <= 65519)


def _message(value: object) -> str | None:
    """Return a MESSAGE; the journal writes one that is not clean UTF-8 as an array of byte values."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
        return bytes(value).decode("utf-8", "backslashreplace")
    return None


def _microseconds(value: object) -> float | None:
    if not isinstance(value, str) or len(value) > 18 or not value.isascii() or not value.isdigit():
        return None
    return int(value) / 1e6


def parse_time(value: object) -> float | None:
    """Return the Unix time of an ISO 8601 text with any number of decimals, None for anything else."""
    if not isinstance(value, str):
        return None
    match = re.match(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$", value)
    if match is None:
        return None
    zone = (match[4] or "Z").replace("Z", "+00:00")
    zone = zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        whole = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}").timestamp()
    except ValueError:
        return None
    return whole + float(match[3] or 0)
