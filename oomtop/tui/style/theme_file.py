"""Themes are TOML files: `themes/NAME.toml` beside the package or in the wheel, or the user's own folder.

A theme has `name`, `dark`, a table `[colors]` for the screen and a table `[bar]` for quantities.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from oomtop.config.load import parse_table
from oomtop.errors import ConfigError, expected
from oomtop.frozen import frozen
from oomtop.host.trusted_file import read_trusted
from oomtop.host.user_names import config_home
from oomtop.tui.style.palette import ink_on

if TYPE_CHECKING:
    from importlib.abc import Traversable
    from pathlib import Path

DEFAULT = "dark"
_COLORS = (
    "primary", "secondary", "warning", "error", "success", "accent", "foreground", "background", "surface", "panel",
)  # fmt: skip
_BAR = ("anon", "shmem", "huge", "kernel", "other", "arc", "slab", "cache", "dim", "accent", "warn", "bad")
# What Textual would mix from the panel's colour is true colour, whatever that is.
_SCROLLBAR = {
    "scrollbar": "ansi_blue",
    "scrollbar-hover": "ansi_blue",
    "scrollbar-active": "ansi_bright_blue",
    **dict.fromkeys(
        ("scrollbar-background", "scrollbar-background-hover", "scrollbar-background-active", "scrollbar-corner-color"),
        "ansi_default",
    ),
}
_MUTED = 0.4
"""How much of the row under the cursor and of the thumb of a scroll bar is the primary colour, the rest its ground."""


@frozen
class ThemeFile:
    """A theme as its file has it."""

    name: str
    dark: bool
    ansi: bool
    colors: Mapping[str, str]
    palette: Mapping[str, str]
    """The colours of quantities, none in a mono theme."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The colours that Textual would else derive, each a little off: those of the theme, and of scroll bars."""
        if self.ansi:
            return _SCROLLBAR
        ground, primary = self.colors.get("background", ""), self.colors["primary"]
        named = {name: colour for name, colour in self.colors.items() if _is_hex(colour)}
        if _is_hex(ground) and _is_hex(primary):
            muted = _mixed(ground, primary, _MUTED)
            named.update({"scrollbar": muted, "primary-muted": muted, "scrollbar-background": ground})
        if _is_hex(primary):
            named["block-cursor-foreground"] = ink_on(primary)
        return named


def _is_hex(colour: str) -> bool:
    return len(colour) == 7 and colour[0] == "#"


def _mixed(ground: str, colour: str, share: float) -> str:
    pairs = ((int(ground[at : at + 2], 16), int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(below + (above - below) * share):02x}" for below, above in pairs)


def theme_folders() -> tuple[Path | Traversable, ...]:
    """Return where themes are looked for: the user's folder first, then the program's own."""
    from pathlib import Path

    own = Path(_own_folder())
    package = Path(__file__).resolve().parents[2]
    if package.is_dir():
        return (own, package / "themes", package.parent / "themes")
    # Within a zip archive; not imported otherwise, for it takes tempfile, random and hashlib with it.
    from importlib.resources import files

    return (own, files("oomtop") / "themes")


def _own_folder() -> str:
    return os.path.join(config_home(), "oomtop", "themes")


@cache
def theme_names() -> tuple[str, ...]:
    """Return the names of all themes that were found when this was first called: keys wait for no disk."""
    files = (file.name for folder in theme_folders() if folder.is_dir() for file in folder.iterdir())
    return tuple(sorted({name.removesuffix(".toml") for name in files if name.endswith(".toml")}))


def read_theme(name: str, is_colour: Callable[[str], bool]) -> ThemeFile:
    """Return a theme by its name or by the path of its file; `is_colour` says what is a colour.

    Raises:
        ConfigError: no such theme, or a file that is not one; names the file and the key.
    """
    path, is_own = _find(name)
    try:
        # The program's own themes are as trusted as the program.
        raw = _read(path) if is_own else read_trusted(path)
    except OSError as error:
        raise ConfigError(str(path), "", f"not used: {error.strerror}") from None
    return text_of(parse_table(raw, str(path)), str(path), is_colour)


def _find(name: str) -> tuple[str, bool]:
    """Return the path of a theme, and whether it is one of the program's."""
    if name.endswith(".toml"):
        return name, False
    users = os.path.join(_own_folder(), f"{name}.toml")
    if os.path.isfile(users):
        return users, False
    # Without pathlib, which takes urllib with it: 5 ms of every start.
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    for folder in (package, os.path.dirname(package)):
        path = os.path.join(folder, "themes", f"{name}.toml")
        if os.path.isfile(path) or (not os.path.isdir(package) and _is_zipped(name)):
            return path, True
    raise ConfigError(name, "theme", f"no such theme; {expected(name, theme_names())} A file ends in .toml")


def _is_zipped(name: str) -> bool:
    return (theme_folders()[-1] / f"{name}.toml").is_file()


def _read(path: str) -> bytes:
    """Return a theme of the program's, which may be within a zip archive."""
    if os.path.isfile(path):
        with open(path, "rb") as file:
            return file.read()
    return (theme_folders()[-1] / os.path.basename(path)).read_bytes()


def text_of(data: Mapping[str, object], path: str, is_colour: Callable[[str], bool]) -> ThemeFile:
    """Return the theme that a TOML text holds.

    Raises:
        ConfigError: a key that is missing, unknown or not a colour.
    """
    name, dark, ansi = data.get("name"), data.get("dark", True), data.get("ansi", False)
    if not isinstance(name, str):
        raise ConfigError(path, "name", "expected a text")
    if not isinstance(dark, bool) or not isinstance(ansi, bool):
        raise ConfigError(path, "dark", "expected true or false")
    colors = _colours(data, "colors", _COLORS, path, is_colour)
    if "primary" not in colors:
        raise ConfigError(path, "colors.primary", "expected a colour such as '#5fafd7'")
    return ThemeFile(name, dark, ansi, colors, _colours(data, "bar", _BAR, path, is_colour))


def _colours(
    data: Mapping[str, object], table: str, known: tuple[str, ...], path: str, is_colour: Callable[[str], bool]
) -> dict[str, str]:
    values = data.get(table, {})
    if not isinstance(values, dict):
        raise ConfigError(path, table, "expected a table of colours")
    for key, value in values.items():
        if key not in known:
            raise ConfigError(path, f"{table}.{key}", f"unknown key; {expected(key, known)}")
        if not isinstance(value, str) or not is_colour(value):
            raise ConfigError(path, f"{table}.{key}", "expected a colour such as '#5fafd7'")
    return dict(values)
