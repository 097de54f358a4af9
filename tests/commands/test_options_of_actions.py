"""The options of the commands that act: each changes the plan, or what is done; rows of what it adds to the answer.

A plan is what is then performed: tests/actions and tests/vm perform them.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oomtop import cli
from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.errors import OomtopError
from oomtop.host.cgroup import find_layout
from oomtop.host.root import Root
from tests.docs.test_schemas import hold
from tests.present import present

LAYOUT = find_layout(Root())
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may")
PARENT = """
import subprocess, sys
child = subprocess.Popen(["sleep", "1000"])
print(child.pid, flush=True)
child.wait()
"""

# (what is proved, the words without it, the words it adds, what only the answer with it says)
ROWS = (
    ("kill pids", "kill --dry-run", "{pid}", r"pidfd_send_signal\(SIGTERM\) to {pid}"),
    ("kill --signal", "kill {pid} --dry-run", "-s HUP", "SIGHUP"),
    ("kill --tree", "kill {pid} --dry-run", "--tree", r"pidfd_send_signal\(SIGTERM\) to {child}"),
    ("kill --grace", "kill {pid} --dry-run", "--grace 7", "after 7 s: SIGKILL"),
    ("kill --override", "kill {guarded} --dry-run", "--override", "^does:"),
    ("kill --dry-run", "kill {pid}", "--dry-run", r"exit 0$"),
    ("kill --cgroup", "kill --dry-run", "--cgroup /", "^Kill all of /"),
    ("protect pids", "protect --adj 300 --dry-run", "{pid}", "write 300 to /proc/{pid}/oom_score_adj"),
    ("protect --adj", "protect {pid} --dry-run", "--adj 400", "write 400 to"),
    ("protect --unit", "protect --dry-run", "--unit foo.service", "of foo.service from its next start on"),
    ("protect --forget", "protect --unit foo.service --dry-run", "--forget", "^Remove the oom_score_adj"),
    ("protect --override", "protect {guarded} --dry-run", "--override", "^does:"),
    ("protect --dry-run", "protect {pid} --adj 300", "--dry-run", "exit 0$"),
    ("freeze pids", "freeze --dry-run", "{pid}", r"pidfd_send_signal\(SIGSTOP\) to {pid}"),
    ("freeze --cgroup", "freeze --dry-run", "--cgroup /", "^Freeze /"),
    ("freeze --override", "freeze {guarded} --dry-run", "--override", "^does:"),
    ("freeze --dry-run", "freeze {pid}", "--dry-run", "exit 0$"),
    ("thaw pids", "thaw --dry-run", "{pid}", r"pidfd_send_signal\(SIGCONT\) to {pid}"),
    ("thaw --cgroup", "thaw --dry-run", "--cgroup /", "^Thaw /"),
    ("thaw --override", "thaw {guarded} --dry-run", "--override", "^does:"),
    ("thaw --dry-run", "thaw {pid}", "--dry-run", "exit 0$"),
    ("reclaim pids", "reclaim --dry-run", "{pid}", "^Page out {pid}"),
    ("reclaim --cgroup", "reclaim --dry-run", "--cgroup /", "^Reclaim"),
    ("reclaim --size", "reclaim --cgroup {group} --dry-run", "--size 5M", "takes no size|write 5242880"),
    ("reclaim --override", "reclaim {guarded} --dry-run", "--override", "^does:"),
    ("reclaim --dry-run", "reclaim {pid}", "--dry-run", "exit 0$"),
    ("drop-caches --level", "drop-caches --dry-run", "--level 2", "write 2 to"),
    ("limit --high", "limit / --dry-run", "--high 1G", "Set memory.high of / to 1.0G"),
    ("limit --max", "limit / --dry-run", "--max 1G", "Set memory.max of / to 1.0G"),
    ("limit --low", "limit / --dry-run", "--low 1G", "Set memory.low of / to 1.0G"),
    ("limit --move", "limit tests --max 64M --dry-run", "--move {pid}", "^Move {pid} .* into /oomtop-tests"),
    ("limit --lasting", "limit {group} --max 1G --dry-run", "--lasting", "a systemd unit"),
    ("limit --override", "limit tests --max 64M --move {guarded} --dry-run", "--override", "^does:"),
    ("sysctl name", "sysctl", "swappiness", "range:"),
    ("sysctl value", "sysctl --dry-run swappiness", "10", "write 10 to /proc/sys/vm/swappiness"),
    ("sysctl --persist", "sysctl swappiness 10 --dry-run", "--persist", "put `vm.swappiness = 10` into"),
    ("sysctl --forget", "sysctl swappiness 10 --dry-run", "--forget", "take vm.swappiness out of"),
    ("sysctl --dry-run", "sysctl swappiness 10", "--dry-run", "exit 0$"),
    ("swap add --priority", "swap add {file} 64M --dry-run", "--priority 7", r"swapon\(priority 7\)"),
    ("swap add --persist", "swap add {file} 64M --dry-run", "--persist", "append: {file} none swap"),
    ("swap add --dry-run", "swap add {file} 64M", "--dry-run", "exit 0$"),
    ("swap zram --algorithm", "swap zram 64M --dry-run", "--algorithm lz4", "write lz4 to comp_algorithm"),
    ("swap zram --priority", "swap zram 64M --dry-run", "--priority 9", r"swapon\(priority 9\)"),
    ("swap zram --dry-run", "swap zram 64M", "--dry-run", "exit 0$"),
    ("swap off --remove", "swap off {file} --dry-run", "--remove", "no remains"),
    ("drill --size", "drill leak --dry-run", "--size 33M", "reaches 33.0M"),
    ("drill --rate", "drill leak --size 33M --dry-run", "--rate 3M", r"at \+3.0M/s"),
    ("drill --seconds", "drill leak --size 33M --dry-run", "--seconds 7", "for at most 7s"),
    ("drill --dry-run", "drill leak --size 33M", "--dry-run", "exit 0$"),
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What stands for the names in braces: a process with a child, one on the protected list, a group, a file."""
    folder = tmp_path_factory.mktemp("options")
    (folder / "oomtop").mkdir()
    (folder / "oomtop" / "config.toml").write_text('protected = ["guarded"]\n')
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    child = present(parent.stdout).readline().strip()
    naming = (
        "import ctypes, signal; ctypes.CDLL(None).prctl(15, b'guarded', 0, 0, 0); print(flush=True); signal.pause()"
    )
    guarded = subprocess.Popen([sys.executable, "-c", naming], stdout=subprocess.PIPE, text=True)
    present(guarded.stdout).readline()
    group = Path(LAYOUT.memory_mount, f"oomtop-tests-{os.getpid()}") if LAYOUT is not None else None
    if group is not None and os.geteuid() == 0:
        remove_groups_of_the_dead(group.parent)
        group.mkdir()
    yield {
        "pid": parent.pid, "child": child, "guarded": guarded.pid, "file": folder / "swap", "config": folder,
        "group": f"/{group.name}" if group is not None else None,
    }  # fmt: skip
    os.kill(int(child), 9)
    for process in (parent, guarded):
        process.kill()
        process.wait()
        present(process.stdout).close()
    if group is not None and group.is_dir():
        group.rmdir()


