"""A tool takes the terminal over from the process screen, Ctrl-C ends the tool and not the monitor, Enter returns."""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07]*\x07|[@-_])")


class Terminal:
    """A monitor in a pseudo terminal of 120 by 40."""

    def __init__(self) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color")
            os.execv(sys.executable, [sys.executable, "-m", "oomtop", "--interval", "0.5"])
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def _has_more(self) -> bool:
        # Not select(): a test before may have left this process with descriptors above 1023.
        poll = select.poll()
        poll.register(self.master, select.POLLIN)
        return bool(poll.poll(200))

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def wait_for(self, text: bytes, seconds: int = 60) -> None:
        """Read until `text` was written since the last call; the escape sequences are left out."""
        seen, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if self._has_more():
                seen += os.read(self.master, 65536)
                if text in SEQUENCE.sub(b"", seen):
                    return
        raise AssertionError(f"{text!r} did not come; the last was {SEQUENCE.sub(b'', seen)[-500:]!r}")

    def wait_for_end(self, seconds: int = 60) -> None:
        """Read until the monitor has closed its side of the terminal."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._has_more():
                try:
                    os.read(self.master, 65536)
                except OSError:
                    return
        raise AssertionError("the monitor did not end")


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    os.kill(terminal.pid, 9)
    os.waitpid(terminal.pid, 0)
    os.close(terminal.master)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_strace_from_the_table_and_back(terminal: Terminal, child: subprocess.Popen[bytes]) -> None:
    terminal.wait_for(b"COMMAND")
    terminal.press(str(child.pid).encode())
    terminal.press(b"\r")
    terminal.wait_for(b"badness")
    terminal.press(b"s")
    terminal.wait_for(b"Open strace on")
    terminal.press(b"\r")
    terminal.wait_for(b"Ctrl-C ends it")
    terminal.wait_for(b"attached")
    terminal.press(b"\x03")
    terminal.wait_for(b"Press Enter to return to oomtop")
    assert child.poll() is None
    terminal.press(b"\r")
    terminal.wait_for(b"badness")
    terminal.press(b"\x1b")
    terminal.wait_for(b"COMMAND")
    terminal.press(b"q")
    terminal.wait_for_end()
