"""The first picture, and Textual's that takes its place: on a real terminal, cell by cell."""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.bench.terminal import Terminal, terminal
from tests.tui.plain.cells import Cells

OOMTOP = (sys.executable, "-m", "oomtop", "--interval", "60")
TAKEN_OVER = "\x1b[?1000h"
"""The first that Textual's driver sends."""
_PATIENCE = 40.0
TRIES = 4
"""The screens are the machine's own: a kill that another test causes comes between the two pictures now and then."""


class Session:
    """A monitor on a terminal, with all that it sent."""

    def __init__(self, at: Terminal, size: tuple[int, int]) -> None:
        self.at, self.size, self.sent = at, size, b""

    @property
    def text(self) -> str:
        return self.sent.decode("utf-8", "replace")

    def until(self, holds: Callable[[str], object]) -> None:
        """Read until something holds of what was sent."""
        end = time.monotonic() + _PATIENCE
        while not holds(self.text):
            assert time.monotonic() < end, self.screen()
            if select.select([self.at.master], [], [], 1.0)[0]:
                self.sent += os.read(self.at.master, 1 << 16)

    def shows(self, word: str) -> None:
        self.until(lambda text: word in self.screen())

    def screen(self) -> str:
        cells = Cells(*self.size)
        cells.feed(self.text)
        return "\n".join(cells.line(y) for y in range(self.size[1]))

    def press(self, keys: str) -> None:
        os.write(self.at.master, keys.encode())

    def answers(self, keys: str) -> None:
        """Press keys and wait until more is sent."""
        seen = len(self.sent)
        self.press(keys)
        self.until(lambda _: len(self.sent) > seen)


@contextmanager
def session(*options: str, size: tuple[int, int] = (80, 24), argv: tuple[str, ...] = OOMTOP) -> Iterator[Session]:
    for name in ("COLUMNS", "LINES"):
        # Where Readline is loaded it sets them behind the back of `os.environ`.
        os.unsetenv(name)
    with terminal((*argv, *options), size) as at:
        yield Session(at, size)


def both(shown: Session) -> tuple[Cells, Cells]:
    """Return the screen of the first picture, and Textual's once it has painted every cell."""
    cells = shown.size[0] * shown.size[1]
    first, second = Cells(*shown.size), Cells(*shown.size)

    def is_whole(text: str) -> bool:
        nonlocal first, second
        before, sign, after = text.partition(TAKEN_OVER)
        if not sign:
            return False
        first, second = Cells(*shown.size), Cells(*shown.size)
        first.feed(before)
        second.grid = dict(first.grid)
        second.feed(after, until_whole=True)
        return len(second.touched) == cells

    shown.until(is_whole)
    return first, second


@pytest.mark.parametrize(
    ("size", "options", "environ"),
    [
        ((80, 24), (), {}),
        ((80, 24), ("--ascii",), {"COLORTERM": "truecolor"}),
        ((161, 36), ("--theme", "light"), {"COLORTERM": "truecolor"}),
        ((200, 60), ("--theme", "high-contrast"), {"COLORTERM": "truecolor"}),
        ((40, 12), ("--theme", "sixteen"), {}),
        ((30, 8), ("--theme", "mono"), {"LC_ALL": "C"}),
        ((100, 33), ("--theme", "colour-blind-safe"), {"NO_COLOR": "1"}),
    ],
    ids=lambda value: "-".join(map(str, value)) or "plain",
)
def test_the_handover_changes_no_cell(
    size: tuple[int, int], options: tuple[str, ...], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("COLORTERM", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for _ in range(TRIES):
        with session(*options, size=size) as shown:
            first, second = both(shown)
        assert len(first.touched) == size[0] * size[1]
        if not second.changed:
            break
    assert second.changed == []


def test_keys_pressed_on_the_first_picture_are_answered_by_the_full_screen() -> None:
    with session() as shown:
        shown.until(lambda text: "Quit" in text)
        shown.press("\x1b[B\t")
        shown.shows("[Cgroups]")


def test_the_terminal_is_given_back_as_it_was() -> None:
    with session() as shown:
        before = termios.tcgetattr(shown.at.master)
        both(shown)
        assert termios.tcgetattr(shown.at.master)[3] != before[3]
        # Ctrl-C is no signal then, but a key.
        shown.press("\x03")
        shown.until(lambda text: "\x1b[?1049l" in text)
        shown.until(lambda text: termios.tcgetattr(shown.at.master)[3] == before[3])


def test_a_terminal_too_low_for_the_table_waits_for_the_full_screen() -> None:
    with session(size=(20, 5)) as shown:
        shown.until(lambda text: TAKEN_OVER in text)
        assert not re.search(r"\x1b\[\d+;\d+H", shown.text.partition(TAKEN_OVER)[0])


def test_the_address_space_that_the_full_screen_asks_for_is_enough() -> None:
    """Were each thread given a heap of 64 MiB, the last ones could not be started."""
    with session(
        argv=("sh", "-c", f"ulimit -v 200000; exec {sys.executable} -m oomtop --interval 60"), size=(120, 30)
    ) as shown:
        shown.until(lambda text: TAKEN_OVER in text)
        shown.press("q")
        shown.until(lambda text: "\x1b[?1049l" in text)
        assert "(ulimit -u, ulimit -v" not in shown.text
