"""`Look`: the colours of quantities and whether only ASCII may be drawn."""

from __future__ import annotations

import os
from collections.abc import Mapping

from oomtop.frozen import field, slotted

_MIDDLE = 0.1791
"""The luminance with equal contrast to black and white: the root of (1.05)(0.05), less 0.05."""


@slotted
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
        if not colour:
            return "reverse"
        return f"{ink_on(colour) if colour[0] == '#' else 'black'} on {colour}"


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, from 0 to 1 (WCAG 2.1)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ink_on(ground: str) -> str:
    """Return black or white, whichever stands out more on `#rrggbb`: at least 4.5 to 1."""
    return "#000000" if luminance(ground) > _MIDDLE else "#ffffff"


def has_colour(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether colours may be sent: not with `NO_COLOR` (no-color.org: any text but the empty one) or `CLICOLOR=0`."""
    return not environ.get("NO_COLOR") and environ.get("CLICOLOR") != "0"


def has_utf8(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the locale takes UTF-8: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set; without one it does."""
    environ = _first_environ() if environ is None else environ
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "UTF-8")
    return "utf8" in locale.lower().replace("-", "")


def _first_environ() -> Mapping[str, str]:
    """Return the environment as it was at the start: Python sets `LC_CTYPE` where `LANG` is C (PEP 538)."""
    try:
        with open("/proc/self/environ", "rb") as file:
            words = file.read().decode("utf-8", "replace").split("\0")
    except OSError:
        return os.environ
    return dict(word.split("=", 1) for word in words if "=" in word)


def make_look(ascii_only: bool, palette: Mapping[str, str]) -> Look:
    """Return the look of an app, without colours where none may be sent, in ASCII where the locale has no more."""
    return Look(ascii_only or not has_utf8(), palette if has_colour() else {})
