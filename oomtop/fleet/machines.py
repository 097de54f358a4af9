"""All machines that `oomtop exporter` is scraped from: nine queries, whatever their number, make one row each.

A machine is a scrape target: its labels `job` and `instance`.  Every label comes from outside and is hostile.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from oomtop.fleet.prometheus import LabeledSeries, Prometheus
from oomtop.frozen import frozen

Target = tuple[str, str]
"""(job, instance)."""
HISTORY_SECONDS = 3600.0
HISTORY_POINTS = 60
_EACH = "by (job, instance)"
_FIGURES = (
    "memory_total_bytes", "memory_available_bytes", "swap_total_bytes", "swap_used_bytes", "sample_timestamp_seconds",
    "last_oom_kill_timestamp_seconds",
)  # fmt: skip
_KILLS_WINDOW = "1h"


@frozen
class FleetGroup:
    """The limited cgroup with the least headroom, in bytes; `headroom` may be unknown for one of two samples."""

    path: str
    headroom: float
    limit: float | None


@frozen
class NextVictim:
    """Whom the kernel of the machine would kill next; `share` is its badness."""

    name: str
    unit: str
    pid: str
    share: float
    frees: float | None


@frozen
class FleetShortage:
    """What is full first, in how many seconds; both ends of the estimate where they are known."""

    resource: str
    seconds: float
    earliest: float | None
    latest: float | None


@frozen
class FleetMachine:
    """One row: bytes, seconds, shares from 0 to 1; None is unknown."""

    job: str
    instance: str
    host: str
    """What ssh would be given: the label asked for, else the instance without its port."""
    up: bool
    total: float | None
    available: float | None
    swap_total: float | None
    swap_used: float | None
    some: float | None
    """PSI of memory over 10 s."""
    full: float | None
    shortage: FleetShortage | None
    """None: nothing grows."""
    worst: FleetGroup | None
    victim: NextVictim | None
    kills: float | None
    """OOM kills of the last hour."""
    last_kill: float | None
    """Unix time."""
    killed_in: str | None
    """The cgroup, or the killer, of most kills of the last hour."""
    alerts: tuple[str, ...]
    sampled: float | None
    """Unix time of the exporter's newest sample."""
    history: tuple[tuple[float, float], ...]
    """(Unix time, available as a share of total) of the last hour."""

    @property
    def available_share(self) -> float | None:
        """Available memory as a share of all."""
        return None if self.available is None or not self.total else self.available / self.total


def read_machines(
    prometheus: Prometheus, now: float, match: str = "", host_label: str = ""
) -> tuple[FleetMachine, ...]:
    """Ask for everything; return the machines, the one in most need first.

    `match` are label matchers of PromQL, `job="oomtop",region="eu"`; `host_label` names the label for ssh.

    Raises:
        PrometheusError: a query that was not answered.
    """
    answers = {name: prometheus.query(query) for name, query in queries(match).items()}
    start, step = now - HISTORY_SECONDS, HISTORY_SECONDS / HISTORY_POINTS
    answers["history"] = prometheus.query_range(_history(match), start, now, step)
    return tuple(sorted(machines_of(answers, host_label), key=need))


def queries(match: str = "") -> Mapping[str, str]:
    """Return the instant queries by what they are for."""

    def pick(name: str, *more: str) -> str:
        inside = ",".join((*more, match) if match else more)
        return f"oomtop_{name}{{{inside}}}" if inside else f"oomtop_{name}"

    figures = "|".join(f"oomtop_{name}" for name in _FIGURES)
    everywhere = f"{{{match}}}" if match else ""
    known = f"group {_EACH} (last_over_time({pick('memory_total_bytes')}[1d]))"
    headroom, limit = pick("cgroup_headroom_bytes"), pick("cgroup_limit_bytes")
    return MappingProxyType(
        {
            "figures": f'{{__name__=~"{figures}"{"," + match if match else ""}}}',
            "pressure": pick("pressure_ratio", 'resource="memory"', 'window="10s"'),
            "shortage": f"bottomk {_EACH} (1, {pick('exhaustion_seconds')} < +Inf)",
            "ends": f'{{__name__=~"oomtop_exhaustion_(earliest|latest)_seconds"{"," + match if match else ""}}}',
            "worst": f"bottomk {_EACH} (1, {headroom} / ({limit} > 0))",
            "headroom": headroom,
            "limit": limit,
            "victim": pick("next_victim_share_ratio"),
            "frees": pick("next_victim_frees_bytes"),
            "kills": f"sum {_EACH} (increase({pick('kernel_oom_kills_total')}[{_KILLS_WINDOW}]))",
            "killed": f"topk {_EACH} (1, increase({pick('oom_kills_total')}[{_KILLS_WINDOW}]) > 0)",
            "alerts": _both("ALERTS", 'alertname=~"Oomtop.*",alertstate="firing"', match),
            "own_alerts": f"{pick('alert_firing')} == 1",
            "up": f"up{everywhere} and on (job, instance) {known}",
        }
    )


def _both(name: str, inside: str, match: str) -> str:
    return f"{name}{{{inside}{',' + match if match else ''}}}"


