"""`Codec`: from the dataclasses of the facts to JSON and back, made from their annotations.

A field added to any of them is recorded without a line changed here.  Each recording carries its `Schema`, the fields
of every class in the writer's order: what the reader does not know is dropped, what the recording lacks takes the
default of its field, so every version reads the recordings of the ones before.
Sample of a schema: `{"PressureLine": [["avg10", "float"], ..., ["total_us", "int"]], ...}`
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import TypeVar, Union, get_args, get_origin, get_type_hints

from oomtop.recording.kinds import EnumKind, FieldKind, FloatKind, IntKind, ListKind, PlainKind, RecordingError
from oomtop.recording.records import NEEDED, RecordKind, RowsKind

T = TypeVar("T")
Schema = Mapping[str, Sequence[Sequence[str]]]
_Get = Callable[[object], tuple[object, ...]]

# A tick of 5,000 processes is 2 MB of JSON with 150,000 values; what says to be more than this is no recording, and
# would be worth many times its size in objects.
_MOST_BYTES, _MOST_VALUES, _MOST_LISTS = 16 << 20, 1_500_000, 400_000
_DIGITS = 32
_ANY_DIGIT = bytes.maketrans(b"123456789E", b"000000000e")
_EXPONENT = re.compile(rb"\d[eE]\+?\d{3,}[],}]")
_WINDOW = 32 << 10
_DAMAGE = (TypeError, ValueError, KeyError, IndexError, AttributeError, StopIteration, RecursionError, OverflowError)


class Codec:
    """Knows some record classes and all they hold, as they are now or as an older `schema` had them."""

    def __init__(self, roots: Sequence[type], schema: Schema | None = None) -> None:
        self._schema = schema
        self._known: dict[type, RecordKind] = {}
        self._names: dict[str, type] = {}
        for root in roots:
            self._record(root, False)

    @property
    def schema(self) -> Schema:
        """The fields of every class as they are now, which is what `full` and `delta` write."""
        return {
            kind.name: [[field.name, item.name] for field, item in zip(fields(cls), kind.kinds, strict=True)]
            for cls, kind in self._known.items()
        }

    def full(self, value: object) -> object:
        """Return the JSON of a whole record."""
        return self._known[type(value)].full(value)

    def delta(self, old: object, new: object) -> object:
        """Return the JSON that makes the record `new` of `old`."""
        return self._known[type(new)].delta(old, new)

    def load(self, cls: type[T], data: object) -> T:
        """Return the record of `full`'s JSON.

        Raises:
            RecordingError: it is not what the schema says.
        """
        return self._made(cls, lambda: self._known[cls].load(data))

    def apply(self, old: T, data: object) -> T:
        """Return the record that `delta`'s JSON makes of `old`.

        Raises:
            RecordingError: it is not what the schema says.
        """
        cls = type(old)
        return self._made(cls, lambda: self._known[cls].apply(old, data))

    @staticmethod
    def _made(cls: type[T], make: Callable[[], object]) -> T:
        try:
            value = make()
        except _DAMAGE as error:
            raise RecordingError(f"the recording is damaged: {cls.__name__}: {error}") from None
        if not isinstance(value, cls):
            raise RecordingError(f"the recording is damaged: no {cls.__name__}")
        return value

    def _record(self, cls: type, optional: bool) -> RecordKind:
        known = self._known.get(cls)
        if known is None:
            known = self._learn(cls)
        if not optional:
            return known
        return RecordKind(
            known.name, known.make, known.get, known.kinds, known.slots, known.defaults, known.plain, True
        )

    def _learn(self, cls: type) -> RecordKind:
        name = cls.__qualname__
        if self._names.setdefault(name, cls) is not cls:
            raise TypeError(f"two record classes are named {name}")
        hints = _hints(cls)
        own = fields(cls)
        kinds = [self._kind(hints[field.name]) for field in own]
        stored = None if self._schema is None else self._schema.get(name, ())
        slots = list(range(len(own))) if stored is None else _slots(stored, [field.name for field in own], kinds)
        defaults = [_default(field, kind) for field, kind in zip(own, kinds, strict=True)]
        plain = [_plain_types(kind) for kind in kinds]
        made = RecordKind(name, cls, _getter([field.name for field in own]), kinds, slots, defaults, plain)
        self._known[cls] = made
        return made

    def _kind(self, hint: object) -> FieldKind:
        optional = False
        if get_origin(hint) in (Union, UnionType):
            parts = [part for part in get_args(hint) if part is not NoneType]
            optional, hint = len(parts) < len(get_args(hint)), parts[0]
            if len(parts) != 1:
                raise TypeError(f"a recorded field has one type: {parts}")
        if get_origin(hint) is tuple:
            return self._tuple(get_args(hint), optional)
        if isinstance(hint, type):
            return self._class(hint, optional)
        raise TypeError(f"a field of type {hint} cannot be recorded")

    def _class(self, hint: type, optional: bool) -> FieldKind:
        if hint is int:
            return IntKind(optional)
        if hint is float:
            return FloatKind(optional)
        if hint in (str, bool):
            return PlainKind(hint, optional, hint.__name__)
        if is_dataclass(hint):
            return self._record(hint, optional)
        if issubclass(hint, Enum):
            return EnumKind({member.value: member for member in hint}, optional, "enum")
        if issubclass(hint, tuple):
            items = tuple(self._kind(item) for item in _hints(hint).values())
            return ListKind(items, False, _named(hint), optional, _list_name(items, False))
        raise TypeError(f"a field of type {hint} cannot be recorded")

    def _tuple(self, arguments: tuple[object, ...], optional: bool) -> FieldKind:
        any_length = len(arguments) == 2 and arguments[1] is Ellipsis
        items = tuple(self._kind(item) for item in (arguments[:1] if any_length else arguments))
        if any_length and isinstance(items[0], RecordKind):
            row = items[0]
            first = fields(row.make)[0].name  # type: ignore[arg-type]
            return RowsKind(row, attrgetter(first), optional)
        return ListKind(items, any_length, _make_tuple, optional, _list_name(items, any_length))


@cache
def _hints(cls: type) -> dict[str, object]:
    """Return the types of the fields of a class, which each recording asks for anew."""
    return get_type_hints(cls)


def _named(cls: Callable[..., object]) -> Callable[[list[object]], object]:
    return lambda values: cls(*values)


def _make_tuple(values: list[object]) -> tuple[object, ...]:
    return tuple(values)


def _plain_types(kind: FieldKind) -> frozenset[type]:
    """Return the types of JSON that are the value of the kind as they are."""
    if isinstance(kind, IntKind):
        types: tuple[type, ...] = (int,)
    elif isinstance(kind, FloatKind):
        types = (float,)
    elif isinstance(kind, PlainKind):
        types = (kind.type,)
    else:
        return frozenset()
    return frozenset((*types, NoneType) if kind.optional else types)


def _list_name(items: Sequence[FieldKind], any_length: bool) -> str:
    return f"({','.join(item.name for item in items)}){'*' if any_length else ''}"


def _getter(names: Sequence[str]) -> _Get:
    """Return what reads all fields at once; `attrgetter` of a single name returns no tuple."""
    if len(names) == 1:
        only = attrgetter(names[0])
        return lambda record: (only(record),)
    read: _Get = attrgetter(*names)
    return read


def _slots(stored: Sequence[Sequence[str]], names: Sequence[str], kinds: Sequence[FieldKind]) -> list[int | None]:
    """Return the place of each stored field in the class as it is now, None where it is gone or of another kind."""
    places = {(name, kind.name): place for place, (name, kind) in enumerate(zip(names, kinds, strict=True))}
    return [places.get((field[0], field[1])) for field in stored]


def _default(field: Field[object], kind: FieldKind) -> object:
    """Return what a field is when a recording lacks it: its default, else what its kind has for "unknown"."""
    if field.default is not MISSING:
        return field.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    if getattr(kind, "optional", False):
        return None
    unknown = {"int": 0, "float": 0.0, "str": "", "bool": False}
    return unknown.get(kind.name, () if kind.name.endswith("*") else NEEDED)


def pack(data: object, before: bytes = b"", level: int = 6) -> tuple[bytes, bytes]:
    """Return (compressed, raw) JSON; `before` is the raw text of the frame before, whose phrases need no repeating."""
    raw = json.dumps(data, separators=(",", ":")).encode()
    squeeze = zlib.compressobj(level, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, before[-_WINDOW:])
    return squeeze.compress(raw) + squeeze.flush(), raw


def unpack(body: bytes, before: bytes = b"", most: int = _MOST_BYTES) -> tuple[object, bytes]:
    """Return (data, raw) of what `pack` made, which is no longer than `most` bytes.

    Raises:
        RecordingError: it is damaged.
    """
    try:
        inflate = zlib.decompressobj(-15, before[-_WINDOW:])
        raw = inflate.decompress(body, most)
        _require_moderate(raw)
        return json.loads(raw, parse_constant=_no_number), raw
    except (zlib.error, ValueError, RecursionError, TypeError, MemoryError) as error:
        raise RecordingError(f"the recording is damaged: {error}") from None


def _require_moderate(raw: bytes) -> None:
    """Refuse JSON of more values than a snapshot has, and numbers that no float can take."""
    if raw.count(b",") > _MOST_VALUES or raw.count(b"[") + raw.count(b"{") > _MOST_LISTS:
        raise ValueError("more values than a snapshot has")
    # Twenty times as fast as expressions; a command line that looks like such a number costs a second parse.
    shape = raw.translate(_ANY_DIGIT)
    has_exponent = any(exponent in shape for exponent in (b"e000", b"e+000")) and _EXPONENT.search(raw) is not None
    if has_exponent or b"0" * _DIGITS in shape:
        json.loads(raw, parse_int=_bounded, parse_float=_finite)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number that no float can take")
    return value


def _bounded(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError("a number of too many digits")
    return int(digits)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a number")
