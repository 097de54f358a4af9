"""Who else says that a process was killed for memory: found, named, joined to the event, never invented."""

import io
import json
from typing import Any

import pytest

from oomtop.oomlog.evidence import Evidence
from oomtop.oomlog.log_files import read_stream
from oomtop.oomlog.mentions.mention import needed
from oomtop.oomlog.mentions.reader import SHAPES
from tests.present import present

KILL = "Out of memory: Killed process 4821 (java) total-vm:9kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB"
ID = "4bcba7fc4369fee4d7d2e6263b58fce52cfc928c6a31cfac4d43c838708991ce"
DESCRIBE = """\
Name:         shop-7d9c5
Containers:
  cart:
    Limits:
      memory:  512Mi
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
"""
YAML = """\
status:
  containerStatuses:
  - containerID: containerd://1a2b
    lastState:
      terminated:
        reason: OOMKilled
    name: cart
  - name: other
"""
POD = {"status": {"containerStatuses": [{"lastState": {"terminated": {"reason": "OOMKilled"}}, "name": "cart"}]}}
NODE_EVENT = {
    "kind": "Event", "involvedObject": {"kind": "Node", "name": "node-a"}, "reason": "SystemOOM",
    "message": "System OOM encountered, victim process: java, pid: 4821", "source": {"host": "node-a"},
}  # fmt: skip
NPD = {
    "kind": "Event", "involvedObject": {"kind": "Node", "name": "node-a"}, "message": KILL, "reason": "OOMKilling",
}  # fmt: skip
DOCKER = [{"Id": ID, "Name": "/hog", "State": {"OOMKilled": True, "ExitCode": 137}}]
PODMAN = [{"Id": ID, "Name": "hog", "State": {"OciVersion": "1.2", "OOMKilled": True}}]
PRETTY: dict[str, Any] = {"indent": 4}
MENTIONS = [
    ("Sep 24 15:29:01 h systemd[1]: a.service: systemd-oomd killed 1 process(es) in this unit.", "systemd", "a.service"),
    ("Sep 24 15:29:01 h systemd[1]: a.service: A process of this unit has been killed by the OOM killer.", "systemd", "a.service"),
    ("Sep 24 15:29:01 h systemd[1]: a.service: Failed with result 'oom-kill'.", "systemd", "a.service"),
    ("● a.service - An app\n     Active: failed (Result: oom-kill) since Mon", "systemd", "a.service"),
    ("Running as unit: run-u1.service; invocation ID: 1\nFinished with result: oom-kill", "systemd", "run-u1.service"),
    ("Id=a.service\nResult=oom-kill", "systemd", "a.service"),
    (DESCRIBE, "kubelet", "cart"),
    (YAML, "kubelet", "cart"),
    (json.dumps(POD), "kubelet", "cart"),
    (json.dumps(POD, **PRETTY), "kubelet", "cart"),
    (json.dumps({"items": [NODE_EVENT]}), "kubelet", "node-a"),
    (json.dumps({"items": [NPD]}), "node-problem-detector", "node-a"),
    (json.dumps({"items": [NPD]}, **PRETTY), "node-problem-detector", "node-a"),
    (json.dumps({"items": [NODE_EVENT]}, **PRETTY), "kubelet", "node-a"),
    ("cart-7d9c5   0/1     OOMKilled   4 (12s ago)   10m", "kubelet", "cart-7d9c5"),
    ("shop   cart-7d9c5   0/1     OOMKilled   4   10m", "kubelet", "cart-7d9c5"),
    ('I0302 09:15:20 1 manager.go:1126] Created an OOM event in container "/kubepods/pod1" at 2021', "kubelet", "/kubepods/pod1"),
    ("default 3m Warning Evicted pod/cart-7d9c5 The node was low on resource: memory. Threshold", "kubelet", "cart-7d9c5"),
    ("default 3m Warning OOMKilling node/node-a " + KILL, "node-problem-detector", "node-a"),
    (f'level=info msg="TaskOOM event container_id:\\"{ID}\\""', "containerd", ID),
    (f'2024-10-02 k8s.io /tasks/oom {{"container_id":"{ID}"}}', "containerd", ID),
    (f'level=info msg="OOM event received for container {ID}"', "crio", ID),
    (f"conmon {ID[:20]} <ninfo>: OOM received", "conmon", ID[:20]),
    (f"2019-05-04T18:05:45.0-05:00 container oom {ID} (image=x, name=y)\n2019-05-04T18:05:45.4-05:00 container die {ID} (exitCode=137)", "docker", ID),
    (json.dumps({"Type": "container", "Action": "oom", "Actor": {"ID": ID}}), "docker", ID),
    (json.dumps({"status": "oom", "id": ID, "time": 1}), "docker", ID),
    (json.dumps(DOCKER, **PRETTY), "docker", "hog"),
    (json.dumps(DOCKER), "docker", "hog"),
    (json.dumps(PODMAN, **PRETTY), "podman", "hog"),
    ("slurmstepd: error: Detected 2 oom_kill events in StepId=77.batch. Some of the step tasks have been OOM Killed.\n"
     "srun: error: node1: task 0: Out Of Memory", "slurmstepd", "StepId=77.batch"),
    ("slurmstepd: error: Detected 1 oom-kill event(s) in step 77.0 cgroup. Some of your processes", "slurmstepd", "step 77.0"),
    ("Job ID: 77\nCluster: c\nState: OUT_OF_MEMORY (exit code 0)", "slurm", "77"),
    ("77.batch        batch   acc     4 OUT_OF_ME+    0:125", "slurm", "77.batch"),
    ('Task "web" is "dead"\n2024-05-01  Terminated  Exit Code: 137, Exit Message: "OOM Killed"', "nomad", "web"),
    ("RequestId: 8f5 Error: Runtime exited with error: signal: killed\nREPORT RequestId: 8f5 Status: error Error Type: Runtime.OutOfMemory", "lambda", None),
    ("OutOfMemoryError: Container killed due to memory usage", "ecs", None),
    ("Memory limit of 512 MiB exceeded with 520 MiB used.", "cloud-run", None),
    ("2024-05-01T00:00:00+00:00 heroku[web.1]: Error R15 (Memory quota vastly exceeded)", "heroku", "web.1"),
    ("Exited with status 137 (out of memory)", "paas", None),
    ("ERROR: Job failed: exit code 137", "gitlab-runner", None),
    ("[1.5] oom_reaper: reaped process 4821 (java), now anon-rss:0kB, file-rss:0kB, shmem-rss:4kB", "kernel-reaper", None),
    ("[1.5] kworker/0:1: page allocation failure: order:10, mode:0x40dc0(GFP_KERNEL)", "page-allocation-failure", None),
    ("[1.5] x: vmalloc \nerror: size 14680064, page order 9, failed to allocate pages", "page-allocation-failure", None),
]  # fmt: skip


