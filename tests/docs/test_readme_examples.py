"""The examples of the README's section for the shell, run as they stand: on a process, a group and files of this test.

Actions show their plans only; what runs until it is told to end is run elsewhere.
"""

import gzip
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oomtop.host.cgroup import find_layout
from oomtop.host.root import Root
from tests.present import present

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests/fixtures"
BLOCK = present(
    re.search(r"^## From the shell\n.*?```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
)[1]
ACTIONS = {
    "kill",
    "protect",
    "freeze",
    "thaw",
    "reclaim",
    "limit",
    "drop-caches",
    "compact",
    "swap",
    "undo",
    "arm",
    "drill",
}
ENDLESS = {"", "record", "replay", "exporter", "fleet"}
# 4: refused, as a plan may be on this machine; 6: doctor found a risk; 7: nothing but mentions; 9: it does not fit.
TAKEN = {
    "doctor": (0, 6),
    "events": (0, 7),
    "headroom": (0, 8, 9),
    "check": (0, 1, 2),
    **dict.fromkeys(ACTIONS, (0, 4)),
}


def examples() -> Iterator[object]:
    for line in BLOCK.splitlines():
        for command in line.partition(" # ")[0].split(";"):
            words = shlex.split(command)[1:]
            if (words[0] if words else "") not in ENDLESS:
                yield pytest.param(words, id=shlex.join(words))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """What stands in the examples, and what it is here."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "kern.log.2.gz").write_bytes(gzip.compress((FIXTURES / "events/global.log").read_bytes()))
    (folder / "recording.db").write_bytes((FIXTURES / "recording-1.db").read_bytes())
    process, layout = subprocess.Popen(["sleep", "1000"]), find_layout(Root())
    group = None
    if layout is not None and os.geteuid() == 0:
        group = Path(layout.memory_mount, f"oomtop-readme-{os.getpid()}")
        group.mkdir()
    named = {"4711": str(process.pid), "/system.slice/x.service": f"/{group.name}" if group else "/"}
    yield folder, named
    process.kill()
    process.wait()
    if group is not None:
        group.rmdir()


@pytest.mark.parametrize("words", list(examples()))
def test_an_example_of_the_readme_runs(words: list[str], places: tuple[Path, dict[str, str]]) -> None:
    folder, named = places
    given = [named.get(word, word) for word in words]
    plan = ["--dry-run"] if words[0] in ACTIONS and not {"--dry-run", "--help"} & set(words) else []
    done = subprocess.run(
        [sys.executable, "-m", "oomtop", *given, *plan],
        cwd=folder, env={**os.environ, "OOMTOP_AUDIT_LOG": str(folder / "audit"), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    nothing_to_undo = words[0] == "undo" and done.returncode == 1
    assert done.returncode in TAKEN.get(words[0], (0,)) or nothing_to_undo, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout or nothing_to_undo
