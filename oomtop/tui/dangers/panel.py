"""The danger strip as a widget, which every tab has."""

from __future__ import annotations

from functools import partial

from oomtop.tui.base.session import State
from oomtop.tui.dangers.strip import draw_strip, height_of_strip
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.panel import FittedPanel


def danger_strip(state: State, look: Look) -> FittedPanel:
    """Return the strip for a screen; `TabScreen.show_strip` feeds it."""
    return FittedPanel(
        draw_strip(state.subject, lambda: state.armed), look, id="strip", height=partial(height_of_strip, state.subject)
    )
