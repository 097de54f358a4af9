"""Filters for text before output: control characters, ASCII; which grounds are light."""

from __future__ import annotations

from oomtop.tui.style.cell_width import cell_len

_LINES = str.maketrans(
    {
        **dict.fromkeys("─━▁▔╌┄", "-"),
        **dict.fromkeys("│┃▏▕▎▊▌▐", "|"),
        **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
        **dict.fromkeys("▂▃▄▅▆▇", " "),
        "█": "#", "…": ">", "▼": "v", "▲": "^", "▶": ">", "▸": ">", "•": "*", "»": ">",
        "🔎": "/ ", "\N{NO-BREAK SPACE}": " ",
    }
)  # fmt: skip
_LIT = 0.25
"""Brightness from which a background is more than the shade of a panel."""


def safe(text: str) -> str:
    """Return a text without characters that a terminal obeys."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def ascii_of(text: str, names_too: bool) -> str:
    """Return a text whose drawn characters are ASCII, each as wide; with `names_too` all of it."""
    drawn = text.translate(_LINES)
    if not names_too or drawn.isascii():
        return drawn
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in drawn)


def is_lit(red: int, green: int, blue: int) -> bool:
    """Whether a background is light, by what Textual calls the brightness of a colour."""
    return (299 * red + 587 * green + 114 * blue) / 255_000 > _LIT
