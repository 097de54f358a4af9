"""From a key to a look into one process: its screen, its environment, files and words, a tool in this terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from oomtop.actions.guard import Guard
from oomtop.actions.words import in_words
from oomtop.analysis.deep_tools import STRACE, DeepTool
from oomtop.host.process import Process, ProcessId
from oomtop.host.process_folder import process_folder
from oomtop.host.programs import find_programs
from oomtop.host.root import Root
from oomtop.tui.look import Look
from oomtop.tui.process_screen import ProcessScreen
from oomtop.tui.reading_screen import READINGS, ReadingScreen

if TYPE_CHECKING:
    from oomtop.tui.app import OomtopApp

_NOBODY = "no process is selected: choose one with the arrow keys"


class Inspections:
    """What the keys that look into a process do on the tab in sight."""

    def __init__(self, app: OomtopApp, guard: Guard, look: Look) -> None:
        self._app = app
        self._guard = guard
        self._look = look

    def open_process(self, identity: ProcessId) -> None:
        """Open the screen of a process."""
        self._app.push_screen(ProcessScreen(self._app.state, self._look, identity))
        self._app.call_after_refresh(self._app.feed)

    def do(self, what: str) -> None:
        """Do what the key of this name does."""
        if what == "strace":
            self.strace()
        else:
            self.read(what)

    def read(self, what: str) -> None:
        """Open the environment, the open files or the whole command of the first target."""
        identity = self._target()
        if identity is not None and self._app.state.replay:
            self._app.remark("a recording does not hold this")
        elif identity is not None:
            title = self._app.tab.targets_title()
            self._app.push_screen(ReadingScreen(self._app.state, self._look, identity, title, READINGS[what]))

    def strace(self) -> None:
        """Follow the system calls of the first target, as htop does."""
        identity = self._target()
        if identity is not None:
            self.run_tool(STRACE, identity)

    def run_tool(self, tool: DeepTool, identity: ProcessId) -> None:
        """Give the terminal to a tool until it ends, unless there is a reason not to."""
        problem = self._reason_against(tool, identity)
        if problem is not None:
            self._app.remark(f"{tool.program}: {problem}")
            self._app.notify(problem, title=tool.program, severity="warning", markup=False)
            return
        argv = tool.command(identity.pid)
        try:
            with self._app.suspend(), _own_terminal():
                _run(self._child_command(argv), argv)
        except SuspendNotSupported:
            self._app.remark(f"{tool.program}: this terminal cannot be handed over")

    def _child_command(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return the command without the protection that oomtop gave itself, which children inherit."""
        guard = self._app.self_guard
        return argv if guard is None else guard.child_command(argv)

    def _target(self) -> ProcessId | None:
        targets = self._app.tab.targets()
        if not targets:
            self._app.remark(_NOBODY)
            return None
        return targets[0]

    def _reason_against(self, tool: DeepTool, identity: ProcessId) -> str | None:
        """Return why the tool is not opened; last of all whether the number still is this process's."""
        if self._app.state.replay:
            return "this is a recording: the process is not here"
        process = self._process(identity)
        if process is None:
            return self._guard.mode_refusal() or "the process has exited"
        refusal = self._guard.refusal(process)
        if refusal is not None:
            return refusal
        if not find_programs([tool.program]):
            return f"not installed ({tool.hint})"
        try:
            with process_folder(Root(), identity):
                return None
        except OSError as error:
            return in_words(error)

    def _process(self, identity: ProcessId) -> Process | None:
        facts = self._app.facts
        return next((p for p in facts.processes if p.id == identity), None) if facts is not None else None


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
    print(f"oomtop: {' '.join(shown)}   (Ctrl-C ends it)", flush=True)
    try:
        code = subprocess.run(command, check=False).returncode
        print(f"\noomtop: ended with {code}", flush=True)
    except OSError as error:
        print(f"\noomtop: {in_words(error)}", flush=True)
    print("Enter returns to oomtop", end=" ", flush=True)
    _wait_for_enter()


def _wait_for_enter() -> None:
    """Read up to the end of a line, whatever comes; a terminal that is gone is an end as well."""
    try:
        while (char := os.read(0, 1)) and char not in b"\r\n":
            pass
    except OSError:
        return
