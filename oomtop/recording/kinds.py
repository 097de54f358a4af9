"""How one field is written: numbers as differences, everything else as it is.

A difference of whole pages is `2 * pages`, any other `2 * difference + 1`; a float with two decimals, as CPU time and
PSI have them, is the difference in hundredths.  An object `{"=": value}` is a value that is no difference.
Sample: 8192 after 4096 is `2`, 4097 after 4096 is `3`, 0.25 after 0.1 is `15`, None after 7 is `{"=": null}`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import ClassVar, Protocol

from oomtop.errors import OomtopError
from oomtop.frozen import frozen

_PAGE_BITS = 12
_PAGE_MASK = (1 << _PAGE_BITS) - 1
_HUNDREDTHS_LIMIT = 1e13


class RecordingError(OomtopError):
    """A recording that cannot be read or written, in words."""


class FieldKind(Protocol):
    """The way from the value of a field to JSON and back, whole or as the difference to the value before."""

    @property
    def name(self) -> str:
        """The kind as the schema names it; a field whose kind changed between versions takes its default."""
        ...

    @property
    def is_atom(self) -> bool:
        """Whether equal values are the same, so that only a change is written; records keep their identity."""
        ...

    def full(self, value: object) -> object:
        """Return the JSON of a whole value."""
        ...

    def load(self, data: object) -> object:
        """Return the value of `full`'s JSON."""
        ...

    def delta(self, old: object, new: object) -> object:
        """Return the JSON that makes `new` of `old`."""
        ...

    def apply(self, old: object, data: object) -> object:
        """Return the value that `delta`'s JSON makes of `old`."""
        ...


def absolute(data: object) -> dict[str, object]:
    """Mark JSON as a whole value where a difference is expected."""
    return {"=": data}


def mismatch(name: str, data: object) -> RecordingError:
    """Return the error of JSON that is not what the schema says."""
    return RecordingError(f"the recording is damaged: expected {name}, found {str(data)[:40]!r}")


class _Whole:
    """The way of a value that is the same in JSON and is written whole whenever it changed."""

    __slots__ = ()
    is_atom: ClassVar[bool] = True
    type: type
    optional: bool
    name: str

    def full(self, value: object) -> object:
        """Return it as it is."""
        return value

    def load(self, data: object) -> object:
        """Return it as it is."""
        if type(data) is self.type or (data is None and self.optional):
            return data
        raise mismatch(self.name, data)

    def delta(self, old: object, new: object) -> object:
        """Return the new value."""
        return self.full(new)

    def apply(self, old: object, data: object) -> object:
        """Return the new value."""
        return self.load(data)


@frozen
class IntKind(_Whole):
    """A whole number."""

    optional: bool
    name: str = "int"
    type: type = int

    def delta(self, old: object, new: object) -> object:
        """Return the difference in pages or in units."""
        if type(new) is int and type(old) is int:
            step = new - old
            return 2 * step + 1 if step & _PAGE_MASK else step >> (_PAGE_BITS - 1)
        return absolute(new)

    def apply(self, old: object, data: object) -> object:
        """Add the difference."""
        if type(data) is int and type(old) is int:
            return old + ((data - 1) >> 1 if data & 1 else data << (_PAGE_BITS - 1))
        if isinstance(data, dict):
            return self.load(data.get("="))
        raise mismatch(self.name, data)


@frozen
class FloatKind(_Whole):
    """A float, exactly as it was."""

    optional: bool
    name: str = "float"
    type: type = float

    def load(self, data: object) -> object:
        """Return it as it is; a whole number of another writer is a float too."""
        return float(data) if type(data) is int else _Whole.load(self, data)

    def delta(self, old: object, new: object) -> object:
        """Return the difference in hundredths where that is exact, else the float itself."""
        if type(new) is float and type(old) is float:
            after, before = _hundredths(new), _hundredths(old)
            if after is not None and before is not None:
                return after - before
            return new
        return absolute(new)

    def apply(self, old: object, data: object) -> object:
        """Add the hundredths, or take the float."""
        if type(data) is float:
            return data
        if type(data) is int and type(old) is float and (before := _hundredths(old)) is not None:
            return (before + data) / 100
        if isinstance(data, dict):
            return self.load(data.get("="))
        raise mismatch(self.name, data)


def _hundredths(value: float) -> int | None:
    if not math.isfinite(value) or abs(value) > _HUNDREDTHS_LIMIT:
        return None
    whole = round(value * 100)
    return whole if whole / 100 == value else None


@frozen
class PlainKind(_Whole):
    """A text or a truth value: written whole whenever it changed."""

    type: type
    optional: bool
    name: str


@frozen
class ListKind(_Whole):
    """A tuple or a named tuple of values that are no records: written whole whenever it changed."""

    items: tuple[FieldKind, ...]
    """One kind for each place, or a single one for a tuple of any length."""
    any_length: bool
    make: Callable[[list[object]], object]
    optional: bool
    name: str

    def full(self, value: object) -> object:
        """Return a JSON list."""
        if value is None:
            return None
        assert isinstance(value, tuple)
        if self.any_length:
            full = self.items[0].full
            return [full(item) for item in value]
        return [kind.full(item) for kind, item in zip(self.items, value, strict=True)]

    def load(self, data: object) -> object:
        """Return the tuple."""
        if data is None and self.optional:
            return None
        if not isinstance(data, list) or not (self.any_length or len(data) == len(self.items)):
            raise mismatch(self.name, data)
        if self.any_length:
            load = self.items[0].load
            return self.make([load(item) for item in data])
        return self.make([kind.load(item) for kind, item in zip(self.items, data, strict=True)])


@frozen
class EnumKind(_Whole):
    """A member of an enum, by its value."""

    members: Mapping[object, Enum]
    optional: bool
    name: str

    def full(self, value: object) -> object:
        """Return the member's value."""
        return value.value if isinstance(value, Enum) else None

    def load(self, data: object) -> object:
        """Return the member."""
        if data is None and self.optional:
            return None
        if isinstance(data, (str, int)) and data in self.members:
            return self.members[data]
        raise mismatch(self.name, data)
