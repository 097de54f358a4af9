"""A simulator: scripted curves of use, sampled about once a second, and what was foretold of them on every tick."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from oomtop.analysis.dangers.forecast import Curve, Outlook, foretell
from oomtop.analysis.dangers.rounds import LAST_ROUND
from oomtop.analysis.model.danger import Confidence
from oomtop.units import MIB

LIMIT = 100 * MIB
_THIN, _DENSE = 15.0, 300.0

Shape = Callable[[float], float]
"""From seconds since the start of a round to MiB held."""


@dataclass(frozen=True)
class Script:
    """One load in a group of `limit` bytes; a restarting one begins anew a second after each kill."""

    shape: Shape
    seconds: float = 330.0
    noise: float = 0.02
    limit: int = LIMIT
    restarts: bool = False


@dataclass(frozen=True)
class Told:
    """What was foretold on one tick; `truth` is infinite where the limit is never reached."""

    time: float
    truth: float
    outlook: Outlook

    @property
    def holds(self) -> bool:
        """Whether the truth lies within the range."""
        forecast = self.outlook.forecast
        return forecast is not None and forecast.earliest <= self.truth <= forecast.latest


@dataclass
class Run:
    """All ticks of a script, and its kills."""

    ticks: list[Told] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)

    @property
    def forecasts(self) -> list[Told]:
        """Return the ticks with a time."""
        return [tick for tick in self.ticks if tick.outlook.forecast is not None]


def play(script: Script, interval: float = 2.0, seed: int = 1) -> Run:
    """Return what is foretold, tick by tick."""
    noise, points, times = random.Random(seed), [], []
    thin: list[tuple[float, float]] = []
    kills: list[float] = []
    run, time, born, due = Run(), 0.0, 0.0, 0.0
    while time < script.seconds:
        if script.shape(time - born) * MIB >= script.limit:
            kills.insert(0, _reached(script, born, time))
            if not script.restarts:
                break
            born = kills[0] + 1.0
        size = script.shape(time - born) + noise.gauss(0, script.noise) if time >= born else 0.0
        held = max(0.0, size) * MIB // 4096 * 4096
        points.append((time, held))
        if not thin or time - thin[-1][0] >= _THIN:
            thin.append((time, held))
        if time >= due:
            due = time + interval - 1e-6
            dense = [point for point in points if point[0] > time - _DENSE]
            curve = Curve(dense, thin, time, script.limit, max(0.0, script.limit - held), tuple(kills))
            times.append((time, foretell(curve)))
        time += 1.0 + noise.uniform(-0.05, 0.05)
    ends = [*sorted(kills), born + _end(script)] if script.restarts else sorted(kills) or [_end(script)]
    run.kills = sorted(kills)
    run.ticks = [Told(at, min((end for end in ends if end > at), default=math.inf) - at, told) for at, told in times]
    return run


def _reached(script: Script, born: float, time: float) -> float:
    early, late = time - 1.1, time
    for _ in range(30):
        middle = (early + late) / 2
        early, late = (early, middle) if script.shape(middle - born) * MIB >= script.limit else (middle, late)
    return late


def _end(script: Script) -> float:
    """Return when a limit that the script does not reach in its time would be reached."""
    later = map(float, range(80_000))
    found = next((time for time in later if script.shape(time) * MIB >= script.limit), math.inf)
    return found if found == math.inf else _reached(script, 0.0, found)


def is_critical(outlook: Outlook) -> bool:
    """Whether a forecast is one for an alarm, as `severity_of` has it."""
    forecast = outlook.forecast
    if forecast is None:
        return False
    is_sure = forecast.confidence is not Confidence.LOW
    if forecast.median <= 10:
        return is_sure or outlook.seconds >= 3
    most = 120.0 if forecast.confidence is Confidence.HIGH else 30.0 if is_sure and outlook.seconds >= 30 else 0.0
    return forecast.median <= (most if forecast.basis == LAST_ROUND else min(most, outlook.seconds / 3))


def surge(rate: float, calm: float = 36.0) -> Shape:
    """Return 10 MiB for a while, then MiB a second."""
    return lambda time: 10 + max(0.0, time - calm) * rate


def changing(seed: int, low: float, high: float) -> Shape:
    """Return a climb that has another rate every 5 to 15 s, in MiB a second."""
    chance, times, sizes = random.Random(seed), [0.0], [5.0]
    while sizes[-1] < 130:
        seconds = chance.uniform(5, 15)
        times.append(times[-1] + seconds)
        sizes.append(sizes[-1] + seconds * chance.uniform(low, high))

    def shape(time: float) -> float:
        at = min(max(1, bisect_left(times, time)), len(times) - 1)
        share = (max(0.0, time) - times[at - 1]) / (times[at] - times[at - 1])
        return sizes[at - 1] + (sizes[at] - sizes[at - 1]) * share

    return shape


ENDING: dict[str, Script] = {
    "linear": Script(lambda time: time),
    "slow linear": Script(lambda time: time / 6, 700),
    "fast linear": Script(lambda time: 10 + 4 * time),
    "quadratic": Script(lambda time: 100 * (time / 90) ** 2),
    "slow quadratic": Script(lambda time: 100 * (time / 300) ** 2),
    "cubic": Script(lambda time: 100 * (time / 120) ** 3),
    "exponential": Script(lambda time: 2 * math.exp(time / 20)),
    "bursts of 3 s": Script(lambda time: time // 3 * 3),
    "bursts of 10 s": Script(lambda time: time // 10 * 10 / 3),
    "rising saw-tooth": Script(lambda time: 0.85 * (time // 8 * 8) + time % 8 / 8 * 20),
    "slowly rising saw-tooth": Script(lambda time: 0.283 * (time // 8 * 8) + time % 8 / 8 * 20),
    "surge of 4 MiB/s": Script(surge(4)),
    "surge of 1 MiB/s": Script(surge(1)),
    "surge of 0.5 MiB/s": Script(surge(0.5)),
    "surge that accelerates": Script(lambda time: 20 + max(0.0, time - 40) ** 2 * 80 / 3600),
    "noisy leak": Script(lambda time: 20 + 0.3 * time, noise=1.0),
    "two rates": Script(lambda time: 10 + 0.1 * time if time < 60 else 16 + (time - 60) * 1.5),
    "noisy rising saw-tooth": Script(lambda time: 0.72 * (time // 15 * 15) + time % 15 / 15 * 25, noise=1.0),
    "changing rates": Script(changing(3, 0.5, 1.4)),
    "20 KiB/s": Script(lambda time: 5 + time / 51.2),
}
ENDLESS: dict[str, Script] = {
    "saw-tooth of 20 s": Script(lambda time: 10 + time % 20 * 3),
    "saw-tooth of 60 s": Script(lambda time: 10 + time % 60),
    "warm-up": Script(lambda time: 70 * (1 - math.exp(-time / 20))),
    "slow warm-up": Script(lambda time: 85 * (1 - math.exp(-time / 60))),
    "JVM": Script(lambda time: min(55, 25 + time / 10) + time // 2 % 8 * 4),
    "JVM heap in steps": Script(lambda time: min(80, 20 + 10 * (time // 25))),
    "flat": Script(lambda time: 60, noise=0.5),
    "wandering": Script(lambda time: 50 + 10 * math.sin(time / 40) + 4 * math.sin(time / 7)),
    "one step": Script(lambda time: 30 if time < 100 else 50),
    "one ramp": Script(lambda time: 30 if time < 100 else min(60, 30 + (time - 100) * 3)),
}
LOOP = Script(lambda time: 2 + 1.5 * time, 150, limit=45 * MIB, restarts=True)
