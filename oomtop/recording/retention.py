"""What a recording is bounded by, and which chapter goes first: the oldest that no OOM event is near."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from oomtop.frozen import frozen

DAY = 86400.0
BEFORE_EVENT = 900.0
AFTER_EVENT = 300.0
"""Seconds around an OOM event that are kept longer than the rest."""
_LONGER = 8


@frozen
class Retention:
    """Bytes of the file and seconds of the past; the minutes around OOM events may get eight times as old."""

    max_bytes: int = 256 << 20
    max_seconds: float = 7 * DAY


@frozen
class Chapter:
    """A run of ticks that can be taken out whole; `end` is where the next one begins."""

    id: int
    start: float
    end: float


def is_near(chapter: Chapter, events: Sequence[float]) -> bool:
    """Whether the chapter tells of the minutes around one of the events' times, which are in order."""
    place = bisect_left(events, chapter.start - AFTER_EVENT)
    return place < len(events) and events[place] <= chapter.end + BEFORE_EVENT


def choose(
    chapters: Sequence[Chapter], events: Sequence[float], bounds: Retention, now: float, used: int
) -> int | None:
    """Return the id of the chapter to take out next, None where all may stay; the last one always does.

    `events` are the times of the OOM events in order, `used` is the size of the file in bytes.
    """
    old = chapters[:-1]
    is_kept = {chapter.id: is_near(chapter, events) for chapter in old}
    for chapter in old:
        limit = bounds.max_seconds * (_LONGER if is_kept[chapter.id] else 1)
        if now - chapter.end > limit:
            return chapter.id
    if used <= bounds.max_bytes or not old:
        return None
    plain = [chapter for chapter in old if not is_kept[chapter.id]]
    # What is kept for its events may fill half the file; a machine that kills all day still gets the newest hours.
    if plain and 2 * len(plain) >= len(old):
        return plain[0].id
    return old[0].id
