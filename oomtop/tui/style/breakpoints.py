"""Maps the size of a terminal to the classes of style sheets."""

from __future__ import annotations

HORIZONTAL = ((0, "-narrow"), (100, "-normal"), (140, "-wide"))
VERTICAL = ((0, "-short"), (16, "-low"), (22, "-usual"), (34, "-tall"), (50, "-high"))
"""(cells from which on, class)."""


def size_classes(width: int, height: int) -> tuple[str, str]:
    """Return the classes of a screen of this size."""
    return _last(HORIZONTAL, width), _last(VERTICAL, height)


def _last(steps: tuple[tuple[int, str], ...], cells: int) -> str:
    return max(step for step in steps if step[0] <= cells)[1]
