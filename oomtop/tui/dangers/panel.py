"""The danger strip as a widget, which every tab has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from oomtop.tui.dangers.strip import draw_strip, height_of_strip
from oomtop.tui.widgets.header import draw_header
from oomtop.tui.widgets.panel import FittedPanel, Panel
from oomtop.tui.widgets.tab_screen import TabScreen


def tab_head(screen: TabScreen, tab: str) -> Iterator[Panel]:
    """Yield the top of every tab but the first: the header with the names of the tabs, and the strip."""
    yield Panel(draw_header(lambda: screen.state.standing, tab), screen.look, id=f"{tab}-header")
    yield danger_strip(screen)


def danger_strip(screen: TabScreen) -> FittedPanel:
    """Return the strip for a screen; `TabScreen.show_strip` feeds it."""
    state = screen.state
    draw = draw_strip(state, lambda assessment: screen.aim(assessment))
    return FittedPanel(draw, screen.look, id="strip", height=partial(height_of_strip, state.subject))
