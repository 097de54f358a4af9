"""Converts requests to JSON and back, for undo from the audit log.

Sample: `{"kind": "SwapOffRequest", "path": "/swapfile", "remove": true, "override": false}`
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import Enum
from typing import TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from oomtop.actions.base import requests
from oomtop.actions.base.requests import Request
from oomtop.host.process import ProcessId

Json: TypeAlias = "str | int | float | list[Json] | dict[str, Json] | None"
_KINDS: Mapping[str, type] = types.MappingProxyType({kind.__name__: kind for kind in get_args(Request)})


def request_to_json(request: Request) -> dict[str, Json]:
    """Return `request` as JSON types."""
    values = {field.name: _plain(getattr(request, field.name)) for field in fields(request)}
    return {"kind": type(request).__name__, **values}


def request_from_json(data: object) -> Request | None:
    """Return the request in `data`, None if it is damaged or from another version."""
    if not isinstance(data, dict):
        return None
    kind = _KINDS.get(str(data.get("kind")))
    if kind is None:
        return None
    hints = get_type_hints(kind, vars(sys.modules[requests.__name__]))
    try:
        values = {name: _typed(hints[name], value) for name, value in data.items() if name != "kind"}
        return cast(Callable[..., Request], kind)(**values)
    except (KeyError, TypeError, ValueError):
        return None


def _plain(value: object) -> Json:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{value!r} is not allowed in a request")


def _typed(hint: object, value: object) -> object:
    """Return `value` as the type of its field.

    Raises:
        TypeError, ValueError: it has another type.
    """
    if hint is ProcessId:
        return ProcessId(*_ints(value))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple:
        return _tuple(inner, value)
    if origin in (Union, types.UnionType):
        return None if value is None else _typed(next(kind for kind in inner if kind is not type(None)), value)
    if hint is float and isinstance(value, (int, float)):
        return float(value)
    if not isinstance(hint, type) or type(value) is not hint:
        raise TypeError(f"{value!r} is not {hint}")
    if isinstance(value, str) and "\0" in value:
        raise ValueError("paths and names cannot contain a zero byte")
    return value


def _tuple(inner: tuple[object, ...], value: object) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
    if len(kinds) != len(value):
        raise ValueError(f"{value!r} does not have {len(kinds)} items")
    return tuple(_typed(kind, item) for kind, item in zip(kinds, value, strict=True))


def _ints(value: object) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2 or not all(type(item) is int for item in value):
        raise TypeError(f"{value!r} is not a process")
    if not (0 < value[0] < 1 << 31 and 0 <= value[1] < 1 << 63):
        raise ValueError(f"{value!r} is not a process")
    return value[0], value[1]
