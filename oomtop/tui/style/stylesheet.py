"""The `.tcss` file of a screen, read as the imports are: `CSS_PATH` of Textual opens no file within a zip archive."""

from __future__ import annotations

import pkgutil


def stylesheet(name: str) -> str:
    """Return the text of a style sheet; `name` is its path below `oomtop/tui`.

    Raises:
        OSError: there is none of that name.
    """
    return (pkgutil.get_data("oomtop.tui", name) or b"").decode()
