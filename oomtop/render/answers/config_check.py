"""The result of `oomtop config check` as text and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oomtop.config.load import FOREIGN
from oomtop.errors import ConfigError
from oomtop.units import printable


def render_config_check(files: Mapping[str, bool], mistakes: Sequence[ConfigError]) -> str:
    """Return a line for each file, whether there is one, and one for each mistake."""
    states = (f"{path}: {_state(path, mistakes) if found else 'not found'}" for path, found in files.items())
    return "\n".join(map(printable, [*states, *map(str, mistakes)]))


def _state(path: str, mistakes: Sequence[ConfigError]) -> str:
    own = [mistake for mistake in mistakes if mistake.path == path]
    if any(mistake.expected == FOREIGN for mistake in own):
        return "not read"
    return "mistakes" if own else "ok"


def config_check_to_json(files: Mapping[str, bool], mistakes: Sequence[ConfigError]) -> Mapping[str, object]:
    """Return the same as data."""
    return {
        "schema": 1,
        "files": [{"path": path, "found": found} for path, found in files.items()],
        "mistakes": [{"path": item.path, "key": item.key or None, "expected": item.expected} for item in mistakes],
    }
