"""`[[alert]]` tables of the configuration: when an alert fires and whom it notifies.

Sample: `[[alert]]`, `name = "low"`, `when = "available < 10%"`, `clear = "15%"`, `for = "30s"`, `command = ["page"]`
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from urllib.parse import urlsplit

from oomtop.errors import ConfigError, expected
from oomtop.fields import FIELDS, FieldUnit, ProcessField
from oomtop.frozen import field, frozen
from oomtop.times import parse_age
from oomtop.units import finite, format_duration, parse_size

MOST_ALERTS = 100
SEVERITIES = ("info", "warning", "critical")
FILTERS = ("cgroup", "process", "user", "unit", "killer", "finding")
WAYS = ("bell", "title", "wall", "desktop")
"""Warnings to people: the bell and the title of the monitor's terminal, all terminals, the desktop."""
_CONDITION = re.compile(r"([a-z0-9_.]+)(?:\s*(<=|>=|<|>)\s*(\S.*))?")
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")
_PER = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Unit(Enum):
    """The unit of a figure's threshold."""

    BYTES = "a size such as 2GiB"
    SHARED_BYTES = "a size such as 2GiB, or a percentage such as 10%"
    RATE = "bytes per time such as 10MiB/s or 500M/min"
    SECONDS = "a length of time such as 10m"
    SHARE = "a percentage such as 20%"
    COUNT = "a number"
    PRESENCE = "no value: the condition holds while there is one"


class AlertScope(Enum):
    """What a figure describes: the machine, or each cgroup, process, finding or OOM event."""

    MACHINE = "machine"
    CGROUP = "cgroup"
    PROCESS = "process"
    FINDING = "finding"
    EVENT = "event"


_MACHINE: Mapping[Unit, tuple[str, ...]] = {
    Unit.SHARED_BYTES: (
        "available", "free", "anon", "shmem", "page_cache", "kernel", "mlocked", "dirty", "committed",
        "swap.used", "swap.free", "container.headroom",
    ),
    Unit.RATE: ("swap.in", "swap.out", "refaults"),
    Unit.SHARE: (
        "psi.some.avg10", "psi.some.avg60", "psi.some.avg300", "psi.full.avg10", "psi.full.avg60", "psi.full.avg300",
        "psi.io.some.avg10", "psi.io.full.avg10", "victim.share",
    ),
    Unit.SECONDS: ("exhaustion",),
    Unit.COUNT: ("major_faults", "direct_reclaim", "oom_kills", "unlogged_kills", "processes"),
}  # fmt: skip


def _unit(field: ProcessField) -> Unit:
    if field.unit is FieldUnit.BYTES:
        return Unit.SHARED_BYTES if field.alert_of_ram else Unit.BYTES
    return {FieldUnit.GROWTH: Unit.RATE, FieldUnit.OF_MEMORY: Unit.SHARE}.get(field.unit, Unit.COUNT)


FIGURES: Mapping[str, tuple[Unit, AlertScope]] = MappingProxyType(
    {
        **{name: (unit, AlertScope.MACHINE) for unit, names in _MACHINE.items() for name in names},
        "cgroup.headroom": (Unit.SHARED_BYTES, AlertScope.CGROUP),
        "cgroup.current": (Unit.SHARED_BYTES, AlertScope.CGROUP),
        "cgroup.swap": (Unit.BYTES, AlertScope.CGROUP),
        "cgroup.growth": (Unit.RATE, AlertScope.CGROUP),
        "cgroup.exhaustion": (Unit.SECONDS, AlertScope.CGROUP),
        "cgroup.psi.full.avg10": (Unit.SHARE, AlertScope.CGROUP),
        **{field.alert: (_unit(field), AlertScope.PROCESS) for field in FIELDS if field.alert},
        "finding": (Unit.PRESENCE, AlertScope.FINDING),
        "oom_kill": (Unit.PRESENCE, AlertScope.EVENT),
    }
)
"""Every metric that a condition may use."""


@frozen
class Threshold:
    """A threshold in bytes, bytes per second, seconds, or as a share of the whole (0.1 for `10%`)."""

    amount: float
    is_share: bool
    text: str


@frozen
class Condition:
    """`figure operator threshold`; once it has fired it holds until the `clear` threshold is passed."""

    figure: str
    operator: str = ""
    threshold: Threshold | None = None
    clear: Threshold | None = None


