"""`loads`: `tomllib`, or `tomli` before Python 3.11, imported where there is more than texts and switches."""

from __future__ import annotations

import sys


def loads(text: str) -> dict[str, object]:
    """Parse a TOML text.

    Raises:
        ValueError: it is none; the text names the line.
    """
    found = _simple(text)
    if found is not None:
        return found
    # 4 ms of every start, for a theme that has nothing but colours.
    if sys.version_info >= (3, 11):
        from tomllib import loads as loads_any
    else:
        from tomli import loads as loads_any
    return loads_any(text)


def _simple(text: str) -> dict[str, object] | None:
    """Return what lines such as `[table]`, `key = "text"` and `key = true` hold; None where there are others."""
    whole: dict[str, object] = {}
    table = whole
    for line in text.split("\n"):
        if not line or (line[0] == "#" and line.isprintable()):
            continue
        key, _, value = line.partition(" = ")
        holder, read = table, _value(value)
        if line[0] == "[" and line[-1] == "]":
            key, holder, table = line[1:-1], whole, {}
            read = table
        if read is None or not (key.isascii() and key.isidentifier()) or key in holder:
            return None
        holder[key] = read
    return whole


def _value(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    inner = text[1:-1]
    is_plain = inner.isprintable() and '"' not in inner and "\\" not in inner
    return inner if len(text) > 1 and text[0] == text[-1] == '"' and is_plain else None
