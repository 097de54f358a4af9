"""Mouse on panels: the tab or figure at a cell, and the tooltip with its explanation.

The widgets themselves handle the wheel and clicks on rows, titles and keys.
"""

from __future__ import annotations

from rich.text import Text

from oomtop.tui.help.figure_help import DASHBOARD, Hint, explain, figure_at
from oomtop.tui.widgets.header import TABS
from oomtop.tui.widgets.panel import Panel, PanelCell


def tab_clicked(message: PanelCell) -> str | None:
    """Return the id of the tab whose title was clicked."""
    panel = message.panel
    return tab_at(panel.line_at(message.y), message.x) if _is_header(panel) else None


def figure_under(message: PanelCell) -> Hint | None:
    """Return the figure at the cell of the message."""
    panel = message.panel
    figures = DASHBOARD.get("header" if _is_header(panel) else panel.id or "", ())
    return figure_at(figures, panel.line_at(message.y), message.x)


def explain_beside(message: PanelCell) -> None:
    """Set the tooltip of the panel to the explanation of the figure under the pointer."""
    figure, panel = figure_under(message), message.panel
    text = None if figure is None else explain(figure)
    if str(panel.tooltip or "") != (text or ""):
        panel.tooltip = None if text is None else Text(text)


def _is_header(panel: Panel) -> bool:
    return (panel.id or "").endswith("header")


def tab_at(line: str, x: int) -> str | None:
    """Return the id of the tab at cell `x` of the header."""
    for name, title in TABS:
        at = line.find(title)
        if at >= 0 and at - 1 <= x <= at + len(title):
            return name
    return None