def read(text: str) -> Evidence:
    return read_stream(io.BytesIO(text.encode()), "test")


@pytest.mark.parametrize(("text", "by", "subject"), MENTIONS)
def test_one_mention_of_each_wording(text: str, by: str, subject: str | None) -> None:
    found = read(text)
    assert found.events == ()
    assert [(mention.by, mention.subject) for mention in found.mentions if mention.by == by][:1] == [(by, subject)] or (
        by == "lambda" and {mention.by for mention in found.mentions} == {"lambda"}
    )
    assert {mention.by for mention in found.mentions} == {by}


@pytest.mark.parametrize(("text", "by", "subject"), MENTIONS)
def test_a_mention_is_the_same_behind_a_megabyte_of_other_lines(text: str, by: str, subject: str | None) -> None:
    other = "Nov 24 07:00:00 boxb sshd[1]: Accepted publickey for root from 10.0.0.1 port 1 ssh2\n" * 14_000
    small, big = read(text), read(other + text)
    assert {mention.by for mention in big.mentions} == {by}
    assert [mention.lines for mention in big.mentions] == [
        tuple(line + 14_000 for line in mention.lines) for mention in small.mentions
    ]


@pytest.mark.parametrize(
    "text",
    [
        "java.lang.OutOfMemoryError: Java heap space",
        "fatal error: runtime: out of memory",
        "# Failed with result 'oom-kill' is what systemd writes",
        "the room is full; zoom in",
        "fork: Cannot allocate memory",
        "earlyoom.service - Early OOM Daemon",
        '{"level":"error","msg":"Reached heap limit Allocation failed - JavaScript heap out of memory"}',
        "Kubernetes pods: 3 Running, 0 OOMKilled",
        "mysqld[3]: InnoDB: page_cleaner: 1000ms intended loop took 4137ms",
        "Exited with code 13",
        "The kubelet writes System OOM encountered when a node is full, see OOMKilled",
        f"2024-05-01T10:00:00Z container die {ID} (exitCode=137, image=x, name=y)",
    ],
)
def test_programs_of_their_own_and_prose_are_no_mentions(text: str) -> None:
    assert read(text).mentions == ()


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        (
            f"""Sep 24 16:00:00 h kernel: [5.0] {KILL}
Sep 24 16:00:00 h kernel: [5.1] oom_reaper: reaped process 4821 (java), now anon-rss:0kB
Sep 24 16:00:00 h systemd[1]: db.service: A process of this unit has been killed by the OOM killer.
Sep 24 16:00:00 h systemd[1]: db.service: Failed with result 'oom-kill'.""",
            [("systemd", 0, (3, 4))],
        ),
        (
            f"""2024-09-24T16:00:00Z a kernel: {KILL}
2024-09-24T16:00:01Z b systemd[1]: db.service: A process of this unit has been killed by the OOM killer.
2024-09-24T16:00:01Z a kernel: oom_reaper: reaped process 99 (x), now anon-rss:0kB
2024-09-24T18:00:01Z a systemd[1]: db.service: A process of this unit has been killed by the OOM killer.""",
            [("systemd", None, (2,)), ("kernel-reaper", None, (3,)), ("systemd", None, (4,))],
        ),
    ],
    ids=["of the same machine", "of another machine or pid"],
)
def test_a_mention_is_joined_to_the_kill_that_is_told(text: str, joined: list[object]) -> None:
    found = read(text)
    assert [present(event.victim).pid for event in found.events] == [4821]
    assert [(mention.by, mention.event, mention.lines) for mention in found.mentions] == joined


