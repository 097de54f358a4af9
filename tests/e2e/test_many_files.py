"""A monitor with more than 1,024 open files: one for each process, or as many as a leaking parent hands over."""

import os
from pathlib import Path

import pytest

from tests.bench.terminal import processes
from tests.e2e.test_leaving import Terminal
from tests.host.test_ready import many_files

CODE = """
import fcntl, os, sys
for number in range({files}):
    os.set_inheritable(fcntl.fcntl(0, fcntl.F_DUPFD, 3), True)
os.execv(sys.executable, [sys.executable, "-m", "oomtop", "--interval", "0.5", *{options!r}])
"""


@pytest.mark.parametrize("options", [[], ["--plain"]], ids=["Textual", "plain"])
@pytest.mark.parametrize(("files", "others"), [(1100, 0), (0, 1100)], ids=["files", "processes"])
def test_it_draws_and_answers(tmp_path: Path, options: list[str], files: int, others: int) -> None:
    with many_files(), processes(others):
        at = Terminal(CODE.format(options=options, files=files), tmp_path)
        at.wait_for(b"Processes")
        at.press(b"q")
        assert os.waitstatus_to_exitcode(at.wait()) == 0
