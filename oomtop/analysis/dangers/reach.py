"""The time to a limit: a range of seconds from a parabola, or from three samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import exp, inf, log, log1p, sqrt

from oomtop.analysis.dangers.fits import Fit, differences
from oomtop.frozen import frozen, replace

# Noise of memory use is correlated between points: use twice the textbook errors.
_DEPENDENT = 2.0
# Standard errors of slope and bend at the end of a parabola, and of the slope of a line, times T, T^2, T and sqrt(n).
_SE_RATE, _SE_BEND, _SE_LINE = 13.9, 26.8, 3.5
_BENDS = 0.2
# Beyond this the first half of a window hardly grew, and its growth is no factor.
_MOST_BENT = 1.1
_PAD, _PAD_FAR = 0.05, 0.12
_THREE_PAD = 0.3
_BURST = 1.5
# Standard error of the bend of a parabola through a random walk, times sqrt(T^3 / variance per second): sqrt(120 / 7).
_WALK_BEND = 4.14
_DEVIATIONS = 2.7
_ALIKE = 0.3
_SUDDEN = 120.0
_WINDOWS, _SOON, _RATES_PAD = (4.0, 8.0, 16.0), 40.0, 0.15
_FIRST_WINDOWS = (1.0, 2.0, 4.0)
"""Of what has not grown for as long."""
# A trend that takes half a day or more needs minutes, not seconds, to stand out from noise.
_LEAST_RATE = 2e-5
_USUAL_SECONDS = 30.0


@frozen
class Reach:
    """Seconds to the limit; `latest` is infinite if the growth may level off before."""

    earliest: float
    median: float
    latest: float
    seconds: float
    """Seconds for which the growth was seen."""
    basis: str
    scatter: float = 0.0
    unsure: float = 0.0
    """By which share the time may differ if the rate goes on changing as it did."""

    def padded(self, share: float, seconds: float) -> Reach:
        """Return the range widened at both ends, by a share and then by a number of seconds."""
        earliest = max(0.0, min(self.earliest, self.median) / (1 + share) - seconds)
        latest = max(self.latest, self.median) * (1 + share) + seconds
        return replace(self, earliest=earliest, latest=latest)

    def strayed(self, fit: Fit, room: float) -> Reach:
        """Return a range at least as wide as that of a random walk about the trend of a fit.

        It strays by what is added in the time it takes, and by the errors of rate and bend: the variances and the
        covariance of least squares through a random walk.
        """
        seconds = max(1.0, self.median)
        far = seconds / fit.seconds
        does_bend = self.basis == "accelerating"
        spread = 1 + 5.5 * far + 8.6 * far**2 + 4.3 * far**3 if does_bend else 1 + 1.2 * far
        variance = fit.drift(fit.bend if does_bend else 0.0) * seconds * spread
        unsure = _DEVIATIONS * sqrt(variance) / max(1.0, room)
        earliest, latest = self.median / (1 + unsure), self.median * (1 + unsure)
        return replace(self, earliest=min(self.earliest, earliest), latest=max(self.latest, latest), unsure=unsure)


def reach(fit: Fit, room: float, limit: int) -> Reach | None:
    """Return when the growth of a fit uses up `room`, None if it does not grow."""
    error = _DEPENDENT * fit.scatter / sqrt(fit.points) / fit.seconds
    least = limit * _LEAST_RATE * _USUAL_SECONDS / max(_USUAL_SECONDS, fit.seconds)
    rate, bend, error_bend = fit.rate, fit.bend, error * _SE_BEND / fit.seconds
    does_bend = abs(bend) > 2 * error_bend and abs(bend) * fit.seconds > _BENDS * abs(fit.steady_rate)
    if does_bend and bend > 0:
        # Rates that change at random bend a curve as well.
        does_bend = bend > 2 * _WALK_BEND * sqrt(fit.drift(bend) / fit.seconds**3)
    if not does_bend:
        return _linear(fit, room, least, error * _SE_LINE)
    if rate <= max(least, 2 * error * _SE_RATE):
        return None
    return _accelerating(fit, room) if bend > 0 else _slowing(fit, room)


def _linear(fit: Fit, room: float, least: float, error: float) -> Reach | None:
    rate = fit.steady_rate
    if rate <= max(least, 2 * error):
        return None
    found = Reach(room / (rate + error), room / rate, room / (rate - error), fit.seconds, "linear", fit.scatter)
    # Growth in bursts reaches the limit a burst earlier or later than its line.
    return _far(found).padded(0.0, _BURST * fit.scatter / rate)


def _accelerating(fit: Fit, room: float) -> Reach:
    """Between a parabola and an exponential with the same rate and bend."""
    late = 2 * room / (fit.rate + sqrt(fit.rate**2 + 2 * fit.bend * room))
    grows = fit.bend / fit.rate
    early = log1p(grows * room / fit.rate) / grows
    return _far(Reach(early, sqrt(early * late), late, fit.seconds, "accelerating", fit.scatter))


def reach_exponential(fit: Fit, room: float) -> Reach:
    """Return when an exponential with the same growth in both halves of the window uses up `room`.

    The parabola has the bend of the middle of its window; an exponential bends more at the end.
    """
    bent = min(_MOST_BENT, fit.bend * fit.seconds / fit.rate)
    grows = 2 * log((1 - bent / 4) / (1 - 3 * bent / 4)) / fit.seconds
    grown = fit.seconds * (fit.rate - fit.bend * fit.seconds / 2)
    rate = max(fit.rate, grows * grown / (1 - exp(-grows * fit.seconds)))
    early = log1p(grows * room / rate) / grows
    return _far(Reach(early, early, early, fit.seconds, "accelerating", fit.scatter))


def _slowing(fit: Fit, room: float) -> Reach:
    line = room / fit.rate
    left = fit.rate**2 + 2 * fit.bend * room
    if left <= 0:
        return _far(Reach(line, line, inf, fit.seconds, "slowing", fit.scatter))
    late = (fit.rate - sqrt(left)) / -fit.bend
    return _far(Reach(line, sqrt(line * late), late, fit.seconds, "slowing", fit.scatter))


def _far(found: Reach) -> Reach:
    """Widen a range in proportion to how far it extrapolates."""
    return found.padded(_PAD + _PAD_FAR * sqrt(found.median / found.seconds), 0.5)


def reach_by_three(points: Sequence[tuple[float, float]], room: float, floor: float) -> Reach | None:
    """Return when the growth of the last three samples uses up `room`, if soon and equal in both steps."""
    last = points[-3:]
    if len(last) < 3 or last[-1][0] - last[0][0] < 0.9:
        return None
    rates = differences(last)
    steps = [after[1] - before[1] for before, after in pairwise(last)]
    if len(rates) < 2 or min(steps) <= floor or min(rates) < _ALIKE * max(rates):
        return None
    seconds = last[-1][0] - last[0][0]
    rate = (last[-1][1] - last[0][1]) / seconds
    if room / rate > _SUDDEN:
        return None
    found = Reach(room / max(rates), room / rate, room / min(rates), seconds, "linear")
    return found.padded(_THREE_PAD, 0.5)


def reach_by_rates(points: Sequence[tuple[float, float]], room: float, floor: float) -> Reach | None:
    """Return when `room` is used up at the rates of the last seconds: what grows unevenly, and is soon full.

    The confidence in it is low: its scatter is infinite.
    """
    rates = _rates(points, _WINDOWS, floor) or _rates(points, _FIRST_WINDOWS, floor)
    if not rates:
        return None
    if room / max(rates) > _SOON:
        return None
    found = Reach(room / max(rates), room / sorted(rates)[1], room / min(rates), _WINDOWS[-1], "linear", inf)
    return found.padded(_RATES_PAD, 0.5)


def _rates(points: Sequence[tuple[float, float]], windows: Sequence[float], floor: float) -> list[float]:
    """Return the rates over some seconds each, none where it was not seen or did not grow for as long."""
    now, size = points[-1] if points else (0.0, 0.0)
    firsts = [next((point for point in reversed(points) if point[0] <= now - seconds), None) for seconds in windows]
    rates = [(size - first[1]) / (now - first[0]) for first in firsts if first is not None and size - first[1] > floor]
    return rates if len(rates) == len(windows) else []


def widest(reaches: Iterable[Reach]) -> Reach:
    """Return the union of ranges, with the median of the first."""
    found = list(reaches)
    first = found[0]
    return Reach(
        min(each.earliest for each in found), first.median, max(each.latest for each in found),
        first.seconds, first.basis, first.scatter,
    )  # fmt: skip
