"""Styles of the first picture: the theme's colours as escapes, for the colours of the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache

from oomtop.tui.plain.rules import Element, declared, parse_rules
from oomtop.tui.process_table.colours import STYLES
from oomtop.tui.style.gates import ascii_of, safe
from oomtop.tui.style.ink import Depth, Ink, is_hex, is_named, parse_ink
from oomtop.tui.style.palette import Look, has_colour, has_utf8
from oomtop.tui.style.theme_file import ThemeFile

_DEPTHS = {"kitty": Depth.EIGHT_BIT, "256color": Depth.EIGHT_BIT}
_SCREEN_COLOURS = ("foreground", "background", "panel", "primary", "error", "warning", "success", "accent")


def is_plain_colour(text: str) -> bool:
    """Whether a colour is known without Textual."""
    return is_hex(text) or is_named(text.removeprefix("ansi_"))


def colour_depth(environ: Mapping[str, str] = os.environ) -> Depth:
    """Return the number of colours of the terminal, as `rich.console` determines it."""
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return Depth.TRUECOLOR
    return _DEPTHS.get(environ.get("TERM", "").strip().lower().rpartition("-")[2], Depth.STANDARD)


class Inks:
    """The styles of one theme."""

    def __init__(self, theme: ThemeFile, look: Look) -> None:
        self._colours = {**theme.colors, **theme.variables}
        self._ansi = theme.ansi
        self._depth = colour_depth()
        self._has_colour, self._names_too, self._ascii = has_colour(), not has_utf8(), look.ascii
        self._rules = parse_rules(STYLES)
        self.of = lru_cache(256)(parse_ink)

    @property
    def is_whole(self) -> bool:
        """Whether the theme leaves no colour of the screen to Textual."""
        return all(name in self._colours for name in (*_SCREEN_COLOURS, "scrollbar"))

    def ground(self, name: str) -> Ink:
        """Return the style of text on a background of the theme."""
        return self.of(f"{self._name('foreground')} on {self._name(name)}")

    def thumb(self, is_thumb: bool) -> Ink:
        """Return the style of a blank cell of a scroll bar; its thumb is reversed, as it is without colour."""
        if is_thumb:
            return self.of(f"reverse {self._name('scrollbar')} on {self._name('background')}")
        return self.of(f"default on {self._name('scrollbar-background')}")

    def component(self, name: str) -> Ink:
        """Return the style of a part of the process table that has the focus."""
        table = Element("ProcessTable", "", frozenset({"focus", "ansi"} if self._ansi else {"focus"}))
        found = declared(self._rules, table, Element("", "", _named(name)))
        colour, ground = (self._first(found.get(key, "")) for key in ("color", "background"))
        words = (found.get("text-style", ""), colour, f"on {ground}" if ground else "")
        return self.of(" ".join(filter(None, words)))

    def render(self, text: str, style: Ink) -> str:
        """Return a text with its escapes."""
        text = safe(text)
        if not text.isascii() and (self._ascii or self._names_too):
            text = ascii_of(text, self._names_too)
        return (style if self._has_colour else style.colourless).render(text, self._depth)

    def _first(self, value: str) -> str:
        """Return the colour of `$primary 40%`; a part that is not blended has all of it."""
        return self._name(value.split()[0].removeprefix("$")) if value else ""

    def _name(self, variable: str) -> str:
        return self._colours.get(variable, "default").removeprefix("ansi_")


def _named(component: str) -> frozenset[str]:
    return frozenset({f"table--{component}"})
