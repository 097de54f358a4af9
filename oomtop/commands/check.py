"""`oomtop check`: a probe for Nagios, Icinga and scripts: one line of figures, exit code 0 to 3.

0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, as in the Monitoring Plugins guidelines.  Each condition takes
WARNING,CRITICAL; a single value is the critical one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from oomtop.commands.arguments import add_interval, age, count
from oomtop.frozen import frozen
from oomtop.units import printable

if TYPE_CHECKING:
    from oomtop.analysis.model.assessment import Assessment

HELP = "probe for Nagios and scripts: OK, WARNING, CRITICAL or UNKNOWN, with figures"
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_UNKNOWN = 3
USAGE_ERROR = _UNKNOWN
"""Usage errors exit with 3, UNKNOWN, as the Monitoring Plugins guidelines ask."""


@frozen
class Thresholds:
    """The value at which a figure becomes a warning (None: never) and the one at which it becomes critical."""

    warning: float | None
    critical: float


@frozen
class CheckResult:
    """One checked figure: `level` is 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""

    name: str
    value: float | None
    unit: str
    bounds: Thresholds
    below: bool
    level: int
    limit: str | None = None
    """Which limit it is the figure of, where there are several."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    per_cent, duration = _bounds(_percentage, rising=False), _bounds(age, rising=False)
    rising = _bounds(_percentage, rising=True)
    parser.add_argument(
        "--available",
        type=per_cent,
        metavar="WARNING,CRITICAL",
        help="available memory below these percentages of RAM",
    )
    parser.add_argument(
        "--swap-free", type=per_cent, metavar="WARNING,CRITICAL", help="free swap below these percentages of it"
    )
    parser.add_argument(
        "--psi-some", type=rising, metavar="WARNING,CRITICAL", help="memory PSI some avg60 above these percentages"
    )
    parser.add_argument(
        "--psi-full", type=rising, metavar="WARNING,CRITICAL", help="memory PSI full avg60 above these percentages"
    )
    parser.add_argument(
        "--headroom",
        type=per_cent,
        metavar="WARNING,CRITICAL",
        help="least headroom of any limited cgroup below these percentages of its limit",
    )
    parser.add_argument(
        "--exhaustion",
        type=duration,
        metavar="WARNING,CRITICAL",
        help="less than these times until memory or a limit is full, such as 1h,10m",
    )
    parser.add_argument(
        "--samples", type=count, default=1, metavar="N", help="number of samples; --exhaustion needs 10 (default: 1)"
    )
    add_interval(parser, 1)
    parser.add_argument("--json", action="store_true", help="the verdict and its figures as JSON, schema 1")


def _bounds(read: Callable[[str], float], rising: bool) -> Callable[[str], Thresholds]:
    def parse(text: str) -> Thresholds:
        words = text.split(",")
        if len(words) > 2:
            raise argparse.ArgumentTypeError(f"{text!r} is neither WARNING,CRITICAL nor a single value")
        values = [read(word) for word in words]
        if len(values) == 2 and (values[0] > values[1]) == rising and values[0] != values[1]:
            order = "below" if rising else "above"
            raise argparse.ArgumentTypeError(f"{text!r}: the warning value must be {order} the critical value")
        return Thresholds(values[0] if len(values) == 2 else None, values[-1])

    return parse


def _percentage(text: str) -> float:
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a percentage from 0 to 100")
    return value


def run(options: argparse.Namespace) -> int:
    """Take the samples, check each requested figure, and print one line."""
    try:
        assessment = _sample(options)
    except Exception as error:  # noqa: BLE001 - a probe always prints a verdict
        from oomtop.crash import reason_of

        _print(options.json, _UNKNOWN, reason_of(error), ())
        return _UNKNOWN
    readings = judge(assessment, options)
    # A known WARNING or CRITICAL outranks UNKNOWN.
    known = [reading.level for reading in readings if reading.level != _UNKNOWN]
    worst = max(known, default=_UNKNOWN) or (_UNKNOWN if len(known) < len(readings) else 0)
    said = "".join(f" ({problem.why})" for problem in assessment.problems if problem.what in _BOUNDING)
    _print(options.json, worst, f"{', '.join(map(_words, readings))}{said}", readings)
    return worst


def _print(as_json: bool, level: int, said: str, readings: Sequence[CheckResult]) -> None:
    if as_json:
        from oomtop.render.json_text import json_text

        figures = [_figure(reading) for reading in readings]
        print(json_text({"schema": 1, "status": _WORDS[level], "code": level, "text": said, "figures": figures}))
        return
    figures_text = " ".join(map(_perfdata, readings))
    print(f"OOMTOP {_WORDS[level]} - {said}" + (f" | {figures_text}" if readings else ""))


def _figure(reading: CheckResult) -> dict[str, object]:
    return {
        "name": reading.name,
        "value": reading.value,
        "unit": reading.unit,
        "warning": reading.bounds.warning,
        "critical": reading.bounds.critical,
        "is_bad_below": reading.below,
        "status": _WORDS[reading.level],
        "limit": reading.limit,
    }


def _sample(options: argparse.Namespace) -> Assessment:
    from oomtop.analysis.assessment import assess
    from oomtop.errors import OomtopError
    from oomtop.history import History
    from oomtop.sources.live import LiveSource

    source, history, assessment = LiveSource(options.interval), History(), None
    for tick in source.ticks():
        history.add(tick)
        assessment = assess(tick, history, assessment)
        if history.ticks >= options.samples:
            source.close()
    if assessment is None:
        raise OomtopError("no sample could be taken")
    return assessment


def judge(assessment: Assessment, options: argparse.Namespace) -> list[CheckResult]:
    """Return the result of every requested figure, or that of available memory if none was requested."""
    from oomtop.analysis.model.danger import DangerKind

    memory, swap, psi = assessment.memory, assessment.swap, assessment.pressure.memory
    asked = any(getattr(options, name) for name in _ASKABLE)
    available = options.available or (None if asked else Thresholds(10.0, 5.0))
    groups = [item for item in assessment.dangers if item.kind is DangerKind.CGROUP]
    fullest = max(groups, key=lambda item: item.share, default=None)
    times = [item for item in assessment.dangers if item.rate is not None]
    # The first danger is the soonest.
    soonest = next((item for item in assessment.dangers if item.median is not None), None)
    left = float("inf") if soonest is None else soonest.median
    limits = {name: item.name for name, item in (("headroom", fullest), ("exhaustion", soonest)) if item is not None}
    full = psi.full.avg60 if psi and psi.full else None
    candidates = (
        ("available", _per_cent(memory.available, memory.total), "%", available, True),
        ("swap_free", _per_cent(swap.free, swap.total), "%", options.swap_free, True),
        ("psi_some", psi.some.avg60 if psi else None, "%", options.psi_some, False),
        ("psi_full", full, "%", options.psi_full, False),
        ("headroom", 100.0 if fullest is None else 100 * (1 - fullest.share), "%", options.headroom, True),
        ("exhaustion", left if times else None, "s", options.exhaustion, True),
    )
    return [
        CheckResult(
            name, value, unit, bounds, below, _sure(name, _level(value, bounds, below), assessment), limits.get(name)
        )
        for name, value, unit, bounds, below in candidates
        if bounds is not None
    ]


def _sure(name: str, level: int, assessment: Assessment) -> int:
    """Return the level; OK needs every limit to have been read."""
    is_partial = name in ("headroom", "exhaustion") and assessment.unwatched_limits > 0
    return _UNKNOWN if is_partial and level == 0 else level


_BOUNDING = ("cgroups", "/proc/meminfo")
"""Problems that limit how far the figures can be trusted."""
_ASKABLE = ("available", "swap_free", "psi_some", "psi_full", "headroom", "exhaustion")


def _per_cent(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else 100 * part / whole


def _level(value: float | None, bounds: Thresholds, below: bool) -> int:
    if value is None:
        return _UNKNOWN
    for level, bound in ((2, bounds.critical), (1, bounds.warning)):
        if bound is not None and (value < bound if below else value > bound):
            return level
    return 0


def _words(reading: CheckResult) -> str:
    if reading.value == float("inf"):
        return f"{reading.name}: nothing is filling"
    value = "unknown" if reading.value is None else f"{reading.value:.1f}{reading.unit}"
    return f"{reading.name} {value}" + (f" ({printable(reading.limit)})" if reading.limit else "")


def _perfdata(reading: CheckResult) -> str:
    """Return `'label'=value[UOM];[warn];[crit];[min];[max]`; U is unknown, `10:` alerts below 10."""
    known = reading.value is not None and reading.value != float("inf")
    value = f"{reading.value:.2f}{reading.unit}" if known else "U"
    mark = ":" if reading.below else ""
    warning = "" if reading.bounds.warning is None else f"{reading.bounds.warning:g}{mark}"
    highest = "100" if reading.unit == "%" else ""
    return f"{reading.name}={value};{warning};{reading.bounds.critical:g}{mark};0;{highest}"
