"""How many cells a text takes: `rich.cells`, whose table is loaded with the first text that needs it (5 ms)."""

from __future__ import annotations

_NARROW = frozenset(
    map(chr, (*range(0x20, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100), 0x2026, 0x2022, 0x2264,
              *range(0x2500, 0x25FD), 0x2717, *range(0x2800, 0x2900)))
)  # fmt: skip
"""Of one cell each: ASCII, Latin-1, lines, blocks, arrows, braille, and what else the program draws."""


def cell_len(text: str) -> int:
    """Return the number of cells."""
    if _NARROW.issuperset(text):
        return len(text)
    from rich.cells import cell_len as of_any

    return of_any(text)


def set_cell_size(text: str, width: int) -> str:
    """Return a text cut or filled up with blanks to exactly so many cells."""
    if _NARROW.issuperset(text):
        return text[:width] + " " * (width - len(text))
    from rich.cells import set_cell_size as of_any

    return of_any(text, width)
