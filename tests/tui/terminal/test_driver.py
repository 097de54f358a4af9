"""The driver on Textual: what it uses of Textual's private parts is there, and every unit is a message or none."""

import fcntl
import os
import pty
import threading
from collections.abc import Iterator
from importlib.metadata import version

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Paste

from oomtop.tui.terminal.driver import TerminalDriver, TerminalFile, Translator
from oomtop.tui.terminal.input_units import Pasted
from oomtop.tui.terminal.textual_private import TRIED_WITH


def test_this_textual_was_tried() -> None:
    """A newer one may read the terminal differently: try bad bytes in a terminal, then add it to TRIED_WITH."""
    assert version("textual").startswith(TRIED_WITH)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (LinuxDriver, "_run_input_thread"), (LinuxDriver, "run_input_thread"),
        (LinuxDriver, "_get_terminal_size"), (LinuxDriver, "_query_in_band_window_resize"), (XTermParser, "_sequence_to_key_events"),
        (XTermParser, "parse_mouse_code"), (App, "_handle_exception"),
    ],
)  # fmt: skip
def test_the_private_parts_are_there(owner: type[LinuxDriver | XTermParser | App[None]], name: str) -> None:
    assert callable(getattr(owner, name))


def test_the_driver_of_every_app_is_this_one() -> None:
    from oomtop.tui.fleet.app import FleetApp
    from oomtop.tui.shell.app import OomtopApp
    from oomtop.tui.terminal.app import PlainApp

    assert issubclass(OomtopApp, PlainApp)
    assert issubclass(FleetApp, PlainApp)
    assert PlainApp().driver_class is TerminalDriver


@pytest.mark.parametrize(
    ("unit", "key"),
    [
        ("k", "k"), ("?", "question_mark"), ("\r", "enter"), ("\x1b", "escape"), ("\x1b[A", "up"), ("\x1bOA", "up"),
        ("\x1b[15~", "f5"), ("\x1b[[A", "f1"), ("\x1bx", "alt+x"), ("\x03", "ctrl+c"), ("\x1b[Z", "shift+tab"),
        ("\x1b[97;5u", "ctrl+a"), ("ü", "ü"),
    ],
)  # fmt: skip
def test_a_key(unit: str, key: str) -> None:
    (message,) = Translator().messages(unit)
    assert isinstance(message, events.Key)
    assert message.key == key


@pytest.mark.parametrize(
    "unit",
    ["\x1b[1114112u", "\x1b[55296u", "\x1b[99999999999u", "\x1b[97;1:3u", "\x1b[9999999999~", "\x1b[1;1R", "\x1b[?62;c",
     "\x1b[<0;0;0M", "\x1b[<0;1M", "\x1b[48;99999;99999;1;1t"],
)  # fmt: skip
def test_what_means_nothing_is_no_message(unit: str) -> None:
    assert Translator().messages(unit) == []


def test_a_paste_has_lines_and_no_control_characters() -> None:
    (message,) = Translator().messages(Pasted("a\x1b[31m\r\nb\rc\td\x00\u202e"))
    assert isinstance(message, Paste)
    assert message.text == "a[31m\nb\nc d"


def test_a_terminal_that_is_not_ready_is_waited_for() -> None:
    master, slave = pty.openpty()
    fcntl.fcntl(slave, fcntl.F_SETFL, fcntl.fcntl(slave, fcntl.F_GETFL) | os.O_NONBLOCK)
    file, read = TerminalFile(slave), list[bytes]()
    text = "x" * 200_000
    file.write(text)
    reader = threading.Thread(target=lambda: read.extend(_read(master, len(text))))
    reader.start()
    file.flush()
    reader.join(30)
    assert sum(map(len, read)) == len(text)
    os.close(master)
    file.write("nobody reads this")
    file.flush()
    os.close(slave)


def _read(descriptor: int, length: int) -> Iterator[bytes]:
    while length:
        data = os.read(descriptor, 65536)
        length -= len(data)
        yield data
