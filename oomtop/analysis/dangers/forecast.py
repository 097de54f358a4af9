"""Forecasts when a limit is reached if the trend continues, as a range over several estimates.

Three samples show a surge that begins now; the longest window that one parabola describes shows steady and
accelerating growth; peaks show a saw-tooth; the previous round shows a crash loop.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import inf, sqrt
from operator import itemgetter

from oomtop.analysis.dangers.fits import Fit, all_fits, differences
from oomtop.analysis.dangers.reach import Reach, reach, reach_by_rates, reach_by_three, reach_exponential, widest
from oomtop.analysis.dangers.rounds import LAST_ROUND, by_last_round
from oomtop.analysis.dangers.teeth import Teeth, find_teeth
from oomtop.analysis.model.danger import Confidence, DangerState, Forecast
from oomtop.frozen import frozen, replace

Points = Sequence[tuple[float, float]]
WIDEST = 5.0
"""A range wider than this factor is not a forecast."""
FASTEST = 10.0
"""An average rate above this multiple of the present one is not a forecast."""
FARTHEST = 48 * 3600.0
_STILL = 0.002
_RECENT, _GOES_ON, _LONG, _START = 25.0, 0.3, 20.0, 1.5
_FLOOR, _LEAST_FLOOR = 0.0008, 64 << 10
_OUT_OF_TEETH = 0.03
_FALLING = 0.002
_UNEVEN, _OF_PERIOD = 0.5, 0.6
_NARROW, _NARROW_SECONDS = 0.8, 0.5
_OF_SCATTER, _NEWER = 3.0, 0.4
# Of saw-teeth longer than a minute, the first still looks like a leak: it has to last for as long as is left.
_HIGH_SECONDS, _HIGH_AHEAD, _PEAKS_AHEAD = 60.0, 1.0, 4.0
_MEDIUM_SECONDS, _MEDIUM_AHEAD = 8.0, 12.0
_EVEN, _UNEVEN_AHEAD = 0.12, 0.5
_HIGH_UNSURE, _MEDIUM_UNSURE = 0.5, 1.2
_WIDER, _CALM = 4.0, 0.05
_SMOOTH = 0.015


@frozen
class Outlook:
    """The trend of a curve; `rate` is None until there are enough points."""

    state: DangerState
    rate: float | None = None
    forecast: Forecast | None = None
    seconds: float = 0.0
    """Seconds for which the current climb has been seen."""


@frozen
class Curve:
    """The use of one limit as (monotonic, bytes), oldest first, and other input of its forecast."""

    dense: Points
    thin: Points
    now: float
    limit: int
    room: float
    kills: Sequence[float] = ()
    """Monotonic times of the kills at this limit, newest first."""


def foretell(curve: Curve) -> Outlook:
    """Return the forecast for a limit."""
    if _is_still(curve):
        return Outlook(DangerState.STEADY, 0.0)
    since = curve.kills[0] if curve.kills else float("-inf")
    points = curve.dense[bisect_right(curve.dense, since, key=itemgetter(0)) :]
    older = [point for point in curve.thin if since < point[0] < (points[0][0] if points else 0.0)]
    teeth = find_teeth([*older, *points], curve.limit)
    start = teeth.trough[0] if teeth.trough is not None else since
    climb = points[bisect_left(points, start, key=itemgetter(0)) :]
    again = by_last_round(curve.dense, climb, curve.kills, curve.limit, curve.now)
    rate = _present_rate(points)
    if rate is None:
        return Outlook(DangerState.WATCHING)
    known = again or _by_peaks(curve, teeth)
    if again is None and teeth.peaks and _stays_in(teeth, curve):
        seen = curve.now - teeth.peaks[0][0]
        return Outlook(DangerState.STEADY, rate, None, seen) if known is None else _outlook(known, rate, seen, curve)
    return _by_climb(curve, climb, [point for point in older if point[0] >= start], rate, known)


def _is_still(curve: Curve) -> bool:
    """Whether the use never changed: a cheap check that covers most limits."""
    if len(curve.dense) < 2:
        return False
    sizes = [size for _, size in curve.dense] + [size for _, size in curve.thin]
    return max(sizes) - min(sizes) < curve.limit * _STILL


def _present_rate(climb: Points) -> float | None:
    """Return bytes per second over the last three seconds or samples; None where all are of one instant."""
    if len(climb) < 2:
        return None
    first = next((point for point in reversed(climb[:-2]) if point[0] <= climb[-1][0] - 3.0), climb[0])
    return next(iter(differences([first, climb[-1]])), None)


def _stays_in(teeth: Teeth, curve: Curve) -> bool:
    """Whether the current climb is a tooth like the others and will end below the limit."""
    held = curve.dense[-1][1]
    rise = max(0.0, teeth.rise)
    expected = teeth.highest + rise
    return held <= expected + curve.limit * _OUT_OF_TEETH and expected + rise * _UNEVEN < held + curve.room


def _by_climb(curve: Curve, climb: Points, older: Points, rate: float, known: Reach | None) -> Outlook:
    floor = max(_LEAST_FLOOR, curve.limit * _FLOOR)
    is_again = known is not None and known.basis == LAST_ROUND
    found = known if is_again else _or_peaks(_by_trend(curve, climb, older, floor), known)
    if found is None or _is_guess(found, rate, curve.room):
        found = reach_by_rates(climb, curve.room, floor) or found
    seen = climb[-1][0] - climb[0][0]
    if found is None:
        return Outlook(calm(rate, curve.limit), rate, None, seen)
    return _outlook(found, rate, seen, curve)


def _by_trend(curve: Curve, climb: Points, older: Points, floor: float) -> Reach | None:
    every = all_fits(climb, older, curve.now)
    fits = [fit for fit in every if fit.holds(floor)]
    noise = fits[-1].scatter if fits else 0.0
    sudden = None if _is_start(curve) else reach_by_three(climb, curve.room, max(floor, _OF_SCATTER * noise))
    lasting, soonest = _lasting(fits, curve)
    found = _chosen(lasting, sudden)
    if found is None:
        return None
    if soonest is not None and found.basis == "accelerating":
        found = _widened(found, soonest)
    return _strayed(found, every, curve.now - _begun(climb, floor), curve.room)


def _or_peaks(found: Reach | None, peaks: Reach | None) -> Reach | None:
    """Return the range of a climb, or that of the peaks if one of them comes before, as of spikes over a leak."""
    if peaks is None or (found is not None and peaks.median >= found.earliest):
        return found
    both = peaks if found is None else widest((peaks, found))
    sure = (reach for reach in (both, peaks) if not _is_too_wide(reach))
    narrow = Reach(peaks.median, peaks.median, peaks.median, peaks.seconds, peaks.basis, unsure=inf)
    return next(sure, narrow.padded(_NARROW, _NARROW_SECONDS))


def _strayed(found: Reach, every: Sequence[Fit], grown: float, room: float) -> Reach:
    """Return a range for changes of the rate like those while it grew; one that gets too wide stays, but is unsure."""
    seen = min(grown, _WIDER * found.seconds)
    fit = next((fit for fit in reversed(every) if fit.seconds <= seen), None)
    if fit is None:
        return found
    strayed = found.strayed(fit, room)
    return replace(found, unsure=inf) if _is_too_wide(strayed) else strayed


def _begun(climb: Points, floor: float) -> float:
    """Return when the growth began: calm before it says nothing of how it changes."""
    (_, first), (_, last) = climb[0], climb[-1]
    least = first + floor + _CALM * (last - first)
    return climb[max(0, bisect_right(climb, least, key=itemgetter(1)) - 1)][0]


def _is_start(curve: Curve) -> bool:
    """Whether it is new and less than half full: everything grows fast at start."""
    first = curve.thin[0][0] if curve.thin else curve.dense[0][0]
    return curve.now - first < _START and curve.dense[-1][1] < curve.limit / 2


def _lasting(fits: Sequence[Fit], curve: Curve) -> tuple[Reach | None, Reach | None]:
    """Return the range of the longest window, and that of an exponential where it accelerates.

    The last third of an accelerating window shows whether it does so more and more.
    """
    found = reach(fits[-1], curve.room, curve.limit) if fits else None
    if found is None or (found.basis == "linear" and found.median > 0 and _is_over(fits, curve.room / found.median)):
        return None, None
    if found.basis != "accelerating":
        return found, None
    newer = next((fit for fit in reversed(fits) if fit.seconds <= found.seconds * _NEWER), None)
    second = None if newer is None else reach(newer, curve.room, curve.limit)
    if newer is None or second is None or second.basis != "accelerating":
        return found, reach_exponential(fits[-1], curve.room)
    if second.earliest >= found.earliest:
        return found, None
    soonest = reach_exponential(newer, curve.room)
    return replace(widest((found, second)), median=sqrt(found.median * soonest.median)), soonest


def _widened(found: Reach, soonest: Reach) -> Reach:
    """Return a range that includes another one, unless that makes it too wide."""
    both = widest((found, soonest))
    return found if _is_too_wide(both) else both


def _is_over(fits: Sequence[Fit], rate: float) -> bool:
    """Whether the last half minute contradicts a slower trend and is smooth enough to say so."""
    recent = next((fit for fit in fits if fit.seconds >= _RECENT), None)
    if recent is None:
        return False
    return recent.steady_rate < rate * _GOES_ON and recent.scatter < rate * recent.seconds / 4


def _chosen(lasting: Reach | None, sudden: Reach | None) -> Reach | None:
    """Return the range of the lasting trend, widened while the newest samples disagree."""
    if lasting is None or sudden is None:
        return lasting or sudden
    if lasting.earliest <= sudden.median <= lasting.latest:
        return lasting
    # Trust long windows; a parabola over a few seconds may be the start of something new.
    both = widest((lasting, sudden) if lasting.seconds >= _LONG else (sudden, lasting))
    return both if both.latest <= WIDEST * max(1.0, both.earliest) else sudden


def _outlook(found: Reach, rate: float, seen: float, curve: Curve) -> Outlook:
    if _is_guess(found, rate, curve.room) or found.median > FARTHEST:
        return Outlook(DangerState.UNSTEADY, rate, None, seen)
    if found.basis in ("linear", "peaks"):
        # Not the rate of the last seconds: room, rate and time must agree.
        rate = curve.room / max(found.median, 1e-3)
    forecast = Forecast(found.earliest, found.median, found.latest, _confidence(found, curve), found.basis)
    return Outlook(DangerState.FILLING, rate, forecast, seen)


def _is_guess(found: Reach, rate: float, room: float) -> bool:
    """Whether a range is too wide, or takes many times the present rate on average: a few seconds show no such bend."""
    is_outrun = found.basis == "accelerating" and room > FASTEST * max(rate, 0.0) * found.median
    return is_outrun or _is_too_wide(found)


def _is_too_wide(found: Reach) -> bool:
    return found.latest > WIDEST * max(1.0, found.earliest)


def _confidence(found: Reach, curve: Curve) -> Confidence:
    """Return the confidence: smooth growth seen for long, compared with how far ahead it reaches."""
    if found.basis == LAST_ROUND:
        return Confidence.HIGH if len(curve.kills) > 1 else Confidence.MEDIUM
    ahead = found.median / max(1.0, found.seconds)
    is_smooth = found.scatter <= curve.limit * _SMOOTH and found.basis in ("linear", "accelerating")
    farthest = _HIGH_AHEAD if found.unsure <= _EVEN else _UNEVEN_AHEAD
    if is_smooth and found.unsure <= _HIGH_UNSURE and found.seconds >= _HIGH_SECONDS and ahead <= farthest:
        return Confidence.HIGH
    farthest = _PEAKS_AHEAD if found.basis == "peaks" else _MEDIUM_AHEAD
    is_medium = (
        found.seconds >= _MEDIUM_SECONDS
        and ahead <= farthest
        and found.scatter <= curve.limit * _SMOOTH
        and found.unsure <= _MEDIUM_UNSURE
    )
    return Confidence.MEDIUM if is_medium else Confidence.LOW


def _by_peaks(curve: Curve, teeth: Teeth) -> Reach | None:
    """Return when the first peak of a saw-tooth is above the limit, None where its peaks do not rise."""
    rise, period = teeth.rise, teeth.period
    if period is None or rise <= 0:
        return None
    (at, peak), limit = teeth.peaks[-1], curve.dense[-1][1] + curve.room
    teeth_left = -(-(limit - peak) // rise)
    # That tooth goes like the last one.
    least = limit - teeth_left * rise
    crossed = next((time for time, size in curve.dense if time > at - period and size >= least), at)
    median = max(1.0, crossed + teeth_left * period - curve.now)
    seen = curve.now - teeth.peaks[0][0]
    return Reach(median, median, median, seen, "peaks").padded(0.1 + 0.5 / len(teeth.peaks), period * _OF_PERIOD)


def calm(rate: float, limit: int) -> DangerState:
    """Return the state of a limit without a forecast."""
    return DangerState.FALLING if rate < -limit * _FALLING else DangerState.STEADY
