"""Where the kernel gives no memory for another thread, an action may be the remedy: it needs none."""

import signal
import subprocess
import threading

import pytest

from oomtop.cli import run


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)


def test_a_command_acts(child: subprocess.Popen[bytes], no_threads: None) -> None:
    assert run(["protect", str(child.pid), "--adj", "500", "--yes"]) == 0
    assert run(["freeze", str(child.pid), "--yes"]) == 0
    assert run(["kill", str(child.pid), "--yes", "--signal", "KILL"]) == 0
    assert child.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize("name", ["overcommit_memory", "swappiness"])
def test_a_setting_is_planned(name: str, no_threads: None) -> None:
    assert run(["sysctl", name, "0", "--dry-run"]) == 0
