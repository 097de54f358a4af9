"""`@frozen`: like `@dataclass(frozen=True, slots=True)`, but created in a seventh of the time.

`dataclass` compiles six methods per class: 60 of the 96 ms that the monitor's own imports took, for 62
classes (now 9).  Here only the constructor is compiled, once a class has several instances; the rest is shared.
The fields are those of `dataclasses`: `fields`, `replace`, `asdict` and `is_dataclass` work as on any dataclass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar, NamedTuple, NoReturn, Protocol, TypeVar, cast

if TYPE_CHECKING:
    # Imported by name, so that type checkers compare its arguments with the fields.
    from dataclasses import replace as replace

    from typing_extensions import dataclass_transform
else:

    def replace(record: _Record, /, **changes: object) -> _Record:
        """Return a copy with some fields changed; `dataclasses.replace` takes three times as long."""
        cls = record.__class__
        values, places = list(cls.__values__(record)), cls.__places__
        for name, value in changes.items():
            if name not in places:
                raise TypeError(f"{cls.__qualname__} got an unexpected keyword argument {name!r}")
            values[places[name]] = value
        return cls(*values)

    def dataclass_transform(**_: object) -> Callable[[object], object]:
        """Stand in for `typing.dataclass_transform`, which Python 3.10 lacks and only type checkers read."""
        return lambda decorator: decorator


def as_dict(record: object) -> dict[str, object]:
    """Return the fields of a frozen record by name; `asdict` also copies what is in them, at ten times the cost."""
    known = cast("_Record", record)
    return dict(zip(known.__names__, known.__class__.__values__(known), strict=True))


T = TypeVar("T")
_FEW = 8
_LATER = object()
"""Marks an omitted argument with a default factory."""


class _Record(Protocol):
    """The methods that `frozen` adds to a class."""

    __dataclass_fields__: ClassVar[dict[str, Field[object]]]
    __names__: ClassVar[tuple[str, ...]]
    __places__: ClassVar[Mapping[str, int]]
    __values__: ClassVar[Callable[[object], tuple[object, ...]]]
    __compared__: ClassVar[Callable[[object], object]]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Turn a class with annotated fields into a frozen slotted dataclass, compared and hashed by its fields."""
    made = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    own = fields(cast("type[_Record]", made))
    names = tuple(each.name for each in own)
    methods = {
        "__init__": _compiled_when_called(made),
        "__names__": names,
        "__places__": {name: place for place, name in enumerate(names)},
        "__values__": _reader(names),
        "__compared__": _reader(tuple(each.name for each in own if each.compare)),
        "__eq__": _equals,
        "__hash__": _hash,
        "__repr__": _repr,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__reduce__": _reduce,
    }
    for name, method in methods.items():
        setattr(made, name, method)
    return made


def _compiled_when_called(cls: type[object]) -> Callable[..., None]:
    """Return an `__init__` that replaces itself with a compiled one at the `_FEW`th instance.

    After a start half of the classes have no instance and most others one or two; compiling them would cost 4 ms.
    """
    left = _FEW
    own: tuple[_Slot, ...] | None = None

    def __init__(self: object, *values: object, **named: object) -> None:
        nonlocal left, own
        left -= 1
        if own is None:
            own = tuple(_Slot.of(cls, each) for each in fields(cast("type[_Record]", cls)))
        if left > 0 and _fill(self, own, values, named):
            return
        made = _constructor(cls)
        cls.__init__ = made  # type: ignore[method-assign]
        made(self, *values, **named)

    return __init__


class _Slot(NamedTuple):
    """The setter and the default of a field."""

    name: str
    fill: Callable[[object, object], None]
    default: object
    make: object

    @classmethod
    def of(cls, owner: type[object], each: Field[object]) -> _Slot:
        """Return the slot of a field."""
        return cls(each.name, getattr(owner, each.name).__set__, each.default, each.default_factory)


def _fill(self: object, own: Sequence[_Slot], values: Sequence[object], named: Mapping[str, object]) -> bool:
    """Set every field; returns False to leave wrong arguments to the compiled constructor, which raises TypeError."""
    if len(values) > len(own):
        return False
    used = 0
    for slot, value in zip(own, values):  # noqa: B905 - usually fewer values than fields
        if slot.name in named:
            return False
        slot.fill(self, value)
    for slot in own[len(values) :]:
        if slot.name in named:
            used += 1
            slot.fill(self, named[slot.name])
        elif slot.default is not MISSING:
            slot.fill(self, slot.default)
        elif callable(slot.make):
            slot.fill(self, slot.make())
        else:
            return False
    return used == len(named)


def _constructor(cls: type[object]) -> Callable[..., None]:
    """Compile an `__init__` that sets each field through its slot, without a lookup by name."""
    scope: dict[str, object] = {"_LATER": _LATER}
    parameters, body = ["self"], []
    for each in fields(cast("type[_Record]", cls)):
        name = value = each.name
        scope[f"_set_{name}"] = getattr(cls, name).__set__
        if each.default is not MISSING:
            scope[f"_default_{name}"] = each.default
            parameters.append(f"{name}=_default_{name}")
        elif each.default_factory is not MISSING:
            scope[f"_make_{name}"] = each.default_factory
            parameters.append(f"{name}=_LATER")
            value = f"_make_{name}() if {name} is _LATER else {name}"
        else:
            parameters.append(name)
        body.append(f"    _set_{name}(self, {value})")
    exec(f"def __init__({', '.join(parameters)}):\n" + ("\n".join(body) or "    pass"), scope)
    made = cast("Callable[..., None]", scope["__init__"])
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _reader(names: tuple[str, ...]) -> Callable[[object], tuple[object, ...]]:
    """Return a function that reads fields into a tuple; `attrgetter` of one name returns no tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: tuple(getattr(record, name) for name in names)


def _equals(self: _Record, other: object) -> object:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = self.__class__.__compared__
    return compared(self) == compared(other)


def _hash(self: _Record) -> int:
    return hash(self.__class__.__compared__(self))


def _repr(self: _Record) -> str:
    values = zip(self.__names__, self.__class__.__values__(self), strict=True)
    return f"{self.__class__.__qualname__}({', '.join(f'{name}={value!r}' for name, value in values)})"


def _refuse(self: object, name: str, *_: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _reduce(self: _Record) -> tuple[object, ...]:
    """Make `copy` and `pickle` construct a new object, as fields cannot be set later."""
    return self.__class__, self.__class__.__values__(self)
