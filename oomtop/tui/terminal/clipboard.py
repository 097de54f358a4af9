"""The clipboard: OSC 52 to the terminal, and inside tmux its buffer, because tmux lets no program's OSC 52 through.

tmux(1), `set-clipboard external`, the default since 2.6: tmux sets the terminal's clipboard, programs inside may not.
`load-buffer -w` (3.2) does both.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from oomtop.units import printable

_SECONDS = 2.0


def harmless(text: str) -> str:
    """Return a text that can be pasted into a shell: between its lines newlines, in them only what can be printed.

    An escape sequence could end a bracketed paste, and what follows would be run.
    """
    return "\n".join(printable(line) for line in text.strip("\n").split("\n"))


def tmux_copy(text: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Put `text` into tmux's buffer and the clipboard of its terminal; return whether there is a tmux that took it."""
    if not environ.get("TMUX"):
        return False
    # A tmux before 3.2 knows no -w.
    return any(_load(["tmux", "load-buffer", *option, "-"], text) for option in (("-w",), ()))


def _load(command: list[str], text: str) -> bool:
    try:
        done = subprocess.run(
            command, input=text.encode("utf-8", "replace"), capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