def remove_groups_of_the_dead(mount: Path) -> None:
    """Remove the groups of runs that were killed before they could."""
    for group in mount.glob("oomtop-tests-*"):
        if not Path("/proc", group.name.rpartition("-")[2]).exists():
            with contextlib.suppress(OSError):
                group.rmdir()


def answer(words: str, places: dict[str, Any]) -> str:
    """Return all that a command says, with its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "oomtop", *words.format(**places).split()],
        env={**os.environ, "XDG_CONFIG_HOME": str(places["config"])},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return f"{done.stdout}{done.stderr}exit {done.returncode}"


@needs_root
@pytest.mark.parametrize(("option", "without", "adds", "says"), ROWS, ids=[row[0] for row in ROWS])
def test_an_option_changes_the_answer(option: str, without: str, adds: str, says: str, places: dict[str, Any]) -> None:
    pattern = re.compile(says.format(**places), re.MULTILINE)
    if LAYOUT is None and "group" in f"{without}{adds}":
        pytest.skip("no memory controller")
    assert not pattern.search(answer(without, places))
    assert pattern.search(answer(f"{without} {adds}", places))


# What --override skips beside the guard, or instead of it: a word of its help.
SKIPPED = (
    ("kill", "guarded"), ("freeze", "guarded"), ("thaw", "guarded"), ("reclaim", "guarded"), ("arm", "guarded"),
    ("protect", "CAP_SYS_RESOURCE"), ("limit", "below what the group holds"), ("swap off", "do not fit"),
)  # fmt: skip


@pytest.mark.parametrize(("command", "skipped"), SKIPPED)
def test_the_help_of_override_says_what_it_skips(
    command: str, skipped: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit):
        cli.build_parser().parse_args([*command.split(), "--help"])
    text = next(line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("--override"))
    assert skipped in text
    assert ("guarded" in text) is (command != "swap off")


# What has to be given, and what only shows in what is done: (words, what the request holds).
REQUESTS = (
    ("kill {pid} --wait 3", {"patience": 3.0}),
    ("swap add {file} 64M", {"path": "{file}", "size": 64 << 20}),
    ("swap zram 64M", {"size": 64 << 20}),
    ("swap off {file}", {"path": "{file}", "remove": False, "override": False}),
    ("swap off {file} --override", {"override": True}),
    ("limit one --max 64M --move {pid}", {"name": "one"}),
    ("limit {group} --max 64M", {"path": "{group}"}),
    ("sysctl swappiness 10", {"name": "swappiness", "value": 10}),
    ("sysctl swappiness=10", {"name": "swappiness", "value": 10}),
)


class Halted:
    """An action whose plan is accepted and that does nothing."""

    def __init__(self, request: object) -> None:
        self.request = request
        self.plan = Plan(action="halted", title="a plan", steps=("stop here",), effect="", risk="")

    def perform(self, report: Callable[[str], object]) -> Outcome:
        return Outcome("halted", Status.DONE, "halted")

    def close(self) -> None:
        pass


@pytest.fixture
def halted(monkeypatch: pytest.MonkeyPatch, places: dict[str, Any]) -> list[Halted]:
    """Have all commands stop where the machine would change, and keep what they asked for."""
    asked: list[Halted] = []

    def prepare(request: object, context: ActionContext) -> Halted:
        asked.append(Halted(request))
        return asked[-1]

    monkeypatch.setattr("oomtop.headless.prepare", prepare)
    monkeypatch.setattr("sys.stdin", open(os.devnull))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(places["config"]))
    return asked


@needs_root
@pytest.mark.parametrize(("words", "holds"), REQUESTS, ids=[row[0] for row in REQUESTS])
def test_what_is_given_is_what_is_asked_for(
    words: str, holds: dict[str, float | str], halted: list[Halted], places: dict[str, Any]
) -> None:
    cli.run([*words.format(**places).split(), "--dry-run"])
    (action,) = halted
    for name, value in holds.items():
        wanted = value.format(**places) if isinstance(value, str) else value
        assert getattr(action.request, name) == wanted


CONSENTED = (
    "kill {pid}", "protect {pid}", "freeze {pid}", "thaw {pid}", "reclaim {pid}", "drop-caches", "compact",
    "limit {group} --max 64M", "swap add {file} 64M", "swap zram 64M", "swap off {file}", "sysctl swappiness 10",
    "drill leak",
)  # fmt: skip


@needs_root
@pytest.mark.parametrize("words", CONSENTED)
def test_yes_performs_and_dry_run_does_not_ask(
    words: str,
    halted: list[Halted],
    places: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # `drill` sets handlers for the process it runs in.
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    given = words.format(**places).split()
    with pytest.raises(OomtopError, match="stdin is not a terminal"):
        cli.run(given)
    assert cli.run([*given, "--dry-run"]) == 0
    assert "halted" not in capsys.readouterr().out
    assert cli.run([*given, "--yes"]) == 0
    assert "halted" in capsys.readouterr().out


@needs_root
def test_a_dry_run_and_a_list_of_undo_undo_nothing(places: dict[str, Any]) -> None:
    assert "exit 0" in answer("protect {pid} --adj 300 --yes", places)
    value = Path(f"/proc/{places['pid']}/oom_score_adj")
    assert "exit 4" in answer("undo", places)
    assert "exit 0" in answer("undo --list", places)
    assert "exit 0" in answer("undo --dry-run", places)
    assert value.read_text() == "300\n"
    assert "exit 0" in answer("undo --yes", places)
    assert value.read_text() == "0\n"


JSON = (
    "kill {pid}", "protect {pid} --adj 300", "freeze {pid}", "thaw {pid}", "reclaim {pid}", "drop-caches", "compact",
    "limit {group} --high 1G --max 2G", "swap add {file} 64M", "swap zram 64M", "swap off {file}", "sysctl swappiness 10",
    "arm freeze {pid}", "drill leak --size 33M", "undo",
)  # fmt: skip


def as_json(words: str, places: dict[str, Any]) -> tuple[Any, int]:
    """Return what a command prints on standard output, as JSON that its schema describes, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "oomtop", *words.format(**places).split(), "--json"],
        env={**os.environ, "XDG_CONFIG_HOME": str(places["config"]), "OOMTOP_AUDIT_LOG": str(places["config"] / "audit")},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return json.loads(done.stdout) if done.stdout else None, done.returncode


