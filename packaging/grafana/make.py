"""`python packaging/grafana/make.py FILE`: the Grafana dashboard of the exporter's metrics, oomtop.json.

Grafana's dashboard JSON model, schema 39 (Grafana 10.4 and later); import it under Dashboards, New, Import.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

Panel = dict[str, object]
Query = tuple[str, str]
"""(PromQL, legend)."""
_HERE = '{instance=~"$instance"}'
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def panel(
    title: str, kind: str, place: tuple[int, int, int, int], unit: str, queries: Sequence[Query], **more: object
) -> Panel:
    """Return a panel; `place` is x, y, width and height in Grafana's grid of 24 columns."""
    x, y, width, height = place
    defaults: dict[str, object] = {"unit": unit, "custom": {"fillOpacity": 10} if kind == "timeseries" else {}}
    defaults.update(more)
    is_table = kind == "table"
    return {
        "title": title,
        "type": kind,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": width, "h": height},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}} if kind == "timeseries" else {},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "expr": query,
                "legendFormat": legend,
                "datasource": _SOURCE,
                "instant": kind != "timeseries",
                "format": "table" if is_table else "time_series",
            }
            for number, (query, legend) in enumerate(queries)
        ],
    }


def limits(*steps: tuple[float | None, str]) -> Mapping[str, object]:
    """Return thresholds: from each value on, its colour."""
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}


def panels() -> list[Panel]:
    """Return the panels in the order of the five questions: how bad, how long, who, what limits whom, who died."""
    low = limits((None, "red"), (0.05, "orange"), (0.15, "green"))
    soon = limits((None, "red"), (600, "orange"), (3600, "green"))
    many = limits((None, "green"), (1, "red"))
    return [
        panel("Available, least", "stat", (0, 0, 6, 4), "percentunit",
              [(f"min(oomtop_memory_available_bytes{_HERE} / oomtop_memory_total_bytes{_HERE})", "")], thresholds=low),
        panel("Time to exhaustion, soonest", "stat", (6, 0, 6, 4), "s",
              [(f"min(oomtop_exhaustion_seconds{_HERE} < +Inf)", "")], thresholds=soon, noValue="not growing"),
        panel("OOM kills, last hour", "stat", (12, 0, 6, 4), "short",
              [(f"sum(increase(oomtop_kernel_oom_kills_total{_HERE}[1h]))", "")], thresholds=many, decimals=0),
        panel("Alerts firing", "stat", (18, 0, 6, 4), "short",
              [(f"sum(oomtop_alert_firing{_HERE}) or vector(0)", "")], thresholds=many),
        panel("Available memory", "timeseries", (0, 4, 12, 8), "percentunit",
              [(f"oomtop_memory_available_bytes{_HERE} / oomtop_memory_total_bytes{_HERE}", "{{instance}}")],
              min=0, max=1),
        panel("Stalled for memory (full)", "timeseries", (12, 4, 12, 8), "percentunit",
              [('rate(oomtop_pressure_stall_seconds_total{instance=~"$instance",resource="memory",kind="full"}'
                "[$__rate_interval])", "{{instance}}")], min=0),
        panel("Account of memory, adds up to MemTotal", "timeseries", (0, 12, 12, 8), "bytes",
              [(f"sum by (part) (oomtop_memory_bytes{_HERE})", "{{part}}")],
              custom={"fillOpacity": 60, "stacking": {"mode": "normal"}}),
        panel("Swap", "timeseries", (12, 12, 12, 8), "bytes",
              [(f"oomtop_swap_used_bytes{_HERE}", "used {{instance}}"),
               (f"rate(oomtop_swap_in_bytes_total{_HERE}[$__rate_interval])", "in/s {{instance}}"),
               (f"rate(oomtop_swap_out_bytes_total{_HERE}[$__rate_interval])", "out/s {{instance}}")]),
        panel("Time to exhaustion", "timeseries", (0, 20, 12, 8), "s",
              [(f"oomtop_exhaustion_seconds{_HERE} < +Inf", "{{instance}} {{resource}}")], min=0),
        panel("Fastest growing processes", "timeseries", (12, 20, 12, 8), "binBps",
              [(f"topk(10, oomtop_process_growth_bytes_per_second{_HERE} > 0)", "{{instance}} {{process}} {{pid}}")]),
        panel("Next victim", "table", (0, 28, 12, 8), "percentunit",
              [(f"oomtop_next_victim_share_ratio{_HERE}", "")]),
        panel("Least headroom of limited cgroups", "timeseries", (12, 28, 12, 8), "percentunit",
              [(f"bottomk(10, oomtop_cgroup_headroom_bytes{_HERE} / (oomtop_cgroup_limit_bytes{_HERE} > 0))",
                "{{instance}} {{cgroup}}")], min=0, max=1),
        panel("OOM kills by killer and cgroup", "timeseries", (0, 36, 24, 8), "short",
              [(f"sum by (instance, killer, cgroup) (increase(oomtop_oom_kills_total{_HERE}[$__rate_interval])) > 0",
                "{{instance}} {{killer}} {{cgroup}}")], custom={"drawStyle": "bars", "fillOpacity": 100}),
        panel("What can run out, what becomes of it, who dies there", "table", (0, 44, 12, 8), "short",
              [(f"oomtop_danger_info{_HERE}", "")]),
        panel("Cgroups throttled or at their limit", "timeseries", (12, 44, 12, 8), "short",
              [(f"topk(10, increase(oomtop_cgroup_high_events_total{_HERE}[$__rate_interval]) > 0)",
                "high {{instance}} {{cgroup}}"),
               (f"topk(10, increase(oomtop_cgroup_max_events_total{_HERE}[$__rate_interval]) > 0)",
                "max {{instance}} {{cgroup}}")]),
    ]  # fmt: skip


def kill_marks() -> Panel:
    """Return the annotation that marks each kill at its own time, in milliseconds, with the name of the killed."""
    last = f"oomtop_last_oom_kill_timestamp_seconds{_HERE} * 1000"
    return {
        "name": "OOM kills",
        "enable": True,
        "iconColor": "red",
        "datasource": _SOURCE,
        "expr": f"({last}) * on (job, instance) group_left (killer, cgroup, process) oomtop_last_oom_kill_info",
        "useValueForTime": True,
        "step": "15s",
        "titleFormat": "{{instance}}: {{process}} killed by {{killer}}",
        "textFormat": "{{cgroup}}",
    }


def dashboard() -> dict[str, object]:
    """Return the whole dashboard."""
    return {
        "title": "oomtop: memory, pressure and OOM kills",
        "uid": "oomtop",
        "tags": ["oomtop", "memory"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "annotations": {"list": [kill_marks()]},
        "templating": {
            "list": [
                {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
                {
                    "name": "instance",
                    "type": "query",
                    "datasource": _SOURCE,
                    "query": "label_values(oomtop_memory_total_bytes, instance)",
                    "includeAll": True,
                    "multi": True,
                    "current": {"text": ["All"], "value": ["$__all"]},
                    "refresh": 2,
                },
            ]
        },
        "panels": [{"id": number, **each} for number, each in enumerate(panels(), 1)],
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(dashboard(), indent=2) + "\n", encoding="utf-8")
