"""Display names of keys: `question_mark` is `?`, `f5` is `F5`, `ctrl+l` is `Ctrl-L`."""

from __future__ import annotations

_NAMES = {
    "question_mark": "?", "slash": "/", "backslash": "\\", "colon": ":", "less_than_sign": "<",
    "greater_than_sign": ">", "plus": "+", "minus": "-", "equals_sign": "=", "at": "@", "left_square_bracket": "[",
    "right_square_bracket": "]", "left_curly_bracket": "{", "right_curly_bracket": "}", "left_parenthesis": "(",
    "right_parenthesis": ")", "pageup": "PgUp", "pagedown": "PgDn", "escape": "Esc", "backspace": "Backspace",
    "enter": "Enter", "space": "Space", "tab": "Tab", "up": "Up", "down": "Down", "left": "Left", "right": "Right",
    "home": "Home", "end": "End",
}  # fmt: skip
_KEYS = {name: key for key, name in _NAMES.items()}


def key_name(key: str) -> str:
    """Return how a key of Textual's is written for people."""
    *modifiers, last = key.split("+")
    if last[:1] == "f" and last[1:].isdigit():
        last = last.upper()
    named = _NAMES.get(last, last if not modifiers or len(last) > 1 else last.upper())
    return "-".join([*(modifier.capitalize() for modifier in modifiers), named])


def key_of(name: str) -> str:
    """Return the key that a name such as `?`, `Enter` or `F5` stands for."""
    if name in _KEYS:
        return _KEYS[name]
    return name.lower() if len(name) > 1 else name
