"""Actions whose messages nobody can read are carried out to their end."""

import os
import signal
import subprocess
import sys

import pytest

from tests.actions.children import end, start


@pytest.mark.parametrize("stubborn", [False, True], ids=["ends", "needs SIGKILL"])
def test_a_kill_is_finished_though_stderr_is_full(stubborn: bool) -> None:
    child = start(stubborn=stubborn)
    words = ["kill", str(child.pid), "--tree", "--yes", "--grace", "1"]
    try:
        with open("/dev/full", "w") as full:
            done = subprocess.run([sys.executable, "-m", "oomtop", *words], stderr=full, stdout=-1, check=False)
        assert done.returncode == 0
        assert child.wait(10) == -(signal.SIGKILL if stubborn else signal.SIGTERM)
    finally:
        end(child)


def test_an_armed_action_stays_armed_though_stderr_is_full() -> None:
    child = start()
    words = ["arm", "freeze", str(child.pid), "--for", "1", "--yes"]
    try:
        with open("/dev/full", "w") as full:
            done = subprocess.run([sys.executable, "-m", "oomtop", *words], stderr=full, stdout=-1, check=False)
        assert (done.returncode, done.stdout.endswith(b"disarmed, nothing was done: 1 s are over\n")) == (0, True)
        os.kill(child.pid, 0)
    finally:
        end(child)
