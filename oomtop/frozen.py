"""`@frozen` and `@slotted`: like `@dataclass(slots=True)`, frozen or not, but created in a tenth of the time.

`dataclass` compiles six methods per class: 60 of the 96 ms that the monitor's own imports took, for 62
classes (now 5); importing `dataclasses` with `inspect` takes another 5.  Here only the constructor is compiled, once
a class has several instances; the rest is shared.
The fields are those of `dataclasses`: `fields`, `replace`, `asdict` and `is_dataclass` work as on any dataclass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol, TypeVar, cast

if TYPE_CHECKING:
    # Imported by name, so that type checkers compare its arguments with the fields.
    from dataclasses import Field
    from dataclasses import field as field
    from dataclasses import replace as replace
    from typing import ClassVar

    from typing_extensions import dataclass_transform

T = TypeVar("T")
_FEW = 8
_LATER = object()
"""Marks an omitted argument with a default factory."""
_NONE = object()
"""Marks a field without a default."""


class _Default(NamedTuple):
    """How a field begins, and whether it counts in comparisons."""

    value: object = _NONE
    make: Callable[[], object] | None = None
    compare: bool = True


class _Record(Protocol):
    """The methods that `frozen` adds to a class."""

    __dataclass_fields__: ClassVar[dict[str, Field[object]]]
    __defaults__: ClassVar[Mapping[str, _Default]]
    __names__: ClassVar[tuple[str, ...]]
    __places__: ClassVar[Mapping[str, int]]
    __values__: ClassVar[Callable[[object], tuple[object, ...]]]
    __compared__: ClassVar[Callable[[object], object]]


if not TYPE_CHECKING:

    def field(
        *, default: object = _NONE, default_factory: Callable[[], object] | None = None, compare: bool = True
    ) -> _Default:
        """Return what stands for a field in its class, as `dataclasses.field` does."""
        return _Default(default, default_factory, compare)

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


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Turn a class with annotated fields into a frozen slotted dataclass, compared and hashed by its fields."""
    return _made(cls, {"__hash__": _hash, "__setattr__": _refuse, "__delattr__": _refuse})


@dataclass_transform(field_specifiers=(field,))
def slotted(cls: type[T]) -> type[T]:
    """Turn a class with annotated fields into a slotted dataclass, compared by its fields, which can be set."""
    return _made(cls, {"__hash__": None})


def _made(cls: type[T], more: Mapping[str, object]) -> type[T]:
    """Return the class once more: slots cannot be added to one that exists."""
    own = {name: _default(cls.__dict__.get(name, _NONE)) for name in cls.__annotations__}
    every: dict[str, _Default] = {}
    for base in reversed(cls.__mro__):
        every |= base.__dict__.get("__defaults__", {})
    slots = tuple(name for name in own if name not in every)
    every |= own
    names = tuple(every)
    space = {name: value for name, value in cls.__dict__.items() if name not in own and name not in _OF_PLAIN_CLASSES}
    space |= {
        "__slots__": slots,
        "__match_args__": names,
        "__dataclass_fields__": _Fields(cls, every),
        "__defaults__": every,
        "__names__": names,
        "__places__": {name: place for place, name in enumerate(names)},
        "__values__": _reader(names),
        "__compared__": _reader(tuple(name for name in names if every[name].compare)),
        "__eq__": _equals,
        "__repr__": _repr,
        "__reduce__": _reduce,
        **more,
    }
    made = cast("Callable[..., type[T]]", type(cls))(cls.__name__, cls.__bases__, space)
    made.__qualname__ = cls.__qualname__
    made.__init__ = _compiled_when_called(made)  # type: ignore[method-assign]
    return made


_OF_PLAIN_CLASSES = ("__dict__", "__weakref__")


_REQUIRED = _Default()


def _default(value: object) -> _Default:
    if value is _NONE:
        return _REQUIRED
    return value if isinstance(value, _Default) else _Default(value)


class _Fields:
    """`__dataclass_fields__` of a class, made when `dataclasses` asks for it."""

    def __init__(self, cls: type[object], every: Mapping[str, _Default]) -> None:
        self._cls, self._every = cls, every
        self._made: dict[str, Field[object]] | None = None

    def __get__(self, record: object, owner: type[object]) -> dict[str, Field[object]]:
        if self._made is None:
            import dataclasses

            def of(default: _Default) -> object:
                if default.make is not None:
                    return dataclasses.field(default_factory=default.make, compare=default.compare)
                value = dataclasses.MISSING if default.value is _NONE else default.value
                return dataclasses.field(default=value, compare=default.compare)

            types = {name: kind for base in reversed(self._cls.__mro__) for name, kind in _types(base).items()}
            columns = [(name, types[name], of(default)) for name, default in self._every.items()]
            made = dataclasses.make_dataclass(self._cls.__name__, columns, init=False, repr=False, eq=False)
            self._made = {each.name: each for each in dataclasses.fields(made)}
        return self._made


def _types(cls: type[object]) -> Mapping[str, object]:
    return {} if cls is object else cls.__annotations__


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
            own = _slots(cls)
        if left > 0 and _fill(self, own, values, named):
            return
        made = _constructor(own, cls.__qualname__)
        cls.__init__ = made  # type: ignore[method-assign]
        made(self, *values, **named)

    return __init__


class _Slot(NamedTuple):
    """The setter and the default of a field."""

    name: str
    fill: Callable[[object, object], None]
    default: object
    make: Callable[[], object] | None


def _slots(cls: type[object]) -> tuple[_Slot, ...]:
    every = cast("type[_Record]", cls).__defaults__
    return tuple(_Slot(name, getattr(cls, name).__set__, each.value, each.make) for name, each in every.items())


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
        elif slot.default is not _NONE:
            slot.fill(self, slot.default)
        elif slot.make is not None:
            slot.fill(self, slot.make())
        else:
            return False
    return used == len(named)


def _constructor(own: Sequence[_Slot], name: str) -> Callable[..., None]:
    """Compile an `__init__` that sets each field through its slot, without a lookup by name."""
    scope: dict[str, object] = {"_LATER": _LATER}
    parameters, body = ["self"], []
    for each in own:
        field_name = value = each.name
        scope[f"_set_{field_name}"] = each.fill
        if each.default is not _NONE:
            scope[f"_default_{field_name}"] = each.default
            parameters.append(f"{field_name}=_default_{field_name}")
        elif each.make is not None:
            scope[f"_make_{field_name}"] = each.make
            parameters.append(f"{field_name}=_LATER")
            value = f"_make_{field_name}() if {field_name} is _LATER else {field_name}"
        else:
            parameters.append(field_name)
        body.append(f"    _set_{field_name}(self, {value})")
    source = f"def __init__({', '.join(parameters)}):\n" + ("\n".join(body) or "    pass")
    # Not `exec` of the text: with Ctrl-C in there Python ends as if nobody had caught it, by SIGINT.
    exec(compile(source, "<frozen>", "exec"), scope)
    made = cast("Callable[..., None]", scope["__init__"])
    made.__qualname__ = f"{name}.__init__"
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
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _reduce(self: _Record) -> tuple[object, ...]:
    """Make `copy` and `pickle` construct a new object, as fields cannot be set later."""
    return self.__class__, self.__class__.__values__(self)