def _history(match: str) -> str:
    where = f"{{{match}}}" if match else ""
    return f"oomtop_memory_available_bytes{where} / oomtop_memory_total_bytes{where}"


def machines_of(answers: Mapping[str, Iterable[LabeledSeries]], host_label: str = "") -> list[FleetMachine]:
    """Return one machine for each target that any answer names."""
    by_query = {name: _by_target(series) for name, series in answers.items()}
    targets = dict.fromkeys((*by_query["up"], *by_query["figures"]))
    return [
        _machine(target, {name: found.get(target, ()) for name, found in by_query.items()}, host_label)
        for target in targets
    ]


def _by_target(series: Iterable[LabeledSeries]) -> dict[Target, tuple[LabeledSeries, ...]]:
    found: dict[Target, list[LabeledSeries]] = {}
    for each in series:
        target = each.labels.get("job", ""), each.labels.get("instance", "")
        found.setdefault(target, []).append(each)
    return {target: tuple(several) for target, several in found.items()}


def _machine(target: Target, said: Mapping[str, tuple[LabeledSeries, ...]], host_label: str) -> FleetMachine:
    job, instance = target
    figures = {series.labels.get("__name__", "").removeprefix("oomtop_"): series.value for series in said["figures"]}
    pressure = {series.labels.get("kind"): series.value for series in said["pressure"]}
    named = next(
        (series.labels[host_label] for series in (*said["up"], *said["figures"]) if host_label in series.labels), ""
    )
    kills = _first(said["kills"])
    return FleetMachine(
        job=job,
        instance=instance,
        host=named or _without_port(instance),
        up=all(series.value for series in said["up"]),
        total=figures.get("memory_total_bytes"),
        available=figures.get("memory_available_bytes"),
        swap_total=figures.get("swap_total_bytes"),
        swap_used=figures.get("swap_used_bytes"),
        some=pressure.get("some"),
        full=pressure.get("full"),
        shortage=_shortage(said),
        worst=_worst(said),
        victim=_victim(said),
        kills=None if kills is None else kills.value,
        last_kill=figures.get("last_oom_kill_timestamp_seconds"),
        killed_in=_killed_in(said),
        alerts=_alerts(said),
        sampled=figures.get("sample_timestamp_seconds"),
        history=next((series.points for series in said["history"]), ()),
    )


def _first(series: tuple[LabeledSeries, ...]) -> LabeledSeries | None:
    return series[0] if series else None


def _shortage(said: Mapping[str, tuple[LabeledSeries, ...]]) -> FleetShortage | None:
    first = _first(said["shortage"])
    if first is None:
        return None
    resource = first.labels.get("resource", "")
    ends = {
        series.labels.get("__name__", ""): series.value
        for series in said["ends"]
        if series.labels.get("resource", "") == resource
    }
    earliest, latest = ends.get("oomtop_exhaustion_earliest_seconds"), ends.get("oomtop_exhaustion_latest_seconds")
    return FleetShortage(resource, first.value, earliest, latest)


def _worst(said: Mapping[str, tuple[LabeledSeries, ...]]) -> FleetGroup | None:
    first = _first(said["worst"])
    if first is None:
        return None
    path = first.labels.get("cgroup", "")
    headroom = next((series.value for series in said["headroom"] if series.labels.get("cgroup") == path), None)
    limit = next((series.value for series in said["limit"] if series.labels.get("cgroup") == path), None)
    return None if headroom is None else FleetGroup(path, headroom, limit)


def _victim(said: Mapping[str, tuple[LabeledSeries, ...]]) -> NextVictim | None:
    first = _first(said["victim"])
    if first is None:
        return None
    labels, frees = first.labels, _first(said["frees"])
    return NextVictim(
        labels.get("process", ""),
        labels.get("unit", ""),
        labels.get("pid", ""),
        first.value,
        None if frees is None else frees.value,
    )


def _killed_in(said: Mapping[str, tuple[LabeledSeries, ...]]) -> str | None:
    first = _first(said["killed"])
    return None if first is None else first.labels.get("cgroup") or first.labels.get("killer")


def _alerts(said: Mapping[str, tuple[LabeledSeries, ...]]) -> tuple[str, ...]:
    """Return the names of Prometheus' alerts on it, then of its own."""
    rules = (series.labels.get("alertname", "") for series in said["alerts"])
    own = (series.labels.get("alert", "") for series in said["own_alerts"])
    return tuple(dict.fromkeys((*rules, *own)))


def _without_port(instance: str) -> str:
    """Return the host of `host:port` and `[::1]:port`."""
    if instance.startswith("["):
        return instance[1:].partition("]")[0]
    host, colon, port = instance.rpartition(":")
    return host if colon and port.isdigit() and ":" not in host else instance


def need(machine: FleetMachine) -> tuple[float, ...]:
    """Return what orders the rows: not answering, then full soonest, most stalled, least available."""
    soon = math.inf if machine.shortage is None else machine.shortage.seconds
    share = machine.available_share
    return (float(machine.up), soon, -(machine.full or 0.0), -(machine.some or 0.0), 1.0 if share is None else share)
