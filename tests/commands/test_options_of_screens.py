"""The options of the commands with a screen, each in a real terminal: the screen differs from the one without it."""

import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pytest

from oomtop.recording.reader import Recording
from tests.commands.prometheus import empty_prometheus

RECORDING = Path(__file__).parents[1] / "fixtures" / "recording-1.db"
STILL = rb"still (?:\x1b\[[0-9;]*m)*"
TRUE_COLOUR = rb"[34]8;2;(\d+);(\d+);(\d+)"


class Screen:
    """A program in a terminal of 80x24, and all that it wrote."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS="80", LINES="24")
            os.environ.update(XDG_CONFIG_HOME=str(folder), XDG_STATE_HOME=str(folder))
            os.environ.pop("NO_COLOR", None)
            os.execv(sys.executable, [sys.executable, "-m", "oomtop", *words])
        ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.written = b""

    def wait_for(self, pattern: bytes, seconds: int = 40) -> bytes:
        poll, end = select.poll(), time.monotonic() + seconds
        poll.register(self.master, select.POLLIN)
        while not re.search(pattern, self.written):
            assert time.monotonic() < end, f"{pattern!r} did not come: {self.written[-2000:]!r}"
            if poll.poll(200):
                self.written += os.read(self.master, 65536)
        return self.written

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)


@contextmanager
def screen(words: str, folder: Path) -> Iterator[Screen]:
    shown = Screen(words.split(), folder)
    try:
        yield shown
    finally:
        os.kill(shown.pid, 9)
        os.waitpid(shown.pid, 0)
        os.close(shown.master)


@pytest.fixture(scope="module")
def fleet() -> Iterator[str]:
    with empty_prometheus() as prometheus:
        yield f"fleet --prometheus {prometheus.url}"


MONITOR, REPLAY, FLEET = b"disk faults", b"still", b"no machine"


def commands(fleet: str) -> dict[str, tuple[str, bytes]]:
    return {"": ("", MONITOR), "replay": (f"replay {RECORDING}", REPLAY), "fleet": (fleet, FLEET)}


def drawn(command: str, adds: str, fleet: str, folder: Path) -> bytes:
    words, last = commands(fleet)[command]
    with screen(f"{words} {adds}", folder) as shown:
        return shown.wait_for(last)


def colours(written: bytes) -> set[tuple[int, ...]]:
    return {tuple(map(int, found)) for found in re.findall(TRUE_COLOUR, written)}


@pytest.mark.parametrize("command", ["", "replay", "fleet"])
def test_no_color_ascii_and_theme(command: str, fleet: str, tmp_path: Path) -> None:
    usual = drawn(command, "", fleet, tmp_path)
    grey = drawn(command, "--no-color", fleet, tmp_path)
    assert any(len(set(colour)) > 1 for colour in colours(usual))
    assert all(len(set(colour)) == 1 for colour in colours(grey))
    assert usual.isascii() == (command == "fleet"), "there is nothing to draw in an empty table"
    assert drawn(command, "--ascii", fleet, tmp_path).isascii()
    light = drawn(command, "--theme light", fleet, tmp_path)
    assert colours(light) != colours(usual)


def test_the_interval_of_the_monitor(tmp_path: Path) -> None:
    with screen("--interval 0.7", tmp_path) as shown:
        shown.wait_for(rb"\b0\.7s")


def test_ssh_draws_less(tmp_path: Path) -> None:
    with screen("--ssh", tmp_path) as shown:
        shown.wait_for(rb" 5s ")
        assert not colours(shown.wait_for(MONITOR))


def test_read_only_is_said_and_no_action_starts(tmp_path: Path) -> None:
    with screen("--read-only", tmp_path) as shown:
        shown.wait_for(rb"read-only")


def test_a_replay_begins_at_its_time(tmp_path: Path) -> None:
    moment = Recording(str(RECORDING)).moments[10].time
    clock = time.strftime("%H:%M:%S", time.localtime(moment)).encode()
    with screen(f"replay {RECORDING} --at {moment}", tmp_path) as shown:
        shown.wait_for(STILL + clock)
    with screen(f"replay {RECORDING}", tmp_path) as shown:
        assert not re.search(STILL + clock, shown.wait_for(STILL + rb"\d"))


def test_the_monitor_records_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with screen(f"record --file {path} --with-monitor", tmp_path) as shown:
        shown.wait_for(MONITOR)
        end = time.monotonic() + 40
        while not path.exists() or not Recording(str(path)).moments:
            assert time.monotonic() < end
            select.select([], [], [], 0.2)
