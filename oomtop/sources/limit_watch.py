"""`LimitWatch`: reads the use of limits between ticks, so that forecasts do not depend on the refresh interval.

Reads the usage of every limited group once a second; for one over a third full or changing, held memory is
read too, twice a second if it will fill within a minute.  Groups made since the last tick are found twice a second.
"""

from __future__ import annotations

import time

from oomtop.errors import ParseError
from oomtop.frozen import frozen, replace
from oomtop.history import arc_surplus, held_by, machine_use
from oomtop.host.cgroup import CgroupLayout, count_cgroups, list_cgroups, read_limit
from oomtop.host.checked_meminfo import is_lxcfs, read_meminfo
from oomtop.host.group_use import GroupFiles
from oomtop.host.root import Root, read_optional
from oomtop.snapshot import Snapshot
from oomtop.use_history import Use

MOST_GROUPS = 100
"""The fullest ones; three descriptors each.  As many again may be added between two ticks."""
_LISTED = 300
"""Groups that are listed between ticks where their number changed: 20 us each."""
_EVERY, _EVERY_SOON = 0.95, 0.45
_THIRD, _MOVED, _FELL = 3, 0.005, 0.3
_SOON, _PRESSING = 60.0, 20.0
# Of a new group: soon, but not pressing.
_UNSEEN = 30.0
# Seconds after it began to fill in which its forecast is to be drawn: there is none before.
_FROM, _UNTIL = 1.5, 4.0


@frozen
class _Watched:
    """One limited group as it was last seen."""

    files: GroupFiles
    limit: int
    last: Use
    left: float = float("inf")
    """Seconds to the limit at the rate between the last two readings."""
    since: float = float("inf")
    """The monotonic time from which on these are less than a minute."""
    fell: bool = False
    """Whether much of what it held was given back between them: somebody died."""


class LimitWatch:
    """Reads limits between ticks; keeps descriptors, so it has to be closed."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._is_lxcfs = is_lxcfs(read_optional(root.at("/proc/self/mounts")) or "")
        self._watched: dict[str, _Watched] = {}
        self._uses: list[Use] = []
        self._read_at = float("-inf")
        self._arc = 0
        self._layout: CgroupLayout | None = None
        self._known: set[str] = set()
        """The groups that the last tick saw."""
        self._count: int | None = None
        """Their number, None where it is to be looked at again."""
        self.is_pressing = False
        """Whether a limit is reached within twenty seconds, has just begun to fill, or somebody died at it."""

    def close(self) -> None:
        """Give all descriptors back."""
        for group in self._watched.values():
            group.files.close()
        self._watched.clear()

    def take(self) -> tuple[Use, ...]:
        """Return what was read since the last call, oldest first."""
        uses, self._uses = tuple(self._uses), []
        return uses

    def follow(self, snapshot: Snapshot) -> None:
        """Watch the limits that a tick knows; what it read of them counts as a reading."""
        layout = snapshot.cgroup_layout
        limited = [group for group in snapshot.cgroups if group.max and group.current is not None]
        fullest = sorted(limited, key=lambda group: (group.current or 0) / (group.max or 1), reverse=True)[:MOST_GROUPS]
        before, self._watched = self._watched, {}
        for group in fullest:
            use = Use(group.path, snapshot.monotonic, held_by(group), group.current or 0, group.swap_current or 0)
            known = before.pop(group.path, None)
            self._watched[group.path] = self._seen(known, use, group.max or 0, layout)
        for gone in before.values():
            gone.files.close()
        self._arc = arc_surplus(snapshot)
        self._layout = layout if len(snapshot.cgroups) <= _LISTED else None
        self._known = {group.path for group in snapshot.cgroups}
        self.is_pressing = self._is_pressing()

    def read(self) -> None:
        """Read what is due."""
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        is_soon = any(group.left < _SOON for group in self._watched.values())
        if now - self._read_at >= (_EVERY_SOON if is_soon else _EVERY):
            self._read_all(now)
        if self._layout is not None:
            self._find_new(self._layout, now)
        self.is_pressing = self._is_pressing()

    def _read_all(self, now: float) -> None:
        self._read_at = now
        self._read_machine(now)
        for path, group in list(self._watched.items()):
            usage = group.files.usage()
            if usage is None:
                self._forget(path)
                continue
            use = _use_of(group, usage, now)
            if use is not None:
                self._uses.append(use)
                self._watched[path] = _moved(group, use)

    def _forget(self, path: str) -> None:
        """Drop a group that is gone; another may have taken its place, which does not change their number."""
        self._watched.pop(path).files.close()
        self._known.discard(path)
        self._count = None

    def _seen(self, known: _Watched | None, use: Use, limit: int, layout: CgroupLayout | None) -> _Watched:
        if known is None:
            assert layout is not None
            return _Watched(GroupFiles(layout, use.subject), limit, use)
        return replace(_moved(known, use), limit=limit)

    def _find_new(self, layout: CgroupLayout, now: float) -> None:
        """Watch the limited groups that were made since the last tick."""
        before, self._count = self._count, count_cgroups(self._root, layout)
        if self._count is not None and self._count == before:
            return
        known = self._known | self._watched.keys()
        new = [path for path in list_cgroups(layout, 2 * _LISTED) if path not in known]
        for path in new[: max(0, 2 * MOST_GROUPS - len(self._watched))]:
            limit = read_limit(layout, path)
            if limit:
                self._watch_new(_Watched(GroupFiles(layout, path), limit, Use(path, now, 0, 0), _UNSEEN, now), now)

    def _watch_new(self, group: _Watched, now: float) -> None:
        usage = group.files.usage()
        use = None if usage is None else _use_of(group, usage, now)
        if use is not None:
            self._uses.append(use)
            group = replace(group, last=use)
        self._watched[group.last.subject] = group

    def _read_machine(self, now: float) -> None:
        try:
            use = machine_use(read_meminfo(self._root, self._is_lxcfs), now, self._arc)
        except ParseError:
            # The tick reads the same file and reports what is wrong with it.
            return
        if use is not None:
            self._uses.append(use)

    def _is_pressing(self) -> bool:
        return any(
            group.fell or group.left < _PRESSING or _FROM <= group.last.monotonic - group.since < _UNTIL
            for group in self._watched.values()
        )


def _use_of(group: _Watched, usage: int, now: float) -> Use | None:
    """Return the use of a group, None where it is small and still."""
    has_moved = abs(usage - group.last.used) >= group.limit * _MOVED
    if usage * _THIRD < group.limit and not has_moved and group.left == float("inf"):
        return None
    split = group.files.split()
    if split is None:
        return None
    return Use(group.last.subject, now, max(0, usage - split.cache), usage, split.swapped)


def _moved(group: _Watched, use: Use) -> _Watched:
    """Return a group after one more reading."""
    before, after = _taken(group.last), _taken(use)
    seconds = use.monotonic - group.last.monotonic
    if seconds < _EVERY_SOON / 2:
        # A tick that reads what was read just before it tells nothing of a rate.
        return group
    grown = after - before
    is_growing = grown >= group.limit * _MOVED * seconds
    left = max(0, group.limit - use.held) * seconds / grown if is_growing else float("inf")
    since = min(group.since, use.monotonic) if left < _SOON else float("inf")
    return replace(group, last=use, left=left, since=since, fell=-grown >= group.limit * _FELL)


def _taken(use: Use) -> int:
    return use.held + use.swapped
