"""Runs another program in this terminal until it exits, then restores oomtop."""

from __future__ import annotations

import os
import signal
import subprocess
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from textual.app import App, SuspendNotSupported

from oomtop.actions.base.errno_text import in_words
from oomtop.units import printable


def run_in_place(app: App[None], command: Sequence[str], shown: Sequence[str]) -> bool:
    """Give the terminal to a command, announced as `shown`; return whether this terminal can be handed over."""
    try:
        with app.suspend(), _own_terminal():
            _run(command, shown)
    except SuspendNotSupported:
        return False
    return True


@contextmanager
def _own_terminal() -> Iterator[None]:
    """Give the terminal back as it was, and let Ctrl-C and Ctrl-\\ end the tool and not oomtop.

    A handler, unlike SIG_IGN, is not inherited through exec, so the tool has the default.  The event loop hears of
    every signal that has a handler, through its wake-up descriptor: it gets those that are meant for oomtop afterwards.
    """
    settings = termios.tcgetattr(0) if os.isatty(0) else None
    ours: list[int] = []
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGQUIT)}
    for number in (signal.SIGHUP, signal.SIGTERM):
        before[number] = signal.signal(number, lambda late, _: ours.append(late))
    wake_up = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wake_up, warn_on_full_buffer=False)
        if settings is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, settings)
        for late in ours:
            signal.raise_signal(late)


def _run(command: Sequence[str], shown: Sequence[str]) -> None:
    """Run a command in the foreground; its last words stay until Enter."""
    print(f"oomtop: {printable(' '.join(shown))}   (Ctrl-C ends it)", flush=True)
    try:
        code = subprocess.run(command, check=False).returncode
        print(f"\noomtop: exit code {code}", flush=True)
    except OSError as error:
        print(f"\noomtop: {in_words(error)}", flush=True)
    print("Press Enter to return to oomtop", end=" ", flush=True)
    _wait_for_enter()


def _wait_for_enter() -> None:
    """Read up to the end of a line, whatever comes; a terminal that is gone is an end as well."""
    try:
        while (char := os.read(0, 1)) and char not in b"\r\n":
            pass
    except OSError:
        return
