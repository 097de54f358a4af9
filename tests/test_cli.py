"""The command line, as a user runs it."""

import argparse
import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oomtop import cli
from tests.present import present

PYTHON = [sys.executable, "-m", "oomtop"]


def run(*arguments: str, **named: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PYTHON, *arguments], capture_output=True, text=True, timeout=60, check=False, **named)


def test_the_command_line_loads_no_screen_library() -> None:
    code = "import sys, oomtop.cli; print([m for m in ('textual', 'rich', 'plotext') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_top_as_json_adds_up() -> None:
    data = json.loads(run("top", "--json").stdout)
    memory = data["memory"]
    names = ("anon", "shmem", "page_cache", "slab_reclaimable", "kernel", "hugetlb", "arc", "other", "free")
    assert data["schema"] == 1
    assert sum(memory[name] for name in names) == memory["total"]
    total = int(open("/proc/meminfo").readline().split()[1]) * 1024
    assert memory["total"] == total


def test_top_as_text() -> None:
    done = run("top", "-n", "3")
    assert done.returncode == 0
    assert done.stdout.startswith("Memory ")
    *rows, rest = done.stdout.split("COMMAND\n")[1].splitlines()
    assert len(rows) == 3
    assert re.fullmatch(r" +\d+ more \(-n \d+ shows all\)", rest)


