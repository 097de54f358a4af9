"""Whether the pictures are older than the screen.

`screen.txt` is what it showed of made-up machines when they were taken, its figures all zeros: their places count.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.tui.states import picture

TAKEN = Path(__file__).parent / "screen.txt"
SIZES = ((80, 24), (120, 40))
STATES: dict[str, tuple[str, ...]] = {
    "calm": (), "surge": (), "three": (), "killed": (), "leak": ("tab",), "cache": ("tab", "tab"), "thrash": ("S",),
}  # fmt: skip
"""Name of a state to the keys pressed there."""


def screen() -> str:
    """Return what the screen shows now, as root, whoever asks."""
    with patch("oomtop.tui.base.session.describe_rights", return_value="root"):
        shown = [settled(name, size, keys) for name, keys in STATES.items() for size in SIZES]
    return "\n\n".join(re.sub(r"\d", "0", "\n".join(lines)).rstrip() for lines in shown) + "\n"


def settled(name: str, size: tuple[int, int], keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines of a state once they are the same twice: a busy machine may be caught between two drawings."""
    before: tuple[str, ...] = ()
    while (lines := asyncio.run(picture(name, size, keys)).lines) != before:
        before = lines
    return lines
