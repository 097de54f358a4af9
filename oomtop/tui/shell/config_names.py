"""Checks the names in the configuration that only the screen knows.

The ids of columns, sections and themes are known to the screen only, so `oomtop.config.load` takes any text for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module

from oomtop.config.load import Config
from oomtop.errors import ConfigError, expected, nearest
from oomtop.tui.base.options import SECTIONS
from oomtop.tui.process_table.columns import BY_ID

_SCREENS = (
    "actions.dialogs", "alerts.screen", "cgroups.screen", "dashboard.screen", "events.post_mortem", "events.screen",
    "fleet.app", "help.screen", "kernel.screen", "process.screen", "process.text_screens", "replay.compare_screen",
    "setup.screen", "shell.app",
)  # fmt: skip
"""The modules below `oomtop.tui` that bring every key binding there is."""


def check_names(config: Config) -> tuple[ConfigError, ...]:
    """Return an error for every column and section that does not exist, with the file that names it."""
    return (
        *_unknown(config, "columns", config.columns, BY_ID),
        *_unknown(config, "sort", () if config.sort is None else (config.sort,), BY_ID),
        *_unknown(config, "hidden", config.hidden, SECTIONS),
        *_unknown_keys(config),
    )


def _unknown_keys(config: Config) -> Iterator[ConfigError]:
    # Every screen is imported for their ids: only where keys are changed.
    ids = _binding_ids() if config.keys else set()
    for id in config.keys.keys() - ids:
        near = nearest(id, sorted(ids))
        words = f"did you mean {near}?" if near else "`?` on each screen lists those there are"
        yield ConfigError(config.origins.get("keys", ""), f"keys.{id}", f"no such key binding; {words}")


def _binding_ids() -> set[str]:
    """Return the ids of the bindings of every screen, dialog and widget."""
    from textual.binding import Binding
    from textual.dom import DOMNode

    for name in _SCREENS:
        import_module(f"oomtop.tui.{name}")
    seen: set[str] = set()
    classes: list[type[DOMNode]] = [DOMNode]
    for each in classes:
        classes += each.__subclasses__()
        seen |= {found.id for found in each.__dict__.get("BINDINGS", ()) if isinstance(found, Binding) and found.id}
    return seen


def known_columns(config: Config) -> tuple[str, ...]:
    """Return the columns of the configuration that there are, each once."""
    return tuple(dict.fromkeys(id for id in config.columns if id in BY_ID))


def known_sort(config: Config) -> str | None:
    """Return the column sorted by, None for the default."""
    return config.sort if config.sort in BY_ID else None


def known_sections(config: Config) -> tuple[str, ...]:
    """Return the sections of the screen that are left out."""
    return tuple(id for id in config.hidden if id in SECTIONS)


def _unknown(config: Config, key: str, names: Sequence[str], known: Iterable[str]) -> tuple[ConfigError, ...]:
    wrong = [name for name in names if name not in known]
    if not wrong:
        return ()
    words = "; ".join(f"there is no {name}; {expected(name, known)}" for name in wrong)
    return (ConfigError(config.origins.get(key, ""), key, words),)
