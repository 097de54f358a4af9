"""Writes files for the user: the screen as SVG, and crash reports."""

from __future__ import annotations

import time
from pathlib import Path

from rich.text import Text
from textual.app import App

from oomtop.crash import reason_of, write_new
from oomtop.errors import OomtopError


def export_screen(app: App[None]) -> str:
    """Write the screen as SVG to the folder oomtop was started in, or the home folder; return what to say of it."""
    name = time.strftime("oomtop-%Y%m%d-%H%M%S")
    try:
        path = write_new(name, ".svg", app.export_screenshot(title="oomtop"), (Path.cwd(), Path.home()))
    except (OomtopError, OSError) as error:
        return f"cannot save the screen: {error}"
    return f"screen saved to {path}"


class Crash(Exception):
    """An error of oomtop's own, as the user is told of it; Rich prints it as its text."""

    def __rich__(self) -> Text:
        """Return the text, without markup."""
        return Text(str(self))


def crash_of(error: BaseException) -> Crash:
    """Write a report of an error and return what the user is told."""
    return Crash(f"oomtop failed: {reason_of(error)}")
