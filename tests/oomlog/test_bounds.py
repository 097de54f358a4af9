"""A number that cannot be costs its line: it is said, and every other event of the log is told."""

import io
import re
from pathlib import Path
from typing import Any

import pytest

from oomtop import oomlog
from oomtop.analysis import postmortem
from oomtop.analysis.postmortem.explain import explain
from oomtop.errors import OomtopError
from oomtop.oomlog.evidence import Evidence
from oomtop.oomlog.log_files import read_stream
from oomtop.oomlog.tool import through
from oomtop.render.events import render_text
from oomtop.render.events_json import event_text
from tests.fuzz.harness import Door, attack
from tests.present import present

HUGE = "9" * 5000
GOOD = "Out of memory: Killed process 7 (good) total-vm:9kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB"
REPORT = """\
[  100.1] x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
[  100.2] CPU: 1 PID: 9 Comm: x Not tainted 6.1.0-18-amd64 #1
[  100.3] Node 0 Normal free:4kB min:4kB low:4kB high:4kB present:8kB managed:8kB
[  100.4] Node 0 Normal: 1*4kB (U) 0*8kB = 4kB
[  100.5] lowmem_reserve[]: 0 0 7
[  100.6] 2000 pages RAM
[  100.7] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[  100.8] [     9]     0     9     1000      900    90112        0             0 x
[  100.9] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task=x,pid=9,uid=0
[  101.0] Out of memory: Killed process 9 (x) total-vm:4000kB, anon-rss:3600kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:88kB oom_score_adj:0
[  101.1] oom_reaper: reaped process 9 (x), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
"""
NUMBERS = [HUGE, "0", "-1", "33333333333", "18446744073709551615", "²", "٣٤", "nan", "1e999"]


def read(text: str) -> Evidence:
    evidence = read_stream(io.BytesIO(text.encode()), "log")
    for event in evidence.events:
        render_text(explain(event))
        event_text(event)
    return evidence


def numbers_of(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\d+", text)]


@pytest.mark.parametrize("number", NUMBERS)
def test_any_number_of_a_report_can_be_wrong_and_the_next_event_is_told(number: str) -> None:
    for first, last in numbers_of(REPORT):
        evidence = read(REPORT[:first] + number + REPORT[last:] + f"[  500.0] {GOOD}\n")
        assert 7 in [event.victim.pid for event in evidence.events if event.victim]


def test_every_number_that_is_taken_from_a_log_has_bounds() -> None:
    packages = [Path(package.__file__ or "").parent for package in (oomlog, postmortem)]
    for path in (path for package in packages for path in sorted(package.rglob("*.py"))):
        unbounded = re.findall(r"\((?:\?P<\w+>)?-?\\d[+*].*", path.read_text())
        assert not unbounded, f"{path}: {unbounded}"


def test_a_kill_line_that_is_left_out_is_said() -> None:
    evidence = read(f"[  1.0] Out of memory: Killed process {HUGE} (x) total-vm:1kB, anon-rss:1kB\n[  9.0] {GOOD}\n")
    assert [present(event.victim).pid for event in evidence.events] == [7]
    assert [problem.why for problem in evidence.problems] == ["1 line with a number that cannot be: left out"]


@pytest.mark.parametrize("chunk", ["0", "3", "5000000"])
def test_a_page_of_an_impossible_size_is_unknown(chunk: str) -> None:
    (event,) = read(
        REPORT.replace("1*4kB (U) 0*8kB", f"1*{chunk}kB (U)").replace("total-vm:4000kB", "total-vm:1kB")
    ).events
    assert event.page_size is None
    assert event.tasks[0].rss is None


def test_the_page_size_is_told_by_the_free_lists_the_victims_row_or_the_processor() -> None:
    def size(text: str) -> int | None:
        return read(text).events[0].page_size

    bare = REPORT.replace("[  100.4] Node 0 Normal: 1*4kB (U) 0*8kB = 4kB\n", "")
    assert size(REPORT.replace("1*4kB", "1*64kB")) == 65536
    assert size(bare.replace("total-vm:4000kB", "total-vm:16000kB")) == 16384
    assert size(bare.replace("pid=9", "pid=8").replace("process 9", "process 8")) == 4096
    assert size(bare.replace("process 9", "process 8").replace("amd64", "aarch64")) is None


def read_all(argv: list[str], found: list[bytes], **limits: Any) -> None:
    with through(argv, "log", **limits) as stream:
        found.extend(stream)


def test_a_tool_that_hangs_is_given_up_and_what_it_wrote_before_is_kept() -> None:
    found: list[bytes] = []
    with pytest.raises(OomtopError, match="silent"):
        read_all(["sh", "-c", "echo one; exec sleep 1000"], found, silence=0.2)
    assert found == [b"one\n"]


def test_a_tool_that_writes_for_ever_is_given_up() -> None:
    with pytest.raises(OomtopError, match="given up"):
        read_all(["yes"], [], deadline=0.05)


def test_rows_without_a_header_and_without_a_number_that_is_one_are_left_out() -> None:
    text = REPORT.replace(
        "[  100.7] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n", ""
    )
    (event,) = read(text.replace("]     0     9     1000", "]     0x    9     1000")).events
    assert event.tasks == ()


def _mebibyte(unit: str) -> str:
    return (unit * ((1 << 20) // len(unit) + 1))[: 1 << 20]


def _lines(*texts: str, count: int = 2000) -> str:
    return "".join(f"{text}\n".format(n=n, ten=10 * n) for n in range(count) for text in texts)


MOST = {
    "constraint": "oom-kill:constraint=" + _mebibyte("a"),
    "statistics": f"{REPORT.splitlines()[0]}\n[  100.2] Memory cgroup stats for /x: {_mebibyte('a_')}\n[  100.3] {GOOD}\n",
    "unit": "out of memory OOM " + _mebibyte(".s"),
    "pod": "OOMKilled OOM " + _mebibyte("a."),
    "stamps": "[ 1.000000] " + _mebibyte("] "),
    "summaries": _mebibyte(" oom-kill:constraint=CONSTRAINT_A,task=,task=a,pid=1,"),
    "leaves of JSON": '{"a":[' + _mebibyte('"OOM",') + "1]}",
    "messages at one indentation": _lines("message: OOM", count=10_000),
    "kills of one pid": _lines("[{ten}.000000] " + GOOD),
    "headers alone": _lines("x invoked oom-killer: gfp_mask=0x1(x), order=0", count=10_000),
    "kills and mentions": _lines(
        "[{ten}.000000] " + GOOD.replace("7", "{n}"), "u{n}.service: A process of this unit has been killed by the OOM killer."
    ),
    "kills by others": _lines(
        "[{ten}.000000] " + GOOD, 'sending SIGTERM to process 7 uid 1 "good": badness 2, VmRSS 2 MiB', "process 7 exited after 0.1 seconds"
    ),
}  # fmt: skip
"""Logs of about a mebibyte, each for a search that went over all of it for each of its parts."""


@pytest.mark.parametrize("name", MOST)
def test_what_a_log_costs_grows_with_its_length_only(name: str) -> None:
    door = Door("lines", lambda rng: MOST[name].encode(), lambda data: read_stream(io.BytesIO(data), "log"), 1, 1, 8.0)
    for finding in attack(door, 1, 1):
        pytest.fail(finding.problem, pytrace=False)
