"""The order of the process table from tick to tick: arranged anew, or held while somebody aims at a line."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence

from oomtop.analysis.model import Assessment, ProcessRow
from oomtop.host.process import ProcessId
from oomtop.tui.columns import Moment, rank_victims
from oomtop.tui.filter_query import haystack
from oomtop.tui.rows import Entry, Key, View, arrange, keep_places, select

HOLD_SECONDS = 2.0
"""How long the order holds still after the cursor moved."""


class TableOrder:
    """The entries of the table in their order, and where each one stands."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.moment = Moment()
        self.entries: Sequence[Entry] = ()
        self.rows: tuple[ProcessRow, ...] = ()
        """All rows of the tick, shown or not."""
        self.victim: ProcessId | None = None
        self._chosen: Sequence[ProcessRow] = ()
        self._index: dict[Key, int] = {}
        self._is_settled = False

    def take(self, assessment: Assessment, needs_ranks: bool) -> bool:
        """Take the facts of a tick; return whether any row differs from the tick before."""
        is_same = _is_same(self.rows, assessment.rows)
        self.rows = assessment.rows
        first = assessment.victims.first
        self.victim = first.id if first else None
        ranks = self.moment.ranks if needs_ranks and is_same else {}
        if needs_ranks and not ranks:
            ranks = rank_victims(self.rows, [candidate.id for candidate in assessment.victims.candidates])
        self.moment = Moment(assessment.monotonic, ranks)
        return not is_same

    def unsettle(self) -> None:
        """Have the next tick arranged though no row of it changed."""
        self._is_settled = False

    @property
    def is_settled(self) -> bool:
        """Whether the order is that of the view, and not one that was held."""
        return self._is_settled

    def arrange(self) -> None:
        """Arrange the rows as the view wants it."""
        self._is_settled = True
        self._chosen = select(self.rows, self.view)
        self._set(arrange(self._chosen, self.view, self.moment))

    def hold(self) -> None:
        """Keep every row in its place, ended ones too; new ones come last."""
        self._is_settled = False
        known = {row.process.id for row in self._chosen} | self._index.keys()
        found = () if self.view.grouping else select(self.rows, self.view)
        fresh = [row for row in found if row.process.id not in known]
        self._chosen = [*self._chosen, *fresh]
        self._set(keep_places(self.entries, self.rows, fresh))

    def at(self, key: Key | None) -> int | None:
        """Return the line of a process or group, None if it has none."""
        return None if key is None else self._index.get(key)

    def of_pid(self, pid: str) -> int | None:
        """Return the line of the process with this number."""
        return next((at for at, entry in enumerate(self.entries) if str(entry.row.process.pid) == pid), None)

    def find(self, text: str, start: int, step: int) -> int | None:
        """Return the next line from `start` on that holds `text`; with step 0 the first line looked at is `start`."""
        count, wanted = len(self.entries), text.lower()
        for distance in range(0 if step == 0 else 1, count + 1) if wanted else ():
            at = (start + distance * (step or 1)) % count
            if wanted in haystack(self.entries[at].row).lower():
                return at
        return None

    def _set(self, entries: list[Entry]) -> None:
        self.entries = entries
        self._index = {entry.key: at for at, entry in enumerate(entries)}


def _is_same(before: Sequence[ProcessRow], now: Sequence[ProcessRow]) -> bool:
    """Return whether all rows are the very same objects, as unchanged processes keep theirs."""
    return len(before) == len(now) and all(map(operator.is_, before, now))


def ids_of(rows: Iterable[ProcessRow]) -> frozenset[ProcessId]:
    """Return the identities of rows."""
    return frozenset(row.process.id for row in rows)
