"""Changes single values of a configuration file; comments, unknown keys and order are kept.

Sample: `interval = 2.0  # on the slow host`
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from oomtop.config.toml_text import loads
from oomtop.errors import ConfigError

Value = bool | float | str | tuple[str, ...]
_TABLE = re.compile(r"\s*\[")


def edit_text(text: str, values: Mapping[str, Value], path: str = "") -> str:
    """Return the TOML `text` with `values` set at the top level; new keys go before the first table.

    Raises:
        ConfigError: the text is not TOML, or cannot be changed safely.
    """
    before = _parse(text, path)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for key, value in values.items():
        _set(lines, key, value)
    edited = "".join(lines)
    expected = {**before, **{key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}}
    if _parse(edited, path) != expected:
        raise ConfigError(path, "", "is written in a way that cannot be changed safely; please edit it by hand")
    return edited


def literal(value: Value) -> str:
    """Return a value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(literal(item) for item in value)}]"
    # A JSON string is a TOML string, except for one character that only TOML requires escaped.
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(float(value))


def _parse(text: str, path: str) -> dict[str, object]:
    try:
        return loads(text)
    except ValueError as error:
        raise ConfigError(path, "", f"is not TOML: {error}") from None


def _set(lines: list[str], key: str, value: Value) -> None:
    """Change the lines of a key, or add it."""
    end = next((at for at, line in enumerate(lines) if _TABLE.match(line)), len(lines))
    named = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
    start = next((at for at, line in enumerate(lines[:end]) if named.match(line)), None)
    if start is None:
        while end and not lines[end - 1].strip():
            end -= 1
        lines.insert(end, f"{key} = {literal(value)}\n")
        return
    stop = _end_of(lines, start)
    lines[start:stop] = [f"{key} = {literal(value)}{_comment(lines[start:stop])}\n"]


def _end_of(lines: Sequence[str], start: int) -> int:
    """Return the line after a value, which may span several."""
    for stop in range(start + 1, len(lines) + 1):
        if _is_toml("".join(lines[start:stop])):
            return stop
    return start + 1


def _comment(lines: Sequence[str]) -> str:
    """Return the comment after a value, with its leading blanks; it starts at the first `#` outside the value."""
    line = lines[-1].rstrip("\n")
    earlier = "".join(lines[:-1])
    for match in re.finditer(r"\s*#", line):
        if _is_toml(earlier + line[: match.start()]):
            return line[match.start() :]
    return ""


def _is_toml(text: str) -> bool:
    try:
        loads(text)
    except ValueError:
        return False
    return True
