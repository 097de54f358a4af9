"""What keys open over the visible tab; each is loaded when first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from oomtop.tui.widgets.shell import Shell


def _help(app: Shell, figure: str | None = None) -> None:
    """Explain the figures and the keys of the tab in sight, one figure first if it is named."""
    from oomtop.tui.help.screen import HelpScreen
    from oomtop.tui.help.topics import help_for

    app.push_screen(HelpScreen(help_for(app.tab, app.state), app.look, figure), lambda _: app.feed())


def _copy(app: Shell) -> None:
    """Offer what can be copied."""
    from oomtop.tui.shell.copy_menu import offer_copies

    offer_copies(app)


def _export(app: Shell) -> None:
    """Write the screen to a new SVG file and name it."""
    from oomtop.tui.shell.user_files import export_screen

    app.remark(export_screen(app))


def _alerts(app: Shell) -> None:
    """Show firing and configured alerts."""
    from oomtop.tui.alerts.screen import AlertsScreen
    from oomtop.tui.widgets.tab_screen import open_once

    open_once(app, AlertsScreen(app.state, app.look, app.options.alerts.rules if app.options.alerts else ()))
    app.feed()


OPENINGS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {"alerts": _alerts, "help": _help, "copy": _copy, "export": _export}
)
"""By the name that a binding gives to `action_open`."""
