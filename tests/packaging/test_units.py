"""The systemd units: with exactly their capabilities, rules, hooks and webhooks do what the documentation says."""

import base64
import configparser
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from oomtop.host.privileges import Capability, has_capability
from tests.present import present

UNITS = Path(__file__).parents[2] / "packaging/systemd"
NOBODY = 65534
HIGHEST_EXPOSURE = 3.0
# A container often lacks what lowering needs; then the rule raises.
VALUE = -321 if has_capability(Capability.SYS_RESOURCE) else 321

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up capabilities")
needs_setpriv = pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


def settings(unit: str) -> dict[str, list[str]]:
    """Return key to values of `[Service]`, a value for each line."""
    parser = configparser.RawConfigParser(strict=False, dict_type=_Several, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / unit)
    return {key: value.split("\n") for key, value in parser["Service"].items()}


class _Several(dict[str, Any]):
    """Keeps each line of a key that is given more than once."""

    def __setitem__(self, key: str, value: object) -> None:
        if isinstance(value, list) and key in self:
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def within(unit: str, words: list[str]) -> list[str]:
    """Return the command as root with the unit's capabilities and network, which an exec cannot raise."""
    service = settings(unit)
    names = [name.removeprefix("CAP_").lower() for line in service["CapabilityBoundingSet"] for name in line.split()]
    allowed = ",".join(f"+{name}" for name in names)
    lowered = ["setpriv", f"--bounding-set=-all,{allowed}", "--inh-caps=-all", "--no-new-privs", *words]
    if service.get("DynamicUser") == ["yes"]:
        user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        given = [f"--inh-caps=-all,{allowed}", f"--ambient-caps=-all,{allowed}", f"--bounding-set=-all,{allowed}"]
        lowered = ["setpriv", *user, *given, "--no-new-privs", *words]
    return ["unshare", "-n", *lowered] if service.get("PrivateNetwork") == ["yes"] else lowered


@needs_analyze
@pytest.mark.parametrize("unit", ["oomtop-exporter.service", "oomtop-record.service"])
def test_a_unit_is_little_exposed_and_right(unit: str) -> None:
    words = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(UNITS / unit)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "Overall exposure level" not in done.stdout:
        pytest.skip(f"systemd-analyze cannot do it offline: {done.stderr[:200]}")
    assert float(present(re.search(r"exposure level for .*: ([\d.]+)", done.stdout))[1]) <= HIGHEST_EXPOSURE
    assert "Unknown" not in done.stderr


@pytest.fixture
def told() -> Iterator[tuple[str, threading.Event]]:
    """A receiver of webhooks."""
    event = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            event.set()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", event
    server.shutdown()
    server.server_close()


@pytest.fixture
def place(tmp_path: Path, told: tuple[str, threading.Event]) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A configuration with a rule, a hook and a webhook, and a process of another user that the rule is for."""
    url, _ = told
    os.mkfifo(tmp_path / "hooked")
    # A hook may run as another user, which opens what stands there and makes nothing.
    (tmp_path / "hooked").chmod(0o666)
    (tmp_path / "oomtop").mkdir()
    (tmp_path / "oomtop/config.toml").write_text(
        f"[[adjust]]\ncommand = 'ruled*'\nuser = '{_name(NOBODY)}'\nadj = {VALUE}\n[[alert]]\nname = 'many'\n"
        f"when = 'processes > 1'\nwebhook = '{url}'\ncommand = ['/bin/sh', '-c', 'echo $OOMTOP_ALERT > {tmp_path}/hooked']\n"
    )
    victim = subprocess.Popen(
        ["ruled", "120"], executable=shutil.which("sleep"), user=NOBODY, group=NOBODY, extra_groups=[]
    )
    yield tmp_path, victim
    victim.kill()
    victim.wait()


def _name(uid: int) -> str:
    import pwd

    return pwd.getpwuid(uid).pw_name


COMMANDS = {
    "oomtop-record.service": ["record", "--file", "{folder}/r.db"],
    "oomtop-exporter.service": ["exporter", "--listen", "127.0.0.1:0", "--interval", "1"],
}


@needs_root
@needs_setpriv
@pytest.mark.parametrize("unit", COMMANDS)
def test_a_unit_does_what_is_documented_of_it(
    place: tuple[Path, subprocess.Popen[bytes]], told: tuple[str, threading.Event], unit: str
) -> None:
    folder, victim = place
    words = [sys.executable, "-m", "oomtop", *(word.format(folder=folder) for word in COMMANDS[unit])]
    environ = {**os.environ, "XDG_CONFIG_HOME": str(folder)}
    started = subprocess.Popen(within(unit, words), stderr=subprocess.PIPE, text=True, env=environ)
    try:
        hook = subprocess.run(
            ["timeout", "60", "cat", str(folder / "hooked")], capture_output=True, text=True, check=True
        )
        assert hook.stdout.strip() == "many"
        assert told[1].wait(60)
        if unit == "oomtop-record.service":
            lines = iter(present(started.stderr).readline, "")
            assert "done" in next(line for line in lines if line.startswith("oomtop: rule:"))
            assert Path(f"/proc/{victim.pid}/oom_score_adj").read_text() == f"{VALUE}\n"
    finally:
        started.terminate()
        started.communicate(timeout=60)
    assert started.returncode == 0


@needs_root
@needs_setpriv
def test_the_exporter_is_not_root_and_sees_what_root_sees(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("prom:secret\n")
    users.chmod(0o600)
    words = [sys.executable, "-m", "oomtop", "exporter", "--listen", "127.0.0.1:0", "--users", str(users)]
    environ = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    unit = within("oomtop-exporter.service", words)
    with subprocess.Popen(unit, stderr=subprocess.PIPE, text=True, env=environ) as started:
        line = present(started.stderr).readline()
        port = int(present(re.search(r":(\d+)/metrics", line))[1])
        status = Path(f"/proc/{started.pid}/status").read_text()
        text = scraped(port)
        started.terminate()
        started.communicate(timeout=60)
    assert re.search(rf"^Uid:\s+{NOBODY}\s", status, re.MULTILINE)
    # Of processes of others only who may read them knows that they are swapped or shared: none is hidden.
    processes = float(present(re.search(r"^oomtop_processes (\S+)", text, re.MULTILINE))[1])
    assert processes >= len([name for name in os.listdir("/proc") if name.isdigit()]) * 0.5
    if os.access("/dev/kmsg", os.R_OK):
        assert "oomtop_kernel_log_readable 1.0" in text


def scraped(port: int) -> str:
    """Return the first metrics that there are."""
    code = base64.b64encode(b"prom:secret").decode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Basic {code}"})
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text: str = answer.read().decode()
        if "oomtop_kernel_log_readable 1.0" in text:
            return text
        time.sleep(0.1)
    return text
