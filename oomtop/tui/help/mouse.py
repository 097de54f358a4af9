"""The mouse on a screen: what is said about a figure stands beside it, a click opens the help there; tabs are clicked.

The wheel and clicks on rows, titles and keys belong to the widgets themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.widget import Widget

from oomtop.tui.help.figure_help import DASHBOARD, Figure, explain, figure_at
from oomtop.tui.widgets.panel import Panel
from oomtop.tui.widgets.tab_screen import TABS


def clicked(screen: Screen[None], event: events.Click) -> None:
    """Go to the tab, or open the help at the figure, that was clicked."""
    from oomtop.tui.shell.app import OomtopApp

    widget, app = event.widget, screen.app
    if not isinstance(widget, Panel) or not isinstance(app, OomtopApp):
        return
    tab = tab_at(widget.line_at(event.y), event.x) if _is_header(widget) else None
    figure = _figure(widget, event)
    if tab is not None:
        app.go_to_tab(tab)
    elif figure is not None:
        app.action_open("help", figure.label.strip(" []"))


def pointed_at(screen: Screen[None], event: events.MouseMove) -> None:
    """Set what is said beside the pointer."""
    widget = event.widget
    if isinstance(widget, Panel):
        figure = _figure(widget, event)
        said = None if figure is None else explain(figure)
        if str(widget.tooltip or "") != (said or ""):
            widget.tooltip = None if said is None else Text(said)


def _is_header(widget: Widget) -> bool:
    return (widget.id or "").endswith("header")


def _figures(panel: Panel) -> Sequence[Figure]:
    return DASHBOARD.get("header" if _is_header(panel) else panel.id or "", ())


def _figure(panel: Panel, event: events.MouseEvent) -> Figure | None:
    return figure_at(_figures(panel), panel.line_at(event.y), event.x)


def tab_at(line: str, x: int) -> str | None:
    """Return the id of the tab whose title stands at cell `x` of the header."""
    for name, title in TABS:
        at = line.find(title)
        if at >= 0 and at - 1 <= x <= at + len(title):
            return name
    return None