@frozen
class AlertRule:
    """One `[[alert]]`."""

    name: str
    conditions: tuple[Condition, ...]
    """All of them must hold."""
    hold: float = 0.0
    """`for`: seconds the condition must hold before the alert fires."""
    clear_for: float = 0.0
    """Seconds the condition must be false before the alert resolves; for OOM events, seconds since the last one."""
    severity: str = "warning"
    filters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Shell patterns on the cgroup, process, user, unit, killer or finding."""
    bell: bool = False
    wall: bool = False
    desktop: bool = False
    title: bool = False
    command: tuple[str, ...] = ()
    shell: bool = False
    timeout: float = 10.0
    """Seconds that the command, or one attempt of the webhook, may take."""
    webhook: str | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    resolved: bool = True
    """Whether the command and webhook also run when the alert resolves."""

    @property
    def scope(self) -> AlertScope:
        """What the alert fires for; each has its own incident."""
        scopes = [FIGURES[condition.figure][1] for condition in self.conditions]
        return next((scope for scope in scopes if scope is not AlertScope.MACHINE), AlertScope.MACHINE)

    @property
    def words(self) -> str:
        """The conditions as they were written: `available < 10% for 30s`."""
        found = " and ".join(
            f"{condition.figure} {condition.operator} {condition.threshold.text}"
            if condition.threshold
            else condition.figure
            for condition in self.conditions
        )
        filters = "".join(f", {key} {pattern}" for key, pattern in self.filters.items())
        return found + filters + (f" for {format_duration(self.hold)}" if self.hold else "")


class _Wrong(Exception):
    """(key, what was expected)."""

    def __init__(self, key: str, expected: str) -> None:
        super().__init__(expected)
        self.key = key
        self.expected = expected


def read_alerts(value: object, path: str) -> tuple[tuple[AlertRule, ...], tuple[ConfigError, ...]]:
    """Return the valid alerts of a file, and an error for each invalid one: `alert[2].when: expected ...`."""
    if not isinstance(value, list) or len(value) > MOST_ALERTS:
        return (), (ConfigError(path, "alert", f"expected at most {MOST_ALERTS} tables: [[alert]]"),)
    rules: dict[str, AlertRule] = {}
    errors = []
    for number, item in enumerate(value, 1):
        try:
            rule = _rule(item)
            if rule.name in rules:
                raise _Wrong("name", "expected a name that no other alert of this file has")
            rules[rule.name] = rule
        except _Wrong as wrong:
            errors.append(ConfigError(path, f"alert[{number}].{wrong.key}".rstrip("."), wrong.expected))
    return tuple(rules.values()), tuple(errors)


def _rule(item: object) -> AlertRule:
    if not isinstance(item, Mapping):
        raise _Wrong("", "expected a table: [[alert]]")
    unknown = next((key for key in item if key not in _KEYS), None)
    if unknown is not None:
        raise _Wrong(str(unknown), f"unknown key; {expected(str(unknown), _KEYS)}")
    for key in ("name", "when"):
        if key not in item:
            raise _Wrong(key, "is missing")
    name = _text("name", item["name"])
    if len(name) > 100 or not name.isprintable():
        raise _Wrong("name", "expected at most 100 printable characters")
    conditions = parse_conditions(item["when"], item.get("clear"))
    is_event = any(condition.figure == "oom_kill" for condition in conditions)
    command, shell = _command(item.get("command"), _flag("shell", item.get("shell", False)))
    rule = AlertRule(
        name=name,
        conditions=conditions,
        hold=_seconds("for", item.get("for", 0)),
        clear_for=_seconds("clear_for", item.get("clear_for", 300 if is_event else 0)),
        severity=_severity(item.get("severity", "warning")),
        filters=MappingProxyType({key: _text(key, item[key]) for key in FILTERS if key in item}),
        **{way: _flag(way, item.get(way, False)) for way in WAYS},
        command=command,
        shell=shell,
        timeout=_timeout(item.get("timeout", 10)),
        webhook=_webhook(item.get("webhook")),
        headers=_headers(item.get("headers", {})),
        resolved=_flag("resolved", item.get("resolved", True)),
    )
    _check_filters(rule)
    return rule


_KEYS = (
    "name", "when", "clear", "for", "clear_for", "severity", *FILTERS, *WAYS, "command", "shell", "timeout",
    "webhook", "headers", "resolved",
)  # fmt: skip
_SCOPE_FILTERS: Mapping[AlertScope, tuple[str, ...]] = {
    AlertScope.MACHINE: (),
    AlertScope.CGROUP: ("cgroup", "unit"),
    AlertScope.PROCESS: ("process", "user", "unit", "cgroup"),
    AlertScope.FINDING: ("finding", "cgroup"),
    AlertScope.EVENT: ("killer", "cgroup", "process"),
}


def _check_filters(rule: AlertRule) -> None:
    for key in rule.filters:
        if key not in _SCOPE_FILTERS[rule.scope]:
            known = ", ".join(_SCOPE_FILTERS[rule.scope]) or "none"
            raise _Wrong(key, f"does not apply to a condition on the {rule.scope.value}; allowed: {known}")


def parse_conditions(when: object, clear: object = None) -> tuple[Condition, ...]:
    """Return the conditions of `when` (a string, strings joined by `and`, or a list) with their clear thresholds.

    Raises:
        _Wrong: the key and what was expected.
    """
    texts = [part for text in _texts("when", when) for part in text.split(" and ")]
    clears: list[str | None] = [*_texts("clear", clear)] if clear is not None else [None] * len(texts)
    if len(clears) != len(texts):
        raise _Wrong("clear", f"expected as many thresholds as there are conditions: {len(texts)}")
    found = tuple(_condition(text.strip(), end) for text, end in zip(texts, clears, strict=True))
    scopes = {FIGURES[condition.figure][1] for condition in found} - {AlertScope.MACHINE}
    if len(scopes) > 1:
        raise _Wrong("when", f"expected conditions on one kind of thing, found {', '.join(s.value for s in scopes)}")
    return found


def _condition(text: str, clear: str | None) -> Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise _Wrong("when", f"expected FIGURE < VALUE, such as available < 10%, found {text[:60]!r}")
    figure, operator, bound = match.groups()
    if figure not in FIGURES:
        raise _Wrong("when", f"unknown metric {figure[:40]!r}; {expected(figure[:40], FIGURES)}")
    unit = FIGURES[figure][0]
    if (unit is Unit.PRESENCE) != (operator is None):
        raise _Wrong("when", f"expected {figure} alone" if operator else f"expected {figure} < or > {unit.value}")
    if operator is None:
        if clear is not None:
            raise _Wrong("clear", f"{figure} has no threshold; use clear_for")
        return Condition(figure)
    threshold = _threshold("when", unit, bound)
    end = _threshold("clear", unit, clear) if clear is not None else threshold
    is_looser = end.amount >= threshold.amount if operator[0] == "<" else end.amount <= threshold.amount
    if end.is_share == threshold.is_share and not is_looser:
        side = "above" if operator[0] == "<" else "below"
        raise _Wrong("clear", f"expected a threshold {side} {threshold.text}")
    return Condition(figure, operator, threshold, end)


def _threshold(key: str, unit: Unit, text: str) -> Threshold:
    text = text.strip()
    try:
        return Threshold(_READERS[unit](text), text.endswith("%"), text)
    except (ValueError, KeyError):
        raise _Wrong(key, f"expected {unit.value}, found {text[:40]!r}") from None


def _percentage(text: str) -> float:
    number = text.removesuffix("%").strip()
    if not text.endswith("%") or _NUMBER.fullmatch(number) is None:
        raise ValueError(text)
    return float(number) / 100


def _bytes_or_share(text: str) -> float:
    return _percentage(text) if text.endswith("%") else float(parse_size(text))


def _rate(text: str) -> float:
    amount, _, per = text.rpartition("/")
    return parse_size(amount) / _PER[per.strip()]


def _count(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(text)
    return float(text)


_READERS: Mapping[Unit, Callable[[str], float]] = {
    Unit.BYTES: lambda text: float(parse_size(text)),
    Unit.SHARED_BYTES: _bytes_or_share,
    Unit.RATE: _rate,
    Unit.SECONDS: parse_age,
    Unit.SHARE: _percentage,
    Unit.COUNT: _count,
}


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise _Wrong(key, "expected a string")
    return value


def _texts(key: str, value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    if not items or len(items) > 10:
        raise _Wrong(key, "expected a string or a list of at most ten")
    return [_text(key, item) for item in items]


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(key, "expected true or false")
    return value


def _seconds(key: str, value: object) -> float:
    number = finite(value)
    if number is not None and number >= 0:
        return number
    try:
        return parse_age(_text(key, value))
    except ValueError as error:
        raise _Wrong(key, f"expected a length of time: {error}") from None


def _timeout(value: object) -> float:
    seconds = _seconds("timeout", value)
    if not 0.1 <= seconds <= 600:
        raise _Wrong("timeout", "expected a length of time up to 10m")
    return seconds


def _severity(value: object) -> str:
    if value not in SEVERITIES:
        raise _Wrong("severity", expected(str(value)[:40], SEVERITIES))
    return str(value)


def _command(value: object, shell: bool) -> tuple[tuple[str, ...], bool]:
    if value is None:
        return (), shell
    if shell:
        return (_text("command", value),), True
    if not isinstance(value, list):
        raise _Wrong(
            "command", 'expected a list such as ["/usr/local/bin/page", "memory"]; a string needs shell = true'
        )
    return tuple(_texts("command", value)), False


def _webhook(value: object) -> str | None:
    if value is None:
        return None
    text = _text("webhook", value)
    expected = "expected a URL such as https://example.org/hook"
    try:
        parts = urlsplit(text)
        port_is_known = parts.port is None or parts.port > 0
    except ValueError:
        raise _Wrong("webhook", expected) from None
    is_plain = text.isascii() and text.isprintable() and " " not in text
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_known or not is_plain:
        raise _Wrong("webhook", expected)
    if "@" in parts.netloc:
        raise _Wrong("webhook", "expected no user in the URL; use headers")
    return text


def _headers(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise _Wrong("headers", 'expected a table such as { Authorization = "Bearer ..." }')
    for name, text in value.items():
        is_value = isinstance(text, str) and text.isascii() and text.isprintable()
        if _HEADER.fullmatch(str(name)) is None or not is_value:
            raise _Wrong("headers", "expected header names with one-line strings")
    return MappingProxyType(dict(value))
