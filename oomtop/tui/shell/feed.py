"""What keeps the sampling thread going: a failure is told, and sampling begins again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from oomtop.crash import reason_of
from oomtop.tui.base.sampling import Sample

if TYPE_CHECKING:
    pass

ATTEMPTS = 3
PAUSE = 1.0
"""Seconds between a failure and the next attempt."""


def hand_on(
    begin: Callable[[], Iterable[Sample]],
    take: Callable[[Sample], None],
    is_cancelled: Callable[[], bool],
    tell: Callable[[str], object],
    may_begin_again: bool,
) -> str | None:
    """Hand every sample to `take`; return why there are no more, None where that was asked for.

    Sampling that fails begins again after a pause, told by `tell`; without one sample in between it does so twice.
    """
    failures = 0
    while not is_cancelled():
        try:
            for sample in begin():
                if is_cancelled():
                    return None
                failures = 0
                take(sample)
            return None
        except Exception as error:  # noqa: BLE001 - whatever ended it is told, and ends the program if it lasts
            failures += 1
            if not may_begin_again or failures >= ATTEMPTS:
                return reason_of(error)
            tell(f"sampling failed, restarting: {reason_of(error)}")
            time.sleep(PAUSE)
    return None
