"""Text can be read in every theme: 4.5 to 1 against its ground (WCAG 2.1, 1.4.3), as it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rich.style import Style

from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.style.palette import ink_on, luminance
from oomtop.tui.style.theme import load_theme
from oomtop.tui.style.theme_file import theme_names
from tests.tui.states import SCRIPTS, Still, state, ticks

LEAST = 4.5
THEMES = [name for name in theme_names() if not load_theme(name).ansi]
"""Those of true colours; sixteen colours are whatever the terminal makes of them."""
STATES = ("calm", "three", "killed", "thrash")
KEYS: tuple[tuple[str, ...], ...] = (
    (), ("tab",), ("tab", "tab"), ("tab", "tab", "enter"), ("tab", "tab", "tab"), ("enter",), ("question_mark",), ("S",),
    ("k",), ("k", "enter"), ("slash", "a"), ("colon", "a"), ("space", "down"), ("L", "down", "enter"), ("a",),
)  # fmt: skip


def contrast(style: Style) -> float | None:
    """Return the contrast of a text with its ground, None where the terminal chooses one of them."""
    ground, ink = style.bgcolor, style.color
    if ground is None or ink is None or ground.triplet is None or ink.triplet is None:
        return None
    lights = sorted(luminance(colour.triplet.hex) for colour in (ground, ink) if colour.triplet is not None)
    return (lights[1] + 0.05) / (lights[0] + 0.05)


async def drawn(theme: str, name: str, keys: tuple[str, ...]) -> list[Any]:
    """Return the segments of the screen after some keys."""
    app = OomtopApp(Still(), Options(theme=theme))
    app.latest, app.facts = state(name), list(ticks(SCRIPTS["calm"]))[-1].snapshot
    async with app.run_test(size=(120, 40)) as pilot:
        for key in ("", *keys):
            if key:
                await pilot.press(key)
            app.feed()
            await pilot.pause()
        return [segment for strip in app.screen._compositor.render_strips() for segment in strip]


def pale(segments: list[Any]) -> Iterator[str]:
    """Yield what is too pale; lines, bars and blocks are no text."""
    for text, style, _ in segments:
        found = contrast(style) if style is not None and any(map(str.isalnum, text)) else None
        if found is not None and found < LEAST:
            yield f"{text.strip()!r} {style} {found:.1f}"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", STATES)
async def test_the_first_tab_can_be_read(theme: str, name: str) -> None:
    assert not set(pale(await drawn(theme, name, ())))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("keys", KEYS, ids=" ".join)
async def test_every_screen_can_be_read(theme: str, keys: tuple[str, ...]) -> None:
    assert not set(pale(await drawn(theme, "three", keys)))


@pytest.mark.parametrize("grey", range(256))
def test_letters_in_a_bar_can_be_read_on_any_colour(grey: int) -> None:
    lights = sorted(map(luminance, (f"#{grey:02x}{grey:02x}{grey:02x}", ink_on(f"#{grey:02x}{grey:02x}{grey:02x}"))))
    assert (lights[1] + 0.05) / (lights[0] + 0.05) >= LEAST


@pytest.mark.parametrize("theme", ["mono", "sixteen"])
async def test_the_cursor_is_reversed_where_the_terminal_chooses_the_colours(theme: str) -> None:
    row = next(segment for segment in await drawn(theme, "leak", ()) if "oomtop-leak (" in segment.text)
    assert row.style.reverse
    assert row.style.bgcolor is None or row.style.bgcolor.is_default
