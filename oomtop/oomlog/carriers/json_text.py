"""Messages inside JSON: the journal, docker, log shippers and clouds, under any key and at any depth.

Sample lines: `{"_TRANSPORT":"kernel","MESSAGE":"...","__REALTIME_TIMESTAMP":"1727870430745678"}`,
`{"log":"...\\\\n","stream":"stdout","time":"..."}`, `{"@timestamp":"...","host":{"name":"a"},"message":"..."}`
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from oomtop.frozen import replace
from oomtop.oomlog.carriers.dates import in_utc, parse_time
from oomtop.oomlog.carriers.fields import doubt
from oomtop.oomlog.carriers.prefixes import strip
from oomtop.oomlog.carriers.record import LOG_KERN, LOG_USER, Record
from oomtop.oomlog.lines import KNOWN

_MAX_JSON = 1 << 20
_DEEPEST = 24
_TEXTS = (
    "MESSAGE", "message", "msg", "textPayload", "log", "line", "short_message", "@message", "full_message", "_raw",
    "text", "body", "Message", "original", "raw", "content", "event",
)  # fmt: skip
_HOSTS = ("_HOSTNAME", "hostname", "host", "@hostname", "node_name", "Computer", "HostName")
_PROGRAMS = ("SYSLOG_IDENTIFIER", "ident", "appname", "app_name", "program", "syslog_identifier")
_TIMES = (
    "@timestamp", "timestamp", "time", "ts", "date", "Timestamp", "timereported", "timegenerated", "TimeGenerated",
    "EventTime", "_time",
)  # fmt: skip
_OF_PROGRAMS = frozenset({"level", "lvl", "levelname", "logger", "caller"})
"""Keys of what a program logs about itself."""
_LATEST_UPTIME = 1e8


class _Around(NamedTuple):
    """What the objects around a message say about it."""

    record: Record
    program: str | None
    """None: the text itself decides."""
    transport: str | None


_NOTHING = _Around(Record(""), None, None)


def unwrap_json(text: str) -> tuple[Record, ...] | None:
    """Return the messages of one JSON value, None for text that is none or holds none."""
    if len(text) > _MAX_JSON:
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return unwrap(data)


def unwrap(data: object) -> tuple[Record, ...] | None:
    """Return the messages of a JSON value, None where it holds none."""
    if isinstance(data, str):
        return tuple(_lines(data, _NOTHING))
    return tuple(_walk(data, _NOTHING, 0)) or None


def _walk(data: object, around: _Around, depth: int) -> Iterator[Record]:
    if depth > _DEEPEST:
        return
    if isinstance(data, dict):
        around = _learn(data, around)
        text = _text_of(data)
        if text is not None:
            yield from _lines(text, around)
            return
        for value in data.values():
            if isinstance(value, (dict, list)):
                yield from _walk(value, around, depth + 1)
    elif isinstance(data, list):
        # Loki gives each line as a pair: nanoseconds since 1970, and the text.
        when = parse_time(data[0]) if len(data) == 2 and isinstance(data[0], str) else None
        if when is not None:
            around = around._replace(record=replace(around.record, time=when, time_text=in_utc(when)))
        for value in data:
            if isinstance(value, str):
                # A bare sentence in a list is source code as often as a log.
                yield from (record for record in _lines(value, around) if _is_dated(record))
            else:
                yield from _walk(value, around, depth + 1)


def _is_dated(record: Record) -> bool:
    return record.kernel_time is not None or record.time_text is not None


def _text_of(data: Mapping[str, object]) -> str | None:
    for key in _TEXTS:
        text = _message(data.get(key))
        if text is not None:
            return text
    texts = (value for value in data.values() if isinstance(value, str))
    return next((text for text in texts if KNOWN.match(text) or KNOWN.match(strip(text.partition("\n")[0]).text)), None)


def _message(value: object) -> str | None:
    """Return a text; the journal writes one that is not clean UTF-8 as an array of byte values."""
    if isinstance(value, str):
        return value
    is_bytes = isinstance(value, list) and value and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value)
    return bytes(value).decode("utf-8", "backslashreplace") if is_bytes and isinstance(value, list) else None


def _learn(data: Mapping[str, object], around: _Around) -> _Around:
    """Return what applies inside an object: its own keys, else those of the outer objects."""
    time, time_text, uptime = _time_of(data)
    transport = data.get("_TRANSPORT")
    program = _program_of(data, transport)
    monotonic = _microseconds(data.get("_SOURCE_MONOTONIC_TIMESTAMP"))
    is_daemon = isinstance(transport, str) and transport != "kernel"
    known = around.record
    record = Record(
        "",
        monotonic if monotonic is not None else uptime,
        time if time is not None else known.time,
        _host_of(data) or known.host,
        time_text=time_text or known.time_text,
        unverified=doubt(data) if is_daemon else known.unverified,
    )
    return _Around(
        record,
        program if program is not None else around.program,
        transport if isinstance(transport, str) else around.transport,
    )


def _time_of(data: Mapping[str, object]) -> tuple[float | None, str | None, float | None]:
    """Return the Unix time, its text, and the seconds after boot where the number can be nothing else."""
    exact = _microseconds(data.get("__REALTIME_TIMESTAMP"))
    if exact is not None:
        return exact, in_utc(exact), None
    for key in _TIMES:
        value = data.get(key)
        time = parse_time(value)
        if time is not None:
            return time, value if isinstance(value, str) and not value[:9].isdigit() else in_utc(time), None
        if isinstance(value, float) and 0 <= value < _LATEST_UPTIME:
            return None, None, value
        if isinstance(value, str) and value:
            return None, value[:80], None
    return None, None, None


def _host_of(data: Mapping[str, object]) -> str | None:
    for key in _HOSTS:
        value = data.get(key)
        value = value.get("name") if isinstance(value, dict) else value
        if isinstance(value, str):
            return value
    return None


def _program_of(data: Mapping[str, object], transport: object) -> str | None:
    """Return who wrote the message: `kernel` if a field says so, `-` for another program, None if unknown."""
    named = next((value for key in _PROGRAMS if isinstance(value := data.get(key), str)), None)
    if transport is not None:
        # An identifier is whatever a program calls itself.
        return "kernel" if transport == "kernel" else named if named not in (None, "kernel") else "-"
    if named is not None:
        return named
    if any(value in ("kernel", "kern") for value in _words(data)) or ("pri" in data and "msg" in data):
        return "kernel"
    return "-" if _OF_PROGRAMS & data.keys() else None


def _words(data: Mapping[str, object]) -> Iterator[object]:
    for value in data.values():
        yield from value.values() if isinstance(value, dict) else (value,)


def _microseconds(value: object) -> float | None:
    if not isinstance(value, str) or len(value) > 18 or not value.isascii() or not value.isdigit():
        return None
    return int(value) / 1e6


def _lines(text: str, around: _Around) -> Iterable[Record]:
    """Yield the lines of a message with what its wrapping knows about them."""
    for part in text.rstrip("\n").split("\n"):
        inner = strip(part)
        program = around.program or inner.program
        # A syslog line or a stamp inside is more reliable than the tool that shipped it.
        if around.transport is None and inner.facility == LOG_KERN and inner.kernel_time is not None:
            program = "kernel"
        known = around.record
        yield replace(
            inner,
            time=known.time if known.time is not None else inner.time,
            time_text=known.time_text or inner.time_text,
            kernel_time=known.kernel_time if known.kernel_time is not None else inner.kernel_time,
            host=known.host or inner.host,
            program=program,
            facility=LOG_KERN if program == "kernel" else LOG_USER,
            unverified=known.unverified if around.transport is not None else inner.unverified,
        )
