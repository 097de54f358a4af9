"""One assessment of this machine, for commands that need no rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oomtop.analysis.model.assessment import Assessment


def assess_once() -> Assessment:
    """Return the assessment of one sample.

    Raises:
        ParseError: `/proc/meminfo` itself cannot be read.
    """
    from oomtop.analysis.assessment import assess
    from oomtop.history import History
    from oomtop.snapshot import Tick
    from oomtop.sources.sampler import Sampler

    sampler, history = Sampler(), History()
    try:
        tick = Tick(sampler.sample())
    finally:
        sampler.close()
    history.add(tick)
    return assess(tick, history, None)
