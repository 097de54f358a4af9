"""The table of machines as plain text, for `oomtop fleet --once` and for the lines of its screen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from oomtop.fleet.machines import FleetMachine
from oomtop.frozen import frozen
from oomtop.units import DASH, format_about, format_bytes, format_count, format_duration, format_share, printable

_STALE = 60.0
"""Seconds without a new sample from which on the figures are called old: twelve intervals of the exporter."""
_SOON = 1800.0
_STALLED = 0.1
DOWN, OLD, ALERT = "DOWN", "OLD", "ALERT"
NOTHING = "no machines: Prometheus has no series of oomtop exporter (docs/monitoring.md)"


@frozen
class FleetColumn:
    """A column: its title, its width (0: as wide as its texts need, at most 30), and what it says of a machine."""

    title: str
    width: int
    text: Callable[[FleetMachine, float], str]
    order: Callable[[FleetMachine], tuple[float | str, ...]]
    """What it is sorted by, the most pressing first; what is unknown comes last."""
    right: bool = True


def _rising(value: float | None) -> tuple[float, ...]:
    return (math.inf if value is None else value,)


def _falling(value: float | None) -> tuple[float, ...]:
    return (math.inf if value is None else -value,)


def state_of(machine: FleetMachine, now: float) -> str:
    """Return `DOWN`, `OLD` for figures that are not renewed, `ALERT` while one fires, else `up`."""
    if not machine.up:
        return DOWN
    if machine.sampled is not None and now - machine.sampled > _STALE:
        return OLD
    return ALERT if machine.alerts else "up"


def is_pressing(machine: FleetMachine) -> bool:
    """Whether it is full within half an hour or waits for memory a tenth of its time."""
    soon = machine.shortage is not None and machine.shortage.seconds < _SOON
    return soon or (machine.full or 0.0) >= _STALLED


def _full_in(machine: FleetMachine, now: float) -> str:
    return DASH if machine.shortage is None else format_about(machine.shortage.seconds)


def _kill(machine: FleetMachine, now: float) -> str:
    return DASH if not machine.last_kill else f"{format_duration(max(0.0, now - machine.last_kill))} ago"


def _victim(machine: FleetMachine, now: float) -> str:
    victim = machine.victim
    return DASH if victim is None else f"{printable(victim.name)} {format_share(victim.share)}"


def _worst_share(machine: FleetMachine) -> tuple[float, ...]:
    worst = machine.worst
    return _rising(None if worst is None or not worst.limit else worst.headroom / worst.limit)


def _worst(machine: FleetMachine, now: float) -> str:
    if machine.worst is None:
        return DASH
    name = printable(machine.worst.path.rstrip("/").rsplit("/", 1)[-1]) or "/"
    return f"{name[:20]} {format_bytes(machine.worst.headroom)} left"


MACHINE = FleetColumn("MACHINE", 0, lambda m, _: printable(m.instance), lambda m: (m.instance,), right=False)
COLUMNS = (
    MACHINE,
    FleetColumn("STATE", 5, state_of, lambda m: (m.up, -len(m.alerts)), right=False),
    FleetColumn("FULL IN", 7, _full_in, lambda m: _rising(m.shortage.seconds if m.shortage else None)),
    FleetColumn("FULL%", 5, lambda m, _: format_share(m.full), lambda m: _falling(m.full)),
    FleetColumn("AVAIL", 5, lambda m, _: format_bytes(m.available), lambda m: _rising(m.available)),
    FleetColumn("AVAIL%", 6, lambda m, _: format_share(m.available_share), lambda m: _rising(m.available_share)),
    FleetColumn("LAST KILL", 10, _kill, lambda m: _falling(m.last_kill or None)),
    FleetColumn("NEXT VICTIM", 20, _victim, lambda m: _falling(m.victim.share if m.victim else None), right=False),
    FleetColumn("TOTAL", 5, lambda m, _: format_bytes(m.total), lambda m: _falling(m.total)),
    FleetColumn("SOME%", 5, lambda m, _: format_share(m.some), lambda m: _falling(m.some)),
    FleetColumn("SWAP", 5, lambda m, _: format_bytes(m.swap_used), lambda m: _falling(m.swap_used)),
    FleetColumn("KILLS/h", 7, lambda m, _: format_count(m.kills), lambda m: _falling(m.kills)),
    FleetColumn("WORST CGROUP", 32, _worst, _worst_share, right=False),
)
"""In the order in which a narrow terminal gives them up from the end."""


def fit(machines: Sequence[FleetMachine], width: int) -> tuple[tuple[FleetColumn, int], ...]:
    """Return the columns that a width has room for, each with its own."""
    widest = max((len(printable(machine.instance)) for machine in machines), default=0)
    chosen = [(MACHINE, min(30, max(len(MACHINE.title), widest)))]
    left = width - chosen[0][1]
    for column in COLUMNS[1:]:
        if left < column.width + 1:
            break
        chosen.append((column, column.width))
        left -= column.width + 1
    return tuple(chosen)


def title_line(columns: Sequence[tuple[FleetColumn, int]]) -> str:
    """Return the titles above the columns."""
    return " ".join(_aligned(column.title, width, column.right) for column, width in columns).rstrip()


def machine_line(machine: FleetMachine, columns: Sequence[tuple[FleetColumn, int]], now: float) -> str:
    """Return one machine."""
    cells = (_aligned(column.text(machine, now), width, column.right) for column, width in columns)
    return " ".join(cells).rstrip()


def _aligned(text: str, width: int, right: bool) -> str:
    return text[:width].rjust(width) if right else text[:width].ljust(width)


def describe(machine: FleetMachine, now: float) -> Iterator[str]:
    """Yield all that is known about one machine, a fact a line."""
    yield f"{printable(machine.instance)} (job {printable(machine.job)}): {_in_words(machine, now)}"
    swap = (
        f", swap {format_bytes(machine.swap_used)} of {format_bytes(machine.swap_total)}" if machine.swap_total else ""
    )
    share = format_share(machine.available_share)
    yield f"memory     {format_bytes(machine.available)} of {format_bytes(machine.total)} available ({share}){swap}"
    yield f"pressure   some {format_share(machine.some)}, full {format_share(machine.full)} of the last 10 s"
    yield f"full       {_outlook(machine)}"
    worst = machine.worst
    if worst is not None:
        yield f"cgroup     {printable(worst.path)}: {format_bytes(worst.headroom)} left of {format_bytes(worst.limit)}"
    victim = machine.victim
    if victim is not None:
        unit = f" of {printable(victim.unit)}" if victim.unit else ""
        yield (
            f"victim     {printable(victim.pid)} {printable(victim.name)}{unit}, badness {format_share(victim.share)}, "
            f"would free {format_bytes(victim.frees)}"
        )
    where = f"; most of them in {printable(machine.killed_in)}" if machine.killed_in else ""
    yield f"OOM kills  {format_count(machine.kills)} in the last hour, the last one {_kill(machine, now)}{where}"
    if machine.alerts:
        yield f"alerts     {', '.join(map(printable, machine.alerts))}"


def _in_words(machine: FleetMachine, now: float) -> str:
    state = state_of(machine, now)
    if state == DOWN:
        return "does not respond to Prometheus"
    age = "" if machine.sampled is None else f", sampled {format_duration(max(0.0, now - machine.sampled))} ago"
    return f"up{age}"


def _outlook(machine: FleetMachine) -> str:
    shortage = machine.shortage
    if shortage is None:
        return "no growth, or not known yet"
    ends = f" ({format_about(shortage.earliest)} to {format_about(shortage.latest)})" if shortage.earliest else ""
    return f"{printable(shortage.resource)} in {format_about(shortage.seconds)}{ends}"


def render_fleet(machines: Sequence[FleetMachine], now: float, width: int) -> str:
    """Return the whole table."""
    if not machines:
        return NOTHING
    columns = fit(machines, width)
    return "\n".join((title_line(columns), *(machine_line(machine, columns, now) for machine in machines)))
