"""Real processes whose names and arguments attack the terminal: nothing of them reaches the output."""

import subprocess
import sys
import unicodedata
from collections.abc import Iterator

import pytest

from tests.present import present

# PR_SET_NAME (15) takes 15 bytes; the process says when it has its name.
RENAME = "import ctypes, sys; ctypes.CDLL(None).prctl(15, {name!r}, 0, 0, 0); print(flush=True); sys.stdin.read()"
NAMES = (b"\x1b[31;5mred", b"a\nb\rc\td", b"[red]x[/]", "\u202egnp.exe".encode(), b"\xff\xfe\xc3(", b") S 1 1 (")
BIG = ("\x1b]0;owned\x07[bold]\u202e" * 10 + "x" * 99_000).encode()


@pytest.fixture
def hostile() -> Iterator[set[int]]:
    processes = []
    for number, name in enumerate(NAMES):
        # One argument may be 128 kB and all together a quarter of the stack limit: 16 x 100 kB fit into 2 MB.
        arguments = [BIG] * (16 if number == 0 else 1)
        argv: list[str | bytes] = [sys.executable, "-c", RENAME.format(name=name), *arguments]
        processes.append(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    for process in processes:
        present(process.stdout).readline()
    yield {process.pid for process in processes}
    for process in processes:
        process.kill()
        process.communicate()


def test_hostile_names_change_nothing_but_their_own_cell(hostile: set[int]) -> None:
    command = [sys.executable, "-m", "oomtop", "top", "-n", "100000", "--samples", "2", "--interval", "0.1"]
    done = subprocess.run(command, capture_output=True, timeout=180, check=True)
    text = done.stdout.decode("utf-8")
    assert done.stderr == b""
    bad = {char for char in text if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn")}
    assert bad == set()
    table = text.split("COMMAND\n")[1].splitlines()
    shown = [int(line.split()[0]) for line in table]
    assert hostile <= set(shown)
    assert len(shown) == len(set(shown))
    assert max(map(len, text.splitlines())) <= 120
