"""Mutated, cut, interleaved and random text: nothing raises, nothing is invented."""

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies._internal.core import DataObject

from oomtop.oomlog.carriers.json_text import unwrap_json
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.records import parse_kmsg, parse_line
from oomtop.oomlog.scan import scan_lines

EXAMPLES = int(os.environ.get("OOMTOP_FUZZ_EXAMPLES", "150"))
quick = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

REPORT = """\
[  100.000001] java invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0
[  100.000002] CPU: 1 PID: 4242 Comm: java Not tainted 6.1.0-18-amd64 #1  Debian 6.1.76-1
[  100.000003] Mem-Info:
[  100.000004] active_anon:1999425 inactive_anon:0 isolated_anon:0
[  100.000005] Node 0 DMA32 free:3372kB boost:0kB min:2728kB low:4668kB high:6608kB present:2000kB managed:1900kB
[  100.000006] lowmem_reserve[]: 0 1895 7890 0 0
[  100.000007] Node 0 DMA32: 0*4kB 1*32kB (M) 2*64kB (U) = 160kB
[  100.000008] 2000 pages RAM
[  100.000009] Tasks state (memory values in pages):
[  100.000010] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[  100.000011] [   4242]  1000  4242      500      251     8192        0             0 ja va
[  100.000012] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a,task=ja va,pid=4242,uid=1000
[  100.000013] Out of memory: Killed process 4242 (ja va) total-vm:2000kB, anon-rss:1000kB, file-rss:4kB, shmem-rss:0kB, UID:1000 pgtables:8kB oom_score_adj:0
""".splitlines()
WORDS = st.sampled_from(
    ["Out of memory", "Killed", "process", "oom-kill", ":", "[", "]", "(", ")", "{", '"MESSAGE"', "kernel:", "\x1b[31m",
     "#012", "=", ",", "1", "-1", "kB", "invoked", "Memory cgroup", "[ pid ]", "\xa0", "é", "\\x41", "1,2,3,-;"]
)  # fmt: skip


def read(lines: list[str]) -> list[OomEvent]:
    return list(scan_lines(lines, "fuzz"))


@quick
@given(st.lists(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=12).map(" ".join)), max_size=30))
def test_any_text_is_read_without_an_error(lines: list[str]) -> None:
    for event in read(lines):
        assert (
            event.victim is not None
            or event.has_header
            or event.panic
            or event.no_killable_processes
            or event.selected
            or event.oom_group
            or event.constraint
            or event.cgroup
        )


@quick
@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=120), max_size=20))
def test_text_without_the_kernels_words_has_no_event(lines: list[str]) -> None:
    words = ("oom", "emory", "illed", "ill process", "victim", "memory.oom", "sending SIG", "Marked /")
    assert read([line for line in lines if not any(word in line for word in words)]) == []


@quick
@given(st.data())
def test_a_cut_mutated_and_interleaved_report_is_at_most_one_kill(data: DataObject) -> None:
    lines = list(REPORT)
    for _ in range(data.draw(st.integers(0, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        line = lines[index]
        first = data.draw(st.integers(0, len(line)))
        last = data.draw(st.integers(first, len(line)))
        lines[index] = line[:first] + data.draw(st.text(max_size=20).map(lambda t: t.replace("\n", ""))) + line[last:]
    if data.draw(st.booleans()):
        lines.insert(
            data.draw(st.integers(0, len(lines))), "[  100.000005] [UFW BLOCK] IN=eth0 OUT= MAC=aa SRC=1.2.3.4"
        )
    lines = lines[data.draw(st.integers(0, len(lines))) :]
    assert len([event for event in read(lines) if event.victim is not None]) <= 1


@quick
@given(st.binary(max_size=400))
def test_any_bytes_are_read_as_kmsg_and_as_json(raw: bytes) -> None:
    parse_kmsg(raw)
    parse_kmsg(b"3,1,2,-;" + raw)
    text = raw.decode("utf-8", "backslashreplace")
    unwrap_json("{" + text)
    parse_line("{" + text)
