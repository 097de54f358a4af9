"""The result of `oomtop config check` as text and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oomtop.errors import ConfigError
from oomtop.units import printable


def render_config_check(files: Mapping[str, bool], mistakes: Sequence[ConfigError]) -> str:
    """Return a line for each file, whether there is one, and one for each mistake."""
    wrong = {mistake.path for mistake in mistakes}
    words = {path: ("mistakes" if path in wrong else "ok") if found else "not found" for path, found in files.items()}
    lines = [*(f"{path}: {word}" for path, word in words.items()), *map(str, mistakes)]
    return "\n".join(map(printable, lines))


def config_check_to_json(files: Mapping[str, bool], mistakes: Sequence[ConfigError]) -> Mapping[str, object]:
    """Return the same as data."""
    return {
        "schema": 1,
        "files": [{"path": path, "found": found} for path, found in files.items()],
        "mistakes": [{"path": item.path, "key": item.key or None, "expected": item.expected} for item in mistakes],
    }
