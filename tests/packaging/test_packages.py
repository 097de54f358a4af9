"""The wheel, the single file and the Debian package, as built: each starts, reads this machine and draws its screen."""

import json
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import tarfile
import termios
import time
import zipfile
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.packages


def build(words: list[str]) -> None:
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode and "No matching distribution" in done.stderr + done.stdout:
        pytest.skip("the package index cannot be reached from here")
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of an environment that holds nothing but the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    build(["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "."])
    built = next(folder.glob("oomtop_monitor-*.whl"))
    names = set(zipfile.ZipFile(built).namelist())
    assert {"oomtop/themes/dark.toml", "oomtop/tui/dashboard/screen.tcss"} <= names
    assert not [name for name in names if name.startswith("tests/")]
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    install = ["install", "--quiet", "--disable-pip-version-check", str(built)]
    done = subprocess.run(
        [str(folder / "env/bin/pip"), *install], cwd=folder, capture_output=True, text=True, check=False
    )
    if "No matching distribution" in done.stderr:
        pytest.skip("the package index cannot be reached from here")
    assert done.returncode == 0, done.stderr[-2000:]
    return [str(folder / "env/bin/oomtop")]


def test_the_source_archive_makes_a_whole_wheel(tmp_path: Path) -> None:
    build(["-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)])
    with tarfile.open(next(tmp_path.glob("oomtop_monitor-*.tar.gz"))) as archive:
        archive.extractall(tmp_path)
    (source,) = (folder for folder in tmp_path.iterdir() if folder.is_dir())
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(words, cwd=source, capture_output=True, check=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("oomtop_monitor-*.whl"))).namelist())
    for pattern in ("oomtop/**/*.py", "oomtop/**/*.tcss", "oomtop/schemas/*.json"):
        assert {str(path.relative_to(ROOT)) for path in ROOT.glob(pattern)} <= names
    assert {f"oomtop/{path.relative_to(ROOT)}" for path in ROOT.glob("themes/*.toml")} <= names


@pytest.fixture(scope="module")
def zipapp(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    target = tmp_path_factory.mktemp("zipapp") / "oomtop.pyz"
    build(["packaging/zipapp/build.py", str(target)])
    return [sys.executable, "-I", "-S", str(target)]


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The program installed by dpkg below a root of its own, by its own maintainer scripts."""
    if shutil.which("dpkg-deb") is None or not os.access("/usr/bin/python3", os.X_OK):
        pytest.skip("needs dpkg and /usr/bin/python3")
    folder = tmp_path_factory.mktemp("deb")
    build(["packaging/debian/build.py", str(folder)])
    (package,) = folder.glob("*.deb")
    if shutil.which("lintian"):
        judged = subprocess.run(["lintian", "--allow-root", str(package)], capture_output=True, text=True, check=False)
        assert not [line for line in judged.stdout.splitlines() if line.startswith(("E:", "W:"))]
    root = folder / "root"
    for name in ("info", "updates"):
        (root / "var/lib/dpkg" / name).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    dpkg = [
        "dpkg", f"--root={root}", "--force-script-chrootless", "--force-depends", "--force-not-root",
        f"--log={folder}/log",
    ]  # fmt: skip
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    done = subprocess.run(
        [*dpkg, "--install", str(package)],
        env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list((root / "usr/lib/oomtop/oomtop").glob("__pycache__")), "compiled when installed, not at every start"
    yield [str(root / "usr/bin/oomtop")]
    subprocess.run([*dpkg, "--purge", "oomtop"], env={**os.environ, "PATH": path}, check=True, capture_output=True)
    left = [name for name in root.rglob("*") if name.is_file() and "var/lib/dpkg" not in str(name)]
    assert left == []


def test_the_rpm_holds_what_the_deb_holds(tmp_path: Path) -> None:
    if shutil.which("rpmbuild") is None:
        pytest.skip("rpmbuild is not on this machine")
    build(["packaging/rpm/build.py", str(tmp_path)])
    (package,) = tmp_path.glob("oomtop-*.noarch.rpm")
    done = subprocess.run(["rpm", "-qpl", str(package)], capture_output=True, text=True, check=True)
    files = set(done.stdout.splitlines())
    for name in ("bin/oomtop", "lib/oomtop/oomtop/cli.py", "lib/systemd/system/oomtop-record.service"):
        assert f"/usr/{name}" in files
    assert {"/etc/oomtop/config.toml", "/usr/share/man/man1/oomtop.1.gz"} <= files


@pytest.fixture(params=["wheel", "zipapp", "deb"])
def command(request: pytest.FixtureRequest) -> list[str]:
    command: list[str] = request.getfixturevalue(request.param)
    return command


def run(command: list[str], *words: str, folder: Path) -> str:
    done = subprocess.run([*command, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.stdout


def test_it_reads_this_machine(command: list[str], tmp_path: Path) -> None:
    assert run(command, "--version", folder=tmp_path).startswith("oomtop 0.")
    total = int(open("/proc/meminfo").readline().split()[1]) * 1024
    assert json.loads(run(command, "top", "--json", "-n", "1", folder=tmp_path))["memory"]["total"] == total
    assert "What works here" in run(command, "doctor", folder=tmp_path)
    assert "complete" in run(command, "completion", "bash", folder=tmp_path)


def test_it_draws_its_screen_and_ends_with_q(command: list[str], tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", HOME=str(tmp_path))
        os.chdir(tmp_path)
        os.execv(command[0], command)
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    seen = _read_until(terminal, b"PSI", 30)
    assert b"PSI" in seen, seen[-500:]
    os.write(terminal, b"q")
    _read_until(terminal, b"\x1b[?1049l", 20)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def _read_until(terminal: int, wanted: bytes, seconds: float) -> bytes:
    seen, end = b"", time.monotonic() + seconds
    while wanted not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                break
    return seen
