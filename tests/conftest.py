import subprocess

import pytest


@pytest.fixture(autouse=True)
def _audit_log_of_the_test(tmp_path_factory, monkeypatch):
    """No test writes the machine's audit log, nor a program that it starts."""
    monkeypatch.setenv("OOMTOP_AUDIT_LOG", str(tmp_path_factory.mktemp("audit") / "audit.jsonl"))


@pytest.fixture
def child():
    """Return a process that waits, and end it."""
    process = subprocess.Popen(["sleep", "1000"])
    yield process
    process.kill()
    process.wait()
