"""Between the configuration and the screen: what it says is checked here.

The ids of columns, sections and themes are known to the screen only, so `oomtop.config.load` takes any text for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oomtop.config.load import Config
from oomtop.errors import ConfigError
from oomtop.tui.base.options import SECTIONS
from oomtop.tui.process_table.columns import BY_ID


def check_names(config: Config) -> tuple[ConfigError, ...]:
    """Return an error for every column and section that does not exist, with the file that names it."""
    return (
        *_unknown(config, "columns", config.columns, BY_ID),
        *_unknown(config, "sort", () if config.sort is None else (config.sort,), BY_ID),
        *_unknown(config, "hidden", config.hidden, SECTIONS),
    )


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
    words = f"expected some of {', '.join(known)}; there is no {', '.join(wrong)}"
    return (ConfigError(config.origins.get(key, ""), key, words),)
