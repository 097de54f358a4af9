"""Fits least-squares parabolas to the end of a curve, over windows of growing length, in one pass.

A window is valid if a parabola describes it: its scatter, and its distance from the newest points, are
small compared with its rise or the point-to-point noise.  So a surge after calm is fitted over its own seconds, a
steady leak over all its minutes, and a staircase over enough steps to look even.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from oomtop.frozen import frozen

_FINE, _MIDDLE, _COARSE = 1.0, 4.0, 15.0
"""Seconds between the points of windows up to 40 s, up to five minutes, and above."""
_LENGTHS = (5, 7, 9, 12, 16, 21, 28, 37, 49, 65, 86, 114, 151)
_OF_RISE, _OF_NOISE = 0.01, 3.0
_LAG = 0.25


@frozen
class Fit:
    """A parabola through the newest points: `rate` and `bend` are its first and second derivative now."""

    seconds: float
    points: int
    rate: float
    bend: float
    steady_rate: float
    """The slope of the straight line through the same points."""
    scatter: float
    """Root mean square distance of the points from the parabola."""
    rise: float
    noise: float
    """Point-to-point noise: the root mean square of the second differences over the square root of six, without the two
    largest: a single corner or jump is not noise."""
    end_off: float
    """Distance of the newest points above the parabola."""
    values: Sequence[float] = ()
    """The points it was made of, newest first, and older ones."""

    def drift(self, bend: float) -> float:
        """Return the variance, in square bytes, that the use gains in a second beside its trend.

        The variance of random increments grows with time, that of noise does not: it is taken over a quarter of the
        window.  What the trend itself took up of it, as of a Brownian bridge, is added again.
        """
        step = self.seconds / (self.points - 1)
        lag = max(1, round((self.points - 1) * _LAG))
        rate, width = (self.rate if bend else self.steady_rate), lag * step
        # The increment of c + b x + a x^2 from x - w to x, x = -at * step.
        grown, bent = rate * width - bend * width * width / 2, bend * width * step
        pairs = zip(self.values[: self.points - lag], self.values[lag : self.points], strict=True)
        total = sum([(new - old - grown + bent * at) ** 2 for at, (new, old) in enumerate(pairs)])
        return total / (self.points - lag) / width / (1 - _LAG) ** (2 if bend else 1)

    def holds(self, floor: float) -> bool:
        """Whether the parabola describes its points."""
        bound = max(self.rise * _OF_RISE, self.noise * _OF_NOISE, floor)
        return self.scatter <= bound and abs(self.end_off) <= 2 * bound


def even(points: Sequence[tuple[float, float]], now: float, step: float, most: int) -> list[float]:
    """Return `most` values at `now`, `now - step`, ... back to the first point, newest first, by interpolation."""
    found: list[float] = []
    time, place, after = now, len(points) - 1, None
    while place >= 0 and len(found) < most:
        at, value = points[place]
        if at > time:
            after = points[place]
            place -= 1
            continue
        width = 0.0 if after is None else after[0] - at
        found.append(value if after is None or width <= 0 else value + (after[1] - value) * (time - at) / width)
        time -= step
    return found


def fits(values: Sequence[float], step: float, above: float = 0.0) -> Iterator[Fit]:
    """Yield the fits of values, newest first, for windows of growing length, those above some seconds."""
    sums = [0.0] * 9
    rough, largest, second, base = 0.0, 0.0, 0.0, values[0] if values else 0.0
    wanted = iter(_LENGTHS)
    length = next(wanted)
    for place, value in enumerate(values):
        _accumulate(sums, -place * step, value - base)
        if place > 1:
            bend = (value - 2 * values[place - 1] + values[place - 2]) ** 2
            rough += bend
            if bend > largest:
                largest, second = bend, largest
            elif bend > second:
                second = bend
        if place + 1 == length:
            if place * step > above:
                yield _fit(sums, values, place + 1, step, rough - largest - second)
            length = next(wanted, 0)


def _accumulate(sums: list[float], x: float, y: float) -> None:
    x2 = x * x
    sums[0] += 1
    sums[1] += x
    sums[2] += x2
    sums[3] += x2 * x
    sums[4] += x2 * x2
    sums[5] += y
    sums[6] += x * y
    sums[7] += x2 * y
    sums[8] += y * y


def _fit(sums: Sequence[float], values: Sequence[float], count: int, step: float, rough: float) -> Fit:
    s0, s1, s2, s3, s4, sy, sxy, sx2y, syy = sums
    # Cramer's rule on the normal equations of y = c + b x + a x^2.
    det = s0 * (s2 * s4 - s3 * s3) - s1 * (s1 * s4 - s2 * s3) + s2 * (s1 * s3 - s2 * s2)
    c = (sy * (s2 * s4 - s3 * s3) - s1 * (sxy * s4 - s3 * sx2y) + s2 * (sxy * s3 - s2 * sx2y)) / det
    b = (s0 * (sxy * s4 - s3 * sx2y) - sy * (s1 * s4 - s2 * s3) + s2 * (s1 * sx2y - sxy * s2)) / det
    a = (s0 * (s2 * sx2y - sxy * s3) - s1 * (s1 * sx2y - sxy * s2) + sy * (s1 * s3 - s2 * s2)) / det
    left = max(0.0, syy - c * sy - b * sxy - a * sx2y)
    newest = [value - values[0] - (c - b * at * step + a * (at * step) ** 2) for at, value in enumerate(values[:2])]
    return Fit(
        seconds=(count - 1) * step,
        points=count,
        rate=b,
        bend=2 * a,
        steady_rate=(s0 * sxy - s1 * sy) / (s0 * s2 - s1 * s1),
        scatter=(left / count) ** 0.5,
        rise=abs(values[0] - values[count - 1]),
        noise=(max(0.0, rough) / (6 * (count - 2))) ** 0.5,
        end_off=sum(newest) / len(newest),
        values=values,
    )


def all_fits(points: Sequence[tuple[float, float]], older: Sequence[tuple[float, float]], now: float) -> list[Fit]:
    """Return the fits of all windows, the shortest first; `older` precedes the points."""
    if not points:
        return []
    seconds = now - points[0][0]
    found = list(fits(even(points, now, _FINE, 40), _FINE))
    if seconds > 40:
        found += fits(even(points, now, _MIDDLE, 80), _MIDDLE, 40)
    if older and seconds > 200:
        found += fits(even([*older, *points], now, _COARSE, 160), _COARSE, seconds)
    return found


def differences(points: Sequence[tuple[float, float]]) -> list[float]:
    """Return the rates from point to point, oldest first."""
    return [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in pairwise(points) if x2 > x1]
