"""`RoomWatch`: what one limit has room for, read several times a second from kept descriptors.

`memory.current` and `memory.stat` of a group (v1: `memory.usage_in_bytes`); `/proc/meminfo` for the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from oomtop.analysis.dangers.trigger import ArmedTrigger, Room
from oomtop.errors import ParseError
from oomtop.frozen import frozen
from oomtop.host.cgroup import CgroupLayout
from oomtop.host.checked_meminfo import read_meminfo
from oomtop.host.group_use import GroupFiles
from oomtop.host.process import ProcessId
from oomtop.host.process_folder import has_ended
from oomtop.host.root import Root

_PAUSE, _PAUSE_SOON = 0.25, 0.05
_SOON = 20.0
# How long what is watched may be unreadable: memory or descriptors may be short at the very moment that counts.
_BLIND_SECONDS = 3.0


@frozen
class Terms:
    """When an armed action is due, and when it is disarmed."""

    before: float
    """Seconds before the limit is full."""
    span: float
    """Seconds after which it is disarmed."""
    where: str
    """The limit in words."""
    targets: Sequence[ProcessId] = ()
    """It is disarmed when all of these have ended."""


class RoomWatch:
    """Reads one limit; has to be closed."""

    def __init__(self, root: Root, layout: CgroupLayout | None, path: str | None, limit: int) -> None:
        """Watch the group at `path`, or the machine where it is None; `limit` in bytes."""
        self._root = root
        self._files = GroupFiles(layout, path) if layout is not None and path is not None else None
        self._limit = limit

    def close(self) -> None:
        """Give the descriptors back."""
        if self._files is not None:
            self._files.close()

    def read(self) -> Room | None:
        """Return the room that is left, None where the group is gone.

        Raises:
            ParseError: `/proc/meminfo` is malformed.
        """
        now = time.monotonic()
        if self._files is None:
            info = read_meminfo(self._root)
            return Room(now, (info.mem_available or info.mem_free or 0) + (info.swap_free or 0), self._limit)
        usage, split = self._files.usage(), self._files.split()
        if usage is None or split is None:
            return None
        return Room(now, self._limit - (usage - split.cache), self._limit)


def _have_ended(targets: Sequence[ProcessId]) -> bool:
    try:
        return bool(targets) and all(has_ended(Root(), target) for target in targets)
    except OSError:
        # Hidden, or no descriptor is left at this moment: the signal is refused later if it has.
        return False


def wait_until_due(
    watch: RoomWatch, terms: Terms, is_told_to_end: Callable[[], bool], tell: Callable[[float | None, float], object]
) -> str | None:
    """Return None when the action is due, or why it is disarmed.

    `tell` gets, with each reading, the seconds until the limit is full (None while it does not fill) and those until
    it is disarmed.

    Raises:
        ParseError: `/proc/meminfo` stays malformed.
    """
    trigger, end = ArmedTrigger(terms.before), time.monotonic() + terms.span
    seen = time.monotonic()
    while (now := time.monotonic()) < end:
        if _have_ended(terms.targets):
            return "the target has ended"
        if is_told_to_end():
            return "told to end"
        try:
            room = watch.read()
        except ParseError:
            if now - seen > _BLIND_SECONDS:
                raise
            room = None
        if room is None:
            if now - seen > _BLIND_SECONDS:
                return f"{terms.where} is gone"
            time.sleep(_PAUSE_SOON)
            continue
        seen = now
        trigger.add(room)
        if trigger.is_due:
            return None
        left = trigger.seconds_left
        tell(left, end - now)
        time.sleep(_PAUSE_SOON if left is not None and left < _SOON + terms.before else _PAUSE)
    return f"{terms.span:g} s are over"
