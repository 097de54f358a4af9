"""The `.tcss` file of a screen, read as the imports are: `CSS_PATH` of Textual opens no file within a zip archive."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import oomtop.tui

if TYPE_CHECKING:
    from importlib.abc import ResourceLoader


def stylesheet(name: str) -> str:
    """Return the text of a style sheet; `name` is its path below `oomtop/tui`.

    Raises:
        OSError: there is none of that name.
    """
    # As `pkgutil.get_data` does it, which takes importlib.util with it.
    loader: ResourceLoader = oomtop.tui.__loader__  # type: ignore[assignment]
    return loader.get_data(os.path.join(oomtop.tui.__path__[0], *name.split("/"))).decode()