def test_a_closed_pipe_is_no_traceback() -> None:
    done = subprocess.run(
        f"{sys.executable} -m oomtop top | head -1", shell=True, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("Memory")
    assert "Traceback" not in done.stderr


def test_the_monitor_without_a_terminal_says_what_to_do() -> None:
    done = run(stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "oomtop top" in done.stderr


def test_a_wrong_option_names_it() -> None:
    done = run("--interval", "soon")
    assert done.returncode == 2
    assert "soon" in done.stderr


def test_a_log_file_that_is_missing_is_named() -> None:
    done = run("events", "/nonexistent/kern.log")
    assert done.returncode == 1
    assert "/nonexistent/kern.log" in done.stderr
    assert "Traceback" not in done.stderr


def test_events_of_standard_input_as_text_and_json() -> None:
    line = (
        "Jan  1 00:00:00 web kernel: [5.0] Memory cgroup out of memory: Killed process 42 (\x1b[31mhog) "
        "total-vm:2048kB, anon-rss:1024kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:64kB oom_score_adj:0\n"
    )
    text = run("events", "-", input=line)
    assert text.returncode == 0
    assert "42" in text.stdout
    assert "\x1b" not in text.stdout
    data = json.loads(run("events", "--json", "-", input=line).stdout)
    (event,) = data["events"]
    assert (data["schema"], event["victim"]["pid"], event["victim"]["anon_rss"]) == (1, 42, 1 << 20)


def test_kill_shows_its_plan_and_does_nothing_in_a_dry_run(child: subprocess.Popen[bytes]) -> None:
    done = run("kill", "--dry-run", str(child.pid))
    assert done.returncode == 0
    assert "SIGTERM" in done.stdout
    assert child.poll() is None


def test_kill_without_anyone_to_ask_is_refused(child: subprocess.Popen[bytes]) -> None:
    done = run("kill", str(child.pid), stdin=subprocess.DEVNULL)
    assert done.returncode == 4
    assert "--yes" in done.stderr
    assert child.poll() is None


def test_kill_with_yes_ends_the_process(child: subprocess.Popen[bytes], tmp_path: Path) -> None:
    done = run("kill", "--yes", str(child.pid), env={**os.environ, "XDG_STATE_HOME": str(tmp_path)})
    assert child.wait(5) == -15
    assert done.returncode == 0, done.stdout + done.stderr


def test_pid_1_is_refused_with_its_reason() -> None:
    done = run("kill", "--yes", "1")
    assert done.returncode == 4
    assert "refused" in done.stdout


def test_nothing_is_done_in_read_only_mode(child: subprocess.Popen[bytes]) -> None:
    done = run("--read-only", "kill", "--yes", str(child.pid))
    assert done.returncode == 4
    assert child.poll() is None


def test_a_pid_that_nobody_has_is_said() -> None:
    done = run("protect", "--dry-run", "4194303")
    assert done.returncode == 1
    assert "no process 4194303" in done.stderr


def test_protect_and_drop_caches_show_their_plans(child: subprocess.Popen[bytes]) -> None:
    assert "-500" in run("protect", "--adj", "-500", "--dry-run", str(child.pid)).stdout
    assert "drop_caches" in run("drop-caches", "--dry-run").stdout


def test_help_lists_the_exit_codes() -> None:
    assert "141" in run("--help").stdout


def read_free() -> tuple[int, int]:
    """Return (total, available) as free(1) has them, in bytes."""
    free = subprocess.run(["free", "-b"], capture_output=True, text=True, check=False)
    if free.returncode:
        pytest.skip("no free on this machine")
    words = free.stdout.splitlines()[1].split()
    return int(words[1]), int(words[6])


def test_the_accounts_of_top_are_those_of_free() -> None:
    for _ in range(10):
        before, memory, after = read_free(), json.loads(run("top", "--json").stdout)["memory"], read_free()
        assert memory["total"] == before[0]
        # What others allocate meanwhile shifts it; the one before and the one after tell whether they did.
        if abs(before[1] - after[1]) < 8 << 20:
            assert abs(memory["available"] - before[1]) < 64 << 20
            return
    pytest.skip("the machine is too busy to compare two looks")


def test_an_interrupt_ends_with_130() -> None:
    # A shell that starts the tests in the background has them ignore SIGINT, and so their children.
    restore = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    argv = [*PYTHON, "top", "--samples", "1000", "--interval", "0.1"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=restore)
    deadline = time.monotonic() + 20
    # It keeps descriptors of every process from its first sample on.
    while len(os.listdir(f"/proc/{process.pid}/fd")) < 8 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert errors == b""


def test_top_watches_until_it_is_interrupted() -> None:
    command = [*PYTHON, "top", "--json", "--watch", "0.1", "-n", "1"]
    # A shell that runs the tests in the background has them ignore SIGINT, and children inherit that.
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, preexec_fn=heard, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        shots = [json.loads(present(watching.stdout).readline()) for _ in range(3)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=20) == 130
        assert present(watching.stderr).read() == ""
    assert [shot["schema"] for shot in shots] == [1, 1, 1]
    assert shots[0]["time"] < shots[1]["time"] < shots[2]["time"]


def test_top_watches_as_text_in_a_pipe_and_ends_with_its_reader() -> None:
    watching = subprocess.Popen([*PYTHON, "top", "--watch", "0.1"], stdout=subprocess.PIPE, text=True)
    lines = [present(watching.stdout).readline() for _ in range(30)]
    present(watching.stdout).close()
    assert watching.wait(timeout=20) == 141
    assert sum(line.startswith("Memory ") for line in lines) >= 2
    assert not any("\x1b" in line for line in lines)


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name in action.choices:
                yield from _parsers(action.choices[name])


def test_no_parser_takes_abbreviations() -> None:
    assert [parser.prog for parser in _parsers(cli.build_parser()) if parser.allow_abbrev] == []


def test_an_abbreviated_override_is_wrong_usage() -> None:
    done = run("kill", "1", "--over", "--dry")
    assert done.returncode == 2
    assert "--over" in done.stderr


@pytest.mark.parametrize("words", [("top",), ("top", "--json"), ("doctor",), ("--version",), ("--help",)])
@pytest.mark.parametrize("output", [">/dev/full", ">&-", ">&- 2>&-", ">/dev/full 2>/dev/full"])
def test_output_that_cannot_be_written_is_one_line_and_an_error(words: tuple[str, ...], output: str) -> None:
    done = subprocess.run(["sh", "-c", f'"$@" {output}', "sh", *PYTHON, *words], capture_output=True, check=False)
    said = done.stderr.decode()
    assert done.returncode == 1
    assert said.count("\n") == (0 if "2>" in output else 1)
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["recrod"], "did you mean record?"),
        (["drill", "leek"], "did you mean leak?"),
        (["replay", "--bad"], "oomtop replay: error: unrecognized arguments: --bad"),
        (["replay", "--teme", "dark"], "did you mean --theme?"),
        (["record", "--fil", "x"], "oomtop record: error: unrecognized arguments: --fil x; did you mean --file?"),
        (["top", "--srot=rss"], "did you mean --sort?"),
        (["kill", "--signal", "TREM", "1"], "'TREM' is not a signal; did you mean TERM?"),
    ],
)
def test_what_is_mistyped_is_answered_with_the_nearest_and_the_usage_of_its_command(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.run(words)
    assert said in capsys.readouterr().err
