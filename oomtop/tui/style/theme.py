"""A theme file as Textual's theme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.color import ANSI_COLOR_NAMES
from textual.color import Color, ColorParseError
from textual.theme import Theme

from oomtop.errors import OomtopError
from oomtop.frozen import frozen
from oomtop.tui.style.palette import has_colour
from oomtop.tui.style.theme_file import DEFAULT, ThemeFile, read_theme


@frozen
class LoadedTheme:
    """A theme ready for use: the Textual part, and the colours of quantities (none in a mono theme)."""

    theme: Theme
    palette: Mapping[str, str]
    ansi: bool


def load_theme(name: str) -> LoadedTheme:
    """Return a theme by its name or by the path of its file.

    Raises:
        ConfigError: no such theme, or a file that is not one; names the file and the key.
    """
    return _loaded(read_theme(name, is_colour))


def theme_or_default(name: str | None) -> tuple[str | None, LoadedTheme]:
    """Return (problem, theme): a bad theme is said and the default takes its place, as it does without colours."""
    try:
        found = load_theme(name or DEFAULT)
        return None, found if has_colour() else load_theme(DEFAULT)
    except OomtopError as error:
        return str(error), load_theme(DEFAULT)


def _loaded(file: ThemeFile) -> LoadedTheme:
    colors: dict[str, Any] = dict(file.colors)
    theme = Theme(name=f"oomtop-{file.name}", dark=file.dark, variables=dict(file.variables), **colors)
    return LoadedTheme(theme, file.palette, file.ansi)


def is_colour(value: str) -> bool:
    """Whether Textual knows the colour, for the screen, or Rich, for quantities (`bright_yellow`)."""
    try:
        Color.parse(value)
    except ColorParseError:
        return value in ANSI_COLOR_NAMES
    return True
