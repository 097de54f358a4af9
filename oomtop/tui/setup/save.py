"""Writes the choices of the setup screen into the user's file and leaves the rest of it unchanged."""

from __future__ import annotations

import os

from oomtop.actions.base.atomic_file import read_text, replace_text
from oomtop.config.edit import Value, edit_text
from oomtop.errors import ConfigError
from oomtop.tui.base.options import Options

_SAVED = ("interval", "theme", "ascii", "columns", "sort", "hidden")


def save_options(before: Options, after: Options, path: str) -> None:
    """Write the changes into the user's file and leave the rest of it unchanged.

    Raises:
        ConfigError: the file cannot be read, changed or written; names it.
    """
    changed = _changed(before, after)
    if not changed:
        return
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        # It may hold the headers of a webhook.
        replace_text(path, edit_text(read_text(path) or "", changed, path), 0o600)
    except OSError as error:
        raise ConfigError(path, "", f"cannot be written: {error.strerror}") from None


def _changed(before: Options, after: Options) -> dict[str, Value]:
    values = {name: (getattr(before, name), getattr(after, name)) for name in _SAVED}
    return {key: new for key, (old, new) in values.items() if new != old and new is not None}
