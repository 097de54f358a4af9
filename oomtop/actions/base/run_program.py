"""A program of the system that an action needs (`systemctl`, `docker`): started without a shell, with a deadline.

Under pressure a fork may fail; that is an `OSError` like any other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from oomtop.units import printable

_DEADLINE = 30.0


def find_tool(name: str) -> str | None:
    """Return where the program is, None where it is not."""
    return shutil.which(name)


def run_tool(words: Sequence[str]) -> None:
    """Run the program to its end.

    Raises:
        OSError: it cannot be started, does not end in time, or says that it failed, with what it said.
    """
    try:
        done = subprocess.run(
            list(words),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
            timeout=_DEADLINE, env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise OSError(f"{words[0]} does not end within {_DEADLINE:.0f} s") from None
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())
        raise OSError(f"{os.path.basename(words[0])}: {printable(said)[:300] or f'exit code {done.returncode}'}")
