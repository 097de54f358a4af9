"""Where ticks come from: the live machine or a recording.  Front ends see only this protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from oomtop.snapshot import Tick


class Source(Protocol):
    """An endless or finite row of ticks."""

    def ticks(self) -> Iterator[Tick]:
        """Yield one tick after the other, waiting for the next where the source is live."""
        ...
