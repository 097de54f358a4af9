"""`oomtop --plain`, and the monitor where Textual cannot be loaded."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from oomtop.host.privileges import Capability, has_capability
from tests.tui.plain.test_handover import TAKEN_OVER, TRIES, both, session


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as child:
        yield child
        child.kill()


@pytest.mark.parametrize("error", ["ImportError('gone')", "MemoryError", "OSError(5, 'bad block')"])
def test_without_textual_the_plain_screen_goes_on(error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "textual").mkdir()
    (tmp_path / "textual" / "__init__.py").write_text(f"raise {error}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with session(size=(120, 30)) as shown:
        shown.shows("the full screen cannot be loaded")
        shown.press("q")
        shown.until(lambda text: "\x1b[?1049l" in text)


def test_a_process_is_found_by_its_number_and_killed_after_its_plan(
    victim: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_read_only_refuses_a_kill(victim: subprocess.Popen[bytes]) -> None:
    with session("--plain", "--read-only", size=(120, 30)) as shown:
        shown.shows("Quit")
        shown.press(f"{victim.pid}k")
        shown.shows("refused")
        shown.press("\r")
        shown.until(lambda text: "refused" not in shown.screen())
    assert victim.poll() is None


def test_only_keys_that_are_answered_are_named() -> None:
    with session("--plain") as shown:
        shown.shows("k Kill  J Select  q Quit")
        assert not any(word in shown.screen() for word in ("Freeze", "Limit", "Spare", "Help", "freeze it", "spare it"))


def test_the_cursor_moves_and_the_screen_follows_the_size() -> None:
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


def test_the_plain_screen_imports_no_textual() -> None:
    code = "import sys, oomtop.tui.plain.loop; print([name for name in sys.modules if name.startswith('textual')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_signal_gives_the_terminal_back() -> None:
    with session("--plain") as shown:
        shown.shows("Quit")
        os.kill(shown.at.pid, signal.SIGTERM)
        shown.until(lambda text: "\x1b[?1049l" in text)


@pytest.fixture
def loading(tmp_path: Path) -> tuple[tuple[str, ...], Path]:
    """A monitor whose full screen is loaded once `ready` exists, and that file."""
    ready = tmp_path / "ready"
    code = (
        "import os, time\n"
        "from oomtop.commands import monitor\n"
        "load = monitor._load\n"
        "def wait():\n"
        f"    while not os.path.exists({str(ready)!r}):\n"
        "        time.sleep(0.05)\n"
        "    load()\n"
        "monitor._load = wait\n"
        "from oomtop.cli import main\n"
        "main(['--interval', '60'])\n"
    )
    return (sys.executable, "-c", code), ready


def test_the_plain_screen_is_alive_while_the_full_one_is_loaded(loading: tuple[tuple[str, ...], Path]) -> None:
    with session(argv=loading[0], size=(120, 30)) as shown:
        shown.shows("Quit")
        before = len(shown.sent)
        # Figures are refreshed, although the interval is a minute.
        shown.until(lambda text: len(shown.sent) > before)
        shown.press("1")
        shown.shows("[PID 1]")
        shown.press("q")
        shown.until(lambda text: "\x1b[?1049l" in text)


def locked_of(pid: int) -> int:
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmLck:"))


@pytest.mark.skipif(not has_capability(Capability.IPC_LOCK), reason="memory cannot be locked here")
def test_memory_is_locked_before_the_full_screen_is_loaded(loading: tuple[tuple[str, ...], Path]) -> None:
    with session(argv=loading[0]) as shown:
        shown.shows("Quit")
        shown.until(lambda text: locked_of(shown.at.pid) > 0)


def test_keys_for_the_full_screen_are_kept_for_it(loading: tuple[tuple[str, ...], Path]) -> None:
    with session(argv=loading[0]) as shown:
        shown.shows("Quit")
        shown.press("\t\x1b[Z\t")
        shown.shows("keys are kept for it")
        shown.press("q\x1b")
        loading[1].touch()
        shown.until(lambda text: TAKEN_OVER in text)
        shown.until(lambda text: "\x1b[?1049l" in text)


@pytest.mark.parametrize("keys", ["\x1b[F", "\x1b[B\x1b[B", "\x1b[F\x1b[5~"])
def test_the_full_screen_goes_on_where_the_cursor_stood(loading: tuple[tuple[str, ...], Path], keys: str) -> None:
    for _ in range(TRIES):
        loading[1].unlink(missing_ok=True)
        with session(argv=loading[0]) as shown:
            shown.shows("Quit")
            # The cursor is gone from the first line.
            shown.answers(keys)
            loading[1].touch()
            first, second = both(shown)
        if not second.changed:
            break
    assert len(first.touched) == 80 * 24
    assert second.changed == []


@pytest.mark.parametrize("kilobytes", [90_000, 120_000, 160_000])
def test_too_little_address_space_for_the_full_screen_leaves_the_plain_one(kilobytes: int) -> None:
    """Python aborts where memory ends within the handling of an error, and no terminal is given back."""
    with session(
        argv=("sh", "-c", f"ulimit -v {kilobytes}; exec {sys.executable} -m oomtop --interval 60"), size=(120, 30)
    ) as shown:
        shown.shows("the full screen cannot be loaded: it maps 192M, and ulimit -v is")
        shown.press("q")
        shown.until(lambda text: "\x1b[?1049l" in text)


def test_little_address_space_is_enough() -> None:
    """Each thread's heap of 64 MiB and stack of 8 MiB would be more than `ulimit -v` leaves."""
    with session(
        argv=("sh", "-c", f"ulimit -v 160000; exec {sys.executable} -m oomtop --plain"), size=(120, 30)
    ) as shown:
        shown.shows("Quit")
        shown.press("1")
        shown.shows("[PID 1]")
        shown.press("q")
        shown.until(lambda text: "\x1b[?1049l" in text)


