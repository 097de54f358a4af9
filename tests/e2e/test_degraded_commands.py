"""Every command where something is missing: one line that says what, the documented exit code, and no traceback."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

OOMTOP = f"{sys.executable} -m oomtop"
NO_PROC, FAILED, UNKNOWN = 3, 1, 3
# Command line: exit codes where nothing is missing, and whether it needs /proc.
COMMANDS = {
    "top": ({0}, True),
    "top --json": ({0}, True),
    "events": ({0}, False),
    "kill --dry-run {pid}": ({0}, True),
    "protect --adj 500 --dry-run {pid}": ({0}, True),
    "freeze --dry-run {pid}": ({0, 4}, True),
    "thaw --dry-run {pid}": ({0, 4}, True),
    "limit --dry-run --max 1G /": ({0, 1, 4}, True),
    "drop-caches --dry-run": ({0, 4}, True),
    "compact --dry-run": ({0, 4}, True),
    "sysctl --dry-run vm.swappiness 10": ({0, 4}, True),
    "drill --dry-run leak": ({0, 4}, True),
    "undo --list": ({0}, False),
    "doctor": ({0, 6}, True),
    "recommend": ({0}, True),
    "check": ({0, 1, 2}, True),
    "fleet --once --timeout 1 --prometheus http://127.0.0.1:1": ({1}, False),
    "completion bash": ({0}, False),
    "--version": ({0}, False),
    "replay {folder}/none": ({2}, False),
    "record --file {folder}/none/../fifo": ({1}, False),
    "": ({2}, False),
}
DEGRADATIONS = {
    "no /proc": "unshare -m sh -c 'mount -t tmpfs none /proc; exec {command}'",
    "no /sys": "unshare -m sh -c 'mount -t tmpfs none /sys; exec {command}'",
    "8 descriptors": "ulimit -n 8; exec {command}",
    "little address space": "ulimit -v 60000; exec {command}",
    "full output": "exec {command} >/dev/full",
    "no output": "exec {command} >&-",
    "full errors": "exec {command} 2>/dev/full",
    "no input": "exec {command} <&-",
    "nothing open": "exec {command} <&- >&- 2>&-",
}
FILES = {
    "events {file}": FAILED,
    "record --file {file}": FAILED,
    "recommend --recording {file}": FAILED,
    "exporter --listen 127.0.0.1:0 --users {file}": FAILED,
    "exporter --listen 127.0.0.1:0 --tls-cert {file} --tls-key {file}": FAILED,
    "fleet --once --token-file {file}": FAILED,
    "fleet --once --prometheus https://127.0.0.1:1 --ca-file {file}": FAILED,
}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "none").mkdir()
    child = subprocess.Popen(["sleep", "600"])
    environ = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}

    def run(command: str, degradation: str = "exec {command}") -> subprocess.CompletedProcess[str]:
        words = f"{OOMTOP} {command.format(pid=child.pid, folder=tmp_path, file=tmp_path / 'fifo')}"
        line = degradation.format(command=words)
        return subprocess.run(
            ["sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environ, timeout=180
        )

    yield run
    child.kill()
    child.wait()


def expected(command: str, degradation: str) -> set[int]:
    """Return the exit codes that the documentation allows."""
    plain, needs_proc = COMMANDS[command]
    failed = UNKNOWN if command == "check" else FAILED
    if degradation == "no /proc":
        return {NO_PROC} if needs_proc else plain
    if degradation == "no /sys":
        return plain | {4} if command.startswith(("drill", "limit")) else plain
    if degradation in ("8 descriptors", "little address space"):
        return plain | {failed}
    if degradation in ("full output", "no output", "nothing open"):
        return plain if plain in ({1}, {2}) or command.startswith("undo") else {failed}
    return plain


@pytest.mark.parametrize("degradation", DEGRADATIONS)
def test_what_is_missing_is_one_line_and_the_documented_exit_code(
    run: Callable[..., subprocess.CompletedProcess[str]], degradation: str, tmp_path: Path
) -> None:
    if degradation.startswith("no /") and (os.geteuid() or shutil.which("unshare") is None):
        pytest.skip("mounts need root")
    with ThreadPoolExecutor(2) as pool:
        done = dict(zip(COMMANDS, pool.map(lambda each: run(each, DEGRADATIONS[degradation]), COMMANDS), strict=True))
    wrong = {
        command: (one.returncode, one.stdout[-200:], one.stderr[-500:])
        for command, one in done.items()
        if one.returncode not in expected(command, degradation) or not is_clear(one)
    }
    assert wrong == {}
    assert not list(tmp_path.glob("oomtop/crash-*"))


def is_clear(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether nothing but lines of oomtop are on stderr, few of them."""
    lines = done.stderr.splitlines()
    return "Traceback" not in done.stderr and len(lines) <= 3 and all(line.startswith("oomtop: ") for line in lines)


@pytest.mark.parametrize("file", ["fifo", "/dev/full", "folder"])
def test_what_is_no_file_is_said_and_never_waited_for(
    run: Callable[..., subprocess.CompletedProcess[str]], file: str, tmp_path: Path
) -> None:
    named = {"fifo": str(tmp_path / "fifo"), "folder": str(tmp_path / "none")}.get(file, file)
    for command, code in FILES.items():
        done = run(command.replace("{file}", shlex.quote(named)))
        assert done.returncode == code, (command, done.stderr)
        assert is_clear(done), (command, done.stderr)
        assert named in done.stderr


def test_standard_input_that_is_closed_is_no_empty_log(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run("events -", "exec {command} <&-")
    assert done.returncode == 1
    assert is_clear(done)


def test_a_disk_that_is_read_only_is_said(run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    if os.geteuid() or shutil.which("unshare") is None:
        pytest.skip("mounts need root")
    mount = f"mount --bind {tmp_path} {tmp_path} && mount -o remount,ro,bind {tmp_path}"
    done = run("record --file {folder}/none/r.db", f"unshare -m sh -c '{mount}; exec {{command}}'")
    assert done.returncode == 1
    assert done.stderr.endswith("Read-only file system\n")
    assert is_clear(done)
