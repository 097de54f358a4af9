"""What can be copied from the tab in sight: a menu of texts, the chosen one goes to the clipboard."""

from __future__ import annotations

from oomtop.tui.widgets.menu import Menu
from oomtop.tui.widgets.shell import Shell
from oomtop.tui.widgets.tab_screen import LongText
from oomtop.units import printable

_SHOWN = 54
# base64 of what xterm and others still take in one OSC 52 (100,000 bytes with their frame).
_MOST = 74_000


def offer_copies(app: Shell) -> None:
    """Ask which text of the tab in sight goes to the clipboard."""
    tab = app.tab
    copies = tab.copies()
    if not copies:
        app.remark("nothing to copy here")
        return

    def chosen(at: int | None) -> None:
        tab.hold(False)
        if at is not None:
            copy(app, *copies[at])

    tab.hold(True)
    choices = [(at, f"{what:10} {_line(text)}") for at, (what, text) in enumerate(copies)]
    app.push_screen(Menu("Copy", choices), chosen)


def copy(app: Shell, what: str, wanted: str | LongText) -> None:
    """Send a text to the clipboard and say so; terminals do not confirm it."""
    text = wanted if isinstance(wanted, str) else wanted.whole()
    app.copy_to_clipboard(text)
    size = len(text.encode("utf-8", "replace"))
    doubt = "; some terminals take no more than 74000" if size > _MOST else ""
    app.remark(f"copied: {what}, {size} bytes{doubt}; if nothing is pasted, the terminal does not allow OSC 52")


def _line(text: str | LongText) -> str:
    if isinstance(text, LongText):
        first, more = text.first, text.more
    else:
        first, more = text.partition("\n")[0], len(text.splitlines()) - 1
    shown = printable(first)[:_SHOWN]
    return f"{shown} (+{more} lines)" if more > 0 else shown
