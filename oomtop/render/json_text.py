"""The text of a JSON document: a number that JSON cannot write (NaN, infinite) is null, as any unknown one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

_ENCODER = json.JSONEncoder(allow_nan=False)


def json_text(data: object) -> str:
    """Return `data` as one line of JSON that every parser reads (RFC 8259 knows no NaN)."""
    try:
        return _ENCODER.encode(data)
    except ValueError:
        return _ENCODER.encode(_known(data))


def _known(data: object) -> object:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {key: _known(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_known(value) for value in data]
    return data
