"""The order of dangers, the subject that all fronts show, and how a chosen subject is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from oomtop.analysis.model.danger import Danger, DangerState, PastKill
from oomtop.frozen import frozen

JUST_KILLED = 60.0
_NEARER = 0.5
# Seconds to full below which another danger replaces a chosen subject if neither had a forecast.
_NEAR_SECONDS = 600.0


@frozen
class Choice:
    """A subject chosen by the user."""

    subject: str
    nearest: float | None
    """The smallest median of the others at that time."""


def ordered(dangers: Iterable[Danger], now: float = 0.0) -> tuple[Danger, ...]:
    """Return dangers, the nearest first: filling by median time, just killed, at the limit, then by held share.

    `now` is Unix time.
    """
    return tuple(sorted(dangers, key=partial(_key, now)))


def _key(now: float, danger: Danger) -> tuple[int, float, str]:
    if danger.median is not None:
        return 0, danger.median, danger.subject
    if danger.state is not DangerState.EMPTY and last_kill(danger, now) is not None:
        return 1, now - danger.kills[0].time, danger.subject
    place = {DangerState.AT_LIMIT: 2, DangerState.EMPTY: 4}.get(danger.state, 3)
    return place, -danger.share, danger.subject


def last_kill(danger: Danger, now: float) -> PastKill | None:
    """Return the kill at this limit within the last minute; `now` is Unix time."""
    newest = danger.kills[0] if danger.kills else None
    return newest if newest is not None and 0 <= now - newest.time < JUST_KILLED else None


def subject_of(dangers: Sequence[Danger], choice: Choice | None = None) -> Danger | None:
    """Return the danger that strip, forecast, mark and `J` refer to."""
    if choice is not None and holds(dangers, choice):
        return next(danger for danger in dangers if danger.subject == choice.subject)
    return dangers[0] if dangers else None


def holds(dangers: Sequence[Danger], choice: Choice) -> bool:
    """Whether a choice is still valid: it exists, and no other danger became nearer by half."""
    chosen = next((danger for danger in dangers if danger.subject == choice.subject), None)
    if chosen is None:
        return False
    nearest = _nearest(dangers, choice.subject)
    if nearest is None or (chosen.median is not None and chosen.median <= nearest):
        return True
    before = choice.nearest or chosen.median or _NEAR_SECONDS
    return nearest >= before * _NEARER


def step(dangers: Sequence[Danger], choice: Choice | None, by: int) -> Choice | None:
    """Return the choice of the next (1) or previous (-1) danger; None if there are none."""
    now = subject_of(dangers, choice)
    if now is None:
        return None
    subjects = [danger.subject for danger in dangers]
    subject = subjects[(subjects.index(now.subject) + by) % len(subjects)]
    return Choice(subject, _nearest(dangers, subject))


def _nearest(dangers: Sequence[Danger], without: str) -> float | None:
    return min((d.median for d in dangers if d.median is not None and d.subject != without), default=None)
