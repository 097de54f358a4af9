"""`Ink`: colours and attributes of a text, as `rich.style` adds and writes them; importing Rich takes 7 ms.

Escapes: ECMA-48, 8.3.117 (SGR), and xterm's of 256 and of all colours
(https://invisible-island.net/xterm/ctlseqs/ctlseqs.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from oomtop.tui.style.gates import is_lit

_ATTRIBUTES = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "blink": "5", "reverse": "7", "strike": "9"}
_SIXTEEN = (
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    *(f"bright_{name}" for name in ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")),
)  # fmt: skip
_PALETTE = (
    (0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170),
    (85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85), (85, 85, 255), (255, 85, 255), (85, 255, 255),
    (255, 255, 255),
)  # fmt: skip
"""What Rich takes the sixteen colours to be."""
_GREY = 0.15
"""The saturation below which a colour is taken for a grey."""


class Depth(Enum):
    """How many colours a terminal has."""

    STANDARD = 1
    EIGHT_BIT = 2
    TRUECOLOR = 3


class Ink(NamedTuple):
    """A style: `+` puts another one over it."""

    color: str = ""
    ground: str = ""
    on: frozenset[str] = frozenset()
    """Attributes by name."""

    def __add__(self, over: Ink) -> Ink:  # type: ignore[override]
        return Ink(over.color or self.color, over.ground or self.ground, self.on | over.on)

    def render(self, text: str, depth: Depth) -> str:
        """Return the text with its escapes."""
        codes = [code for name, code in _ATTRIBUTES.items() if name in self.on]
        codes += _codes(self.color, depth, 30) if self.color else ()
        codes += _codes(self.ground, depth, 40) if self.ground else ()
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes and text else text

    @property
    def colourless(self) -> Ink:
        """The attributes, reversed on a light background."""
        lit = is_hex(self.ground) and is_lit(*_triplet(self.ground))
        return Ink(on=self.on ^ {"reverse"} if lit else self.on)


def parse_ink(definition: str) -> Ink:
    """Return the ink of `bold #d7af5f on black`."""
    on, colors = set(), {"on": "", "": ""}
    is_ground = ""
    for word in definition.lower().split():
        if word == "on":
            is_ground = word
        elif word in _ATTRIBUTES:
            on.add(word)
        else:
            colors[is_ground], is_ground = word, ""
    return Ink(colors[""], colors["on"], frozenset(on))


def is_hex(colour: str) -> bool:
    """Whether it is `#rrggbb`."""
    return colour[:1] == "#" and len(colour) == 7 and not set(colour[1:].lower()) - set("0123456789abcdef")


def is_named(colour: str) -> bool:
    """Whether it is one of the 256 colours, or the terminal's own."""
    if colour == "default" or colour in _SIXTEEN:
        return True
    from rich.color import ANSI_COLOR_NAMES

    return colour in ANSI_COLOR_NAMES


def _triplet(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _codes(colour: str, depth: Depth, base: int) -> Sequence[str]:
    """Return the parameters for a colour of the text (`base` 30) or of its ground (40)."""
    if colour == "default":
        return (str(base + 9),)
    if is_hex(colour):
        triplet = _triplet(colour)
        if depth is Depth.TRUECOLOR:
            return (str(base + 8), "2", *map(str, triplet))
        if depth is Depth.EIGHT_BIT:
            return (str(base + 8), "5", str(_of_256(*triplet)))
        return _of_16(_nearest(triplet), base)
    if colour in _SIXTEEN:
        return _of_16(_SIXTEEN.index(colour), base)
    return _of_any(colour, depth, base)


def _of_16(number: int, base: int) -> Sequence[str]:
    return (str(base + number if number < 8 else base + 52 + number),)


def _of_any(colour: str, depth: Depth, base: int) -> Sequence[str]:
    from rich.color import Color, ColorSystem

    system = {Depth.STANDARD: ColorSystem.STANDARD, Depth.EIGHT_BIT: ColorSystem.EIGHT_BIT}
    found = Color.parse(colour).downgrade(system.get(depth, ColorSystem.TRUECOLOR))
    return found.get_ansi_codes(foreground=base == 30)


def _of_256(red: int, green: int, blue: int) -> int:
    """Return the nearest colour of the cube of 6 * 6 * 6, or of the greys, as `rich.color` rounds it."""
    least, most = min(red, green, blue) / 255, max(red, green, blue) / 255
    bright, spread = (least + most) / 2, most - least
    saturation = spread / (most + least if bright <= 0.5 else 2 - most - least) if spread else 0.0
    if saturation < _GREY:
        grey = round(bright * 25)
        return 16 if grey == 0 else 231 if grey == 25 else 231 + grey
    red, green, blue = _steps((red, green, blue))
    return 16 + 36 * red + 6 * green + blue


def _steps(parts: Sequence[int]) -> Iterator[int]:
    return (round(part / 95 if part < 95 else 1 + (part - 95) / 40) for part in parts)


def _nearest(colour: tuple[int, int, int]) -> int:
    """Return the nearest of the sixteen colours (https://www.compuphase.com/cmetric.htm)."""

    def distance(number: int) -> int:
        middle = (colour[0] + _PALETTE[number][0]) // 2
        red, green, blue = (one - other for one, other in zip(colour, _PALETTE[number], strict=True))
        return (((512 + middle) * red * red) >> 8) + 4 * green * green + (((767 - middle) * blue * blue) >> 8)

    return min(range(16), key=distance)
