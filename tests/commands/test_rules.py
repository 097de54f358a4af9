"""`oomtop rules`: whom each pattern fits now, decided as the guard and the rules decide."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_schemas import hold

CONFIG = """
protected = ["ruled-by-name*", "nobody fits this"]
[[adjust]]
command = "ruled-by-name*"
adj = -300
[[adjust]]
command = "*title*"
user = "USER"
adj = 300
[[adjust]]
unit = "batch"
adj = 5
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[list[int]]:
    program = tmp_path / "ruled-by-name-and-long"
    shutil.copy("/bin/sleep", program)
    made = [subprocess.Popen(["some title", "60"], executable=str(program)) for _ in range(3)]
    yield [process.pid for process in made]
    for process in made:
        process.kill()
        process.wait()


def rules(tmp_path: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    import pwd

    (tmp_path / "oomtop").mkdir()
    (tmp_path / "oomtop/config.toml").write_text(text.replace("USER", pwd.getpwuid(os.geteuid()).pw_name))
    environ = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "oomtop", "rules", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ)


def test_it_shows_whom_each_pattern_fits(tmp_path: Path, processes: list[int]) -> None:
    done = rules(tmp_path, CONFIG, "-n", "2")
    blocks = done.stdout.splitlines()
    assert blocks[0] == "protected 'ruled-by-name*': 3 processes"
    assert [str(pid) for pid in processes[:2]] == [line.split()[0] for line in blocks[1:3]]
    assert blocks[3:5] == ["  and 1 more", "protected 'nobody fits this': no process"]
    assert blocks[5] == "adjust command 'ruled-by-name*' to -300: 3 processes"
    assert "any process can take this name" in blocks[9]
    assert blocks[11] == "  and 3 processes decided by an earlier [[adjust]]"
    assert "did you mean batch.service?" in done.stderr
    assert done.returncode == 1


def test_as_json_it_lists_all_of_them(tmp_path: Path, processes: list[int]) -> None:
    done = rules(tmp_path, CONFIG, "-n", "2", "--json")
    answer = json.loads(done.stdout)
    hold("rules", answer)
    first, nobody, adjust, later, _ = answer["rules"]
    assert [process["pid"] for process in first["processes"]] == processes
    assert {process["name"] for process in first["processes"]} == {"ruled-by-name-a"}
    assert nobody["processes"] == []
    assert (adjust["is_free_to_claim"], later["decided_before"]) == (True, 3)


def test_without_patterns_it_says_where_they_belong(tmp_path: Path) -> None:
    done = rules(tmp_path, "interval = 1.0\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "docs/configuration.md" in done.stdout
