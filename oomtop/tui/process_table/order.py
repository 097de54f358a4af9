"""The order of the process table from tick to tick: re-sorted, or held while the user moves the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from oomtop.analysis.dangers.order import subject_of
from oomtop.analysis.model.assessment import Assessment, Growth, ProcessRow
from oomtop.analysis.model.danger import Danger, DangerKind
from oomtop.analysis.shared_memory import Ceiling
from oomtop.frozen import replace
from oomtop.host.process import ProcessId
from oomtop.tui.base.aim import Aim, KeyPlace
from oomtop.tui.dangers.danger_words import is_pressing
from oomtop.tui.process_table.columns import ColumnContext, empty_columns, rank_victims
from oomtop.tui.process_table.filter_query import haystack
from oomtop.tui.process_table.incremental_sort import Change, can_resort, changes_between, resort
from oomtop.tui.process_table.notes import TypedNumber
from oomtop.tui.process_table.rows import (
    Entry,
    Focus,
    Grouping,
    Key,
    View,
    arrange,
    border,
    group_of,
    keep_places,
    select,
)

_KINDS = {Grouping.PROGRAM: "program", Grouping.USER: "user", Grouping.CGROUP: "unit"}
HOLD_SECONDS = 2.0
"""Seconds for which the order is held after the cursor moved."""
_LOOK_SECONDS = 30.0
"""Seconds for which a column stays shown or hidden, so that none comes and goes with a single process."""


def nearest(assessment: Assessment) -> Danger | None:
    """Return the danger that is nearest."""
    return subject_of(assessment.dangers)


class TableOrder:
    """The entries of the table in their order, and where each one stands."""

    def __init__(self, view: View, subject: Callable[[Assessment], Danger | None] = nearest) -> None:
        self.view = view
        self._subject = subject
        self._domain = Focus()
        """The processes that can die at the limit of the strip's subject."""
        self.moment = ColumnContext()
        self.entries: Sequence[Entry] = ()
        self.rows: tuple[ProcessRow, ...] = ()
        """All rows of the tick, shown or not."""
        self.victim: ProcessId | None = None
        self.frozen: frozenset[str] = frozenset()
        """The frozen cgroups."""
        self._index: dict[Key, int] | None = {}
        """Computed on demand: most ticks only need the cursor position, which is unchanged."""
        self._last: tuple[Key, int] | None = None
        self._changes: list[Change] | None = None
        self._arranged: tuple[ProcessRow, ...] = ()
        """The rows that were looked at when the entries were arranged, shown or not."""
        self._is_settled = False
        self._arranged_lines = 0
        """The number of lines when they were arranged; those of newer processes come after them."""
        self.border: tuple[int, str] | None = None
        """The line from which rows are outside the cgroup of the strip, when they were arranged, and its name."""
        self._trends_at = float("-inf")
        self.empty: frozenset[str] = frozenset()
        """The ids of columns that held nothing but dashes or zeros when they were last looked through."""
        self._looked_at = float("-inf")

    def take(self, assessment: Assessment, needs_ranks: bool) -> bool:
        """Take the facts of a tick; return whether any row changed."""
        changes = self._changes = changes_between(self.rows, assessment.rows)
        self.rows = assessment.rows
        subject = self._subject(assessment)
        first = assessment.victims.first if subject is None else subject.victim
        self.victim = None if first is None else first.id
        group = subject.subject if subject is not None and subject.kind is DangerKind.CGROUP else None
        has_other_domain = self._domain.group != group
        self._domain = Focus(group)
        self._focus_on(subject if is_pressing(subject, assessment) else None)
        self.frozen = frozenset(group.cgroup.path for group in assessment.cgroups if group.cgroup.frozen)
        is_same_rank = changes is not None and all(old.badness == new.badness for old, new in changes)
        ranks = self.moment.ranks if needs_ranks and is_same_rank and not has_other_domain else {}
        if needs_ranks and not ranks:
            ranks = rank_victims(filter(self._domain.is_member, self.rows), first_of(subject, assessment))
        self.moment = ColumnContext(
            assessment.monotonic, ranks, self._trends_of(assessment), self._kind, self.view.ascii, dict(assessment.pss),
            Ceiling.of(assessment.memory, assessment.swap),
        )  # fmt: skip
        if abs(assessment.monotonic - self._looked_at) >= _LOOK_SECONDS:
            self._looked_at, self.empty = assessment.monotonic, empty_columns(self.rows, self.moment)
        return changes != []

    def _focus_on(self, danger: Danger | None) -> None:
        focus = Focus()
        if danger is not None:
            is_group = danger.kind is DangerKind.CGROUP
            focus = Focus(danger.subject if is_group else None, danger.name if is_group else "", self.victim)
        if focus != self.view.focus:
            self.view = replace(self.view, focus=focus)
            self.unsettle()

    @property
    def _kind(self) -> str:
        """The kind of the view's groups among the trends."""
        return _KINDS[self.view.grouping] if self.view.grouping is not None else ""

    def _trends_of(self, assessment: Assessment) -> Mapping[ProcessId | tuple[str, str], Growth]:
        """Return the trends by process or group; they are renewed less often than the rows."""
        if assessment.growths_at == self._trends_at:
            return self.moment.trends
        self._trends_at = assessment.growths_at
        return {
            (item.kind, item.name) if item.pid is None else ProcessId(item.pid, item.start_time or 0): item
            for item in assessment.growths
        }

    def unsettle(self) -> None:
        """Re-sort on the next tick even if no row changed."""
        self._is_settled = False

    @property
    def is_settled(self) -> bool:
        """Whether the order is that of the view, and not one that was held."""
        return self._is_settled

    def arrange(self) -> None:
        """Arrange the rows as the view wants it."""
        self.moment = replace(self.moment, kind=self._kind, ascii=self.view.ascii)
        changes, self._arranged = self._changes, self.rows
        if self._is_settled and changes is not None and can_resort(self.view):
            self._set(resort(self.entries, changes, self.view, self.moment))
        else:
            self._is_settled = True
            self._set(arrange(select(self.rows, self.view), self.view, self.moment))
        self._arranged_lines = len(self.entries)
        self.border = border(self.entries, self.view)

    def keep(self, entry: Entry, at: int) -> None:
        """Keep a line that is gone or no longer shown: no other process may come under the cursor by itself."""
        self._is_settled = False
        row = next((row for row in self.rows if row.process.id == entry.key), None)
        kept = entry._replace(gone=True) if row is None else entry._replace(row=row, hidden=0, gone=False)
        entries = list(self.entries)
        entries.insert(min(at, len(entries)), kept)
        self._arranged_lines += at < self._arranged_lines
        if self.border is not None:
            self.border = self.border[0] + (at < self.border[0]), self.border[1]
        self._set(entries)

    def hold(self, with_border: bool = True) -> None:
        """Keep every row in its place, also ended ones; new ones come last, in any group."""
        self._is_settled = False
        if not with_border:
            self.border = None
        if self._changes is not None and not self.view.grouping:
            self._keep_all(self._changes)
            return
        known, self._arranged = ids_of(self._arranged), self.rows
        found = () if self.view.grouping else select(self.rows, self.view)
        fresh = [row for row in found if row.process.id not in known]
        self._set(keep_places(self.entries, self.rows, fresh, self._arranged_lines))

    def _keep_all(self, changes: Iterable[Change]) -> None:
        """Hold if no process came or went: changed rows stay in place, a twentieth of the work at 5,000 rows."""
        self._arranged, entries, places = self.rows, list(self.entries), self._positions()
        for _, row in changes:
            at = places.get(row.process.id)
            # The totals of a folded branch stay until the table is arranged anew.
            if at is not None and not entries[at].hidden:
                entries[at] = entries[at]._replace(row=row)
        self.entries = entries

    def aim(self, cursor: Key | None, tagged: frozenset[ProcessId], typed: TypedNumber) -> Aim:
        """Return what the action keys act on; nothing definite on a line of several processes."""
        view = self.view
        is_plain = not (view.tree or view.grouping or view.user or view.filter_text)
        return Aim(KeyPlace.PROCESSES, tagged or self._under(cursor, typed), takes_pids=is_plain and not tagged)

    def _under(self, cursor: Key | None, typed: TypedNumber) -> frozenset[ProcessId]:
        at = None if typed.is_elsewhere(cursor) else self.at(cursor)
        if at is None or not isinstance(cursor, ProcessId):
            return frozenset()
        entry = self.entries[at]
        return frozenset() if entry.gone or entry.hidden else frozenset([cursor])

    def line_of(self, index: int) -> int:
        """Return the line below the titles, from 0, on which an entry stands: the border takes one."""
        return index + (self.border is not None and index >= self.border[0])

    def index_of(self, line: int) -> int | None:
        """Return the entry on a line, None for the border and below the last one."""
        if self.border is not None and line >= self.border[0]:
            if line == self.border[0]:
                return None
            line -= 1
        return line if 0 <= line < len(self.entries) else None

    @property
    def lines(self) -> int:
        """The number of lines with the border."""
        return len(self.entries) + (self.border is not None)

    @property
    def wanted_height(self) -> int | None:
        """The lines that all rows take with the titles; None while the user has some of them hidden."""
        view = self.view
        is_partial = view.grouping or view.user or view.filter_text or view.toggled
        return None if is_partial else self.lines + 1

    def at(self, key: Key | None) -> int | None:
        """Return the line of a process or group, None if it has none."""
        if key is None:
            return None
        if self._last is not None and self._last[0] == key and self._index is None:
            at = self._last[1]
            if at < len(self.entries) and self.entries[at].key == key:
                return at
        found = self._positions().get(key)
        self._last = None if found is None else (key, found)
        return found

    def of_pid(self, pid: str) -> int | None:
        """Return the line of the process with this number."""
        found = [at for at, entry in enumerate(self.entries) if str(entry.row.process.pid) == pid]
        # One that ended may stand above another one with its number.
        return min(found, key=lambda at: self.entries[at].gone, default=None)

    def views_with(self, wanted: ProcessId) -> Iterator[View]:
        """Yield views that hide less and less, until a process has a line of its own."""
        row = next((row for row in self.rows if row.process.id == wanted), None)
        if row is not None and not self._has_line(wanted):
            opened = self.view.toggled | {group_of(row, self.view.grouping)} if self.view.grouping else frozenset[Key]()
            yield replace(self.view, toggled=opened)
            if not self._has_line(wanted):
                yield replace(self.view, accept=None, filter_text="", user=None)

    def _has_line(self, process: ProcessId) -> bool:
        at = self.at(process)
        return at is not None and not self.entries[at].hidden

    def find(self, text: str, start: int, step: int) -> int | None:
        """Return the next line from `start` on that holds `text`; with step 0 the first line looked at is `start`."""
        count, wanted = len(self.entries), text.lower()
        for distance in range(0 if step == 0 else 1, count + 1) if wanted and count else ():
            at = (start + distance * (step or 1)) % count
            if wanted in haystack(self.entries[at].row).lower():
                return at
        return None

    def _set(self, entries: list[Entry]) -> None:
        self.entries = entries
        self._index = None

    def _positions(self) -> dict[Key, int]:
        if self._index is None:
            self._index = {entry.key: at for at, entry in enumerate(self.entries)}
        return self._index


def first_of(subject: Danger | None, assessment: Assessment) -> list[ProcessId]:
    """Return the first victim at the limit of a subject."""
    if subject is None or subject.kind not in (DangerKind.CGROUP, DangerKind.NODE):
        return [candidate.id for candidate in assessment.victims.candidates]
    return [one.id for one in subject.dying]


def ids_of(rows: Iterable[ProcessRow]) -> frozenset[ProcessId]:
    """Return the identities of rows."""
    return frozenset(row.process.id for row in rows)
