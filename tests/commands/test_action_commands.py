"""The actions as commands: plan, consent, outcome, exit code."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from oomtop.commands.arguments import size
from oomtop.errors import OomtopError
from oomtop.headless import find_group
from oomtop.host.cgroup import Cgroup
from oomtop.units import parse_size
from tests.present import present
from tests.synthetic import SyntheticMachine

PYTHON = [sys.executable, "-m", "oomtop"]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may")


def run(*arguments: str, **named: Any) -> subprocess.CompletedProcess[str]:
    named.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([*PYTHON, *arguments], capture_output=True, text=True, timeout=60, check=False, **named)


def adj(child: subprocess.Popen[bytes]) -> int:
    with open(f"/proc/{child.pid}/oom_score_adj") as file:
        return int(file.read())


def state(child: subprocess.Popen[bytes]) -> str:
    with open(f"/proc/{child.pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def test_done_then_undone_by_a_later_command(child: subprocess.Popen[bytes]) -> None:
    assert run("protect", str(child.pid), "--adj", "300", "--yes").returncode == 0
    assert adj(child) == 300
    listed = run("undo", "--list").stdout
    assert "Set oom_score_adj to 300" in listed
    done = run("undo", "--yes")
    assert done.returncode == 0, done.stderr
    assert adj(child) == 0
    again = run("undo", "--yes")
    assert (again.returncode, "nothing to undo" in again.stderr) == (1, True)


def test_freeze_and_thaw(child: subprocess.Popen[bytes]) -> None:
    assert run("freeze", str(child.pid), "--yes").returncode == 0
    assert state(child) == "T"
    assert run("thaw", str(child.pid), "--yes").returncode == 0
    assert state(child) == "S"


def test_a_dry_run_changes_nothing_and_leaves_no_audit(child: subprocess.Popen[bytes]) -> None:
    done = run("freeze", str(child.pid), "--dry-run")
    assert done.returncode == 0
    assert "SIGSTOP" in done.stdout
    assert state(child) == "S"
    assert not os.path.exists(os.environ["OOMTOP_AUDIT_LOG"])


def test_without_anybody_to_ask_nothing_is_done(child: subprocess.Popen[bytes]) -> None:
    done = run("kill", str(child.pid))
    assert done.returncode == 4
    assert "--yes" in done.stderr
    assert child.poll() is None


def test_read_only_refuses(child: subprocess.Popen[bytes]) -> None:
    done = run("--read-only", "kill", str(child.pid), "--yes")
    assert done.returncode == 4
    assert "--read-only" in done.stdout
    assert child.poll() is None


def test_done_in_part_has_its_own_exit_code(child: subprocess.Popen[bytes]) -> None:
    done = run("kill", str(child.pid), "1", "--yes", "-s", "STOP")
    assert done.returncode == 0
    assert "skipped: 1 (" in done.stdout
    stubborn = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()",
        ],
        stdout=subprocess.PIPE,
    )
    present(stubborn.stdout).readline()
    child.send_signal(signal.SIGCONT)
    try:
        done = run("kill", str(child.pid), str(stubborn.pid), "--yes", "--wait", "0.3")
        assert done.returncode == 5, done.stdout
        done = run("kill", str(stubborn.pid), "--yes", "--wait", "0.1")
        assert done.returncode == 1, done.stdout
    finally:
        stubborn.kill()
        stubborn.wait()
        present(stubborn.stdout).close()


def test_wrong_words_are_named() -> None:
    cases = {
        ("limit", "x", "--max", "lots"): (2, "'lots' is not a size"),
        ("limit", "/", "--lasting"): (1, "one of --high, --max and --low"),
        ("kill", "--yes"): (1, "either PIDs or --cgroup"),
        ("reclaim", "--cgroup", "no-such-group", "--yes"): (1, "no cgroup no-such-group"),
        ("sysctl", "nonsense"): (1, "not a setting"),
        ("swap", "add", "/x", "1G", "--priority", "99999"): (2, "not a whole number"),
    }
    for words, (code, text) in cases.items():
        done = run(*words)
        assert (done.returncode, text in done.stderr) == (code, True), (words, done.stderr)


def test_settings_are_listed_and_explained() -> None:
    assert "swappiness" in run("sysctl").stdout
    assert "range:    0 to 200" in run("sysctl", "vm.swappiness").stdout


def test_every_action_leaves_who_when_what_before_and_after(child: subprocess.Popen[bytes]) -> None:
    run("protect", str(child.pid), "--adj", "250", "--yes")
    with open(os.environ["OOMTOP_AUDIT_LOG"]) as file:
        start, end = (json.loads(line) for line in file)
    assert start["recovery"] == {
        "kind": "RestoreAdjRequest", "values": [[[child.pid, start["targets"][0]["start_time"]], 0]], "override": False
    }  # fmt: skip
    assert (end["before"], end["after"], end["status"], end["uid"]) == ("0", "250", "done", os.getuid())


def test_sizes() -> None:
    assert [parse_size(text) for text in ("4096", "512M", "1.5g", "2 GiB")] == [4096, 512 << 20, 3 << 29, 2 << 30]
    for text in ("", "M", "-1", "1e3", "nan", "1x"):
        with pytest.raises(ValueError, match="not a size"):
            parse_size(text)
    assert size("1k") == 1024
    # The kernel takes 2^64 for 0, which as a limit kills at once.
    for text in ("16384p", "4096p", "999999999999999p"):
        with pytest.raises(ValueError, match="more than any machine has"):
            parse_size(text)
    assert parse_size("4095p") < 1 << 62


def test_a_group_is_found_by_path_folder_unit_and_container() -> None:
    box = "ab" * 32
    paths = ("/", "/system.slice/ssh.service", f"/system.slice/docker-{box}.scope", f"/docker/{box[:-1]}c")
    snapshot = replace(SyntheticMachine(1, 2).snapshot(), cgroups=tuple(Cgroup(path, 0) for path in paths))
    assert find_group(snapshot, "system.slice/ssh.service") == "/system.slice/ssh.service"
    assert find_group(snapshot, "/sys/fs/cgroup/system.slice/ssh.service/") == "/system.slice/ssh.service"
    assert find_group(snapshot, "ssh") == "/system.slice/ssh.service"
    assert find_group(snapshot, box) == f"/system.slice/docker-{box}.scope"
    with pytest.raises(OomtopError, match="2 cgroups"):
        find_group(snapshot, box[:12])
    with pytest.raises(OomtopError, match="no cgroup"):
        find_group(snapshot, "ab")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sysctl", "vm.swappiness", "--persist"), "--persist and --forget need a NAME and a VALUE"),
        (("sysctl", "--forget"), "--persist and --forget need a NAME and a VALUE"),
        (("headroom", "1G", "--cgroup", ""), "the name of the cgroup is empty"),
        (("limit", "", "--high", "1G", "--dry-run"), "the name of the cgroup is empty"),
    ],
)
def test_what_was_left_out_is_said(words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.returncode != 0
    assert said in done.stderr
