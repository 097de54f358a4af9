import subprocess

import pytest


@pytest.fixture(autouse=True)
def _files_of_the_test(tmp_path_factory, monkeypatch):
    """No test writes the machine's audit log or the user's crash reports, nor a program that it starts."""
    folder = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("OOMTOP_AUDIT_LOG", str(folder / "audit.jsonl"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))


@pytest.fixture
def child():
    """Return a process that waits, and end it."""
    process = subprocess.Popen(["sleep", "1000"])
    yield process
    process.kill()
    process.wait()
