"""Random loads of many kinds: what they hold, second by second, is drawn from a seed."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from random import Random

from tests.analysis.dangers.curves import Run, Script, Shape, play

_SECONDS = 330
_FULL = 100.0


def _by_rates(start: float, rates: Iterator[float]) -> Shape:
    """Return the use of what has another rate each second, in MiB."""
    sizes = [start]
    while len(sizes) < 2 * _SECONDS and sizes[-1] < 1.5 * _FULL:
        sizes.append(sizes[-1] + next(rates))

    def shape(time: float) -> float:
        at = min(max(0, int(time)), len(sizes) - 2)
        return sizes[at] + (sizes[at + 1] - sizes[at]) * (time - at)

    return shape


def _rate(chance: Random) -> float:
    """Return MiB a second with which a group is full after 20 to 400 s."""
    return _FULL / math.exp(chance.uniform(math.log(20), math.log(400)))


def steady(chance: Random) -> Script:
    """Grow at one rate, with the noise of allocators."""
    start, rate, noise = chance.uniform(2, 40), _rate(chance), chance.choice((0.02, 0.1, 0.5))
    return Script(lambda time: start + rate * time, _SECONDS, noise)


def other_rates(chance: Random) -> Script:
    """Grow at another rate, 0.6 to 1.5 times the usual one, every few seconds."""

    def rates() -> Iterator[float]:
        while True:
            rate = base * chance.uniform(0.6, 1.5)
            yield from [rate] * chance.randint(*spell)

    base, spell = _rate(chance), chance.choice(((2, 6), (3, 9), (5, 15)))
    return Script(_by_rates(chance.uniform(2, 40), rates()), _SECONDS, 0.05)


def wandering_rate(chance: Random) -> Script:
    """Grow at a rate that itself wanders."""

    def rates() -> Iterator[float]:
        rate = base
        while True:
            yield rate
            rate = min(3 * base, max(base / 3, rate * math.exp(chance.gauss(0, sigma))))

    base, sigma = _rate(chance), chance.uniform(0.02, 0.12)
    return Script(_by_rates(chance.uniform(2, 40), rates()), _SECONDS, 0.05)


def saw_tooth(chance: Random) -> Script:
    """Climb and fall, each tooth higher than the last, with noise."""
    period, height, noise = chance.uniform(6, 25), chance.uniform(10, 30), chance.uniform(0.1, 1.0)
    rise = chance.uniform(0.15, 0.9)
    return Script(lambda time: rise * (time // period * period) + time % period / period * height, _SECONDS, noise)


def spikes(chance: Random) -> Script:
    """Grow at one rate, and every so often allocate much more for a second or three."""
    period, height, width = chance.uniform(6, 30), chance.uniform(5, 30), chance.uniform(1, 3)
    start, rate = chance.uniform(5, 30), chance.uniform(0.3, 1.2)
    return Script(lambda time: start + rate * time + (height if time % period < width else 0.0), _SECONDS, 0.1)


def level_saw_tooth(chance: Random) -> Script:
    """Climb and fall, and never reach the limit."""
    period, height, base = chance.uniform(6, 60), chance.uniform(10, 60), chance.uniform(2, 30)
    return Script(lambda time: base + time % period / period * height, _SECONDS, chance.uniform(0.1, 1.5))


def long_saw_tooth(chance: Random) -> Script:
    """Climb for minutes and fall, and never reach the limit."""
    period, height, base = chance.uniform(60, 200), chance.uniform(20, 60), chance.uniform(2, 25)
    return Script(lambda time: base + time % period / period * height, _SECONDS, chance.uniform(0.02, 0.5))


def exponential(chance: Random) -> Script:
    """Double every 7 to 40 s."""
    start, each = chance.uniform(0.5, 5), chance.uniform(10, 60)
    return Script(lambda time: start * math.exp(min(20.0, time / each)), _SECONDS, 0.05)


def quadratic(chance: Random) -> Script:
    """Grow faster at an even pace."""
    start, end = chance.uniform(0, 20), chance.uniform(40, 300)
    return Script(lambda time: start + _FULL * (time / end) ** 2, _SECONDS, 0.05)


def warm_up(chance: Random) -> Script:
    """Grow fast, then ever slower, to a level below the limit."""
    level, each = chance.uniform(30, 90), chance.uniform(10, 80)
    return Script(lambda time: level * (1 - math.exp(-time / each)), _SECONDS, chance.uniform(0.02, 0.5))


def steps(chance: Random) -> Script:
    """Allocate a batch now and then."""
    each, size = chance.uniform(2, 15), chance.uniform(1, 6)
    gaps = [chance.uniform(0.5, 1.5) * each for _ in range(400)]
    begun, start = list(accumulate(gaps)), chance.uniform(2, 30)
    sizes = [0.0, *accumulate(chance.uniform(0.5, 1.5) * size for _ in gaps)]
    return Script(lambda time: start + sizes[bisect_right(begun, time)], _SECONDS, 0.05)


def pauses(chance: Random) -> Script:
    """Grow at one rate, with pauses."""

    def rates() -> Iterator[float]:
        while True:
            yield from [rate] * chance.randint(5, 60)
            yield from [0.0] * chance.randint(3, 30)

    rate = _rate(chance)
    return Script(_by_rates(chance.uniform(2, 40), rates()), _SECONDS, 0.05)


def surge(chance: Random) -> Script:
    """Hold still, then grow."""
    calm, rate, start = chance.uniform(20, 100), _rate(chance), chance.uniform(5, 50)
    return Script(lambda time: start + max(0.0, time - calm) * rate, _SECONDS, chance.uniform(0.02, 0.3))


def crash_loop(chance: Random) -> Script:
    """Grow until killed, and start again."""
    start, rate = chance.uniform(1, 30), _FULL / chance.uniform(15, 60)
    return Script(lambda time: start + rate * time, 240, chance.uniform(0.02, 0.5), restarts=True)


def beside_cache(chance: Random) -> Script:
    """Grow at one rate beside something that comes and goes, as slab and page tables of a reader of files do."""

    def rates() -> Iterator[float]:
        other = 0.0
        while True:
            before, other = other, 0.8 * other + chance.gauss(0, noise)
            yield rate + other - before

    rate, noise = _rate(chance), chance.uniform(0.2, 1.5)
    return Script(_by_rates(chance.uniform(5, 40), rates()), _SECONDS, 0.05)


def level(chance: Random) -> Script:
    """Wander about a level below the limit."""

    def rates() -> Iterator[float]:
        other = 0.0
        while True:
            before, other = other, 0.97 * other + chance.gauss(0, noise)
            yield other - before

    noise = chance.uniform(0.1, 1.0)
    return Script(_by_rates(chance.uniform(30, 70), rates()), _SECONDS, 0.05)


LOADS: dict[str, Callable[[Random], Script]] = {
    "steady": steady,
    "surge after calm": surge,
    "beside a reader of files": beside_cache,
    "another rate every few seconds": other_rates,
    "a rate that wanders": wandering_rate,
    "steps": steps,
    "pauses": pauses,
    "exponential": exponential,
    "quadratic": quadratic,
    "rising saw-tooth": saw_tooth,
    "spikes over a leak": spikes,
    "level saw-tooth": level_saw_tooth,
    "long level saw-tooth": long_saw_tooth,
    "warm-up": warm_up,
    "level": level,
    "crash loop": crash_loop,
}


def drawn(name: str, seed: int) -> Run:
    """Return what is foretold of a load drawn from a seed, every second or every other."""
    return play(LOADS[name](Random(f"{name} {seed}")), 1.0 + seed % 2, seed)
