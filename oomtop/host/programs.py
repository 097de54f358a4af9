"""Which programs are installed: what a shell would find in PATH (execvp(3))."""

from __future__ import annotations

import shutil
from collections.abc import Iterable


def find_programs(names: Iterable[str]) -> frozenset[str]:
    """Return those of `names` that are executable somewhere in PATH."""
    return frozenset(name for name in names if shutil.which(name) is not None)
