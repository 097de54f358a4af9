"""Every private part of Textual that is called here; `TRIED_WITH` has the versions that have it.

What is overridden stands where it is: `TerminalDriver._run_input_thread`, `._get_terminal_size`, `._file`,
`._query_in_band_window_resize`, `PlainApp._display`, and `TabScreen._compositor_refresh`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual._compositor import ChopsUpdate, Compositor
from textual._xterm_parser import FOCUSIN, FOCUSOUT, XTermParser

if TYPE_CHECKING:
    from textual import events
    from textual.app import App
    from textual.geometry import Region
    from textual.screen import Screen
    from textual.widget import Widget

__all__ = [
    "FOCUSIN", "FOCUSOUT", "TRIED_WITH", "ChopsUpdate", "XTermParser", "count_as_styled", "end_with_report",
    "key_events", "render_changed_widgets", "take_dirty_regions", "wait_until_mounted",
]  # fmt: skip
TRIED_WITH = ("8.2",)


def count_as_styled(app: App[None], screen: Screen[None]) -> None:
    """Spare a screen that has no widgets yet the styling of all that stands when it is first shown."""
    screen._css_update_count = app._css_update_count


def end_with_report(app: App[object], error: Exception) -> None:
    """End the app with a report of an error that came up in a thread of its own."""
    app.call_later(app._handle_exception, error)


def key_events(parser: XTermParser, sequence: str, alt: bool = False) -> Iterable[events.Key]:
    """Return the keys that a sequence of the terminal stands for."""
    return parser._sequence_to_key_events(sequence, alt=alt)


async def wait_until_mounted(screen: Screen[object]) -> None:
    """Wait until all that a screen is composed of is there."""
    await screen._mounted_event.wait()


class ChangedWidgets(Compositor):
    """Renders for an update those widgets only of which a part changed; Textual renders all that lie between them."""

    def __init__(self) -> None:
        super().__init__()
        self._changed: tuple[Region, ...] | None = None

    @property
    def visible_widgets(self) -> dict[Widget, tuple[Region, Region]]:
        """Return the regions of the widgets and what they are clipped to; while an update is made, of the changed."""
        shown = super().visible_widgets
        if self._changed is None:
            return shown
        return {
            widget: (region, clip)
            for widget, (region, clip) in shown.items()
            if any(region.overlaps(changed) for changed in self._changed)
        }

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return what changed, None where nothing did."""
        # Where lines are divided is found out from all widgets, and kept.
        _ = self.cuts
        self._changed = tuple(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._changed = None


def render_changed_widgets(screen: Screen[None]) -> None:
    """Have a screen that has no widgets yet render of its widgets only what changed."""
    screen._compositor = ChangedWidgets()


def take_dirty_regions(screen: Screen[None]) -> tuple[Region, ...]:
    """Return the regions of a screen that changed, which then count as painted."""
    regions = screen._compositor._dirty_regions
    found = tuple(regions)
    regions.clear()
    screen._dirty_widgets.clear()
    return found
