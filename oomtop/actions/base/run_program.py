"""Runs a system program for an action (`systemctl`, `docker`), without a shell and with a deadline.

Under pressure a fork may fail with an `OSError`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from oomtop.units import printable

_DEADLINE = 30.0


def find_tool(name: str) -> str | None:
    """Return the path of the program, None if it is not installed."""
    return shutil.which(name)


def run_tool(words: Sequence[str]) -> None:
    """Run the program and wait for it.

    Raises:
        OSError: it cannot be started, times out, or fails; the text is its message.
    """
    try:
        done = subprocess.run(
            list(words),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
            timeout=_DEADLINE, env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise OSError(f"{words[0]} does not finish within {_DEADLINE:.0f} s") from None
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())
        raise OSError(f"{os.path.basename(words[0])}: {printable(said)[:300] or f'exit code {done.returncode}'}")