@needs_root
def test_every_action_answers_in_json(places: dict[str, Any]) -> None:
    for words in JSON[:-1]:
        found, code = as_json(f"{words} --dry-run", places)
        hold("action", found)
        assert found["status"] == ("planned" if code == 0 else "refused"), words
        assert all(action["outcome"] is None and action["title"] for action in found["actions"])
    found, _ = as_json("protect {pid} --adj 300 --yes", places)
    hold("action", found)
    assert (found["status"], found["actions"][0]["outcome"]["after"]) == ("done", "300")
    listed, _ = as_json("undo --list", places)
    hold("undo", listed)
    undone, code = as_json("undo --yes", places)
    hold("action", undone)
    assert (undone["undoes"], code) == (listed["undoable"][-1]["entry"], 0)
    nothing, code = as_json("undo --yes", places)
    hold("action", nothing)
    assert (nothing["actions"], code) == ([], 1)


@needs_root
@pytest.mark.skipif(LAYOUT is None, reason="no memory controller")
def test_two_limits_are_two_actions_or_none(places: dict[str, Any]) -> None:
    found, code = as_json("limit {group} --high 1G --max 2G --yes", places)
    assert len(found["actions"]) == 2
    if present(LAYOUT).version == 1:
        # v1 has no memory.high: nothing of it is done.
        assert (code, found["status"]) == (4, "refused")
    assert all((action["outcome"] is None) == (code == 4) for action in found["actions"])
