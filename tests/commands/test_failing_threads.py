"""A thread that fails ends its daemon with the reason, or goes on; nothing is left that runs and does nothing."""

import re
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from oomtop import threads
from oomtop.alerts.notice import Letter
from oomtop.alerts.outbox import Outbox
from oomtop.errors import OomtopError
from oomtop.threads import start_thread

RAISED = {
    "MemoryError()": "not enough memory",
    'RuntimeError("can\'t start new thread")': "cannot start another thread",
    "OSError(28, 'x')": "No space left on device",
    "ValueError('odd')": "ValueError: odd; the report is in",
    "SystemExit(0)": "SystemExit",
}
SAMPLING = """
import sys
from oomtop.sources import sampler
def fail(*arguments, **named):
    raise {error}
sampler.Sampler.sample = fail
from oomtop.cli import main
main(sys.argv[1:])
"""
SERVING = """
import sys
from oomtop.exporter.server import MetricsServer
def fail(self, *arguments):
    raise {error}
MetricsServer.service_actions = fail
from oomtop.cli import main
main(sys.argv[1:])
"""


def run(code: str, arguments: list[str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    environ = {"XDG_STATE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environ)


@pytest.mark.parametrize("error", RAISED)
@pytest.mark.parametrize("command", ["exporter", "record", "check", "top"])
def test_sampling_that_fails_ends_the_program_with_its_reason(error: str, command: str, tmp_path: Path) -> None:
    arguments = {
        "exporter": ["exporter", "--listen", "127.0.0.1:0"],
        "record": ["record", "--file", str(tmp_path / "r.db")],
    }.get(command, [command])
    if command in ("check", "top") and "SystemExit" in error:
        pytest.skip("in the main thread it is the end as asked for")
    done = run(SAMPLING.format(error=error), arguments, tmp_path)
    assert done.returncode == (3 if command == "check" else 1)
    assert RAISED[error] in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_a_server_that_fails_ends_the_exporter(tmp_path: Path) -> None:
    done = run(SERVING.format(error="ValueError('odd')"), ["exporter", "--listen", "127.0.0.1:0"], tmp_path)
    assert done.returncode == 1
    assert "ValueError: odd" in done.stderr


def test_a_letter_that_cannot_be_delivered_for_any_reason_does_not_end_the_thread() -> None:
    told, tried = list[str](), []

    def deliver(letter: Letter) -> str | None:
        tried.append(letter)
        raise MemoryError

    box = Outbox("low", deliver, told.append)
    box.put(Letter(b"one", {}))
    box.put(Letter(b"two", {}))
    box.end()
    box.join(20)
    assert [letter.body for letter in tried] == [b"one", b"two"]
    assert box.failed == 2
    assert "not enough memory" in told[0]


def test_a_thread_that_cannot_be_started_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", refuse)
    with pytest.raises(OomtopError, match="cannot start a thread for sampling"):
        start_thread("sampling", print, print)


def test_a_thread_that_dies_before_it_runs_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where memory for its first frame is short: `Thread.start` alone would wait for it for ever."""
    monkeypatch.setattr(threads, "START_SECONDS", 0.05)
    monkeypatch.setattr(Thread, "_bootstrap", lambda self: None)
    with pytest.raises(OomtopError, match="cannot start a thread for sampling"):
        start_thread("sampling", print, print)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        threads.begin(Thread(target=print))


def test_every_thread_is_started_with_a_deadline() -> None:
    for path in (Path(__file__).parents[2] / "oomtop").rglob("*.py"):
        text = path.read_text()
        assert path.name == "threads.py" or not re.search(r"Thread\([^\n]*\)\.start\(\)|thread\.start\(\)", text), path
