import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from oomtop import selfguard
from oomtop.host.privileges import Capability, has_capability
from oomtop.selfguard import OWN_ADJ, SelfGuard, Step, rehearse
from oomtop.units import format_bytes

# The measures last as long as the process, so each test takes them in a process of its own.
_PROGRAM = """
import json, os, resource, sys
{before}
from oomtop.selfguard import guard_self
guarded = guard_self()
held = [bytearray(1 << 20) for _ in range(64)]
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({{
    "steps": {{step.name: [step.done, step.text] for step in guarded.steps}},
    "line": guarded.describe(),
    "adj": int(open("/proc/self/oom_score_adj").read()),
    "locked": int(status["VmLck"].split()[0]),
    "child": guarded.child_command(["sh", "-c", "cat /proc/self/oom_score_adj; nice"]),
}}))
{after}
"""
NOBODY = "os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def run(before: str = "", after: str = "") -> tuple[dict[str, Any], str]:
    code = _PROGRAM.format(before=before, after=after)
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    first, _, rest = done.stdout.partition("\n")
    return json.loads(first), rest


def test_the_kill_path_is_rehearsed() -> None:
    said, _ = run()
    assert said["steps"]["kill path"] == [True, "kill path rehearsed"]
    assert rehearse() == "kill path rehearsed"


def test_the_score_is_lowered_where_allowed() -> None:
    said, _ = run()
    if has_capability(Capability.SYS_RESOURCE):
        assert said["adj"] == OWN_ADJ
    else:
        assert said["steps"]["adj"] == [False, "needs CAP_SYS_RESOURCE"]


def test_memory_is_locked_where_allowed_and_allocations_still_work() -> None:
    said, _ = run()
    done, text = said["steps"]["memory lock"]
    if has_capability(Capability.IPC_LOCK):
        assert done
        assert text.endswith("locked")
        assert said["locked"] > 0
        assert text in said["line"]


@needs_root
def test_without_any_privilege_it_runs_and_says_what_it_lacks() -> None:
    # The package is imported before the privileges go: its folder may not be readable without them.
    said, _ = run("import oomtop.selfguard\nresource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 16, 1 << 16))\n" + NOBODY)
    assert said["steps"]["adj"] == [False, "needs CAP_SYS_RESOURCE"]
    assert said["steps"]["memory lock"][0] is False
    assert f"RLIMIT_MEMLOCK is {format_bytes(1 << 16)}" in said["steps"]["memory lock"][1]
    assert said["steps"]["priority"] == [False, "needs CAP_SYS_NICE"]
    assert said["steps"]["kill path"][0] is True


def test_every_thread_gets_the_priority() -> None:
    before = "import threading\nend = threading.Event()\nthreading.Thread(target=end.wait, daemon=True).start()"
    after = "print(json.dumps([os.getpriority(0, int(thread)) for thread in os.listdir('/proc/self/task')]))"
    said, rest = run(before, after)
    values = json.loads(rest)
    assert len(values) == 2
    if has_capability(Capability.SYS_NICE):
        assert said["steps"]["priority"] == [True, f"nice {values[0]}"]
    assert len(set(values)) == 1


def test_a_child_gets_back_what_oomtop_started_with() -> None:
    after = "sys.stdout.flush(); import subprocess; subprocess.run(guarded.child_command(['sh', '-c', 'nice']))"
    _, rest = run(after=after)
    assert rest == f"{os.getpriority(os.PRIO_PROCESS, 0)}\n"


def test_the_score_of_a_child_is_raised_back() -> None:
    before = "open('/proc/self/oom_score_adj', 'w').write('100')"
    command = SelfGuard((), 300, os.getpriority(os.PRIO_PROCESS, 0)).child_command(["cat", "/proc/self/oom_score_adj"])
    assert command[-2:] == ("cat", "/proc/self/oom_score_adj")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "300\n"
    said, _ = run(before)
    assert said["adj"] in (100, OWN_ADJ)


def test_nothing_changed_needs_no_wrapper() -> None:
    with open("/proc/self/oom_score_adj") as file:
        guarded = SelfGuard((), int(file.read()), os.getpriority(os.PRIO_PROCESS, 0))
    assert guarded.child_command(["gdb", "-p", "1"]) == ("gdb", "-p", "1")


def test_the_header_line() -> None:
    done, failed = Step("adj", True, "adj -900"), Step("memory lock", False, "needs CAP_IPC_LOCK")
    locked = Step("memory lock", True, "46M locked")
    assert SelfGuard((done, locked), 0, 0).describe() == "guarded 46M locked, adj -900"
    assert SelfGuard((done, failed), 0, 0).describe() == "guarded adj -900; memory lock: needs CAP_IPC_LOCK"
    assert SelfGuard((failed,), 0, 0).describe() == "not guarded: memory lock: needs CAP_IPC_LOCK"
    assert SelfGuard((done, failed), 0, 0).report()[1] == "no   memory lock: needs CAP_IPC_LOCK"


def test_there_is_room_for_ticks_and_keys_once_the_start_has_ended() -> None:
    code = (
        "import resource\n"
        "from oomtop.selfguard import end_start\n"
        "end_start()\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "def use(): return [(number, str(number), [number]) for number in range(5_000)]\n"
        "before = faults()\n"
        "for _ in range(50):\n"
        "    use()\n"
        "print(faults() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # A megabyte a time: 256 pages, 50 times, if it came from the kernel; one arena may be new.
    assert int(done.stdout) < 100


def test_what_was_swapped_out_is_found_and_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no swap to be had here: pages of a mapping are told to be in it."""
    import io
    import struct

    locked = []
    monkeypatch.setattr(selfguard, "_own_status", lambda: {"swap": 8192})
    monkeypatch.setattr(
        selfguard, "_LIBC", SimpleNamespace(mlock=lambda at, size: locked.append((at.value, size.value)))
    )
    page = os.sysconf("SC_PAGE_SIZE")
    told: dict[str, str | bytes] = {
        "/proc/self/maps": "00003000-00006000 rw-p 00000000 00:00 0\nffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0\n",
        "/proc/self/pagemap": bytes(8 * (0x3000 // page)) + struct.pack("=3Q", 1 << 62, 1 << 63, 1 << 62 | 7),
    }

    def opened(path: str, *_: object, **__: object) -> io.IOBase:
        text = told[path]
        return io.BytesIO(text) if isinstance(text, bytes) else io.StringIO(text)

    monkeypatch.setattr("builtins.open", opened)
    selfguard._load_swapped()
    monkeypatch.undo()
    assert locked == [(0x3000, page), (0x5000, page)]
