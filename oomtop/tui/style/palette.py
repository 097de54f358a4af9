"""`Look`: the colours of quantities and whether only ASCII may be drawn."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Look:
    """What drawing functions need to know; an empty palette draws without colour.

    One per app, changed only by its setup.
    """

    ascii: bool = False
    palette: Mapping[str, str] = field(default_factory=dict)

    def style(self, name: str, bold: bool = False) -> str:
        """Return the Rich style of a named colour."""
        colour = self.palette.get(name, "")
        return f"bold {colour}".strip() if bold else colour

    def block(self, name: str) -> str:
        """Return the style of a bar segment: its colour as background."""
        colour = self.palette.get(name)
        return f"black on {colour}" if colour else "reverse"


def make_look(ascii_only: bool, palette: Mapping[str, str]) -> Look:
    """Return the look of an app, without colours where `NO_COLOR` is set."""
    return Look(ascii_only, {} if os.environ.get("NO_COLOR") else palette)