@pytest.mark.parametrize("broken", ["raise SyntaxError('x')", "import no_such_module", "x = y", "raise KeyError('x')"])
def test_a_broken_library_is_no_reason_to_end(broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "textual.py").write_text(broken)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with session(size=(120, 30)) as shown:
        shown.shows("the full screen cannot be loaded")
        shown.press("\t1")
        shown.shows("[PID 1]")
        shown.press("q")
        shown.until(lambda text: "\x1b[?1049l" in text)


def test_a_stalled_sample_holds_no_key_up(tmp_path: Path) -> None:
    code = (
        "import time\n"
        "from oomtop.sources.sampler import Sampler\n"
        "sample, count = Sampler.sample, []\n"
        "def slow(self, *words):\n"
        "    count.append(1)\n"
        "    if len(count) > 1:\n"
        "        time.sleep(3600)\n"
        "    return sample(self, *words)\n"
        "Sampler.sample = slow\n"
        "from oomtop.cli import main\n"
        "main(['--interval', '1'])\n"
    )
    with session(argv=(sys.executable, "-c", code), size=(120, 30)) as shown:
        both(shown)
        shown.press("\x1b[B1")
        shown.shows("[PID 1]")
        shown.press("q")
        shown.until(lambda text: "\x1b[?1049l" in text)


def test_without_another_thread_keys_are_answered_still() -> None:
    code = (
        "import threading\n"
        "def refuse(self):\n"
        '    raise RuntimeError("can\'t start new thread")\n'
        "threading.Thread.start = refuse\n"
        "from oomtop.cli import main\n"
        "main(['--plain'])\n"
    )
    with session(argv=(sys.executable, "-c", code), size=(120, 30)) as shown:
        shown.shows("no figure is refreshed")
        shown.press("1")
        shown.shows("[PID 1]")
        shown.press("q")
        shown.until(lambda text: "\x1b[?1049l" in text)
