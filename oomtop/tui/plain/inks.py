"""Styles of the first picture: the theme's colours as escapes, for the colours of the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache

from rich.color import ANSI_COLOR_NAMES, ColorSystem
from rich.style import Style

from oomtop.tui.plain.rules import Element, declared, parse_rules
from oomtop.tui.process_table.colours import STYLES
from oomtop.tui.style.gates import ascii_of, safe, without_colour
from oomtop.tui.style.palette import Look, has_colour, has_utf8
from oomtop.tui.style.theme_file import ThemeFile

_SYSTEMS = {"kitty": ColorSystem.EIGHT_BIT, "256color": ColorSystem.EIGHT_BIT, "16color": ColorSystem.STANDARD}
_SCREEN_COLOURS = ("foreground", "background", "panel", "primary", "error", "warning", "success", "accent")


def is_plain_colour(text: str) -> bool:
    """Whether a colour is known without Textual."""
    is_hex = text[:1] == "#" and len(text) == 7 and not set(text[1:].lower()) - set("0123456789abcdef")
    return is_hex or text in ANSI_COLOR_NAMES or text.removeprefix("ansi_") in (*ANSI_COLOR_NAMES, "default")


def colour_system(environ: Mapping[str, str] = os.environ) -> ColorSystem:
    """Return the number of colours of the terminal, as `rich.console` determines it."""
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return ColorSystem.TRUECOLOR
    return _SYSTEMS.get(environ.get("TERM", "").strip().lower().rpartition("-")[2], ColorSystem.STANDARD)


class Inks:
    """The styles of one theme."""

    def __init__(self, theme: ThemeFile, look: Look) -> None:
        self._colours = {**theme.colors, **theme.variables}
        self._ansi = theme.ansi
        self._system = colour_system()
        self._has_colour, self._names_too, self._ascii = has_colour(), not has_utf8(), look.ascii
        self._rules = parse_rules(STYLES)
        self.of = lru_cache(256)(self._of)

    @property
    def is_whole(self) -> bool:
        """Whether the theme leaves no colour of the screen to Textual."""
        return all(name in self._colours for name in (*_SCREEN_COLOURS, "scrollbar"))

    def ground(self, name: str) -> Style:
        """Return the style of text on a background of the theme."""
        return self.of(f"{self._name('foreground')} on {self._name(name)}")

    def thumb(self, is_thumb: bool) -> Style:
        """Return the style of a blank cell of a scroll bar; its thumb is reversed, as it is without colour."""
        if is_thumb:
            return self.of(f"reverse {self._name('scrollbar')} on {self._name('background')}")
        return self.of(f"default on {self._name('scrollbar-background')}")

    def component(self, name: str) -> Style:
        """Return the style of a part of the process table that has the focus."""
        table = Element("ProcessTable", "", frozenset({"focus", "ansi"} if self._ansi else {"focus"}))
        found = declared(self._rules, table, Element("", "", _named(name)))
        colour, ground = (self._first(found.get(key, "")) for key in ("color", "background"))
        words = (found.get("text-style", ""), colour, f"on {ground}" if ground else "")
        return self.of(" ".join(filter(None, words)))

    def render(self, text: str, style: Style) -> str:
        """Return a text with its escapes."""
        text = safe(text)
        if not text.isascii() and (self._ascii or self._names_too):
            text = ascii_of(text, self._names_too)
        return (style if self._has_colour else without_colour(style)).render(text, color_system=self._system)

    def _first(self, value: str) -> str:
        """Return the colour of `$primary 40%`; a part that is not blended has all of it."""
        return self._name(value.split()[0].removeprefix("$")) if value else ""

    def _name(self, variable: str) -> str:
        return self._colours.get(variable, "default").removeprefix("ansi_")

    def _of(self, definition: str) -> Style:
        return Style.parse(definition)


def _named(component: str) -> frozenset[str]:
    return frozenset({f"table--{component}"})
