"""How a dataclass and a tuple of dataclasses are written: only the fields that changed, only the rows that changed.

A changed record is `[field, difference, field, difference, ...]`.  A record that was replaced by an equal one is `[]`,
because the analysis tells by the object's identity whether a process did anything: it comes back as a new object.
A tuple of records is `[skipped, change, skipped, change, ...]`; where rows came, went or moved it is
`{"m": [start, length, ...], "n": [new rows], "c": changes}`, with `m` the old rows in their new order, -1 for new ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

from oomtop.recording.kinds import FieldKind, absolute, mismatch

NEEDED = object()
"""The default of a field that nothing can stand for: a record that lacks it cannot be made."""


@dataclass(slots=True)
class RecordKind:
    """A dataclass; its fields are those of the schema the data was written with."""

    name: str
    make: Callable[..., object]
    get: Callable[[object], tuple[object, ...]]
    kinds: Sequence[FieldKind]
    """The kind of each field of the class as it is now."""
    slots: Sequence[int | None]
    """Where each field of the schema goes; None for one that this version does not know."""
    defaults: Sequence[object]
    """What each field of the class is when the schema lacks it."""
    plain: Sequence[frozenset[type]]
    """The types of JSON that are a field's value as they are: most of a snapshot needs no call."""
    optional: bool = False
    is_atom: bool = False

    def full(self, value: object) -> object:
        """Return all fields, in the order of the class."""
        if value is None:
            return None
        return [
            item if type(item) in plain else kind.full(item)
            for kind, plain, item in zip(self.kinds, self.plain, self.get(value), strict=True)
        ]

    def load(self, data: object) -> object:
        """Return the record; fields that the schema lacks take their defaults."""
        if data is None and self.optional:
            return None
        if not isinstance(data, list) or len(data) != len(self.slots):
            raise mismatch(self.name, data)
        values, kinds, plain = list(self.defaults), self.kinds, self.plain
        for slot, item in zip(self.slots, data, strict=True):
            if slot is not None:
                values[slot] = item if type(item) in plain[slot] else kinds[slot].load(item)
        if NEEDED in values:
            raise mismatch(self.name, data)
        return self.make(*values)

    def delta(self, old: object, new: object) -> object:
        """Return what changed, field by field."""
        if new is None or old is None:
            return absolute(self.full(new))
        changes: list[object] = []
        for index, (before, after) in enumerate(zip(self.get(old), self.get(new), strict=True)):
            if after is not before:
                kind = self.kinds[index]
                if not kind.is_atom or after != before:
                    changes.append(index)
                    changes.append(kind.delta(before, after))
        return changes

    def apply(self, old: object, data: object) -> object:
        """Return a new record with the changes applied."""
        if isinstance(data, dict):
            return self.load(data.get("="))
        if not isinstance(data, list) or old is None:
            raise mismatch(self.name, data)
        values = list(self.get(old))
        pairs = iter(data)
        for index, change in zip(pairs, pairs, strict=True):
            slot = self.slots[index]
            if slot is not None:
                values[slot] = self.kinds[slot].apply(values[slot], change)
        return self.make(*values)


@dataclass(slots=True)
class RowsKind:
    """A tuple of records; a row is known again by its first field, and by its turn where several share it."""

    row: RecordKind
    key: Callable[[object], object]
    optional: bool
    is_atom: bool = False

    @property
    def name(self) -> str:
        """The kind as the schema names it."""
        return f"{self.row.name}*"

    def full(self, value: object) -> object:
        """Return all rows whole."""
        return None if value is None else [self.row.full(row) for row in _rows(value)]

    def load(self, data: object) -> object:
        """Return the tuple."""
        if data is None and self.optional:
            return None
        if not isinstance(data, list):
            raise mismatch(self.name, data)
        load = self.row.load
        return tuple([load(row) for row in data])

    def delta(self, old: object, new: object) -> object:
        """Return the rows that changed, with the new order where that changed too."""
        if new is None or old is None:
            return absolute(self.full(new))
        before, after = _rows(old), _rows(new)
        if self._is_aligned(before, after):
            return self._changes(before, after)
        places = self._places(before, after)
        fresh = [self.row.full(row) for row, place in zip(after, places, strict=True) if place < 0]
        kept = [(before[place] if place >= 0 else row) for row, place in zip(after, places, strict=True)]
        return {"m": _runs(places), "n": fresh, "c": self._changes(kept, after)}

    def apply(self, old: object, data: object) -> object:
        """Return the tuple with the changes applied; rows that did not change stay the objects they were."""
        if isinstance(data, dict) and "=" in data:
            return self.load(data["="])
        rows = list(_rows(old))
        changes = data
        if isinstance(data, dict):
            rows, changes = self._rearranged(rows, data), data["c"]
        if not isinstance(changes, list):
            raise mismatch(self.name, data)
        place, apply = 0, self.row.apply
        pairs = iter(changes)
        for skipped, change in zip(pairs, pairs, strict=True):
            place += skipped
            rows[place] = apply(rows[place], change)
            place += 1
        return tuple(rows)

    def _is_aligned(self, before: Sequence[object], after: Sequence[object]) -> bool:
        key = self.key
        return len(before) == len(after) and all(
            new is old or key(new) == key(old) for old, new in zip(before, after, strict=True)
        )

    def _changes(self, before: Sequence[object], after: Sequence[object]) -> list[object]:
        changes: list[object] = []
        delta, last = self.row.delta, -1
        for place, new in enumerate(after):
            old = before[place]
            if new is not old:
                changes.append(place - last - 1)
                changes.append(delta(old, new))
                last = place
        return changes

    def _places(self, before: Sequence[object], after: Sequence[object]) -> list[int]:
        """Return where each new row was before, -1 for one that is new."""
        known: dict[object, list[int]] = defaultdict(list)
        for place in range(len(before) - 1, -1, -1):
            known[self.key(before[place])].append(place)
        return [found.pop() if (found := known.get(self.key(row))) else -1 for row in after]

    def _rearranged(self, rows: list[object], data: dict[str, object]) -> list[object]:
        runs, fresh = data["m"], data["n"]
        if not isinstance(runs, list) or not isinstance(fresh, list):
            raise mismatch(self.name, data)
        new = iter(fresh)
        arranged: list[object] = []
        pairs = iter(runs)
        for start, length in zip(pairs, pairs, strict=True):
            # Each row has one place; more of them would be a few bytes that fill the memory.
            if len(arranged) > len(rows) + len(fresh):
                raise mismatch(self.name, data)
            if start < 0:
                arranged.extend(self.row.load(next(new)) for _ in range(min(length, len(fresh))))
            else:
                arranged.extend(rows[start : start + length])
        return arranged


def _rows(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        raise mismatch("rows", value)
    return value


def _runs(places: Sequence[int]) -> list[int]:
    """Return [start, length, ...] of rows that stayed side by side; a start of -1 stands for new rows."""
    runs: list[list[int]] = []
    for place in places:
        if runs and ((place < 0 and runs[-1][0] < 0) or (place >= 0 and place == sum(runs[-1]) and runs[-1][0] >= 0)):
            runs[-1][1] += 1
        else:
            runs.append([place if place >= 0 else -1, 1])
    return list(chain.from_iterable(runs))
