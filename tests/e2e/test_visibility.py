"""In real namespaces and behind a real hidepid the figures say whose they are."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.present import present

OOMTOP = f"{sys.executable} -m oomtop"
pytestmark = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare")


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    if "Operation not permitted" in done.stderr and "unshare" in done.stderr:
        pytest.skip("no namespaces may be made here")
    return done.stdout


def test_hidepid_is_told_and_the_hidden_are_counted() -> None:
    mount = "mount -t proc -o hidepid=2 proc /proc"
    become = "exec setpriv --reuid 2001 --regid 2001 --clear-groups"
    found = json.loads(run("unshare", "-m", "bash", "-c", f"{mount}; {become} {OOMTOP} top --json"))
    assert found["scope"]["processes"] == "own"
    assert found["scope"]["sees_all"] is False
    assert found["scope"]["hidden_threads"] > 5
    assert any("hidepid" in problem["why"] for problem in found["problems"])


def test_root_sees_all_behind_hidepid() -> None:
    found = json.loads(
        run("unshare", "-m", "bash", "-c", f"mount -t proc -o hidepid=2 proc /proc; {OOMTOP} top --json")
    )
    assert found["scope"]["sees_all"] is True


def test_a_pid_namespace_shows_the_container_only() -> None:
    words = ("unshare", "-p", "-f", "-m", "--mount-proc", "bash", "-c", f"{OOMTOP} top -n 3; true")
    text = run(*words)
    assert "only this pid namespace's" in text
    # Of whatever is nearest on this machine, perhaps a group whose processes are all outside.
    assert any(words in text for words in ("(of the visible processes)", "the processes there are hidden"))


def test_in_a_user_namespace_only_what_counts_there_is_claimed() -> None:
    found = json.loads(run("unshare", "-U", "-r", "bash", "-c", f"{OOMTOP} doctor --json"))
    abilities = {ability["id"]: ability for ability in found["abilities"]}
    assert "user namespace" in abilities["rights"]["detail"]
    assert abilities["swap"]["works"] == "no"
    assert abilities["protect"]["works"] == "partly"


def test_a_group_seen_from_inside_a_cgroup_namespace_has_its_processes() -> None:
    memory = "/sys/fs/cgroup/memory"
    if not os.path.isdir(memory):
        pytest.skip("needs cgroup v1 memory")
    folder = f"{memory}/oomtop-visibility-{os.getpid()}"
    os.mkdir(folder)
    try:
        script = f"echo $BASHPID > {folder}/cgroup.procs; exec unshare -p -f -m -C --mount-proc {OOMTOP} top --json"
        with open(f"{folder}/memory.limit_in_bytes", "w") as file:
            file.write("300M")
        found = json.loads(run("bash", "-c", script))
    finally:
        os.rmdir(folder)
    (group,) = [group for group in found["cgroups"] if group["path"] == f"/{os.path.basename(folder)}"]
    assert {process["cgroup"] for process in found["processes"]} == {group["path"]}
    assert group["next_victim"] is not None


# A container: `{inner}` runs in it, with pid 1 as its parent or, from outside as `docker exec` does, beside it.
CHILD = """
import subprocess, signal
signal.signal(signal.SIGTERM, signal.SIG_DFL)
subprocess.run({inner!r}, shell=True)
"""


def test_the_init_of_a_container_that_started_oomtop_is_its_session() -> None:
    inner = f"{OOMTOP} kill 1 --dry-run; {OOMTOP} kill 1 --dry-run --override"
    words = ("unshare", "-p", "-f", "-m", "--mount-proc", sys.executable, "-c", CHILD.format(inner=inner))
    refused, _, allowed = run(*words).partition("(unless --override)")
    assert "refused: 1 (" in refused
    assert "the container's init" in refused
    assert "refused" not in allowed
    assert "pidfd_send_signal(SIGTERM) to 1" in allowed


@pytest.mark.parametrize(("handled", "expected"), [(True, "exited"), (False, "not signalled: has no handler")])
def test_the_init_of_a_container_is_killed_by_what_it_handles(handled: bool, expected: str) -> None:
    handler = "lambda *_: exit()" if handled else "signal.SIG_DFL"
    init = f"import signal; signal.signal(15, {handler}); print('up', flush=True); signal.pause()"
    words = ["unshare", "-p", "-f", "-m", "--mount-proc", sys.executable, "-c", init]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as outer:
        if present(outer.stdout).readline() != "up\n":
            pytest.skip("no namespaces may be made here")
        pid = present(re.search(r"\d+", run("ps", "-o", "pid=", "--ppid", str(outer.pid))))[0]
        try:
            # Not in its pid namespace all the way: what is in it ends with its init.
            text = run("nsenter", "-t", pid, "-p", "-m", "bash", "-c", f"{OOMTOP} kill 1 --yes 2>&1")
            assert "refused" not in text
            assert expected in text or (handled and outer.wait(60) == 0)
            assert "waiting for" not in text
        finally:
            subprocess.run(["kill", "-KILL", pid], stderr=subprocess.DEVNULL, check=False)