def test_signals_that_the_kernel_overtook_killed_nobody() -> None:
    lines = [
        'Apr 28 01:23:28 PC earlyoom[8]: sending SIGTERM to process 4821 uid 0 "java": badness 5, VmRSS 7 MiB',
        "Apr 28 01:23:30 PC kernel: " + KILL,
        "Apr 28 01:23:30 PC earlyoom[8]: process 4821 exited after 1.9 seconds",
    ]
    assert {(event.killer, event.outcome) for event in read("\n".join(lines)).events} == {
        ("earlyoom", "sent"),
        ("kernel", "killed"),
    }


def test_repeated_task_ooms_of_one_container_are_counted() -> None:
    line = f'Mar 15 09:22:41 n containerd: msg="TaskOOM event &TaskOOM{{ContainerID:{ID},XXX_unrecognized:[],}}"'
    (mention,) = read(f"{line}\n{line}").mentions
    assert (mention.count, mention.lines) == (2, (1, 2))


def test_lines_that_nobody_understands_are_named() -> None:
    found = read("all fine\nmyapp: the OOM killer got us again\n")
    assert (found.events, found.mentions) == ((), ())
    assert [(left.line, left.text) for left in found.leftovers] == [(2, "myapp: the OOM killer got us again")]


@pytest.mark.parametrize(
    ("said", "outcome", "count"),
    [("systemd-oomd killed 3 process(es) in this unit.", "killed", 3), ("Succeeded.", "sent", None)],
)
def test_what_systemd_oomd_marked_is_killed_once_systemd_says_so(said: str, outcome: str, count: int | None) -> None:
    text = (
        "[   77.7] systemd-oomd[659]: Marked /a/b.service for killing due to memory pressure for /a being 9% > 5%\n"
        f"[   77.8] systemd[1]: b.service: {said}\n"
    )
    (event,) = read_stream(io.BytesIO(text.encode()), "log").events
    assert (event.outcome, event.processes_killed) == (outcome, count)


@pytest.mark.parametrize(
    "line",
    [
        "According to the docs `oom_reaper: reaped process 123 (java)` means that it was killed.",
        "The kubelet says `OOMKilled`: Reason: OOMKilled means the limit was reached.",
    ],
)
def test_a_sentence_about_a_mention_is_none(line: str) -> None:
    assert read_stream(io.BytesIO(line.encode()), "log").mentions == ()


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (r"a\bkilled (?P<pid>\d{1,9}) by [Mm]e: no\?", "killed "),
        (r"abc?d{2}ef+ghij*", "ghi"),
        (r"x|longer", ""),
        (r"(?:x|longer) \[a\]\d", " [a]"),
        (r"^\S{1,20} exit\.\"?[)\]|]x", " exit."),
    ],
)
def test_what_every_match_of_an_expression_needs(expression: str, text: str) -> None:
    assert needed(expression) == text


def test_a_storm_of_reports_is_searched_for_few_of_the_wordings() -> None:
    assert sum(not shape.needs for shape in SHAPES) <= 1
    tried = [shape.by for shape in SHAPES if shape.needs in "oom_reaper: reaped process 42 (db), now anon-rss:0kB"]
    assert len(tried) <= 2
