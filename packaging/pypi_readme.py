"""The README as PyPI shows it: what it links to and its pictures are looked for in the repository.

A metadata hook of hatchling, named in pyproject.toml.
"""

from __future__ import annotations

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

REPOSITORY = "https://github.com/oomtop-monitor/oomtop-monitor"
RAW = "https://raw.githubusercontent.com/oomtop-monitor/oomtop-monitor/main"
_LINK = re.compile(r"(!?)(\[[^\]]*\])\((?!https?:|#)([^)]+)\)")


def absolute(text: str) -> str:
    """Return Markdown whose links and pictures are found from anywhere."""

    def link(match: re.Match[str]) -> str:
        is_picture = match[1] or match[3].endswith(".png")
        return f"{match[1]}{match[2]}({RAW if is_picture else f'{REPOSITORY}/blob/main'}/{match[3]})"

    return _LINK.sub(link, text)


class ReadmeHook(MetadataHookInterface):
    """Adds the field `readme`."""

    def update(self, metadata: dict[str, object]) -> None:
        """Add it."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute(text)}
