"""`oomtop --plain`, and the monitor where Textual cannot be loaded."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios

import pytest

from tests.tui.plain.test_handover import session


@pytest.fixture
def victim():
    with subprocess.Popen(["sleep", "600"]) as child:
        yield child
        child.kill()


@pytest.mark.parametrize("error", ["ImportError('gone')", "MemoryError", "OSError(5, 'bad block')"])
def test_without_textual_the_plain_screen_goes_on(error, tmp_path, monkeypatch):
    (tmp_path / "textual").mkdir()
    (tmp_path / "textual" / "__init__.py").write_text(f"raise {error}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with session(size=(120, 30)) as shown:
        shown.shows("the full screen cannot be loaded")
        shown.press("q")
        shown.until(lambda text: "\x1b[?1049l" in text)


def test_a_process_is_found_by_its_number_and_killed_after_its_plan(victim, tmp_path, monkeypatch):
    monkeypatch.setenv("OOMTOP_AUDIT_LOG", str(tmp_path / "audit.jsonl"))
    with session("--plain", size=(120, 30)) as shown:
        shown.shows("Quit")
        shown.press(f"{victim.pid}k")
        shown.shows(f"Send SIGTERM to {victim.pid}")
        shown.press("x")
        shown.until(lambda text: "Send SIGTERM" not in shown.screen())
        assert victim.poll() is None
        shown.press("k")
        shown.shows(f"Send SIGTERM to {victim.pid}")
        shown.press("9")
        shown.shows(f"Send SIGKILL to {victim.pid}")
        shown.press("\r")
        # A terminal that nobody reads would hold the monitor up.
        shown.until(lambda text: victim.poll() is not None)
    assert victim.poll() == -signal.SIGKILL
    assert str(victim.pid) in (tmp_path / "audit.jsonl").read_text()


def test_read_only_refuses_a_kill(victim):
    with session("--plain", "--read-only", size=(120, 30)) as shown:
        shown.shows("Quit")
        shown.press(f"{victim.pid}k")
        shown.shows("refused")
        shown.press("\r")
        shown.until(lambda text: "refused" not in shown.screen())
    assert victim.poll() is None


def test_the_cursor_moves_and_the_screen_follows_the_size():
    with session("--plain") as shown:
        shown.shows("Quit")
        shown.press("\x1b[6~")
        shown.size = (60, 20)
        fcntl.ioctl(shown.at.master, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 60, 0, 0))
        os.kill(shown.at.pid, signal.SIGWINCH)
        shown.until(
            lambda text: (
                "\x1b[20;1H" in text[text.rindex("\x1b[1;1H") :]
                and "\x1b[21;1H" not in text[text.rindex("\x1b[1;1H") :]
            )
        )


def test_the_plain_screen_imports_no_textual():
    code = "import sys, oomtop.tui.plain.rescue; print([name for name in sys.modules if name.startswith('textual')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_signal_gives_the_terminal_back():
    with session("--plain") as shown:
        shown.shows("Quit")
        os.kill(shown.at.pid, signal.SIGTERM)
        shown.until(lambda text: "\x1b[?1049l" in text)
