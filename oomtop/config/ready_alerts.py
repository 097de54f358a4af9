"""`warn = ["wall", "desktop", "title", "bell"]`: alerts that come ready-made, each to where people are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oomtop.config.alerts import AlertRule, read_alerts

READY: Sequence[Mapping[str, object]] = (
    {"name": "memory is full soon", "when": "exhaustion < 1m", "clear": "3m"},
    {"name": "a limit is full soon", "when": "cgroup.exhaustion < 1m", "clear": "3m"},
    {"name": "killed for memory", "when": "oom_kill", "resolved": False},
)
"""As they would stand in a file; the severity and the ways are added."""


def ready_alerts(ways: Sequence[str], configured: Sequence[AlertRule]) -> tuple[AlertRule, ...]:
    """Return the configured alerts and those that come ready-made; a configured one of the same name replaces one."""
    if not ways:
        return tuple(configured)
    own = dict.fromkeys(ways, True)
    rules, _ = read_alerts([{**table, "severity": "critical", "clear_for": "30s", **own} for table in READY], "")
    return tuple({rule.name: rule for rule in (*rules, *configured)}.values())
