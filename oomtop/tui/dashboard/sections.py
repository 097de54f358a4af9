"""The sections of the first tab besides table and chart: their drawing functions and heights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from oomtop.analysis.model.assessment import Assessment
from oomtop.tui.base.aim import Aim
from oomtop.tui.base.session import State
from oomtop.tui.dangers.board import board_height, draw_board
from oomtop.tui.dangers.strip import draw_also, draw_strip, height_of_strip
from oomtop.tui.dashboard.account_line import draw_account
from oomtop.tui.dashboard.event_pane import draw_events, event_height
from oomtop.tui.dashboard.findings import draw_findings, findings_height
from oomtop.tui.dashboard.gauges import draw_pressure, draw_swap
from oomtop.tui.dashboard.memory_bar import draw_memory
from oomtop.tui.widgets.header import draw_header
from oomtop.tui.widgets.keys_line import draw_status
from oomtop.tui.widgets.text_parts import Draw


class Section(NamedTuple):
    """A panel of the first tab, by id; without a height function the style sheet sets its height."""

    id: str
    draw: Draw
    height: Callable[[Assessment, int, int], int] | None = None


def above(state: State, aim: Callable[[Assessment], Aim]) -> tuple[Section, ...]:
    """Return the sections at the top; `aim`: what the action keys act on."""
    return (
        Section("header", draw_header(lambda: state.standing, "processes")),
        Section("strip", draw_strip(state, aim), partial(height_of_strip, state.subject)),
    )


def gauges(state: State) -> tuple[Section, ...]:
    """Return the sections between the strip and the table."""
    return (
        Section("board", draw_board(state.subject), board_height),
        Section("also", draw_also(state.subject)),
        Section("account", draw_account),
        Section("memory", draw_memory),
        Section("swap", draw_swap),
        Section("pressure", draw_pressure),
        Section("findings", draw_findings, findings_height),
    )


def below(state: State) -> tuple[Section, ...]:
    """Return the sections between the table and the keys."""
    remarks = lambda: state.remarks  # noqa: E731
    return Section("events", draw_events(remarks), event_height(remarks)), Section("status", draw_status)
