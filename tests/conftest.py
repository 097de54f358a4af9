import shutil
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from oomtop.recording.reader import Recording

# How long an example takes depends on what else the machine does.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _files_of_the_test(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes the machine's audit log or the user's crash reports, nor a program that it starts."""
    folder = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("OOMTOP_AUDIT_LOG", str(folder / "audit.jsonl"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))


@pytest.fixture(autouse=True)
def _recordings_of_the_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test opened to look at is closed after it."""
    opened, open_it = [], Recording.__init__

    def remember(recording: Recording, path: str) -> None:
        open_it(recording, path)
        opened.append(recording)

    monkeypatch.setattr(Recording, "__init__", remember)
    yield
    for recording in opened:
        recording.close()


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that waits, and end it."""
    process = subprocess.Popen(["sleep", "1000"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the files of a certificate for localhost and of its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key
