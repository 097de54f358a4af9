"""However the monitor leaves the terminal, for a while or for good, the terminal is as it was before."""

import os
import pty
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LEFT = b"\x1b[?1049l"
START = "from oomtop.cli import main; main(['--interval', '0.5'])"
CRASH = f"""
from oomtop.tui.shell.app import OomtopApp
def fail(app):
    secret = "hunter2"
    raise ValueError("on purpose")
OomtopApp.action_pause = fail
{START}
"""


class Terminal:
    """A program in a pseudo terminal."""

    def __init__(self, code: str, folder: Path) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", XDG_STATE_HOME=str(folder), XDG_CONFIG_HOME=str(folder))
            os.execv(sys.executable, [sys.executable, "-c", code])
        self.written = b""
        self.code: int | None = None
        self.modes = termios.tcgetattr(self.master)[:4]

    def wait_for(self, text: bytes, seconds: int = 60) -> bytes:
        """Read until `text` was written since the last call."""
        poll, end = select.poll(), time.monotonic() + seconds
        poll.register(self.master, select.POLLIN)
        while text not in self.written:
            assert time.monotonic() < end, f"{text!r} did not come: {self.written[-300:]!r}"
            if poll.poll(200):
                self.written += os.read(self.master, 65536)
        before, _, self.written = self.written.partition(text)
        return before

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def wait(self, options: int = 0) -> int:
        """Return what waitpid says once the child stopped or ended; what it writes meanwhile is read."""
        poll, end = select.poll(), time.monotonic() + 60
        poll.register(self.master, select.POLLIN)
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, options | os.WNOHANG)
            if pid:
                if not os.WIFSTOPPED(status):
                    self.code = os.waitstatus_to_exitcode(status)
                return status
            if poll.poll(50):
                try:
                    self.written += os.read(self.master, 65536)
                except OSError:
                    time.sleep(0.02)
        raise AssertionError("it neither stopped nor ended")

    def is_restored(self) -> bool:
        """Whether lines are echoed and edited as before; the queue of flow control is the kernel's own."""
        return termios.tcgetattr(self.master)[:4] == self.modes

    def end(self) -> None:
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    started = []

    def begin(code: str = START) -> Terminal:
        started.append(Terminal(code, tmp_path))
        started[-1].wait_for(b"COMMAND")
        return started[-1]

    yield begin
    for terminal in started:
        terminal.end()


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(start: Callable[..., Terminal]) -> None:
    terminal = start()
    assert not terminal.is_restored()
    for _ in range(2):
        terminal.press(b"\x1a")
        assert os.WIFSTOPPED(terminal.wait(os.WUNTRACED))
        assert terminal.is_restored()
        terminal.wait_for(LEFT)
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.wait_for(b"\x1b[?1049h")
        terminal.wait_for(b"COMMAND")
        assert not terminal.is_restored()
    terminal.press(b"q")
    terminal.wait()
    assert terminal.code == 0
    assert terminal.is_restored()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_ends_it_with_the_terminal_restored(start: Callable[..., Terminal], number: signal.Signals) -> None:
    terminal = start()
    os.kill(terminal.pid, number)
    terminal.wait()
    assert terminal.code == 0
    assert terminal.is_restored()
    assert LEFT in terminal.written


def test_an_error_of_its_own_restores_the_terminal_and_names_its_report(
    start: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = start(CRASH)
    terminal.press(b"Z")
    terminal.wait()
    assert terminal.code == 1
    assert terminal.is_restored()
    told = terminal.written.partition(LEFT)[2]
    assert b"ValueError: on purpose" in told
    report = next((tmp_path / "oomtop").glob("crash-*.txt"))
    assert report.name.encode() in told.replace(b"\r\n", b"")
    assert report.stat().st_mode & 0o777 == 0o600
    text = report.read_text()
    assert "in fail" in text
    assert "ValueError: on purpose" in text
    assert b"hunter2" not in told
